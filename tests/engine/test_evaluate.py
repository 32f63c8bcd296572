from __future__ import annotations

import dataclasses
import json
import math
import pickle
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from sklearn.metrics import roc_curve

from recog_restore.datasets import Dataset
from recog_restore.datasets.opening import open_dataset
from recog_restore.decode import read_image
from recog_restore.degrade import degrade
from recog_restore.embed import EMBEDDERS, Embedder
from recog_restore.engine import evaluate
from recog_restore.engine.embeddings import Settings
from recog_restore.engine.progress import Progress
from recog_restore.errors import ConventionError, DataError, RecordError
from recog_restore.faces import to_float
from recog_restore.geometry import CROPS, canonical_crop
from recog_restore.preprocess.quality import Sharpness
from recog_restore.preprocess.spec import create
from recog_restore.protocol import load
from recog_restore.results import Result, read
from recog_restore.store import Store

SETTINGS = Settings(batch=8, workers=0, device="cpu")


@pytest.fixture(autouse=True)
def only_the_faces_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the trial on the first faces, so that what embedders have seen can be counted."""
    monkeypatch.setattr("recog_restore.engine.embeddings.check_outputs", lambda embedder, faces: None)


class Counting(Embedder):
    """LBP that counts the faces it sees, and breaks on demand."""

    def __init__(self, breaks: str = "") -> None:
        self.inner = EMBEDDERS.create("lbp")
        self.card, self.breaks, self.seen = self.inner.card, breaks, 0

    def identity(self) -> str:
        return f"{self.inner.identity()} {self.breaks}"

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.seen += len(inputs)
        vectors = self.inner.forward(inputs)
        if self.breaks == "nan":
            vectors[0] = torch.nan
        return vectors[:, :7] if self.breaks == "shape" else vectors


def run(
    root: Path | Dataset,
    store: Path,
    pre: Sequence[str] = (),
    changes: Sequence[str] = (),
    protocol: str = "drawn",
    embedder: Embedder | None = None,
    settings: Settings = SETTINGS,
    **options: Any,
) -> Result:
    question = load(protocol, changes)
    dataset = root if isinstance(root, Dataset) else open_dataset(question.data.dataset, root, **question.data.options)
    embedder = embedder or EMBEDDERS.create("lbp")
    preprocessors = [create(text) for text in pre]
    return evaluate(question, dataset, embedder, preprocessors, store=Store(store), settings=settings, **options)


def slow_scores(root: Path, degradation: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and truths by the obvious way: one face after the other, nothing shared, nothing kept."""
    dataset = open_dataset("drawn", root)
    samples, pairs, embedder = dataset.samples(), dataset.pairs(), EMBEDDERS.create("lbp")

    def vector(row: int) -> np.ndarray:
        crop = canonical_crop(read_image(samples.files[row]), samples.landmarks[row])
        if degradation is not None:
            crop = degrade(crop, degradation, 0, samples.table["sample"][row])
        found = embedder(to_float(crop[None]))[0].double().numpy()
        return found / np.sqrt((found * found).sum())

    scores = [float(vector(a) @ vector(b)) for a, b in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)]
    return np.array(scores), pairs.mated


@pytest.mark.parametrize("degradation", [None, "mdfr"])
def test_numbers_equal_a_slow_loop_and_scikit_learn(drawn: Path, tmp_path: Path, degradation: str | None) -> None:
    changes = ["metrics=['accuracy','eer','auc','tar@far=1e-1','fnmr@baseline']", "primary='accuracy'"]
    if degradation:
        changes.append(f"degradation={{name='{degradation}'}}")
    result = run(drawn, tmp_path, changes=changes)
    scores, mated = slow_scores(drawn, degradation)
    fpr, tpr, _ = roc_curve(mated, scores, drop_intermediate=False)
    curve = result.curves["none"]
    if len(curve.fmr) == len(fpr):  # few enough points that none was thinned away
        np.testing.assert_allclose(curve.fmr, fpr, atol=1e-9)
        np.testing.assert_allclose(1 - np.array(curve.fnmr), tpr, atol=1e-9)
    assert result.value("tar@far=1e-1", "none").value == pytest.approx(tpr[fpr <= 0.1].max(), abs=1e-9)
    wins = (scores[mated][:, None] > scores[~mated]).mean() + (scores[mated][:, None] == scores[~mated]).mean() / 2
    assert result.value("auc", "none").value == pytest.approx(wins, abs=1e-9)


def test_the_baselines_threshold_may_be_set_for_another_fmr(drawn: Path, tmp_path: Path) -> None:
    result = run(drawn, tmp_path, ["clahe"], ["baseline_fmr=0.1"])
    untouched, tar = result.value("fnmr@baseline", "none"), result.value("tar@far=1e-1", "none")
    assert (untouched.threshold, untouched.value) == (tar.threshold, pytest.approx(1 - tar.value))
    assert untouched.threshold < run(drawn, tmp_path, ["clahe"]).value("fnmr@baseline", "none").threshold
    assert [harm.threshold for harm in result.harm] == [tar.threshold]


def test_workers_and_a_second_run_change_no_byte(drawn: Path, tmp_path: Path) -> None:
    first = run(drawn, tmp_path / "a", ["clahe"])
    second = run(drawn, tmp_path / "b", ["clahe"], settings=Settings(8, 2, "cpu"))
    again = run(drawn, tmp_path / "b", ["clahe"])
    assert first.numbers() == second.numbers() == again.numbers()
    assert len(first.digest()) == 64


def test_a_second_preprocessor_and_another_metric_cost_only_their_share(drawn: Path, tmp_path: Path) -> None:
    embedder = Counting()
    run(drawn, tmp_path, embedder=embedder)
    faces = embedder.seen
    assert faces == 60
    run(drawn, tmp_path, ["clahe"], embedder=embedder)
    assert embedder.seen == 2 * faces
    run(drawn, tmp_path, ["clahe"], ["metrics=['eer']", "primary=eer"], embedder=embedder)
    assert embedder.seen == 2 * faces
    run(drawn, tmp_path, ["clahe", "gamma"], embedder=embedder)
    assert embedder.seen == 3 * faces


def test_embeddings_of_what_nothing_identifies_are_not_kept(drawn: Path, tmp_path: Path) -> None:
    opaque, embedder = create("clahe"), Counting()
    opaque.content, opaque.notes = None, ("not kept",)
    question = load("drawn")
    dataset = open_dataset("drawn", drawn)
    for seen in (120, 180):  # the baseline's are kept
        result = evaluate(question, dataset, embedder, [opaque], store=Store(tmp_path), settings=SETTINGS)
        assert embedder.seen == seen
        assert "clahe: not kept" in result.warnings
    embedder.content = None
    evaluate(question, dataset, embedder, [opaque], store=Store(tmp_path), settings=SETTINGS)
    assert embedder.seen == 300


def test_threads_and_versions_are_part_of_the_key(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = Counting()
    run(drawn, tmp_path, embedder=embedder)
    run(drawn, tmp_path, embedder=embedder, settings=dataclasses.replace(SETTINGS, threads=1))
    assert embedder.seen == 120
    monkeypatch.setattr("recog_restore.engine.embeddings.versions", lambda: {"torch": "0"})
    run(drawn, tmp_path, embedder=embedder)
    assert embedder.seen == 180


@pytest.mark.parametrize("pre", ["none", "bicubic-down8,strength=0"])
def test_what_changes_nothing_has_the_baselines_numbers(drawn: Path, tmp_path: Path, pre: str) -> None:
    result = run(drawn, tmp_path, [pre])
    mine = [dataclasses.replace(v, preprocessor="none") for v in result.values if v.preprocessor == pre]
    assert mine == [v for v in result.values if v.preprocessor == "none"]


def spoil(root: Path, out: Path) -> tuple[Path, dict[str, str]]:
    """Copy a drawn set and spoil some images; return it and the reason that each spoilt sample should carry."""
    shutil.copytree(root, out)
    images = sorted((out / "lfw-deepfunneled").rglob("*.jpg"))
    whole = images[1].read_bytes()
    contents = {
        images[1]: (whole[: len(whole) // 2], "truncated JPEG"),
        images[4]: (b"", "empty file"),
        images[7]: (b"not an image at all" * 20, "not an image"),
        images[10]: (cv2.imencode(".png", np.zeros((1, 1, 3), np.uint8))[1].tobytes(), "1×1 px"),
    }
    reasons = {}
    for image, (content, reason) in contents.items():
        image.write_bytes(content)
        reasons[image.relative_to(out / "lfw-deepfunneled").as_posix()] = reason
    gone = images[13]
    gone.unlink()
    reasons[gone.relative_to(out / "lfw-deepfunneled").as_posix()] = "file is missing"
    lines = (out / "landmarks.csv").read_text().splitlines()
    unknown = images[16].relative_to(out / "lfw-deepfunneled").as_posix()
    (out / "landmarks.csv").write_text("\n".join(line for line in lines if not line.startswith(unknown)) + "\n")
    reasons[unknown] = "no landmarks"
    return out, reasons


def test_a_face_that_cannot_be_had_is_counted_and_never_dropped(drawn: Path, tmp_path: Path) -> None:
    root, reasons = spoil(drawn, tmp_path / "faces")
    result = run(root, tmp_path / "store", ["clahe"], allow_missing=True)
    assert result.failed == {"none": 6, "clahe": 6}
    found = {f.sample: f.reason for f in result.failures}
    assert set(found) == set(reasons)
    for sample, reason in reasons.items():
        assert reason in found[sample]
    assert {f.stage for f in result.failures} == {"acquire"}
    whole = run(drawn, tmp_path / "store", ["clahe"])
    for before, after in zip(whole.values, result.values, strict=True):
        assert (before.metric, before.where, before.n) == (after.metric, after.where, after.n)
    dataset = open_dataset("drawn", root)
    pairs, names = dataset.pairs(), dataset.samples().table["sample"]
    failed = names.isin(list(reasons)).to_numpy()
    hit = pairs.mated & (failed[pairs.first] | failed[pairs.second])
    fnmr = result.value("fnmr@baseline", "none")
    assert fnmr.value >= hit.sum() / pairs.mated.sum() > 0


def test_a_set_without_one_usable_face_is_an_error_with_the_reason(drawn: Path, tmp_path: Path) -> None:
    root = tmp_path / "faces"
    shutil.copytree(drawn, root)
    for image in (root / "lfw-deepfunneled").rglob("*.jpg"):
        image.write_bytes(b"no image" * 9)
    with pytest.raises(DataError, match=r"none of the 60 faces could be had; 60 of them: not an image"):
        run(root, tmp_path / "store")


def test_excluding_failures_is_an_option_that_shrinks_the_counts(drawn: Path, tmp_path: Path) -> None:
    root, _ = spoil(drawn, tmp_path / "faces")
    iso = run(root, tmp_path / "store", allow_missing=True)
    left_out = run(root, tmp_path / "store", changes=["faces.failure=exclude"], allow_missing=True)
    assert left_out.value("eer", "none").n < iso.value("eer", "none").n
    assert "left out" in left_out.protocol["failure"]
    assert "ISO" not in left_out.protocol["failure"]


def test_missing_images_stop_the_run_and_name_the_whole_folds(drawn: Path, tmp_path: Path) -> None:
    root, _ = spoil(drawn, tmp_path / "faces")
    with pytest.raises(DataError, match=r"1 of the 60 images .* --allow-missing .*--folds [0-9,-]+ takes"):
        run(root, tmp_path / "store")


def test_a_list_of_another_length_stops_the_run(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"drawn@1 expects 6,000 comparisons, but the lists in .* have 120"):
        run(drawn, tmp_path, changes=["data.expect.comparisons=6000"])


def test_embedding_with_nan_is_a_failure_of_that_face(drawn: Path, tmp_path: Path) -> None:
    result = run(drawn, tmp_path, embedder=Counting("nan"))
    assert result.failed == {"none": 8}  # the first of each batch of 8
    assert {(f.stage, f.reason) for f in result.failures} == {("embed", "the embedding is not finite or is zero")}


def test_a_damaged_piece_is_computed_again_and_the_run_says_so(drawn: Path, tmp_path: Path) -> None:
    said: list[str] = []

    class Lines(Progress):
        def say(self, line: str) -> None:
            said.append(line)

    before = run(drawn, tmp_path)
    first, second = sorted(tmp_path.rglob("*.safetensors"))
    for file in (first, second):
        content = bytearray(file.read_bytes())
        content[-1] ^= 0x40
        file.write_bytes(content)
    assert run(drawn, tmp_path, progress=Lines()).numbers() == before.numbers()
    (line,) = said
    assert re.fullmatch(
        f"warning: {tmp_path}/.*.safetensors and 1 other files of the store were damaged and computed again", line
    )
    assert run(drawn, tmp_path, progress=Lines()).numbers() == before.numbers()
    assert said == [line]


def test_embedding_of_a_wrong_shape_stops_the_run(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(ConventionError, match=r"embedder 'lbp': expected an output of shape \(8, \d+\), got \(8, 7\)"):
        run(drawn, tmp_path, embedder=Counting("shape"))


def test_degrading_probes_leaves_the_enrolled_faces_alone(drawn: Path, tmp_path: Path) -> None:
    embedder = Counting()
    everything = run(drawn, tmp_path, changes=["degradation={name='bicubic-down8'}"], embedder=embedder)
    assert embedder.seen == 60
    probes = run(drawn, tmp_path, changes=["degradation={name='bicubic-down8', apply='probes'}"], embedder=embedder)
    assert 60 < embedder.seen - 60 <= 120
    assert probes.value("auc", "none").value != everything.value("auc", "none").value
    assert probes.settings["degradation"]


def test_limit_spreads_evenly_and_is_named(drawn: Path, tmp_path: Path) -> None:
    result = run(drawn, tmp_path, limit=40)
    assert result.data["partial"] == "40 of 120 comparisons"
    assert result.data["mated"] == 20
    assert result.data["folds"] == list(range(1, 11))


def test_folds_are_selected_and_named_in_the_metric(drawn: Path, tmp_path: Path) -> None:
    result = run(drawn, tmp_path, changes=["data.folds=[1,2,3]"])
    assert result.value("accuracy_3fold", "none").n == 36
    assert result.data["partial"] == "folds 1, 2, 3 only"
    assert [v.where for v in result.values if v.metric == "accuracy"] == [{"fold": str(i)} for i in (1, 2, 3)]


@pytest.mark.parametrize("by", ["size", "yaw", "quality"])
def test_breakdown_covers_every_comparison_once(drawn: Path, tmp_path: Path, by: str) -> None:
    result = run(drawn, tmp_path, ["clahe"], [f"breakdowns=['{by}']"])
    for metric in ("fnmr@baseline", "fmr@baseline"):
        parts = [v for v in result.values if v.metric == metric and by in v.where and v.preprocessor == "clahe"]
        assert sum(v.n for v in parts) == result.value(metric, "clahe").n
        rates = sum(v.n * v.value for v in parts if v.n)
        assert rates == pytest.approx(result.value(metric, "clahe").n * result.value(metric, "clahe").value)
    with pytest.raises(RecordError, match=r"--by sizze: the data set has no such label; did you mean 'size'\?"):
        run(drawn, tmp_path, changes=["breakdowns=['sizze']"])


def test_a_comparison_counts_by_its_worse_face_as_the_degradation_leaves_it(drawn: Path, tmp_path: Path) -> None:
    result = run(drawn, tmp_path, changes=["breakdowns=['size', 'quality']", "degradation={name='bicubic-down8'}"])
    counts = {
        by: {v.where[by]: v.n for v in result.values if v.metric == "fnmr@baseline" and by in v.where}
        for by in ("size", "quality")
    }
    assert counts["size"]["0–8 px"] == 60  # 35 px of the crop between the eyes, divided by 8
    dataset = open_dataset("drawn", drawn)
    samples, pairs, score = dataset.samples(), dataset.pairs(), Sharpness()
    sharpness = []
    for row, name in enumerate(samples.table["sample"]):
        crop = canonical_crop(read_image(samples.files[row]), samples.landmarks[row])
        sharpness.append(float(score(to_float(degrade(crop, "bicubic-down8", 0, name)[None]))))
    worse = np.minimum(*(np.array(sharpness, np.float32)[side] for side in (pairs.first, pairs.second)))
    names = list(counts["quality"])
    edges = [float(name.partition("–")[0]) for name in names[1:-1]] + [float(names[-1].removeprefix("≥ "))]
    place = np.searchsorted(edges, worse, side="right")
    assert list(counts["quality"].values()) == [int((pairs.mated & (place == q)).sum()) for q in range(len(names))]
    assert edges == [float(f"{edge:.2g}") for edge in edges]


def test_examples_are_the_greatest_changes(drawn: Path, tmp_path: Path) -> None:
    result = run(drawn, tmp_path, ["bicubic-down8"], faces=2)
    gains = [e for e in result.examples if e.kind == "gain"]
    assert 0 < len(gains) <= 2
    for example in result.examples:
        change = (example.score_after - example.score_before) * (1 if example.mated else -1)
        assert (change > 0) == (example.kind == "gain")
        assert len(example.faces) == 2
        assert example.faces[0].before.startswith("data:image/webp;base64,")
        assert example.faces[0].before != example.faces[0].after
    assert run(drawn, tmp_path, ["bicubic-down8"], faces=0).examples == ()


def test_result_is_strict_json_and_reads_back(drawn: Path, tmp_path: Path) -> None:
    result = run(drawn, tmp_path / "store", ["clahe"])
    result.write(tmp_path / "result.json")
    text = (tmp_path / "result.json").read_text("utf-8")
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not strict JSON"))
    assert read(tmp_path).numbers() == result.numbers()
    assert result.provenance["packages"]["torch"]
    assert result.seconds["total"] > 0
    assert str(Path.home()) not in json.dumps(result.provenance)


def test_data_fingerprint_follows_the_content(drawn: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(drawn, copy)
    same = run(copy, tmp_path / "store").data["fingerprint"]
    assert same == run(drawn, tmp_path / "store").data["fingerprint"]
    image = next((copy / "lfw-deepfunneled").rglob("*.jpg"))
    cv2.imwrite(str(image), cv2.imread(str(image)) // 2)
    assert run(copy, tmp_path / "store").data["fingerprint"] != same


def test_no_landmarks_and_no_detector_stops_with_the_way_out(drawn: Path, tmp_path: Path) -> None:
    shutil.copytree(drawn, tmp_path / "faces")
    (tmp_path / "faces" / "landmarks.csv").unlink()
    with pytest.raises(DataError, match=r"no landmarks found: pass --detector yunet:FILE"):
        run(tmp_path / "faces", tmp_path / "store")


def test_detector_replaces_the_landmarks_and_runs_once(shared: Path, tmp_path: Path) -> None:
    detector = f"yunet:{shared / 'weights' / 'yunet.onnx'}"
    lfw = shared / "data" / "lfw"
    settings = Settings(16, 1, "cpu")
    own = run(lfw, tmp_path, protocol="lfw", limit=60, settings=settings)
    found = run(lfw, tmp_path, protocol="lfw", limit=60, settings=settings, detector=detector)
    assert found.failed == {"none": 0}
    # Golden: landmarks.csv was detected with the same weights and rounded to 0.01 px.
    assert found.value("auc", "none").value == pytest.approx(own.value("auc", "none").value, abs=0.02)
    again = run(lfw, tmp_path, protocol="lfw", limit=60, settings=settings, detector=detector)
    assert again.numbers() == found.numbers()


def test_identification_equals_a_slow_search(drawn: Path, tmp_path: Path) -> None:
    people = tmp_path / "people"
    shutil.copytree(drawn / "lfw-deepfunneled", people)
    shutil.copy(drawn / "landmarks.csv", people)
    result = run(people, tmp_path / "store", ["bicubic-down8"], protocol="folder-identification")
    dataset = open_dataset("folder", people)
    samples, split, embedder = dataset.samples(), dataset.split(), EMBEDDERS.create("lbp")
    crops = [canonical_crop(read_image(f), p) for f, p in zip(samples.files, samples.landmarks, strict=True)]
    vectors = torch.nn.functional.normalize(embedder(to_float(np.stack(crops)))).double().numpy()
    subject = samples.table["subject"].to_numpy()
    hits = 0
    for probe in split.probes.tolist():
        best = max(split.gallery.tolist(), key=lambda g: vectors[probe] @ vectors[g])
        hits += subject[best] == subject[probe]
    rank1 = result.value("rank1", "none")
    assert rank1.n == len(split.probes) == 40
    assert rank1.value == pytest.approx(hits / len(split.probes))
    assert result.cmc["none"][0] == rank1.value
    assert result.cmc["none"][-1] == 1.0


def test_undefined_numbers_are_null_with_a_named_warning(drawn: Path, tmp_path: Path) -> None:
    result = run(drawn, tmp_path, changes=["data.folds=[1]"])
    accuracy = result.value("accuracy_1fold", "none")
    assert accuracy is not None
    assert accuracy.value is None or math.isnan(accuracy.value)
    assert any("2 folds" in warning for warning in result.warnings)


def test_real_faces_are_recognized(shared: Path, tmp_path: Path) -> None:
    """A golden range, not a number: 500 pairs of LFW; the whole list is in reports/examples."""
    from recog_restore.embed.spec import create as create_embedder

    embedder = create_embedder(f"onnx:{shared / 'weights' / 'mobilefacenet-arcface-ms1m-112.onnx'}")
    result = run(
        shared / "data" / "lfw",
        tmp_path,
        ["bicubic-down8"],
        protocol="lfw",
        limit=500,
        embedder=embedder,
        settings=Settings(32, 1, "cpu"),
    )
    assert result.value("accuracy_10fold", "none").value > 0.98
    assert result.value("accuracy_10fold", "bicubic-down8").value < result.value("accuracy_10fold", "none").value - 0.03


def test_package_of_the_same_crops_gives_the_same_numbers(drawn: Path, tmp_path: Path) -> None:
    """A .bin package as insightface makes them, of the very 112×112 windows, is another way to the same faces."""
    dataset = open_dataset("drawn", drawn)
    samples, pairs = dataset.samples(), dataset.pairs()
    rows, columns = CROPS["arcface-112"]

    def png(row: int) -> bytes:
        window = canonical_crop(read_image(samples.files[row]), samples.landmarks[row])[rows, columns]
        return cv2.imencode(".png", np.ascontiguousarray(window[:, :, ::-1]))[1].tobytes()

    images = [png(row) for pair in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True) for row in pair]
    (tmp_path / "lfw.bin").write_bytes(pickle.dumps((images, pairs.mated.tolist())))
    expect = ["data.expect={comparisons=120, mated=60, folds=10}"]
    found = run(open_dataset("lfw", tmp_path / "lfw.bin"), tmp_path / "store", changes=expect, protocol="lfw")
    own = run(drawn, tmp_path / "store")
    assert found.value("auc", "none").value == pytest.approx(own.value("auc", "none").value, abs=1e-9)
    assert found.value("eer", "none").value == pytest.approx(own.value("eer", "none").value, abs=1e-9)
    assert found.data["alignment"] == "arcface-112"
    assert found.data["subjects"] is None
    with pytest.raises(DataError, match="lfw@1 expects 6,000 comparisons"):
        run(open_dataset("lfw", tmp_path / "lfw.bin"), tmp_path / "store", protocol="lfw")


def test_csv_roles_make_an_identification(drawn: Path, tmp_path: Path) -> None:
    lines = ["path,subject,role,camera"]
    for image in sorted((drawn / "lfw-deepfunneled").rglob("*.jpg")):
        role = "gallery" if image.stem.endswith("1") else "probe"
        lines.append(f"{image.relative_to(drawn).as_posix()},{image.parent.name},{role},cam{image.stem[-1]}")
    root = tmp_path / "mine"
    shutil.copytree(drawn, root)
    (root / "samples.csv").write_text("\n".join(lines) + "\n")
    table = (root / "landmarks.csv").read_text().splitlines()
    (root / "landmarks.csv").write_text("\n".join([table[0], *(f"lfw-deepfunneled/{r}" for r in table[1:])]) + "\n")
    result = run(root, tmp_path / "store", ["clahe"], ["breakdowns=['camera']"], protocol="csv-identification")
    assert result.data["gallery"] == 20
    assert result.data["probes"] == 40
    assert [v.where for v in result.values if v.metric == "rank1" and v.preprocessor == "clahe"] == [
        {},
        {"camera": "cam2"},
        {"camera": "cam3"},
    ]


def test_values_under_another_definition_are_called_by_it(drawn: Path, tmp_path: Path) -> None:
    names = {
        compat: {v.metric for v in run(drawn, tmp_path, ["clahe"], [f"compat={compat}"]).values}
        for compat in ("[]", "['nearest', 'insightface']")
    }
    ours, theirs = names.values()
    assert {"accuracy_10fold", "accuracy", "tar@far=1e-3"} <= ours
    assert {"accuracy_insightface_10fold", "accuracy_insightface", "tar_nearest@far=1e-3"} <= theirs
    assert not theirs & {"accuracy_10fold", "accuracy", "tar@far=1e-3"}
    found = run(drawn, tmp_path, ["clahe"], ["compat=['nearest', 'insightface']"])
    for metric in ("accuracy_insightface_10fold", "tar_nearest@far=1e-3"):
        assert found.difference(metric, "clahe") is not None
        assert found.value(metric, "none").interval is not None
