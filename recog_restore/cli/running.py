"""What ``rr-eval`` does once its options are parsed: open, say what runs on what, evaluate, write, print."""

from __future__ import annotations

import dataclasses
import os
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch

from ..datasets import DATASETS, Dataset
from ..datasets.opening import is_computed, open_dataset
from ..datasets.registered import registered
from ..embed import Embedder
from ..embed.spec import create as create_embedder
from ..engine import evaluate
from ..engine.drift import FILE as DRIFT
from ..engine.drifting import Meter
from ..engine.embeddings import Settings
from ..engine.kept import FILE as COMPARISONS
from ..engine.pipelines import Fusion
from ..engine.piping import Piping
from ..errors import DataError, RecordError, UnknownName
from ..files import locked
from ..preprocess.gate import create as create_gate
from ..preprocess.spec import create as create_preprocessor
from ..protocol import Data, Protocol, known, load
from ..records import nearest
from ..report import html, tables
from ..report.bins import tables as binned_tables
from ..report.cards import left
from ..report.drift import sentence
from ..report.grid import OVER
from ..report.wording import counted, label
from ..resources import cache_folder
from ..results import BASELINE, Result
from ..store import Store
from .bars import Bars
from .base import SYNTHPIE_EMBEDDER
from .device import chosen_device
from .terminal import say, show

SYNTHPIE = "synthpie"


def run(
    *,
    protocol: str,
    data: str | None,
    embedder: str | None,
    pre: Sequence[str],
    gates: Sequence[str],
    fusions: Sequence[Fusion],
    fit: Path | None,
    drift: bool,
    judges: Sequence[str],
    features: Sequence[str],
    detector: str | None,
    by: Sequence[str],
    search: str,
    synthpie_size: str | None,
    folds: Sequence[int] | None,
    limit: int | None,
    compat: Sequence[str],
    changes: Sequence[str],
    trust_code: bool,
    seed: int | None,
    allow_missing: bool,
    device: str,
    batch: int,
    workers: int | None,
    threads: int | None,
    faces: int,
    domains: int,
    draws: int,
    store: Path | None,
    out: Path | None,
    as_json: bool,
    command: Sequence[str],
) -> None:
    """Run a protocol as the options of ``rr-eval`` say, write ``result.json`` and ``report.html``, print the table."""
    lists = {"data.folds": folds, "compat": compat, "breakdowns": by}
    changes = [*changes, *(f"{key}={list(value)}" for key, value in lists.items() if value)]
    question = load(protocol, changes, trust_code)
    if seed is not None:
        question = _seeded(question, seed, fit is not None)
    device = chosen_device(device)
    question, dataset = opened(question, data, synthpie_size)
    workers = _workers(device, is_computed(question.data.dataset)) if workers is None else workers
    settings = Settings(batch, workers, device, search, threads)
    given = _features(features, embedder, pre)
    recognizer = None
    if not given:
        recognizer = create_embedder(
            _default_embedder(question) if embedder is None else embedder, settings.device, threads
        )
    preprocessors = [create_preprocessor(text, settings.device, threads) for text in pre]
    piping = Piping(tuple(create_gate(text) for text in gates), tuple(fusions), fit, seed or 0)
    if (drift or judges) and not (pre or given):
        raise RecordError("--drift and --judge are about what a preprocessor does; name one with --pre")
    if draws == 1:
        raise RecordError("--draws 1: an interval needs at least 2, and 1000 to be steady; 0 leaves intervals out")
    witnesses = tuple(create_embedder(text, settings.device, threads) for text in judges)
    out = out or Path("runs") / _slug(f"{question.name}-{recognizer.card.name if recognizer else 'features'}")
    _writable(out)
    say(
        _first_line(question, dataset, recognizer, [*(p.card.name for p in preprocessors), *list(given)[1:]], settings),
        err=as_json,
    )
    with locked(out), Bars() as progress:
        result = evaluate(
            question,
            dataset,
            recognizer,
            preprocessors,
            features=given,
            store=Store(store or cache_folder() / "store"),
            settings=settings,
            detector=detector,
            limit=limit,
            allow_missing=allow_missing,
            faces=faces,
            domains=domains,
            draws=draws,
            comparisons=out / COMPARISONS,
            piping=piping,
            meter=Meter(witnesses, out / DRIFT) if drift or witnesses else None,
            command=command,
            progress=progress,
        )
        _write(result, out)
    if as_json:
        say(tables.json([result]), nl=False)
    else:
        show(tables.summary(result))
        for line in _remarks(result):
            say(line)
        if fit is not None:
            say(f"gate file: {fit}; use it with --gate learned:{fit}")
        say(f"result: {out / 'result.json'}\nreport: {out / 'report.html'}")


def _remarks(result: Result) -> list[str]:
    """Return the warnings of a run, the reasons of failures by count, and what stands only in the report."""
    reasons = Counter(f"{f.stage}: {f.reason}" for f in result.failures)
    shown = {"fold", OVER, *(table.key for table in binned_tables([result])[:1])}
    parts = sorted({key for value in result.values for key in value.where} - shown)
    return [
        *(f"warning: {text}" for text in result.warnings),
        *([f"gate: {text}"] if (text := result.settings.get("gate")) else []),
        *(f"{label(name)}: {text}" for name in result.unchanged if (text := left(result, name))),
        *map(sentence, result.drift),
        *_achieved(result),
        *(f"failed {count:,} × {reason}" for reason, count in reasons.most_common(5)),
        *(
            f"failed to enrol, {label(name)}: {counted(count, 'template')}"
            for name, count in result.unenrolled.items()
            if count
        ),
        *(f"by {part}: see the report" for part in parts),
    ]


def _achieved(result: Result) -> list[str]:
    """Return, where there are gates or fusions, each pipeline's own threshold and the FMR that it achieves there."""
    piped = any("gate" in entry["settings"] or "fusion" in entry["settings"] for entry in result.preprocessors)
    non_mated = result.data.get("non_mated")
    if not piped or not non_mated:
        return []
    return [
        f"{label(value.preprocessor)}: {value.metric} at a threshold of its own, {value.threshold:.4f}: FMR "
        f"{value.false_accepts / non_mated:.2e} ({value.false_accepts:,} of {non_mated:,})"
        for value in result.values
        if value.metric.startswith(("tar@", "tar_nearest@"))
        and value.threshold is not None
        and value.false_accepts is not None
    ]


def _writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise DataError(
            f"{out}: the result cannot be written ({error.strerror}); name another folder with --out"
        ) from None


def _write(result: Result, out: Path) -> None:
    try:
        result.write(out / "result.json")
    except OSError as error:
        raise DataError(f"{out}: the result cannot be written ({error.strerror})") from None
    html.write([result], out / "report.html")


def named(name: str) -> Protocol:
    """Return the protocol of that name, or one that stands for a data set of that name with its default options.

    Raises:
        UnknownName: there is neither.
    """
    if name.endswith(".toml") or name in known():
        return dataclasses.replace(load(name, trust_code=True), breakdowns=())  # nothing is measured, no code runs
    if name not in DATASETS:
        raise UnknownName(f"no protocol or data set named {name!r}; {nearest(name, [*known(), *DATASETS])}")
    data = Data(name)
    return Protocol(name, 1, "identification", name, data, metrics=("rank1",), primary="rank1")


def opened(protocol: Protocol, path: str | None, synthpie_size: str | None = None) -> tuple[Protocol, Dataset]:
    """Return the protocol's data set at a path, or where it is registered, or what stands in for it.

    The protocol comes back with the name of the data set that is read and the options that it is read with.

    Raises:
        RecordError: no path is given, none is registered, and nothing stands in; or a size is given for another data
            set than SynthPIE.
    """
    name, options = protocol.data.dataset, protocol.data.options
    if path == "":
        raise RecordError("--data: expected a path, found nothing")
    root = Path(path) if path is not None else registered().get(name)
    if root is None and protocol.data.stand_in:
        name = protocol.data.stand_in
    elif root is None and not is_computed(name):
        raise RecordError(
            f"{protocol.id} needs the data set {name!r}: say where it is with --data PATH, or once for all with "
            f"rr-data add {name} PATH"
        )
    if synthpie_size is not None:
        if name != SYNTHPIE:
            raise RecordError(f"--synthpie-size {synthpie_size}: {protocol.id} runs on {root}, not on SynthPIE")
        options = {**options, "size": synthpie_size}
    data = dataclasses.replace(protocol.data, dataset=name, options=options)
    return dataclasses.replace(protocol, data=data), open_dataset(name, root, **options)


def _default_embedder(protocol: Protocol) -> str:
    if protocol.data.dataset != SYNTHPIE:
        raise RecordError(f"{protocol.id} needs an embedder: --embedder SPEC; rr-models list shows what there is")
    return SYNTHPIE_EMBEDDER


def _features(features: Sequence[str], embedder: str | None, pre: Sequence[str]) -> dict[str, Path]:
    """Return the file of each preprocessor's features, the baseline's first; none where none are given."""
    found: dict[str, Path] = {}
    for text in features:
        name, equals, path = text.rpartition("=")
        name = name if equals else BASELINE
        if name in found:
            raise RecordError(f"--features {text}: those of {name} are {found[name]} already; write NAME=FILE")
        found[name] = Path(path)
    if found and (embedder is not None or pre):
        raise RecordError("--features takes the place of images: leave out --embedder and --pre, or leave it out")
    return dict(sorted(found.items(), key=lambda entry: entry[0] != BASELINE))


def _first_line(
    protocol: Protocol, dataset: Dataset, embedder: Embedder | None, pre: Sequence[str], settings: Settings
) -> str:
    against = f"none against {', '.join(pre)}" if pre else "none (the baseline)"
    degraded = f", faces degraded by {protocol.degradation.name}" if protocol.degradation else ""
    root = "" if is_computed(protocol.data.dataset) else str(dataset.root)
    where = "; ".join(text for text in (root, dataset.note) if text)
    if settings.device == "cpu":
        place = f"cpu, {os.cpu_count()} cores"
    else:
        place = f"{settings.device} ({torch.cuda.get_device_name(settings.device)})"
    recognizer = f"{embedder.card.name}: {embedder.card.words()}" if embedder else "given features"
    return (
        f"{protocol.id} on {where}{degraded} · {recognizer} · {against} · "
        f"{place}, batch {settings.batch}, {settings.workers or 'no'} decoding processes"
    )


def _workers(device: str, rendered: bool) -> int:
    """Return how many processes work ahead: none that only decode where the network itself runs on the cores."""
    cores = os.cpu_count() or 2
    if device == "cpu":
        return min(8, cores) if rendered else 0
    return min(8, max(1, cores if rendered else cores // 2))


def _slug(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", text)


def _seeded(protocol: Protocol, seed: int, fits: bool = False) -> Protocol:
    """Return the protocol with the seed of its degradation, or of what its data set draws; as it is for a fit alone."""
    if protocol.degradation is not None:
        return dataclasses.replace(protocol, degradation=dataclasses.replace(protocol.degradation, seed=seed))
    options = protocol.data.options
    if (
        protocol.data.dataset == "folder"
        or options.get("probes_per_person")
        or options.get("gallery_choice") == "drawn"
    ):
        options = {**options, "seed": seed}
        return dataclasses.replace(protocol, data=dataclasses.replace(protocol.data, options=options))
    if fits:
        return protocol
    raise RecordError(f"--seed {seed}: nothing in {protocol.id} is drawn at random")
