from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from recog_restore.datasets.landmarks import write_landmarks
from recog_restore.decode import read_image
from recog_restore.degrade import DEGRADATIONS, degrade, generator
from recog_restore.errors import DataError, RecordError, UnknownName
from recog_restore.geometry import CANONICAL_128, canonical_crop
from recog_restore.training.folder_pairs import FolderPairs
from recog_restore.training.restorer_recipe import Faces, PairData

NAMES = ["ann/1.png", "ann/2.png", "bob/1.png", "cid/1.png"]


def write_faces(root: Path, names: list[str]) -> None:
    """Write images of 128×128, each with its own colours."""
    for number, name in enumerate(names):
        image = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), cv2.resize(image, (128, 128), interpolation=cv2.INTER_CUBIC))


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    write_faces(tmp_path / "faces", NAMES)
    return tmp_path / "faces"


def pairs(root: Path, degraded: float = 1.0, **values: object) -> FolderPairs:
    values = {"alignment": "canonical-128", **values}
    return FolderPairs(PairData(folder=Faces(str(root), **values), degradation="mdfr", degraded=degraded))  # type: ignore[arg-type]


def test_photo_is_its_own_target_and_the_probe_is_what_the_degradation_leaves(faces: Path) -> None:
    source = pairs(faces, seed=3)
    batch = source[[0, 3]]
    assert (len(source), source.people, source.words) == (4, 3, f"4 photos of 3 people in {faces}")
    for place, row in enumerate((0, 3)):
        image = read_image(faces / NAMES[row])
        assert np.array_equal(batch.targets[place], image)
        assert np.array_equal(batch.clean[place], image)
        assert np.array_equal(batch.probes[place], degrade(image, "mdfr", 3, f"row {row}"))
    assert batch.degraded.all()
    assert batch.yaws.tolist() == [0, 0]
    assert batch.points.shape == batch.target_points.shape == (2, 0, 2)
    assert source.targets() is None


def test_a_part_of_the_degraded_photos_is_only_made_smaller(faces: Path) -> None:
    data = PairData(folder=Faces(str(faces), alignment="canonical-128"), degradation="mdfr", degraded=1.0, reduced=0.5)
    rows = list(range(0, 80, 4))  # one photo, in twenty epochs
    probes, image = FolderPairs(data)[rows].probes, read_image(faces / NAMES[0])
    kinds = {name: [degrade(image, name, 0, f"row {row}") for row in rows] for name in ("mdfr", "bicubic")}
    met = [next(n for n, made in kinds.items() if np.array_equal(probes[i], made[i])) for i in range(len(rows))]
    assert 5 <= met.count("bicubic") <= 15


def test_retaken_photos_are_probe_and_target_alike_and_others_in_every_epoch(faces: Path) -> None:
    folder = Faces(str(faces), alignment="canonical-128", retaken="camera", seed=3)
    source = FolderPairs(PairData(folder=folder, degradation="mdfr", degraded=0.5))
    rows = list(range(0, 80, 4))  # one photo, in twenty epochs
    batch, image = source[rows], read_image(faces / NAMES[0])
    for place, row in enumerate(rows):
        retaken = degrade(image, "camera", 3, f"retaken {row}")
        assert np.array_equal(batch.targets[place], retaken)
        assert np.array_equal(batch.clean[place], retaken)
        probe = degrade(retaken, "mdfr", 3, f"row {row}") if batch.degraded[place] else retaken
        assert np.array_equal(batch.probes[place], probe)
    assert 0 < batch.degraded.sum() < len(rows)
    assert len(np.unique(batch.targets.numpy(), axis=0)) == len(rows)
    with pytest.raises(UnknownName, match="camra"):
        Faces(str(faces), retaken="camra")


def test_mildly_smaller_photos_count_as_not_degraded(faces: Path) -> None:
    folder, rows = Faces(str(faces), alignment="canonical-128"), list(range(0, 160, 4))  # one photo, in forty epochs
    asked = PairData(folder=folder, degradation="mdfr", degraded=1.0, reduced=0.7)
    strict, lenient = (FolderPairs(replace(asked, mild=mild))[rows] for mild in (1.0, 4.0))
    assert torch.equal(strict.probes, lenient.probes)
    assert strict.degraded.all()
    for row, degraded in zip(rows, lenient.degraded.tolist(), strict=True):
        _, other = np.random.default_rng([0, row]).random(2)
        factor = DEGRADATIONS.create("bicubic").draw(generator(0, f"row {row}"))["factor"]
        assert degraded == (other >= 0.7 or factor > 4)
    assert 0 < lenient.degraded.sum() < len(rows)
    with pytest.raises(RecordError, match=r"data.mild is 0.5; expected a factor of at least 1"):
        replace(asked, mild=0.5)


def test_epochs_have_the_same_photos_under_other_degradations(faces: Path) -> None:
    source = pairs(faces, degraded=0.5)
    rows = list(range(4))
    epochs = [source[[row + 4 * epoch for row in rows]] for epoch in range(4)]
    assert all(torch.equal(epoch.targets, epochs[0].targets) for epoch in epochs)
    assert not torch.equal(epochs[0].probes, epochs[1].probes)
    assert 0 < sum(int(epoch.degraded.sum()) for epoch in epochs) < 16
    for epoch in epochs:
        assert torch.equal(epoch.probes[~epoch.degraded], epoch.targets[~epoch.degraded])


def test_faces_are_aligned_by_their_landmarks_and_left_out_where_they_have_none(faces: Path) -> None:
    points = np.stack([CANONICAL_128 * 0.9 + 5, CANONICAL_128, np.full((5, 2), np.nan)])
    write_landmarks(faces / "landmarks.csv", NAMES[:3], points)
    source = pairs(faces, alignment="landmarks")
    assert len(source) == 2
    batch = source[[0, 1]]
    assert np.array_equal(batch.targets[0], canonical_crop(read_image(faces / NAMES[0]), np.round(points[0], 2)))
    assert np.array_equal(batch.targets[1], canonical_crop(read_image(faces / NAMES[1]), np.round(points[1], 2)))


def test_photo_that_cannot_be_read_is_left_out_and_counted(faces: Path) -> None:
    (faces / NAMES[1]).write_bytes(b"not an image")
    source = pairs(faces)
    assert len(source) == 3
    assert source.warnings[0].startswith("1 of 4 photos left out, 'ann/2.png' for one: not an image")
    for name in NAMES:
        (faces / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"no photo can be had: 4 of 4 photos left out, 'ann/1.png' for one: empty"):
        pairs(faces)


def test_people_are_chosen_in_the_order_of_their_names(faces: Path) -> None:
    source = pairs(faces, people=(2, 3))
    assert (len(source), source.people) == (2, 2)
    assert np.array_equal(source[[0]].targets[0], read_image(faces / "bob/1.png"))


def test_people_of_cfp_are_chosen_by_number(tmp_path: Path) -> None:
    names = [f"{person:03d}/frontal/01.jpg" for person in (1, 2, 4)]
    write_faces(tmp_path / "Data" / "Images", [name.replace(".jpg", ".png") for name in names])
    for name in names:
        file = tmp_path / "Data" / "Images" / name
        file.with_suffix(".png").rename(file)
    (tmp_path / "Protocol").mkdir()
    listed = "".join(f"{n} ../Data/Images/{name}\n" for n, name in enumerate(names, 1))
    (tmp_path / "Protocol" / "Pair_list_F.txt").write_text(listed)
    (tmp_path / "Protocol" / "Pair_list_P.txt").write_text("")
    source = pairs(tmp_path, layout="cfp", people=(2, 9))
    assert len(source) == source.people == 2
    assert np.array_equal(source[[0]].targets[0], read_image(tmp_path / "Data" / "Images" / names[1]))


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (
            lambda root: None,
            r"no landmarks found: set alignment in the recipe, if the photos are crops, or put a landmarks\.csv",
        ),
        (
            lambda root: write_landmarks(root / "landmarks.csv", NAMES, np.full((4, 5, 2), np.nan)),
            r"no photo can be had: 4 of 4 photos left out",
        ),
    ],
)
def test_folder_whose_faces_nobody_knows_is_refused(prepare: Callable[[Path], None], message: str, faces: Path) -> None:
    prepare(faces)
    with pytest.raises(DataError, match=message):
        pairs(faces, alignment="landmarks")


def test_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="absent: no such file or folder; expected the data set 'folder' there"):
        pairs(tmp_path / "absent")


def test_real_faces_of_cfp_are_read(shared: Path) -> None:
    source = pairs(shared / "data" / "cfp", layout="cfp", people=(351, 352), alignment="landmarks")
    assert source.people == 2
    assert 26 <= len(source) <= 28  # 14 photos of each, but where no face was found
    batch = source[[0, len(source) - 1]]
    assert batch.targets.shape == (2, 128, 128, 3)
    assert not torch.equal(batch.probes, batch.targets)
