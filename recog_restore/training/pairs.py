"""Pairs of rendered photos: a probe in any pose and light, and the same person frontal and evenly lit.

A person's array has all probes, moment by moment, and then one target for each session.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ..preprocess.poses import key_points
from ..records import plain
from ..store import Store, recipe_key
from ..synthpie import VERSION, Light, Shot, Studio, random_light
from ..synthpie.web import random_expression
from .pair_batch import PairBatch, PairSource, worsened
from .photos import Album, arrays
from .restorer_recipe import YAWS, PairData, Pairs

# What is known of the poses: nothing, 18 points of five landmarks (``preprocess/poses.py``), or a face's own 18.
Points = Literal["none", "five", "own"]
_MULTIPIE_LIGHTS = 20
_TARGET_LIGHT = 7


def probes(pairs: Pairs, subject: int) -> list[Shot]:
    """Return the probes of a person: moment by moment, view by view, light by light."""
    rng = np.random.default_rng([pairs.seed, subject])
    shots = []
    for moment in range(pairs.moments):
        session = 1 + moment % pairs.sessions
        expression = random_expression(rng) if rng.random() < pairs.expressive else "neutral"
        lights = [_light(rng, pairs.random_lights) for _ in range(pairs.lights)]
        for _ in range(pairs.views):
            yaw, pitch = _yaw(rng, pairs.density), float(rng.normal(0, pairs.pitch))
            distance = float(rng.uniform(*pairs.distance))
            shots += [
                Shot(subject, session, expression, yaw, pitch, light=light, jitter=moment, distance=distance)
                for light in lights
            ]
    return shots


def target(subject: int, session: int) -> Shot:
    """Return the target of a person's probes of a session."""
    return Shot(subject, session, light=_TARGET_LIGHT, background="clean", jitter=None)


def album(pairs: Pairs) -> Album:
    """Return all photos."""
    return Album(pairs.first, pairs.people, pairs.probes + pairs.sessions, partial(_photos, pairs))


def cache_key(pairs: Pairs) -> str:
    """Return the name of the folder of these photos: everything that a pixel depends on, and not how many people."""
    settings = {key: value for key, value in plain(pairs).items() if key not in ("people", "first")}
    return recipe_key({"what": "training pairs/1", "renderer": VERSION, **settings})[:24]


class PairPhotos(PairSource):
    """See ``PairSource``; rendered people.

    Args:
        data: what there is, and its degradation.
        cache: holds the photos in the folder ``cache_key``.
        points: which landmarks are wanted.
    """

    def __init__(self, data: PairData, cache: Path, *, points: Points = "none") -> None:
        assert data.pairs is not None
        self._data, self._pairs = data, data.pairs
        self._arrays = arrays(album(self._pairs), cache / cache_key(self._pairs))
        self._facts = facts(self._pairs, Store(cache), points=points)
        self.people = data.pairs.people
        self.words = f"{self.people:,} rendered people, {data.pairs.probes} probes each"

    def __len__(self) -> int:
        return self._pairs.people * self._pairs.probes

    def __getitem__(self, rows: Sequence[int]) -> PairBatch:
        pairs, found = self._pairs, np.asarray(rows) % len(self)
        people, photos = found // pairs.probes, found % pairs.probes
        sessions = photos // (pairs.views * pairs.lights) % pairs.sessions
        clean = np.stack([self._arrays[n][i] for n, i in zip(people, photos, strict=True)])
        targets = np.stack([self._arrays[n][pairs.probes + s] for n, s in zip(people, sessions, strict=True)])
        worse, degraded = worsened(clean, rows, self._data, pairs.seed)
        numbers = people * pairs.sessions + sessions
        facts = self._facts
        return PairBatch(
            torch.from_numpy(worse),
            torch.from_numpy(clean),
            torch.from_numpy(targets),
            torch.from_numpy(numbers),
            torch.from_numpy(facts["yaws"][found]),
            torch.from_numpy(degraded),
            torch.from_numpy(facts["points"][found]),
            torch.from_numpy(facts["target_points"][numbers]),
        )

    def targets(self) -> NDArray[np.uint8]:
        """Return (people · sessions, 128, 128, 3) uint8, all targets."""
        return np.concatenate([array[self._pairs.probes :] for array in self._arrays])


def facts(pairs: Pairs, store: Store, *, points: Points) -> dict[str, NDArray[np.float32]]:
    """Return yaws (probes,), points (probes, 18, 2) and target_points (targets, 18, 2); computed once and kept.

    Args:
        pairs: of all people.
        store: where they are kept.
        points: which landmarks; with ``none`` there are none of either, (…, 0, 2), and it is quick.
    """
    key = recipe_key({"what": "facts of training pairs/2", "renderer": VERSION, "points": points, **plain(pairs)})
    if key not in store:
        shots = [shot for n in range(pairs.people) for shot in probes(pairs, pairs.first + n)]
        targets = [target(pairs.first + n, 1 + s) for n in range(pairs.people) for s in range(pairs.sessions)]
        yaws = np.array([shot.yaw for shot in shots], np.float32)
        found = {
            "yaws": yaws,
            "points": points_of(shots, points),
            "target_points": points_of(targets, points, frontal=True),
        }
        store.put(key, found, {})
    return store.get(key)[0]


def points_of(shots: Sequence[Shot], points: Points, *, frontal: bool = False) -> NDArray[np.float32]:
    """Return (len(shots), 18, 2) pixels, or (…, 0, 2) for ``none``.

    Args:
        shots: of which the true landmarks are taken.
        points: which of them.
        frontal: of ``five``, the points without the pose; the face's ``own`` are those of the photo in any case.
    """
    if points == "none":
        return np.zeros((len(shots), 0, 2), np.float32)
    studio, same = Studio(), {}
    for shot in shots:
        if (pose := _pose(shot)) not in same:
            truth = studio.truth(shot)
            same[pose] = truth.landmarks18 if points == "own" else truth.landmarks5
    known = np.array([same[_pose(shot)] for shot in shots])
    if points == "five":
        found = key_points(torch.from_numpy(known))
        known = (found.frontal if frontal else found.profile).numpy()
    return known.astype(np.float32)


def _pose(shot: Shot) -> tuple[object, ...]:
    """Return all that landmarks depend on."""
    return shot.subject, shot.session, shot.expression, shot.jitter, shot.yaw, shot.pitch, shot.distance


def _photos(pairs: Pairs, subject: int) -> list[Shot]:
    return [*probes(pairs, subject), *(target(subject, 1 + session) for session in range(pairs.sessions))]


def _yaw(rng: np.random.Generator, density: Sequence[float]) -> float:
    near = float(rng.choice(YAWS, p=np.array(density) / np.sum(density)))
    step = YAWS[1] - YAWS[0]
    yaw = min(abs(near + rng.uniform(-step / 2, step / 2)), YAWS[-1])
    return float(yaw if rng.random() < 0.5 else -yaw)


def _light(rng: np.random.Generator, random: float) -> int | Light:
    return random_light(rng) if rng.random() < random else int(rng.integers(_MULTIPIE_LIGHTS))
