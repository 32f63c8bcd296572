"""What is wrong with lists, landmarks and files before anything is computed: refused, or counted in a warning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..datasets import Dataset, Samples
from ..datasets.plausible import faults, misfit, unusual
from ..decode import read_image
from ..errors import DataError
from ..protocol import Protocol
from .acquire import NO_FILE, PASS_DETECTOR, digests, has_landmarks
from .plan import Plan, make
from .progress import Progress

Rows = NDArray[np.integer]

_READ = 32  # images whose size is compared with their landmarks
_TOLD = 3  # examples in a warning
_ORDER = "the eye on the image's left, the eye on its right, nose tip, mouth corner on the left, on the right"


def examine(protocol: Protocol, dataset: Dataset, progress: Progress) -> list[str]:
    """Return what a run of a protocol would warn of before it computes.

    Raises:
        DataError: a run would refuse the lists or the landmarks.
    """
    plan = make(protocol, dataset, limit=None, allow_missing=True)
    try:
        has_landmarks(plan.samples, dataset.root, PASS_DETECTOR)
    except DataError as error:  # rr-eval runs with a detector
        return [str(error), *of_files(plan, digests(plan.samples.files, progress))]
    return [*of_landmarks(plan.samples, dataset.root), *of_files(plan, digests(plan.samples.files, progress))]


def of_landmarks(samples: Samples, root: Path) -> list[str]:
    """Return a warning of the faces whose landmarks cannot be a face's.

    Raises:
        DataError: most cannot, or they belong to images of another size.
    """
    points = samples.landmarks
    if samples.alignment != "landmarks" or points is None:
        return []
    names = samples.table["sample"].to_numpy(dtype=object)
    known = np.flatnonzero(~np.isnan(points).any(axis=(1, 2)))
    odd = known[unusual(points[known])]
    if 2 * len(odd) > len(known):
        reasons = pd.Series(faults(points[odd])).replace("", "they are not where a face has them").value_counts()
        raise DataError(
            f"{root}: the landmarks of {len(odd):,} of {len(known):,} faces cannot be a face's, {names[odd[0]]!r} for "
            f"one: {reasons.index[0]}. Aligned, they miss the template by {np.nanmedian(misfit(points[odd])):.2f} eye "
            f"distances (LFW's: 0.08). Expected x1,y1 … x5,y5 in pixels of the image: {_ORDER}"
        )
    _of_the_images(samples, known, root)
    bad = [(names[row], fault) for row, fault in zip(known, faults(points[known]), strict=True) if fault]
    return _told(
        [f"{name} ({fault})" for name, fault in bad],
        f"the landmarks of {len(bad):,} of {len(known):,} faces cannot be a face's; they are failures to acquire",
    )


def of_files(plan: Plan, digest: Sequence[str]) -> list[str]:
    """Return warnings of images that occur where another one should.

    Args:
        plan: says what is compared or searched for.
        digest: of each sample's file; "" or ``acquire.NO_FILE`` where it is not known.
    """
    content = _numbered(digest)
    warnings = _under_several(plan.samples, content)
    if plan.galleries:
        warnings += _enrolled_probes(plan, content)
    elif not len(plan.probes):
        warnings += _of_pairs(plan, content)
    return warnings


def _of_the_images(samples: Samples, known: Rows, root: Path) -> None:
    """Raise DataError where most landmarks of some images, read for their size, lie outside them."""
    assert samples.landmarks is not None
    beside, read, example = 0, 0, ""
    for row in known[np.linspace(0, len(known) - 1, min(_READ, len(known))).astype(int)].tolist():
        if not isinstance(file := samples.files[row], Path):
            continue
        try:
            height, width = read_image(file).shape[:2]
        except DataError:
            continue
        points = samples.landmarks[row]
        outside = ((points < 0) | (points >= (width, height))).any(axis=1).sum() >= 2
        read, beside = read + 1, beside + int(outside)
        if outside and not example:
            example = f"{samples.table['sample'].iloc[row]!r} of {width}×{height} px"
    if 2 * beside > read:
        raise DataError(
            f"{root}: the landmarks of {beside} of {read} images that were looked at lie outside them, {example} for "
            "one; were the points found on images of another size?"
        )


def _numbered(digest: Sequence[str]) -> NDArray[np.int64]:
    """Return (M,) a number of each content; what is not known equals nothing else."""
    number = pd.factorize(np.array(digest, dtype=object))[0].astype(np.int64)
    unknown = np.isin(np.array(digest, dtype=object), ["", NO_FILE])
    return np.where(unknown, len(number) + np.arange(len(number)), number)


def _under_several(samples: Samples, content: NDArray[np.int64]) -> list[str]:
    table = pd.DataFrame({"name": samples.table["sample"], "subject": samples.table["subject"], "content": content})
    table = table[table["subject"] != ""]
    people = table.groupby("content", sort=False)["subject"].nunique()
    several = table[table["content"].isin(people.index[people > 1])]
    examples = [" = ".join(names) for names in several.groupby("content", sort=False)["name"].unique()]
    return _told(examples, f"{len(examples):,} images stand under several people; one of the two labels is wrong")


def _of_pairs(plan: Plan, content: NDArray[np.int64]) -> list[str]:
    names = plan.samples.table["sample"].to_numpy(dtype=object)
    first, second = plan.jobs.row[plan.first], plan.jobs.row[plan.second]
    warnings = []

    def couples(rows: Rows) -> list[str]:
        return [f"{names[first[row]]} – {names[second[row]]}" for row in rows[: _TOLD + 1]]

    for kind, which in (("mated", plan.mated), ("non-mated", ~plan.mated)):
        same = np.flatnonzero(which & (content[first] == content[second]))
        warnings += _told(
            couples(same),
            f"{len(same):,} of {int(which.sum()):,} {kind} comparisons are of an image with itself, byte for byte",
        )
    listed = pd.DataFrame({"low": np.minimum(first, second), "high": np.maximum(first, second)})
    again = np.flatnonzero(listed.duplicated().to_numpy())
    return warnings + _told(
        couples(again),
        f"{len(again):,} of {len(first):,} comparisons are listed a second time, in one order or the other",
    )


def _enrolled_probes(plan: Plan, content: NDArray[np.int64]) -> list[str]:
    names = plan.samples.table["sample"].to_numpy(dtype=object)[plan.jobs.row[plan.probes]]
    searched, enrolled = content[plan.jobs.row[plan.probes]], content[plan.jobs.row[plan.gallery]]
    found = np.zeros(len(searched), np.bool_)
    for split in plan.galleries.values():
        there = enrolled[np.isin(plan.gallery_template, split.gallery)]
        found |= np.isin(plan.probe_template, split.probes) & np.isin(searched, there)
    return _told(
        names[found].tolist(),
        f"{int(found.sum()):,} of {len(found):,} images that are searched for are enrolled themselves, byte for byte",
    )


def _told(examples: Sequence[str], what: str) -> list[str]:
    """Return the warning with its first examples, or none where there are no examples."""
    more = ", …" if len(examples) > _TOLD else ""
    return [f"{what}: {', '.join(examples[:_TOLD])}{more}"] if examples else []
