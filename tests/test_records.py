from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from recog_restore.errors import RecordError, ResourceMissing
from recog_restore.records import build, plain, read_toml


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
