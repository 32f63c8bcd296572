"""Whole runs on given features: IJB-C's and TinyFace's protocols in their file formats, without an image."""

from __future__ import annotations

import functools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from recog_restore.datasets.mark import Mark, write_mark
from recog_restore.datasets.opening import open_dataset
from recog_restore.engine import evaluate
from recog_restore.engine.drifting import Meter
from recog_restore.engine.embeddings import Settings
from recog_restore.engine.piping import Piping
from recog_restore.errors import DataError, RecordError
from recog_restore.preprocess.gate import create as gate
from recog_restore.protocol import load
from recog_restore.results import Result, read
from recog_restore.store import Store

from ..metrics.hard import hard

PUBLISHED = json.loads((Path(__file__).parent.parent / "metrics" / "published.json").read_text("utf-8"))
FARS = ["1e-6", "1e-5", "1e-4", "1e-3", "1e-2", "1e-1"]


@pytest.fixture(scope="module")
def ijbc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hard embeddings as InsightFace's release of IJB-C, and as ``features.npy``."""
    root, faces = tmp_path_factory.mktemp("ijbc"), hard()
    (root / "meta").mkdir()
    names = [f"{number + 1}.jpg" for number in range(len(faces.score))]
    points = "30 50 70 50 50 70 35 90 65 90"
    columns = list(zip(names, faces.template, faces.media, faces.score, strict=True))
    files = {
        "face_tid_mid.txt": [f"{name} {template} {media}" for name, template, media, _ in columns],
        "name_5pts_score.txt": [f"{name} {points} {score}" for name, _, _, score in columns],
        "template_pair_label.txt": [
            f"{a} {b} {same}" for a, b, same in zip(faces.first, faces.second, faces.label, strict=True)
        ],
    }
    for name, (numbers, subjects) in zip(("gallery_G1", "gallery_G2"), faces.galleries, strict=True):
        files[f"1N_{name}.csv"] = _rows(numbers, subjects)
    files["1N_probe_mixed.csv"] = _rows(*faces.probes)
    for name, lines in files.items():
        (root / "meta" / f"ijbc_{name}").write_text("\n".join(lines) + "\n")
    write_mark(root, Mark("ijbc", "seeded numbers", {}))
    np.save(root / "features.npy", faces.straight + faces.flipped)
    return root


def _rows(numbers: np.ndarray, subjects: np.ndarray) -> list[str]:
    return ["TEMPLATE_ID,SUBJECT_ID", *(f"{a},{b}" for a, b in zip(numbers, subjects, strict=True))]


def run(protocol: str, name: str, root: Path, features: dict[str, Path], *changes: str, **options: Any) -> Result:
    return evaluate(
        load(protocol, changes),
        open_dataset(name, root),
        None,
        features=features,
        store=Store(root / "store"),
        settings=Settings(8, 0, "cpu"),
        **options,
    )


@pytest.fixture(scope="module")
def verified(ijbc: Path) -> Result:
    compat = 'compat=["insightface-ijb-evals", "adaface"]'
    metrics = 'metrics=["tar@far=1e-4", "auc", ' + ", ".join(f'"tar_nearest@far={far}"' for far in FARS) + "]"
    return run("ijbc", "ijbc", ijbc, {"none": ijbc / "features.npy"}, compat, metrics)


@pytest.fixture(scope="module")
def searched(ijbc: Path) -> Result:
    compat = 'compat=["insightface-ijb-evals", "insightface-merged", "adaface", "keras-insightface"]'
    return run("ijbc-1n", "ijbc", ijbc, {"none": ijbc / "features.npy", "same": ijbc / "features.npy"}, compat)


def number(result: Result, metric: str, **where: str) -> float:
    value = result.value(metric, "none", **where)
    assert value is not None
    assert value.value is not None
    return value.value


def test_1_to_1_of_a_release_on_disk_gives_the_published_tables(verified: Result) -> None:
    expected = PUBLISHED["1:1"]["insightface-ijb-evals"]["keep, detector score, flip"]
    found = [number(verified, f"tar_nearest@far={far}", compat="insightface-ijb-evals") for far in FARS]
    np.testing.assert_allclose(found, expected[:6], atol=1e-6)
    assert number(verified, "auc", compat="insightface-ijb-evals") == pytest.approx(expected[6], abs=1e-6)
    found = [number(verified, f"tar_nearest@far={far}", compat="adaface") for far in FARS]
    np.testing.assert_allclose(found, PUBLISHED["1:1"]["adaface"]["keep, flip"], atol=1e-6)


def test_1_to_1_counts_and_says_how_templates_are_pooled(verified: Result) -> None:
    assert verified.data["comparisons"] == len(hard().label)
    assert verified.data["note"].startswith("a mimic of ijbc")
    assert "multiplied by the detector's score" in verified.settings["templates"]
    value = verified.value("tar@far=1e-4", "none")
    assert value is not None
    assert (value.n, value.false_accepts) == (int(hard().label.sum()), int(1e-4 * (hard().label == 0).sum()))
    assert "none" in verified.curves


def test_1_to_n_of_a_release_on_disk_gives_the_published_tables(searched: Result) -> None:
    for habit in ("insightface-merged", "adaface"):
        expected = PUBLISHED["1:N"][habit]
        for k in ("1", "5", "10"):
            assert number(searched, f"rank{k}", compat=habit) == pytest.approx(expected["rank"][k], abs=1e-6)
        for target, key in (("1e-2", "0.0100000000"), ("1e-1", "0.1000000000")):
            assert number(searched, f"tpir@fpir={target}", compat=habit) == pytest.approx(
                expected["tpir"][key], abs=1e-6
            )
    for habit in ("insightface-ijb-evals", "keras-insightface"):
        for gallery, expected in zip(("G1", "G2"), PUBLISHED["1:N"][habit], strict=True):
            where = {"compat": habit, "gallery": gallery}
            for k in ("1", "5", "10"):
                assert number(searched, f"rank{k}", **where) == pytest.approx(expected["rank"][k], abs=1e-6)
            for target in ("1e-4", "1e-3", "1e-2", "1e-1"):
                rate = expected["tpir"][str(float(target))]
                assert number(searched, f"tpir@fpir={target}", **where) == pytest.approx(rate, abs=1e-6)
        ranks = sum(g["rank"]["1"] * g["searches"] for g in PUBLISHED["1:N"][habit]) / 700
        assert number(searched, "rank1", compat=habit) == pytest.approx(ranks, abs=1e-6)


def test_each_gallery_has_its_numbers_and_the_mean_is_plain(searched: Result) -> None:
    faces = hard()
    for metric in ("rank1", "tpir@fpir=1e-1", "fnir@fpir=1e-1"):
        both = [number(searched, metric, gallery=name) for name in ("G1", "G2")]
        assert number(searched, metric) == pytest.approx(np.mean(both))
    assert number(searched, "fnir@fpir=1e-1") == pytest.approx(1 - number(searched, "tpir@fpir=1e-1"))
    counts = searched.data["galleries"]
    assert counts["G1"]["mated"] + counts["G2"]["mated"] == len(faces.probes[0])
    assert counts["G1"]["non_mated"] == counts["G2"]["mated"]
    value = searched.value("tpir@fpir=1e-1", "none", gallery="G1")
    assert value is not None
    assert value.false_accepts == int(0.1 * counts["G1"]["non_mated"])
    assert set(searched.det["none"]) == {"G1", "G2"}


@functools.cache
def slow_templates() -> dict[int, np.ndarray | None]:
    """The templates of the hard embeddings one by one; None for one of which no face could be had."""
    faces = hard()
    vectors, score = (faces.straight + faces.flipped).astype(float), faces.score.astype(float)
    found: dict[int, np.ndarray | None] = {}
    for number in np.unique(faces.template).tolist():
        total = np.zeros(vectors.shape[1])
        rows = np.flatnonzero((faces.template == number) & vectors.any(axis=1))
        for medium in np.unique(faces.media[rows]):
            frames = rows[faces.media[rows] == medium]
            total += np.mean(vectors[frames] * score[frames, None], axis=0)
        found[number] = total / np.linalg.norm(total) if total.any() else None
    return found


def slow_score(one: int, other: int) -> float:
    first, second = slow_templates()[one], slow_templates()[other]
    return -np.inf if first is None or second is None else float(first @ second)


def slow_search(gallery: int, probes: np.ndarray, exclude: bool = False) -> tuple[list[float], list[float]]:
    """The score of each enrolled person's mate where it stands first (else -inf), and each other's top score."""
    faces, hits, tops = hard(), [], []
    enrolled = list(zip(*(column.tolist() for column in faces.galleries[gallery]), strict=True))
    for probe, subject in zip(faces.probes[0][probes].tolist(), faces.probes[1][probes].tolist(), strict=True):
        mates = [t for t, name in enrolled if name == subject]
        if exclude and any(all(slow_templates()[t] is None for t in needed) for needed in ([probe], mates or [probe])):
            continue
        others = max(slow_score(t, probe) for t, name in enrolled if name != subject)
        mate = max((slow_score(t, probe) for t in mates), default=None)
        if mate is None:
            tops.append(others)
        else:
            hits.append(mate if others < mate else -np.inf)
    return hits, tops


def slow_fnir(hits: list[float], tops: list[float], fpir: float) -> float:
    too_low = sorted(tops)[-int(fpir * len(tops)) - 1]  # accepting this one, there would be an alarm too many
    return float(np.mean([hit <= too_low for hit in hits]))


ALL = np.arange(700)
FNIR = 'metrics=["fnir@fpir=1e-1", "rank1"]', "primary=fnir@fpir=1e-1"


@pytest.mark.parametrize(("gallery", "name"), [(0, "G1"), (1, "G2")])
def test_fnir_equals_a_slow_search_template_by_template(searched: Result, gallery: int, name: str) -> None:
    expected = slow_fnir(*slow_search(gallery, ALL), 0.1)
    assert number(searched, "fnir@fpir=1e-1", gallery=name) == pytest.approx(expected, abs=1e-12)


def test_templates_that_fail_to_enrol_are_counted_and_are_misses(searched: Result, verified: Result) -> None:
    failed = sum(template is None for template in slow_templates().values())
    assert failed == 4
    assert searched.unenrolled == {"none": failed, "same": failed}
    assert verified.unenrolled == {"none": failed}
    faces = hard()
    used = np.isin(faces.template, np.concatenate([*(numbers for numbers, _ in faces.galleries), faces.probes[0]]))
    assert searched.failed["none"] == int((used & ~(faces.straight + faces.flipped).any(axis=1)).sum()) > failed
    value = searched.value("rank1", "none", gallery="G1")
    assert value is not None
    assert value.n == searched.data["galleries"]["G1"]["mated"]


def test_excluded_failures_are_in_no_rate_of_an_open_set(ijbc: Path) -> None:
    excluded = run("ijbc-1n", "ijbc", ijbc, {"none": ijbc / "features.npy"}, *FNIR, "faces.failure=exclude")
    left_out = {}
    for place, name in enumerate(("G1", "G2")):
        hits, tops = slow_search(place, ALL, exclude=True)
        value = excluded.value("fnir@fpir=1e-1", "none", gallery=name)
        assert value is not None
        assert value.value == pytest.approx(slow_fnir(hits, tops, 0.1), abs=1e-12)
        counts = excluded.data["galleries"][name]
        assert value.n == len(hits) < counts["mated"]
        assert value.false_accepts == int(0.1 * len(tops))
        left_out[name] = counts["non_mated"] - len(tops)
    assert sum(left_out.values()) == 2  # two probes failed, each a stranger to one gallery
    assert excluded.unenrolled == {"none": 4}
    assert "left out of every rate" in excluded.protocol["failure"]


def test_excluded_failures_are_in_no_rate_of_comparisons(ijbc: Path) -> None:
    metrics = 'metrics=["fnmr@baseline", "tar@far=1e-4"]'
    excluded = run("ijbc", "ijbc", ijbc, {"none": ijbc / "features.npy"}, metrics, "faces.failure=exclude")
    faces = hard()
    scores = np.array([slow_score(a, b) for a, b in zip(faces.first.tolist(), faces.second.tolist(), strict=True)])
    genuine, impostor = (scores[(faces.label == same) & np.isfinite(scores)] for same in (1, 0))
    for metric, far in (("fnmr@baseline", 1e-3), ("tar@far=1e-4", 1e-4)):
        too_low = np.sort(impostor)[-int(far * len(impostor)) - 1]
        rate = np.mean(genuine > too_low)
        value = excluded.value(metric, "none")
        assert value is not None
        assert value.value == pytest.approx(1 - rate if metric.startswith("fnmr") else rate, abs=1e-12)
        assert value.n == len(genuine) < int(faces.label.sum())
    false = excluded.value("fmr@baseline", "none")
    assert false is not None
    assert (false.n, false.false_accepts) == (len(impostor), int(1e-3 * len(impostor)))


def test_a_limit_takes_some_searches_and_keeps_the_galleries_whole(ijbc: Path) -> None:
    some = run("ijbc-1n", "ijbc", ijbc, {"none": ijbc / "features.npy"}, *FNIR, limit=60)
    kept = np.linspace(0, len(ALL) - 1, 60).round().astype(int)
    assert some.data["partial"] == "60 of 700 searches"
    assert (some.data["probes"], some.data["gallery"]) == (
        60,
        len(hard().galleries[0][0]) + len(hard().galleries[1][0]),
    )
    for place, name in enumerate(("G1", "G2")):
        hits, tops = slow_search(place, kept)
        assert some.data["galleries"][name] == {
            "gallery": len(hard().galleries[place][0]),
            "mated": len(hits),
            "non_mated": len(tops),
        }
        assert number(some, "fnir@fpir=1e-1", gallery=name) == pytest.approx(slow_fnir(hits, tops, 0.1), abs=1e-12)


def test_a_limit_takes_some_comparisons_of_both_kinds_and_pools_their_templates_whole(ijbc: Path) -> None:
    some = run(
        "ijbc", "ijbc", ijbc, {"none": ijbc / "features.npy"}, 'metrics=["tar@far=1e-1", "tar@far=1e-4"]', limit=500
    )
    faces = hard()
    kept = np.argsort(faces.label, kind="stable")[np.linspace(0, len(faces.label) - 1, 500).round().astype(int)]
    label, pairs = faces.label[kept], zip(faces.first[kept].tolist(), faces.second[kept].tolist(), strict=True)
    scores = np.array([slow_score(a, b) for a, b in pairs])
    assert some.data["partial"] == f"500 of {len(faces.label):,} comparisons"
    assert (some.data["mated"], some.data["non_mated"]) == (label.sum(), 500 - label.sum())
    too_low = np.sort(scores[label == 0])[-int(0.1 * (500 - label.sum())) - 1]
    assert number(some, "tar@far=1e-1") == pytest.approx(np.mean(scores[label == 1] > too_low), abs=1e-12)


def test_a_single_search_leaves_rates_undefined_where_nobody_has_a_mate(ijbc: Path) -> None:
    one = run("ijbc-1n", "ijbc", ijbc, {"none": ijbc / "features.npy"}, *FNIR, limit=1)
    assert sorted(counts["mated"] for counts in one.data["galleries"].values()) == [0, 1]
    values = [one.value("rank1", "none", gallery=name) for name in ("G1", "G2")]
    assert sorted((value.n, value.value is None) for value in values if value) == [(0, True), (1, False)]
    mean = one.value("rank1", "none")
    assert mean is not None
    assert mean.value is None


def test_a_template_has_the_label_that_its_samples_share(ijbc: Path) -> None:
    faces, by = hard(), 'breakdowns=["detected"]'
    detected = faces.score > 0.105
    labels = {}
    for template in np.unique(faces.template).tolist():
        found = set(detected[faces.template == template].tolist())
        labels[template] = "several" if len(found) > 1 else "yes" if True in found else "no"
    searches = run("ijbc-1n", "ijbc", ijbc, {"none": ijbc / "features.npy"}, *FNIR, by)
    for label in ("yes", "no", "several"):
        value = searches.value("rank1", "none", detected=label)
        assert value is not None
        assert value.n == sum(labels[probe] == label for probe in faces.probes[0].tolist()) > 0
    compared = run(
        "ijbc", "ijbc", ijbc, {"none": ijbc / "features.npy"}, 'metrics=["tar@far=1e-4", "fnmr@baseline"]', by
    )
    found = {
        value.where["detected"]: value.n for value in compared.values if value.metric == "fnmr@baseline" and value.where
    }
    mated = np.flatnonzero(faces.label)
    sides = [
        sorted({labels[a], labels[b]})
        for a, b in zip(faces.first[mated].tolist(), faces.second[mated].tolist(), strict=True)
    ]
    expected = Counter(" / ".join(both) for both in sides)
    assert {label: n for label, n in found.items() if n} == dict(expected)


def test_features_of_a_preprocessor_stand_beside_the_baselines(searched: Result) -> None:
    assert [entry["name"] for entry in searched.preprocessors] == ["none", "same"]
    assert searched.embedder["name"] == "features"
    same = searched.value("rank1", "same")
    assert same is not None
    assert same.value == number(searched, "rank1")


def test_such_a_result_is_written_and_read_again(searched: Result, tmp_path: Path) -> None:
    searched.write(tmp_path / "result.json")
    assert read(tmp_path / "result.json").numbers() == searched.numbers()


@pytest.fixture(scope="module")
def tinyface(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """20 probes, 30 mates of them and 100 distractors."""
    root, rng = tmp_path_factory.mktemp("tinyface"), np.random.default_rng(3)
    folder = root / "Testing_Set"
    who, mates = rng.integers(1, 11, 20), np.append(np.arange(1, 11), rng.integers(1, 11, 20))
    for part, ids, names, subjects in (
        ("probe", "probe_ids", "probe_set", who),
        ("gallery_match", "gallery_ids", "gallery_set", mates),
    ):
        folder.mkdir(exist_ok=True)
        cells = np.array([[f"{s}_{i}.jpg"] for i, s in enumerate(subjects)], object)
        lists = {ids: subjects[:, None], names: cells}
        scipy.io.savemat(folder / f"{part}_img_ID_pairs.mat", lists)
    (folder / "Gallery_Distractor").mkdir()
    for place in range(100):
        (folder / "Gallery_Distractor" / f"{place:03d}.jpg").touch()
    write_mark(root, Mark("tinyface", "seeded numbers", {}))
    centre = rng.normal(size=(11, 16))
    vectors = np.concatenate([centre[who], centre[mates], rng.normal(size=(100, 16))])
    vectors = (vectors + 0.9 * rng.normal(size=vectors.shape)).astype(np.float32) * rng.uniform(0.5, 2, (150, 1))
    np.save(root / "features.npy", vectors.astype(np.float32))
    return root, np.concatenate([who, mates, -np.ones(100, int)])


def test_tinyface_ranks_and_precisions_equal_sorted_lists_with_all_distractors(
    tinyface: tuple[Path, np.ndarray],
) -> None:
    root, subject = tinyface
    found = run("tinyface", "tinyface", root, {"none": root / "features.npy"})
    given = np.load(root / "features.npy").astype(float)
    unit = given / np.linalg.norm(given, axis=1, keepdims=True)
    best, standard, official = [], [], []
    for probe in range(20):
        mate = subject[20:] == subject[probe]
        cosine = mate[np.argsort(-(unit[20:] @ unit[probe]))]
        places = np.flatnonzero(cosine) + 1
        best.append(places[0])
        standard.append(np.mean(np.arange(1, len(places) + 1) / places))
        near = mate[np.argsort(np.linalg.norm(given[20:] - given[probe], axis=1))]
        precision = np.append(1.0, np.cumsum(near) / np.arange(1, len(near) + 1))
        official.append(np.mean([(precision[i] + precision[i + 1]) / 2 for i in np.flatnonzero(near)]))
    for k in (1, 5, 20, 50):
        assert number(found, f"rank{k}") == np.mean(np.array(best) <= k)
    assert number(found, "map") == pytest.approx(np.mean(standard))
    assert number(found, "map_trapezoid_euclidean") == pytest.approx(np.mean(official))
    assert found.data["gallery"] == 130


def test_a_row_that_is_not_finite_is_a_failure_and_a_miss(tinyface: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    root, _ = tinyface
    vectors = np.load(root / "features.npy")
    vectors[:20] = np.where(np.arange(20)[:, None] < 15, np.nan, vectors[:20])
    np.save(tmp_path / "nan.npy", vectors)
    found = run("tinyface", "tinyface", root, {"none": tmp_path / "nan.npy"})
    value = found.value("rank50", "none")
    assert value is not None
    assert value.n == 20
    assert value.value is not None
    assert value.value <= 0.25
    assert found.failed == {"none": 15}
    assert found.failures[0].reason == "the features have no vector of it"


def test_features_that_do_not_fit_are_refused(tinyface: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    root, _ = tinyface
    np.save(tmp_path / "short.npy", np.ones((5, 16), np.float32))
    np.save(tmp_path / "wide.npy", np.ones((150, 17), np.float32))
    with pytest.raises(DataError, match="expected 150 rows, one for each sample of the data set, found 5"):
        run("tinyface", "tinyface", root, {"none": tmp_path / "short.npy"})
    with pytest.raises(RecordError, match="--features: those of new have 17 dimensions, the baseline's 16"):
        run("tinyface", "tinyface", root, {"none": root / "features.npy", "new": tmp_path / "wide.npy"})
    with pytest.raises(RecordError, match="--features: expected the baseline's, as --features FILE"):
        run("tinyface", "tinyface", root, {"new": root / "features.npy"})
    with pytest.raises(RecordError, match="tinyface@1 degrades faces, which needs their images"):
        run("tinyface", "tinyface", root, {"none": root / "features.npy"}, "degradation.name=bicubic-down8")


def test_what_needs_templates_is_refused_without_them(tinyface: tuple[Path, np.ndarray]) -> None:
    root, _ = tinyface
    with pytest.raises(DataError, match="compat adaface is about templates, and tinyface@1 compares single faces"):
        run("tinyface", "tinyface", root, {"none": root / "features.npy"}, 'compat=["adaface"]')


def test_a_fold_of_templates_is_refused(ijbc: Path) -> None:
    with pytest.raises(DataError, match="comparisons of templates have no folds; leave out --folds"):
        run("ijbc", "ijbc", ijbc, {"none": ijbc / "features.npy"}, "data.folds=[1]")


@pytest.mark.parametrize("protocol", ["ijbc", "ijbc-1n"])
def test_equal_features_differ_by_nothing_and_keep_their_scores_under_every_fusion(ijbc: Path, protocol: str) -> None:
    features = {"none": ijbc / "features.npy", "same": ijbc / "features.npy"}
    result = run(protocol, "ijbc", ijbc, features, draws=50, piping=Piping(fusions=("replace", "max-score")))
    assert [entry["name"] for entry in result.preprocessors] == ["none", "same", "same, fused by max-score"]
    rates = [v for v in result.values if v.preprocessor == "none" and "compat" not in v.where]
    for value in rates:
        fused = result.value(value.metric, "same, fused by max-score", **value.where)
        assert fused is not None
        assert fused.value == pytest.approx(value.value, abs=1e-12)
    assert result.differences
    assert {d.verdict for d in result.differences} == {"no difference found"}
    assert {d.difference for d in result.differences if d.preprocessor == "same"} == {0.0}


def test_a_mean_over_galleries_has_an_interval_by_subject_and_an_open_set_rate_of_one_has_not(searched: Result) -> None:
    methods = {
        (v.metric, v.where.get("gallery", "")): v.method
        for v in searched.values
        if v.preprocessor == "none" and "compat" not in v.where
    }
    assert methods["rank1", ""] == "clopper-pearson, by subject"
    assert "subject" in methods["rank1", "G1"]
    assert methods["tpir@fpir=1e-1", "G1"] == "clopper-pearson"
    assert not [d for d in searched.differences if d.metric.startswith("tpir")]


def test_without_draws_there_is_neither_difference_nor_threshold(ijbc: Path) -> None:
    features = {"none": ijbc / "features.npy", "same": ijbc / "features.npy"}
    result = run("ijbc", "ijbc", ijbc, features, draws=0)
    assert (result.differences, result.thresholds, result.sides) == ((), (), {})
    assert {(v.method, v.interval) for v in result.values} == {("", None)}
    assert result.harm[0].broken == 0


def test_gates_and_drift_need_faces(ijbc: Path) -> None:
    features = {"none": ijbc / "features.npy", "same": ijbc / "features.npy"}
    with pytest.raises(RecordError, match="--features: there are no faces for a gate to look at; leave out --gate"):
        run("ijbc", "ijbc", ijbc, features, piping=Piping(gates=(gate("norm<18"),)))
    with pytest.raises(RecordError, match="no faces whose drift could be measured; leave out --drift and --judge"):
        run("ijbc", "ijbc", ijbc, features, meter=Meter())
