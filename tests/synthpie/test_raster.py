from __future__ import annotations

import numpy as np
import pytest

from recog_restore.synthpie.raster import Grid, rasterize


def by_hand(grids: list[Grid], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which grid each pixel sees and the depth there, triangle after triangle, pixel after pixel, in float64."""
    seen, depth = np.full((size, size), -1), np.full((size, size), -1e4)
    ys, xs = np.mgrid[:size, :size]
    for number, grid in enumerate(grids):
        rows, columns = grid.x.shape
        for i in range(rows - 1):
            for j in range(columns - 1):
                for corners in (((i, j), (i, j + 1), (i + 1, j)), ((i + 1, j + 1), (i + 1, j), (i, j + 1))):
                    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = (
                        (float(grid.x[c]), float(grid.y[c]), float(grid.depth[c])) for c in corners
                    )
                    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
                    if abs(area) < 1e-4 or (area < 0 and not grid.double_sided):
                        continue
                    b = ((xs - ax) * (cy - ay) - (ys - ay) * (cx - ax)) / area
                    c = ((bx - ax) * (ys - ay) - (by - ay) * (xs - ax)) / area
                    z = az + b * (bz - az) + c * (cz - az)
                    front = (b >= 0) & (c >= 0) & (b + c <= 1) & (z > depth)
                    seen[front], depth[front] = number, z[front]
    return seen, depth


@pytest.mark.parametrize("cell", [0.7, 3.0, 9.0, 30.0])
def test_the_z_buffer_agrees_with_a_slow_one(cell: float) -> None:
    rng, size, grids = np.random.default_rng(int(cell)), 40, []
    for number in range(2):
        y, x = np.mgrid[:7, :9] * cell
        x, y = (np.float32(v + 5 + rng.uniform(-0.4, 0.4, v.shape) * cell) for v in (x, y))
        grids.append(Grid(x, y, rng.normal(0, 20, x.shape).astype(np.float32), double_sided=number == 1))
    seen = rasterize(grids, size)
    expected, depth = by_hand(grids, size)
    assert (seen.grid == expected).mean() > 0.998  # edges that pass through a pixel's centre may round either way
    same = (seen.grid == expected) & (expected >= 0)
    assert same.sum() > 20
    assert (np.abs(seen.depth - depth)[same] < 0.05).mean() > 0.998


def test_row_and_column_lead_back_to_the_pixel() -> None:
    y, x = (np.float32(v * 4 + 2) for v in np.mgrid[:6, :8])
    seen = rasterize([Grid(x, y, np.zeros_like(x))], 24)
    inside = seen.grid == 0
    ys, xs = np.nonzero(inside)
    np.testing.assert_allclose(seen.column[inside] * 4 + 2, xs, atol=1e-4)
    np.testing.assert_allclose(seen.row[inside] * 4 + 2, ys, atol=1e-4)


def test_the_back_of_a_grid_is_not_seen_unless_it_has_two_sides() -> None:
    y, x = (np.float32(v * 4 + 2) for v in np.mgrid[:3, :3])
    mirrored = np.ascontiguousarray(x[:, ::-1])
    assert (rasterize([Grid(mirrored, y, x)], 16).grid == -1).all()
    assert (rasterize([Grid(mirrored, y, x, double_sided=True)], 16).grid == 0).any()


def test_nothing_in_sight_is_nothing_seen() -> None:
    y, x = (np.float32(v - 100) for v in np.mgrid[:3, :3])
    assert (rasterize([Grid(x, y, x)], 16).grid == -1).all()
    assert (rasterize([], 16).grid == -1).all()
