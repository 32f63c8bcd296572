"""How sure the numbers of a run are, and what a preprocessor changes about them.

Everything is computed from what a run keeps (``kept``), so that it is the same for two preprocessors of one run and for
those of two runs, and can be computed later.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ResultError
from ..metrics.bootstrap import DRAWS, Array, SubjectBootstrap
from ..metrics.intervals import CLOPPER_PEARSON, clopper_pearson_of_rate
from ..metrics.mcnemar import mcnemar, mcnemar_by_subject
from ..metrics.statistics import (
    holm,
    normal_interval,
    normal_p,
    percentile_interval,
    smallest_detectable,
    square_and_add,
    verdict,
)
from ..results import UNKNOWN_LABEL, Difference, Value
from .kept import Kept
from .measures import GALLERY, Bools, Measure, baseline_threshold, measures

SUBJECT_BOOTSTRAP = "subject bootstrap"
NORMAL_BOOTSTRAP = "subject bootstrap, normal"
BY_SUBJECT = f"{CLOPPER_PEARSON}, by subject"
IDENTICAL = "identical scores"
UNKNOWN = ", subjects unknown"

# Subjects (or pairs of them) with an error, or with a change, below which there is too little to draw from.
FEW = 10

_SEED = 0
_NO_INTERVAL = (math.nan, math.nan)


def bootstrap(kept: Kept, draws: int = DRAWS) -> SubjectBootstrap:
    """Return the draws of a run's subjects: the same ones for every run of the same comparisons."""
    return SubjectBootstrap(kept.first, kept.second, draws, _SEED)


def with_intervals(values: Iterable[Value], kept: Kept, draws: SubjectBootstrap) -> list[Value]:
    """Return the values with their 95 % intervals and methods, where one can be given.

    Searches and comparisons of one person go together, so the interval is the bootstrap's by subject. Where few went
    wrong it is Clopper and Pearson's for the number of independent trials that they are worth; where no two searches
    are for one subject, Clopper and Pearson's as it stands.
    """
    threshold, found = baseline_threshold(kept), {}
    for preprocessor in kept.preprocessors:
        means: dict[tuple[str, str], list[Array]] = defaultdict(list)
        for measure in measures(kept, preprocessor, threshold):
            drawn, interval, method = _interval(measure, draws)
            found[_key(measure.metric, preprocessor, measure.where)] = interval, method + unknown(kept)
            for column in _averaged(measure.where):
                means[measure.metric, column].append(drawn)
        for (metric, column), parts in means.items():
            key = _key(f"{metric}_macro", preprocessor, {"over": column})
            found[key] = _percentiles_of_some(_mean(parts), draws), SUBJECT_BOOTSTRAP + unknown(kept)
    return [
        dataclasses.replace(value, interval=known[0], method=known[1])
        if (known := found.get(_key(value.metric, value.preprocessor, value.where))) and value.value is not None
        else value
        for value in values
    ]


def differences(
    before: tuple[Kept, str], after: tuple[Kept, str], draws: SubjectBootstrap | None = None
) -> list[Difference]:
    """Return what changed from one preprocessor to another, of one run or of two, metric by metric and part by part.

    The threshold of ``fnmr@baseline`` is that of the run in which ``before`` stands. Where failed faces are excluded,
    only the comparisons that both have are subtracted. p-values are corrected over the
    parts of one breakdown (Holm), not over metrics.

    Args:
        before, after: a run and the name of its preprocessor each; the baseline's is ``none``.
        draws: ``bootstrap(before[0])``, where it is at hand.

    Raises:
        ResultError: the runs did not make the same comparisons, or have no such preprocessor.
    """
    (old, against), (new, name) = before, after
    _comparable(old, new)
    for kept, wanted in (before, after):
        if wanted not in kept.preprocessors:
            raise ResultError(
                f"the run has no preprocessor {wanted!r}; it has {', '.join(map(repr, kept.preprocessors))}"
            )
    draws = draws or bootstrap(old)
    threshold, same = baseline_threshold(old), _identical(old, against, new, name)
    both = old.counted[against] & new.counted[name]
    old, new = _counting(old, against, both), _counting(new, name, both)
    baseline = {_key(m.metric, "", m.where): m for m in measures(old, against, threshold)}
    changes: list[_Change] = []
    means: dict[tuple[str, str], list[tuple[_Change, Array]]] = defaultdict(list)
    for measure in measures(new, name, threshold):
        other = baseline.get(_key(measure.metric, "", measure.where))
        if other is None or "fold" in measure.where:
            continue
        change, drawn = _change(other, measure, draws, same)
        changes.append(change)
        for column in _averaged(measure.where):
            means[measure.metric, column].append((change, drawn))
    if old.kind == "identification":
        changes += [_macro(metric, column, parts, draws, same) for (metric, column), parts in means.items()]
    return _records(changes, name, against, unknown(old))


def _averaged(where: Mapping[str, str]) -> list[str]:
    """Return the breakdowns in whose mean over parts a part counts."""
    return [column for column, part in where.items() if column != GALLERY and part != UNKNOWN_LABEL]


@dataclass(frozen=True)
class _Change:
    """A difference before its p-value is corrected; ``spread`` is its standard error, ``trials`` what it rests on."""

    metric: str
    where: dict[str, str]
    value: float
    n: int
    spread: float
    interval: tuple[float, float]
    method: str
    p: float
    test: str
    fixed: int | None = None
    broken: int | None = None
    lower_is_better: bool = False
    trials: int = 0
    given: bool = True


def _interval(measure: Measure, draws: SubjectBootstrap) -> tuple[Array, tuple[float, float], str]:
    drawn = measure.draws(draws, draws.damping(measure.influence))
    if measure.hit is None:
        return drawn, _percentiles_of_some(drawn, draws), SUBJECT_BOOTSTRAP
    wrong, hit = measure.counted & ~measure.hit, measure.counted & measure.hit
    if measure.given and draws.within[measure.counted].all() and _people(draws, measure.counted) == measure.n:
        return drawn, clopper_pearson_of_rate(measure.value, measure.n), CLOPPER_PEARSON
    if min(_people(draws, wrong), _people(draws, hit)) < FEW:
        worth = draws.worth(measure.hit, measure.counted)
        return drawn, clopper_pearson_of_rate(measure.value, worth), BY_SUBJECT
    return drawn, percentiles(drawn, draws), SUBJECT_BOOTSTRAP


def _change(before: Measure, after: Measure, draws: SubjectBootstrap, same: bool) -> tuple[_Change, Array]:
    """Return the difference of a metric, and in every draw."""
    damping = draws.damping(after.influence - before.influence)
    drawn = after.draws(draws, damping) - before.draws(draws, damping)
    value, spread = after.value - before.value, _spread(drawn)
    found = _Change(
        after.metric,
        after.where,
        value,
        after.n,
        spread,
        *_around(value, drawn, draws, before.given),
        normal_p(value, spread),
        "normal, subject bootstrap",
        lower_is_better=after.lower_is_better,
        trials=after.n,
        given=before.given,
    )
    if before.right is not None and after.right is not None:
        rights = before.right, after.right
        found = _decided(found, rights, before.counted & after.counted, draws, before.given)
    if same:
        found = dataclasses.replace(found, interval=(0.0, 0.0), method=IDENTICAL, p=1.0, test=IDENTICAL)
    return found, drawn


def _decided(
    found: _Change, right: tuple[Bools, Bools], counted: Bools, draws: SubjectBootstrap, given: bool
) -> _Change:
    """Return the difference with what is known of its decisions: which became right, which wrong.

    The p-value is McNemar's, by subject, where the decisions are about one subject each and the threshold is given.
    Else it is the larger of McNemar's and the bootstrap's: the one knows how few changed, the other that comparisons
    share people and that thresholds are estimated.
    """
    fixed, broken = counted & ~right[0] & right[1], counted & right[0] & ~right[1]
    by_subject = bool(draws.within[counted].all())
    if by_subject:
        gains, losses = (np.bincount(draws.first[rows], minlength=draws.subjects) for rows in (fixed, broken))
        p, test = mcnemar_by_subject(gains - losses).mid, "mcnemar mid-p, by subject"
    else:
        p, test = mcnemar(int(fixed.sum()), int(broken.sum())).mid, "mcnemar mid-p"
    if not (by_subject and given) and found.p > p:
        p, test = found.p, found.test
    found = dataclasses.replace(found, p=p, test=test, fixed=int(fixed.sum()), broken=int(broken.sum()))
    if _people(draws, fixed | broken) >= FEW or not counted.any():
        return found
    gained, lost = (broken, fixed) if found.lower_is_better else (fixed, broken)
    rates = [float(np.mean(rows[counted])) for rows in (gained, lost)]
    ends = [
        clopper_pearson_of_rate(rate, draws.worth(rows, counted))
        for rate, rows in zip(rates, (gained, lost), strict=True)
    ]
    return dataclasses.replace(found, interval=square_and_add(rates[0], ends[0], rates[1], ends[1]), method=BY_SUBJECT)


def _macro(
    metric: str, column: str, parts: Sequence[tuple[_Change, Array]], draws: SubjectBootstrap, same: bool
) -> _Change:
    """Return the difference of the means over the parts of a breakdown."""
    drawn = _mean([drawn for _, drawn in parts])
    value, spread = float(np.mean([change.value for change, _ in parts])), _spread(drawn)
    interval, method = _around(value, drawn, draws, all(change.given for change, _ in parts))
    p, test = normal_p(value, spread), "normal, subject bootstrap"
    turned = [(change.fixed, change.broken) for change, _ in parts]
    if all(fixed is not None and broken is not None for fixed, broken in turned):
        few = mcnemar(*(sum(column) for column in zip(*turned, strict=True))).mid
        p, test = max((p, test), (few, "mcnemar mid-p"))
    if same:
        interval, method, p, test = (0.0, 0.0), IDENTICAL, 1.0, IDENTICAL
    trials = sum(change.trials for change, _ in parts)
    where = {"over": column}
    return _Change(f"{metric}_macro", where, value, len(parts), spread, interval, method, p, test, trials=trials)


def _records(changes: Sequence[_Change], name: str, against: str, doubt: str) -> list[Difference]:
    """Return the differences with their p-values corrected over the parts of each breakdown."""
    families: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, change in enumerate(changes):
        families[change.metric, *change.where].append(i)
    found: dict[int, Difference] = {}
    for family in families.values():
        corrected = holm([changes[i].p for i in family])
        for i, p in zip(family, corrected.tolist(), strict=True):
            change = changes[i]
            found[i] = Difference(
                metric=change.metric,
                preprocessor=name,
                against=against,
                difference=change.value,
                n=change.n,
                where=change.where,
                interval=change.interval,
                method=change.method + doubt,
                p=change.p,
                p_holm=p,
                test=change.test,
                fixed=change.fixed,
                broken=change.broken,
                smallest_detectable=smallest_detectable(change.spread, change.trials, len(family)),
                verdict=verdict(change.value, change.interval, p, change.lower_is_better),
            )
    return [found[i] for i in range(len(changes))]


def _people(draws: SubjectBootstrap, rows: Bools) -> int:
    """Return how many subjects, or pairs of them, some comparisons are about."""
    return len(np.unique(draws.first[rows] * draws.subjects + draws.second[rows]))


def _mean(parts: Sequence[Array]) -> Array:
    """Return the mean of the parts in every draw, over those that the draw has."""
    stacked = np.stack(parts)
    there = np.isfinite(stacked)
    mean = np.full(stacked.shape[1], np.nan)
    np.divide(np.where(there, stacked, 0.0).sum(axis=0), there.sum(axis=0), out=mean, where=there.any(axis=0))
    return mean


def percentiles(drawn: Array, draws: SubjectBootstrap) -> tuple[float, float]:
    """Return the 95 % interval of what was measured in every draw; NaN where one person is no sample of people."""
    usable = drawn[np.isfinite(drawn)]
    return percentile_interval(usable, draws.subjects) if len(usable) and draws.subjects > 1 else _NO_INTERVAL


def _around(value: float, drawn: Array, draws: SubjectBootstrap, given: bool) -> tuple[tuple[float, float], str]:
    """Return the interval of a difference, and its method: by percentiles where thresholds were estimated.

    Where every draw gives the same, the draws know nothing.
    """
    spread = _spread(drawn)
    if not (given and spread > 0 and draws.subjects > 1):
        return _percentiles_of_some(drawn, draws), SUBJECT_BOOTSTRAP
    low, high = normal_interval(value, spread, draws.subjects)
    return (max(-1.0, low), min(1.0, high)), NORMAL_BOOTSTRAP


def _percentiles_of_some(drawn: Array, draws: SubjectBootstrap) -> tuple[float, float]:
    return percentiles(drawn, draws) if _spread(drawn) else _NO_INTERVAL


def _spread(drawn: Array) -> float:
    usable = drawn[np.isfinite(drawn)]
    return float(usable.std()) if len(usable) else math.nan


def _identical(old: Kept, against: str, new: Kept, name: str) -> bool:
    kinds = ("counted", "scores", "impostor_scores", "ranks")
    sides = ((getattr(old, kind), getattr(new, kind)) for kind in kinds)
    return all(np.array_equal(a[against], b[name]) for a, b in sides if a)


def _counting(kept: Kept, name: str, counted: Bools) -> Kept:
    return dataclasses.replace(kept, counted={**kept.counted, name: counted})


def _comparable(old: Kept, new: Kept) -> None:
    for what, mine, other in (
        ("protocol", old.protocol, new.protocol),
        ("data", old.fingerprint[:12], new.fingerprint[:12]),
        ("rule for failed faces", old.failure, new.failure),
        ("set of definitions (--compat)", list(old.compat), list(new.compat)),
    ):
        if mine != other:
            raise ResultError(
                f"the runs have another {what}: {mine} and {other}; only runs of the same comparisons can be subtracted"
            )
    if not np.array_equal(old.first, new.first) or not np.array_equal(old.second, new.second):
        raise ResultError("the runs did not make the same comparisons; was one of them limited?")


def _key(metric: str, preprocessor: str, where: Mapping[str, str]) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return metric, preprocessor, tuple(sorted(where.items()))


def unknown(kept: Kept) -> str:
    """Return what a method must add where the data set names nobody."""
    return "" if kept.subjects_known else UNKNOWN
