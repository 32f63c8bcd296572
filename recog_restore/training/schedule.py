"""The learning rate as a function of the step, so that nothing of it need be kept."""

from __future__ import annotations

import math

from .plan import Stage

# onecycle begins at a twenty-fifth of the highest rate and ends at a thousandth; cosine ends there as well.
_FIRST, _LAST = 1 / 25, 1e-3


def rate(stage: Stage, step: int) -> float:
    """Return the learning rate of step 0 … ``stage.steps - 1``."""
    done = step / max(1, stage.steps - 1)
    if stage.schedule == "step":
        return stage.lr * 0.1 ** sum(done >= milestone for milestone in stage.milestones)
    if stage.schedule == "onecycle" and done < stage.rise:
        return stage.lr * _cosine(_FIRST, 1, done / stage.rise)
    risen = stage.rise if stage.schedule == "onecycle" else 0.0
    return stage.lr * _cosine(1, _LAST, (done - risen) / (1 - risen))


def _cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
