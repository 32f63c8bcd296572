"""A network in an ONNX file: images in, one tensor out; ONNX Runtime runs it, without gradient."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx.external_data_helper import uses_external_data
from torch import Tensor

from ..errors import ConventionError, ExtraMissing, RecordError, WeightsError
from ..files import is_inside
from ..records import nearest
from .normalization import input_range
from .weights import read_bytes

_DTYPES: dict[str, type[np.floating]] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_NUMBERS = re.compile(r"tensor\((float|float16|double|u?int\d+)\)")
_CHANNELS = (1, 3)

# A fixed batch is filled up with black images; a larger one is a mistake in the file.
_LARGEST_BATCH = 1024


class OnnxNetwork:
    """A loaded ONNX file.

    Attributes:
        sha256: SHA-256 of the file, followed by the files that hold its tensors, where there are such.
        channels: 1, 3, or None where the file leaves it open.
        size: height and width of the input, or None where the file leaves them open.
        range: of the values that it wants, where it normalizes them itself; else None.
        output_shape: as the file states it; a size it leaves open is None.

    Args:
        file: one input (B, C, H, W) or (B, H, W, C), float32 or float16.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        threads: threads within one operator; None leaves it to ONNX Runtime.
        output: which output, where there are several.

    Raises:
        WeightsError: the file is absent or is no ONNX model.
        ConventionError: the input is not as above, or there are several outputs and none is named.
        RecordError: no such output, or no such device.
        ExtraMissing: ONNX Runtime, or its CUDA provider, is not installed.
    """

    def __init__(self, file: Path, device: str = "cpu", threads: int | None = None, output: str | None = None) -> None:
        self.file = file
        graph = read_model(file)
        self.sha256 = sha256_of(file, graph)
        self.range = input_range(graph)
        self._session = _session(file, device, threads)
        source = self._only_input()
        self._input, self._dtype = source.name, _DTYPES[source.type]
        shape = _open_is_none(source.shape)
        self._channels_last = shape[1] not in (*_CHANNELS, None) and shape[3] in _CHANNELS
        self._batch, self.channels, *size = _channels_first(shape) if self._channels_last else shape
        self.size = (size[0], size[1]) if size[0] is not None and size[1] is not None else None
        target = self._one_output(output)
        self._output, self.output_shape = target.name, _open_is_none(target.shape)
        if self._channels_last and len(self.output_shape) == 4:
            self.output_shape = _channels_first(self.output_shape)

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the output for (B, C, H, W); a model of a fixed batch gets its images in pieces of that size.

        A model whose input has the channels last gets it so, and an image that it gives has them first again.

        Raises:
            ConventionError: the model fails on inputs of this shape.
        """
        if self._channels_last:
            inputs = inputs.permute(0, 2, 3, 1)
        array = np.ascontiguousarray(inputs.detach().cpu().numpy(), self._dtype)
        if self._batch is None or self._batch == len(array):
            result = self._run(array)
        else:
            padded = np.concatenate([array, np.zeros((-len(array) % self._batch, *array.shape[1:]), array.dtype)])
            pieces = [self._run(padded[i : i + self._batch]) for i in range(0, len(padded), self._batch)]
            result = np.concatenate(pieces)[: len(array)]
        output = torch.from_numpy(result).to(inputs.device)
        return output.permute(0, 3, 1, 2) if self._channels_last and output.ndim == 4 else output

    def _run(self, array: NDArray[np.floating]) -> NDArray[Any]:
        try:
            (result,) = self._session.run([self._output], {self._input: array})
        except Exception as error:  # ONNX Runtime's errors have no base of their own
            raise ConventionError(f"{self.file}: the model fails on an input of shape {array.shape}: {error}") from None
        return np.asarray(result)

    def _only_input(self) -> Any:
        inputs = self._session.get_inputs()
        found = ", ".join(f"{i.name} {i.type} {i.shape}" for i in inputs)
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in _DTYPES:
            raise ConventionError(f"{self.file}: expected one float input (B, C, H, W), found {found or 'none'}")
        batch, *sides = _open_is_none(inputs[0].shape)
        if sides[0] not in (*_CHANNELS, None) and sides[2] not in _CHANNELS:
            raise ConventionError(f"{self.file}: expected an input (B, C, H, W) of 1 or 3 channels, found {found}")
        if batch is not None and not 1 <= batch <= _LARGEST_BATCH:
            raise ConventionError(
                f"{self.file}: expected an open batch, or one of 1 to {_LARGEST_BATCH:,}, found {found}"
            )
        return inputs[0]

    def _one_output(self, name: str | None) -> Any:
        outputs = {o.name: o for o in self._session.get_outputs()}
        if name is None and len(outputs) == 1:
            name = next(iter(outputs))
        if name is None:
            found = ", ".join(f"{o.name} {o.shape}" for o in outputs.values())
            raise ConventionError(f"{self.file}: expected one output, found {found}; name one with output=NAME")
        if name not in outputs:
            raise RecordError(f"{self.file}: no output named {name!r}; {nearest(name, outputs)}")
        if not _NUMBERS.fullmatch(outputs[name].type):
            raise ConventionError(f"{self.file}: expected an output of numbers, found {name} {outputs[name].type}")
        return outputs[name]


def read_model(file: Path) -> onnx.ModelProto:
    """Return the graph of an ONNX file, without tensors kept in other files.

    Raises:
        WeightsError: the file cannot be read or is no ONNX model.
    """
    try:
        model = onnx.load_model_from_string(read_bytes(file))
    except DecodeError as error:
        raise WeightsError(f"{file}: not an ONNX model: {error}") from None
    if not model.graph.node:
        raise WeightsError(f"{file}: not an ONNX model: it has no graph")
    return model


def _open_is_none(shape: list[int | str | None]) -> tuple[int | None, ...]:
    return tuple(side if isinstance(side, int) else None for side in shape)


def _channels_first(shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    return shape[0], shape[3], *shape[1:3]


def sha256_of(file: Path, model: onnx.ModelProto) -> str:
    """Return the SHA-256 of an ONNX file, followed by the files that hold its tensors, where there are such.

    Raises:
        WeightsError: one of those is absent, no regular file, or outside the folder of the ONNX file.
    """
    digest = hashlib.sha256(read_bytes(file))
    external = (tensor for tensor in _tensors(model.graph) if uses_external_data(tensor))
    for name in sorted({e.value for tensor in external for e in tensor.external_data if e.key == "location"}):
        try:
            data = read_bytes(file.parent / name) if is_inside(name) else None
        except WeightsError as error:
            raise WeightsError(f"{file}: its tensors are in another file: {error}") from None
        if data is None or not _beside(file, file.parent / name):
            raise WeightsError(f"{file}: its tensors are in {name!r}; expected a file in its own folder")
        digest.update(data)
    return digest.hexdigest()


def _beside(file: Path, other: Path) -> bool:
    """Return whether a file is in the folder of another one; both may be links into one folder."""
    return any(other.resolve().is_relative_to(place) for place in (file.parent.resolve(), file.resolve().parent))


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Yield all stored tensors of a graph, those of its nodes and of the graphs within them too."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)


def _session(file: Path, device: str, threads: int | None) -> Any:
    runtime = _runtime()
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # errors are raised, and need not be printed as well
    options.inter_op_num_threads = 1
    # Work is handed out in small blocks, so that a thread whose core is shared for a moment does not hold up the other.
    options.add_session_config_entry("session.dynamic_block_base", "4")
    # Within a run threads spin, which is fastest; beyond it they would take the cores from the decoding.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # Where weights or activations are denormal, a CPU takes up to 70 times as long.
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    if threads is not None:
        options.intra_op_num_threads = threads
    providers: list[Any] = ["CPUExecutionProvider"]
    kind, _, index = device.partition(":")
    if kind == "cuda":
        if "CUDAExecutionProvider" not in runtime.get_available_providers():
            raise ExtraMissing(
                f"{file}: this ONNX Runtime has no CUDA: pip install 'recog-restore[gpu]', or use the cpu"
            )
        settings = {"device_id": index or "0", "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
        providers.insert(0, ("CUDAExecutionProvider", settings))
    elif kind != "cpu":
        raise RecordError(f"{file}: an ONNX model runs on cpu or cuda, not on {device!r}")
    try:
        session = runtime.InferenceSession(file, options, providers)
    except Exception as error:  # ONNX Runtime's errors have no base of their own
        raise WeightsError(f"{file}: ONNX Runtime cannot load it: {error}") from None
    if kind == "cuda" and session.get_providers()[0] != "CUDAExecutionProvider":
        raise ExtraMissing(f"{file}: ONNX Runtime could not start CUDA; use the cpu, or look at its CUDA libraries")
    return session


def _runtime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError:
        raise ExtraMissing("ONNX models need ONNX Runtime: pip install 'recog-restore[cpu]' (or '[gpu]')") from None
    runtime: ModuleType = onnxruntime
    return runtime
