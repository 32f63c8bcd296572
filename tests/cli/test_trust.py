"""A file from somebody else runs no code unless the user says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recog_restore.cli import rr
from recog_restore.errors import RecordError
from recog_restore.results import read
from recog_restore.training.reading import read_recipe

MODULE = """
from pathlib import Path
from recog_restore.preprocess import Quality
Path("imported").touch()
class Red(Quality):
    def __call__(self, images):
        return images[:, 0].flatten(1).mean(1)
    def identity(self):
        return "red"
class Other:
    def __init__(self):
        Path("called").touch()
"""
RECIPE = """
kind = "restorer"
name = "t"
task = "restore"
{keys}
[network]
name = "frn"
[data.folder]
root = "."
alignment = "landmarks"
[data]
degradation = "mdfr"
[[stages]]
steps = 1
batch = 2
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    monkeypatch.delitem(__import__("sys").modules, "stranger", raising=False)
    (tmp_path / "stranger.py").write_text(MODULE, "utf-8")
    return tmp_path


def protocol(here: Path, spec: str) -> Path:
    file = here / "mine.toml"
    file.write_text(f'extends = "drawn"\nname = "mine"\nbreakdowns = ["{spec}"]\n', "utf-8")
    return file


def evaluate(drawn: Path, *more: object) -> Result:
    words = ["eval", "--data", drawn, "--embedder", "lbp", "--limit", 30, "--draws", 0, "--faces", 0, "--out", "out"]
    return CliRunner().invoke(rr, [str(word) for word in (*words, "--store", "store", *more)])


@pytest.mark.parametrize("spec", ["python:stranger:Red", "python:os:system,command=touch called"])
def test_a_protocol_runs_no_code(spec: str, drawn: Path, here: Path) -> None:
    done = evaluate(drawn, "--protocol", protocol(here, spec))
    assert done.exit_code == 2
    assert f"mine.toml: breakdowns[0] is {spec!r}" in done.stderr
    assert "--trust-code" in done.stderr
    assert not (here / "imported").exists()
    assert not (here / "called").exists()


def test_a_protocol_runs_the_code_that_is_trusted(drawn: Path, here: Path) -> None:
    done = evaluate(drawn, "--protocol", protocol(here, "python:stranger:Red"), "--trust-code")
    assert done.exit_code == 0, done.output
    assert any("python:stranger:Red" in value.where for value in read(here / "out").values)


def test_what_is_typed_needs_no_trust(drawn: Path, here: Path) -> None:
    done = evaluate(drawn, "--protocol", "drawn", "--by", "python:stranger:Red")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("spec", ["python:stranger:Other", "python:os:system,command=touch called"])
def test_trusted_code_of_another_kind_is_not_called(spec: str, drawn: Path, here: Path) -> None:
    done = evaluate(drawn, "--protocol", protocol(here, spec), "--trust-code")
    assert done.exit_code == 2
    assert "expected a class derived from recog_restore.preprocess.quality.Quality" in done.stderr
    assert not (here / "called").exists()


@pytest.mark.parametrize("option", ["--embedder", "--pre", "--judge"])
def test_typed_code_of_another_kind_is_not_called(option: str, drawn: Path, here: Path) -> None:
    done = evaluate(drawn, "--protocol", "drawn", "--pre", "gamma", option, "python:stranger:Other")
    assert done.exit_code == 2
    assert "expected a class derived from recog_restore." in done.stderr
    assert not (here / "called").exists()


@pytest.mark.parametrize(
    "keys",
    [
        'embedders = ["python:stranger:Red"]',
        'embedders = ["lbp"]\njudge = "python:os:system,command=touch called"',
        'embedders = ["lbp"]\nvalidation = {protocol = "mine.toml"}',
    ],
)
def test_a_recipe_runs_no_code(keys: str, here: Path) -> None:
    protocol(here, "python:stranger:Red")
    (here / "recipe.toml").write_text(RECIPE.replace("{keys}", keys), "utf-8")
    done = CliRunner().invoke(rr, ["train", "recipe.toml", "--out", "out", "--device", "cpu"])
    assert done.exit_code == 2
    assert "--trust-code" in done.stderr
    assert not (here / "imported").exists()
    assert not (here / "called").exists()
    read_recipe(here / "recipe.toml", trust_code=True)
    with pytest.raises(RecordError, match="--trust-code"):
        read_recipe(here / "recipe.toml")
