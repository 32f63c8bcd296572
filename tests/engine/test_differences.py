"""Differences between preprocessors whose effect is known, on drawn scores; no image is looked at."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from recog_restore.engine.differences import all_differences, bootstrap, differences, with_intervals
from recog_restore.engine.harm import harm, turned
from recog_restore.engine.kept import MOST, Kept, read
from recog_restore.engine.measures import baseline_threshold, measures
from recog_restore.errors import ResultError
from recog_restore.metrics import MISS, accuracy_kfold_draws, hit_scores, holm, tpir_at_fpir, verification
from recog_restore.results import Difference, ExampleFace, Value

PEOPLE, METRICS = 60, ("accuracy", "eer", "auc", "tar@far=1e-2", "fnmr@baseline")
NAMES = ("none", "same", "gain", "noise", "swap")


def compared(names: tuple[str, ...] = NAMES) -> Kept:
    """60 people, 300 mated and 600 non-mated comparisons in 10 folds, of two sizes."""
    generator = np.random.default_rng(0)
    mated = np.repeat(np.arange(PEOPLE), 5)
    first = np.concatenate([mated, generator.integers(PEOPLE, size=600)])
    second = np.concatenate([mated, (first[300:] + generator.integers(1, PEOPLE, 600)) % PEOPLE])
    truth = first == second
    before = 0.55 * truth + 0.15 * generator.normal(size=900)
    scores = {
        "none": before,
        "same": before.copy(),
        "gain": before + 0.15 * truth,
        "noise": 0.15 * generator.normal(size=900),
        "swap": np.where(truth, 0.15 * generator.normal(size=900), before),
    }
    return Kept(
        kind="verification",
        protocol="drawn@1",
        fingerprint="f" * 64,
        failure="iso",
        metrics=METRICS,
        compat=(),
        preprocessors=names,
        first=first,
        second=second,
        subjects_known=True,
        fold=np.arange(900) % 10,
        labels={"size": (np.arange(900) % 2, ("small", "large"))},
        counted={name: np.ones(900, bool) for name in names},
        scores={name: scores[name] for name in names},
    )


def searched() -> Kept:
    """40 people, 20 searches each, over three yaws; ``gain`` finds more at 90 and ``swap`` finds nobody."""
    generator = np.random.default_rng(1)
    subject, yaw = np.repeat(np.arange(40), 20), np.arange(800) % 3
    hit = generator.uniform(size=800) < np.array([0.95, 0.8, 0.3])[yaw]
    more = hit | ((yaw == 2) & (generator.uniform(size=800) < 0.5))
    ranks = {"none": hit, "same": hit, "gain": more, "swap": np.zeros(800, bool)}
    scores = {name: np.where(found, 0.6, 0.2) for name, found in ranks.items()}
    return Kept(
        kind="identification",
        protocol="multipie@1",
        fingerprint="e" * 64,
        failure="iso",
        metrics=("rank1", "rank5"),
        compat=(),
        preprocessors=tuple(ranks),
        first=subject,
        second=subject,
        subjects_known=True,
        fold=np.zeros(800, np.int64),
        labels={"abs_yaw": (yaw, ("0", "45", "90"))},
        counted={name: np.ones(800, bool) for name in ranks},
        scores=scores,
        impostor_scores={name: np.full(800, 0.4) for name in ranks},
        ranks={name: np.where(found, 1, MISS) for name, found in ranks.items()},
    )


def searched_openly() -> Kept:
    """As ``searched``, but the last ten people are not enrolled; ``gain`` finds more, at the same false alarms."""
    generator, kept = np.random.default_rng(2), searched()
    mates = kept.first < 30
    tops = np.where(mates, 0.3, generator.normal(0.3, 0.05, 800))
    hits = generator.normal(0.4, 0.1, 800)
    scores = {"none": hits, "same": hits, "gain": hits + 0.05, "swap": hits - 0.3}
    return dataclasses.replace(
        kept,
        metrics=("rank1", "tpir@fpir=1e-1", "fnir@fpir=1e-1"),
        mates=mates,
        ranks={name: np.where(mates & (found > tops), 1, MISS) for name, found in scores.items()},
        scores={name: np.where(mates, found, -np.inf) for name, found in scores.items()},
        impostor_scores={name: tops for name in scores},
    )


def searched_in_two() -> Kept:
    """As ``searched``; the mates of the first ten people are in gallery A, those of the others in B."""
    kept = searched()
    return dataclasses.replace(kept, galleries=((kept.first >= 10).astype(np.int64), ("A", "B")))


@pytest.fixture(scope="module")
def verified() -> dict[str, list[Difference]]:
    kept = compared()
    draws = bootstrap(kept, 300)
    return {name: differences((kept, "none"), (kept, name), draws) for name in NAMES[1:]}


@pytest.fixture(scope="module")
def identified() -> dict[str, list[Difference]]:
    kept = searched()
    draws = bootstrap(kept, 300)
    return {name: differences((kept, "none"), (kept, name), draws) for name in kept.preprocessors}


def one(found: list[Difference], metric: str, **where: str) -> Difference:
    (match,) = [d for d in found if (d.metric, d.where) == (metric, where)]
    return match


@pytest.mark.parametrize("kind", ["verified", "identified"])
def test_what_returns_its_input_differs_by_exactly_nothing(kind: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(kind)["same"]
    assert len(found) > 5
    for d in found:
        assert (d.difference, d.interval, d.p, d.p_holm, d.verdict) == (0, (0, 0), 1, 1, "no difference found")
        assert (d.fixed, d.broken) in ((0, 0), (None, None))
        assert d.smallest_detectable > 0


@pytest.mark.parametrize("harmful", ["noise", "swap"])
def test_noise_and_swapped_identities_are_called_harmful(verified: dict[str, list[Difference]], harmful: str) -> None:
    for metric in ("accuracy_10fold", "eer", "auc", "tar@far=1e-2", "fnmr@baseline"):
        assert one(verified[harmful], metric).verdict == "worse"


def test_a_gain_is_called_better_with_what_it_fixes(verified: dict[str, list[Difference]]) -> None:
    found = one(verified["gain"], "fnmr@baseline")
    assert (found.verdict, found.broken, found.preprocessor, found.against) == ("better", 0, "gain", "none")
    assert found.difference == pytest.approx(-found.fixed / 300)
    assert found.interval[0] < found.difference < found.interval[1] < 0
    assert one(verified["gain"], "fmr@baseline").verdict == "no difference found"
    assert one(verified["gain"], "fnmr@baseline", size="small").n == 150
    assert not [d for d in verified["gain"] if "fold" in d.where]


def test_swapped_searches_are_harmful_and_a_gain_is_found_where_it_is(identified: dict[str, list[Difference]]) -> None:
    assert {d.verdict for d in identified["swap"]} == {"worse"}
    gain = identified["gain"]
    assert one(gain, "rank1", abs_yaw="90").verdict == "better"
    for yaw in ("0", "45"):
        assert one(gain, "rank1", abs_yaw=yaw).verdict == "no difference found"
    assert one(gain, "rank1").broken == 0
    parts = [one(gain, "rank1", abs_yaw=yaw).difference for yaw in ("0", "45", "90")]
    assert one(gain, "rank1_macro", over="abs_yaw").difference == pytest.approx(np.mean(parts))


def test_p_values_are_corrected_over_the_parts_of_a_breakdown_alone(identified: dict[str, list[Difference]]) -> None:
    whole, part = one(identified["gain"], "rank1"), one(identified["gain"], "rank1", abs_yaw="90")
    assert whole.p_holm == whole.p
    assert part.p_holm == pytest.approx(min(1, 3 * part.p))
    assert (whole.correction, part.correction) == ("", "3 parts")
    assert part.test == part.method == "subject bootstrap, normal, two changes added"


def test_of_one_subject_a_difference_has_no_interval_and_no_p_value() -> None:
    nobody_else = np.zeros(800, np.int64)
    kept = dataclasses.replace(searched(), first=nobody_else, second=nobody_else)
    (change,) = (d for d in differences((kept, "none"), (kept, "gain")) if d.metric == "rank1" and not d.where)
    assert change.difference > 0.1
    assert change.p is None or math.isnan(change.p)
    assert change.verdict == "no difference found"


def test_order_of_the_two_runs_changes_the_sign_alone() -> None:
    kept = searched()
    draws = bootstrap(kept, 200)
    there = differences((kept, "none"), (kept, "gain"), draws)
    back = differences((kept, "gain"), (kept, "none"), draws)
    for one_way, other in zip(there, back, strict=True):
        assert one_way.difference == pytest.approx(-other.difference)
        assert (one_way.fixed, one_way.broken) == (other.broken, other.fixed)
        assert one_way.interval == pytest.approx((-other.interval[1], -other.interval[0]))


def test_every_value_gets_an_interval_with_its_method() -> None:
    kept = compared()
    scores, mated = kept.scores["none"], kept.mated
    tar = verification.tar_at_far(scores[mated], scores[~mated], 1e-2)
    values = [
        Value("tar@far=1e-2", "none", tar.tar, 300),
        Value("eer", "none", verification.eer(scores[mated], scores[~mated]).value, 900),
        Value("fmr@baseline", "none", 0.0, 600),
        Value("unknown", "none", 0.5, 600),
    ]
    found = with_intervals(values, kept, bootstrap(kept, 300))
    assert [v.method for v in found] == ["clopper-pearson, by subject"] * 3 + [""]
    for value in found[:2]:
        assert value.interval[0] < value.value < value.interval[1]
    unknown = with_intervals(values[:1], dataclasses.replace(kept, subjects_known=False), bootstrap(kept, 50))
    assert unknown[0].method == "clopper-pearson, by subject, subjects unknown"


def test_in_an_open_set_the_alarms_of_strangers_set_the_threshold_in_every_draw() -> None:
    kept = searched_openly()
    draws = bootstrap(kept, 300)
    for name, verdict in (("same", "no difference found"), ("gain", "better"), ("swap", "worse")):
        found = differences((kept, "none"), (kept, name), draws)
        tpir, fnir = (one(found, f"{rate}@fpir=1e-1") for rate in ("tpir", "fnir"))
        assert tpir.verdict == fnir.verdict == one(found, "rank1").verdict == verdict
        assert tpir.difference == pytest.approx(-fnir.difference)
        assert tpir.n == one(found, "rank1").n == 600
        assert one(found, "tpir@fpir=1e-1", abs_yaw="90").n == np.count_nonzero(kept.mated & (np.arange(800) % 3 == 2))


def test_the_interval_of_a_rate_in_an_open_set_equals_a_slow_resampling() -> None:
    kept = searched_openly()
    draws = bootstrap(kept, 40)
    rates = []
    for b in range(40):
        rows = np.repeat(np.arange(800), draws.weights[draws.first, b].astype(int))
        mated = rows[kept.mated[rows]]
        strangers = rows[~kept.mated[rows]]
        hits = hit_scores(kept.ranks["none"][mated], kept.scores["none"][mated])
        rates.append(tpir_at_fpir(hits, kept.impostor_scores["none"][strangers], 0.1).tpir)
    (measure,) = [m for m in measures(kept, "none", math.nan) if m.metric == "tpir@fpir=1e-1" and not m.where]
    assert measure.draws(draws, draws.damping(measure.influence)).tolist() == pytest.approx(rates)


def test_strangers_alone_who_move_are_a_difference() -> None:
    kept = searched_openly()
    louder = {**kept.impostor_scores, "same": kept.impostor_scores["none"] + np.where(kept.mated, 0.0, 0.5)}
    found = differences((kept, "none"), (dataclasses.replace(kept, impostor_scores=louder), "same"))
    tpir = one(found, "tpir@fpir=1e-1")
    assert (tpir.difference < 0, tpir.method == "identical scores") == (True, False)


def few_searched(people: int, fixed: int) -> Kept:
    """Some people, searched for once at 0° and, some of them in vain until ``gain``, once at 90°."""
    subject, yaw = np.repeat(np.arange(people), 2), np.arange(2 * people) % 2
    late = (yaw == 1) & (subject < fixed)
    ranks = {"none": np.where(late, 5, 1), "gain": np.ones(2 * people, np.int64)}
    return dataclasses.replace(
        searched(),
        preprocessors=("none", "gain"),
        first=subject,
        second=subject,
        fold=np.zeros(2 * people, np.int64),
        labels={"abs_yaw": (yaw, ("0", "90"))},
        counted={name: np.ones(2 * people, bool) for name in ranks},
        scores={name: 1.0 / found for name, found in ranks.items()},
        ranks=ranks,
    )


def of_few(fixed: int, missed: int = 0) -> Kept:
    """918 searches for 27 people; some miss throughout, and one of each of the last people misses before alone."""
    subject = np.repeat(np.arange(27), 34)
    late = np.isin(np.arange(918), 34 * (26 - np.arange(fixed)))
    ranks = {"none": np.where(late | (np.arange(918) < missed), 5, 1), "gain": np.where(np.arange(918) < missed, 5, 1)}
    return dataclasses.replace(
        few_searched(459, 0),
        first=subject,
        second=subject,
        labels={},
        ranks=ranks,
        scores={name: 1.0 / found + 0.01 * (name == "gain") for name, found in ranks.items()},
    )


@pytest.mark.parametrize("missed", [0, 5, 40])
def test_the_interval_of_no_change_is_little_narrower_than_that_of_one(missed: int) -> None:
    """Before, 0 of 918 changes gave ±14.25 points and 1 gave ±0.6."""
    found = [one(differences((k, "none"), (k, "gain")), "rank1") for k in map(lambda n: of_few(n, missed), range(9))]
    assert [d.fixed for d in found] == list(range(9))
    none = found[0]
    assert none.interval[0] == -none.interval[1]
    assert none.interval[1] < 0.1  # two to three of 27 people, where one is missed throughout
    widths = [d.interval[1] - d.interval[0] for d in found]
    assert max(abs(after / before - 1) for before, after in itertools.pairwise(widths)) < 0.35
    centres = [sum(d.interval) for d in found]
    assert (np.diff(centres) > 0).all()
    if not missed:
        assert none.interval[1] < 0.004
        assert [d.verdict == "better" for d in found] == [n >= 6 for n in range(9)]


def test_false_matches_that_neither_go_nor_come_have_a_narrow_interval() -> None:
    """18,171 comparisons of a few people: before, ±26.46 points."""
    a, b = np.triu_indices(14, 1)
    first, second = (np.append(np.arange(14), np.tile(ends, 200)) for ends in (a, b))
    scores = np.where(first == second, 1.0, np.random.default_rng(0).uniform(0, 0.5, len(first)))
    kept = dataclasses.replace(
        compared(("none", "gain")),
        metrics=("fnmr@baseline",),
        first=first,
        second=second,
        fold=np.zeros(len(first), np.int64),
        labels={},
        counted={name: np.ones(len(first), bool) for name in ("none", "gain")},
        scores={"none": scores, "gain": scores + 0.1 * (first == second)},
    )
    fmr = one(differences((kept, "none"), (kept, "gain")), "fmr@baseline")
    assert (fmr.n, fmr.fixed, fmr.broken, fmr.difference) == (18_200, 0, 0, 0)
    assert fmr.interval[0] == -fmr.interval[1]
    assert fmr.interval[1] < 0.001


def test_interval_p_and_verdict_agree_and_p_is_corrected_over_all_preprocessors(
    verified: dict[str, list[Difference]], identified: dict[str, list[Difference]]
) -> None:
    for found in (d for run in (verified, identified) for changes in run.values() for d in changes):
        if found.p is not None and found.interval:
            assert (found.p < 0.05) == (found.interval[0] > 0 or found.interval[1] < 0)
        assert (found.verdict != "no difference found") == (found.p_holm is not None and found.p_holm <= 0.05)
        assert found.test == found.method
    kept = dataclasses.replace(compared(), metrics=("auc", "fnmr@baseline"))
    draws, pairs = bootstrap(kept, 50), [((kept, "none"), (kept, name)) for name in NAMES[1:]]
    together, apart = all_differences(pairs, draws), [differences(*pair, draws) for pair in pairs]
    for metric in ("auc", "fnmr@baseline"):
        mine = [one(found, metric) for found in apart]
        all_of_them = [one([d for d in together if d.preprocessor == name], metric) for name in NAMES[1:]]
        assert [d.p for d in all_of_them] == [d.p for d in mine]
        assert [d.p_holm for d in all_of_them] == pytest.approx(holm([d.p for d in mine]).tolist())
        assert {d.correction for d in all_of_them} == {"4 preprocessors"}
    assert {d.correction for d in together if "size" in d.where} == {"4 preprocessors and 2 parts"}
    assert {d.correction for d in verified["gain"] if not d.where} == {""}


@pytest.mark.parametrize("metric", ["accuracy_10fold", "eer", "auc", "tar@far=1e-2"])
def test_the_sides_of_a_difference_can_be_swapped(metric: str) -> None:
    kept = dataclasses.replace(compared(), metrics=(metric.partition("_")[0],), labels={})
    draws = bootstrap(kept, 50)
    there, back = (
        one(differences((kept, a), (kept, b), draws), metric) for a, b in (("none", "gain"), ("gain", "none"))
    )
    assert there.difference == pytest.approx(-back.difference)
    assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]))
    assert (there.p, there.fixed, there.broken) == (pytest.approx(back.p), back.broken, back.fixed)
    assert {there.verdict, back.verdict} <= {"better", "worse"} or there.verdict == back.verdict


def test_accuracy_is_less_sure_than_at_thresholds_that_are_given() -> None:
    kept = compared()
    draws = bootstrap(kept, 200)
    (measure,) = [m for m in measures(kept, "none", math.nan) if m.metric == "accuracy_10fold"]
    drawn = measure.draws(draws, draws.damping(measure.influence))
    whole = np.full(900, 1 / 90)
    given = draws.ratio(measure.right * whole, whole, draws.damping(measure.influence))
    again = accuracy_kfold_draws(
        draws, kept.scores["none"], kept.mated, kept.fold, damping=draws.damping(measure.influence)
    )
    assert drawn == pytest.approx(given + math.sqrt(0.5) * (again - given))
    assert given.std() < drawn.std() < again.std()


@pytest.mark.parametrize(("people", "fixed"), [(3, 3), (60, 4)])
def test_a_mean_over_parts_is_no_surer_than_the_few_decisions_that_turned(people: int, fixed: int) -> None:
    kept = few_searched(people, fixed)
    found = differences((kept, "none"), (kept, "gain"))
    macro = one(found, "rank1_macro", over="abs_yaw")
    assert macro.difference == pytest.approx(fixed / people / 2)
    assert macro.verdict == one(found, "rank1").verdict == "no difference found"
    (value,) = with_intervals([Value("rank1_macro", "gain", 1.0, 2, {"over": "abs_yaw"})], kept, bootstrap(kept, 50))
    assert value.interval is None or math.isnan(value.interval[0])


def test_of_failed_faces_that_are_excluded_only_what_both_have_is_subtracted() -> None:
    """Of 100 people 50 are recognized; 55 others fail after it and 35 of the remaining 45 are recognized: 10 broken."""
    base = few_searched(100, 0)
    subject = np.arange(100)
    ranks = {"none": np.where(subject < 50, 1, 5), "gain": np.where((subject < 35), 1, 5)}
    kept = dataclasses.replace(
        base,
        failure="exclude",
        first=subject,
        second=subject,
        fold=np.zeros(100, np.int64),
        labels={},
        ranks=ranks,
        scores={name: 1.0 / found for name, found in ranks.items()},
        counted={"none": np.ones(100, bool), "gain": subject < 45},
    )
    rank1 = one(differences((kept, "none"), (kept, "gain")), "rank1")
    assert (rank1.fixed, rank1.broken, rank1.n) == (0, 10, 45)
    assert (rank1.difference, rank1.verdict) == (pytest.approx(-10 / 45), "worse")


def test_of_two_galleries_each_has_its_difference_and_the_mean_is_plain() -> None:
    kept = searched_in_two()
    draws = bootstrap(kept, 300)
    found = differences((kept, "none"), (kept, "gain"), draws)
    apart = [one(found, "rank1", gallery=name) for name in "AB"]
    assert [d.n for d in apart] == [200, 600]
    whole = one(found, "rank1")
    assert whole.difference == pytest.approx(np.mean([d.difference for d in apart]))
    assert whole.interval[0] < whole.difference < whole.interval[1]
    assert not [d for d in found if d.where.get("over") == "gallery"]
    values = [Value("rank1", "none", 0.7, 800), Value("rank1", "none", 0.7, 200, {"gallery": "A"})]
    assert [v.method for v in with_intervals(values, kept, draws)] == ["clopper-pearson, by subject"] * 2
    same = differences((kept, "none"), (kept, "same"), draws)
    assert {(d.difference, d.interval, d.verdict) for d in same} == {(0, (0, 0), "no difference found")}


def faces(rows: Sequence[int]) -> list[tuple[ExampleFace, ExampleFace]]:
    return [(ExampleFace(f"a{row}", "", ""), ExampleFace(f"b{row}", "", "")) for row in rows]


def test_harm_counts_at_the_baselines_threshold() -> None:
    kept = compared()
    found = harm(kept, "swap", faces)
    before, after = (kept.scores[name] >= found.threshold for name in ("none", "swap"))
    assert found.broken == int((kept.mated & before & ~after).sum()) > 100
    assert found.false_matches_new == found.false_matches_gone == 0
    assert (found.impostors, found.raised) == (600, ())
    noise = harm(kept, "noise", faces, most=3)
    assert len(noise.raised) == 3
    rows = [int(raised.first.sample[1:]) for raised in noise.raised]
    assert [raised.second.sample for raised in noise.raised] == [f"b{row}" for row in rows]
    assert [raised.after for raised in noise.raised] == kept.scores["noise"][rows].tolist()
    assert noise.raised[0].after - noise.raised[0].before == max(r.after - r.before for r in noise.raised)
    assert noise.impostor_tail[1] != noise.impostor_tail[0]
    search = harm(searched(), "gain", faces)
    assert (search.threshold, search.false_matches_new, search.broken) == (None, None, 0)
    assert search.fixed > 0


def test_baseline_threshold_rests_on_the_comparisons_that_count() -> None:
    kept = compared()
    counted = np.ones(900, bool)
    counted[np.argsort(kept.scores["none"])[-400::2]] = False
    fewer = dataclasses.replace(kept, failure="exclude", counted=dict.fromkeys(NAMES, counted))
    genuine, impostor = (kept.scores["none"][counted & kind] for kind in (kept.mated, ~kept.mated))
    assert baseline_threshold(fewer) == verification.tar_at_far(genuine, impostor, 1e-3).threshold
    assert baseline_threshold(fewer) != baseline_threshold(kept)
    looser = dataclasses.replace(fewer, baseline_fmr=1e-2)
    assert baseline_threshold(looser) == verification.tar_at_far(genuine, impostor, 1e-2).threshold


def test_turned_decisions_are_those_that_harm_counts_the_most_changed_first() -> None:
    kept = compared()
    found, counts = turned(kept, "noise"), harm(kept, "noise", faces)
    assert len(found.fixed) == counts.fixed + counts.false_matches_gone
    assert len(found.broken) == counts.broken + counts.false_matches_new
    threshold = baseline_threshold(kept)
    before, after = ((kept.scores[name] >= threshold) == kept.mated for name in ("none", "noise"))
    assert sorted(found.broken.tolist()) == np.flatnonzero(before & ~after).tolist()
    change = np.abs(kept.scores["noise"] - kept.scores["none"])
    assert change[found.broken].tolist() == sorted(change[found.broken].tolist(), reverse=True)
    assert [len(rows) for rows in turned(kept, "same")] == [0, 0]


def test_turned_searches_are_ordered_by_the_lead_of_the_mate_and_failed_ones_left_out() -> None:
    kept = searched()
    found = turned(kept, "gain")
    assert len(found.fixed) == harm(kept, "gain", faces).fixed
    assert len(found.broken) == 0
    assert found.fixed.tolist() == sorted(found.fixed.tolist())  # all leads changed alike: ties by row
    failed = kept.scores["gain"].copy()
    failed[found.fixed[0]] = -np.inf
    lost = dataclasses.replace(kept, scores={**kept.scores, "gain": failed})
    assert turned(lost, "gain").fixed.tolist() == found.fixed.tolist()[1:]


@pytest.mark.parametrize(
    "kept",
    [compared(), dataclasses.replace(compared(), baseline_fmr=0.1), searched(), searched_openly(), searched_in_two()],
    ids=["verification", "another FMR", "identification", "open set", "two galleries"],
)
def test_what_is_kept_reads_back_the_same(kept: Kept, tmp_path: Path) -> None:
    path = tmp_path / "comparisons.safetensors"
    kept.write(path)
    back = read(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["comparisons.safetensors"]
    assert read(tmp_path / "result.json").protocol == back.protocol == kept.protocol
    draws = bootstrap(kept, 50)
    assert differences((back, "none"), (back, "gain"), draws) == differences((kept, "none"), (kept, "gain"), draws)
    assert list(back.labels) == list(kept.labels)


def test_two_files_are_subtracted_like_one(tmp_path: Path) -> None:
    whole = compared()
    old, new = compared(("none",)), compared(("none", "gain"))
    old.write(tmp_path / "old.safetensors")
    new.write(tmp_path / "new.safetensors")
    files = read(tmp_path / "old.safetensors"), read(tmp_path / "new.safetensors")
    assert differences((files[0], "none"), (files[1], "gain")) == differences((whole, "none"), (whole, "gain"))


def test_runs_of_other_comparisons_are_not_subtracted() -> None:
    kept = compared()
    for change, message in (
        ({"protocol": "lfw@1"}, "the runs have another protocol: drawn@1 and lfw@1; only runs of the same"),
        ({"fingerprint": "0" * 64}, "another data: ffffffffffff and 000000000000"),
        ({"failure": "exclude"}, "another rule for failed faces: iso and exclude"),
        ({"compat": ("insightface",)}, r"another set of definitions \(--compat\): \[\] and \['insightface'\]"),
        ({"first": kept.first[::-1]}, "did not make the same comparisons; was one of them limited"),
    ):
        with pytest.raises(ResultError, match=message):
            differences((kept, "none"), (dataclasses.replace(kept, **change), "gain"))
    with pytest.raises(
        ResultError, match="the run has no preprocessor 'gian'; it has 'none', 'same', 'gain', 'noise', 'swap'"
    ):
        differences((kept, "none"), (kept, "gian"))


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ResultError, match=f"no such file; rr-eval keeps the comparisons of a run of at most {MOST:,}"):
        read(tmp_path)
    path = tmp_path / "comparisons.safetensors"
    compared().write(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ResultError, match="damaged, or not the comparisons of a run; run rr-eval again"):
        read(path)
    monkeypatch.setattr("recog_restore.engine.kept.VERSION", 99)
    compared().write(path)
    monkeypatch.undo()
    with pytest.raises(ResultError, match="expected version 1, found 99; run rr-eval again"):
        read(path)
    monkeypatch.setattr("recog_restore.engine.kept.MOST", 10)
    with pytest.raises(ResultError, match="900 comparisons are more than the 10 that are kept beside a result"):
        compared().write(path)
    monkeypatch.undo()
    with pytest.raises(ResultError, match="the comparisons cannot be written"):
        compared().write(tmp_path / "absent" / "file")
