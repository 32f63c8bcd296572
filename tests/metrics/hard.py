"""Embeddings on which definitions differ: overlapping score distributions, ties, templates of one and of many media.

The published codes were run on these; ``published.json`` holds what they printed, and the SHA-256 of the arrays.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

DIMENSIONS, FIRST, SECOND, TWINS = 24, 70, 60, 3


@dataclass(frozen=True)
class Hard:
    """Attributes: of M images ``straight`` and ``flipped`` (M, D), ``score``, ``template`` and ``media`` (M,); of the
    templates ``galleries`` and ``probes`` as (numbers, subjects); ``first``, ``second``, ``label`` of N comparisons."""

    straight: np.ndarray
    flipped: np.ndarray
    score: np.ndarray
    template: np.ndarray
    media: np.ndarray
    galleries: tuple[tuple[np.ndarray, np.ndarray], ...]
    probes: tuple[np.ndarray, np.ndarray]
    first: np.ndarray
    second: np.ndarray
    label: np.ndarray

    def digest(self) -> str:
        """Return the SHA-256 of everything."""
        whole = hashlib.sha256()
        lists = [*self.galleries, self.probes]
        arrays = [
            self.straight,
            self.flipped,
            self.score,
            self.template,
            self.media,
            *(a for pair in lists for a in pair),
        ]
        for array in [*arrays, self.first, self.second, self.label]:
            whole.update(np.ascontiguousarray(array).tobytes())
        return whole.hexdigest()


def hard() -> Hard:
    """Return the embeddings; they are rounded to 1/64, so that no machine computes other ones.

    Among 5,000 images: a twentieth has the score 0.1 of a failed detection, a fiftieth the embedding 0 of a face that
    could not be had; one template of each gallery and two probes hold nothing else. Three pairs of gallery templates,
    of people nobody searches for, are the same images (ties between impostors), and every tenth probe repeats the one
    before it (ties between mates, and between strangers' top scores).

    A probe of zeros ties with everybody, so that in the published codes the sort decides its rank: the two are of
    people from the middle of their gallery, whom a sort that keeps or turns the order does not put among the first ten.
    """
    rng = np.random.default_rng(20261121)
    people = FIRST + SECOND
    centre = rng.normal(size=(people, DIMENSIONS))
    centre += 0.9 * rng.normal(size=DIMENSIONS)  # all look alike to some degree
    rows: list[tuple[np.ndarray, np.ndarray, float, int, int]] = []
    next_template, next_media = 3, 1000

    def template(subject: int, several: int) -> int:
        nonlocal next_template, next_media
        for _ in range(int(rng.integers(1, several + 1))):
            spread = rng.uniform(0.5, 3.5)
            for _ in range(int(rng.choice([1, 1, 1, 2, 9]))):
                length = rng.lognormal(0.0, 0.4)
                looks = centre[subject] + spread * rng.normal(size=DIMENSIONS)
                both = [length * (looks + 0.3 * rng.normal(size=DIMENSIONS)) for _ in range(2)]
                score = 0.1 if rng.random() < 0.05 else float(np.round(rng.uniform(0.5, 1.0), 3))
                if rng.random() < 0.03 and rows and rows[-1][3] == next_template:  # never the only one
                    both = [np.zeros(DIMENSIONS)] * 2
                rows.append((*both, score, next_template, next_media))
            next_media += int(rng.integers(1, 4))
        next_template += int(rng.integers(1, 4))
        return rows[-1][3]

    def again(number: int) -> int:
        nonlocal next_template
        rows.extend((a, b, s, next_template, m) for a, b, s, t, m in list(rows) if t == number)
        next_template += 1
        return next_template - 1

    galleries = []
    for subjects in (range(FIRST), range(FIRST, people)):
        numbers = [template(subject, 3) for subject in subjects]
        for copy in range(TWINS):
            numbers[2 * copy + 1] = again(numbers[2 * copy])
        galleries.append((np.array(numbers), np.array(subjects) + 500))
    searched = [s for s in range(people) if min(s, abs(s - FIRST) if s >= FIRST else s) >= 2 * TWINS]
    numbers, subjects = [], []
    for number in range(700):
        repeats = number % 10 == 9
        subject = subjects[-1] if repeats else int(rng.choice(searched))
        numbers.append(again(numbers[-1]) if repeats else template(subject, 4))
        subjects.append(subject)
    straight, flipped = (np.round(np.stack([row[i] for row in rows]) * 64) / 64 for i in range(2))
    number_of = np.array([row[3] for row in rows])
    middle = [n for n, s in zip(numbers, subjects, strict=True) if s in (FIRST // 2, FIRST + SECOND // 2)]
    failed = np.isin(number_of, [galleries[0][0][20], galleries[1][0][22], middle[0], middle[-1]])
    straight[failed], flipped[failed] = 0.0, 0.0
    probes = (np.array(numbers), np.array(subjects) + 500)
    enrolled, who = (np.concatenate(parts) for parts in zip(*galleries, strict=True))
    row, column = (a.ravel() for a in np.indices((len(enrolled), len(numbers))))
    label = (who[row] == probes[1][column]).astype(np.int64)
    kept = np.flatnonzero((label == 1) | (rng.random(len(label)) < 0.6))
    kept = kept[rng.permutation(len(kept))]
    return Hard(
        straight=straight.astype(np.float32),
        flipped=flipped.astype(np.float32),
        score=np.array([row[2] for row in rows], np.float32),
        template=number_of,
        media=np.array([row[4] for row in rows]),
        galleries=(galleries[0], galleries[1]),
        probes=probes,
        first=enrolled[row[kept]],
        second=probes[0][column[kept]],
        label=label[kept],
    )
