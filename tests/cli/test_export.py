from __future__ import annotations

import dataclasses
import hashlib
import shutil
from pathlib import Path
from typing import Literal

import pytest
import torch
from click.testing import CliRunner, Result

from recog_restore import resources
from recog_restore.cli import rr
from recog_restore.embed.spec import create as create_embedder
from recog_restore.errors import RecordError
from recog_restore.faces import FaceBatch
from recog_restore.networks.cards import RestorerCard
from recog_restore.networks.folder import write_model
from recog_restore.networks.weights import build_network
from recog_restore.preprocess.spec import create as create_preprocessor

SMALL = {"width": 8, "growth": 4, "blocks": 1}
FACES = torch.rand(3, 3, 128, 128, generator=torch.Generator().manual_seed(0))


def rr_export(*arguments: object) -> Result:
    return CliRunner().invoke(rr, ["export", *(str(a) for a in arguments)])


def restorer(folder: Path, size: int = 128, network: str = "frn", guide: Literal["none", "poses"] = "none") -> Path:
    folder.mkdir()
    torch.manual_seed(0)
    write_model(
        folder,
        RestorerCard("small", network, arguments=SMALL, size=size, guide=guide),
        build_network(network, SMALL, "here"),
    )
    return folder


def test_an_exported_embedder_gives_the_same_embeddings(tmp_path: Path) -> None:
    done = rr_export("arcface-synthpie", "--out", tmp_path / "faces.onnx")
    assert done.exit_code == 0, done.output
    assert "1,003,136 parameters; 112×112 RGB, (x − 127.5) / 128; no flip" in done.stdout
    assert "output 128; batches of any size; largest difference from torch" in done.stdout
    assert f"use it with --embedder onnx:{tmp_path}/faces.onnx" in done.stdout
    torch_one, onnx_one = create_embedder("arcface-synthpie"), create_embedder(f"onnx:{tmp_path / 'faces.onnx'}")
    assert onnx_one.card.words() == torch_one.card.words()
    assert onnx_one.card.rights == torch_one.card.rights
    with torch.inference_mode():
        torch.testing.assert_close(onnx_one(FACES), torch_one(FACES), atol=1e-4, rtol=1e-4)


def test_a_restorer_that_is_told_poses_is_not_exported(tmp_path: Path) -> None:
    folder = restorer(tmp_path / "small", network="ffn", guide="poses")
    done = rr_export(f"card:{folder}", "--out", tmp_path / "small.onnx")
    assert done.exit_code == 2
    assert "small is told poses besides the face, which --pre onnx:FILE cannot give it" in done.stderr
    assert not (tmp_path / "small.onnx").exists()


@pytest.mark.parametrize("size", [128, 64])
def test_an_exported_restorer_gives_the_same_faces(size: int, tmp_path: Path) -> None:
    folder, file = restorer(tmp_path / "small", size), tmp_path / "small.onnx"
    done = rr_export(f"card:{folder}", "--out", file)
    assert done.exit_code == 0, done.output
    assert f"output 3×{size}×{size}; batches of any size" in done.stdout
    assert f"use it with --pre onnx:{file}" in done.stdout
    torch_one, onnx_one = create_preprocessor(f"card:{folder}"), create_preprocessor(f"onnx:{file}")
    with torch.inference_mode():
        expected, got = torch_one(FaceBatch(FACES)), onnx_one(FaceBatch(FACES))
    torch.testing.assert_close(got.images, expected.images, atol=1e-4, rtol=0)


def test_an_exported_restorer_is_what_its_card_says(tmp_path: Path) -> None:
    file = tmp_path / "mdfr.onnx"
    assert rr_export("mdfr", "--out", file).exit_code == 0
    made, exported = create_preprocessor("mdfr"), create_preprocessor(f"onnx:{file}")
    assert exported.card == dataclasses.replace(
        made.card, name=exported.card.name, spec=exported.card.spec, sha256=exported.card.sha256
    )
    assert exported.card.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "arcface-synthpie" in {teacher.name for teacher in exported.card.teachers}
    assert exported.card.task == "frontalize"
    with pytest.raises(RecordError, match="strength is 0.5; mdfr takes only 0"):
        create_preprocessor(f"onnx:{file},strength=0.5")


def test_every_shipped_folder_can_be_exported_by_name() -> None:
    from recog_restore.cli.exporting import _folder

    for entry in resources.folder("models").iterdir():
        if entry.joinpath("card.toml").is_file():
            assert _folder(entry.name) == entry


def test_misuse_is_explained(tmp_path: Path) -> None:
    unknown = rr_export("arcface-synthpy", "--out", tmp_path / "x.onnx")
    assert unknown.exit_code == 2
    assert (
        "no embedder or restorer with a card named 'arcface-synthpy'; did you mean 'arcface-synthpie'?"
        in unknown.stderr
    )
    other = rr_export("arcface-synthpie", "--out", tmp_path / "x.pt")
    assert other.exit_code == 2
    assert "x.pt: expected a file named *.onnx" in other.stderr
    (tmp_path / "x.toml").write_text("")
    card = rr_export("arcface-synthpie", "--out", tmp_path / "x.onnx")
    assert card.exit_code == 2
    assert "x.toml: exists already, and the card of x.onnx belongs there" in card.stderr
    assert not (tmp_path / "x.onnx").exists()
    assert rr_export("mdfr", "--out", tmp_path / "x.onnx").exit_code == 2
    assert not (tmp_path / "x.onnx").exists()


def test_a_network_of_several_inputs_is_refused(tmp_path: Path) -> None:
    folder = restorer(tmp_path / "ffn", network="ffn")
    done = rr_export(f"card:{folder}", "--out", tmp_path / "ffn.onnx")
    assert done.exit_code == 1
    assert "FFN cannot be exported for (2, 3, 128, 128)" in done.stderr
    shutil.rmtree(folder)
    assert not list(tmp_path.iterdir())
