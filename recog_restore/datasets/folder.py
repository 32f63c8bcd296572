"""One's own faces: a folder of subjects, ``root/subject/*.jpg``, or ``root/gallery/subject/*.jpg`` and ``root/probe``.

Nothing depends on the order in which a disk lists its files; what is drawn depends on ``seed`` and on the names alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..records import Seed
from .base import Alignment, Dataset, Finding, Pairs, Samples, Split, check_alignment, subjects_finding
from .landmarks import own_landmarks
from .walk import LeftOut, folders, photos, some

ROLES = {
    "gallery": "gallery",
    "reference": "gallery",
    "enrol": "gallery",
    "probe": "probe",
    "probes": "probe",
    "query": "probe",
}
_FOLDS = 10
_Rows = NDArray[np.int64]


class Folder(Dataset):
    """A folder of subjects; every file with an image's ending is a sample, hidden ones left out.

    Identification: gallery and probes are the sub-folders of those names (``reference`` or ``enrol``, ``probes`` or
    ``query`` mean the same). Without them, ``gallery_per_subject`` images of every subject are drawn for the gallery
    and the others are probes; a subject with too few keeps one probe, and one with a single image is enrolled only:
    it is a distractor.

    Verification: mated comparisons are all of a subject's (of gallery with probe, where there are such folders), up to
    ``mated_pairs``; ``nonmated_per_mated`` times as many non-mated ones are drawn. The subjects are dealt to ten folds
    and both subjects of a comparison are of one fold, so no subject is in two; with few subjects there are fewer folds.

    Args:
        root: the folder; optionally with ``landmarks.csv``.
        gallery_per_subject: at least 1.
        seed: of all draws.
        mated_pairs: at most so many, spread evenly over the folds.
        nonmated_per_mated: at least 1.
        people: the first and the last of the subjects to take, counted from 1 in the order of their names; None: all.
        alignment: ``landmarks``, or the crop that all images already are.
    """

    def __init__(
        self,
        root: Path,
        gallery_per_subject: int = 1,
        seed: Seed = 0,
        mated_pairs: int = 30_000,
        nonmated_per_mated: int = 1,
        people: Sequence[int] | None = None,
        alignment: Alignment = "landmarks",
    ) -> None:
        super().__init__(root)
        check_alignment(alignment)
        self._alignment = alignment
        for name, value in {
            "gallery_per_subject": gallery_per_subject,
            "mated_pairs": mated_pairs,
            "nonmated_per_mated": nonmated_per_mated,
        }.items():
            if value < 1:
                raise DataError(f"{name} is {value}; expected at least 1")
        if people is not None and not (len(people) == 2 and 1 <= people[0] <= people[1]):
            raise DataError(f"people is {list(people)}; expected the first and the last, counted from 1")
        self._people = tuple(people or ())
        self._gallery_per_subject, self._seed = gallery_per_subject, seed
        self._mated_pairs, self._nonmated_per_mated = mated_pairs, nonmated_per_mated

    @property
    def note(self) -> str:
        """Which of the subjects are taken, if not all."""
        return f"only subjects {self._people[0]} to {self._people[1]}" if self._people else ""

    @property
    def warnings(self) -> list[str]:
        """Return what looks like a photo or a subject and is not taken."""
        _, left_out, without = self._found
        loose = len(photos(self.root, below=False).names)
        return [
            *([f"left out {some(left_out)}"] if left_out else []),
            *([f"subjects without a photo that is read: {_names(without)}"] if without else []),
            *([f"{loose:,} images lie outside the subjects' folders and are left out"] if loose else []),
        ]

    @property
    def _table(self) -> pd.DataFrame:
        return self._found[0]

    @cached_property
    def _found(self) -> tuple[pd.DataFrame, list[LeftOut], list[str]]:
        """Rows of sample, subject and role ("" where the folder does not say); what is left out; who has no photo."""
        if not self.root.is_dir():
            raise DataError(f"{self.root}: expected a folder of subjects, found a file")
        top, left_out = folders(self.root)
        roles = {name: ROLES[name.lower()] for name in top if name.lower() in ROLES}
        if roles and set(roles.values()) != {"gallery", "probe"}:
            raise DataError(
                f"{self.root}: found {', '.join(roles)}; expected both a gallery (or reference, enrol) and a probe "
                "(or probes, query) folder, or neither"
            )
        rows, without = [], []
        for prefix, role in [(f"{name}/", role) for name, role in roles.items()] or [("", "")]:
            subjects, broken = folders(self.root / prefix)
            left_out += [LeftOut(f"{prefix}{name}", reason) for name, reason in broken if prefix]
            for subject in subjects:
                images, others = photos(self.root / prefix / subject)
                rows += [(f"{prefix}{subject}/{image}", subject, role) for image in images]
                left_out += [LeftOut(f"{prefix}{subject}/{name}".removesuffix("/."), reason) for name, reason in others]
                without += [f"{prefix}{subject}"] if others and not images else []
        if not rows:
            place = f"{self.root}/gallery/subject" if roles else f"{self.root}/subject"
            left = f"; left out {some(left_out)}" if left_out else ""
            raise DataError(f"{self.root}: expected images as {place}/image.jpg, found none{left}")
        table = pd.DataFrame(sorted(rows), columns=["sample", "subject", "role"])
        return self._chosen(table) if self._people else table, left_out, without

    def _chosen(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the subjects that ``people`` are."""
        (first, last), subjects = self._people, sorted(set(table["subject"]))
        if first > len(subjects):
            raise DataError(f"{self.root}: expected subjects {first} … {last}, found {len(subjects)} subjects")
        return table[table["subject"].isin(subjects[first - 1 : last])].reset_index(drop=True)

    def samples(self) -> Samples:
        """Return every image of the folder."""
        table = self._table[["sample", "subject"]]
        names = table["sample"].tolist()
        landmarks = own_landmarks(self.root, names) if self._alignment == "landmarks" else None
        return Samples(table, tuple(self.root / name for name in names), landmarks, self._alignment)

    def split(self) -> Split:
        """Return gallery and probes."""
        role = self._table["role"].to_numpy(object)
        if not role[0]:
            role = np.full(len(role), "probe", object)
            for subject, rows in self._rows.items():
                generator = np.random.default_rng([self._seed, *os.fsencode(subject)])
                enrolled = max(1, min(self._gallery_per_subject, len(rows) - 1))
                role[generator.choice(rows, enrolled, replace=False)] = "gallery"
        return Split(np.flatnonzero(role == "gallery"), np.flatnonzero(role == "probe"))

    def pairs(self) -> Pairs:
        """Return mated and non-mated comparisons in subject-disjoint folds.

        Raises:
            DataError: there are fewer than two subjects, or none has a mated comparison.
        """
        mates = {subject: self._mated(rows) for subject, rows in self._rows.items()}
        with_mates = [subject for subject in mates if len(mates[subject])]
        if len(mates) < 2 or not with_mates:
            raise DataError(
                f"{self.root}: expected at least two subjects, and one with two images to compare; "
                f"found {len(mates)} subjects, {len(with_mates)} of them with images to compare"
            )
        generator = np.random.default_rng(self._seed)
        count = max(1, min(_FOLDS, len(with_mates), len(mates) // 2))
        without = [subject for subject in mates if not len(mates[subject])]
        dealt = [*generator.permutation(with_mates), *generator.permutation(without)]
        parts = []
        for fold in range(count):
            subjects = dealt[fold::count]
            everything = np.concatenate([mates[subject] for subject in subjects])
            mated = _drawn(everything, max(1, self._mated_pairs // count), generator)
            others = self._nonmated(subjects, self._nonmated_per_mated * len(mated), len(everything), generator)
            parts.append((mated, True, fold))
            parts.append((others, False, fold))
        both = np.concatenate([rows for rows, _, _ in parts])
        return Pairs(
            first=both[:, 0],
            second=both[:, 1],
            mated=np.concatenate([np.full(len(rows), same) for rows, same, _ in parts]),
            fold=np.concatenate([np.full(len(rows), fold) for rows, _, fold in parts]),
        )

    def check(self) -> list[Finding]:
        """Say what is there; one's own folder has no published counts."""
        split = self.split()
        single = sum(len(rows) == 1 for rows in self._rows.values())
        loose = photos(self.root, below=False).names
        _, left_out, without = self._found
        findings = [
            subjects_finding(len(self._rows)),
            Finding(
                ok=single < len(self._rows),
                what="images",
                expected="at least 2 of a subject",
                found=f"{len(self._table):,}",
                way_out="" if single < len(self._rows) else "a subject with one image has nothing to be compared with",
            ),
            Finding(True, "gallery and probes", "-", f"{len(split.gallery):,} and {len(split.probes):,}"),
        ]
        if single:
            findings.append(Finding(True, "subjects with a single image", "-", f"{single:,}; never searched for"))
        if left_out:
            way_out = "turn them into JPEG or PNG, or make them readable"
            findings.append(Finding(False, "files and folders that are not read", "0", some(left_out), way_out))
        if without:
            findings.append(Finding(False, "subjects without a photo that is read", "0", _names(without)))
        if loose:
            way_out = "put them into the folders of their subjects"
            findings.append(Finding(False, "images outside the subjects' folders", "0", f"{len(loose):,}", way_out))
        return findings

    @cached_property
    def _rows(self) -> dict[str, _Rows]:
        """Rows of each subject, in order of subject."""
        rows: dict[str, list[int]] = {}
        for row, subject in enumerate(self._table["subject"]):
            rows.setdefault(subject, []).append(row)
        return {subject: np.array(rows[subject], np.int64) for subject in sorted(rows)}

    def _mated(self, rows: _Rows) -> _Rows:
        """Return (K, 2) rows of a subject's comparisons, gallery first."""
        role = self._table["role"].to_numpy(object)[rows]
        couples = product(rows[role == "gallery"], rows[role == "probe"]) if role[0] else combinations(rows, 2)
        return np.array(list(couples), np.int64).reshape(-1, 2)

    def _nonmated(self, subjects: list[str], count: int, mated: int, generator: np.random.Generator) -> _Rows:
        """Return (K, 2) rows of ``count`` comparisons between those subjects, or of all there are.

        Couples are drawn from all of them, mated ones too (there are ``mated`` of those), so some more than needed.
        """
        rows = np.sort(np.concatenate([self._rows[subject] for subject in subjects]))
        table = self._table.iloc[rows]
        role, subject = table["role"].to_numpy(object), table["subject"].to_numpy(object)
        if role[0]:
            one, other = np.flatnonzero(role == "gallery"), np.flatnonzero(role == "probe")
            enough = count + mated
        else:  # every couple stands there in both orders, and every image with itself
            one = other = np.arange(len(rows))
            enough = 2 * count + 2 * mated + len(rows)
        couples = generator.choice(len(one) * len(other), min(len(one) * len(other), enough), replace=False)
        i, j = one[couples // len(other)], other[couples % len(other)]
        if not role[0]:
            i, j = np.unique(np.sort(np.stack([i, j]), axis=0), axis=1)
        apart = subject[i] != subject[j]
        return _drawn(np.stack([rows[i[apart]], rows[j[apart]]], axis=1), count, generator)


def _drawn(rows: _Rows, most: int, generator: np.random.Generator) -> _Rows:
    if len(rows) <= most:
        return rows
    return rows[np.sort(generator.choice(len(rows), most, replace=False))]


def _names(subjects: Sequence[str]) -> str:
    return ", ".join(subjects[:3]) + (f" and {len(subjects) - 3:,} more" if len(subjects) > 3 else "")
