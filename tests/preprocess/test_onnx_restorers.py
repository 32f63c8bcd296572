from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import NodeProto, TensorProto, helper, numpy_helper

from recog_restore.errors import ConventionError, RecordError, WeightsError
from recog_restore.faces import luma
from recog_restore.preprocess.card import resized
from recog_restore.preprocess.spec import create, noted
from recog_restore.preprocess.trial import trial
from recog_restore.testing import check_preprocessor, sample_faces

FACES = sample_faces()


def network(
    file: Path,
    nodes: Sequence[NodeProto],
    shape: Sequence[int | str] = ("b", 3, 128, 128),
    *,
    dtype: int = TensorProto.FLOAT,
    outputs: Sequence[str] = ("y",),
    **constants: Sequence[float],
) -> Path:
    """Write a network from x to y; an output's shape is left open."""
    made = [helper.make_tensor_value_info("x", dtype, shape)]
    given = [helper.make_tensor_value_info(name, dtype, [None] * 4) for name in outputs]
    weights = [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", made, given, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), file)
    return file


def negative(file: Path, shape: Sequence[int | str] = ("b", 3, 128, 128), dtype: int = TensorProto.FLOAT) -> Path:
    return network(file, [helper.make_node("Neg", ["x"], ["y"])], shape, dtype=dtype)


def enlarging(file: Path, times: float, shape: Sequence[int | str] = ("b", 3, "h", "w")) -> Path:
    """Write a network that enlarges, and sets the first channel to zero."""
    nodes = [
        helper.make_node("Mul", ["x", "gain"], ["m"]),
        helper.make_node("Resize", ["m", "", "scales"], ["y"], mode="nearest"),
    ]
    return network(file, nodes, shape, gain=[[[0.0]], [[1.0]], [[1.0]]], scales=[1, 1, times, times])


def scaled(file: Path, gain: float, offset: float) -> Path:
    nodes = [helper.make_node("Mul", ["x", "a"], ["m"]), helper.make_node("Add", ["m", "c"], ["y"])]
    return network(file, nodes, a=gain, c=offset)


def card(file: Path, *lines: str) -> None:
    text = "\n".join(['name = "x"', 'kind = "restorer"', *lines])
    file.with_suffix(".toml").write_text(text + "\n", "utf-8")


def test_network_runs_in_its_own_range(tmp_path: Path) -> None:
    file = negative(tmp_path / "a, b+c.onnx")
    preprocessor = create(f"onnx:{file},range=-1..1,colour=bgr")
    check_preprocessor(preprocessor)
    assert preprocessor.card.rights == "unknown"
    torch.testing.assert_close(preprocessor(FACES).images, 1 - FACES.images)
    chain = create(f"onnx:{file},range=-1..1+bicubic-down2")
    torch.testing.assert_close(
        chain(FACES).images, create("bicubic-down2")(FACES.replace(images=1 - FACES.images)).images
    )


def test_network_of_half_precision_gives_faces_like_any(tmp_path: Path) -> None:
    file = negative(tmp_path / "half.onnx", dtype=TensorProto.FLOAT16)
    torch.testing.assert_close(create(f"onnx:{file},range=-1..1")(FACES).images, 1 - FACES.images, atol=1e-3, rtol=0)


@pytest.mark.parametrize("side", [64, 256])
def test_network_of_another_size_computes_at_its_own(side: int, tmp_path: Path) -> None:
    made = create(f"onnx:{negative(tmp_path / 'x.onnx', (1, 3, side, side))},range=-1..1")
    expected = 1 - resized(resized(FACES.images, side), 128)
    torch.testing.assert_close(made(FACES).images, expected.clamp(0, 1), atol=1e-5, rtol=1e-5)
    assert made.settings()["size"] == side


@pytest.mark.parametrize(("option", "side"), [("", 128), (",size=32", 32)])
@pytest.mark.parametrize("colour", ["rgb", "bgr"])
def test_larger_output_is_resized_back_in_its_own_colour_order(
    option: str, side: int, colour: str, tmp_path: Path
) -> None:
    made = create(f"onnx:{enlarging(tmp_path / 'x.onnx', 4)},colour={colour}{option}")
    done = made(FACES).images
    zeroed = 0 if colour == "rgb" else 2
    assert float(done[:, zeroed].abs().max()) < 1e-6
    kept = [channel for channel in range(3) if channel != zeroed]
    torch.testing.assert_close(done[:, kept], FACES.images[:, kept], atol=0.2, rtol=0)
    assert made.settings()["size"] == side


def test_the_size_may_stand_on_the_card(tmp_path: Path) -> None:
    file = enlarging(tmp_path / "x.onnx", 4)
    card(file, "size = 32")
    assert create(f"onnx:{file}").settings()["size"] == 32


def test_one_channel_is_the_luma_and_the_colours_stay(tmp_path: Path) -> None:
    file = negative(tmp_path / "x.onnx", ("b", 1, 128, 128))
    grey = luma(FACES.images)
    made = create(f"onnx:{file},range=-1..1")
    torch.testing.assert_close(made(FACES).images, (FACES.images + 1 - 2 * grey).clamp(0, 1), atol=1e-5, rtol=0)
    assert made.card.guessed == ()
    frontal = create(f"onnx:{file},range=-1..1,task=frontalize")
    torch.testing.assert_close(frontal(FACES).images, (1 - grey).expand_as(FACES.images), atol=1e-5, rtol=0)


def test_one_of_several_outputs_is_named(tmp_path: Path) -> None:
    nodes = [helper.make_node("Neg", ["x"], ["y"]), helper.make_node("Concat", ["x", "x"], ["maps"], axis=1)]
    file = network(tmp_path / "x.onnx", nodes, outputs=("y", "maps"))
    with pytest.raises(ConventionError, match="expected one output, found y .*, maps .*; name one with output=NAME"):
        create(f"onnx:{file}")
    torch.testing.assert_close(create(f"onnx:{file},output=y,range=-1..1")(FACES).images, 1 - FACES.images)
    with pytest.raises(
        ConventionError, match=r"expected an output image \(4, 1 or 3, side, side\), got \(4, 6, 128, 1"
    ):
        create(f"onnx:{file},output=maps")(FACES)


def test_output_that_is_not_square_is_refused(tmp_path: Path) -> None:
    file = network(tmp_path / "x.onnx", [helper.make_node("Concat", ["x", "x"], ["y"], axis=3)])
    with pytest.raises(ConventionError, match=r"expected an output image .*, got \(4, 3, 128, 256\)"):
        create(f"onnx:{file}")(FACES)


def test_input_and_output_may_have_ranges_of_their_own(tmp_path: Path) -> None:
    file = scaled(tmp_path / "x.onnx", 127.5, 127.5)
    made = create(f"onnx:{file},input_range=-1..1,output_range=0..255,colour=rgb")
    torch.testing.assert_close(made(FACES).images, FACES.images, atol=1e-5, rtol=0)
    card(
        file,
        'task = "denoise"',
        'input = { range = "-1..1", colour = "rgb" }',
        'output = { range = "0..255", colour = "bgr" }',
    )
    made = create(f"onnx:{file}")
    torch.testing.assert_close(made(FACES).images, FACES.images.flip(1), atol=1e-5, rtol=0)
    assert (made.card.task, made.card.guessed, made.notes) == ("denoise", (), ())
    assert create(f"onnx:{file},task=enhance").card.task == "enhance"


def test_what_nobody_declared_is_said_to_be_guessed(tmp_path: Path) -> None:
    file = negative(tmp_path / "x.onnx")
    made = create(f"onnx:{file}")
    assert made.card.guessed == ("range", "colour")
    assert noted(create(f"clahe+onnx:{file}")) == [
        f"onnx:{file}: guessed that input and output are 0..1 RGB; say range= and colour=, or write a card beside it "
        "(x.toml)"
    ]
    assert create(f"onnx:{file},range=0..1").card.guessed == ("colour",)
    card(file, 'network = "frn"')  # which takes and gives 0..1 RGB
    assert create(f"onnx:{file}").card.guessed == ()


@pytest.mark.parametrize(
    ("lines", "kind", "message"),
    [
        (('guide = "poses"',), RecordError, "x.toml: guide is 'poses'; expected 'none'"),
        (("[weights]", 'sha256 = "ab"'), WeightsError, "x.onnx: expected SHA-256 ab, as x.toml says"),
        (("size = 64",), RecordError, "size 64 does not fit the 128×128 input of the model"),
        (('input = { colour = "grey" }',), RecordError, "colour grey does not fit the 3-channel input of the model"),
        (
            ("taks = 1",),
            RecordError,
            "x.toml: unknown key 'taks'; did you mean 'task'?; a whole card is:\nname = \"x\"\nkind = \"restorer\"\n",
        ),
    ],
)
def test_card_beside_a_file_that_does_not_fit_it_is_refused(
    lines: tuple[str, ...], kind: type[Exception], message: str, tmp_path: Path
) -> None:
    file = negative(tmp_path / "x.onnx")
    card(file, *lines)
    with pytest.raises(kind, match=re.escape(message)):
        create(f"onnx:{file}")


def test_the_card_that_an_error_prints_is_taken(tmp_path: Path) -> None:
    file = negative(tmp_path / "x.onnx")
    file.with_suffix(".toml").write_text("", "utf-8")
    with pytest.raises(RecordError) as refused:
        create(f"onnx:{file}")
    file.with_suffix(".toml").write_text(str(refused.value).partition("a whole card is:")[2], "utf-8")
    assert create(f"onnx:{file}").card.guessed == ()


@pytest.mark.parametrize(
    ("shape", "option", "kind", "message"),
    [
        (("b", 3, 112, 96), "", ConventionError, "expected a square input, the model wants 112×96"),
        (("b", 3, 128, 128), ",size=64", RecordError, "size 64 does not fit the 128×128 input"),
        (("b", 3, "h", "w"), ",size=0", RecordError, "size is 0; expected"),
        (("b", 1, 128, 128), ",colour=rgb", RecordError, "colour rgb does not fit the 1-channel input"),
    ],
)
def test_input_that_does_not_fit_is_refused(
    shape: tuple[int | str, ...], option: str, kind: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=message):
        create(f"onnx:{negative(tmp_path / 'x.onnx', shape)}{option}")


@pytest.mark.parametrize(
    ("gain", "offset", "option", "message"),
    [
        (2.0, -1.0, "", "span .* to 1\\): are they in the range -1..1\\? say output_range=-1..1"),
        (255.0, 0.0, "", "span .* to 25.\\): are they in the range 0..255\\? say output_range=0..255"),
        (1.0, 0.0, ",range=0..255", None),
        (
            1.0,
            0.0,
            ",input_range=0..1,output_range=-1..1",
            "far from the faces: is it in the range 0..1\\? say output_range=0..1",
        ),
        (0.0, 0.0, "", "its output is of one colour for 4 of 4 faces"),
    ],
)
def test_range_of_an_onnx_networks_output_is_seen(
    gain: float, offset: float, option: str, message: str | None, tmp_path: Path
) -> None:
    made = create(f"clahe+onnx:{scaled(tmp_path / 'x.onnx', gain, offset)}{option}")
    found = trial(made, FACES)
    if message is None:
        assert found == []
    else:
        assert len(found) == 1
        assert found[0].startswith(f"onnx:{tmp_path / 'x.onnx'}")
        assert re.search(message, found[0]), found


@pytest.mark.parametrize(
    ("file", "option"),
    [
        ("zerodce_b1", ""),
        ("zerodce_two", ",output=enhanced"),
        ("zerodce_fp16", ""),
        ("zerodce_nhwc", ""),
        ("zerodce_denormals", ""),
    ],
)
def test_a_published_network_gives_the_same_faces_in_every_shape(shared: Path, file: str, option: str) -> None:
    folder = shared / "weights" / "third-party" / "onnx_shapes"
    if not folder.is_dir():
        pytest.skip("third-party networks are not there")
    faces = FACES.take([0, 1])
    expected = create(f"onnx:{folder / 'zerodce.onnx'},range=0..1,colour=rgb")(faces).images
    made = create(f"onnx:{folder / file}.onnx,range=0..1,colour=rgb{option}")
    torch.testing.assert_close(made(faces).images, expected, atol=5e-3, rtol=0)
    assert trial(made, faces) == []


def test_a_published_grey_network_keeps_the_colours(shared: Path) -> None:
    file = shared / "weights" / "third-party" / "onnx_shapes" / "dncnn_gray.onnx"
    if not file.is_file():
        pytest.skip("third-party networks are not there")
    faces = FACES.take([0])
    done = create(f"onnx:{file},range=0..1,task=denoise")(faces).images
    torch.testing.assert_close(done, faces.images, atol=0.1, rtol=0)
