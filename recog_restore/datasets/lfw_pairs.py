"""A list of comparisons in LFW's form, ten folds of different people, for people with equally many images."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np

FOLDS = 10


def pairs_text(names: Sequence[str], images: int, seed: int) -> tuple[str, int]:
    """Return the text of ``pairs.txt``, and how many mated comparisons a fold has (and as many non-mated ones).

    A fold has all mated comparisons of its people, as many as the fold with the fewest, or as many as non-mated ones
    can be drawn between its people.

    Args:
        names: of the people, at least two for each fold; images are ``Name/Name_0001.jpg`` to ``images``.
        images: of each person, at least 2.
        seed: of what is drawn.
    """
    generator = np.random.default_rng([seed, 0])
    folds = np.array_split(np.arange(len(names)), FOLDS)
    per_fold = min(len(fold) for fold in folds) * (images * (images - 1) // 2)
    of_two = min(len(fold) * (len(fold) - 1) // 2 for fold in folds) * images**2
    per_fold = min(per_fold, of_two)
    lines = [f"{FOLDS}\t{per_fold}"]
    for fold in folds:
        own = [(a, i, j) for a in fold for i, j in combinations(range(1, images + 1), 2)]
        other = [(a, i, b, j) for a, b in combinations(fold, 2) for i, j in product(range(1, images + 1), repeat=2)]
        for k in np.sort(generator.choice(len(own), per_fold, replace=False)):
            a, i, j = own[k]
            lines.append(f"{names[a]}\t{i}\t{j}")
        for k in np.sort(generator.choice(len(other), per_fold, replace=False)):
            a, i, b, j = other[k]
            lines.append(f"{names[a]}\t{i}\t{names[b]}\t{j}")
    return "\n".join(lines) + "\n", per_fold
