"""The comparisons that a preprocessor changed most, with the faces before and after, for people to look at."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ..faces import FaceBatch, to_float, to_uint8
from ..preprocess import Preprocessor
from ..results import BASELINE, Example, ExampleFace
from .acquire import Acquisition
from .plan import Plan


def examples(
    plan: Plan,
    acquisition: Acquisition,
    preprocessors: Sequence[Preprocessor],
    scores: Mapping[str, NDArray[np.float64]],
    count: int,
    device: str,
) -> list[Example]:
    """Return ``count`` gains and ``count`` losses per preprocessor.

    A gain is a mated comparison whose score rose or a non-mated one whose score fell; the greatest change comes first,
    ties in the order of the list. Comparisons with a failed face are not shown here but among the failures.
    """
    if not count or not scores:
        return []
    found, before = [], scores[BASELINE]
    for preprocessor in preprocessors:
        name = preprocessor.card.name
        if name == BASELINE:
            continue
        usable = np.flatnonzero(np.isfinite(scores[name]) & np.isfinite(before))
        change = np.zeros(len(before))
        change[usable] = np.where(plan.mated[usable], 1.0, -1.0) * (scores[name][usable] - before[usable])
        order = usable[np.argsort(change[usable], kind="stable")]
        losses = [i for i in order[:count].tolist() if change[i] < 0]
        gains = [i for i in order[::-1][:count].tolist() if change[i] > 0]
        for kind, chosen in (("gain", gains), ("loss", losses)):
            for i in chosen:
                pair = [int(plan.first[i]), int(plan.second[i])]
                found.append(
                    Example(
                        preprocessor=name,
                        kind=kind,
                        mated=bool(plan.mated[i]),
                        score_before=float(before[i]),
                        score_after=float(scores[name][i]),
                        faces=_pictures(acquisition, pair, preprocessor, device),
                    )
                )
    return found


def _pictures(
    acquisition: Acquisition, jobs: list[int], preprocessor: Preprocessor, device: str
) -> tuple[ExampleFace, ...]:
    crops = acquisition[jobs]
    with torch.inference_mode():
        done = preprocessor(FaceBatch(to_float(crops.pixels, device), crops.points.to(device), crops.status))
    return tuple(
        ExampleFace(str(acquisition.names[acquisition.jobs.row[job]]), _webp(before), _webp(after))
        for job, before, after in zip(jobs, crops.pixels.numpy(), to_uint8(done.images), strict=True)
    )


def _webp(image: NDArray[np.uint8]) -> str:
    _, data = cv2.imencode(".webp", image[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, 85])
    return "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode()
