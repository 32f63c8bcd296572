from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from recog_restore import resources
from recog_restore.cli import restore
from recog_restore.detect import DETECTORS, Detections, Detector
from recog_restore.engine.drift import COLUMNS
from recog_restore.geometry import CANONICAL_128
from recog_restore.preprocess import PREPROCESSORS, Card, Preprocessor


class Middle(Detector):
    """Finds one face in the middle of every image but a black one."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        height, width = image.shape[:2]
        points = (CANONICAL_128[None] - 63.5) * 0.5 + (width / 2, height / 2)
        points = points[: int(image.any())]
        return Detections(np.zeros((len(points), 4)), points, np.ones(len(points)))

    def identity(self) -> dict[str, object]:
        return {"detector": "middle"}


@pytest.fixture(autouse=True)
def middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DETECTORS._entries, "middle", Middle)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Return a folder of a JPEG, a PNG in a folder below, a photo without a face and a damaged one."""
    album = tmp_path / "album"
    (album / "below").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    cv2.imwrite(str(album / "one.jpg"), pixels)
    cv2.imwrite(str(album / "below" / "two.png"), pixels)
    cv2.imwrite(str(album / "black.png"), pixels * 0)
    (album / "damaged.png").write_bytes((album / "below" / "two.png").read_bytes()[:200])
    (album / "notes.txt").write_text("not a photo")
    return album


def run(*arguments: object) -> Result:
    return CliRunner().invoke(restore, [str(a) for a in arguments])


def photo_run(album: Path | str, out: Path, *more: object) -> Result:
    return run(album, out, "--pre", "bicubic-down4", "--detector", "middle:x", "--device", "cpu", *more)


def test_a_folder_is_restored_and_summed_up(album: Path, tmp_path: Path) -> None:
    done = photo_run(album, tmp_path / "out", "--compare")
    assert done.exit_code == 1  # one is damaged
    assert "restored 2 faces in 2 photos of 4\n" in done.stdout
    assert "passed through: 1 photo: no face was found (black.png)\n" in done.stdout
    assert "failed: 1 photo: damaged or truncated PNG" in done.stdout
    written = {str(f.relative_to(tmp_path / "out")) for f in (tmp_path / "out").rglob("*.*")}
    assert written == {
        *("one.png", "one.json", "one.compare.png", "black.png", "black.json"),
        *("below/two.png", "below/two.json", "below/two.compare.png"),
    }
    assert cv2.imread(str(tmp_path / "out" / "one.compare.png")).shape == (256, 512, 3)


def test_outputs_say_that_they_are_synthesized_and_how(album: Path, tmp_path: Path) -> None:
    photo_run(album, tmp_path / "out", "--strength", "0.5")
    with Image.open(tmp_path / "out" / "one.png") as image:
        comment = image.text["Comment"]  # type: ignore[attr-defined]
        assert comment == "synthesized: 1 face is the output of bicubic-down4,strength=0.5 (degrade)"
    notes = json.loads((tmp_path / "out" / "one.json").read_text("utf-8"))
    assert notes["synthesized"] is True
    assert notes["source"] == {"name": "one.jpg", "sha256": digest(album / "one.jpg")}
    assert notes["preprocessor"]["settings"] == {"strength": 0.5}
    assert notes["detector"] == {"detector": "middle"}
    assert [(face["outcome"], face["scale"]) for face in notes["faces"]] == [("restored", 2.0)]
    notes = json.loads((tmp_path / "out" / "black.json").read_text("utf-8"))
    assert (notes["synthesized"], notes["copied"]) == (False, digest(album / "black.png"))


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_two_runs_give_the_same_bytes_and_strength_zero_the_same_pixels(album: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        photo_run(album, tmp_path / name)
    for file in (tmp_path / "a").rglob("*.*"):
        assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes()
    photo_run(album, tmp_path / "zero", "--strength", "0")
    before, after = cv2.imread(str(album / "below" / "two.png")), cv2.imread(str(tmp_path / "zero/below/two.png"))
    np.testing.assert_array_equal(after, before)


def test_one_photo_and_a_pattern_are_taken_and_outputs_below_the_folder_are_not(album: Path, tmp_path: Path) -> None:
    assert photo_run(album / "one.jpg", tmp_path / "one").exit_code == 0
    assert sorted(f.name for f in (tmp_path / "one").iterdir()) == ["one.json", "one.png"]
    assert "in 2 photos of 2" in photo_run(f"{album}/**/[ot]*.???", tmp_path / "two").stdout
    assert (tmp_path / "two" / "below" / "two.png").exists()
    for _ in range(2):
        assert "of 4\n" in photo_run(album, album / "out").stdout


@pytest.mark.parametrize("pattern", ["album/**/*.png", "al*/**/*.png", "./album/**/*"])
def test_outputs_of_an_earlier_run_are_no_photos_of_a_pattern(
    pattern: str, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = (photo_run(pattern, Path("album", "out"), "--compare", "--judge", "lbp") for _ in range(2))
    assert first.stdout.startswith("restored ")
    assert second.stdout == first.stdout
    assert not list((album / "out").rglob("*.compare.compare.png"))
    assert (album / "out" / "below" / "two.png").exists()


def test_a_pattern_within_the_folder_to_write_to_is_refused_as_it_would_overwrite(album: Path) -> None:
    kept = digest(album / "below" / "two.png")
    done = photo_run(f"{album}/below/*.png", album / "below")
    assert done.exit_code == 2
    assert "two.png: would be written to" in done.stderr
    assert digest(album / "below" / "two.png") == kept


def test_names_that_are_no_text_or_would_ring_are_written_out(album: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(b"a\xff\x1b[2J.png"))
    (album / "below" / "two.png").rename(album / odd)
    (album / "black.png").rename(album / os.fsdecode(b"b\xff\x1b[2J.png"))
    done = photo_run(album, tmp_path / "out", "--judge", "lbp")
    assert "restored 2 faces in 2 photos of 4\n" in done.stdout
    assert r"no face was found (b\udcff\x1b[2J.png)" in done.stdout
    assert "\x1b" not in done.output
    notes = (tmp_path / "out" / odd.with_suffix(".json")).read_bytes()
    assert notes.isascii()
    assert json.loads(notes)["source"]["name"] == str(odd)
    assert r"a\udcff\x1b[2J.png#1" in (tmp_path / "out" / "drift.csv").read_text("utf-8")


def test_the_drift_of_every_face_is_told_with_those_that_moved_most(album: Path, tmp_path: Path) -> None:
    done = photo_run(album, tmp_path / "out", "--judge", "lbp", "--judge", "cosface-synthpie")
    assert "drift of 2 faces by bicubic-down4, judged by lbp: mean cosine" in done.stdout
    assert "judged by cosface-synthpie: mean cosine" in done.stdout
    assert "warning" not in done.stdout
    rows = [row.split(",") for row in (tmp_path / "out" / "drift.csv").read_text().splitlines()[1:]]
    assert [row[:4] for row in rows] == [
        ["bicubic-down4", judge, "yes", name]
        for judge in ("lbp", "cosface-synthpie")
        for name in ("below/two.png#1", "one.jpg#1")
    ]
    assert all(row[4] == "yes" and -1 <= float(row[5]) < 0.999 for row in rows)
    assert cv2.imread(str(tmp_path / "out" / "drift.png")).shape == (256, 256, 3)
    with Image.open(tmp_path / "out" / "drift.png") as image:
        comment = image.text["Comment"]  # type: ignore[attr-defined]
    assert comment == "synthesized: 2 faces are the output of bicubic-down4 (degrade)"


def test_a_restorer_that_only_its_teacher_judges_is_warned_of(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8))
    arguments = (tmp_path / "a.png", tmp_path / "out", "--pre", "mdfr", "--aligned", "--device", "cpu")
    done = run(*arguments, "--judge", "arcface-synthpie")
    assert "warning: the drift of mdfr has no independent judge: a loss of its training used arcface" in done.stdout
    done = run(*arguments, "--drift")
    assert "judged by cosface-synthpie: mean cosine" in done.stdout
    assert "no independent judge" not in done.stdout
    assert "warning: cosface-synthpie knows rendered people only" in done.stdout


def test_a_photo_does_not_take_the_place_of_the_drift(album: Path, tmp_path: Path) -> None:
    (album / "one.jpg").rename(album / "drift.jpg")
    done = photo_run(album, tmp_path / "out", "--judge", "lbp")
    assert done.exit_code == 2
    assert "drift.png, which is taken by --drift" in done.stderr


def test_without_a_face_there_is_no_drift(album: Path, tmp_path: Path) -> None:
    done = photo_run(album / "black.png", tmp_path / "out", "--judge", "lbp")
    assert "drift: no face was restored\n" in done.stdout
    assert not (tmp_path / "out" / "drift.csv").exists()


def test_aligned_crops_need_no_detector(tmp_path: Path) -> None:
    crop = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), crop)
    done = run(tmp_path / "a.png", tmp_path / "out", "--pre", "gamma", "--aligned")
    assert done.exit_code == 0, done.output
    assert "restored 1 face in 1 photo of 1" in done.stdout
    assert cv2.imread(str(tmp_path / "out" / "a.png")).shape == crop.shape


def test_the_first_line_says_which_faces_it_is_made_for(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((112, 112, 3), np.uint8))
    done = run(tmp_path / "a.png", tmp_path / "out", "--pre", "mdfr", "--aligned", "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert done.stderr.startswith("mdfr: frontalize · aligned crops")
    assert "\nTested on: rendered faces only" in done.stderr
    assert "; paints for a recognizer, not for the eye.\n" in done.stderr
    assert done.stderr.splitlines()[0].endswith("· aligned crops · cpu")


def test_a_large_face_is_said_to_become_softer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Large(Middle):
        def detect(self, image: NDArray[np.uint8]) -> Detections:
            points = (CANONICAL_128[None] - 63.5) * 2 + 150
            return Detections(np.zeros((1, 4)), points, np.ones(1))

    monkeypatch.setitem(DETECTORS._entries, "middle", Large)
    cv2.imwrite(str(tmp_path / "a.png"), np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8))
    done = photo_run(tmp_path / "a.png", tmp_path / "out")
    assert "1 restored face larger than the crop: softer than the photo" in done.stdout


def test_nothing_is_overwritten_that_is_an_input(album: Path) -> None:
    cv2.imwrite(str(album / "one.png"), np.zeros((50, 50, 3), np.uint8))
    kept = digest(album / "one.png")
    done = photo_run(album / "one.png", album)
    assert done.exit_code == 2
    assert "one.png: would be written to" in done.stderr
    assert digest(album / "one.png") == kept


def test_photos_of_one_name_and_other_endings_are_all_restored(album: Path, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    for name in ("one.png", "one.bmp", "Two.jpg"):
        cv2.imwrite(str(album / name), pixels)
    for _ in range(2):
        done = photo_run(album, tmp_path / "out")
        assert "restored 5 faces in 5 photos of 7\n" in done.stdout
        written = {f.name for f in (tmp_path / "out").iterdir()} - {"below", "black.png", "black.json"}
        assert {name for name in written if name[0] != "."} == {
            *("one.png", "one.json", "one.jpg.png", "one.jpg.json", "one.bmp.png", "one.bmp.json"),
            *("Two.png", "Two.json"),
        }
    cv2.imwrite(str(album / "one.jpg.png"), np.zeros((50, 50, 3), np.uint8))
    done = photo_run(album, tmp_path / "out")
    assert done.exit_code == 2
    assert "one.jpg.png: would be written to" in done.stderr
    assert "which is taken by" in done.stderr


def test_a_run_into_the_folder_of_the_photos_replaces_its_own_first(tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    cv2.imwrite(str(album / "b.jpg"), pixels)
    cv2.imwrite(str(album / "black.jpg"), pixels * 0)
    kept = {name: digest(album / name) for name in ("b.jpg", "black.jpg")}
    for strength in ("1", "0.5", "0"):
        done = photo_run(album, album, "--strength", strength)
        assert done.exit_code == 0, done.output
        assert "of 2\n" in done.stdout
        assert (album / "b.png").exists() == (strength != "0")
        assert {name: digest(album / name) for name in kept} == kept
    # The originals are nobody's copies, though their .json has their hash.
    (tmp_path / "other").mkdir()
    cv2.imwrite(str(tmp_path / "other" / "b.jpg"), pixels * 0)
    done = photo_run(tmp_path / "other", album)
    assert "b.jpg: would be overwritten, and rr-restore did not write it" in done.stderr
    assert digest(album / "b.jpg") == kept["b.jpg"]


def test_a_photo_that_no_face_touches_is_copied_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    ramp = np.tile(np.linspace(0, 255, 128), (128, 1)).astype(np.uint8)
    Image.fromarray(np.dstack([ramp] * 4), "RGBA").save(tmp_path / "in" / "alpha.png")
    Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / "in" / "deep.tif")
    Image.fromarray(ramp).save(tmp_path / "in" / "profile.jpg", icc_profile=b"profile" * 20)
    names = ("alpha.png", "deep.tif", "profile.jpg")
    arguments = (tmp_path / "in", tmp_path / "out", "--pre", "gamma", "--aligned", "--device", "cpu")
    for _ in range(2):
        done = run(*arguments, "--gate", "quality<0")
        assert "passed through: 3 photos" in done.stdout
        assert [digest(tmp_path / "out" / name) for name in names] == [digest(tmp_path / "in" / name) for name in names]
    done = run(*arguments)  # what was copied gives way to what is restored
    assert "restored 3 faces" in done.stdout
    written = {f.name for f in (tmp_path / "out").iterdir() if f.suffix != ".json" and f.name[0] != "."}
    assert written == {"alpha.png", "deep.png", "profile.png"}
    (tmp_path / "out" / "deep.tif").write_bytes(b"somebody else's")
    assert "deep.tif: would be overwritten" in run(*arguments).stderr


def test_what_is_no_photo_and_what_cannot_be_read_is_counted(album: Path, tmp_path: Path) -> None:
    (album / "raw.dng").write_bytes(b"II*\0")
    (album / "gone.jpg").symlink_to("nowhere.jpg")
    (album / "loop.jpg").symlink_to("loop.jpg")
    (album / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 60)
    (album / "link").symlink_to(album / "below")
    os.mkfifo(album / "fifo.jpg")
    done = photo_run(album, tmp_path / "out")
    assert done.exit_code == 1
    assert "restored 2 faces in 2 photos of 8\n" in done.stdout
    for line in (
        "failed: 1 photo: file cannot be read: expected a regular file, found a FIFO (fifo.jpg)",
        "failed: 1 photo: file is missing (gone.jpg)",
        "failed: 1 photo: file cannot be read: Too many levels of symbolic links (loop.jpg)",
        "failed: 1 photo: damaged or truncated HEIC",
        "left out 2: link (a link to a folder), raw.dng (.dng is not read)",
    ):
        assert line in done.stdout
    for file in album.iterdir():
        if file.suffix != ".dng":
            file.unlink() if not file.is_dir() or file.is_symlink() else shutil.rmtree(file)
    assert "expected a photo, a folder that holds some" in (only := photo_run(album, tmp_path / "more").stderr)
    assert "left out 1: raw.dng (.dng is not read)" in only.replace("\n", " ")


def test_a_name_that_is_too_long_for_what_belongs_to_it_is_a_failure_of_that_photo(album: Path, tmp_path: Path) -> None:
    (album / "one.jpg").rename(album / f"{'a' * 246}.jpg")
    done = photo_run(album, tmp_path / "out")
    assert "restored 2 faces in 2 photos of 4\n" in done.stdout
    done = photo_run(album, tmp_path / "out", "--compare")  # .compare.png is longer
    assert "restored 1 face in 1 photo of 4\n" in done.stdout
    assert "cannot be written: File name too long" in done.stdout
    assert {f.name for f in (tmp_path / "out").iterdir() if f.name[0] != "."} == {"below", "black.json", "black.png"}


def test_the_drift_of_photos_has_no_default_judge(album: Path, tmp_path: Path) -> None:
    done = photo_run(album, tmp_path / "out", "--drift")
    assert done.exit_code == 2
    assert "--drift: photos need a judge that knows real faces, as --judge SPEC" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "out", "--pre", "clahe", "--aligned"], "nowhere: expected a photo, a folder that holds some"),
        (["nowhere", "out", "--pre", "clahe"], "expected either --detector yunet:FILE"),
        (["nowhere", "out", "--pre", "clahe", "--aligned", "--detector", "middle:x"], "expected either --detector"),
        (["nowhere", "out", "--pre", "clahee", "--aligned"], "did you mean 'clahe'"),
        (["nowhere", "out", "--pre", "clahe,strength=1", "--strength", "1", "--aligned"], "'strength' is given twice"),
        (["nowhere", "out", "--pre", "clahe", "--aligned", "--device", "tpu"], "--device tpu: expected auto"),
    ],
)
def test_misuse_says_the_way_out(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_a_folder_that_cannot_be_written_is_named(album: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    done = photo_run(album / "one.jpg", tmp_path / "file" / "out")
    assert done.exit_code == 1
    assert "out: Not a directory" in done.stderr


def test_out_must_be_a_folder(album: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    done = photo_run(album / "one.jpg", tmp_path / "out")
    assert done.exit_code == 2
    assert "out: expected a folder to write to, this is a file" in done.stderr
    done = photo_run(album / "one.jpg", tmp_path / "restored.PNG")
    assert done.exit_code == 2
    assert "restored.PNG: OUT is the folder that photos are written to, not a photo; leave out .PNG" in done.stderr
    assert not (tmp_path / "restored.PNG").exists()


@pytest.mark.parametrize("name", ["one.json", "one.png", "one.compare.png", "drift.csv", "drift.png"])
@pytest.mark.parametrize("content", ["picture", "text"])
def test_files_of_somebody_else_are_not_overwritten(album: Path, tmp_path: Path, name: str, content: str) -> None:
    file = tmp_path / "out" / name
    file.parent.mkdir()
    file.write_bytes((album / "below" / "two.png").read_bytes() if content == "picture" else b'{"software": "other"}')
    kept = digest(file)
    done = photo_run(album, tmp_path / "out", "--compare", "--judge", "lbp")
    assert done.exit_code == 2
    assert f"{name}: would be overwritten, and rr-restore did not write it; move it" in done.stderr
    assert [f.name for f in file.parent.iterdir()] == [name]
    assert digest(file) == kept


def test_what_an_earlier_run_wrote_and_this_one_does_not_is_removed(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert photo_run(album / "one.jpg", out, "--compare", "--judge", "lbp").exit_code == 0
    (out / "other.json").write_text("{}")
    assert len(list(out.iterdir())) == 6
    assert photo_run(album / "one.jpg", out).exit_code == 0
    assert sorted(f.name for f in out.iterdir()) == ["one.json", "one.png", "other.json"]
    (album / "one.jpg").write_bytes(b"nothing")
    assert photo_run(album / "one.jpg", out).exit_code == 1
    assert [f.name for f in out.iterdir()] == ["other.json"]


def test_the_drift_of_another_command_is_not_removed(album: Path, tmp_path: Path) -> None:
    table = tmp_path / "out" / "drift.csv"
    table.parent.mkdir()
    table.write_text(",".join(COLUMNS) + "\n")
    assert photo_run(album / "one.jpg", tmp_path / "out").exit_code == 0
    assert table.exists()
    done = photo_run(album / "one.jpg", tmp_path / "out", "--judge", "lbp")
    assert "drift.csv: would be overwritten, and rr-restore did not write it" in done.stderr


def test_a_photo_that_is_called_like_a_sheet_is_no_stale_sheet(album: Path, tmp_path: Path) -> None:
    (album / "below" / "two.png").rename(album / "one.compare.png")
    for _ in range(2):
        photo_run(album, tmp_path / "out")
        assert {"one.png", "one.compare.png"} <= {f.name for f in (tmp_path / "out").iterdir()}


def test_faces_outside_the_gate_pass_through(album: Path, tmp_path: Path) -> None:
    done = photo_run(album, tmp_path / "out", "--gate", "size<10")
    assert "restored 0 faces in 0 photos of 4\n" in done.stdout
    assert "passed through: 2 photos: gate size<10 leaves it as it is (two.png, …)\n" in done.stdout
    notes = json.loads((tmp_path / "out" / "one.json").read_text("utf-8"))
    assert (notes["outcome"], notes["gate"]) == ("passed through", "size < 10")
    assert notes["faces"][0]["reason"] == "gate size<10 leaves it as it is"
    assert "restored 2 faces" in photo_run(album, tmp_path / "out", "--gate", "size<20 and quality>1").stdout


class Paler(Preprocessor):
    """A restorer that makes faces brighter."""

    card = Card("paler", "restore", "paler")

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        return images * 0.5 + 0.5


@pytest.mark.parametrize(("options", "brighter"), [((), False), (("--colours", "network"), True)])
def test_a_restorer_keeps_the_colours_of_the_photo(
    options: tuple[str, ...], brighter: bool, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PREPROCESSORS._entries, "paler", Paler)
    arguments = (album / "below" / "two.png", tmp_path / "out", "--pre", "paler", "--detector", "middle:x")
    assert run(*arguments, "--device", "cpu", "--compare", *options).exit_code == 0
    shown = cv2.imread(str(tmp_path / "out" / "two.compare.png")).astype(float)
    assert (shown[:, 256:].mean() - shown[:, :256].mean() > 50) == brighter
    notes = json.loads((tmp_path / "out" / "two.json").read_text("utf-8"))
    assert notes["colours"] == ("network" if brighter else "photo")


def test_a_picture_names_the_card_and_its_weights_but_no_path(tmp_path: Path) -> None:
    folder = Path(str(resources.folder("models"))) / "mdfr-restore"
    cv2.imwrite(str(tmp_path / "a.png"), np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8))
    pre = f"card:{folder},strength=0.5+clahe"
    done = run(tmp_path / "a.png", tmp_path / "out", "--pre", pre, "--aligned", "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert done.stderr.startswith(f"{pre}: restore; enhance · ")
    assert "\nTested on: aligned real faces" in done.stderr
    with Image.open(tmp_path / "out" / "a.png") as image:
        comment = image.text["Comment"]  # type: ignore[attr-defined]
    name = f"mdfr-restore,strength=0.5 {digest(folder / 'weights.safetensors')[:12]}"
    assert comment == f"synthesized: 1 face is the output of {name}+clahe (restore; enhance)"
