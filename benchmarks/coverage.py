"""How often the 95 % intervals of a result hold the truth, and how often a verdict is wrong.

    python benchmarks/coverage.py --out benchmarks/results/coverage.json
    python benchmarks/coverage.py --simulations 100 --only searches

Each simulation draws new people and scores from a known model, before and after a preprocessor that changes people by
different amounts, and asks the engine for what a result would hold: the differences with their verdicts, and the
values. The truth is exactly 0 without an effect, else what
1,000,000 independent comparisons (or searches) of the same model give.
"""

from __future__ import annotations

import dataclasses
import json
import math
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest import mock

import click
import numpy as np
from numpy.typing import NDArray

from recog_restore.engine.differences import bootstrap, differences, with_intervals
from recog_restore.engine.kept import Kept
from recog_restore.engine.measures import Measure, baseline_threshold, measures
from recog_restore.errors import UndefinedMetric
from recog_restore.metrics import MISS
from recog_restore.results import NO_DIFFERENCE, Value

PEOPLE, TRUTH = 40, 500_000
GAIN = 0.4  # what a preprocessor with an effect adds to mated scores, whose standard deviation is 1
VERIFICATION = ("accuracy", "eer", "auc", "tar@far=1e-2", "fnmr@baseline")
SEARCHES = ("rank1",)
OPEN_SET = ("rank1", "fnir@fpir=1e-1", "fnir@fpir=1e-2")
NAMES = BEFORE, AFTER = "none", "after"
Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
Pipeline = Callable[[Array, Array, Array], Array]


@dataclass(frozen=True)
class Case:
    """What is compared, at which mean mated score, and what stands around the preprocessor."""

    people: Callable[[np.random.Generator], tuple[Numbers, Numbers, Numbers]]
    metrics: tuple[str, ...] = VERIFICATION
    mean: float = 2.5
    alike: float = 0.8  # correlation of scores before and after
    pipeline: Pipeline = lambda before, after, quality: after
    independent: bool = False  # whether searches are analysed as if each had its own subject
    lead: float = 2.0  # the score that a mate needs to stand first
    share: float = 1.0  # of the simulations


def folds(generator: np.random.Generator, people: int, pairs: int) -> tuple[Numbers, Numbers, Numbers]:
    """Return ten folds of so many people each, with so many mated comparisons and as many others."""
    apart = people * np.arange(10)[:, None]
    mated, other = generator.integers(people, size=(2, 10, pairs))
    beside = (other + generator.integers(1, people, (10, pairs))) % people
    first = np.append((mated + apart).ravel(), (other + apart).ravel())
    second = np.append((mated + apart).ravel(), (beside + apart).ravel())
    fold = np.tile(np.repeat(np.arange(10), pairs), 2)
    _, number = np.unique(np.append(first, second), return_inverse=True)
    first, second = np.split(number, 2)
    return first, second, fold


def cross(generator: np.random.Generator) -> tuple[Numbers, Numbers, Numbers]:
    """Return every pair of 50 people once, and each of them with themselves five times."""
    a, b = np.triu_indices(50, 1)
    mated = np.repeat(np.arange(50), 5)
    return np.append(mated, a), np.append(mated, b), np.zeros(250 + len(a), np.int64)


def searches(generator: np.random.Generator, people: int = 100) -> tuple[Numbers, Numbers, Numbers]:
    """Return one to twenty searches for each of some people."""
    subject = np.repeat(np.arange(people), generator.integers(1, 21, people))
    return subject, subject, np.zeros(len(subject), np.int64)


def gated(before: Array, after: Array, quality: Array) -> Array:
    """Return the scores where nine of ten comparisons pass as they are."""
    return np.where(quality < 0.1, after, before)


def fused(before: Array, after: Array, quality: Array) -> Array:
    """Return the mean of both scores."""
    return (before + after) / 2


LFW = partial(folds, people=430, pairs=300)
FEW = partial(folds, people=15, pairs=60)
SOME = partial(folds, people=PEOPLE, pairs=60)
CASES = {
    "10 folds of 15 people": Case(FEW, share=0.25),
    "10 folds of 40 people": Case(SOME, share=0.25),
    "10 folds of 40 people, scores hardly change": Case(SOME, alike=0.98, share=0.25),
    "10 folds of 430 people": Case(LFW, share=0.15),
    "10 folds of 40 people, gate": Case(SOME, pipeline=gated, share=0.25),
    "10 folds of 40 people, fusion": Case(SOME, pipeline=fused, share=0.25),
    "full cross of 50 people": Case(cross, VERIFICATION[1:], share=0.5),
    "searches": Case(searches, SEARCHES),
    "searches, taken as independent": Case(searches, SEARCHES, independent=True),
    "searches, 2 % missed": Case(searches, SEARCHES, mean=4.05),
    "searches, gate": Case(searches, SEARCHES, pipeline=gated),
    "searches, fusion": Case(searches, SEARCHES, pipeline=fused),
    "open set": Case(partial(searches, people=200), OPEN_SET, lead=1.0, share=0.5),
}


def simulated(case: Case, gain: float, generator: np.random.Generator, truth: bool = False) -> Kept:
    """Return one run of a case: a quarter of a score's variance comes from each subject, half from the comparison.

    Args:
        case: see there.
        gain: what is added to the mated scores.
        generator: of people and scores.
        truth: whether to return very many comparisons of people who meet once.
    """
    if truth:
        first = np.arange(2 * TRUTH)
        second = np.where(first < TRUTH, first, first + 2 * TRUTH)
        fold = first % 10
        if case.metrics[0].startswith("rank"):
            second = first
    else:
        first, second, fold = case.people(generator)
    size, search = len(first), case.metrics[0].startswith("rank")
    mates = first % 2 == 0 if case.metrics == OPEN_SET else np.ones(size, bool)
    mated = (first == second) & mates
    before, after = scores(first, second, mated, case, gain, generator)
    quality = generator.uniform(size=size)
    both = {BEFORE: before, AFTER: case.pipeline(before, after, quality)}
    impostors = {name: np.where(mates, -np.inf, found) for name, found in both.items()}
    return Kept(
        kind="identification" if search else "verification",
        protocol="drawn@1",
        fingerprint="d" * 64,
        failure="iso",
        metrics=case.metrics,
        compat=(),
        preprocessors=NAMES,
        first=np.arange(size) if case.independent else first,
        second=np.arange(size) if case.independent else second,
        subjects_known=True,
        fold=fold,
        baseline_fmr=1e-2,
        mates=mates if search else None,
        counted={name: np.ones(size, bool) for name in NAMES},
        scores={name: np.where(mates, found, -np.inf) for name, found in both.items()},
        impostor_scores=impostors if search else {},
        ranks={name: np.where(mates & (found > case.lead), 1, MISS) for name, found in both.items()} if search else {},
    )


def scores(
    first: Numbers, second: Numbers, mated: NDArray[np.bool_], case: Case, gain: float, generator: np.random.Generator
) -> tuple[Array, Array]:
    """Return scores of variance 1 before and after; so is what the change adds to them."""
    same = first == second
    person, change = generator.standard_normal((2, int(max(first.max(), second.max())) + 1)) / 2
    own, moved = (np.where(same, math.sqrt(2) * of[first], of[first] + of[second]) for of in (person, change))
    one, other = generator.standard_normal((2, len(first))) * math.sqrt(0.5)
    before = own + one
    after = case.alike * before + math.sqrt(1 - case.alike**2) * (moved + other)
    return before + case.mean * mated, after + (case.mean + gain) * mated


class Truth:
    """The true values of a case, and of rates at the baseline's threshold those at the one that was found."""

    def __init__(self, case: Case, gain: float) -> None:
        kept = simulated(case, gain, np.random.default_rng(0), truth=True)
        with mock.patch("recog_restore.engine.measures.MOST_WEIGHED", 2 * TRUTH):
            self.values = {name: {m.metric: m.value for m in whole(kept, name)} for name in NAMES}
        self.sorted = {(n, kind): np.sort(kept.scores[n][kept.mated == kind]) for n in NAMES for kind in (True, False)}
        self.changes = gain > 0

    def value(self, metric: str, name: str, threshold: float) -> float:
        """Return the true value of a metric, in a run that found this threshold."""
        if not metric.endswith("@baseline"):
            return self.values[name][metric]
        scores = self.sorted[name, metric.startswith("fnmr")]
        below = np.searchsorted(scores, threshold) / len(scores)
        return float(below if metric.startswith("fnmr") else 1 - below)

    def difference(self, metric: str, threshold: float) -> float:
        """Return the true difference, exactly 0 without an effect."""
        after, before = (self.value(metric, name, threshold) for name in (AFTER, BEFORE))
        return after - before if self.changes else 0.0


def whole(kept: Kept, name: str) -> Iterator[Measure]:
    """Yield the metrics over all of the data."""
    return (m for m in measures(kept, name, baseline_threshold(kept)) if not m.where)


def covered(case: Case, gain: float, simulations: int, draws: int) -> dict[str, dict[str, float]]:
    """Return by metric the coverage of differences and of values, their mean widths in points, and false verdicts."""
    truth = Truth(case, gain)
    held: dict[str, list[tuple[float, ...]]] = {}
    for seed in range(max(2, round(case.share * simulations))):
        kept = simulated(case, gain, np.random.default_rng([seed, 1]))
        drawn, threshold = bootstrap(kept, draws), baseline_threshold(kept)
        alone = dataclasses.replace(kept, preprocessors=NAMES[:1])
        asked = [Value(m.metric, BEFORE, m.value, m.n) for m in whole(kept, BEFORE)]
        values = {v.metric: v.interval or (math.nan, math.nan) for v in with_intervals(asked, alone, drawn)}
        for d in differences((kept, BEFORE), (kept, AFTER), drawn):
            found, single = d.interval or (math.nan, math.nan), values[d.metric]
            change, value = truth.difference(d.metric, threshold), truth.value(d.metric, BEFORE, threshold)
            wrong = d.verdict != NO_DIFFERENCE and (not change or (d.difference > 0) != (change > 0))
            held.setdefault(d.metric, []).append(
                (
                    found[0] <= change <= found[1],
                    found[1] - found[0],
                    single[0] <= value <= single[1],
                    single[1] - single[0],
                    d.verdict != NO_DIFFERENCE,
                    wrong,
                    change,
                )
            )
    report = {}
    for metric, rows in held.items():
        mean = np.nanmean(rows, axis=0)
        report[metric] = {
            "simulations": len(rows),
            "true_difference": 100 * mean[6],
            "difference_coverage": mean[0],
            "difference_width": 100 * mean[1],
            "standard_error_of_coverage": math.sqrt(0.95 * 0.05 / len(rows)),
            "value_coverage": mean[2],
            "value_width": 100 * mean[3],
            "verdicts": mean[4],
            "wrong_verdicts": mean[5],
        }
    return {m: {key: round(float(number), 4) for key, number in row.items()} for m, row in report.items()}


@click.command()
@click.option("--simulations", default=600, show_default=True)
@click.option("--draws", default=200, show_default=True)
@click.option("--only", type=click.Choice(list(CASES)), multiple=True)
@click.option("--out", type=click.Path(path_type=Path))
def main(simulations: int, draws: int, only: tuple[str, ...], out: Path | None) -> None:
    warnings.simplefilter("ignore", UndefinedMetric)
    found, began = {}, time.perf_counter()
    for name, case in CASES.items():
        for effect, gain in (("no effect", 0.0), ("effect", GAIN)):
            # The mean of two scores is less noisy than either: it always has an effect.
            if name in (only or CASES) and (gain or case.pipeline is not fused):
                started = time.perf_counter()
                found[f"{name}, {effect}"] = row = covered(case, gain, simulations, draws)
                click.echo(f"{name}, {effect} ({time.perf_counter() - started:.0f} s)")
                for metric, numbers in row.items():
                    click.echo(f"  {metric:16} " + " ".join(f"{key} {number}" for key, number in numbers.items()))
    if out is not None:
        record = {
            "settings": {"simulations": simulations, "draws": draws},
            "machine": {"platform": platform.platform(), "numpy": np.__version__},
            "seconds": round(time.perf_counter() - began),
            "cases": found,
        }
        out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
