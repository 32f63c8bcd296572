"""A result just computed, as it reads back from its file."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from ..results import Result, Value


def strict(results: Sequence[Result]) -> tuple[Result, ...]:
    """Return the results with every number of their values that is not finite as None: undefined."""
    return tuple(dataclasses.replace(result, values=tuple(map(_strict, result.values))) for result in results)


def _strict(value: Value) -> Value:
    interval = value.interval if value.interval and all(map(math.isfinite, value.interval)) else None
    return dataclasses.replace(
        value,
        value=_finite(value.value),
        std=_finite(value.std),
        threshold=_finite(value.threshold),
        interval=interval,
    )


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
