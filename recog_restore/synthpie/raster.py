"""A vectorised z-buffer for grids of quadrilaterals: which cell of which grid does each pixel see?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .fields import Image

_TILE = 8


@dataclass(frozen=True)
class Grid:
    """A projected grid of vertices, each (R, C): pixel x, pixel y, depth (larger is nearer)."""

    x: Image
    y: Image
    depth: Image
    double_sided: bool = False


@dataclass(frozen=True)
class Visible:
    """What each pixel of an (S, S) picture sees: number of the grid (−1: none), column and row on it, depth."""

    grid: NDArray[np.int8]
    column: Image
    row: Image
    depth: Image


@dataclass(frozen=True)
class _Triangles:
    """(T,) corner 0 in pixels, edges a and b from it, twice the area, depth and its changes, column, row, tag."""

    x: Image
    y: Image
    ax: Image
    ay: Image
    bx: Image
    by: Image
    area: Image
    depth: Image
    depth_a: Image
    depth_b: Image
    column: Image
    row: Image
    tag: NDArray[np.int8]


@cache
def _offsets(k: int) -> tuple[Image, Image]:
    steps = np.arange(k, dtype=np.float32)
    return np.tile(steps, k), np.repeat(steps, k)


def rasterize(grids: Sequence[Grid], size: int) -> Visible:
    """Return what each pixel of a size × size picture sees; of equal depths the later triangle.

    A cell has two triangles; those that turn their back are dropped unless the grid is double-sided. Small triangles
    are tested on k × k blocks, sorted by k, large ones on 8 × 8 tiles; one ``maximum.at`` over (depth, fragment)
    decides.
    """
    see = Visible(
        np.full(size * size, -1, np.int8),
        np.zeros(size * size, np.float32),
        np.zeros(size * size, np.float32),
        np.full(size * size, -1e4, np.float32),
    )
    parts = [part for number, grid in enumerate(grids) for part in _setup(grid, number, size)]
    if parts:
        _fill(see, _Triangles(*(np.concatenate([part[i] for part in parts]) for i in range(13))), size)
    square = (size, size)
    return Visible(
        see.grid.reshape(square), see.column.reshape(square), see.row.reshape(square), see.depth.reshape(square)
    )


def _setup(grid: Grid, number: int, size: int) -> list[tuple[NDArray[np.generic], ...]]:
    """Return the fields of _Triangles for the front-facing triangles of a grid, upper halves then lower halves."""
    inside = np.flatnonzero((grid.y.min(axis=1) < size) & (grid.y.max(axis=1) > -1))
    if not len(inside):
        return []
    start, stop = max(int(inside[0]) - 1, 0), int(inside[-1]) + 2
    x, y, depth = grid.x[start:stop], grid.y[start:stop], grid.depth[start:stop].ravel()
    columns = x.shape[1]
    across_x, across_y = np.diff(x, axis=1), np.diff(y, axis=1)
    down_x, down_y = np.diff(x, axis=0), np.diff(y, axis=0)
    parts = []
    for half in (0, 1):  # corner 0 is the cell's upper left vertex, or its lower right one with both edges reversed
        if half == 0:
            edges = across_x[:-1], across_y[:-1], down_x[:, :-1], down_y[:, :-1]
        else:
            edges = -across_x[1:], -across_y[1:], -down_x[:, 1:], -down_y[:, 1:]
        area = edges[0] * edges[3] - edges[1] * edges[2]
        chosen = np.flatnonzero((np.abs(area) if grid.double_sided else area) > 1e-4)
        i, j = np.divmod(chosen, columns - 1)
        sign = 1 - 2 * half
        corner = (i + half) * columns + j + half
        near = depth[corner]
        parts.append((
            x.ravel()[corner], y.ravel()[corner], *(edge.ravel()[chosen] for edge in edges), area.ravel()[chosen],
            near, depth[corner + sign] - near, depth[corner + sign * columns] - near,
            (j + half).astype(np.float32), (i + half + start).astype(np.float32),
            np.full(len(chosen), number * 2 + half, np.int8),
        ))  # fmt: skip
    return parts


def _fill(see: Visible, t: _Triangles, size: int) -> None:
    left = np.maximum(np.ceil(t.x + np.minimum(np.minimum(t.ax, t.bx), 0)), 0)
    right = np.minimum(np.floor(t.x + np.maximum(np.maximum(t.ax, t.bx), 0)), size - 1)
    top = np.maximum(np.ceil(t.y + np.minimum(np.minimum(t.ay, t.by), 0)), 0)
    bottom = np.minimum(np.floor(t.y + np.maximum(np.maximum(t.ay, t.by), 0)), size - 1)
    wide, high = right - left + 1, bottom - top + 1
    some = np.flatnonzero((wide > 0) & (high > 0))
    extent = np.maximum(wide, high)[some]
    inverse = np.float32(1) / t.area
    gradients = t.by * inverse, -t.bx * inverse, -t.ay * inverse, t.ax * inverse  # of b over x, y; of c over x, y
    fragments = []
    low = 0
    for k in (1, 2, 3, 4, 5, 6, _TILE):
        chosen = some[(extent > low) & (extent <= k)]
        low = k
        if len(chosen):
            fragments.append(_test(t, gradients, chosen, left[chosen], top[chosen], k, size))
    chosen = some[extent > _TILE]
    if len(chosen):
        chosen, xs, ys = _tiles(t, gradients, chosen, left, top, wide, high)
        fragments.append(_test(t, gradients, chosen, xs, ys, _TILE, size))
    if not fragments:
        return
    pixel, triangle, b, c = (np.concatenate([f[i] for f in fragments]) for i in range(4))
    depth = t.depth[triangle] + b * t.depth_a[triangle] + c * t.depth_b[triangle]
    key = (((depth + 2000.0) * 256).astype(np.int64) << 24) | np.arange(len(pixel))
    nearest = np.full(size * size, -1, np.int64)
    np.maximum.at(nearest, pixel, key)
    hit = np.flatnonzero(nearest >= 0)
    fragment = nearest[hit] & 0xFFFFFF
    owner = triangle[fragment]
    sign = (1 - 2 * (t.tag[owner] & 1)).astype(np.float32)
    see.grid[hit] = t.tag[owner] >> 1
    see.column[hit] = t.column[owner] + sign * b[fragment]
    see.row[hit] = t.row[owner] + sign * c[fragment]
    see.depth[hit] = depth[fragment]


def _test(
    t: _Triangles, gradients: tuple[Image, ...], chosen: NDArray[np.intp], xs: Image, ys: Image, k: int, size: int
) -> tuple[NDArray[np.int64], NDArray[np.intp], Image, Image]:
    """Return pixel, triangle and barycentric b, c of the pixels in k × k blocks at (xs, ys) that triangles cover."""
    bx, by, cx, cy = (g[chosen] for g in gradients)
    dx, dy = xs - t.x[chosen], ys - t.y[chosen]
    gx, gy = _offsets(k)
    b = bx[:, None] * gx + by[:, None] * gy + (dx * bx + dy * by)[:, None]
    c = cx[:, None] * gx + cy[:, None] * gy + (dx * cx + dy * cy)[:, None]
    flat = np.flatnonzero((b >= 0) & (c >= 0) & (b + c <= 1))
    block, offset = np.divmod(flat, k * k)
    x, y = xs[block] + gx[offset], ys[block] + gy[offset]
    if k > 1:
        good = np.flatnonzero((x < size) & (y < size))
        flat, block, x, y = flat[good], block[good], x[good], y[good]
    return (y * size + x).astype(np.int64), chosen[block], b.ravel()[flat], c.ravel()[flat]


def _tiles(
    t: _Triangles,
    gradients: tuple[Image, ...],
    chosen: NDArray[np.intp],
    left: Image,
    top: Image,
    wide: Image,
    high: Image,
) -> tuple[NDArray[np.intp], Image, Image]:
    """Return triangle and corner of the tiles that large triangles may touch."""
    across = ((wide[chosen] + _TILE - 1) // _TILE).astype(np.int64)
    count = across * ((high[chosen] + _TILE - 1) // _TILE).astype(np.int64)
    which = np.repeat(np.arange(len(chosen)), count)
    number = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    j, i = np.divmod(number, across[which])
    owner = chosen[which]
    xs, ys = left[owner] + _TILE * i.astype(np.float32), top[owner] + _TILE * j.astype(np.float32)
    half = (_TILE - 1) / 2
    bx, by, cx, cy = (g[owner] for g in gradients)
    dx, dy = xs - t.x[owner] + half, ys - t.y[owner] + half
    b, c = dx * bx + dy * by, dx * cx + dy * cy
    touch = (b + half * (np.abs(bx) + np.abs(by)) >= 0) & (c + half * (np.abs(cx) + np.abs(cy)) >= 0)
    touch &= b + c - half * (np.abs(bx + cx) + np.abs(by + cy)) <= 1
    return owner[touch], xs[touch], ys[touch]
