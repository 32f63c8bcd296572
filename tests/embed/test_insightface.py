from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recog_restore.embed.insightface import find_model
from recog_restore.embed.spec import create
from recog_restore.errors import RecordError, WeightsError

Build = Callable[..., Path]


@pytest.fixture
def pack(tmp_path: Path, tiny_onnx: Build) -> Path:
    """A pack as buffalo_l is built: the recognition model is the last but not the only 4-D network."""
    folder = tmp_path / "root" / "models" / "buffalo_x"
    folder.mkdir(parents=True)
    sizes = {"1k3d68": (192, 192), "2d106det": (192, 192), "genderage": (96, 96), "w600k_r50": (112, 112)}
    for name, size in sizes.items():
        shutil.move(tiny_onnx(f"{name}.onnx", shape=("b", 3, *size)), folder)
    return folder


def test_recognition_model_of_a_pack_is_found(pack: Path) -> None:
    embedder = create(f"insightface:buffalo_x,root={pack.parents[1]},flip=sum")
    assert embedder.card.name == "w600k_r50"
    assert embedder.card.words().startswith("112×112 RGB, (x − 127.5) / 127.5; flip fused by sum")


def test_model_from_mxnet_gets_raw_values(pack: Path, tiny_onnx: Build) -> None:
    (pack / "w600k_r50.onnx").unlink()
    before = (("Sub", "_minusscalar0", 127.5), ("Mul", "_mulscalar0", 0.0078125))
    shutil.move(tiny_onnx("glintr100.onnx", before=before), pack)
    assert "0..255 as they are" in create(f"insightface:buffalo_x,root={pack.parents[1]}").card.words()


def test_model_file_is_found_by_its_own_name(pack: Path) -> None:
    assert find_model("w600k_r50", pack.parents[1])[0] == pack / "w600k_r50.onnx"


def test_manifest_decides_where_there_is_one(pack: Path) -> None:
    recognition = {"file": "genderage.onnx", "preprocessing": {"mean": 127.5, "std": 128}}
    manifest = pack / "manifest.json"
    manifest.write_text(json.dumps({"manifest_version": 2, "tasks": {"recognition": recognition}}), "utf-8")
    assert find_model("buffalo_x", pack.parents[1]) == (pack / "genderage.onnx", (127.5, 128.0))
    recognition["preprocessing"] = "embedded"
    manifest.write_text(json.dumps({"tasks": {"recognition": recognition}}), "utf-8")
    assert find_model("buffalo_x", pack.parents[1])[1] == (0.0, 1.0)
    manifest.write_text('{"tasks": {"detection": {}}}', "utf-8")
    with pytest.raises(RecordError, match=r"manifest\.json: states no recognition model: KeyError\('recognition'\)"):
        find_model("buffalo_x", pack.parents[1])


def test_absent_pack_says_where_it_was_looked_for_and_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError,
        match=r"no insightface model 'buffalo_l': looked for .*models/buffalo_l and buffalo_l\.onnx below .*"
        r"'insightface-cli model\.download buffalo_l', or name another folder with root=FOLDER or a file with onnx:",
    ):
        create(f"insightface:buffalo_l,root={tmp_path}")


def test_pack_without_recognition_model_is_refused(pack: Path) -> None:
    (pack / "w600k_r50.onnx").unlink()
    with pytest.raises(WeightsError, match=r"no recognition model among 1k3d68\.onnx, 2d106det\.onnx, genderage\.onnx"):
        find_model("buffalo_x", pack.parents[1])


def test_a_name_is_no_pattern(pack: Path) -> None:
    for name in ("**", "*", "[a-z]*"):
        with pytest.raises(WeightsError, match="no insightface model"):
            find_model(name, pack.parents[1])
