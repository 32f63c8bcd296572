from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper
from torch.nn.functional import interpolate

from recog_restore.embed.onnx import OnnxEmbedder
from recog_restore.errors import ConventionError, ExtraMissing, RecordError, WeightsError
from recog_restore.networks.onnx import read_model, sha256_of

Build = Callable[..., Path]
FACES = torch.rand(5, 3, 128, 128, generator=torch.Generator().manual_seed(0))


def test_embeddings_are_those_of_the_bare_session(tiny_onnx: Build) -> None:
    file = tiny_onnx()
    window = FACES[:, :, :112, 8:120].numpy() * 255
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": (window - 127.5) / 127.5})
    np.testing.assert_allclose(OnnxEmbedder(file)(FACES).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_identity_is_the_sha256_of_the_file(tiny_onnx: Build) -> None:
    file = tiny_onnx()
    assert OnnxEmbedder(file).identity() == hashlib.sha256(file.read_bytes()).hexdigest()


def test_identity_covers_tensors_kept_in_another_file(tiny_onnx: Build) -> None:
    file = tiny_onnx("external.onnx", external=True)
    data = file.with_name("external.onnx.data")
    before = OnnxEmbedder(file).identity()
    data.write_bytes(data.read_bytes()[::-1])
    assert OnnxEmbedder(file).identity() != before
    data.unlink()
    with pytest.raises(WeightsError, match=r"its tensors are in another file: .*external\.onnx\.data: no such file"):
        OnnxEmbedder(file)


@pytest.mark.parametrize(
    ("height", "width", "crop"),
    [(112, 112, "arcface-112"), (112, 96, "sphereface-112x96"), (128, 128, "canonical-128")],
)
def test_crop_follows_the_size_of_the_input(height: int, width: int, crop: str, tiny_onnx: Build) -> None:
    assert OnnxEmbedder(tiny_onnx(shape=("b", 3, height, width))).card.input.crop == crop


def test_one_channel_is_grey(tiny_onnx: Build) -> None:
    embedder = OnnxEmbedder(tiny_onnx(shape=("b", 1, 112, 112)))
    assert embedder.card.input.colour == "grey"
    assert embedder(FACES).shape == (5, 4)


INSIDE = (("Sub", "_minusscalar0", 127.5), ("Mul", "_mulscalar0", 0.0078125))


def test_range_is_that_of_the_graph_and_not_guessed_then(tiny_onnx: Build) -> None:
    inside, plain = OnnxEmbedder(tiny_onnx("inside.onnx", before=INSIDE)).card, OnnxEmbedder(tiny_onnx()).card
    assert (inside.input.mean, inside.input.std, inside.guessed) == (0.0, 1.0, ("colour", "crop"))
    assert (plain.input.mean, plain.input.std, plain.guessed) == (127.5, 127.5, ("range", "colour", "crop"))


@pytest.mark.parametrize(
    ("options", "guessed"),
    [
        ({"range": "0..1"}, ("colour", "crop")),
        ({"mean": 1.0, "std": 2.0}, ("colour", "crop")),
        ({"colour": "bgr"}, ("range", "crop")),
        ({"crop": "arcface-112"}, ("range", "colour")),
    ],
)
def test_what_is_declared_is_not_guessed(options: dict[str, Any], guessed: tuple[str, ...], tiny_onnx: Build) -> None:
    assert OnnxEmbedder(tiny_onnx(), **options).card.guessed == guessed


def test_grey_input_has_no_order_of_colours_to_guess(tiny_onnx: Build) -> None:
    assert OnnxEmbedder(tiny_onnx(shape=("b", 1, 112, 112))).card.guessed == ("range", "crop")


def test_card_beside_the_file_declares_what_it_states_and_no_more(tiny_onnx: Build) -> None:
    file = tiny_onnx(before=INSIDE)
    file.with_suffix(".toml").write_text('name = "mine"\nnetwork = "onnx"\ninput = {colour = "bgr"}\n', "utf-8")
    card = OnnxEmbedder(file).card
    assert (card.input.std, card.input.colour, card.guessed) == (1.0, "bgr", ("crop",))


def test_published_model_wants_raw_values(shared: Path) -> None:
    card = OnnxEmbedder(shared / "weights" / "mobilefacenet-arcface-ms1m-112.onnx", threads=1).card
    assert (card.input.words(), card.dim, card.flip) == ("112×112 RGB, 0..255 as they are", 128, "none")


def test_arguments_override_what_was_inferred(tiny_onnx: Build) -> None:
    file = tiny_onnx()
    assert OnnxEmbedder(file, colour="bgr", flip="concat")(FACES).shape == (5, 8)
    assert OnnxEmbedder(file, range="0..1").card.input.words() == "112×112 RGB, (x − 0) / 255"
    assert OnnxEmbedder(file, mean=1, std=2).card.input.words() == "112×112 RGB, (x − 1) / 2"


def test_card_beside_the_file_is_read_and_arguments_override_it(tiny_onnx: Build) -> None:
    file = tiny_onnx()
    file.with_suffix(".toml").write_text(
        'name = "mine"\nnetwork = "onnx"\nflip = "sum"\n[input]\ncolour = "bgr"\nmean = 0\nstd = 255\n', "utf-8"
    )
    card = OnnxEmbedder(file).card
    assert (card.name, card.flip, card.input.colour, card.input.std, card.dim) == ("mine", "sum", "bgr", 255.0, 4)
    card = OnnxEmbedder(file, colour="rgb", flip="none").card
    assert (card.flip, card.input.colour, card.input.std) == ("none", "rgb", 255.0)


def test_card_of_another_file_is_refused(tiny_onnx: Build) -> None:
    file = tiny_onnx()
    file.with_suffix(".toml").write_text(f'name = "m"\nnetwork = "onnx"\n[weights]\nsha256 = "{"0" * 64}"\n', "utf-8")
    with pytest.raises(
        WeightsError, match=r"expected SHA-256 0+, as tiny\.toml says, got [0-9a-f]{64}; is it the card"
    ):
        OnnxEmbedder(file)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"crop": "sphereface-112x96"}, "crop sphereface-112x96 is 112×96, but the model wants 112×112"),
        ({"crop": "arcface-113"}, "crop is 'arcface-113'; did you mean 'arcface-112'"),
        ({"colour": "grey"}, "colour grey does not fit the 3-channel input of the model"),
        ({"colour": "yuv"}, "colour is 'yuv'; expected one of 'rgb', 'bgr', 'grey'"),
        ({"mean": 1.0}, "mean and std go together, on the 0..255 scale; only one is given"),
        ({"range": "0..1", "mean": 1.0, "std": 1.0}, "give range, or mean and std, not both"),
        ({"range": "0..2"}, "range is '0..2'; expected one of 0..255, 0..1, -1..1"),
        ({"mean": 0.0, "std": 0.0}, "std is 0.0; expected a positive number"),
        ({"output": "nope"}, "no output named 'nope'; known: e"),
        ({"device": "tpu"}, "an ONNX model runs on cpu or cuda, not on 'tpu'"),
    ],
)
def test_contradictory_arguments_are_refused(arguments: dict[str, object], message: str, tiny_onnx: Build) -> None:
    with pytest.raises(RecordError, match=message):
        OnnxEmbedder(tiny_onnx(), **arguments)  # type: ignore[arg-type]


def test_open_size_needs_a_crop(tiny_onnx: Build) -> None:
    file = tiny_onnx(shape=("b", 3, "h", "w"))
    with pytest.raises(RecordError, match="no crop is known for its input; say crop=NAME, one of arcface-112"):
        OnnxEmbedder(file)
    assert OnnxEmbedder(file, crop="arcface-112")(FACES).shape == (5, 4)


def test_size_of_no_crop_wants_one_which_is_resized(tiny_onnx: Build) -> None:
    file = tiny_onnx(shape=("b", 3, 160, 160))
    with pytest.raises(RecordError, match="no crop is known for its input of 160×160; say crop=NAME, .* resized if"):
        OnnxEmbedder(file)
    embedder = OnnxEmbedder(file, crop="canonical-128")
    assert embedder.card.input.words() == "160×160 RGB resized from canonical-128, (x − 127.5) / 127.5"
    expected = interpolate(FACES, (160, 160), mode="bilinear", antialias=True) * 2 - 1
    torch.testing.assert_close(embedder.prepare(FACES), expected)
    assert embedder(FACES).shape == (5, 4)


def test_open_size_takes_the_declared_one(tiny_onnx: Build) -> None:
    embedder = OnnxEmbedder(tiny_onnx(shape=("b", 3, "h", "w")), crop="arcface-112", size=224)
    assert embedder.prepare(FACES).shape == (5, 3, 224, 224)


def test_crop_that_is_not_square_is_not_resized(tiny_onnx: Build) -> None:
    with pytest.raises(RecordError, match="size is 160, but crop sphereface-112x96 is not square; leave the size out"):
        OnnxEmbedder(tiny_onnx(shape=("b", 3, "h", "w")), crop="sphereface-112x96", size=160)


@pytest.mark.parametrize("batch", [1, 2, 5, 8])
def test_model_of_a_fixed_batch_gets_its_faces_in_pieces(batch: int, tiny_onnx: Build) -> None:
    free, fixed = OnnxEmbedder(tiny_onnx("free.onnx")), OnnxEmbedder(tiny_onnx(shape=(batch, 3, 112, 112)))
    torch.testing.assert_close(fixed(FACES), free(FACES))


def test_open_width_of_the_output_is_measured(tiny_onnx: Build) -> None:
    assert OnnxEmbedder(tiny_onnx(dim="d")).card.dim == 4


def test_half_precision_model_gives_float32(tiny_onnx: Build) -> None:
    half, full = OnnxEmbedder(tiny_onnx("half.onnx", kind=TensorProto.FLOAT16)), OnnxEmbedder(tiny_onnx())
    assert half(FACES).dtype == torch.float32
    torch.testing.assert_close(half(FACES), full(FACES), rtol=0.02, atol=0.02)  # float16 has 11 bits


def test_several_outputs_want_a_name(tiny_onnx: Build) -> None:
    file = tiny_onnx(outputs=2)
    with pytest.raises(ConventionError, match=r"expected one output, found e .*, norm .*; name one with output=NAME"):
        OnnxEmbedder(file)
    assert OnnxEmbedder(file, output="e")(FACES).shape == (5, 4)


@pytest.mark.parametrize(
    ("kind", "shape"), [(TensorProto.DOUBLE, ["b", 3, 112, 112]), (TensorProto.FLOAT, ["b", 3, 112])]
)
def test_input_of_another_type_or_rank_is_refused(kind: int, shape: list[int | str], tmp_path: Path) -> None:
    ends = [helper.make_tensor_value_info(name, kind, size) for name, size in (("x", shape), ("e", ["b", "d"]))]
    graph = helper.make_graph([helper.make_node("Flatten", ["x"], ["e"])], "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    with pytest.raises(ConventionError, match=r"expected one float input \(B, C, H, W\), found x tensor"):
        OnnxEmbedder(tmp_path / "m.onnx")


def test_input_with_channels_last_is_refused(tiny_onnx: Build) -> None:
    with pytest.raises(ConventionError, match="expected an input .* of 1 or 3 channels, found x"):
        OnnxEmbedder(tiny_onnx(shape=("b", 112, 112, 4)))


@pytest.mark.parametrize("data", [b"", b"a text, no model\n" * 20, bytes(range(256)) * 9])
def test_file_that_is_no_model_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(data)
    with pytest.raises(WeightsError, match=r"m\.onnx: not an ONNX model"):
        OnnxEmbedder(tmp_path / "m.onnx")


def test_damaged_model_is_refused(tiny_onnx: Build) -> None:
    file = tiny_onnx()
    file.write_bytes(file.read_bytes()[:-150])
    with pytest.raises(WeightsError, match=r"tiny\.onnx: (not an ONNX model|ONNX Runtime cannot load it)"):
        OnnxEmbedder(file)


def test_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"m\.onnx: no such file"):
        OnnxEmbedder(tmp_path / "m.onnx")


def test_model_that_fails_says_on_what(tiny_onnx: Build) -> None:
    embedder = OnnxEmbedder(tiny_onnx())
    with pytest.raises(ConventionError, match=r"the model fails on an input of shape \(1, 3, 9, 9\)"):
        embedder.forward(torch.zeros(1, 3, 9, 9))


def test_missing_cuda_names_the_way_out(tiny_onnx: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ExtraMissing, match=r"has no CUDA: pip install 'recog-restore\[gpu\]', or use the cpu"):
        OnnxEmbedder(tiny_onnx(), device="cuda")


def test_missing_onnx_runtime_names_the_way_out(tiny_onnx: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ExtraMissing, match=r"need ONNX Runtime: pip install 'recog-restore\[cpu\]'"):
        OnnxEmbedder(tiny_onnx())


def network(
    file: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[int | str] = ("b", 3, 112, 112),
    output: Sequence[int | str] = ("b", 8),
    kind: int = TensorProto.FLOAT,
    tensors: Sequence[onnx.TensorProto] = (),
) -> Path:
    """Write a network of these nodes, from ``x`` to ``e``."""
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, inputs)]
    ends.append(helper.make_tensor_value_info("e", kind, output))
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), file)
    return file


POOLED = (helper.make_node("GlobalAveragePool", ["t"], ["p"]), helper.make_node("Flatten", ["p"], ["f"]))
FIRST = helper.make_node("Identity", ["x"], ["t"])


@pytest.mark.parametrize("escape", ["/etc/passwd", "../x.data", "a/../../x.data", "", "a\0b"])
def test_tensors_outside_the_folder_of_the_file_are_refused(escape: str, tiny_onnx: Build) -> None:
    file = tiny_onnx("external.onnx", external=True)
    model = onnx.load(file, load_external_data=False)
    for tensor in model.graph.initializer:
        next(entry for entry in tensor.external_data if entry.key == "location").value = escape
    file.write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match=r"external\.onnx: its tensors are in "):
        OnnxEmbedder(file)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
def test_tensors_in_what_is_no_regular_file_are_refused(make: Callable[[Path], None], tiny_onnx: Build) -> None:
    file = tiny_onnx("external.onnx", external=True)
    data = file.with_name("external.onnx.data")
    data.unlink()
    make(data)
    with pytest.raises(WeightsError, match=r"external\.onnx: its tensors are in "):
        OnnxEmbedder(file)


def test_linked_file_finds_its_tensors_where_both_are(tiny_onnx: Build, tmp_path: Path) -> None:
    file = tiny_onnx("external.onnx", external=True)
    (tmp_path / "links").mkdir()
    for name in ("external.onnx", "external.onnx.data"):
        (tmp_path / "links" / name).symlink_to(tmp_path / name)
    assert sha256_of(tmp_path / "links" / file.name, read_model(file)) == sha256_of(file, read_model(file))


@pytest.mark.parametrize("batch", [0, 1_000_000_000])
def test_batch_that_cannot_be_filled_is_refused(batch: int, tmp_path: Path) -> None:
    file = network(
        tmp_path / "m.onnx",
        [FIRST, *POOLED[:1], helper.make_node("Flatten", ["p"], ["e"])],
        (batch, 3, 112, 112),
        ("b", 3),
    )
    with pytest.raises(ConventionError, match=r"m\.onnx: expected an open batch, or one of 1 to 1,024, found x"):
        OnnxEmbedder(file)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (TensorProto.STRING, r"expected an output of numbers, found e tensor\(string\)"),
        (TensorProto.BOOL, r"expected an output of numbers, found e tensor\(bool\)"),
        (TensorProto.INT64, r"expected an output of floats, got torch\.int64"),
    ],
)
def test_output_that_is_no_floats_is_refused(kind: int, message: str, tmp_path: Path) -> None:
    file = network(tmp_path / "m.onnx", [FIRST, *POOLED, helper.make_node("Cast", ["f"], ["e"], to=kind)], kind=kind)
    with pytest.raises(ConventionError, match=message):
        OnnxEmbedder(file)(FACES)


def test_scalar_output_is_refused(tmp_path: Path) -> None:
    file = network(tmp_path / "m.onnx", [helper.make_node("ReduceMean", ["x"], ["e"], keepdims=0)], output=())
    with pytest.raises(ConventionError, match=r"expected an output of shape \(1, 'D'\), got \(\)"):
        OnnxEmbedder(file)


def test_restorer_is_recognized(tmp_path: Path) -> None:
    file = network(tmp_path / "m.onnx", [helper.make_node("Identity", ["x"], ["e"])], output=("b", 3, 112, 112))
    with pytest.raises(ConventionError, match=r"m\.onnx: its output \(\?, 3, 112, 112\) is an image: this is a restor"):
        OnnxEmbedder(file)


def test_embedding_of_four_dimensions_is_flattened(tmp_path: Path) -> None:
    flat = network(
        tmp_path / "flat.onnx", [FIRST, POOLED[0], helper.make_node("Flatten", ["p"], ["e"])], output=("b", 3)
    )
    tall = network(
        tmp_path / "tall.onnx", [FIRST, helper.make_node("GlobalAveragePool", ["t"], ["e"])], output=("b", 3, 1, 1)
    )
    assert OnnxEmbedder(tall).card.dim == 3
    assert torch.equal(OnnxEmbedder(tall)(FACES), OnnxEmbedder(flat)(FACES))


def test_input_with_channels_last_is_given_so(tmp_path: Path) -> None:
    tail = [POOLED[0], helper.make_node("Flatten", ["p"], ["e"])]
    turn = helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])
    first = network(tmp_path / "first.onnx", [FIRST, *tail], output=("b", 3))
    last = network(tmp_path / "last.onnx", [turn, *tail], ("b", 112, 112, 3), ("b", 3))
    assert OnnxEmbedder(last).card.input == OnnxEmbedder(first).card.input
    assert torch.equal(OnnxEmbedder(last)(FACES), OnnxEmbedder(first)(FACES))
