from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recog_restore.cli import rr
from recog_restore.datasets.landmarks import FILE_NAME
from recog_restore.results import read


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
