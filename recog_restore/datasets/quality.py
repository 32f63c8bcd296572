"""Quality scores of images, by which low-quality ones are chosen: higher is better. A score is a plug-in.

``sharpness``, ``scores:FILE.csv`` (columns ``path``, the name of the image in the data set, and ``score``; made by any
tool), or ``python:module:Class``: called without arguments it gives a callable that returns a float for an (H, W, 3)
uint8 RGB image. The score of MDFR's IJBC-Lq is NIMA; with pyiqa installed it is such a class of a few lines (see
``docs/datasets.md``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..decode import read_image
from ..errors import DataError
from ..registry import Registry
from ..spec import imported, parse_spec, typed
from .base import Samples
from .table import read_rows
from .textfiles import finite_number

Quality = Callable[[NDArray[np.uint8]], float]

QUALITIES: Registry[Quality] = Registry("quality score", "recog_restore.qualities")


class Sharpness:
    """The variance of the Laplacian of the grey image at a height of 112 pixels: low where an image is blurred."""

    def __call__(self, image: NDArray[np.uint8]) -> float:
        """Return the score; at least 0."""
        width = max(1, round(image.shape[1] * 112 / image.shape[0]))
        grey = cv2.cvtColor(cv2.resize(image, (width, 112), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        return float(cv2.Laplacian(grey, cv2.CV_64F).var())


QUALITIES.add("sharpness", Sharpness)


def quality_scores(spec: str, samples: Samples, advance: Callable[[int], None] = lambda _: None) -> NDArray[np.float64]:
    """Return (M,) scores of the samples; NaN for an image that cannot be read.

    Args:
        spec: see above.
        samples: M images.
        advance: is told how many more images have a score.

    Raises:
        RecordError, UnknownName: there is no such score.
        DataError: the file of scores is not right, or lacks a sample.
    """
    parsed = parse_spec(spec)
    if parsed.name == "scores":
        return _listed(Path(parsed.argument), samples)
    if parsed.name == "python":
        factory: Callable[..., Any] = imported(parsed.argument, spec, cast("type[Quality]", Callable))
    else:
        factory, _ = QUALITIES.factory(parsed.name)
    score = factory(**typed(factory, parsed.options, spec))
    found = np.full(len(samples), math.nan)
    for row, file in enumerate(samples.files):
        try:
            found[row] = float(score(read_image(file)))
        except DataError:
            pass
        advance(1)
    return found


def _listed(path: Path, samples: Samples) -> NDArray[np.float64]:
    rows = read_rows(path, ("path", "score"))
    score = {row["path"]: finite_number(row["score"], f"{path}: line {line}: column 'score'") for line, row in rows}
    for name in samples.table["sample"]:
        if name not in score:
            raise DataError(f"{path}: expected a score of each of the {len(samples):,} samples; {name!r} has none")
    return np.array([score[name] for name in samples.table["sample"]])
