"""The recognition model of an insightface model pack, as it lies on this machine; nothing is fetched."""

from __future__ import annotations

import dataclasses
import glob
import json
from pathlib import Path

import onnx

from ..errors import RecordError, WeightsError
from ..networks.cards import Flip
from ..networks.onnx import read_model
from .onnx import OnnxEmbedder

ROOT = Path("~/.insightface")


class InsightFaceEmbedder(OnnxEmbedder):
    """An embedder of insightface's zoo: RGB, normalized as insightface finds it in the file.

    Args:
        name: a pack (``buffalo_l``, ``antelopev2``), or the stem of a model file (``w600k_r50``).
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        threads: threads within one operator; None leaves it to ONNX Runtime.
        root: insightface's folder, which holds ``models/``.
        flip: flip fusion; insightface itself uses none in its package, and the sum in its benchmarks.

    Raises:
        WeightsError: the pack is not on this machine, or has no recognition model.
    """

    def __init__(
        self,
        name: str,
        device: str = "cpu",
        threads: int | None = None,
        *,
        root: Path = ROOT,
        flip: Flip | None = None,
    ) -> None:
        file, normalization = find_model(name, root)
        mean, std = normalization or (None, None)
        super().__init__(file, device, threads, colour="rgb", mean=mean, std=std, flip=flip)
        self.card = dataclasses.replace(self.card, guessed=())  # insightface has one input for all its models


def find_model(name: str, root: Path = ROOT) -> tuple[Path, tuple[float, float] | None]:
    """Return the file of a pack's recognition model, and mean and std where the pack states them.

    A pack with a manifest names the file. In any other it is, as for insightface, the first file in order of name with
    a square input whose side is at least 112 and a multiple of 16, and fewer than five outputs, which is neither of the
    models known by their side: landmarks (192) and the face swapper (two inputs, 128).

    Raises:
        WeightsError: the pack is not on this machine, or has no such file.

    Source: insightface 2.1, model_zoo/model_zoo.py, ModelRouter, and app/face_analysis.py.
    """
    models = root.expanduser() / "models"
    pack = models / name
    if not pack.is_dir():
        if alone := sorted(models.glob(f"**/{glob.escape(name.removesuffix('.onnx'))}.onnx")):
            return alone[0], None
        raise WeightsError(
            f"no insightface model {name!r}: looked for {pack} and {name}.onnx below {models}; fetch the pack with "
            f"'insightface-cli model.download {name}', or name another folder with root=FOLDER or a file with onnx:FILE"
        )
    manifest = pack / "manifest.json"
    if manifest.is_file():
        return _stated(manifest)
    for file in sorted(pack.glob("*.onnx")):
        if _recognizes(read_model(file)):
            return file, None
    found = ", ".join(sorted(file.name for file in pack.glob("*.onnx"))) or "no .onnx file"
    raise WeightsError(f"{pack}: no recognition model among {found}")


def _stated(manifest: Path) -> tuple[Path, tuple[float, float] | None]:
    try:
        task = json.loads(manifest.read_text("utf-8"))["tasks"]["recognition"]
        values = task.get("preprocessing", {"mean": 127.5, "std": 127.5})
        normalization = (0.0, 1.0) if values == "embedded" else (float(values["mean"]), float(values["std"]))
        return manifest.parent / task["file"], normalization
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{manifest}: states no recognition model: {error!r}") from None


def _recognizes(model: onnx.ModelProto) -> bool:
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    sides = [side.dim_value for side in inputs[0].type.tensor_type.shape.dim] if inputs else []
    if len(sides) != 4 or len(model.graph.output) >= 5:
        return False
    height, width = sides[2:]
    square = height == width and height >= 112 and height % 16 == 0
    return square and height != 192 and not (len(inputs) == 2 and height == 128)
