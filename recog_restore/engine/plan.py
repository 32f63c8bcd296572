"""What a run will do, checked before it computes: lists against the protocol's counts, files against the lists."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..datasets import Dataset, Pairs, Samples, Split, TemplatePairs
from ..datasets.base import MEDIA, TEMPLATE, select_folds, spans
from ..datasets.mark import AS_WRITTEN, read_mark
from ..errors import DataError
from ..protocol import Protocol
from ..results import UNKNOWN_LABEL
from .acquire import Jobs
from .binning import YAW, binned

MOST_LABELS = 12  # numbers of more values are cut into bins
_NONE = np.empty(0, np.int64)
P = TypeVar("P", Pairs, TemplatePairs)


@dataclass(frozen=True)
class Plan:
    """A protocol on one data set.

    Attributes:
        samples: the images that are needed.
        jobs: the faces that are embedded.
        touched: so many of the first jobs are for the preprocessors to see; the others stay as they are.
        first, second: (N,) jobs of each comparison; of templates, a number of ``gallery_template`` and one of
            ``probe_template``; empty for identification.
        mated, fold: (N,) whether the subject is the same, and the fold, from 0.
        gallery, probes: jobs that are enrolled, and that are searched for or verified; empty for a verification of
            samples.
        gallery_template, probe_template: the number of each of those jobs' template, from 0.
        galleries: by name, which of those templates are enrolled together, and which are searched for in them; a
            single one is named ""; none for a verification.
        partial: why not all of the protocol was run, or "".
        measured: (J,) by name, what was measured of each job's face and results are broken down by.
    """

    protocol: Protocol
    samples: Samples
    jobs: Jobs
    touched: int
    first: NDArray[np.integer]
    second: NDArray[np.integer]
    mated: NDArray[np.bool_]
    fold: NDArray[np.integer]
    gallery: NDArray[np.int64]
    probes: NDArray[np.int64]
    gallery_template: NDArray[np.int64]
    probe_template: NDArray[np.int64]
    galleries: Mapping[str, Split]
    partial: str
    measured: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def templates(self) -> bool:
        """Whether samples are pooled into templates; otherwise each sample is its own."""
        return TEMPLATE in self.samples.table and len(self.gallery) > 0

    def column(self, name: str, jobs: NDArray[np.int64]) -> NDArray[np.object_]:
        """Return what stands in a column of the samples for each of those jobs."""
        found: NDArray[np.object_] = self.samples.table[name].to_numpy(dtype=object)[self.jobs.row[jobs]]
        return found


def firsts(template: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (T,) where each template first occurs."""
    return np.unique(template, return_index=True)[1].astype(np.int64)


def make(protocol: Protocol, dataset: Dataset, *, limit: int | None, allow_missing: bool) -> Plan:
    """Return the plan of a protocol on a data set.

    Args:
        limit: at most so many comparisons (or searches), spread evenly over folds and classes.
        allow_missing: score listed images that are not there as failures to acquire, instead of stopping.

    Raises:
        DataError: the lists are not what the protocol expects, or images they name are missing.
    """
    lists = _Lists(dataset, dataset.samples())
    if protocol.kind == "identification":
        _searches(protocol, lists, limit)
    elif protocol.templates is not None:
        _template_comparisons(protocol, lists, limit)
    else:
        _comparisons(protocol, lists, limit)
    plan = _plan(protocol, lists)
    if not allow_missing:
        _present(plan, dataset)
    return plan


@dataclass
class _Lists:
    """What of a data set a plan is made of: rows of the samples, and numbers of templates."""

    dataset: Dataset
    samples: Samples
    pairs: Pairs | TemplatePairs = field(default_factory=lambda: Pairs(_NONE, _NONE, _NONE.astype(bool), _NONE))
    gallery: NDArray[np.int64] = field(default_factory=lambda: _NONE)
    probes: NDArray[np.int64] = field(default_factory=lambda: _NONE)
    gallery_template: NDArray[np.int64] = field(default_factory=lambda: _NONE)
    probe_template: NDArray[np.int64] = field(default_factory=lambda: _NONE)
    galleries: dict[str, Split] = field(default_factory=dict)
    partial: list[str] = field(default_factory=list)


def _comparisons(protocol: Protocol, lists: _Lists, limit: int | None) -> None:
    pairs = lists.dataset.pairs()
    _expect(protocol, lists.dataset, _verification_counts(pairs))
    lists.samples, pairs = select_folds(lists.samples, pairs, protocol.data.folds)
    if protocol.data.folds:
        lists.partial.append(f"folds {', '.join(map(str, protocol.data.folds))} only")
    lists.pairs = _limited(pairs, limit, lists.partial)


def _template_comparisons(protocol: Protocol, lists: _Lists, limit: int | None) -> None:
    """Number the templates that are compared; those on either side apart, as only one side may be preprocessed."""
    if TEMPLATE not in lists.samples.table:
        raise DataError(f"{lists.dataset.root}: this data set has no templates; remove [templates] from {protocol.id}")
    listed = lists.dataset.template_pairs()
    _expect(protocol, lists.dataset, _verification_counts(listed))
    if protocol.data.folds:
        raise DataError(f"{lists.dataset.root}: comparisons of templates have no folds; leave out --folds")
    pairs = _limited(listed, limit, lists.partial)
    _, template = lists.samples.templates()
    sides = []
    for side in (pairs.first, pairs.second):
        used = np.zeros(int(template.max(initial=-1)) + 1, bool)
        used[side] = True
        number = np.cumsum(used) - 1
        rows = np.flatnonzero(used[template])
        sides.append((rows, number[template[rows]], number[side].astype(np.int32)))
    (lists.gallery, lists.gallery_template, first), (lists.probes, lists.probe_template, second) = sides
    lists.pairs = TemplatePairs(first, second, pairs.mated, pairs.fold)


def _searches(protocol: Protocol, lists: _Lists, limit: int | None) -> None:
    dataset, samples = lists.dataset, lists.samples
    splits = dataset.galleries()
    lists.gallery, lists.probes = (
        pd.unique(np.concatenate(rows))
        for rows in zip(*((split.gallery, split.probes) for split in splits.values()), strict=True)
    )
    lists.gallery_template, lists.probe_template = (
        _templates(dataset, samples, rows) for rows in (lists.gallery, lists.probes)
    )
    searches = len(firsts(lists.probe_template))
    _expect(protocol, dataset, {"gallery": len(firsts(lists.gallery_template)), "probes": searches})
    for split in splits.values():
        _both_sides(dataset, split)
        if not protocol.open_set and len(splits) == 1:
            _closed_set(dataset, samples, split)
    if limit is not None and limit < searches:
        lists.partial.append(f"{limit:,} of {searches:,} searches")
        kept = np.isin(lists.probe_template, _spread(np.arange(searches), limit))
        lists.probes, left = lists.probes[kept], lists.probe_template[kept]
        lists.probe_template = pd.factorize(left)[0].astype(np.int64)
    for name, split in splits.items():
        lists.galleries[name] = Split(
            np.unique(lists.gallery_template[np.isin(lists.gallery, split.gallery)]),
            np.unique(lists.probe_template[np.isin(lists.probes, split.probes)]),
        )


def label_columns(samples: Samples) -> list[str]:
    """Return the columns by which results can be broken down."""
    return [str(c) for c in samples.table.columns if c not in ("sample", "subject", TEMPLATE, MEDIA)]


def labels(plan: Plan, column: str) -> NDArray[np.object_]:
    """Return the label of each comparison (or search) in a column of the samples, or by what was measured.

    Numbers of many values are cut into bins. A comparison has the label that its two faces share, or both, and
    ``unknown`` where that of one of them is; of what was measured, it has that of its smaller or worse face, or of the
    one that is turned further. A template has the label that its samples share, or ``several``.
    """
    if column in plan.measured:
        measured = plan.measured[column]
        if not len(plan.probes):
            worse = np.fmax if column == YAW else np.fmin
            return binned(worse(measured[plan.first], measured[plan.second]), column)
        return _of_sides(plan, binned(measured, column))
    return _of_sides(plan, _listed(plan.samples.table[column])[plan.jobs.row])


def _listed(values: pd.Series) -> NDArray[np.object_]:
    """Return the label of each sample as the data set has it; an empty one is unknown."""
    if not pd.api.types.is_numeric_dtype(values):
        text = values.astype(object).where(values.notna(), "").astype(str).str.strip()
        return text.where(text != "", UNKNOWN_LABEL).to_numpy(dtype=object)
    if values.nunique() > MOST_LABELS:
        return binned(values.to_numpy(float), str(values.name))
    return values.map("{:.12g}".format).where(values.notna(), UNKNOWN_LABEL).to_numpy(dtype=object)


def _of_sides(plan: Plan, label: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the label of each search or comparison from that of each job."""
    if not len(plan.probes):
        return _of_pairs(label, label, plan.first, plan.second)
    searched = _of_templates(label[plan.probes], plan.probe_template)
    if plan.protocol.kind == "identification":
        return searched
    return _of_pairs(_of_templates(label[plan.gallery], plan.gallery_template), searched, plan.first, plan.second)


def _of_pairs(
    one: NDArray[np.object_], other: NDArray[np.object_], first: NDArray[np.integer], second: NDArray[np.integer]
) -> NDArray[np.object_]:
    names, code = np.unique(np.concatenate([one, other]).astype(str), return_inverse=True)
    both = [[_of_pair(a, b) for b in names.tolist()] for a in names.tolist()]
    found: NDArray[np.object_] = np.array(both, dtype=object)[code[: len(one)][first], code[len(one) :][second]]
    return found


def _of_pair(one: str, other: str) -> str:
    if UNKNOWN_LABEL in (one, other):
        return UNKNOWN_LABEL
    return one if one == other else " / ".join(sorted((one, other)))


def _of_templates(label: NDArray[np.object_], template: NDArray[np.int64]) -> NDArray[np.object_]:
    shared = label[firsts(template)]
    shared[np.unique(template[label != shared[template]])] = "several"
    return shared


def fingerprint(digests: list[str], plan: Plan) -> str:
    """Return a SHA-256 of image contents, landmarks and lists: what the numbers of a run rest on."""
    whole = hashlib.sha256()
    for name, digest in zip(plan.samples.table["sample"], digests, strict=True):
        whole.update(f"{name}\0{digest}\n".encode())
    arrays: list[NDArray[Any]] = [plan.first, plan.second, plan.mated, plan.fold, plan.gallery, plan.probes]
    arrays += [plan.jobs.row, plan.jobs.degraded]
    if len(plan.galleries) > 1:
        arrays += [numbers for split in plan.galleries.values() for numbers in (split.gallery, split.probes)]
    if plan.samples.landmarks is not None:
        arrays.append(plan.samples.landmarks)
    if plan.templates:
        arrays += [plan.gallery_template, plan.probe_template]
    for array in arrays:
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()


def _verification_counts(pairs: Pairs | TemplatePairs) -> dict[str, int]:
    return {
        "comparisons": len(pairs.mated),
        "mated": int(pairs.mated.sum()),
        "folds": int(pairs.fold.max(initial=-1)) + 1
        if isinstance(pairs, TemplatePairs)
        else len(np.unique(pairs.fold)),
    }


def _expect(protocol: Protocol, dataset: Dataset, found: dict[str, int]) -> None:
    if read_mark(dataset.root) is not None:  # a mimic has counts of its own, and says so wherever a number stands
        _as_written(dataset)
        return
    for what, count in found.items():
        expected = getattr(protocol.data.expect, what)
        if expected and expected != count:
            raise DataError(
                f"{protocol.id} expects {expected:,} {what}, but the lists in {dataset.root} have {count:,}; "
                f"is a line missing or the wrong list there? rr-data check {protocol.data.dataset} says more"
            )


def _as_written(dataset: Dataset) -> None:
    """Raise DataError where the lists of a mimic are not those that were written; files may be missing."""
    of_files = [f"{what}{AS_WRITTEN}" for what in ("images", "subjects", "people")]
    for finding in dataset.check():
        if not finding.ok and finding.what.endswith(AS_WRITTEN) and finding.what not in of_files:
            raise DataError(
                f"{dataset.root}: {finding.what}: expected {finding.expected}, found {finding.found}; "
                "is a list cut short?"
            )


def _both_sides(dataset: Dataset, split: Split) -> None:
    if not len(split.probes) or not len(split.gallery):
        raise DataError(
            f"{dataset.root}: {len(split.gallery)} gallery images and {len(split.probes)} probes; both are needed"
        )


def _closed_set(dataset: Dataset, samples: Samples, split: Split) -> None:
    subject = samples.table["subject"].to_numpy(dtype=object)
    stray = sorted(set(subject[split.probes]) - set(subject[split.gallery]))
    if stray:
        raise DataError(
            f"{dataset.root}: {len(stray)} subjects are searched for but not enrolled, {stray[0]!r} for one; "
            "closed-set identification needs a gallery image of every probe's subject"
        )


def _templates(dataset: Dataset, samples: Samples, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of each row's template, from 0 in the order in which they come."""
    if TEMPLATE not in samples.table:
        return np.arange(len(rows))
    table = samples.table.iloc[rows]
    name = table[TEMPLATE]
    if not pd.api.types.is_integer_dtype(name):
        name = name.astype(object).where(name.notna(), "").astype(str)
    if (name == "").any():
        sample = table["sample"][name == ""].iloc[0]
        raise DataError(f"{dataset.root}: sample {sample!r} has no template; where some samples have one, all need it")
    several = table["subject"].groupby(name).nunique()
    if (several > 1).any():
        raise DataError(
            f"{dataset.root}: template {str(several.index[several > 1][0])!r} has samples of several subjects"
        )
    return pd.factorize(name)[0].astype(np.int64)


def _present(plan: Plan, dataset: Dataset) -> None:
    gone = plan.samples.missing()
    if not gone:
        return
    way_out = "--allow-missing scores them as failures to acquire"
    if plan.protocol.kind == "verification" and not plan.templates:
        there = ~plan.samples.table["sample"].isin(gone).to_numpy()[plan.jobs.row]
        broken = plan.fold[~(there[plan.first] & there[plan.second])]
        whole = sorted(set((plan.fold + 1).tolist()) - set((broken + 1).tolist()))
        if whole:
            way_out += f"; --folds {spans(whole)} takes those folds that are complete"
    raise DataError(
        f"{len(gone):,} of the {len(plan.samples):,} images that are listed are not in {dataset.root}, {gone[0]!r} for "
        f"one; {way_out}"
    )


def _limited(pairs: P, limit: int | None, partial: list[str]) -> P:
    if limit is None or limit >= len(pairs.mated):
        return pairs
    partial.append(f"{limit:,} of {len(pairs.mated):,} comparisons")
    order = np.lexsort((pairs.mated, pairs.fold))
    kept = np.sort(_spread(order, limit))
    return type(pairs)(pairs.first[kept], pairs.second[kept], pairs.mated[kept], pairs.fold[kept])


def _spread(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]


def _plan(protocol: Protocol, lists: _Lists) -> Plan:
    """Number the faces to embed; the samples that none needs are left out.

    A sample that is needed clean and degraded is two faces, and so is one that is needed preprocessed and untouched.
    """
    degradation, count, pairs = protocol.degradation, len(lists.samples), lists.pairs
    ones, others = (pairs.first, pairs.second) if isinstance(pairs, Pairs) else (_NONE, _NONE)
    enrolled, searched = np.concatenate([ones, lists.gallery]), np.concatenate([others, lists.probes])
    degraded = np.concatenate(
        [
            np.full(len(enrolled), bool(degradation and degradation.apply == "all")),
            np.full(len(searched), bool(degradation)),
        ]
    )
    untouched = np.repeat([protocol.preprocess == "probes", False], [len(enrolled), len(searched)])
    codes, job = np.unique(
        2 * (count * untouched + np.concatenate([enrolled, searched])) + degraded, return_inverse=True
    )
    rows, row = np.unique(codes // 2 % max(1, count), return_inverse=True)
    first, gallery, second, probes = np.split(
        job.astype(np.int64),
        np.cumsum([len(ones), len(lists.gallery), len(others)]),
    )
    return Plan(
        protocol=protocol,
        samples=lists.samples.take(rows),
        jobs=Jobs(row.astype(np.int64), (codes % 2).astype(bool)),
        touched=int((codes < 2 * count).sum()),
        first=first if isinstance(pairs, Pairs) else pairs.first,
        second=second if isinstance(pairs, Pairs) else pairs.second,
        mated=pairs.mated,
        fold=pairs.fold,
        gallery=gallery,
        probes=probes,
        gallery_template=lists.gallery_template,
        probe_template=lists.probe_template,
        galleries=lists.galleries,
        partial="; ".join(lists.partial),
    )
