"""What a run will do, checked before it computes: lists against the protocol's counts, files against the lists."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..datasets import Dataset, Pairs, Samples, Split
from ..datasets.base import select_folds, spans
from ..errors import DataError
from ..geometry import face_size
from ..protocol import Protocol
from .acquire import Jobs

TEMPLATE, MEDIA = "template", "media"  # columns of the samples that are no labels
SIZE = "size"
SIZE_BINS = (0, 8, 12, 16, 24, 32, 48, 64, 96)  # pixels between the eyes
MOST_LABELS = 12  # numbers of more values are cut into bins


@dataclass(frozen=True)
class Plan:
    """A protocol on one data set.

    Attributes:
        samples: the images that are needed.
        jobs: the faces that are embedded.
        touched: so many of the first jobs are for the preprocessors to see; the others stay as they are.
        first, second: (N,) jobs of each comparison; empty for identification.
        mated, fold: (N,) whether the subject is the same, and the fold, from 0.
        gallery, probes: jobs; empty for verification.
        gallery_template, probe_template: the number of each of those jobs' template, from 0.
        partial: why not all of the protocol was run, or "".
    """

    protocol: Protocol
    samples: Samples
    jobs: Jobs
    touched: int
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    mated: NDArray[np.bool_]
    fold: NDArray[np.int64]
    gallery: NDArray[np.int64]
    probes: NDArray[np.int64]
    gallery_template: NDArray[np.int64]
    probe_template: NDArray[np.int64]
    partial: str

    @property
    def templates(self) -> bool:
        """Whether samples are pooled into templates; otherwise each sample is its own."""
        return TEMPLATE in self.samples.table

    def column(self, name: str, jobs: NDArray[np.int64]) -> NDArray[np.object_]:
        """Return what stands in a column of the samples for each of those jobs."""
        return self.samples.table[name].to_numpy(dtype=object)[self.jobs.row[jobs]]


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
    samples, partial = dataset.samples(), []
    none = np.empty(0, np.int64)
    pairs, split = Pairs(none, none, none.astype(bool), none), Split(none, none)
    if protocol.kind == "verification":
        pairs = dataset.pairs()
        _expect(protocol, dataset, _verification_counts(pairs))
        samples, pairs = select_folds(samples, pairs, protocol.data.folds)
        if protocol.data.folds:
            partial.append(f"folds {', '.join(map(str, protocol.data.folds))} only")
        if limit is not None and limit < len(pairs.mated):
            partial.append(f"{limit:,} of {len(pairs.mated):,} comparisons")
            pairs = _limited(pairs, limit)
    else:
        split = dataset.split()
        of_gallery, of_probes = (_templates(dataset, samples, rows) for rows in (split.gallery, split.probes))
        _expect(protocol, dataset, {"gallery": len(firsts(of_gallery)), "probes": len(firsts(of_probes))})
        _closed_set(dataset, samples, split)
        searches = len(firsts(of_probes))
        if limit is not None and limit < searches:
            partial.append(f"{limit:,} of {searches:,} searches")
            kept = np.isin(of_probes, _spread(np.arange(searches), limit))
            split = dataclasses.replace(split, probes=split.probes[kept])
    plan = _plan(protocol, dataset, samples, pairs, split, "; ".join(partial))
    if not allow_missing:
        _present(plan, dataset)
    return plan


def label_columns(samples: Samples) -> list[str]:
    """Return the columns by which results can be broken down; ``size`` is known where landmarks are."""
    columns = [str(c) for c in samples.table.columns if c not in ("sample", "subject", TEMPLATE, MEDIA)]
    return columns + ([SIZE] if samples.landmarks is not None and SIZE not in columns else [])


def labels(plan: Plan, column: str) -> NDArray[np.object_]:
    """Return the label of each comparison (or search) in a column of the samples.

    Numbers of many values are cut at their quartiles. A comparison has the label that its two faces share, or both;
    its ``size`` is the ``geometry.face_size`` of the smaller face. A template has the label that its samples share, or
    ``several``.
    """
    if column == SIZE and column not in plan.samples.table and plan.samples.landmarks is not None:
        size = face_size(plan.samples.landmarks)[plan.jobs.row]
        smaller = np.fmin(size[plan.first], size[plan.second])
        label = _binned(pd.Series(smaller if len(smaller) else size[plan.probes]), SIZE_BINS, "px")
        return _of_templates(label, plan.probe_template) if len(plan.probes) else label
    values = plan.samples.table[column]
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > MOST_LABELS:
        label = _binned(values, np.unique(values.quantile([0, 0.25, 0.5, 0.75, 1]))[:-1], "")
    else:
        label = values.astype(object).where(values.notna(), "unknown").astype(str).to_numpy(dtype=object)
    label = label[plan.jobs.row]
    if len(plan.probes):
        return _of_templates(label[plan.probes], plan.probe_template)
    pairs = zip(label[plan.first].tolist(), label[plan.second].tolist(), strict=True)
    return np.array([a if a == b else " / ".join(sorted((a, b))) for a, b in pairs], dtype=object)


def _of_templates(label: NDArray[np.object_], template: NDArray[np.int64]) -> NDArray[np.object_]:
    shared = label[firsts(template)]
    shared[np.unique(template[label != shared[template]])] = "several"
    return shared


def _binned(values: pd.Series, starts: Sequence[float] | NDArray[np.floating], unit: str) -> NDArray[np.object_]:
    names = [f"{a:g}–{b:g} {unit}".strip() for a, b in itertools.pairwise(starts)] + [
        f"≥ {starts[-1]:g} {unit}".strip()
    ]
    place = np.searchsorted(starts, values.to_numpy(dtype=float), side="right") - 1
    return np.where(values.isna(), "unknown", np.array(names, dtype=object)[place])


def fingerprint(digests: list[str], plan: Plan) -> str:
    """Return a SHA-256 of image contents, landmarks and lists: what the numbers of a run rest on."""
    whole = hashlib.sha256()
    for name, digest in zip(plan.samples.table["sample"], digests, strict=True):
        whole.update(f"{name}\0{digest}\n".encode())
    arrays: list[NDArray[Any]] = [plan.first, plan.second, plan.mated, plan.fold, plan.gallery, plan.probes]
    arrays += [plan.jobs.row, plan.jobs.degraded]
    if plan.samples.landmarks is not None:
        arrays.append(plan.samples.landmarks)
    if plan.templates:
        arrays += [plan.gallery_template, plan.probe_template]
    for array in arrays:
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()


def _verification_counts(pairs: Pairs) -> dict[str, int]:
    return {
        "comparisons": len(pairs.mated),
        "mated": int(pairs.mated.sum()),
        "folds": len(np.unique(pairs.fold)),
    }


def _expect(protocol: Protocol, dataset: Dataset, found: dict[str, int]) -> None:
    for what, count in found.items():
        expected = getattr(protocol.data.expect, what)
        if expected and expected != count:
            raise DataError(
                f"{protocol.id} expects {expected:,} {what}, but the lists in {dataset.root} have {count:,}; "
                f"is a line missing or the wrong list there? rr-data check {protocol.data.dataset} says more"
            )


def _closed_set(dataset: Dataset, samples: Samples, split: Split) -> None:
    subject = samples.table["subject"].to_numpy(dtype=object)
    stray = sorted(set(subject[split.probes]) - set(subject[split.gallery]))
    if not len(split.probes) or not len(split.gallery):
        raise DataError(
            f"{dataset.root}: {len(split.gallery)} gallery images and {len(split.probes)} probes; both are needed"
        )
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
    name = table[TEMPLATE].astype(object).where(table[TEMPLATE].notna(), "").astype(str)
    if (name == "").any():
        sample = table["sample"][name == ""].iloc[0]
        raise DataError(f"{dataset.root}: sample {sample!r} has no template; where some samples have one, all need it")
    several = table["subject"].groupby(name).nunique()
    if (several > 1).any():
        raise DataError(f"{dataset.root}: template {several.index[several > 1][0]!r} has samples of several subjects")
    return pd.factorize(name)[0].astype(np.int64)


def _present(plan: Plan, dataset: Dataset) -> None:
    gone = plan.samples.missing()
    if not gone:
        return
    way_out = "--allow-missing scores them as failures to acquire"
    if plan.protocol.kind == "verification":
        there = ~plan.samples.table["sample"].isin(gone).to_numpy()[plan.jobs.row]
        broken = plan.fold[~(there[plan.first] & there[plan.second])]
        whole = sorted(set((plan.fold + 1).tolist()) - set((broken + 1).tolist()))
        if whole:
            way_out += f"; --folds {spans(whole)} takes those folds that are complete"
    raise DataError(
        f"{len(gone):,} of the {len(plan.samples):,} images that are listed are not in {dataset.root}, {gone[0]!r} for "
        f"one; {way_out}"
    )


def _limited(pairs: Pairs, limit: int) -> Pairs:
    order = np.lexsort((pairs.mated, pairs.fold))
    kept = np.sort(_spread(order, limit))
    return Pairs(pairs.first[kept], pairs.second[kept], pairs.mated[kept], pairs.fold[kept])


def _spread(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]


def _plan(protocol: Protocol, dataset: Dataset, samples: Samples, pairs: Pairs, split: Split, partial: str) -> Plan:
    """Number the faces to embed; the samples that none needs are left out.

    A sample that is needed clean and degraded is two faces, and so is one that is needed preprocessed and untouched.
    """
    degradation, count = protocol.degradation, len(samples)
    enrolled = np.concatenate([pairs.first, split.gallery])
    searched = np.concatenate([pairs.second, split.probes])
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
        job.astype(np.int64), np.cumsum([len(pairs.first), len(split.gallery), len(pairs.second)])
    )
    return Plan(
        protocol=protocol,
        samples=samples.take(rows),
        jobs=Jobs(row.astype(np.int64), (codes % 2).astype(bool)),
        touched=int((codes < 2 * count).sum()),
        first=first,
        second=second,
        mated=pairs.mated,
        fold=pairs.fold,
        gallery=gallery,
        probes=probes,
        gallery_template=_templates(dataset, samples, split.gallery),
        probe_template=_templates(dataset, samples, split.probes),
        partial=partial,
    )
