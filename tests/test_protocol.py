from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from recog_restore.datasets.posed import Selection
from recog_restore.degrade import DEGRADATIONS
from recog_restore.errors import RecordError, ResourceMissing
from recog_restore.protocol import Degradation, Templates, known, load

MINE = 'extends = "lfw"\nname = "mine"\n'


@pytest.mark.parametrize("name", known())
def test_every_protocol_of_the_package_is_valid(name: str) -> None:
    protocol = load(name)
    assert protocol.name == name
    assert protocol.title
    if protocol.degradation:
        assert protocol.degradation.name in DEGRADATIONS


@pytest.mark.parametrize(
    ("name", "comparisons"),
    [("lfw", 6000), ("cfp-ff", 7000), ("cfp-fp", 7000), ("agedb-30", 6000), ("calfw", 6000), ("cplfw", 6000)],
)
def test_published_counts_stand_in_the_protocols(name: str, comparisons: int) -> None:
    expect = load(name).data.expect
    assert (expect.comparisons, expect.mated, expect.folds) == (comparisons, comparisons // 2, 10)


def test_multi_pie_has_a_stand_in_and_every_disagreement_of_papers_as_an_option() -> None:
    first, second = load("multipie-setting1"), load("multipie-setting2")
    assert (second.data.dataset, second.data.stand_in) == ("multipie", "synthpie")
    assert (second.preprocess, second.breakdowns) == ("probes", ("abs_yaw",))
    options = {field.name for field in dataclasses.fields(Selection)}
    assert set(second.data.options) == options - {"seed"}
    assert {k: v for k, v in first.data.options.items() if v != second.data.options[k]} == {
        "sessions": [1],
        "train_people": 150,
        "test_people": 100,
    }
    tiny = load("multipie-vividgan")
    assert tiny.degradation is not None
    assert (tiny.degradation.name, tiny.degradation.apply) == ("vivid-16", "probes")
    assert tiny.data.options["test_people"] * tiny.data.options["probes_per_person"] == 5_000
    larger = load("multipie-vividgan-32")
    assert larger.degradation is not None
    assert (larger.degradation.name, larger.degradation.apply) == ("vivid-32", "probes")
    assert larger.data == tiny.data


def test_variant_changes_only_what_it_says() -> None:
    base = load("lfw")
    for factor in (3, 4, 5, 8):
        variant = load(f"lfw-down{factor}")
        assert (variant.data, variant.metrics) == (base.data, base.metrics)
        assert variant.degradation == Degradation(f"bicubic-down{factor}")


def test_low_quality_probes_are_searched_among_clean_faces() -> None:
    base, variant = load("multipie-setting2"), load("multipie-setting2-lq")
    assert (variant.data, variant.metrics, variant.preprocess) == (base.data, base.metrics, base.preprocess)
    assert variant.degradation == Degradation("mdfr", "probes")


def test_templates_are_pooled_as_a_protocol_says_and_a_variant_keeps_what_it_does_not_name(tmp_path: Path) -> None:
    assert load("lfw").templates is None
    assert load("ijbc").templates == load("ijbb-1n").templates == Templates("keep", detector_score=True)
    assert load("ijbc-nist").templates == Templates("keep", detector_score=False)
    assert load("ijbc", ["templates.norm=unit"]).templates == Templates("unit", detector_score=True)
    (tmp_path / "mine.toml").write_text(MINE + "[templates]\ndetector_score = true\n")
    assert load(str(tmp_path / "mine.toml")).templates == Templates("unit", detector_score=True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("detector_scores = true", r"unknown key 'templates.detector_scores'; did you mean 'detector_score'\?"),
        ("flip = true", "unknown key 'templates.flip'; known: detector_score, norm"),
        ('norm = "cosine"', "templates.norm is 'cosine'; expected one of 'keep', 'unit'"),
        ('detector_score = "yes"', "templates.detector_score is 'yes'; expected bool"),
    ],
)
def test_templates_that_cannot_be_pooled_so_are_refused_with_file_and_key(
    tmp_path: Path, line: str, message: str
) -> None:
    (tmp_path / "mine.toml").write_text(f"{MINE}[templates]\n{line}\n")
    with pytest.raises(RecordError, match=f"mine.toml: {message}"):
        load(str(tmp_path / "mine.toml"))


def test_own_file_extends_a_protocol_of_the_package_and_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(MINE)
    (tmp_path / "b.toml").write_text('extends = "a.toml"\nname = "b"\n[data]\nfolds = [1]\n')
    assert load(str(tmp_path / "b.toml")).data.folds == (1,)
    assert load(str(tmp_path / "b.toml")).data.expect.comparisons == 6000


def test_changes_are_typed_as_in_toml() -> None:
    protocol = load("lfw", ["data.folds=[1, 2]", "faces.failure=exclude", "degradation.name=mdfr"])
    assert protocol.data.folds == (1, 2)
    assert protocol.faces.failure == "exclude"
    assert protocol.degradation is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.fold=[1]", r"lfw.toml: unknown key 'data.fold'; did you mean 'folds'\?"),
        ("faces.failure=drop", "faces.failure is 'drop'; expected one of 'iso', 'exclude'"),
        ("metrics=['tpir@fpir=1e-2']", "no verification metric 'tpir@fpir=1e-2'; known: .*tar_nearest@far=1e-K"),
        ("metrics=['acuracy']", "no verification metric 'acuracy'; known: accuracy, eer"),
        ("primary=rank1", "primary is 'rank1'; expected one of metrics"),
        ("baseline_fmr=0.0", "baseline_fmr is 0.0; expected a rate, more than 0 and less than 1"),
        ("version", "'version': expected key=value"),
        ("data.folds=[]", "lfw.toml: data.folds is empty: expected at least one fold"),
    ],
)
def test_a_wrong_change_says_what_is_right(change: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        load("lfw", [change])


def test_unknown_protocol_answers_with_the_nearest() -> None:
    with pytest.raises(ResourceMissing, match=r"no protocol named 'lfv'; did you mean 'lfw'\?"):
        load("lfv")
    with pytest.raises(ResourceMissing, match="none.toml: no such file"):
        load("none.toml")


def test_circle_of_extends_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('extends = "b.toml"\n')
    (tmp_path / "b.toml").write_text('extends = "a.toml"\n')
    with pytest.raises(RecordError, match="'extends' goes in a circle"):
        load(str(tmp_path / "a.toml"))


def test_another_definition_of_tar_has_another_name() -> None:
    protocol = load("folder-verification", ["compat=['nearest']", "primary='tar@far=1e-2'"])
    assert protocol.primary == "tar_nearest@far=1e-2"
    assert [metric for metric in protocol.metrics if metric.startswith("tar")] == [
        f"tar_nearest@far=1e-{k}" for k in (1, 2, 3)
    ]
    assert load("lfw").metrics == load("lfw", ["compat=['insightface']"]).metrics


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(b'\xef\xbb\xbfextends = "lfw"\r\nname = "mine"\r\n')
    assert load(str(file)).name == "mine"
