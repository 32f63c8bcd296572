from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from recog_restore import resources
from recog_restore.embed import EMBEDDERS
from recog_restore.embed.convert import convert
from recog_restore.embed.spec import create, names
from recog_restore.errors import RecordError, UnknownName
from recog_restore.networks import NETWORKS

Build = Callable[..., Path]
FACES = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))

MODULE = """
import torch
from recog_restore.embed import Embedder
from recog_restore.networks.cards import EmbedderCard

class Mean(Embedder):
    def __init__(self, scale: float = 1.0) -> None:
        self.card = EmbedderCard("mean", "none", dim=3)
        self.scale = scale
    def forward(self, inputs):
        return inputs.mean((2, 3)) * self.scale

class Wants(Mean):
    def __init__(self, file: str) -> None: ...

class Other: ...
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "quick_embedder.py").write_text(MODULE, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "quick_embedder"


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with one converted network, in place of the package's."""
    torch.manual_seed(0)
    torch.save(NETWORKS.create("mobilefacenet").state_dict(), tmp_path / "w.pth")
    models = tmp_path / "models"
    models.mkdir()
    convert(tmp_path / "w.pth", None, models / "tiny-face")
    monkeypatch.setattr(resources, "folder", lambda kind: models)
    return models


def test_onnx_file_with_options(tiny_onnx: Build) -> None:
    embedder = create(f"onnx:{tiny_onnx()},colour=bgr,range=0..1,flip=concat")
    assert embedder.card.words().startswith("112×112 BGR, (x − 0) / 255; flip fused by concatenation")


def test_file_name_may_hold_commas(tiny_onnx: Build) -> None:
    assert create(f"onnx:{tiny_onnx('a, b,c.onnx')},flip=sum").card.name == "a, b,c"


def test_registered_name(shipped: Path) -> None:
    assert create("lbp").card.name == "lbp"
    assert create("lbp,flip=concat")(FACES).shape == (2, 2 * 49 * 59)
    assert set(EMBEDDERS) <= set(names())


def test_shipped_weights_are_found_by_name(shipped: Path) -> None:
    assert "tiny-face" in names()
    assert create("tiny-face,flip=sum").card.flip == "sum"
    assert torch.equal(create("tiny-face")(FACES), create(f"card:{shipped / 'tiny-face'}")(FACES))


def test_python_class_with_options(module: str) -> None:
    plain, scaled = create(f"python:{module}:Mean"), create(f"python:{module}:Mean,scale=2,flip=sum")
    torch.testing.assert_close(scaled(FACES), 4 * plain(FACES))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("python:{module}:Other", "expected a class derived from recog_restore.embed.Embedder, which"),
        ("python:{module}:Wants", "missing a required argument: 'file'; options follow as ,key=value"),
        ("python:{module}:Mean,scale=big", "scale is 'big'; expected a number"),
        ("python:{module}:Mean,flip=both", "flip is 'both'; expected one of none, sum, mean, concat"),
        ("python:{module}", "expected python:module:Class"),
        ("python", "expected python:module:Class"),
        ("onnx", "expected onnx:FILE"),
        ("card", "expected card:FOLDER"),
        ("lbp,cells=8", "unknown option 'cells'; known: none"),
    ],
)
def test_wrong_text_is_refused(text: str, message: str, module: str) -> None:
    with pytest.raises(RecordError, match=message):
        create(text.format(module=module))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lpb", "no embedder named 'lpb'; did you mean 'lbp'"),
        ("faces.onnx", "no embedder named 'faces.onnx'; "),
        ("onx:faces.onnx", "no kind of embedder named 'onx'; did you mean 'onnx'"),
        ("lbp:8", "no kind of embedder named 'lbp'"),
    ],
)
def test_unknown_name_is_refused(text: str, message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        create(text)


def test_unknown_option_names_the_nearest(tiny_onnx: Build) -> None:
    with pytest.raises(RecordError, match=r"tiny\.onnx,flp=sum: unknown option 'flp'; did you mean 'flip'"):
        create(f"onnx:{tiny_onnx()},flp=sum")
