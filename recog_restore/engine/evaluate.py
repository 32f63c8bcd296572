"""``evaluate``: one protocol, one embedder, any number of preprocessors, one decoding pass, one result."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..datasets import Dataset
from ..degrade import DEGRADATIONS
from ..detect.spec import create as create_detector
from ..embed import Embedder
from ..errors import DataError, RecordError, UndefinedMetric
from ..metrics.bootstrap import DRAWS
from ..preprocess import PREPROCESSORS, Preprocessor
from ..preprocess.gate import DEFAULT_QUALITY, QUALITY
from ..preprocess.quality import is_quality
from ..preprocess.spec import noted as notes_of
from ..protocol import FAILURE_WORDS, Protocol
from ..records import nearest, plain
from ..results import BASELINE, Drift, Failure, Result
from ..search import create as create_gallery
from ..store import Store
from .acquire import PASS_DETECTOR, Acquisition, has_landmarks
from .acquire import digests as read_digests
from .binning import SIZE, YAW
from .checking import guesses
from .differences import all_differences, bootstrap, with_intervals
from .domains import feature_map
from .drift import independent
from .drifting import Meter, drifts
from .embeddings import Embeddings, Settings, detect, embed
from .examples import confusions, examples
from .facts import facts
from .flips import flips, impostors
from .given import Given, digest_of, given
from .harm import harm
from .identification import identify
from .independence import cautions, statement
from .keep import keep
from .kept import MOST
from .pipelines import Applied
from .piping import Piping, Run, piped
from .plan import Plan, fingerprint, firsts, label_columns, make
from .progress import Progress
from .provenance import provenance
from .score import verify
from .sides import sides
from .suspects import of_files, of_landmarks
from .thresholds import thresholds
from .trial import tried

# Every preprocessor as it is: no gate, no fusion.
WHOLE = Piping()


def evaluate(
    protocol: Protocol,
    dataset: Dataset,
    embedder: Embedder | None,
    preprocessors: Sequence[Preprocessor] = (),
    *,
    features: Mapping[str, Path] | None = None,
    store: Store,
    settings: Settings,
    detector: str | None = None,
    limit: int | None = None,
    allow_missing: bool = False,
    faces: int = 6,
    draws: int = DRAWS,
    comparisons: Path | None = None,
    piping: Piping = WHOLE,
    meter: Meter | None = None,
    domains: int = 0,
    command: Sequence[str] = (),
    progress: Progress | None = None,
) -> Result:
    """Return the result of a protocol on a data set, the untouched baseline beside every preprocessor.

    Args:
        protocol: what is compared and measured.
        dataset: its images and lists.
        embedder: who recognizes; None where features are given.
        preprocessors: what is put in front of it; the baseline comes by itself.
        features: embeddings that another tool made, by preprocessor (``none``: the baseline), in place of images.
        store: where embeddings are kept; what is there already is not computed again.
        settings: batch, workers, device, search.
        detector: ``yunet:FILE`` …, for data sets without landmarks.
        limit: at most so many comparisons or searches.
        allow_missing: listed images that are not there are failures to acquire instead of an error.
        faces: gains, losses, confusions and turned decisions to show with their faces, each, per preprocessor.
        domains: people whose probes' features are mapped; 0: no map.
        draws: of the subjects, behind intervals and differences; 0: there are none of either, nor thresholds.
        piping: gates and fusions around the preprocessors.
        meter: how to measure their drift; None: not at all.
        comparisons: the file in which every comparison is kept, so that runs can be subtracted later; None keeps none.
        command: the command line, for the record.
        progress: who watches.

    Raises:
        DataError: lists and files do not fit the protocol, or there are no landmarks and no detector.
        StoreError: the embeddings cannot be kept.
        ResultError: the comparisons cannot be kept.
        ConventionError: a network's output has the wrong shape.
        UnknownName, ExtraMissing: the search is not known, or not installed.
        RecordError: there are no probes, or hardly any, whose features could be mapped.
    """
    progress = progress or Progress()
    began = time.perf_counter()
    _full_precision()
    identity = create_detector(detector).identity() if detector is not None else {}
    if protocol.degradation is not None:
        DEGRADATIONS.factory(protocol.degradation.name)
    if domains and protocol.kind != "identification":
        raise RecordError(f"--domains {domains}: {protocol.id} compares pairs; expected an identification, with probes")
    if piping.fit is not None and protocol.kind == "verification" and protocol.templates is not None:
        raise RecordError(f"--fit-gate: {protocol.id} compares templates of several faces, which cannot be parted")
    index = create_gallery(settings.search, settings.device)
    bare = _columns(preprocessors) if embedder is not None else [Given(name) for name in features or {}]
    piping.check(bare, embedder)
    if meter is not None:
        if embedder is None:
            raise RecordError(
                "--features: there are no faces whose drift could be measured; leave out --drift and --judge"
            )
        meter.beside(embedder)
    with progress.timed("reading lists"):
        plan = make(protocol, dataset, limit=limit, allow_missing=allow_missing or embedder is None)
        _check_breakdowns(plan, embedder is not None)
        suspect = list(dataset.warnings) if embedder is not None else []
        suspect += of_landmarks(plan.samples, dataset.root) if embedder is not None and detector is None else []
    with progress.timed("reading files"):
        digests = read_digests(plan.samples.files, progress) if embedder is not None else [""] * len(plan.samples)
        suspect += of_files(plan, digests)
    degradation = protocol.degradation
    if embedder is not None:
        plan = _with_landmarks(plan, dataset, digests, detector, identity, store, settings, progress)
    acquisition = Acquisition(
        plan.samples, plan.jobs, degradation.name if degradation else None, degradation.seed if degradation else 0
    )
    warned: list[str] = []
    if embedder is None:
        found, faces = given(plan, dataset, features or {}), 0
    else:
        with progress.timed("trial"):
            warned = tried(acquisition, digests, bare[1:], store, settings, plan.touched)
        (entries,) = embed(acquisition, digests, [embedder], bare, store, settings, progress, plan.touched)
        found = dict(zip((p.card.name for p in bare), entries, strict=True))
    _some_face(found[BASELINE])
    _worked(found[BASELINE], found, plan.touched)
    with progress.timed("labels"):
        asked = {column: DEFAULT_QUALITY if column == QUALITY else column for column in _unlisted(plan)}
        known = facts(
            asked.values(), acquisition, digests, found[BASELINE], store=store, settings=settings, progress=progress
        )
        plan = dataclasses.replace(plan, measured={column: known[measure] for column, measure in asked.items()})
    with progress.timed("gates"):
        run, columns, fitted, noted = piped(
            Run(plan, acquisition, digests, found),
            bare,
            piping,
            embedder,
            store=store,
            settings=settings,
            progress=progress,
        )
    plan, acquisition, digests = run.plan, run.acquisition, run.digests
    found = {column.card.name: column.embeddings for column in columns}
    with progress.timed("scoring"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UndefinedMetric)
        scored = (
            verify(plan, found) if protocol.kind == "verification" else identify(plan, found, index, settings.device)
        )
    with progress.timed("statistics"), warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetric)  # said above
        content = fingerprint(digests, plan)
        kept = keep(plan, scored, content)
        values, changes, safe, one_sided = scored.values, [], [], {}
        if draws:
            drawn = bootstrap(kept, draws)
            values = with_intervals(values, kept, drawn)
            changes = all_differences([((kept, BASELINE), (kept, name)) for name in list(found)[1:]], drawn)
            safe = [threshold for name in found for threshold in thresholds(kept, name, drawn)]
            one_sided = sides(plan, found, kept, drawn, index, settings.device)
        else:
            values = [dataclasses.replace(value, interval=None, method="") for value in values]
    with progress.timed("examples"):
        shown = examples(plan, acquisition, columns, found, scored.scores, faces, settings.device)
        worst = confusions(plan, acquisition, columns, found, scored, faces, settings.device)
        turned = flips(plan, acquisition, columns, found, scored, kept, faces, settings.device)
        harmed = [
            harm(
                kept,
                p.card.name,
                partial(
                    impostors,
                    plan,
                    acquisition,
                    p,
                    found[p.card.name],
                    scored,
                    count=faces,
                    device=settings.device,
                ),
            )
            for p in columns[1:]
        ]
        shown_domains = feature_map(plan, found, domains) if domains else None
    drifted: list[Drift] = []
    if meter is not None and embedder is not None:
        with progress.timed("drift"):
            drifted, unwitnessed = drifts(run, columns, embedder, meter, faces, store, settings, progress)
            noted += unwitnessed
    noted[:0] = suspect
    noted += [*(note for p in bare for note in notes_of(p)), *warned]
    noted += [*_taught(bare, embedder), *(str(w.message) for w in caught)]
    judges = [] if embedder is None else [embedder, *(meter.beside(embedder) if meter is not None else ())]
    noted += cautions(plan, dataset, judges, bare)
    with progress.timed("self-check"):
        noted += [text for judge in judges for text in guesses(judge, plan.samples, dataset.root)]
    if comparisons is not None and len(kept.first) <= MOST:
        kept.write(comparisons)
    elif comparisons is not None:
        comparisons.unlink(missing_ok=True)  # of an earlier run
        noted.append(f"the {len(kept.first):,} comparisons are not kept beside the result: more than {MOST:,}")
    if store.damaged:
        first, *others = store.damaged
        also = f" and {len(others):,} other files of the store were" if others else " was"
        progress.say(f"warning: {first}{also} damaged and computed again")
    progress.seconds["total"] = time.perf_counter() - began
    return Result(
        protocol={
            "id": protocol.id,
            "title": protocol.title + (f" · faces degraded by {degradation.name}" if degradation else ""),
            "kind": protocol.kind,
            "settings": plain(protocol),
            "failure": FAILURE_WORDS[protocol.faces.failure],
        },
        data=_data(plan, dataset, content),
        embedder=_embedder(embedder, features or {}),
        preprocessors=tuple(_preprocessor(p) for p in columns),
        values=tuple(values),
        failed={name: int((~entry.valid).sum()) for name, entry in found.items()},
        failures=tuple(_failures(plan, columns)),
        settings={
            "command": list(command),
            "batch": settings.batch,
            "device": settings.device,
            "threads": settings.threads,
            "detector": detector,
            "limit": limit,
            "allow_missing": allow_missing,
            "degradation": plain(acquisition.degradation.settings()) if acquisition.degradation else None,
            **({"search": scored.search} if scored.search else {}),
            "draws": draws,
            **({"gate": fitted} if fitted else {}),
            **({"templates": scored.pooling} if scored.pooling else {}),
        },
        provenance=provenance(),
        seconds={phase: round(seconds, 3) for phase, seconds in progress.seconds.items()},
        seen=plan.touched,
        unchanged=_unchanged(found, plan.touched),
        unenrolled=scored.unenrolled,
        curves=scored.curves,
        histogram_edges=scored.edges,
        histograms=scored.histograms,
        cmc=scored.cmc,
        det=scored.det,
        examples=tuple(shown),
        confusions=tuple(worst),
        differences=tuple(changes),
        harm=tuple(harmed),
        thresholds=tuple(safe),
        sides=one_sided,
        flips=tuple(turned),
        drift=tuple(drifted),
        domains=shown_domains,
        independence=tuple(statement(plan, judges, bare)) if judges else (),
        warnings=tuple(dict.fromkeys(noted)),
    )


def _full_precision() -> None:
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


def _with_landmarks(
    plan: Plan,
    dataset: Dataset,
    digests: list[str],
    detector: str | None,
    identity: dict[str, object],
    store: Store,
    settings: Settings,
    progress: Progress,
) -> Plan:
    if plan.samples.alignment != "landmarks":
        return plan
    if detector is not None:
        with progress.timed("detecting"):
            points = detect(plan.samples, digests, detector, identity, store, settings, progress)
        return dataclasses.replace(plan, samples=dataclasses.replace(plan.samples, landmarks=points))
    has_landmarks(plan.samples, dataset.root, PASS_DETECTOR)
    return plan


def _some_face(baseline: Embeddings) -> None:
    if not baseline.valid.any():
        reason, count = Counter(baseline.status.tolist()).most_common(1)[0]
        raise DataError(f"none of the {len(baseline.status):,} faces could be had; {count:,} of them: {reason}")


def _check_breakdowns(plan: Plan, images: bool) -> None:
    known = label_columns(plan.samples)
    known += [SIZE, YAW] if plan.samples.alignment == "landmarks" else []
    known += [QUALITY] if images else []
    for column in plan.protocol.breakdowns:
        if column not in known and not (images and is_quality(column)):
            raise RecordError(f"--by {column}: the data set has no such label; {nearest(column, known)}")


def _unlisted(plan: Plan) -> list[str]:
    """Return by what results are broken down that no column of the data set has."""
    return [column for column in plan.protocol.breakdowns if column not in plan.samples.table]


def _columns(preprocessors: Sequence[Preprocessor]) -> list[Preprocessor]:
    """Return the baseline, which may be named again, and the given preprocessors.

    Raises:
        RecordError: two have one name.
    """
    columns = [PREPROCESSORS.create(BASELINE)]
    for preprocessor in preprocessors:
        name, spec = preprocessor.card.name, preprocessor.card.typed
        if spec == BASELINE:
            continue
        if name in [column.card.name for column in columns]:
            raise RecordError(
                f"--pre {spec}: a preprocessor named {name!r} is there already; leave one out, or give this one a "
                f"name of its own: --pre NAME={spec}"
            )
        columns.append(preprocessor)
    return columns


def _worked(baseline: Embeddings, done: Mapping[str, Embeddings], touched: int) -> None:
    """Check that no preprocessor failed for all faces that it was given.

    Raises:
        DataError: one did.
    """
    given = np.flatnonzero(baseline.valid[:touched])
    for name, entry in done.items():
        if len(given) and (entry.stage[given] == "preprocess").all():
            reason, count = Counter(entry.status[given].tolist()).most_common(1)[0]
            raise DataError(f"{name} failed for all {len(given):,} faces; for {count:,} of them: {reason}")


def _data(plan: Plan, dataset: Dataset, content: str) -> dict[str, Any]:
    subject = plan.samples.table["subject"]
    counts: dict[str, Any] = {
        "samples": len(plan.samples),
        "subjects": int(subject.nunique()) if subject.any() else None,
    }
    if plan.protocol.kind == "verification":
        mated = int(plan.mated.sum())
        counts |= {"comparisons": len(plan.mated), "mated": mated, "non_mated": len(plan.mated) - mated}
        counts["folds"] = sorted(set((plan.fold + 1).tolist()))
    else:
        counts |= {
            "gallery": len(firsts(plan.gallery_template)),
            "probes": len(firsts(plan.probe_template)),
            "gallery_subjects": len(set(plan.column("subject", plan.gallery).tolist())),
            "templates": plan.templates,
            **({"galleries": galleries} if (galleries := _galleries(plan)) else {}),
        }
    return {
        "dataset": plan.protocol.data.dataset,
        "root": str(dataset.root),
        **counts,
        "alignment": plan.samples.alignment,
        "fingerprint": content,
        "partial": plan.partial,
        "note": dataset.note,
    }


def _galleries(plan: Plan) -> dict[str, Any]:
    """Return, of several galleries or an open set, what is enrolled in each, and how many searches have a mate."""
    if len(plan.galleries) == 1 and not plan.protocol.open_set:
        return {}
    subject = plan.column("subject", plan.probes)[firsts(plan.probe_template)].astype(str)
    enrolled = plan.column("subject", plan.gallery)[firsts(plan.gallery_template)].astype(str)
    counts = {}
    for name, split in plan.galleries.items():
        mated = int(np.isin(subject[split.probes], enrolled[split.gallery]).sum())
        counts[name] = {"gallery": len(split.gallery), "mated": mated, "non_mated": len(split.probes) - mated}
    return counts


def _embedder(embedder: Embedder | None, features: Mapping[str, Path]) -> dict[str, Any]:
    if embedder is None:
        words = f"given as features ({', '.join(path.name for path in features.values())}); cosine of templates"
        return {"name": "features", "words": words, "sha256": digest_of(features), "card": {}}
    card = embedder.card
    return {"name": card.name, "words": card.words(), "sha256": embedder.identity(), "card": plain(card)}


def _preprocessor(preprocessor: Preprocessor) -> dict[str, Any]:
    card = preprocessor.card
    return {
        "name": card.name,
        "title": card.title,
        "task": card.task,
        "settings": plain(preprocessor.settings()),
        "card": plain(card),
    }


def _taught(preprocessors: Sequence[Preprocessor], embedder: Embedder | None) -> list[str]:
    """Return a warning for each preprocessor that was trained to please this embedder, known by name or by weights."""
    if embedder is None:
        return []
    return [
        f"{embedder.card.name} is no independent judge of {preprocessor.card.name}: a loss of its training used this "
        "embedder; judge with another one"
        for preprocessor in preprocessors
        if not independent(preprocessor, embedder)
    ]


def _unchanged(found: Mapping[str, Embeddings], touched: int) -> dict[str, int]:
    """Return how many of the first faces have the untouched face's embedding, by preprocessor."""
    raw = found[BASELINE]
    same = {name: (entry.vectors == raw.vectors).all(axis=1) & raw.valid for name, entry in found.items()}
    return {name: int(rows[:touched].sum()) for name, rows in same.items() if name != BASELINE}


def _failures(plan: Plan, columns: Sequence[Applied]) -> list[Failure]:
    """Return one entry per face that failed for all, under the baseline's name, and one per further failure."""
    names = plan.samples.table["sample"].to_numpy(dtype=object)
    failures = []
    for column in columns:
        name, entry = column.card.name, column.embeddings
        for job in (~entry.valid).nonzero()[0].tolist():
            if name == BASELINE or (column.touched[job] and entry.stage[job] != "acquire"):
                failures.append(Failure(str(names[plan.jobs.row[job]]), name, entry.stage[job], entry.status[job]))
    return failures
