from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result

from recog_restore.cli import rr
from recog_restore.datasets.landmarks import FILE_NAME, read_landmarks
from recog_restore.decode import read_image
from recog_restore.errors import DataError
from recog_restore.geometry import canonical_crop
from recog_restore.results import read
from recog_restore.training.plan import Validation
from recog_restore.training.validation import check


def rr_run(*arguments: object) -> Result:
    return CliRunner().invoke(rr, [str(a) for a in arguments])


def evaluate(protocol: str, data: Path, out: Path, *more: object) -> Result:
    quick = ("--embedder", "lbp", "--draws", 0, "--faces", 0, "--store", out / "store", "--out", out, "--workers", 0)
    return rr_run("eval", "--protocol", protocol, "--data", data, *quick, *more)


@pytest.fixture
def people(drawn: Path, tmp_path: Path) -> Path:
    """Return a folder of four drawn people, with landmarks.csv; may be written to."""
    for person in sorted((drawn / "lfw-deepfunneled").iterdir())[:4]:
        shutil.copytree(person, tmp_path / "people" / person.name)
    shutil.copy(drawn / FILE_NAME, tmp_path / "people")
    return tmp_path / "people"


def test_what_is_suspect_is_said_by_rr_eval_and_by_rr_data_check(people: Path, tmp_path: Path) -> None:
    first = people / "Person_001" / "Person_001_0001.jpg"
    shutil.copy(first, people / "Person_002" / "Person_002_0001.jpg")
    said = "warning: 1 images stand under several people"
    done = evaluate("folder-verification", people, tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert said in done.stdout
    assert any(text.startswith(said.removeprefix("warning: ")) for text in read(tmp_path / "out").warnings)
    checked = rr_run("data", "check", "folder-verification", people)
    assert checked.exit_code == 0
    assert said in checked.stdout


def test_what_rr_eval_refuses_is_refused_by_rr_data_check(people: Path, tmp_path: Path) -> None:
    for person in sorted(people.glob("Person_*"))[1:]:
        shutil.rmtree(person)
    refused = evaluate("folder-verification", people, tmp_path / "out")
    checked = rr_run("data", "check", "folder-verification", people)
    assert refused.exit_code == checked.exit_code == 1
    assert "NOT  subjects: expected at least 2, found 1" in checked.stdout
    assert refused.stderr.splitlines()[-1].removeprefix("Error: ") in checked.stdout


def test_swapped_eyes_are_refused_by_both(people: Path, tmp_path: Path) -> None:
    lines = (people / FILE_NAME).read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    text = "\n".join([lines[0], *(",".join([r[0], *r[3:5], *r[1:3], *r[5:]]) for r in rows)])
    (people / FILE_NAME).write_text(text + "\n")
    for done in (
        evaluate("folder-verification", people, tmp_path / "out"),
        rr_run("data", "check", "folder-verification", people),
    ):
        assert done.exit_code == 1
        assert "of 12 faces cannot be a face's" in done.output
        assert "the eyes are swapped" in done.output
    assert not (tmp_path / "out" / "store").exists()
    with pytest.raises(DataError, match="the eyes are swapped"):  # before rr-train begins
        check(Validation("folder-verification", str(people)))


def test_a_folder_of_aligned_crops_gives_the_numbers_of_its_photos(people: Path, tmp_path: Path) -> None:
    names = sorted(file.relative_to(people).as_posix() for file in people.rglob("*.jpg"))
    points = read_landmarks(people / FILE_NAME, names)
    for name, found in zip(names, points, strict=True):
        crop = canonical_crop(read_image(people / name), found)[0:112, 8:120]
        file = tmp_path / "crops" / Path(name).with_suffix(".png")
        file.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(file), crop[:, :, ::-1])
    photos = evaluate("folder-verification", people, tmp_path / "photos")
    option = ("--set", "data.options.alignment=arcface-112")
    crops = evaluate("folder-verification", tmp_path / "crops", tmp_path / "out", *option)
    assert photos.exit_code == crops.exit_code == 0, crops.output
    assert read(tmp_path / "photos").values == read(tmp_path / "out").values
    asked = Validation("folder-verification", str(tmp_path / "crops"), {"alignment": "arcface-112"})
    check(asked)  # as rr-train does
    with pytest.raises(DataError, match="no landmarks found"):
        check(dataclasses.replace(asked, options={}))


@pytest.mark.parametrize("protocol", ["folder-verification", "folder-identification"])
def test_names_that_are_not_utf8_are_evaluated_and_shown(people: Path, tmp_path: Path, protocol: str) -> None:
    moved = tmp_path / os.fsdecode(b"p\xe9ople")
    people.rename(moved)
    (moved / "Person_001").rename(moved / os.fsdecode(b"Jos\xe9"))
    done = evaluate(protocol, moved, tmp_path / "out", "--set", "degradation.name=mdfr")
    assert done.exit_code == 0, done.output
    result = read(tmp_path / "out")
    assert {failure.sample for failure in result.failures} == {f"Jos%E9/Person_001_000{i}.jpg" for i in (1, 2, 3)}
    assert rr_run("data", "check", protocol, moved).exit_code == 0
