from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from recog_restore.networks.normalization import input_range

CONV = helper.make_node("Conv", ["n", "k"], ["y"])
IMAGENET = ([[[0.485]], [[0.456]], [[0.406]]], [[[0.229]], [[0.224]], [[0.225]]])


def node(operator: str, *inputs: str, to: str = "n", **attributes: object) -> NodeProto:
    return helper.make_node(operator, list(inputs), [to], **attributes)


def constant(name: str, value: object) -> NodeProto:
    return node("Constant", to=name, value=numpy_helper.from_array(np.array(value, np.float32)))


def model(nodes: Sequence[NodeProto], **constants: object) -> onnx.ModelProto:
    """Return a graph of these nodes from ``x`` to ``n`` and a convolution after it; constants are stored tensors."""
    values = {"k": np.ones((1, 3, 1, 1)), **constants}
    tensors = [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in values.items()]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", 3, 8, 8]) for name in ("x", "y")]
    return helper.make_model(helper.make_graph([*nodes, CONV], "g", ends[:1], ends[1:], tensors))


SUB_MUL = (node("Sub", "x", "m", to="s"), node("Mul", "s", "q"))


@pytest.mark.parametrize(
    ("nodes", "constants", "expected"),
    [
        (SUB_MUL, {"m": 127.5, "q": 1 / 128}, "0..255"),
        (
            (*(constant(f"u{i}", 0) for i in range(9)), constant("m", 127.5), constant("q", 1 / 128), *SUB_MUL),
            {},
            "0..255",
        ),
        ((node("Mul", "x", "q", to="s"), node("Add", "s", "m")), {"q": 1 / 128, "m": -1}, "0..255"),
        ((node("Mul", "q", "x", to="s"), node("Add", "m", "s")), {"q": 1 / 128, "m": -1}, "0..255"),
        ((node("Sub", "x", "m", to="s"), node("Div", "s", "q")), {"m": 127.5, "q": 128}, "0..255"),
        ((node("Sub", "m", "x"),), {"m": 127.5}, "0..255"),
        ((node("Sub", "x", "m"),), {"m": [[[104]], [[117]], [[123]]]}, "0..255"),
        ((node("Div", "x", "q"),), {"q": 255}, "0..255"),
        (
            (node("Div", "x", "c", to="u"), node("Sub", "u", "m", to="s"), node("Div", "s", "q")),
            dict(zip("cmq", (255, *IMAGENET), strict=True)),
            "0..255",
        ),
        ((node("Sub", "x", "m", to="s"), node("Div", "s", "q")), dict(zip("mq", IMAGENET, strict=True)), "0..1"),
        ((node("Mul", "x", "q", to="s"), node("Sub", "s", "m")), {"q": 2, "m": 1}, "0..1"),
        ((node("Mul", "x", "q"),), {"q": 255}, "0..1"),
        ((node("Add", "x", "m", to="s"), node("Mul", "s", "q")), {"m": 1, "q": 0.5}, "-1..1"),
        (
            (node("BatchNormalization", "x", "g", "b", "m", "v"),),
            {"g": [1] * 3, "b": [0] * 3, "m": [120, 110, 100], "v": [4000] * 3},
            "0..255",
        ),
        (
            (
                node("Transpose", "x", to="t", perm=[0, 2, 3, 1]),
                node("Identity", "t", to="c"),
                node("Sub", "c", "m", to="s"),
                node("Mul", "s", "q", to="u"),
                node("Transpose", "u", perm=[0, 3, 1, 2]),
            ),
            {"m": 127.5, "q": 1 / 128},
            "0..255",
        ),
        (
            (constant("i", 128), node("Reciprocal", "i", to="q"), node("Unsqueeze", "m0", to="m", axes=[0]), *SUB_MUL),
            {"m0": [127.5]},
            "0..255",
        ),
        ((), {"n": 0}, None),
        ((node("Identity", "x"),), {}, None),
        ((node("Mul", "x", "q"),), {"q": 0.5}, None),
        ((node("Mul", "x", "q"),), {"q": 0}, None),
        ((node("Mul", "x", "q"),), {"q": np.nan}, None),
        ((node("Div", "q", "x"),), {"q": 255}, None),
        ((node("Mul", "x", "x"),), {}, None),
    ],
)
def test_range_follows_from_what_reaches_the_first_layer(
    nodes: Sequence[NodeProto], constants: dict[str, object], expected: str | None
) -> None:
    assert input_range(model(nodes, **constants)) == expected


def test_constants_that_are_quantized_are_followed() -> None:
    quantize = [node("QuantizeLinear", "x", "s", to="xq"), node("DequantizeLinear", "xq", "s", to="xd")]
    nodes = [*quantize, node("DequantizeLinear", "mq", "s", to="m"), node("Sub", "xd", "m")]
    assert input_range(model(nodes, s=1.0, mq=127)) == "0..255"


def test_arithmetic_behind_the_first_layer_does_not_count() -> None:
    nodes = [node("Conv", "x", "k", to="c"), node("Sub", "c", "m", to="s"), node("Mul", "s", "q")]
    assert input_range(model(nodes, m=127.5, q=1 / 128)) is None
