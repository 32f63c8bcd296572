from __future__ import annotations

import math

import pytest
import torch

from recog_restore.networks.heatmaps import LANDMARKS, heatmaps
from recog_restore.synthpie.landmarks import EIGHTEEN


@pytest.mark.parametrize(("size", "sigma"), [(128, 2.0), (32, 5.0)])
def test_maps_are_gaussians_of_the_distance_to_the_point(size: int, sigma: float) -> None:
    points = torch.tensor([[[40.3, 90.0], [0.0, 127.0], [-3.0, 64.0]]], dtype=torch.float64)
    got = heatmaps(points, size, sigma)
    assert got.shape == (1, 3, size, size)
    step = 128 / size
    for k, (px, py) in enumerate(points[0].tolist()):
        for row, column in ((0, 0), (size // 2, size // 3), (size - 1, 0), (size - 1, size - 1)):
            x, y = (column + 0.5) * step - 0.5, (row + 0.5) * step - 0.5
            expected = math.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2))
            assert float(got[0, k, row, column]) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_peak_is_one_at_a_whole_pixel_and_x_comes_first() -> None:
    got = heatmaps(torch.tensor([[[100.0, 20.0]]]))
    assert got[0, 0].argmax() == 20 * 128 + 100
    assert got.max() == 1


def test_smaller_map_samples_the_same_field_of_view() -> None:
    # The mean of the sampled positions is the point, whatever the size.
    points = torch.tensor([[[70.0, 50.0]]], dtype=torch.float64)
    for size in (128, 64):
        weights = heatmaps(points, size, 4.0)[0, 0]
        places = (torch.arange(size) + 0.5) * 128 / size - 0.5
        assert float((weights.sum(0) * places).sum() / weights.sum()) == pytest.approx(70, abs=1e-6)
        assert float((weights.sum(1) * places).sum() / weights.sum()) == pytest.approx(50, abs=1e-6)


def test_there_are_as_many_points_as_synthpie_gives() -> None:
    assert len(EIGHTEEN) == LANDMARKS
