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
from ..metrics.statistics import (
    holm,
    normal_interval,
    normal_p,
    percentile_interval,
    rate_interval,
    smallest_detectable,
    verdict,
    with_two_more,
)
from ..results import UNKNOWN_LABEL, Difference, Value
from .kept import Kept
from .measures import GALLERY, Bools, Measure, baseline_threshold, measures

SUBJECT_BOOTSTRAP = "subject bootstrap"
NORMAL_BOOTSTRAP = "subject bootstrap, normal"
TWO_MORE = f"{NORMAL_BOOTSTRAP}, two changes added"
BY_SUBJECT = f"{CLOPPER_PEARSON}, by subject"
IDENTICAL = "identical scores"
UNKNOWN = ", subjects unknown"

_METHODS = {False: NORMAL_BOOTSTRAP, True: TWO_MORE}

_SEED = 0
_NO_INTERVAL = (math.nan, math.nan)


def bootstrap(kept: Kept, draws: int = DRAWS) -> SubjectBootstrap:
    """Return the draws of a run's subjects: the same ones for every run of the same comparisons."""
    return SubjectBootstrap(kept.first, kept.second, draws, _SEED)


def with_intervals(values: Iterable[Value], kept: Kept, draws: SubjectBootstrap) -> list[Value]:
    """Return the values with their 95 % intervals and methods, where one can be given.

    Searches and comparisons of one person go together, so the interval is Clopper and Pearson's for the number of
    independent trials that have the standard error of the bootstrap by subject. Where no two searches are for one
    subject, it is Clopper and Pearson's as it stands; where nothing went wrong, that for the number of subjects.
    """
    threshold, found = baseline_threshold(kept), {}
    for preprocessor in kept.preprocessors:
        means: dict[tuple[str, str], list[tuple[Measure, Array]]] = defaultdict(list)
        for measure in measures(kept, preprocessor, threshold):
            drawn, interval, method = _interval(measure, draws)
            found[_key(measure.metric, preprocessor, measure.where)] = interval, method + unknown(kept)
            for column in _averaged(measure.where):
                means[measure.metric, column].append((measure, drawn))
        for (metric, column), parts in means.items():
            key = _key(f"{metric}_macro", preprocessor, {"over": column})
            value, trials = float(np.mean([part.value for part, _ in parts])), sum(part.n for part, _ in parts)
            interval = _of_rate(value, _mean([drawn for _, drawn in parts]), trials, draws)
            found[key] = interval, BY_SUBJECT + unknown(kept)
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
    only the comparisons that both have are subtracted.

    Args:
        before, after: a run and the name of its preprocessor each; the baseline's is ``none``.
        draws: ``bootstrap(before[0])``, where it is at hand.

    Raises:
        ResultError: the runs did not make the same comparisons, or have no such preprocessor.
    """
    return all_differences([(before, after)], draws)


def all_differences(
    pairs: Sequence[tuple[tuple[Kept, str], tuple[Kept, str]]], draws: SubjectBootstrap | None = None
) -> list[Difference]:
    """Return the ``differences`` of several pairs, with p-values corrected over the pairs too (Holm).

    The tests of one metric over all of the data are a family, and so are those over the parts of one breakdown.

    Args:
        pairs: of what is compared; the comparisons are the same ones in all of them.
        draws, Raises: as of ``differences``.
    """
    draws = draws or (bootstrap(pairs[0][0][0]) if pairs else None)
    changes = [change for before, after in pairs for change in _changes(before, after, draws)] if draws else []
    return _records(changes)


def _changes(before: tuple[Kept, str], after: tuple[Kept, str], draws: SubjectBootstrap) -> list[_Change]:
    (old, against), (new, name) = before, after
    _comparable(old, new)
    for kept, wanted in (before, after):
        if wanted not in kept.preprocessors:
            raise ResultError(
                f"the run has no preprocessor {wanted!r}; it has {', '.join(map(repr, kept.preprocessors))}"
            )
    threshold, same = baseline_threshold(old), _identical(old, against, new, name)
    both = old.counted[against] & new.counted[name]
    old, new = _counting(old, against, both), _counting(new, name, both)
    baseline = {_key(m.metric, "", m.where): m for m in measures(old, against, threshold)}
    pair = _Pair(name, against, draws, same, unknown(old))
    changes: list[_Change] = []
    means: dict[tuple[str, str], list[_Change]] = defaultdict(list)
    for measure in measures(new, name, threshold):
        other = baseline.get(_key(measure.metric, "", measure.where))
        if other is None or "fold" in measure.where:
            continue
        change = _change(other, measure, pair)
        changes.append(change)
        for column in _averaged(measure.where):
            means[measure.metric, column].append(change)
    if old.kind == "identification":
        changes += [_macro(metric, column, parts) for (metric, column), parts in means.items()]
    return changes


def _averaged(where: Mapping[str, str]) -> list[str]:
    """Return the breakdowns in whose mean over parts a part counts."""
    return [column for column, part in where.items() if column != GALLERY and part != UNKNOWN_LABEL]


@dataclass(frozen=True)
class _Pair:
    """What is compared with what; ``same`` where no score moved, ``doubt`` is what a method must add."""

    name: str
    against: str
    draws: SubjectBootstrap
    same: bool
    doubt: str


@dataclass(frozen=True, eq=False)
class _Change:
    """A difference, in every draw too; ``together`` of its trials change at once, None where nothing is decided."""

    pair: _Pair
    metric: str
    where: dict[str, str]
    value: float
    n: int
    drawn: Array
    trials: int
    weight: float
    together: float | None = None
    fixed: int | None = None
    broken: int | None = None
    lower_is_better: bool = False

    @property
    def around(self) -> tuple[float, float]:
        """The centre of its interval, and its standard error."""
        spread = _spread(self.drawn)
        if self.together is None:
            return self.value, spread
        return with_two_more(self.value, spread, self.trials, self.together, self.weight)


def _interval(measure: Measure, draws: SubjectBootstrap) -> tuple[Array, tuple[float, float], str]:
    drawn = measure.draws(draws, draws.damping(measure.influence))
    if measure.given and measure.hit is not None and _alone(draws, measure.counted):
        return drawn, clopper_pearson_of_rate(measure.value, measure.n), CLOPPER_PEARSON
    if not _spread(drawn) > 0 and measure.hit is not None and draws.subjects > 1:
        worth = draws.worth(measure.hit, measure.counted)
        return drawn, clopper_pearson_of_rate(measure.value, worth), BY_SUBJECT
    return drawn, _of_rate(measure.value, drawn, measure.n, draws), BY_SUBJECT


def _of_rate(value: float, drawn: Array, n: int, draws: SubjectBootstrap) -> tuple[float, float]:
    """Return the interval of a rate; NaN where every draw gives the same, or one person is no sample of people."""
    spread = _spread(drawn)
    return rate_interval(value, spread, n, draws.subjects) if spread > 0 and draws.subjects > 1 else _NO_INTERVAL


def _alone(draws: SubjectBootstrap, counted: Bools) -> bool:
    """Return whether no two of some comparisons are about one subject, and each is about one."""
    return bool(draws.within[counted].all()) and len(np.unique(draws.first[counted])) == np.count_nonzero(counted)


def _change(before: Measure, after: Measure, pair: _Pair) -> _Change:
    """Return the difference of a metric, with what is known of its decisions: which became right, and which wrong."""
    draws = pair.draws
    damping = draws.damping(after.influence - before.influence)
    found = _Change(
        pair,
        after.metric,
        after.where,
        after.value - before.value,
        after.n,
        after.draws(draws, damping) - before.draws(draws, damping),
        trials=after.n,
        weight=1 / after.n,
        lower_is_better=after.lower_is_better,
    )
    if before.right is None or after.right is None:
        return found
    counted = before.counted & after.counted
    return dataclasses.replace(
        found,
        together=draws.together(before.right, after.right, counted),
        fixed=int((counted & ~before.right & after.right).sum()),
        broken=int((counted & before.right & ~after.right).sum()),
    )


def _macro(metric: str, column: str, parts: Sequence[_Change]) -> _Change:
    """Return the difference of the means over the parts of a breakdown."""
    trials = sum(change.trials for change in parts)
    known = [change.together for change in parts if change.together is not None]
    return _Change(
        parts[0].pair,
        f"{metric}_macro",
        {"over": column},
        float(np.mean([change.value for change in parts])),
        len(parts),
        _mean([change.drawn for change in parts]),
        trials,
        # Root mean square over the trials: one of a part of n has the weight 1 / n in the mean over the parts.
        weight=math.sqrt(sum(1 / change.trials for change in parts) / trials) / len(parts),
        together=max(known) if len(known) == len(parts) else None,
        lower_is_better=parts[0].lower_is_better,
    )


def _records(changes: Sequence[_Change]) -> list[Difference]:
    """Return the differences with their p-values corrected over each family of tests."""
    families: dict[tuple[str, ...], list[_Change]] = defaultdict(list)
    for change in changes:
        families[change.metric, *change.where].append(change)
    corrected, correction = {}, {}
    for key, family in families.items():
        corrected[key] = iter(holm([_p(change) for change in family]).tolist())
        correction[key] = _correction(family)
    found = []
    for change in changes:
        key = (change.metric, *change.where)
        pair, p = change.pair, next(corrected[key])
        method = IDENTICAL if pair.same else _METHODS[change.together is not None] + pair.doubt
        found.append(
            Difference(
                metric=change.metric,
                preprocessor=pair.name,
                against=pair.against,
                difference=change.value,
                n=change.n,
                where=change.where,
                interval=(0.0, 0.0) if pair.same else _around(change),
                method=method,
                p=_p(change),
                p_holm=p,
                correction=correction[key],
                test=method,
                fixed=change.fixed,
                broken=change.broken,
                smallest_detectable=smallest_detectable(
                    change.around[1],
                    change.trials / (change.together or 1.0),
                    pair.draws.subjects,
                    len(families[key]),
                ),
                verdict=verdict(change.value, p, change.lower_is_better),
            )
        )
    return found


def _correction(family: Sequence[_Change]) -> str:
    """Return over what the p-values of a family are corrected, in words; empty for a single test."""
    preprocessors = len({(change.pair.name, change.pair.against) for change in family})
    parts = len({tuple(change.where.items()) for change in family})
    words = [f"{n} {noun}" for n, noun in ((preprocessors, "preprocessors"), (parts, "parts")) if n > 1]
    return " and ".join(words)


def _p(change: _Change) -> float:
    return 1.0 if change.pair.same else normal_p(*change.around, change.pair.draws.subjects)


def _around(change: _Change) -> tuple[float, float]:
    """Return the 95 % interval of a difference; NaN where every draw gives the same: then they know nothing."""
    centre, spread = change.around
    if not (spread > 0 and change.pair.draws.subjects > 1):
        return _NO_INTERVAL
    low, high = normal_interval(centre, spread, change.pair.draws.subjects)
    return max(-1.0, low), min(1.0, high)


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
