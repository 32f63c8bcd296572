from __future__ import annotations

import numpy as np
import pytest
import torch

from recog_restore.errors import ConventionError
from recog_restore.faces import FaceBatch, flushed_denormals, to_float, to_uint8


def test_eight_bits_survive_the_way_to_float_and_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 16, 8, 3), dtype=np.uint8)
    floats = to_float(pixels)
    assert floats.shape == (3, 3, 16, 8)
    np.testing.assert_array_equal(to_uint8(floats), pixels)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 1, 8, 8), r"expected \(B, 3, H, W\), got \(2, 1, 8, 8\)"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), "expected float32 in"),
        (
            torch.stack([torch.zeros(3, 8, 8), torch.full((3, 8, 8), 255.0)]),
            r"images\[1\]: expected values in \[0, 1\]",
        ),
        (torch.stack([torch.zeros(3, 8, 8), torch.full((3, 8, 8), torch.nan)]), r"images\[1\]"),
    ],
)
def test_images_that_break_the_convention_are_refused(images: torch.Tensor, message: str) -> None:
    with pytest.raises(ConventionError, match=message):
        FaceBatch(images)


def test_status_and_landmarks_must_fit_the_batch() -> None:
    with pytest.raises(ConventionError, match="status: expected 2 entries, got 1"):
        FaceBatch(torch.zeros(2, 3, 8, 8), status=("",))
    with pytest.raises(ConventionError, match=r"landmarks: expected \(2, 5, 2\)"):
        FaceBatch(torch.zeros(2, 3, 8, 8), landmarks=torch.zeros(2, 68, 2))


def test_valid_is_false_where_there_is_a_reason() -> None:
    batch = FaceBatch(torch.zeros(2, 3, 8, 8), status=("", "empty file"))
    assert batch.valid.tolist() == [True, False]


def test_denormal_numbers_are_flushed_within_and_kept_after() -> None:
    tiny = torch.tensor([1e-40])
    with flushed_denormals():
        assert (tiny * 0.5).item() == 0.0
    assert (tiny * 0.5).item() > 0.0
