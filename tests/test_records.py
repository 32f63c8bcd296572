from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from recog_restore.errors import RecordError, ResourceMissing
from recog_restore.records import Length, Range, Seed, build, changed, plain, read_toml


@dataclass(frozen=True)
class Inner:
    count: int = 0
    share: float = 0.0


@dataclass(frozen=True)
class Outer:
    name: str
    kind: Literal["a", "b"] = "a"
    inner: Inner = field(default_factory=Inner)
    many: tuple[Inner, ...] = ()
    sizes: tuple[int, ...] = ()
    maybe: int | None = None
    free: dict[str, Any] = field(default_factory=dict)


def test_values_become_frozen_records() -> None:
    values = {
        "name": "x",
        "inner": {"count": 2, "share": 1},
        "many": [{"count": 1}],
        "sizes": [1, 2],
        "free": {"a": [1]},
    }
    found = build(Outer, values, "f.toml")
    assert found == Outer("x", inner=Inner(2, 1.0), many=(Inner(1),), sizes=(1, 2), free={"a": [1]})
    assert build(Outer, plain(found), "f.toml") == found


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nme": "x"}, r"f.toml: unknown key 'nme'; did you mean 'name'\?"),
        ({"name": "x", "inner": {"cuont": 1}}, r"f.toml: unknown key 'inner.cuont'; did you mean 'count'\?"),
        ({"name": "x", "zzzzzz": 1}, "unknown key 'zzzzzz'; known: free, inner, kind"),
        ({}, "f.toml: missing key 'name'"),
        ({"name": 3}, "f.toml: name is 3; expected str"),
        ({"name": "x", "kind": "c"}, "f.toml: kind is 'c'; expected one of 'a', 'b'"),
        ({"name": "x", "inner": {"count": 1.5}}, r"f.toml: inner.count is 1.5; expected int"),
        ({"name": "x", "inner": {"count": True}}, "f.toml: inner.count is True; expected int"),
        ({"name": "x", "inner": 3}, "f.toml: inner is 3; expected Inner"),
        ({"name": "x", "many": [{"count": "a"}]}, r"f.toml: many\[0\].count is 'a'; expected int"),
        ({"name": "x", "sizes": 3}, r"f.toml: sizes is 3; expected tuple\[int, ...\]"),
        ({"name": "x", "maybe": "a"}, "f.toml: maybe is 'a'; expected int"),
    ],
)
def test_what_does_not_fit_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        build(Outer, values, "f.toml")


def test_files_that_are_no_toml_are_named(tmp_path: Path) -> None:
    with pytest.raises(ResourceMissing, match="none.toml: no such file"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(ResourceMissing, match="expected a TOML file, found a folder"):
        read_toml(tmp_path)
    (tmp_path / "bad.toml").write_text("a = \n")
    with pytest.raises(RecordError, match=r"bad.toml: not valid TOML: .*line 1"):
        read_toml(tmp_path / "bad.toml")


@dataclass(frozen=True)
class Limited:
    seed: Seed = 0
    share: Annotated[float, Range(0, 1)] = 0.5
    sizes: tuple[Annotated[int, Range(1)], ...] = ()
    maybe: Annotated[int, Range(1, 8)] | None = None
    name: Annotated[str, Length(1, 20)] = "x"
    number: float = 0.0
    unknown: Annotated[float, Range(nan=True)] = 0.0
    free: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seed": -1}, "f.toml: seed is -1; expected a number from 0 to 4,294,967,295"),
        ({"share": 1.5}, "share is 1.5; expected a number from 0 to 1"),
        ({"share": float("nan")}, "share is nan; expected a finite number"),
        ({"sizes": [1, 0]}, r"sizes\[1\] is 0; expected a number of at least 1"),
        ({"sizes": 1}, r"sizes is 1; expected tuple\[int, \.\.\.\]$"),
        ({"maybe": 9}, "maybe is 9; expected a number from 1 to 8"),
        ({"name": ""}, "name is ''; expected a text of 1 to 20 characters"),
        ({"name": "x" * 100_000}, r"name is 'x+\.\.\.x+'; expected a text of 1 to 20"),
        ({"number": float("inf")}, "number is inf; expected a finite number"),
        ({"number": 10**400}, "number is 1000.*000; expected a whole number of 64 bits"),
        ({"free": {"a": [1, {"b": float("nan")}]}}, r"free.a\[1\].b is nan; expected a finite number"),
        ({"free": {"a": 2**64}}, "free.a is 18446744073709551616; expected a whole number of 64 bits"),
    ],
)
def test_numbers_and_texts_keep_to_their_range(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        build(Limited, values, "f.toml")
    build(Limited, {"seed": 0, "share": 1, "sizes": [1], "maybe": None, "name": "y", "unknown": float("nan")}, "f.toml")


def test_a_literal_is_of_its_type() -> None:
    @dataclass(frozen=True)
    class Level:
        level: Literal[1, 2] = 1

    with pytest.raises(RecordError, match="level is True; expected one of 1, 2"):
        build(Level, {"level": True}, "f.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"x = {'9' * 5000}", "not valid TOML: Exceeds the limit"),
        (".".join("a" * 3000) + " = 1", "nested too deeply"),
        (f"x = {'[' * 3000}{']' * 3000}", "not valid TOML: nested too deeply"),
        (f"x = {'[' * 60}{']' * 60}", "nested too deeply; expected at most 50 tables and lists"),
    ],
)
def test_absurd_files_are_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "absurd.toml").write_text(text)
    with pytest.raises(RecordError, match=f"absurd.toml: {message}"):
        read_toml(tmp_path / "absurd.toml")


@pytest.mark.parametrize("change", [f"free={'9' * 5000}", f"free={'[' * 3000}", "free." + ".".join("a" * 3000) + "=1"])
def test_absurd_changes_are_refused(change: str) -> None:
    with pytest.raises(RecordError, match="f.toml: (free is '.*'; expected|nested too deeply)"):
        build(Limited, changed({}, change), "f.toml")


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "marked.toml").write_bytes(b"\xef\xbb\xbfx = 1\r\n")
    assert read_toml(tmp_path / "marked.toml") == {"x": 1}


def test_a_number_in_a_dotted_key_is_that_of_an_entry() -> None:
    values = {"stages": [{"steps": 1, "rate": 2}, {"steps": 3, "marks": [4, 5]}]}
    found = changed(changed(values, "stages.0.steps=7"), "stages.1.marks.1=8")
    assert found == {"stages": [{"steps": 7, "rate": 2}, {"steps": 3, "marks": [4, 8]}]}
    assert values["stages"][0]["steps"] == 1
    for key in ("2", "-1", "last", "0x0"):
        with pytest.raises(RecordError, match=rf"stages.{key}: stages is a list; .*'?[01]"):
            changed(values, f"stages.{key}.steps=7")
