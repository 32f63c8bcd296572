"""Preprocessors of the user's own, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner, Result
from onnx import TensorProto, helper, numpy_helper

from recog_restore.cli import rr
from recog_restore.results import Curve, read

SOURCE = """
import torch
from recog_restore.preprocess import Card, Preprocessor

class Inplace(Preprocessor):
    card = Card("inplace", "restore", "normalizes in place and forgets to undo it")
    def restore(self, images, landmarks):
        return images.sub_(0.5).div_(0.5)

class Helper:
    def __init__(self, file):
        self.net = torch.nn.Conv2d(3, 3, 1, bias=False).eval()
        self.net.load_state_dict(torch.load(file))

class Wrapped(Preprocessor):
    card = Card("wrapped", "restore", "a network inside a helper object")
    def __init__(self, strength: float = 1.0):
        super().__init__(strength)
        self.helper = Helper("w.pt")
    def restore(self, images, landmarks):
        return self.helper.net(images)

class Half(Preprocessor):
    card = Card("half", "restore", "bfloat16 weights")
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Conv2d(3, 3, 1).to(torch.bfloat16)
    def restore(self, images, landmarks):
        return self.net(images.to(torch.bfloat16)).float()

class Quantized(Preprocessor):
    card = Card("quantized", "restore", "int8 weights")
    def __init__(self):
        super().__init__()
        layers = torch.nn.Sequential(torch.nn.Linear(128, 128))
        self.net = torch.ao.quantization.quantize_dynamic(layers, {torch.nn.Linear})
    def restore(self, images, landmarks):
        return self.net(images)

class Raises(Preprocessor):
    card = Card("raises", "restore", "finds no face in some of them")
    def __init__(self, above: float = 0.4):
        super().__init__()
        self.above = above
    def settings(self):
        return {**super().settings(), "above": self.above}
    def restore(self, images, landmarks):
        if (images.mean(dim=(1, 2, 3)) > self.above).any():
            raise RuntimeError("no face")
        return images
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with a module of preprocessors in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_pre.py").write_text(SOURCE, "utf-8")
    return tmp_path


def evaluate(drawn: Path, out: str, *more: str, store: str = "store") -> Result:
    fixed = ["--protocol", "drawn", "--data", str(drawn), "--embedder", "lbp", "--draws", "0", "--faces", "0"]
    return CliRunner().invoke(rr, ["eval", *fixed, "--store", store, "--out", out, *more])


def curve(out: str, preprocessor: str) -> Curve:
    """Return what depends on every score of a preprocessor."""
    return read(Path(out)).curves[preprocessor]


def weights(value: float) -> None:
    torch.save({"weight": torch.eye(3)[:, :, None, None] * value}, "w.pt")


def test_one_that_writes_into_its_input_changes_no_other(drawn: Path, folder: Path) -> None:
    both = ("--pre", "python:own_pre:Inplace", "--pre", "bicubic-down8")
    assert evaluate(drawn, "a", *both).exit_code == 0
    assert evaluate(drawn, "b", "--pre", "bicubic-down8", store="fresh").exit_code == 0
    assert curve("a", "bicubic-down8") == curve("b", "bicubic-down8")
    assert curve("a", "none") == curve("b", "none")


def test_other_weights_under_one_file_name_give_other_numbers(drawn: Path, folder: Path) -> None:
    for out, gain, store in (("a", 1.0, "store"), ("b", 0.02, "store"), ("c", 0.02, "fresh")):
        weights(gain)
        assert evaluate(drawn, out, "--pre", "python:own_pre:Wrapped", store=store).exit_code == 0
    assert curve("b", "wrapped") == curve("c", "wrapped") != curve("a", "wrapped")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("kind", ["Half", "Quantized"])
def test_half_and_quantized_networks_run(kind: str, drawn: Path, folder: Path) -> None:
    done = evaluate(drawn, "out", "--pre", f"python:own_pre:{kind}")
    assert done.exit_code == 0, done.output
    assert f"none against {kind.lower()} " in done.output


def test_a_preprocessor_that_raises_costs_the_faces_for_which_it_does(drawn: Path, folder: Path) -> None:
    done = evaluate(drawn, "out", "--pre", "python:own_pre:Raises")
    assert done.exit_code == 0, done.output
    failed = read(Path("out")).failed["raises"]
    assert 0 < failed < 60
    assert f"failed {failed} × preprocess: raises: RuntimeError: no face" in done.output
    done = evaluate(drawn, "out", "--pre", "python:own_pre:Raises,above=0")
    assert done.exit_code == 1
    assert (
        "raises,above=0 failed for all 60 faces; for 60 of them: raises,above=0: RuntimeError: no face" in done.stderr
    )


def test_two_of_one_name_are_refused_and_run_under_names_of_their_own(drawn: Path, folder: Path) -> None:
    done = evaluate(drawn, "out", "--pre", "clahe", "--pre", "clahe")
    assert done.exit_code == 2
    assert "a preprocessor named 'clahe' is there already; leave one out, or give this one a name" in done.stderr
    done = evaluate(drawn, "out", "--pre", "weak=clahe,clip=1", "--pre", "strong=clahe,clip=9")
    assert done.exit_code == 0, done.output
    assert "none against weak, strong" in done.output
    assert curve("out", "weak") != curve("out", "strong")


def scaled(file: Path, gain: float, offset: float) -> str:
    """Write an ONNX network that gives gain·x + offset, and return its specification."""
    weights = [numpy_helper.from_array(np.array(v, np.float32), n) for n, v in (("a", gain), ("b", offset))]
    nodes = [helper.make_node("Mul", ["x", "a"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", 3, 128, 128]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), file)
    return f"onnx:{file.name}"


def test_an_output_of_another_range_or_of_one_colour_is_a_warning_in_every_run(drawn: Path, folder: Path) -> None:
    wrong = {
        "signed": (2.0, -1.0, "say output_range=-1..1"),
        "bytes": (255.0, 0.0, "say output_range=0..255"),
        "black": (0.0, 0.0, "its output is of one colour for 4 of 4 faces"),
    }
    pre = [f"--pre={name}={scaled(folder / f'{name}.onnx', gain, offset)}" for name, (gain, offset, _) in wrong.items()]
    for out in ("first", "from the store"):
        done = evaluate(drawn, out, *pre)
        assert done.exit_code == 0, done.output
        warnings = read(Path(out)).warnings
        for name, (_, _, message) in wrong.items():
            assert [text for text in warnings if text.startswith(f"{name}: ") and message in text]
            assert [text for text in warnings if text.startswith(f"{name}: guessed that input and output are 0..1 RGB")]
        assert all(f"warning: {text}" in done.stdout for text in warnings)
    card = read(Path("first")).preprocessors[1]["card"]
    assert (card["guessed"], card["spec"]) == (["range", "colour"], "onnx:signed.onnx")


def test_photos_restored_in_a_wrong_range_are_warned_of(drawn: Path, folder: Path) -> None:
    photo = next(drawn.rglob("*.png"), None) or next(drawn.rglob("*.jpg"))
    crop = cv2.resize(cv2.imread(str(photo)), (128, 128))
    (folder / "crops").mkdir()
    cv2.imwrite("crops/a.png", crop)
    spec = scaled(folder / "bytes.onnx", 255.0, 0.0)
    done = CliRunner().invoke(rr, ["restore", "crops", "out", "--aligned", "--device", "cpu", "--pre", spec])
    assert done.exit_code == 0, done.output
    said = json.loads((folder / "out" / "a.json").read_text("utf-8"))["warnings"]
    assert "say output_range=0..255" in said[1]
    assert all(f"warning: {text}" in done.stderr for text in said)
