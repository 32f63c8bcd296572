"""The range of values that an ONNX graph wants at its input, from how it normalizes them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.external_data_helper import uses_external_data

from .cards import PixelRange

# Operators that move, convert or approximate values, and leave the affine map of the input as it is.
_PASSING = frozenset(
    "Cast Clip Concat Crop DequantizeLinear Dropout DynamicQuantizeLinear Expand Flatten Gather Identity Pad "
    "QuantizeLinear Reshape Resize Slice SpaceToDepth Split Squeeze Transpose Unsqueeze Upsample".split()
)
_DEEPEST = 16  # nodes between a constant and where it is used

Map = tuple[float, float]  # scale and shift, the means over the channels


def input_range(model: onnx.ModelProto) -> PixelRange | None:
    """Return the range that a graph's own normalization shows, or None where it has none or cannot be followed.

    The values are followed from the input through casts, transpositions, (de)quantization and arithmetic with
    constants up to the first layer that is none of these. What reaches it is ``scale · x + shift``, averaged over the
    channels. The order and the names of the nodes do not matter.
    """
    for scale, shift in _arriving(model.graph):
        if found := _range(scale, shift):
            return found
    return None


def _range(scale: float, shift: float) -> PixelRange | None:
    if not (math.isfinite(scale) and math.isfinite(shift) and scale):
        return None
    middle = -shift / scale  # the input that becomes zero
    if abs(scale) <= 1 / 16 or abs(middle) > 2:  # values of 0..1 would all become one, or lie far from zero
        return "0..255"
    if 0.2 <= middle <= 0.8 or (abs(scale) > 100 and abs(middle) < 0.2):
        return "0..1"
    if -1.2 <= middle <= -0.8:  # (x + 1) / 2, or 127.5 · (x + 1)
        return "-1..1"
    return None


def _arriving(graph: onnx.GraphProto) -> list[Map]:
    """Return the map of the input that arrives at each node beyond the normalization."""
    constants = _Constants(graph)
    inputs = [value.name for value in graph.input if value.name not in constants.stored]
    maps: dict[str, Map] = dict.fromkeys(inputs[:1], (1.0, 0.0))
    arriving = []
    for node in graph.node:
        given = [maps[name] for name in node.input if name in maps]
        if not given or node.op_type == "Shape":
            continue
        if (after := _after(node, maps, constants)) is None:
            arriving.append(given[0])
        else:
            maps[node.output[0]] = after
    return arriving


def _after(node: onnx.NodeProto, maps: Mapping[str, Map], constants: _Constants) -> Map | None:
    """Return the map of a node's output, or None where the node does more than that."""
    first = maps.get(node.input[0])
    if node.op_type in _PASSING:
        return first
    if node.op_type == "BatchNormalization" and first is not None:
        gain, bias, mean, variance = (constants.mean(name) for name in node.input[1:5])
        if gain is None or bias is None or mean is None or variance is None or variance <= 0:
            return None
        factor = gain / math.sqrt(variance)
        return first[0] * factor, (first[1] - mean) * factor + bias
    if node.op_type not in ("Add", "Sub", "Mul", "Div"):
        return None
    value = constants.mean(node.input[1] if first is not None else node.input[0])
    scale, shift = maps[node.input[1]] if first is None else first
    if value is None:
        return None
    if node.op_type == "Add":
        return scale, shift + value
    if node.op_type == "Sub":
        return (scale, shift - value) if first is not None else (-scale, value - shift)
    if node.op_type == "Mul":
        return scale * value, shift * value
    return (scale / value, shift / value) if first is not None and value else None


class _Constants:
    """The constants of a graph, stored or computed from stored ones."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.stored = {tensor.name: tensor for tensor in graph.initializer}
        self._makers = {name: node for node in graph.node for name in node.output}

    def mean(self, name: str, depth: int = 0) -> float | None:
        """Return the mean of a constant's values, or None where the name is of no constant."""
        if name in self.stored:
            return _mean(self.stored[name])
        node = self._makers.get(name)
        if node is None or depth > _DEEPEST:
            return None
        if node.op_type == "Constant":
            return _attribute(node)
        values = [self.mean(part, depth + 1) for part in node.input if part]
        if not values or values[0] is None:
            return None
        return _computed(node.op_type, values[0], values[1:])


def _computed(operator: str, first: float, others: list[float | None]) -> float | None:
    if operator == "DequantizeLinear":
        scale, zero = others[0], others[1] if len(others) > 1 else 0.0
        return None if scale is None or zero is None else (first - zero) * scale
    if operator in _PASSING:
        return first
    if operator in ("Neg", "Sqrt", "Reciprocal"):
        with np.errstate(all="ignore"):
            return float({"Neg": np.negative, "Sqrt": np.sqrt, "Reciprocal": np.reciprocal}[operator](first))
    second = others[0] if others else None
    if operator not in ("Add", "Sub", "Mul", "Div") or second is None:
        return None
    with np.errstate(all="ignore"):
        functions = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}
        return float(functions[operator](first, second))


def _attribute(node: onnx.NodeProto) -> float | None:
    for attribute in node.attribute:
        if attribute.name == "value":
            return _mean(attribute.t)
        if attribute.name in ("value_float", "value_int"):
            return float(onnx.helper.get_attribute_value(attribute))
        if attribute.name in ("value_floats", "value_ints"):
            return float(np.mean(onnx.helper.get_attribute_value(attribute)))
    return None


def _mean(tensor: onnx.TensorProto) -> float | None:
    if uses_external_data(tensor):
        return None
    try:
        values = numpy_helper.to_array(tensor).astype(np.float64)
    except (TypeError, ValueError):  # texts, or a damaged tensor
        return None
    return float(values.mean()) if values.size else None
