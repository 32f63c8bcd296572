"""What all mimics share, and the writing of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ...files import write_whole
from ..base import Samples
from ..mark import Mark, write_mark
from .cast import Cast, Face, cast, face, points_of


class Mimic(ABC):
    """One layout that can be imitated; ``runs`` are the options of ``rr-eval`` that put it to use.

    Args:
        samples: where the faces come from.
        people, images: so many people, so many images of each.
        seed: of everything that is drawn.
    """

    layout: ClassVar[str]
    title: ClassVar[str]
    runs: ClassVar[tuple[str, ...]]
    fewest: ClassVar[tuple[int, int]]  # people, images of each
    usual: ClassVar[tuple[int, int]]

    def __init__(self, samples: Samples, people: int = 0, images: int = 0, seed: int = 0) -> None:
        people, images = people or self.usual[0], images or self.usual[1]
        if people < self.fewest[0] or images < self.fewest[1]:
            raise DataError(
                f"a mimic of {self.title} needs at least {self.fewest[0]} people with {self.fewest[1]} images each, "
                f"got {people} with {images}"
            )
        self.samples, self.seed = samples, seed
        self.cast: Cast = cast(samples, people, images, seed)
        self._points = points_of(samples)

    def face(self, row: int) -> Face:
        """Return a sample's face."""
        return face(self.samples, self._points, row)

    @property
    def total(self) -> int:
        """How many images are written."""
        return sum(len(rows) for rows in self.cast.subjects.values())

    @abstractmethod
    def write(self, out: Path, advance: Callable[[int], None]) -> dict[str, int]:
        """Write images and lists; return the counts that the layout's reader finds.

        Args:
            out: an empty folder.
            advance: is told how many more images are written.
        """


def write_mimic(mimic: Mimic, out: Path, source: str, advance: Callable[[int], None] = lambda _: None) -> Mark:
    """Write a mimic; return its mark.

    Args:
        mimic: which layout, of which faces.
        out: a new or an empty folder.
        source: what the faces are, for the note beside every number.
        advance: is told how many more images are written.

    Raises:
        DataError: the folder holds something, or cannot be written, or a face cannot be read.
    """
    check_empty(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        mark = Mark(mimic.title, source, mimic.write(out, advance))
        write_mark(out, mark)  # last: a folder with a mark is complete
    except OSError as error:
        raise DataError(f"{out}: a mimic cannot be written ({error.strerror}); name another folder") from None
    return mark


def check_empty(out: Path) -> None:
    """Raise ``DataError`` unless that is a new or an empty folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out}: expected a new or an empty folder, found other files in it")


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an (H, W, 3) uint8 RGB image whole or not at all; JPEG of quality 95, or PNG, by the name's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _, encoded = cv2.imencode(path.suffix, image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    write_whole(path, encoded.tobytes())
