from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from recog_restore.detect import Detections, Detector
from recog_restore.engine.face_gate import FaceGate
from recog_restore.engine.marked import png
from recog_restore.engine.restore import restore_photos
from recog_restore.errors import RecordError
from recog_restore.geometry import CANONICAL_128, CROPS, canonical_crop, similarity
from recog_restore.preprocess import Card, Gate, Preprocessor
from recog_restore.preprocess.gate import Facts
from recog_restore.preprocess.gate import create as create_gate
from recog_restore.preprocess.paste import paste, relit
from recog_restore.preprocess.spec import create

FACES = (CANONICAL_128 * 0.5 + (10, 20), CANONICAL_128 * 0.7 + (90, 15))


class Fixed(Detector):
    """Finds the same faces in every image that is not black."""

    def __init__(self, points: tuple[NDArray[np.float64], ...] = FACES) -> None:
        self.points = points

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        points = np.array(self.points).reshape(-1, 5, 2) if image.any() else np.zeros((0, 5, 2))
        boxes = np.hstack([points.min(axis=1), points.max(axis=1) - points.min(axis=1)])
        return Detections(boxes, points, np.ones(len(points)))

    def identity(self) -> dict[str, object]:
        return {"detector": "fixed"}


class Negative(Preprocessor):
    """Turns bright into dark; faces whose first pixel is white become not a number."""

    card = Card("negative", "enhance", "negative")

    def restore(self, images: torch.Tensor, landmarks: torch.Tensor | None) -> torch.Tensor:
        assert landmarks is not None
        torch.testing.assert_close(landmarks[0], torch.from_numpy(CANONICAL_128).float(), atol=1e-3, rtol=0)
        output = 1 - images
        output[(images[:, 0, 64, 64] > 0.99)] = torch.nan
        return output


def photo(path: Path, seed: int = 0, white: bool = False) -> Path:
    pixels = np.random.default_rng(seed).integers(40, 200, (120, 200, 3), dtype=np.uint8)
    if white:
        pixels[:, :85] = 255
    cv2.imwrite(str(path), pixels[:, :, ::-1])
    return path


def test_every_face_is_cut_restored_and_put_back_where_it_was(tmp_path: Path) -> None:
    files = [photo(tmp_path / f"{i}.png", i) for i in range(3)]
    done = list(restore_photos(files, Negative(), Fixed(), batch=2))
    assert [p.source for p in done] == files
    for index, found in enumerate(done):
        image = np.random.default_rng(index).integers(40, 200, (120, 200, 3), dtype=np.uint8)
        crops = [255 - canonical_crop(image, points) for points in FACES]
        expected = paste(image, crops, [similarity(points, CANONICAL_128) for points in FACES])
        assert found.outcome == "restored"
        assert found.image is not None
        np.testing.assert_array_equal(found.image, expected)
        assert [face.outcome for face in found.faces] == ["restored", "restored"]
        assert [round(face.scale, 3) for face in found.faces] == [2.0, round(1 / 0.7, 3)]


def test_a_face_that_fails_stays_and_the_other_one_is_restored(tmp_path: Path) -> None:
    (done,) = restore_photos([photo(tmp_path / "a.png", white=True)], Negative(), Fixed())
    assert [(face.outcome, face.reason) for face in done.faces] == [
        ("failed", "negative: output is not finite"),
        ("restored", ""),
    ]
    assert done.outcome == "restored"
    assert done.image is not None
    assert (done.image[:, :60] == 255).all()
    (alone,) = restore_photos([tmp_path / "a.png"], Negative(), Fixed(FACES[:1]))
    assert (alone.outcome, alone.reason) == ("failed", "negative: output is not finite")


def test_landmarks_that_determine_no_crop_are_the_reason(tmp_path: Path) -> None:
    (done,) = restore_photos([photo(tmp_path / "a.png")], create("clahe"), Fixed((np.ones((5, 2)),)))
    assert (done.outcome, done.reason) == ("failed", "all landmarks coincide")


def test_strength_zero_and_a_photo_without_a_face_pass_through_bit_for_bit(tmp_path: Path) -> None:
    file = photo(tmp_path / "a.png")
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((50, 60, 3), np.uint8))
    kept, black = restore_photos([file, tmp_path / "b.png"], create("bicubic-down4,strength=0"), Fixed())
    assert (kept.outcome, kept.reason) == ("passed through", "bicubic-down4,strength=0 leaves it as it is")
    assert kept.image is not None
    np.testing.assert_array_equal(kept.image, cv2.imread(str(file))[:, :, ::-1])
    assert (black.outcome, black.reason, black.faces) == ("passed through", "no face was found", ())


def test_a_file_that_is_no_photo_fails_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    done = list(restore_photos([tmp_path / "a.png", photo(tmp_path / "b.png")], create("clahe"), Fixed()))
    assert [p.outcome for p in done] == ["failed", "restored"]
    assert done[0].image is None
    assert "not an image: expected JPEG" in done[0].reason


@pytest.mark.parametrize("crop", CROPS)
def test_an_aligned_crop_keeps_its_size_and_is_never_warped(tmp_path: Path, crop: str) -> None:
    whole = np.random.default_rng(0).integers(0, 200, (128, 128, 3), dtype=np.uint8)
    part = np.ascontiguousarray(whole[CROPS[crop]])
    cv2.imwrite(str(tmp_path / "a.png"), part[:, :, ::-1])
    (done,) = restore_photos([tmp_path / "a.png"], Negative(), None)
    assert done.image is not None
    np.testing.assert_array_equal(done.image, 255 - part)
    np.testing.assert_array_equal(done.faces[0].points, CANONICAL_128 - (CROPS[crop][1].start, 0))


class Darker(Preprocessor):
    """Restores, and makes it darker."""

    card = Card("darker", "restore", "darker")

    def restore(self, images: torch.Tensor, landmarks: torch.Tensor | None) -> torch.Tensor:
        return images * 0.5


def test_a_restorer_keeps_the_light_of_a_photo_unless_told_otherwise(tmp_path: Path) -> None:
    file = photo(tmp_path / "a.png")
    (kept,) = restore_photos([file], Darker(), Fixed())
    (own,) = restore_photos([file], Darker(), Fixed(), colours="network")
    for mine, theirs in zip(kept.faces, own.faces, strict=True):
        np.testing.assert_array_equal(mine.after, relit(theirs.after, mine.before))
        assert abs(mine.after.mean() - mine.before.mean()) < 1
        assert theirs.after.mean() < mine.before.mean() * 0.51


def test_an_aligned_crop_has_what_the_restorer_made(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((112, 112, 3), 100, np.uint8))
    (done,) = restore_photos([tmp_path / "a.png"], Darker(), None)
    assert done.image is not None
    assert (done.image == 50).all()


@pytest.mark.parametrize("crop", CROPS)
def test_the_border_of_an_aligned_crop_goes_on_to_the_edge_of_the_canonical_one(tmp_path: Path, crop: str) -> None:
    part = np.random.default_rng(0).integers(1, 200, (128, 128, 3), dtype=np.uint8)[CROPS[crop]]
    cv2.imwrite(str(tmp_path / "a.png"), part[:, :, ::-1])
    (done,) = restore_photos([tmp_path / "a.png"], Negative(), None)
    rows, columns = CROPS[crop]
    y, x = (np.arange(128).clip(side.start, side.stop - 1) - side.start for side in (rows, columns))
    np.testing.assert_array_equal(done.faces[0].before, part[y][:, x])


class Learned(Gate):
    """Stands for a gate that was learned."""

    name, measures = "learned:gate.json", ("size",)

    def open(self, facts: Facts) -> NDArray[np.bool_]:
        return facts["size"] > 0

    def words(self) -> str:
        return "learned"


def test_a_learned_gate_is_refused() -> None:
    with pytest.raises(RecordError, match="--gate 'learned:gate.json': it was learned for one recognizer"):
        FaceGate(Learned())


def gate(text: str, *, aligned: bool = False) -> FaceGate:
    made = create_gate(text)
    assert made is not None
    return FaceGate(made, aligned=aligned)


def test_faces_outside_the_gate_stay_as_they_are(tmp_path: Path) -> None:
    file = photo(tmp_path / "a.png")
    (all_of_them,) = restore_photos([file], Negative(), Fixed())
    (done,) = restore_photos([file], Negative(), Fixed(), gate=gate("size<20"))  # 17.6 and 24.7 px
    assert [(face.outcome, face.reason) for face in done.faces] == [
        ("restored", ""),
        ("passed through", "gate size<20 leaves it as it is"),
    ]
    np.testing.assert_array_equal(done.faces[0].after, all_of_them.faces[0].after)
    assert done.image is not None
    original = cv2.imread(str(file))[:, :, ::-1]
    np.testing.assert_array_equal(done.image[:, 100:], original[:, 100:])
    (shut,) = restore_photos([file], Negative(), Fixed(), gate=gate("yaw>80 and quality<1e9"))
    assert (shut.outcome, shut.reason) == ("passed through", "gate yaw>80 and quality<1e9 leaves it as it is")
    np.testing.assert_array_equal(shut.image, original)


def test_a_quality_gate_sees_the_crop(tmp_path: Path) -> None:
    rough = np.random.default_rng(0).integers(0, 200, (128, 128, 3), dtype=np.uint8)
    for name, crop in (("rough", rough), ("smooth", rough // 200 + 90)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), crop)
    files = [tmp_path / "rough.png", tmp_path / "smooth.png"]
    done = restore_photos(files, Negative(), None, gate=gate("sharpness<80", aligned=True))
    assert [found.outcome for found in done] == ["passed through", "restored"]


@pytest.mark.parametrize(
    ("text", "aligned", "message"),
    [
        ("norm<18", False, "--gate 'norm<18': norm needs a recognizer; photos are gated by size, yaw, sharpness"),
        ("size<9 and drift<0.3", False, "drift needs a recognizer"),
        ("yaw>45", True, "--gate 'yaw>45': an aligned crop does not tell its yaw; take a quality score"),
    ],
)
def test_a_gate_that_one_face_does_not_decide_is_refused(text: str, aligned: bool, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        gate(text, aligned=aligned)


def test_an_aligned_crop_of_another_size_is_refused(tmp_path: Path) -> None:
    (done,) = restore_photos([photo(tmp_path / "a.png")], Negative(), None)
    assert done.outcome == "failed"
    assert done.reason == ("an aligned crop has 112×112 or 112×96 or 128×128 px (height×width), this image has 120×200")


def test_png_carries_its_texts_and_its_pixels(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(png(image, {"Software": "recog_restore", "Comment": "synthesized: 128×128"}))
    with Image.open(tmp_path / "a.png") as opened:
        np.testing.assert_array_equal(np.asarray(opened.convert("RGB")), image)
        assert opened.text == {"Software": "recog_restore", "Comment": "synthesized: 128×128"}  # type: ignore[attr-defined]


def test_every_chunk_of_a_png_has_its_checksum() -> None:
    data = png(np.zeros((8, 8, 3), np.uint8), {"Comment": "x"})
    at, kinds = 8, []
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        body, checksum = data[at + 4 : at + 8 + size], data[at + 8 + size : at + 12 + size]
        assert struct.pack(">I", zlib.crc32(body)) == checksum
        kinds.append(body[:4])
        at += 12 + size
    assert kinds[:2] == [b"IHDR", b"iTXt"]
    assert kinds[-1] == b"IEND"
