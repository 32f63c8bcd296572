from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from recog_restore.geometry import canonical_crop

BuildOnnx = Callable[..., Path]


@pytest.fixture
def tiny_onnx(tmp_path: Path) -> BuildOnnx:
    """Write an ONNX model that averages each half of each channel and mixes the averages into ``dim`` values."""

    def build(
        name: str = "tiny.onnx",
        *,
        shape: tuple[int | str, ...] = ("b", 3, 112, 112),
        before: tuple[tuple[str, str, float], ...] = (),
        dim: int | str = 4,
        outputs: int = 1,
        kind: int = TensorProto.FLOAT,
        external: bool = False,
    ) -> Path:
        channels = 3 if shape[1] == "c" else int(shape[1])
        dtype = helper.tensor_dtype_to_np_dtype(kind)
        mix = np.random.default_rng(0).normal(size=(channels * 2, 4)).astype(dtype)
        tensors = [numpy_helper.from_array(mix, "mix")]
        nodes, last = [], "x"
        for i, (operator, node, value) in enumerate(before):
            tensors.append(numpy_helper.from_array(np.array(value, dtype), f"k{i}"))
            nodes.append(helper.make_node(operator, [last, f"k{i}"], [f"n{i}"], name=node))
            last = f"n{i}"
        delta = np.zeros((channels, 1, 1, 1), dtype)
        delta[:] = 1
        tensors.append(numpy_helper.from_array(delta, "delta"))
        height, width = (side if isinstance(side, int) else 112 for side in shape[2:])
        nodes += [
            helper.make_node("Conv", [last, "delta"], ["c"], name="Conv_0", group=channels),
            helper.make_node(
                "AveragePool", ["c"], ["p"], kernel_shape=[height, width // 2], strides=[height, width // 2]
            ),
            helper.make_node("Flatten", ["p"], ["f"]),
            helper.make_node("MatMul", ["f", "mix"], ["e"]),
            helper.make_node("ReduceL2", ["e"], ["norm"], keepdims=1),
        ]
        out = [helper.make_tensor_value_info("e", kind, [shape[0], dim])]
        out += [helper.make_tensor_value_info("norm", kind, [1, 1])] if outputs > 1 else []
        graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", kind, list(shape))], out, tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        file = tmp_path / name
        onnx.save(model, file, save_as_external_data=external, location=f"{name}.data", size_threshold=0)
        return file

    return build


@pytest.fixture(scope="session")
def lfw_faces(shared: Path) -> tuple[NDArray[np.uint8], list[str]]:
    """Return the canonical crops of 32 people of LFW, three each, and who they are."""
    root = shared / "data" / "lfw"
    people: dict[str, list[list[str]]] = defaultdict(list)
    with (root / "landmarks.csv").open(encoding="utf-8") as file:
        for row in list(csv.reader(file))[1:]:
            people[row[0].split("/")[0]].append(row)
    chosen = [name for name in sorted(people) if len(people[name]) >= 3][::5][:32]
    rows = [row for name in chosen for row in people[name][:3]]
    crops = []
    for row in rows:
        image = cv2.imread(str(root / "lfw-deepfunneled" / row[0]), cv2.IMREAD_COLOR_RGB)
        crops.append(canonical_crop(image, np.array(row[1:11], np.float64).reshape(5, 2)))
    return np.stack(crops), [row[0].split("/")[0] for row in rows]
