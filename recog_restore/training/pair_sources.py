"""From a recipe's ``[data]`` to its source of pairs."""

from __future__ import annotations

from pathlib import Path

from . import folder_pairs, multipie_pairs
from .folder_pairs import FolderPairs
from .multipie_pairs import MultiPiePairs
from .pair_batch import PairSource
from .pairs import PairPhotos, Points
from .restorer_recipe import PairData


def open_pairs(data: PairData, cache: Path, workers: int = 0, *, points: Points = "none") -> PairSource:
    """Return the pairs of a recipe.

    Args:
        data: the recipe's.
        cache: holds the rendered photos.
        workers: processes that look at photos on disk.
        points: which landmarks are wanted.

    Raises:
        DataError: the photos are not as expected.
    """
    if data.folder is not None:
        return FolderPairs(data, workers)
    if data.multipie is not None:
        return MultiPiePairs(data, workers, points=points)
    return PairPhotos(data, cache, points=points)


def people_of(data: PairData, dataset: str) -> frozenset[str]:
    """Return the numbers in a data set of the people in a recipe's photos: nobody where they are of another one.

    Raises:
        DataError: the photos are not as expected.
    """
    if data.multipie is not None and dataset == "multipie":
        return frozenset(multipie_pairs.training_photos(data.multipie).table["subject"])
    if data.folder is not None and data.folder.layout == dataset == "cfp":
        return frozenset(folder_pairs.training_photos(data.folder).table["subject"])
    return frozenset()
