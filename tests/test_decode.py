from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from recog_restore import decode as decoding
from recog_restore.decode import MAX_PIXELS, decode, read_image
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


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "WEBP", "TIFF"])
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


def test_exif_orientation_is_found_behind_fill_bytes(picture: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(picture), "JPEG", exif=exif)
    np.testing.assert_array_equal(decode(data[:2] + b"\xff\xff" + data[2:]), decode(data))


def test_exif_orientation_turns_an_image_with_alpha(picture: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(picture).convert("RGBA"), "PNG", exif=exif)
    np.testing.assert_array_equal(decode(data), np.rot90(picture, -1))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "PPM", "GIF", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.98])
def test_truncated_file_is_refused(kind: str, kept: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    register_heif_opener()
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(DataError, match="truncated"):
        decode(data[: int(len(data) * kept)])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty file"),
        (b"this is no picture" * 40, "not an image: expected JPEG"),
        (b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 60, "not an image: expected JPEG"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 60, "JPEG 2000 is not read: expected JPEG, .* or HEIC content"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 60, "damaged or truncated HEIC: 72 bytes do not decode"),
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


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}])
@pytest.mark.parametrize("kept", [0.4, 0.7, 0.9])
@pytest.mark.parametrize("tail", ["cut", "zeroed"])
def test_a_jpeg_of_which_the_decoder_warns_is_refused(
    options: dict[str, object], kept: float, tail: str, capfd: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG", **options)
    whole = int(len(data) * kept)
    damaged = data[:whole] + b"\0" * (len(data) - whole - 2) * (tail == "zeroed") + b"\xff\xd9"
    with pytest.raises(DataError, match="damaged or truncated JPEG: Corrupt JPEG data: "):
        decode(damaged)
    assert capfd.readouterr().err == ""


def test_what_follows_the_end_of_a_jpeg_is_ignored(picture: np.ndarray) -> None:
    data = encoded(Image.fromarray(picture), "JPEG")
    np.testing.assert_array_equal(decode(data + b"maker's notes" * 50), decode(data))
    np.testing.assert_array_equal(decode(data[:-2] + b"\xff\xff\xff\xd9"), decode(data))  # fill bytes


def test_the_first_picture_of_an_animation_or_of_several_pages_is_taken(picture: np.ndarray) -> None:
    first, second = (Image.fromarray(image).quantize(200) for image in (picture, 255 - picture))
    expected = np.asarray(first.convert("RGB"))
    for kind in ("GIF", "TIFF", "PNG"):
        data = encoded(first, kind, save_all=True, append_images=[second])
        np.testing.assert_array_equal(decode(data), expected)


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_avif_and_heic_are_read(picture: np.ndarray, kind: str, mode: str) -> None:
    register_heif_opener()
    image = Image.fromarray(picture).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(np.full((40, 60), 128, np.uint8)))
    found = decode(encoded(image, kind, quality=100, subsampling="4:4:4", chroma=444))
    assert np.abs(found - picture * (128 / 255 if mode == "RGBA" else 1.0)).max() <= 6


def test_an_avif_is_turned_upright(picture: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = decode(encoded(Image.fromarray(picture), "AVIF", quality=100, subsampling="4:4:4", exif=exif))
    assert np.abs(found.astype(int) - np.rot90(picture, -1)).max() <= 6


def test_heic_without_its_library_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(DataError, match=r"HEIC: its decoder is not installed; pip install 'recog-restore\[heic\]'"):
        decode(b"\0\0\0\x18ftypheic" + b"\0" * 60)


def test_cmyk_and_sixteen_bit_tiffs_keep_their_colours(picture: np.ndarray) -> None:
    cmyk = Image.fromarray(picture).convert("CMYK")
    np.testing.assert_array_equal(decode(encoded(cmyk, "TIFF")), picture)
    deep = (np.arange(2400, dtype=np.uint16) * 27).reshape(40, 60)
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(deep), "TIFF"))[..., 1], np.rint(deep / 257.0))
    with pytest.raises(DataError, match="pixels are float32; expected 8 or 16 bits a channel"):
        decode(encoded(Image.fromarray(deep.astype(np.float32)), "TIFF"))


def bomb(kind: str, width: int, height: int) -> bytes:
    """Return a small image whose header claims another size, which does not decode."""
    data = bytearray(
        encoded(Image.new("RGB", (16, 16)).quantize() if kind == "GIF" else Image.new("RGB", (16, 16)), kind)
    )
    order, at = {
        "PNG": (">II", 16),
        "JPEG": (">HH", data.find(b"\xff\xc0") + 5),
        "WEBP": ("<HH", 26),
        "BMP": ("<ii", 18),
        "GIF": ("<HH", 6),
    }[kind]
    data[at : at + struct.calcsize(order)] = struct.pack(
        order, *((height, width) if kind == "JPEG" else (width, height))
    )
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        *((bomb(kind, 16_000, 15_000), "16000×15000") for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF")),
        (b"P5\n# a comment\n1000000 1000000\n255\n", "1000000×1000000"),
        (b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHIIHHII", 256, 4, 1, 30_000, 257, 4, 1, 30_000), "30000×30000"),
        (
            b"MM\0*\0\0\0\x08\0\x02" + struct.pack(">HHIHHHHIHH", 256, 3, 1, 30_000, 0, 257, 3, 1, 30_000, 0),
            "30000×30000",
        ),
    ],
)
def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(data: bytes, size: str) -> None:
    with pytest.raises(DataError, match=f"image is {size} px, .* at most 134 million are decoded; set RECOG_RESTORE_"):
        decode(data)


def test_the_limit_is_what_the_variable_says(picture: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.fromarray(picture), "PNG")
    for kind in ("PNG", "JPEG", "AVIF"):
        monkeypatch.setenv("RECOG_RESTORE_MAX_PIXELS", "2399")
        with pytest.raises(DataError, match="image is 60×40 px, 0 million pixels; at most 0 million are decoded"):
            decode(encoded(Image.fromarray(picture), kind))
        monkeypatch.setenv("RECOG_RESTORE_MAX_PIXELS", "2400")
        assert decode(encoded(Image.fromarray(picture), kind)).shape == (40, 60, 3)
    monkeypatch.setenv("RECOG_RESTORE_MAX_PIXELS", "many")
    with pytest.raises(
        DataError, match=f"RECOG_RESTORE_MAX_PIXELS=many: expected a number of pixels, such as {MAX_PIXELS}"
    ):
        decode(data)


def test_a_large_image_is_converted_band_by_band(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (50, 30, 4), dtype=np.uint8), "RGBA")
    whole = decode(encoded(image, "PNG"))
    monkeypatch.setattr(decoding, "_BAND", 100)
    np.testing.assert_array_equal(decode(encoded(image, "PNG")), whole)


def test_lack_of_memory_is_the_reason(picture: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("cv2.imdecodeWithMetadata", none_left)
    with pytest.raises(DataError, match="PNG: there is not enough memory to decode it"):
        decode(encoded(Image.fromarray(picture), "PNG"))
