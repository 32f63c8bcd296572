"""Pairs of Multi-PIE's photos, or of a tree of rendered ones: any pose, and the frontal photo of the same session."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..datasets.base import Samples
from ..datasets.opening import open_dataset
from ..datasets.shots import FRONTAL
from ..errors import DataError
from ..preprocess.poses import key_points
from .crops import checked, digest_of, face_crops, require
from .pair_batch import PairBatch, PairSource, worsened
from .pairs import Points
from .restorer_recipe import MultiPiePhotos, PairData


class MultiPiePairs(PairSource):
    """See ``PairSource``; the pairs are ``couples``.

    Args:
        data: says which photos and which degradation.
        workers: processes that look at the photos.
        points: ``five`` gives the 18 points that the five landmarks of a probe tell, as it is and frontal, as at
            inference; ``none`` gives none.

    Raises:
        DataError: the folder is not as expected, or it has no pairs.
    """

    def __init__(self, data: PairData, workers: int = 0, *, points: Points = "none") -> None:
        assert data.multipie is not None
        self._data, self._asked = data, data.multipie
        asked, root = data.multipie, Path(data.multipie.root).expanduser()
        samples, left_out = checked(training_photos(asked), root, workers)
        self.digest, self.warnings = digest_of(samples), (left_out,) if left_out else ()
        self._couples, self._crops = couples(samples.table, asked), face_crops(samples)
        if not len(self._couples):
            raise DataError(
                f"{root}: expected frontal neutral photos (camera {FRONTAL}) as targets, in the light of the probe or "
                f"in {asked.target_light}; found none"
            )
        self._yaws = samples.table["yaw"].astype(np.float32).to_numpy()
        self._points = points
        self.people = int(samples.table["subject"].nunique())
        self.words = f"{len(self):,} pairs of {self.people:,} people in {root}"

    def __len__(self) -> int:
        return len(self._couples)

    def __getitem__(self, rows: Sequence[int]) -> PairBatch:
        probes, targets = self._couples[np.asarray(rows) % len(self)].T
        both = np.concatenate([probes, targets])
        crops = require(self._crops[both.tolist()], self._crops.names[both])
        clean, goals = crops.pixels.numpy().reshape(2, len(rows), *crops.pixels.shape[1:])
        worse, degraded = worsened(clean, rows, self._data, self._asked.seed)
        told = _told(crops.points[: len(rows)], self._points)
        arrays = (worse, clean, goals, targets, self._yaws[probes], degraded, *told)
        return PairBatch(*map(torch.from_numpy, arrays))


def training_photos(asked: MultiPiePhotos) -> Samples:
    """Return photos of the first people of all sessions, those of the sessions that are asked for.

    Who is a training person does not depend on the sessions: those who come to some of them only would move up others,
    whom a protocol tests.

    Raises:
        DataError: the folder is not as expected.
    """
    options = {
        "train_people": asked.people,
        "part": "train",
        "expressions": sorted({"neutral", *asked.expressions}),
        "gallery_illumination": asked.target_light,
        "gallery_among_probes": True,
        "skip_without_gallery": True,
        "alignment": asked.alignment,
    }
    samples = open_dataset("multipie", Path(asked.root).expanduser(), **options).samples()
    return samples.take(np.flatnonzero(samples.table["session"].isin(asked.sessions)))


def couples(table: pd.DataFrame, asked: MultiPiePhotos) -> NDArray[np.int64]:
    """Return (K, 2) rows of probe and target, in the order of the probes.

    The target is the frontal photo of the same recording, or of the session's first one where the probe has an
    expression; in the light of the probe, in ``target_light``, or once in each (``lights``). A target that is not there
    makes no pair.

    Args:
        table: see ``shots.table_of``.
        asked: says which expressions and lights.
    """
    columns = ("subject", "session", "recording", "illumination")
    frontal = ((table["camera"] == FRONTAL) & (table["expression"] == "neutral")).to_numpy()
    named = zip(*(table[name][frontal] for name in columns), strict=True)
    row_of = dict(zip(named, np.flatnonzero(frontal).tolist(), strict=True))
    found = []
    moments = zip(*(table[name] for name in (*columns, "expression")), strict=True)
    for row, (subject, session, recording, light, expression) in enumerate(moments):
        if expression not in asked.expressions:
            continue
        lights = {"same": (light,), "other": (asked.target_light,), "both": (light, asked.target_light)}[asked.lights]
        keys = [(subject, session, recording if expression == "neutral" else 1, wanted) for wanted in lights]
        found += [(row, row_of[key]) for key in dict.fromkeys(keys) if key in row_of]
    return np.array(found, np.int64).reshape(-1, 2)


def _told(five: Tensor, points: Points) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if points == "none":
        none = np.zeros((len(five), 0, 2), np.float32)
        return none, none
    found = key_points(five)
    return found.profile.numpy(), found.frontal.numpy()
