"""The studio: photographs shots, and keeps what the next shot can use again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import jitter
from .background import BACKGROUNDS
from .camera import Camera
from .light import multipie_light
from .people import Look, look, person
from .shading import Shading, illuminate
from .shot import Shot
from .solid import Solid, build
from .texture import Makeup, Texture, dress, make_up
from .truth import Truth
from .view import View, develop

# Part of every content key: changes whenever a pixel could.
VERSION = "3"

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Photo:
    """A picture, (size, size, 3) uint8 RGB, and what is known of it."""

    image: NDArray[np.uint8]
    truth: Truth


class _Recent(Generic[_Value]):
    """The last few values by key."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[Hashable, _Value] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        if key in self._values:
            self._values.move_to_end(key)
        else:
            self._values[key] = make()
            if len(self._values) > self._limit:
                self._values.popitem(last=False)
        return self._values[key]


class Studio:
    """Renders shots. Order and memory change nothing but the time; one thread at a time.

    Cheapest are shots sorted by subject, session, expression, jitter and pose that differ in light.
    """

    def __init__(self) -> None:
        self._makeups: _Recent[Makeup] = _Recent(2)
        self._looks: _Recent[Look] = _Recent(8)
        self._textures: _Recent[Texture] = _Recent(4)
        self._solids: _Recent[Solid] = _Recent(8)
        self._shadings: _Recent[Shading] = _Recent(24)
        self._cameras: _Recent[Camera] = _Recent(16)
        self._views: _Recent[View] = _Recent(4)

    def __reduce__(self) -> tuple[type[Studio], tuple[()]]:
        """Travel to another process empty."""
        return Studio, ()

    def photograph(self, shot: Shot) -> Photo:
        """Return the photo of a shot."""
        light = multipie_light(shot.light) if isinstance(shot.light, int) else shot.light
        view = self.view(shot)
        shading = self._shadings.get((*_moment(shot), light), lambda: illuminate(view.solid, light))
        return Photo(develop(view.expose(shading), jitter.exposure(shot, light)), self.truth(shot))

    def truth(self, shot: Shot) -> Truth:
        """Return what is known of a shot, without rendering it."""
        return Truth(self.camera(shot), self.look(shot).shape, jitter.moment(shot)[0], partial(self.view, shot))

    def look(self, shot: Shot) -> Look:
        """Return who is photographed, as he looks in that session."""
        return self._looks.get((shot.subject, shot.session), lambda: look(person(shot.subject), shot.session))

    def camera(self, shot: Shot) -> Camera:
        """Return where the picture is taken from."""
        return self._cameras.get(_pose(shot), lambda: jitter.camera(shot, self.look(shot)))

    def view(self, shot: Shot) -> View:
        """Return what the camera sees, whatever the light."""

        def make() -> View:
            backdrop = BACKGROUNDS[shot.background](jitter.scenery(shot), View.fine_size(shot.size))
            return View(self._solid(shot), self._texture(shot), self.camera(shot), backdrop)

        return self._views.get((*_pose(shot), shot.background), make)

    def _texture(self, shot: Shot) -> Texture:
        def make() -> Texture:
            style = self.look(shot)
            return dress(style, self._makeups.get(shot.subject, lambda: make_up(style.person)))

        return self._textures.get((shot.subject, shot.session), make)

    def _solid(self, shot: Shot) -> Solid:
        return self._solids.get(
            _moment(shot), lambda: build(self.look(shot), self._texture(shot), jitter.moment(shot)[0])
        )


def _moment(shot: Shot) -> tuple[Hashable, ...]:
    return shot.subject, shot.session, shot.expression, shot.jitter


def _pose(shot: Shot) -> tuple[Hashable, ...]:
    return *_moment(shot), shot.yaw, shot.pitch, shot.roll, shot.size, shot.distance
