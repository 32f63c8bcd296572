"""From the embeddings of preprocessors to those of pipelines, and, where one is to be fitted, to a gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..embed import Embedder
from ..errors import DataError, RecordError
from ..preprocess import Gate, Preprocessor, quality
from ..preprocess.gate import MEASURES
from ..preprocess.learned import LearnedGate
from ..results import BASELINE
from ..store import Store
from .acquire import Acquisition
from .benefit import benefit
from .embeddings import Embeddings, Settings
from .facts import Floats, drift, facts
from .fit_gate import LEARNED_FROM, describe, fit_gate
from .part import Part, halves
from .pipelines import Applied, Fusion, apply, measures, pipelines
from .plan import Plan
from .progress import Progress


@dataclass(frozen=True)
class Piping:
    """What is put around every preprocessor.

    Attributes:
        gates: each of them is one pipeline per preprocessor; None touches every face. Empty: no gate.
        fusions: likewise. Empty: ``replace``.
        fit: the file that a gate is to be fitted for and written to; then only its test part is evaluated.
        seed: of what a fit draws.
    """

    gates: tuple[Gate | None, ...] = ()
    fusions: tuple[Fusion, ...] = ()
    fit: Path | None = None
    seed: int = 0

    def check(self, preprocessors: Sequence[Preprocessor], embedder: Embedder | None) -> None:
        """Check, before anything is computed, what can be known then; the baseline is the first preprocessor.

        Raises:
            RecordError: there is no preprocessor to gate or to fuse, or no face for a gate to look at; a gate is for
                another preprocessor or embedder; or a gate is to be fitted and there is not one preprocessor, or its
                file has no folder.
            UnknownName, WeightsError, ConventionError: a quality score cannot be had.
        """
        if len(preprocessors) == 1 and (self.gates or self.fusions):
            raise RecordError("--gate and --fuse are about what a preprocessor does; name one with --pre")
        given = pipelines(preprocessors, self.gates, self.fusions)
        if embedder is None:
            if self.gates or self.fit:
                raise RecordError(
                    "--features: there are no faces for a gate to look at; leave out --gate and --fit-gate"
                )
            return
        for pipeline in given:
            if pipeline.gate is not None:
                pipeline.gate.fits(pipeline.preprocessor, embedder.identity())
        for measure in measures(given):
            if measure not in MEASURES:
                quality.create(measure)
        if self.fit is None:
            return
        if len(preprocessors) != 2:
            named = ", ".join(p.card.name for p in preprocessors[1:]) or "none"
            raise RecordError(f"--fit-gate learns the gate of one preprocessor; expected one --pre, got {named}")
        if not self.fit.parent.is_dir():
            raise RecordError(f"--fit-gate {self.fit}: there is no folder {self.fit.parent}")


@dataclass(frozen=True, eq=False)
class Run:
    """A plan with its faces: where they come from, the SHA-256 of each sample, and embeddings by preprocessor."""

    plan: Plan
    acquisition: Acquisition
    digests: list[str]
    found: Mapping[str, Embeddings]

    def of(self, part: Part) -> Run:
        """Return the run of a part of the plan."""
        acquisition = self.acquisition.of(part.plan.samples, part.plan.jobs)
        found = {name: embeddings.take(part.jobs) for name, embeddings in self.found.items()}
        return Run(part.plan, acquisition, [self.digests[row] for row in part.samples.tolist()], found)


class Piped(NamedTuple):
    """What is evaluated, by which pipelines, what a fitted gate is in words, and what must be said of gates."""

    run: Run
    columns: list[Applied]
    fitted: str
    leaks: list[str]


def piped(
    run: Run,
    preprocessors: Sequence[Preprocessor],
    piping: Piping,
    embedder: Embedder | None,
    *,
    store: Store,
    settings: Settings,
    progress: Progress,
) -> Piped:
    """Return what is evaluated, and by which pipelines.

    Without a fit that is the whole run; with one it is the part that has none of the subjects the gate was fitted on.

    Raises:
        RecordError: a gate asks for what is known of no face, or cannot be written.
        DataError: there is too little to fit a gate on.
    """
    gates, words = piping.gates, ""
    given = pipelines(preprocessors, gates, piping.fusions)
    wanted = dict.fromkeys([*(LEARNED_FROM if piping.fit else ()), *measures(given)])
    known = facts(
        wanted, run.acquisition, run.digests, run.found[BASELINE], store=store, settings=settings, progress=progress
    )
    for measure in measures(given):
        if measure in known and not np.isfinite(known[measure]).any():
            raise RecordError(f"--gate: the {measure} of no face is known; give landmarks or a --detector")
    if piping.fit is not None and embedder is not None:
        run, known, gate = _fitted(run, known, preprocessors, piping, piping.fit, embedder)
        given = pipelines(preprocessors, dict.fromkeys([None, gate, *gates]), piping.fusions)
        words = describe(gate.learned)
    leaks = [text for gate in gates if isinstance(gate, LearnedGate) for text in _leak(gate, run.plan)]
    return Piped(run, [apply(pipeline, run.found, known, run.plan.touched) for pipeline in given], words, leaks)


def _fitted(
    run: Run,
    known: dict[str, Floats],
    preprocessors: Sequence[Preprocessor],
    piping: Piping,
    file: Path,
    embedder: Embedder,
) -> tuple[Run, dict[str, Floats], LearnedGate]:
    """Return the test part of a run with what is known of its faces, and the gate fitted on the other part."""
    preprocessor = preprocessors[1]
    try:
        dev, test = halves(run.plan, piping.seed)
    except ValueError as error:
        raise DataError(f"--fit-gate: {error}; a gate is fitted on some subjects and judged on others") from None
    mine = run.of(dev)
    raw, done = (mine.found[p.card.name] for p in preprocessors)
    seen = {**{name: values[dev.jobs] for name, values in known.items()}, "drift": drift(raw, done)}
    learned = fit_gate(
        benefit(mine.plan, raw, done),
        {name: seen[name] for name in LEARNED_FROM if np.isfinite(seen[name]).any()},
        preprocessor,
        embedder,
        sorted(_names(mine.plan)),
        run.plan.protocol.id,
        run.plan.protocol.data.dataset,
        piping.seed,
    )
    learned.write(file)
    gate = LearnedGate(f"learned:{file}", learned)
    return run.of(test), {name: values[test.jobs] for name, values in known.items()}, gate


def _leak(gate: LearnedGate, plan: Plan) -> list[str]:
    names = _names(plan)
    shared = gate.known(names)
    if not shared:
        return []
    return [
        f"{gate.name} was fitted on {shared:,} of the {len(names):,} subjects of this run: its numbers flatter it; "
        "evaluate it on others"
    ]


def _names(plan: Plan) -> set[str]:
    """Return the names of the subjects, or of the samples where the data set names nobody."""
    table = plan.samples.table
    return set(table["subject" if table["subject"].any() else "sample"].astype(str))
