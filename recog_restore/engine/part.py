"""A part of a plan: the comparisons or searches of some subjects, with the faces that these need."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..datasets import Split
from .acquire import Jobs
from .keep import compared_subjects
from .plan import Plan

# Of fewer than four folds, one half would be a single one, which accuracy over folds cannot be had from.
_FEWEST_FOLDS = 4

Rows = NDArray[np.int64]


class Part(NamedTuple):
    """A smaller plan, and which samples and which jobs of the whole one it has."""

    plan: Plan
    samples: Rows
    jobs: Rows


def halves(plan: Plan, seed: int) -> tuple[Part, Part]:
    """Return two parts of a plan that have no subject in common: half of the subjects each.

    Where no subject is in two folds, whole folds are drawn, and nothing is lost. Else subjects are drawn: comparisons
    between the two parts are in neither, and each part searches its own subjects among its own subjects.

    Raises:
        ValueError: there are fewer than two subjects or folds to draw from, or templates are compared.
    """
    if plan.templates and plan.protocol.kind == "verification":
        raise ValueError("comparisons of templates cannot be parted")
    generator = np.random.default_rng(seed)
    if len(plan.probes):
        searched, enrolled = (plan.column("subject", jobs).astype(str) for jobs in (plan.probes, plan.gallery))
        mine = _drawn(np.unique(np.concatenate([searched, enrolled])), generator)
        first, second = (
            _searches(plan, np.isin(searched, mine) == kind, np.isin(enrolled, mine) == kind, kind)
            for kind in (True, False)
        )
        return first, second
    a, b, _ = compared_subjects(plan)
    if len(folds := np.unique(plan.fold)) >= _FEWEST_FOLDS and _apart(a, b, plan.fold):
        chosen = np.isin(plan.fold, _drawn(folds, generator))
        return _comparisons(plan, chosen, True), _comparisons(plan, ~chosen, False)
    drawn = _drawn(np.unique(np.concatenate([a, b])), generator)
    left, right = np.isin(a, drawn), np.isin(b, drawn)
    return _comparisons(plan, left & right, True), _comparisons(plan, ~left & ~right, False)


def _drawn(names: NDArray[Any], generator: np.random.Generator) -> NDArray[Any]:
    if len(names) < 2:
        raise ValueError(f"{len(names)} subjects or folds cannot be parted")
    return generator.permutation(names)[: round(len(names) / 2)]


def _apart(a: Rows, b: Rows, fold: NDArray[np.integer]) -> bool:
    """Return whether every subject is in one fold only."""
    pairs = np.unique(np.stack([np.concatenate([a, b]), np.concatenate([fold, fold])]), axis=1)
    return len(np.unique(pairs[0])) == int(pairs.shape[1])


def _comparisons(plan: Plan, chosen: NDArray[np.bool_], dev: bool) -> Part:
    jobs = np.unique(np.concatenate([plan.first[chosen], plan.second[chosen]]))
    smaller = dataclasses.replace(
        plan,
        first=np.searchsorted(jobs, plan.first[chosen]),
        second=np.searchsorted(jobs, plan.second[chosen]),
        mated=plan.mated[chosen],
        fold=plan.fold[chosen],
    )
    return _with_jobs(smaller, jobs, f"{_WORDS[dev]}: {int(chosen.sum()):,} of {len(chosen):,} comparisons")


def _searches(plan: Plan, searched: NDArray[np.bool_], enrolled: NDArray[np.bool_], dev: bool) -> Part:
    """Return a part with some probes and some gallery samples; templates are of one subject, and stay whole."""
    jobs = np.unique(np.concatenate([plan.gallery[enrolled], plan.probes[searched]]))
    (old_gallery, of_gallery), (old_probes, of_probes) = (
        np.unique(template[rows], return_inverse=True)
        for template, rows in ((plan.gallery_template, enrolled), (plan.probe_template, searched))
    )
    smaller = dataclasses.replace(
        plan,
        gallery=np.searchsorted(jobs, plan.gallery[enrolled]),
        probes=np.searchsorted(jobs, plan.probes[searched]),
        gallery_template=of_gallery.astype(np.int64),
        probe_template=of_probes.astype(np.int64),
        galleries={
            name: Split(
                np.flatnonzero(np.isin(old_gallery, split.gallery)), np.flatnonzero(np.isin(old_probes, split.probes))
            )
            for name, split in plan.galleries.items()
        },
    )
    count, total = len(old_probes), len(np.unique(plan.probe_template))
    return _with_jobs(smaller, jobs, f"{_WORDS[dev]}: {count:,} of {total:,} searches")


_WORDS = {True: "the subjects that the gate was fitted on", False: "subjects that the gate was not fitted on"}


def _with_jobs(plan: Plan, jobs: Rows, partial: str) -> Part:
    rows, row = np.unique(plan.jobs.row[jobs], return_inverse=True)
    smaller = dataclasses.replace(
        plan,
        samples=plan.samples.take(rows),
        jobs=Jobs(row.astype(np.int64), plan.jobs.degraded[jobs]),
        touched=int((jobs < plan.touched).sum()),
        measured={name: values[jobs] for name, values in plan.measured.items()},
        partial="; ".join(text for text in (plan.partial, partial) if text),
    )
    return Part(smaller, rows, jobs)
