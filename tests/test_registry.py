from __future__ import annotations

import importlib
import importlib.metadata

import pytest

from recog_restore.errors import UnknownName
from recog_restore.registry import Registry


@pytest.fixture
def registry() -> Registry[object]:
    entries: Registry[object] = Registry("thing", "recog_restore.things")
    entries.add("plain", dict)
    entries.add("lazy", "collections:OrderedDict")
    entries.add("down{n}", dict)
    return entries


def test_names_make_what_their_factories_make(registry: Registry[object]) -> None:
    assert registry.create("plain", a=1) == {"a": 1}
    assert type(registry.create("lazy")).__name__ == "OrderedDict"
    assert registry.create("down12", a=1) == {"n": 12, "a": 1}
    assert list(registry) == ["down{n}", "lazy", "plain"]


def test_classes_of_a_package_are_imported_at_first_use(registry: Registry[object]) -> None:
    registry.add_all("collections", {"abstract": "abc:Sized"})
    assert registry.factory("abstract")[0] is importlib.import_module("collections.abc").Sized


def test_unknown_name_answers_with_the_nearest(registry: Registry[object]) -> None:
    with pytest.raises(UnknownName, match=r"^no thing named 'plan'; did you mean 'plain'\?$"):
        registry.create("plan")
    with pytest.raises(UnknownName, match="no thing named 'down0'"):
        registry.create("down0")


def test_a_taken_name_is_refused(registry: Registry[object]) -> None:
    with pytest.raises(ValueError, match="thing 'plain' is already registered"):
        registry.add("plain", list)


def test_entry_points_are_found(registry: Registry[object], monkeypatch: pytest.MonkeyPatch) -> None:
    entry = importlib.metadata.EntryPoint("theirs", "builtins:dict", "recog_restore.things")

    def entry_points(group: str, name: str | None = None) -> list[importlib.metadata.EntryPoint]:
        return [entry] if group == entry.group and name in (None, entry.name) else []

    monkeypatch.setattr("recog_restore.registry.entry_points", entry_points)
    assert "theirs" in list(registry)
    assert registry.create("theirs", a=1) == {"a": 1}
