"""A torch network written as ONNX, and checked against itself before the file is there."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import torch
from torch import Tensor, nn

from ..errors import ConventionError, RecordError, WeightsError
from .onnx import OnnxNetwork

OPSET = 17
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        sha256: of the file.
        shape: of the output, without the batch.
        difference: the largest between ONNX Runtime's and torch's outputs; relative to the largest output where that
            exceeds 1.
    """

    sha256: str
    shape: tuple[int, ...]
    difference: float


def export(network: nn.Module, example: Tensor, file: Path, about: str = "") -> Exported:
    """Return what was written to ``file``: the network for batches of any size, checked with ONNX Runtime.

    The check runs the example, its first face alone, and one face more than the example has; the file appears only
    when all of them agree with torch.

    Args:
        network: of one input (B, C, H, W) and one output; exported in evaluation mode, on the CPU.
        example: (B, C, H, W), B ≥ 2; height and width of the file's input are its own.
        file: absent.
        about: stored in the file's metadata as ``card``.

    Raises:
        RecordError: the file exists.
        WeightsError: the network takes another input, cannot be expressed in ONNX, or differs there by 1e-4 or more;
            or the file cannot be written.
        ExtraMissing: ONNX Runtime is not installed.
    """
    if file.exists():
        raise RecordError(f"{file}: exists already; remove it, or give another name")
    network = network.to("cpu").eval()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=file.parent) as folder:
            draft = Path(folder) / file.name
            _write(network, example, draft, about)
            written = OnnxNetwork(draft)
            batches = (example, example[:1], torch.cat([example, example[:1]]))
            difference = max(_difference(network, written, batch, file) for batch in batches)
            if not difference < TOLERANCE:
                raise WeightsError(
                    f"{file}: not written: ONNX Runtime's output differs from torch's by {difference:.2g}; expected "
                    f"less than {TOLERANCE:g}"
                )
            draft.rename(file)
    except OSError as error:
        raise WeightsError(f"{file}: cannot be written: {error}") from None
    return Exported(written.sha256, tuple(side or 0 for side in written.output_shape[1:]), difference)


def _write(network: nn.Module, example: Tensor, file: Path, about: str) -> None:
    try:
        with torch.no_grad(), warnings.catch_warnings(action="ignore"):  # it advertises its successor
            torch.onnx.export(
                network,
                (example,),
                str(file),
                input_names=["input"],
                output_names=["output"],
                dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
                opset_version=OPSET,
                dynamo=False,  # the successor needs a package more
            )
    except (TypeError, RuntimeError, torch.onnx.OnnxExporterError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(
            f"{type(network).__name__} cannot be exported for {tuple(example.shape)}: {reason}"
        ) from None
    model = onnx.load(file)
    onnx.helper.set_model_props(model, {"card": about} if about else {})
    onnx.save(model, file)


def _difference(network: nn.Module, written: OnnxNetwork, inputs: Tensor, file: Path) -> float:
    with torch.inference_mode():
        expected = network(inputs)
    try:
        got = written(inputs)
    except ConventionError:
        got = torch.empty(0)
    if got.shape != expected.shape:
        raise WeightsError(
            f"{file}: not written: ONNX Runtime fails on a batch of {len(inputs)}; the network must not "
            "read the batch's size as a number"
        )
    return float((got - expected).abs().max() / expected.abs().max().clamp(min=1))
