"""Restorers that the package brings, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from recog_restore import resources
from recog_restore.cli import rr
from recog_restore.embed import EMBEDDERS
from recog_restore.networks import NETWORKS
from recog_restore.networks.cards import RestorerCard, Teacher
from recog_restore.preprocess.folder import write_restorer
from recog_restore.results import read


def rr_run(*arguments: object) -> Result:
    return CliRunner().invoke(rr, [str(a) for a in arguments])


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the package's folder of models, with one restorer beside nothing else."""
    torch.manual_seed(0)
    card = RestorerCard(
        "tiny-frn", "frn", task="frontalize", arguments={"width": 4}, teachers=(Teacher("x"), Teacher("lbp"))
    )
    write_restorer(tmp_path / "models" / "tiny-frn", card, NETWORKS.create("frn", width=4))
    whole = resources.folder
    monkeypatch.setattr(resources, "folder", lambda kind: tmp_path / kind if kind == "models" else whole(kind))
    return tmp_path / "models"


def test_a_restorer_is_listed_after_pre_alone_shown_and_checked(models: Path) -> None:
    lines = rr_run("models", "list").stdout.splitlines()
    assert [line.split(":")[0] for line in lines if "tiny-frn" in line] == ["--pre"]
    assert [line.split(":")[0] for line in lines if " frn" in line] == []
    for spec in ("tiny-frn", f"card:{models / 'tiny-frn'}"):
        shown = rr_run("models", "show", spec).stdout
        assert shown.startswith("# frontalize, 128×128 RGB, 0..1; taught by x, lbp\n")
        assert '[[teachers]]\nname = "lbp"' in shown
        checked = rr_run("models", "check", spec)
        assert checked.exit_code == 0, checked.output
        assert "golden faces hold, largest deviation" in checked.stdout
    (models / "tiny-frn" / "weights.safetensors").write_bytes(b"")
    assert "expected SHA-256" in rr_run("models", "check", "tiny-frn").stderr


def test_a_card_of_an_unknown_name_is_looked_for_among_restorers_too(models: Path) -> None:
    assert (
        "no embedder or restorer named 'tiny-frm'; did you mean 'tiny-frn'?"
        in rr_run("models", "show", "tiny-frm").stderr
    )


def run(drawn: Path, tmp_path: Path, pre: str) -> Result:
    places = ("--store", tmp_path / "store", "--out", tmp_path / "out", "--workers", 0)
    limits = ("--limit", 12, "--faces", 0)
    return rr_run("eval", "--protocol", "drawn", "--data", drawn, "--embedder", "lbp", "--pre", pre, *places, *limits)


def test_an_embedder_that_taught_the_restorer_is_no_independent_judge(
    models: Path, drawn: Path, tmp_path: Path
) -> None:
    done = run(drawn, tmp_path, "tiny-frn+clahe")
    assert done.exit_code == 0, done.output
    said = "lbp is no independent judge of tiny-frn+clahe: a loss of its training used this embedder"
    assert f"warning: {said}" in done.stdout
    assert said in (tmp_path / "out" / "report.html").read_text("utf-8")
    card = read(tmp_path / "out").preprocessors[1]["card"]
    assert card["teachers"] == [{"name": "x", "sha256": ""}, {"name": "lbp", "sha256": ""}]


def test_a_teacher_is_known_by_its_weights_under_another_name(models: Path, drawn: Path, tmp_path: Path) -> None:
    identity = EMBEDDERS.create("lbp").identity()
    for name, sha256, warned in (("renamed", identity, True), ("other", "0" * 64, False)):
        card = RestorerCard(name, "frn", arguments={"width": 4}, teachers=(Teacher("former", sha256),))
        write_restorer(models / name, card, NETWORKS.create("frn", width=4))
        done = run(drawn, tmp_path, name)
        assert ("no independent judge" in done.stdout) == warned
