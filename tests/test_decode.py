from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recog_restore.decode import decode, read_image
from recog_restore.errors import DataError


@pytest.fixture
def picture() -> np.ndarray:
    """Smooth colours, no symmetry, so that every turn and channel swap shows."""
    y, x = np.mgrid[0:40, 0:60]
    return np.stack([4 * x, 6 * y, 255 - 2 * x - 3 * y], axis=-1).astype(np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "WEBP"])
def test_lossless_formats_give_the_very_pixels(picture: np.ndarray, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(picture), kind, **options)), picture)


def test_jpeg_is_within_its_loss(picture: np.ndarray) -> None:
    found = decode(encoded(Image.fromarray(picture), "JPEG", quality=98, subsampling=0))
    assert np.abs(found.astype(int) - picture).max() <= 6


@pytest.mark.parametrize("kind", ["PNG", "PPM", "JPEG", "BMP"])
def test_grey_becomes_three_equal_channels(picture: np.ndarray, kind: str) -> None:
    found = decode(encoded(Image.fromarray(picture[..., 0]), kind))
    assert found.shape == (40, 60, 3)
    assert np.abs(found.astype(int) - picture[..., :1]).max() <= (3 if kind == "JPEG" else 0)


def test_palette_is_resolved(picture: np.ndarray) -> None:
    image = Image.fromarray(picture).convert("P")
    np.testing.assert_array_equal(decode(encoded(image, "PNG")), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_alpha_is_composed_over_black(picture: np.ndarray, kind: str) -> None:
    image = Image.fromarray(picture).convert("RGBA")
    alpha = np.tile(np.linspace(0, 255, 60).astype(np.uint8), (40, 1))
    image.putalpha(Image.fromarray(alpha))
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    expected = np.rint(picture * (alpha[..., None] / 255.0))
    np.testing.assert_array_equal(decode(encoded(image, kind, **options)), expected)


def test_sixteen_bits_are_scaled_by_257_and_rounded() -> None:
    deep = (np.arange(2400, dtype=np.uint16) * 27).reshape(40, 60)
    expected = np.rint(deep / 257.0)
    for data in (encoded(Image.fromarray(deep), "PNG"), b"P5\n60 40\n65535\n" + deep.astype(">u2").tobytes()):
        np.testing.assert_array_equal(decode(data)[..., 1], expected)


def test_pgm_of_ten_bits_is_scaled_by_its_own_maximum() -> None:
    data = b"P5\n# camera\n60 40\n1023\n" + np.full((40, 60), 1023, ">u2").tobytes()
    assert (decode(data) == 255).all()


def test_cmyk_jpeg_keeps_its_colours() -> None:
    plain = np.full((40, 60, 3), (200, 30, 60), np.uint8)
    found = decode(encoded(Image.fromarray(plain).convert("CMYK"), "JPEG", quality=95))
    assert np.abs(found.astype(int) - plain).max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_turns_the_image_upright(picture: np.ndarray, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"PNG": {}, "WEBP": {"lossless": True}, "JPEG": {"quality": 98, "subsampling": 0}}[kind]
    data = encoded(Image.fromarray(picture), kind, exif=exif, **options)
    from PIL import ImageOps

    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    assert np.abs(decode(data).astype(int) - upright).max() <= (4 if kind == "JPEG" else 0)


def test_exif_orientation_turns_an_image_with_alpha(picture: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(picture).convert("RGBA"), "PNG", exif=exif)
    np.testing.assert_array_equal(decode(data), np.rot90(picture, -1))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "PPM"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.98])
def test_truncated_file_is_refused(kind: str, kept: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(DataError, match="truncated"):
        decode(data[: int(len(data) * kept)])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty file"),
        (b"this is no picture" * 40, "not an image: expected JPEG"),
        (b"\xff\xd8\xff" + b"\x00" * 400, "truncated|damaged"),
    ],
)
def test_what_is_no_image_says_so(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        decode(data)


def test_tiny_image_is_too_small_to_hold_a_face() -> None:
    with pytest.raises(DataError, match="image is 1×1 px; at least 8×8"):
        decode(encoded(Image.new("RGB", (1, 1)), "PNG"))


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="file is missing"):
        read_image(tmp_path / "none.jpg")
    with pytest.raises(DataError, match="file cannot be read: expected a file, found a folder"):
        read_image(tmp_path)


def test_bytes_and_file_give_the_same(tmp_path: Path, picture: np.ndarray) -> None:
    data = encoded(Image.fromarray(picture), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), read_image(data))
