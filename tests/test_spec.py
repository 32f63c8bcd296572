from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from recog_restore.errors import RecordError
from recog_restore.records import Range
from recog_restore.spec import Spec, checked, imported, parse_spec, refuse_code, typed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lbp", Spec("lbp")),
        ("lbp,flip=sum", Spec("lbp", "", {"flip": "sum"})),
        ("onnx:a/b.onnx", Spec("onnx", "a/b.onnx")),
        (
            "onnx:C:\\faces.onnx,crop=arcface-112,flip=sum",
            Spec("onnx", "C:\\faces.onnx", {"crop": "arcface-112", "flip": "sum"}),
        ),
        ("python:module:Class,scale=2", Spec("python", "module:Class", {"scale": "2"})),
        ("onnx:faces, new.onnx,range=-1..1", Spec("onnx", "faces, new.onnx", {"range": "-1..1"})),
        ("clahe,clip=", Spec("clahe", "", {"clip": ""})),
        ("a,x=b=c", Spec("a", "", {"x": "b=c"})),
    ],
)
def test_text_is_name_argument_and_options(text: str, expected: Spec) -> None:
    assert parse_spec(text) == expected


def test_options_keep_the_order_they_were_typed_in() -> None:
    assert list(parse_spec("a,z=1,b=2,m=3").options) == ["z", "b", "m"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "got no name"),
        (":x", "got no name"),
        ("onnx:", "nothing stands after the colon"),
        ("lbp,flip", r"got 'flip' without '='"),
        ("lbp,flip=sum,flip=none", "'flip' is given twice"),
    ],
)
def test_malformed_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        parse_spec(text)


@dataclass
class Settings:
    clip: float = 1.0
    tiles: int = 8
    sides: Annotated[int, Range(1, 8)] | None = None
    soft: bool = False
    mode: Literal["a", "b"] = "a"
    level: Literal[1, 2] | None = None
    folder: Path = Path()
    note: str = ""


def test_options_take_the_types_of_the_annotations() -> None:
    given = {"clip": "2", "tiles": "4", "soft": "Yes", "mode": "b", "level": "2", "folder": "x/y", "note": "7"}
    assert typed(Settings, given, "here") == {
        "clip": 2.0,
        "tiles": 4,
        "soft": True,
        "mode": "b",
        "level": 2,
        "folder": Path("x/y"),
        "note": "7",
    }


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"clp": "2"}, "here: unknown option 'clp'; did you mean 'clip'?"),
        ({"tiles": "2.5"}, "here: tiles is '2.5'; expected a whole number"),
        ({"clip": "much"}, "here: clip is 'much'; expected a number"),
        ({"clip": "nan"}, "here: clip is nan; expected a finite number"),
        ({"clip": "1e400"}, "here: clip is inf; expected a finite number"),
        ({"tiles": "²"}, "here: tiles is '²'; expected a whole number"),
        ({"tiles": "9" * 5000}, "here: tiles is '9+\\.\\.\\.9+'; expected a whole number"),
        ({"tiles": "9" * 30}, "here: tiles is 9+; expected a whole number of 64 bits"),
        ({"sides": "0"}, "here: sides is 0; expected a number from 1 to 8"),
        ({"soft": "1"}, "here: soft is '1'; expected yes or no"),
        ({"mode": "c"}, "here: mode is 'c'; expected one of a, b"),
    ],
)
def test_option_of_another_type_is_refused(option: dict[str, str], message: str) -> None:
    with pytest.raises(RecordError, match=message.replace("?", r"\?")):
        typed(Settings, option, "here")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tiles": 2.5}, "here: data.tiles is 2.5; expected int"),
        ({"sides": 9}, "here: data.sides is 9; expected a number from 1 to 8"),
        ({"clip": float("nan")}, "here: data.clip is nan; expected a finite number"),
        ({"folder": "x"}, "here: unknown option 'folder'; did you mean 'mode'"),
    ],
)
def test_values_of_a_file_are_checked_against_the_same_annotations(values: dict[str, Any], message: str) -> None:
    assert checked(Settings, {"tiles": 4}, "here") == {"tiles": 4}
    with pytest.raises(RecordError, match=message):
        checked(Settings, values, "here", "data.", given=("folder",))


def test_what_the_caller_fills_is_no_option() -> None:
    with pytest.raises(RecordError, match="unknown option 'tiles'"):
        typed(Settings, {"tiles": "3"}, "here", given=("tiles",))


def test_parameters_that_swallow_anything_make_nothing_an_option() -> None:
    def factory(*values: int, **more: int) -> None: ...

    with pytest.raises(RecordError, match="unknown option 'more'; known: none"):
        typed(factory, {"more": "1"}, "here")


def test_a_parameter_without_annotation_takes_the_type_of_its_default_or_anything() -> None:
    def factory(root, split=None, most=3): ...  # type: ignore[no-untyped-def]

    assert checked(factory, {"root": "x", "split": "a", "most": 4}, "here") == {"root": "x", "split": "a", "most": 4}
    assert typed(factory, {"root": "x", "split": "a", "most": "4"}, "here") == {"root": "x", "split": "a", "most": 4}
    with pytest.raises(RecordError, match="here: most is 'x'; expected int"):
        checked(factory, {"most": "x"}, "here")


class Base: ...


def test_class_is_imported_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_quick_try.py").write_text("class Mine(dict): ...\nnumber = 3\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    assert imported("my_quick_try:Mine", "here", dict).__name__ == "Mine"
    with pytest.raises(RecordError, match="here: module my_quick_try has no 'Mein'; did you mean 'Mine'"):
        imported("my_quick_try:Mein", "here", dict)
    with pytest.raises(RecordError, match=r"expected a class derived from .*Base, which my_quick_try.Mine is not"):
        imported("my_quick_try:Mine", "here", Base)
    with pytest.raises(RecordError, match=r"which my_quick_try.number is not"):
        imported("my_quick_try:number", "here", dict)


@pytest.mark.parametrize("place", ["os:system", "subprocess:Popen", "builtins:exec", "json:loads"])
def test_what_is_not_of_the_class_is_not_imported(place: str) -> None:
    with pytest.raises(RecordError, match="expected a class derived from"):
        imported(place, "here", Base)


def test_missing_module_is_named() -> None:
    with pytest.raises(RecordError, match="here: No module named 'nowhere_at_all'; is it in this folder, or installed"):
        imported("nowhere_at_all:Class", "here", Base)


@pytest.mark.parametrize(
    ("content", "said"), [("def", "SyntaxError"), ("1 / 0", "ZeroDivisionError"), ("raise SystemExit(0)", "SystemExit")]
)
def test_module_that_cannot_be_imported_is_named(
    content: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"bad_{said}.py").write_text(content, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RecordError, match=f"here: module bad_{said} raises {said}"):
        imported(f"bad_{said}:Class", "here", Base)


@pytest.mark.parametrize("text", ["module", "module:", ":Class"])
def test_python_wants_module_and_class(text: str) -> None:
    with pytest.raises(RecordError, match="expected python:module:Class"):
        imported(text, "here", Base)


@pytest.mark.parametrize("text", ["python:os:system", "clahe+python:m:C", " python :m:C", "size<3 and python:m:C<2"])
def test_code_in_the_values_of_a_file_is_refused(text: str) -> None:
    values = {"a": {"b": ["size", text]}, "c": 1}
    with pytest.raises(RecordError, match=r"f.toml: a.b\[1\] is .*, which runs Python code; .* --trust-code"):
        refuse_code(values, "f.toml")
    refuse_code({"title": "pythons: a data set"}, "f.toml")
