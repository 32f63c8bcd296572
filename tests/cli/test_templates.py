"""IJB-C and TinyFace from files to report: mimics of their layouts, with a preprocessor, and with given features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from recog_restore.cli import rr
from recog_restore.datasets.drawn import draw
from recog_restore.datasets.features import write_features
from recog_restore.datasets.opening import open_dataset
from recog_restore.engine.given import digest_of
from recog_restore.results import read


def rr_run(*arguments: object) -> Result:
    return CliRunner().invoke(rr, [str(a) for a in arguments])


def evaluate(tmp_path: Path, protocol: str, data: Path, *more: object) -> Result:
    places = ("--store", tmp_path / "store", "--out", tmp_path / "out", "--workers", 0, "--faces", 2)
    return rr_run("eval", "--protocol", protocol, "--data", data, *places, *more)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 drawn people with 4 images each."""
    return draw(tmp_path_factory.mktemp("several") / "faces", people=20, images=4)


@pytest.fixture(scope="module")
def ijbc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mimicked("ijbc", tmp_path_factory.mktemp("mimic") / "ijbc", "synthpie")


def mimicked(layout: str, out: Path, *source: object) -> Path:
    size = ("--people", 12, "--images", 4)
    done = rr_run("data", "mimic", layout, "--from", *source, "--out", out, *size)
    assert done.exit_code == 0, done.output
    return out


def test_ijbc_1_to_1_with_a_preprocessor(ijbc: Path, tmp_path: Path) -> None:
    run = evaluate(tmp_path, "ijbc", ijbc, "--embedder", "lbp", "--pre", "clahe", "--compat", "insightface-ijb-evals")
    assert run.exit_code == 0, run.output
    found = read(tmp_path / "out" / "result.json")
    assert {value.preprocessor for value in found.values} == {"none", "clahe"}
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    for words in ("TAR at FAR ≤ 1e-4", "TAR at FAR nearest to 1e-4", "by published code", "insightface-ijb-evals"):
        assert words in page
    assert "a mimic of" in page


def test_ijbc_1_to_n_with_a_preprocessor(ijbc: Path, tmp_path: Path) -> None:
    run = evaluate(tmp_path, "ijbc-1n", ijbc, "--embedder", "lbp", "--pre", "clahe", "--compat", "insightface-merged")
    assert run.exit_code == 0, run.output
    found = read(tmp_path / "out" / "result.json")
    assert set(found.data["galleries"]) == {"G1", "G2"}
    assert found.value("rank1", "clahe", gallery="G2") is not None
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    for words in ("FNIR over FPIR, gallery G1", "FNIR over FPIR, gallery G2", "R = 1) at FPIR ≤ 1e-2 by gallery"):
        assert words in page
    assert "fewer than 30" in run.stdout


def test_tinyface_with_a_preprocessor(several: Path, tmp_path: Path) -> None:
    root = mimicked("tinyface", tmp_path / "tinyface", "drawn", "--data", several)
    run = evaluate(tmp_path, "tinyface", root, "--embedder", "lbp", "--pre", "clahe")
    assert run.exit_code == 0, run.output
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    for words in ("Rank-50 hit rate", "TinyFace’s own mAP", "Mean average precision"):
        assert words in page


def test_templates_without_any_face_are_counted_in_the_report(ijbc: Path, tmp_path: Path) -> None:
    table = open_dataset("ijbc", ijbc).samples().table
    vectors = np.random.default_rng(0).normal(size=(len(table), 8)).astype(np.float32)
    vectors[(table["template"] == table["template"].iloc[0]).to_numpy()] = np.nan
    write_features(tmp_path / "gap.safetensors", table["sample"].tolist(), vectors)
    run = evaluate(tmp_path, "ijbc-1n", ijbc, "--features", tmp_path / "gap.safetensors")
    assert run.exit_code == 0, run.output
    assert "failed to enrol, baseline: 1 template" in run.stdout
    assert read(tmp_path / "out" / "result.json").unenrolled == {"none": 1}
    assert "Templates that failed to enrol" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_given_features_run_without_an_embedder_and_without_images(ijbc: Path, tmp_path: Path) -> None:
    names = open_dataset("ijbc", ijbc).samples().table["sample"].tolist()
    rng = np.random.default_rng(0)
    for name in ("raw", "restored"):
        write_features(tmp_path / f"{name}.safetensors", names, rng.normal(size=(len(names), 8)).astype(np.float32))
    given = ("--features", tmp_path / "raw.safetensors", "--features", f"mine={tmp_path / 'restored.safetensors'}")
    run = evaluate(tmp_path, "ijbc-1n", ijbc, *given)
    assert run.exit_code == 0, run.output
    assert "given features · none against mine" in run.stdout
    assert [p["name"] for p in read(tmp_path / "out" / "result.json").preprocessors] == ["none", "mine"]
    twice = evaluate(tmp_path, "ijbc-1n", ijbc, *given[:2], *given[:2])
    assert "those of none are" in twice.output
    some = evaluate(tmp_path, "ijbc-1n", ijbc, *given, "--limit", 9, "--by", "detected")
    assert some.exit_code == 0, some.output
    found = read(tmp_path / "out" / "result.json")
    assert found.data["partial"] == "9 of 24 searches"
    parts = [value for value in found.values if value.metric == "rank1" and "detected" in value.where]
    assert sum(value.n for value in parts if value.preprocessor == "mine") == 9
    assert "Rank-1 hit rate by detected" in (tmp_path / "out" / "report.html").read_text("utf-8")
    both = evaluate(tmp_path, "ijbc-1n", ijbc, *given, "--pre", "clahe")
    assert "--features takes the place of images: leave out --embedder and --pre" in both.output


@pytest.mark.parametrize("name", ["missing.npy", "folder.npy", "features.txt"])
def test_features_that_are_not_there_are_said_in_a_line(ijbc: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.npy").mkdir()
    run = evaluate(tmp_path, "ijbc", ijbc, "--features", tmp_path / name)
    assert run.exit_code == 1
    assert name in run.output
    assert "expected features" in run.output


def test_other_names_beside_the_same_features_make_another_run(ijbc: Path, tmp_path: Path) -> None:
    names = open_dataset("ijbc", ijbc).samples().table["sample"].tolist()
    np.save(tmp_path / "raw.npy", np.random.default_rng(0).normal(size=(len(names), 8)).astype(np.float32))
    digests = []
    for order in (names, names[::-1]):
        (tmp_path / "raw.names.txt").write_text("\n".join(order), "utf-8")
        digests.append(digest_of({"none": tmp_path / "raw.npy"}))
    assert digests[0] != digests[1]
