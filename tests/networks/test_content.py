from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper, save
from torch import nn

from recog_restore.networks.content import Content, content


class Holder:
    """Holds what it is given."""

    def __init__(self, held: object) -> None:
        self.held = held


def linear(weight: float) -> nn.Linear:
    layer = nn.Linear(2, 2, bias=False).eval()
    layer.weight.data.fill_(weight)
    return layer


def onnx_file(path: Path, weight: float) -> Path:
    shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    weights = numpy_helper.from_array(np.array([weight], np.float32), "w")
    graph = helper.make_graph([helper.make_node("Mul", ["x", "w"], ["y"])], "g", shapes[:1], shapes[1:], [weights])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def session(path: Path, weight: float, *, from_bytes: bool = False) -> Any:
    file = onnx_file(path, weight)
    return onnxruntime.InferenceSession(file.read_bytes() if from_bytes else file)


def quantized(weight: float) -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(nn.Sequential(linear(weight)), {nn.Linear})


def traced(folder: Path, weight: float) -> nn.Module:
    file = folder / f"{weight}.pt"
    if not file.exists():
        torch.jit.save(torch.jit.freeze(torch.jit.trace(linear(weight), torch.zeros(1, 2))), file)
    return torch.jit.load(file)


def written(path: Path, weight: float) -> Path:
    path.write_text(f"{weight}")
    return path


HELD: dict[str, Callable[[Path, float], object]] = {
    "network": lambda _, weight: linear(weight),
    "network in an object": lambda _, weight: SimpleNamespace(model=SimpleNamespace(net=linear(weight))),
    "networks in containers": lambda _, weight: {"nets": [(linear(weight),)]},
    "bfloat16 network": lambda _, weight: linear(weight).to(torch.bfloat16),
    "quantized network": lambda _, weight: quantized(weight),
    "TorchScript whose weights are constants": traced,
    "array": lambda _, weight: [np.full(3, weight)],
    "tensor of no dimension": lambda _, weight: torch.tensor(weight),
    "path": lambda folder, weight: written(folder / "w.bin", weight),
    "text that names a file": lambda folder, weight: str(written(folder / "w.bin", weight)),
    "folder": lambda folder, weight: written(folder / "w.bin", weight).parent,
    "session of a file": lambda folder, weight: session(folder / "x.onnx", weight),
    "session of bytes": lambda folder, weight: session(folder / "x.onnx", weight, from_bytes=True),
    "function": lambda _, weight: lambda images: images * weight,
    "number": lambda _, weight: weight,
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_other_weights_give_another_hash_wherever_they_are(
    held: Callable[[Path, float], object], tmp_path: Path
) -> None:
    first = content(Holder(held(tmp_path, 1.0)))
    assert content(Holder(held(tmp_path, 1.0))).sha256 == first.sha256
    assert content(Holder(held(tmp_path, 2.0))).sha256 != first.sha256
    assert first.opaque == ()


def test_an_object_that_extension_code_holds_is_opaque() -> None:
    assert content(Holder([cv2.createCLAHE()])).opaque == ("held.0 (cv2.CLAHE)",)


def test_an_object_that_cannot_be_read_to_its_end_is_opaque() -> None:
    held: list[object] = []
    for _ in range(5000):
        held = [held]
    assert content(Holder(held)).opaque == ("Holder (RecursionError while it was read)",)


def test_a_file_that_only_an_option_names_is_read(tmp_path: Path) -> None:
    file = written(tmp_path / "w.bin", 1.0)
    first = content(Holder(None), {"weights": str(file)})
    written(file, 2.0)
    assert content(Holder(None), {"weights": str(file)}) != first


def test_an_object_that_holds_itself_ends() -> None:
    held: list[object] = []
    held.append(held)
    assert content(Holder(held)).opaque == ()


@pytest.fixture
def of_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Content]]:
    """Write modules into a folder, import the first, and return the content of a ``Made()`` of it."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def made(**modules: str) -> Content:
        for name in set(sys.modules) - before:
            del sys.modules[name]
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        sys.dont_write_bytecode = True
        try:
            return content(importlib.import_module(next(iter(modules))).Made())
        finally:
            sys.dont_write_bytecode = False

    yield made
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_helper_module_that_is_imported_within_a_function_counts(of_module: Callable[..., Content]) -> None:
    source = "class Made:\n    def restore(self):\n        from beside import gain\n        return gain\n"
    first = of_module(main=source, beside="gain = 1")
    assert of_module(main=source, beside="gain = 1").sha256 == first.sha256
    assert of_module(main=source, beside="gain = 2").sha256 != first.sha256


def test_what_a_module_holds_as_a_global_counts(of_module: Callable[..., Content], tmp_path: Path) -> None:
    source = "import pathlib\nNET = float(pathlib.Path('w' + '.txt').read_text())\nclass Made:\n    pass\n"
    written(tmp_path / "w.txt", 1.0)
    first = of_module(main=source)
    written(tmp_path / "w.txt", 2.0)
    assert of_module(main=source).sha256 != first.sha256


def test_a_file_that_the_source_names_counts(of_module: Callable[..., Content], tmp_path: Path) -> None:
    source = "class Made:\n    def restore(self):\n        return open('w.txt').read()\n"
    written(tmp_path / "w.txt", 1.0)
    first = of_module(main=source)
    written(tmp_path / "w.txt", 2.0)
    assert of_module(main=source).sha256 != first.sha256
