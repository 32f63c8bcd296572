from __future__ import annotations

from pathlib import Path

import pytest

from recog_restore.datasets.registered import register, registered, registry_file, unregister
from recog_restore.errors import RecordError, ResourceMissing, UnknownName


@pytest.fixture(autouse=True)
def _config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_nothing_is_registered_at_first():
    assert registered() == {}
    assert not registry_file().exists()


def test_what_is_registered_is_found_again_and_replaced_and_forgotten(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert register("lfw", Path("one")) == tmp_path / "one"
    register("cfp", tmp_path / "two")
    assert registered() == {"cfp": tmp_path / "two", "lfw": tmp_path / "one"}
    register("lfw", tmp_path / "two")
    unregister("cfp")
    assert registered() == {"lfw": tmp_path / "two"}
    assert [path.name for path in registry_file().parent.iterdir()] == ["data.toml"]


@pytest.mark.parametrize("name", ['a "quoted" \\ place', "Ünï/<script>", "del\x7f tab\t new\nline"])
def test_any_path_survives(tmp_path, name):
    place = tmp_path / name
    place.mkdir(parents=True)
    register("lfw", place)
    assert registered() == {"lfw": place}


def test_unknown_names_and_places_are_refused(tmp_path):
    with pytest.raises(UnknownName, match="no data set named 'lwf'; did you mean 'lfw'"):
        register("lwf", tmp_path)
    with pytest.raises(ResourceMissing, match="nowhere: no such file or folder; give the place of the data set 'lfw'"):
        register("lfw", tmp_path / "nowhere")
    with pytest.raises(UnknownName, match="no data set named 'lfw' is registered; known: none"):
        unregister("lfw")


def test_a_broken_file_is_refused(tmp_path):
    registry_file().parent.mkdir(parents=True)
    registry_file().write_text("lfw = 3")
    with pytest.raises(RecordError, match=r'data.toml: expected lfw = "path", found 3'):
        registered()
    registry_file().write_text("lfw = ")
    with pytest.raises(RecordError, match=r"data.toml: not valid TOML"):
        registered()


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    registry_file().mkdir(parents=True)
    with pytest.raises(ResourceMissing, match=r"data.toml: expected a TOML file, found a folder"):
        registered()


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    registry_file().parent.mkdir(parents=True)
    registry_file().write_bytes(b'\xef\xbb\xbf"lfw" = "/x"\n')
    assert registered() == {"lfw": Path("/x")}
