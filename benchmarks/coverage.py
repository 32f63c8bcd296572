"""How often 95 % intervals hold the truth: the bootstrap by subject, and the one over comparisons beside it.

    python benchmarks/coverage.py --out coverage.json
    python benchmarks/coverage.py --simulations 100 --only searches

Each simulation draws new people, faces and scores from a model whose true rates are known in closed form, before and
after a preprocessor that changes people by different amounts. What is covered is the difference of the rates. The
toolkit takes the normal interval for rates at a given threshold, and the percentiles where thresholds are derived again
(TAR at FAR).
"""

from __future__ import annotations

import copy
import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import click
import numpy as np
from numpy.typing import NDArray

from recog_restore.metrics.bootstrap import SubjectBootstrap
from recog_restore.metrics.bootstrap_curves import tar_at_far_draws
from recog_restore.metrics.statistics import normal_interval, percentile_interval
from recog_restore.metrics.verification import tar_at_far

FAR, THRESHOLD = 0.01, 2.0
GAIN = 0.2  # what the preprocessor adds to mated scores on the whole
NORMAL = NormalDist()
Array = NDArray[np.float64]
Statistic = Callable[["Simulated", SubjectBootstrap], Array]


@dataclass(frozen=True)
class Simulated:
    """One set of people: subjects of the comparisons, their scores before and after, the true difference."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    before: Array
    after: Array


def scores(first: NDArray[np.int64], second: NDArray[np.int64], generator: np.random.Generator) -> Simulated:
    """Return scores of variance 1: a quarter from each subject, half from the comparison; so is what a change adds."""
    subjects = int(max(first.max(), second.max())) + 1
    mated = first == second
    person, change = generator.standard_normal((2, subjects)) / 2
    own = np.where(mated, np.sqrt(2) * person[first], person[first] + person[second])
    moved = np.where(mated, np.sqrt(2) * change[first], change[first] + change[second])
    one, other = generator.standard_normal((2, len(first))) * np.sqrt(0.5)
    before = own + one + 2.5 * mated
    after = (
        0.8 * (own + 0.5 * one + np.sqrt(0.75) * other)
        + 0.6 * moved
        + 0.6 * np.sqrt(0.5) * generator.standard_normal(len(first))
    )
    return Simulated(first, second, before, after + (2.5 + GAIN) * mated)


def searches(generator: np.random.Generator) -> Simulated:
    """100 subjects, one to twenty searches each: a hit is a mated score above the threshold."""
    subject = np.repeat(np.arange(100), generator.integers(1, 21, 100))
    return scores(subject, subject, generator)


def cross(generator: np.random.Generator) -> Simulated:
    """60 subjects, each meeting every other once, and themselves five times."""
    a, b = np.triu_indices(60, 1)
    mated = np.repeat(np.arange(60), 5)
    return scores(np.concatenate([mated, a]), np.concatenate([mated, b]), generator)


def sparse(generator: np.random.Generator) -> Simulated:
    """400 subjects, three comparisons each with others and one with themselves: few meet often, as in LFW's list."""
    a = np.repeat(np.arange(400), 3)
    b = (a + generator.integers(1, 400, len(a))) % 400
    return scores(np.concatenate([np.arange(400), a]), np.concatenate([np.arange(400), b]), generator)


def hits(data: Simulated, bootstrap: SubjectBootstrap) -> Array:
    """Return the draws of the difference of the mated shares above the threshold."""
    return _shares(data, bootstrap, bootstrap.within)


def false_matches(data: Simulated, bootstrap: SubjectBootstrap) -> Array:
    """Return the draws of the difference of the non-mated shares above the threshold."""
    return _shares(data, bootstrap, ~bootstrap.within)


def _shares(data: Simulated, bootstrap: SubjectBootstrap, counted: NDArray[np.bool_]) -> Array:
    before, after = (counted & (s >= THRESHOLD) for s in (data.before, data.after))
    change = np.where(counted, after * 1.0 - before, 0.0)
    damping = bootstrap.damping(np.where(counted, change - change[counted].mean(), 0.0))
    return bootstrap.ratio(after, counted, damping) - bootstrap.ratio(before, counted, damping)


def tar(data: Simulated, bootstrap: SubjectBootstrap) -> Array:
    """Return the draws of the difference of TAR at FAR, each threshold derived again."""
    before, after = (false_accepts(bootstrap, s) for s in (data.before, data.after))
    damping = bootstrap.damping(after - before)
    return tar_at_far_draws(bootstrap, data.after, FAR, damping=damping) - tar_at_far_draws(
        bootstrap, data.before, FAR, damping=damping
    )


def false_accepts(bootstrap: SubjectBootstrap, scores: Array) -> Array:
    """Return the influence of each comparison on the FMR at the threshold of the FAR."""
    found = tar_at_far(scores[bootstrap.within], scores[~bootstrap.within], FAR)
    return np.where(bootstrap.within, 0.0, (scores >= found.threshold) - found.far_achieved)


HIT = NORMAL.cdf(2.5 + GAIN - THRESHOLD) - NORMAL.cdf(2.5 - THRESHOLD)
TAR = NORMAL.cdf(2.5 + GAIN + NORMAL.inv_cdf(FAR)) - NORMAL.cdf(2.5 + NORMAL.inv_cdf(FAR))
CASES: dict[str, tuple[Callable[[np.random.Generator], Simulated], Statistic, float]] = {
    "searches": (searches, hits, HIT),
    "mated, cross": (cross, hits, HIT),
    "non-mated, cross": (cross, false_matches, 0.0),
    "non-mated, sparse": (sparse, false_matches, 0.0),
    "TAR at FAR, cross": (cross, tar, TAR),
    "TAR at FAR, sparse": (sparse, tar, TAR),
}


def intervals(data: Simulated, statistic: Statistic, draws: int, seed: int) -> dict[str, tuple[float, float]]:
    """Return the interval of every method."""
    bootstrap = SubjectBootstrap(data.first, data.second, draws, seed)
    drawn, value = statistic(data, bootstrap), float(statistic(data, weighted(bootstrap, np.ones((1,))))[0])
    subjects = bootstrap.subjects
    low, high = percentile_interval(drawn, subjects)
    alone = statistic(data, weighted(bootstrap, 1.0 - np.eye(subjects)))
    around = normal_interval(value, float(drawn.std()), subjects)
    return {
        "percentile, by subject": (low, high),
        "basic, by subject": (2 * value - high, 2 * value - low),
        "normal, by subject": around,
        "BCa, by subject": accelerated(drawn, value, alone, (around[1] - value) / float(drawn.std())),
        "percentile, by comparison": percentile_interval(by_comparison(data, statistic, draws, seed), len(data.first)),
    }


def weighted(bootstrap: SubjectBootstrap, weights: Array) -> SubjectBootstrap:
    """Return the bootstrap with other weights of its subjects: ones give the value, leaving one out the jackknife."""
    other = copy.copy(bootstrap)
    other.weights = np.ascontiguousarray(np.broadcast_to(weights, (bootstrap.subjects, weights.shape[-1])))
    other._totals = {}
    return other


def accelerated(drawn: Array, value: float, alone: Array, reach: float) -> tuple[float, float]:
    """Return the BCa interval; the acceleration is the jackknife's, by subject (Efron 1987)."""
    share = np.clip(np.mean(drawn < value) + np.mean(drawn == value) / 2, 1e-3, 1 - 1e-3)
    bias, apart = NORMAL.inv_cdf(float(share)), alone.mean() - alone
    pull = float((apart**3).sum() / (6 * (apart**2).sum() ** 1.5)) if apart.any() else 0.0
    ends = (bias + z for z in (-reach, reach))
    low, high = np.quantile(drawn, [NORMAL.cdf(bias + end / (1 - pull * end)) for end in ends])
    return float(low), float(high)


def by_comparison(data: Simulated, statistic: Statistic, draws: int, seed: int) -> Array:
    """Return the draws of a bootstrap that takes comparisons for independent: each is its own pair of subjects."""
    own = np.arange(len(data.first))
    mated = data.first == data.second
    lone = SubjectBootstrap(own, np.where(mated, own, own + len(own)), draws, seed)
    generator = np.random.default_rng(seed)
    for kind in (mated, ~mated):
        rows, count = np.flatnonzero(kind), int(kind.sum())
        drawn = [
            np.bincount(generator.integers(count, size=count), minlength=count) for _ in range(draws if count else 0)
        ]
        if drawn:
            lone.weights[lone.first[rows]] = np.transpose(drawn)
    lone.weights[lone.second[~mated]] = 1.0
    lone.damping = lambda influence: 1.0  # type: ignore[method-assign]
    return statistic(data, lone)


@click.command()
@click.option("--simulations", default=1000, show_default=True)
@click.option("--draws", default=500, show_default=True)
@click.option("--only", type=click.Choice(list(CASES)))
@click.option("--out", type=click.Path(path_type=Path))
def main(simulations: int, draws: int, only: str | None, out: Path | None) -> None:
    found = {}
    for name, (people, statistic, truth) in CASES.items():
        if only in (None, name):
            began = time.perf_counter()
            found[name] = {"true_difference": truth, **covered(people, statistic, truth, simulations, draws)}
            click.echo(f"{name} ({time.perf_counter() - began:.0f} s): " + json.dumps(found[name]))
    if out is not None:
        machine = {"platform": platform.platform(), "numpy": np.__version__}
        settings = {"simulations": simulations, "draws": draws}
        out.write_text(json.dumps({"settings": settings, "machine": machine, "cases": found}, indent=1) + "\n")


def covered(
    people: Callable[[np.random.Generator], Simulated], statistic: Statistic, truth: float, simulations: int, draws: int
) -> dict[str, dict[str, float]]:
    """Return, of every method, the share of the simulations whose interval holds the truth, and the mean width."""
    kept: dict[str, list[tuple[float, float]]] = {}
    for seed in range(simulations):
        data = people(np.random.default_rng([seed, 1]))
        for method, interval in intervals(data, statistic, draws, seed).items():
            kept.setdefault(method, []).append(interval)
    return {
        method: {
            "coverage": float(np.mean([low <= truth <= high for low, high in ends])),
            "width": float(np.mean([high - low for low, high in ends])),
        }
        for method, ends in kept.items()
    }


if __name__ == "__main__":
    main()
