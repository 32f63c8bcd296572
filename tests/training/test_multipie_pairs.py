from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recog_restore.datasets.shots import name_of, path_of, table_of
from recog_restore.datasets.synthpie import attendance, shot_of
from recog_restore.datasets.synthpie_tree import Part, write
from recog_restore.decode import read_image
from recog_restore.degrade import degrade
from recog_restore.errors import DataError, RecordError
from recog_restore.training.multipie_pairs import MultiPiePairs, couples, training_photos
from recog_restore.training.reading import read_recipe
from recog_restore.training.restorer_course import RestorerCourse
from recog_restore.training.restorer_recipe import MultiPiePhotos, PairData

PEOPLE = attendance()[1][:2]
CAMERAS = {"24_0": 90.0, "13_0": -30.0, "05_1": 0.0}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rendered people in session 1, neutral, from three cameras under two lights, in Multi-PIE's layout."""
    root = tmp_path_factory.mktemp("multipie") / "tree"
    part = Part("full", PEOPLE, (1,), (1,), tuple(CAMERAS), ("07", "12"))
    write(root, part.names(), workers=1)
    return root


def pairs(root: Path, points: Any = "none", **values: Any) -> MultiPiePairs:
    values = {"people": 2, "alignment": "canonical-128", **values}
    data = PairData(multipie=MultiPiePhotos(str(root), **values), degradation="mdfr", degraded=0.5)
    return MultiPiePairs(data, points=points)


def lights(table: Any, **values: Any) -> list[tuple[str, str]]:
    names = table["sample"].tolist()
    return [(names[probe], names[target]) for probe, target in couples(table, MultiPiePhotos("x", **values))]


def test_target_is_frontal_in_the_same_light_or_the_other_or_both() -> None:
    names = ["001_01_01_051_07", "001_01_01_051_12", "001_01_01_240_07", "001_01_01_240_12", "001_01_01_240_13"]
    frontal, shaded, *turned = names
    table = table_of(names)
    same = [(frontal, frontal), (shaded, shaded), (turned[0], frontal), (turned[1], shaded)]
    other = [(name, frontal) for name in names]
    assert lights(table, lights="same") == same
    assert lights(table, lights="other") == other
    assert sorted(lights(table, lights="both")) == sorted({*same, *other})
    assert lights(table, lights="other", target_light="12") == [(name, shaded) for name in names]


def test_target_is_of_the_same_person_and_recording_and_neutral() -> None:
    names = [
        name_of(subject, session, recording, camera, "07")
        for subject in (1, 2)
        for session, recording in ((1, 1), (1, 2), (4, 1), (4, 2))
        for camera in ("05_1", "24_0")
    ]
    found = dict(lights(table_of(names), expressions=("neutral", "smile")))
    assert found["002_01_01_240_07"] == "002_01_01_051_07"
    assert found["002_01_02_240_07"] == "002_01_01_051_07"  # a smile
    assert found["001_01_02_051_07"] == "001_01_01_051_07"
    assert found["001_04_02_240_07"] == "001_04_02_051_07"  # the second neutral recording
    assert len(found) == len(names)
    smiles = dict(lights(table_of(names), expressions=("smile",)))
    assert smiles == {name: target for name, target in found.items() if name[4:9] == "01_02"}


def test_batch_is_what_lies_in_the_tree(tree: Path) -> None:
    source = pairs(tree, seed=4)
    assert (len(source), source.people) == (2 * 3 * 3, 2)
    assert source.words == f"18 pairs of 2 people in {tree}"
    batch, seen = source[list(range(18))], set()
    images = {
        name: read_image(tree / path_of(name))
        for name in Part("full", PEOPLE, (1,), (1,), tuple(CAMERAS), ("07", "12")).names()
    }
    for row in range(18):
        (probe,) = [name for name, image in images.items() if np.array_equal(batch.clean[row], image)]
        (target,) = [name for name, image in images.items() if np.array_equal(batch.targets[row], image)]
        assert target[:13] == f"{probe[:9]}_051"
        assert target[-2:] in (probe[-2:], "07")
        assert batch.yaws[row] == shot_of(probe).shot.yaw
        wanted = degrade(images[probe], "mdfr", 4, f"row {row}") if batch.degraded[row] else images[probe]
        assert np.array_equal(batch.probes[row], wanted)
        seen.add((probe, target))
    assert len(seen) == 18
    assert 0 < batch.degraded.sum() < 18


def test_rows_beyond_the_last_are_the_same_pairs_degraded_anew(tree: Path) -> None:
    source = pairs(tree)
    rows = list(range(18))
    first, later = source[rows], source[[row + 18 for row in rows]]
    assert torch.equal(first.targets, later.targets)
    assert torch.equal(first.clean, later.clean)
    assert not torch.equal(first.probes, later.probes)


def test_points_turn_with_the_probe_and_the_frontal_ones_do_not(tree: Path) -> None:
    source = pairs(tree, points="five", alignment="landmarks", lights="other")
    batch = source[list(range(len(source)))]
    assert batch.points.shape == batch.target_points.shape == (12, 18, 2)
    away = (batch.points - batch.target_points).norm(dim=-1).mean(1)
    frontal, turned = away[batch.yaws == 0], away[batch.yaws == 90]
    assert len(frontal) == len(turned) == 4
    assert float(frontal.max()) < 4 < 10 < float(turned.min())
    assert float((batch.target_points - batch.target_points[0]).abs().max()) < 12
    assert pairs(tree, alignment="landmarks")[[0]].points.shape == (1, 0, 2)


def test_only_as_many_people_train_as_are_asked_for(tree: Path) -> None:
    source = pairs(tree, people=1)
    assert (len(source), source.people) == (9, 1)


def test_pair_whose_image_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    part = Part("full", PEOPLE[:1], (1,), (1,), ("24_0", "05_1"), ("07",))
    write(tmp_path / "tree", part.names(), workers=1)
    (tmp_path / "tree" / path_of(name_of(PEOPLE[0], 1, 1, "24_0", "07"))).write_bytes(b"not an image")
    source = pairs(tmp_path / "tree", people=1)
    assert len(source) == 1
    assert source[[0]].yaws.tolist() == [0]
    assert source.warnings[0].startswith("1 of 2 photos left out, ")


def test_tree_without_frontal_photos_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "tree", Part("full", PEOPLE[:1], (1,), (1,), ("24_0",), ("07",)).names(), workers=1)
    with pytest.raises(DataError, match=r"expected frontal neutral photos \(camera 05_1\) as targets, .* in 07; found"):
        pairs(tmp_path / "tree")


def names_in(root: Path, *names: str) -> Path:
    """Return a folder with an empty file for each frontal photo ``subject_session``."""
    for name in names:
        path = root / path_of(f"{name}_01_051_07")
        path.parent.mkdir(parents=True)
        path.touch()
    return root


def test_who_trains_does_not_depend_on_the_sessions(tmp_path: Path) -> None:
    root = names_in(tmp_path / "tree", "001_01", "002_02", "003_01", "003_02")

    def trained(people: int, *sessions: int) -> list[str]:
        asked = MultiPiePhotos(str(root), people, sessions, alignment="canonical-128")
        return training_photos(asked).table["sample"].tolist()

    assert trained(2, 2) == ["002_02_01_051_07"]  # and not 003, who is the second of session 2
    assert trained(2, 1) == ["001_01_01_051_07"]
    assert trained(3, 2, 1) == sorted(path.stem for path in root.rglob("*.png"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"people": 0}, "people is 0; expected 1 to 200"),
        ({"people": 201}, "people is 201; expected 1 to 200, the training people of setting 2: who comes after"),
        ({"people": 151, "sessions": (1,)}, "people is 151; expected 1 to 150, the training people of setting 1"),
        ({"people": 1, "sessions": (0, 1)}, r"sessions is \[0, 1\]; expected some of 1, 2, 3, 4"),
        ({"people": 1, "sessions": ()}, r"sessions is \[\]; expected some"),
    ],
)
def test_people_whom_a_protocol_tests_do_not_train(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        MultiPiePhotos("x", **values)


@pytest.mark.parametrize(("people", "refused"), [(1, False), (2, True)])
def test_validation_has_no_training_people(people: int, refused: bool, tmp_path: Path) -> None:
    root = names_in(tmp_path / "tree", "001_01", "002_01", "001_02", "002_02")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f"""
kind = "restorer"
name = "x"
network = {{ name = "frn" }}
data = {{ multipie = {{ root = "{root}", people = {people}, alignment = "canonical-128" }} }}
stages = [{{ steps = 1, losses = {{ identity = 0.0 }} }}]
judge = "lbp"

[validation]
protocol = "multipie-setting2"
data = "{root}"
options = {{ train_people = 1, alignment = "canonical-128" }}
""")
    expected = pytest.raises(RecordError, match="validation: 1 of its people are training people of data, 002 for one")
    with expected if refused else contextlib.nullcontext():
        RestorerCourse.check(read_recipe(recipe))
