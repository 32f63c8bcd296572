from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from recog_restore.datasets.folder import Folder
from recog_restore.datasets.landmarks import FILE_NAME, read_landmarks, write_landmarks
from recog_restore.datasets.table import Table
from recog_restore.decode import read_image
from recog_restore.engine.acquire import Acquisition, Jobs
from recog_restore.engine.progress import Progress
from recog_restore.engine.suspects import examine, of_landmarks
from recog_restore.errors import DataError
from recog_restore.protocol import load

Points = NDArray[np.float64]


@pytest.fixture
def faces(drawn: Path, tmp_path: Path) -> Path:
    """Return a folder of the first four drawn people, with landmarks.csv; may be written to."""
    source, folder = drawn / "lfw-deepfunneled", tmp_path / "faces"
    for person in sorted(source.iterdir())[:4]:
        shutil.copytree(person, folder / person.name)
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.jpg"))
    write_landmarks(folder / FILE_NAME, names, read_landmarks(drawn / FILE_NAME, names))
    return folder


def change(folder: Path, changed: Callable[[Points], Points], rows: int | None = None) -> list[str]:
    """Change the landmarks of the first rows, or of all; return the names."""
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.jpg"))
    points = read_landmarks(folder / FILE_NAME, names)
    points[:rows] = changed(points[:rows])
    write_landmarks(folder / FILE_NAME, names, points)
    return names


def warnings(protocol: str, dataset: Folder | Table) -> list[str]:
    return examine(load(protocol), dataset, Progress())


SYSTEMATIC: dict[str, Callable[[Points], Points]] = {
    "the eyes are swapped": lambda p: p[:, [1, 0, 2, 4, 3]],
    "they are not where a face has them": lambda p: np.concatenate([p[:, :, 0], p[:, :, 1]], axis=1).reshape(-1, 5, 2),
    "all five lie within 2 pixels; are they parts of": lambda p: p / 160,
    "the eyes lie below the mouth": lambda p: 160 - p,
    "images of another size": lambda p: 2 * p,
}


@pytest.mark.parametrize("reason", SYSTEMATIC)
def test_landmarks_that_are_wrong_throughout_are_refused_before_anything_is_computed(reason: str, faces: Path) -> None:
    change(faces, SYSTEMATIC[reason])
    with pytest.raises(DataError, match=reason) as refused:
        warnings("folder-verification", Folder(faces))
    assert str(faces) in str(refused.value)
    assert "Person_001/Person_001_0001.jpg" in str(refused.value)


@pytest.mark.parametrize("reason", [*list(SYSTEMATIC)[:1], *list(SYSTEMATIC)[2:4]])
def test_a_face_whose_landmarks_are_wrong_is_warned_of_and_fails(reason: str, faces: Path) -> None:
    name = change(faces, SYSTEMATIC[reason], rows=1)[0]
    (warning,) = warnings("folder-verification", Folder(faces))
    assert warning.startswith(
        f"the landmarks of 1 of 12 faces cannot be a face's; they are failures to acquire: {name} ({reason}"
    )
    samples = Folder(faces).samples()
    crops = Acquisition(samples, Jobs(np.arange(12), np.zeros(12, bool)), None, 0)[[0, 1]]
    assert crops.status[0].startswith(f"the landmarks cannot be a face's: {reason}")
    assert crops.status[1] == ""


def test_a_landmark_far_outside_its_image_is_a_failure(faces: Path) -> None:
    samples = Folder(faces).samples()
    assert samples.landmarks is not None
    points = samples.landmarks.copy()
    points[0, 2], points[1, 2] = (1e30, 50), (160 + 79, 90)
    samples = dataclasses.replace(samples, landmarks=points)
    status = Acquisition(samples, Jobs(np.arange(12), np.zeros(12, bool)), None, 0)[[0, 1]].status
    assert status[0] == "a landmark lies 1e+30 px outside the image of 160×160 px"
    assert "outside" not in status[1]


def test_good_landmarks_and_different_images_are_not_mentioned(faces: Path) -> None:
    assert warnings("folder-verification", Folder(faces)) == []
    assert warnings("folder-identification", Folder(faces)) == []
    assert read_image(next(faces.rglob("*.jpg"))).shape == (160, 160, 3)


def test_crops_have_no_landmarks_to_look_at(faces: Path) -> None:
    change(faces, SYSTEMATIC["the eyes are swapped"])
    samples = dataclasses.replace(Folder(faces).samples(), alignment="arcface-112")
    assert of_landmarks(samples, faces) == []


def table(faces: Path, pairs: list[tuple[str, str]]) -> Table:
    names = sorted(file.relative_to(faces).as_posix() for file in faces.rglob("*.jpg"))
    (faces / "samples.csv").write_text("path,subject\n" + "".join(f"{n},{n.split('/')[0]}\n" for n in names))
    lines = [f"{a},{b},{int(a.split('/')[0] == b.split('/')[0])}\n" for a, b in pairs]
    (faces / "pairs.csv").write_text("first,second,mated\n" + "".join(lines))
    return Table(faces)


def test_comparisons_of_an_image_with_itself_and_repeated_ones_are_counted(faces: Path) -> None:
    one, two, other = (f"Person_00{p}/Person_00{p}_000{i}.jpg" for p, i in ((1, 1), (1, 2), (2, 1)))
    shutil.copy(faces / one, faces / "Person_001" / "again.jpg")
    (faces / FILE_NAME).unlink()
    pairs = [(one, one), (one, "Person_001/again.jpg"), (one, two), (two, one), (one, other), (one, other)]
    found = warnings("csv-verification", table(faces, pairs))
    assert "no landmarks found: pass --detector" in found[0]
    assert found[1].startswith("2 of 4 mated comparisons are of an image with itself, byte for byte: ")
    assert f"{one} – Person_001/again.jpg" in found[1]
    assert found[2] == (
        f"2 of 6 comparisons are listed a second time, in one order or the other: {two} – {one}, {one} – {other}"
    )
    assert len(found) == 3


def test_a_file_under_two_people_is_counted(faces: Path) -> None:
    guest = faces / "Person_002" / "guest.jpg"
    shutil.copy(faces / "Person_001" / "Person_001_0001.jpg", guest)
    (faces / FILE_NAME).unlink()
    found = warnings("folder-verification", Folder(faces))
    assert found[1] == (
        "1 images stand under several people; one of the two labels is wrong: Person_001/Person_001_0001.jpg = "
        "Person_002/guest.jpg"
    )


def test_probes_that_are_enrolled_are_counted(faces: Path, tmp_path: Path) -> None:
    for person, role in ((p, r) for p in sorted(faces.iterdir()) if p.is_dir() for r in ("gallery", "probe")):
        (tmp_path / "leak" / role / person.name).mkdir(parents=True)
        shutil.copy(sorted(person.iterdir())[0], tmp_path / "leak" / role / person.name / f"{role}.jpg")
    found = warnings("folder-identification", Folder(tmp_path / "leak"))
    assert found[1].startswith("4 of 4 images that are searched for are enrolled themselves, byte for byte: probe/Pe")


def test_unreadable_and_empty_files_are_not_taken_for_each_other(faces: Path) -> None:
    for a, _ in combinations(sorted(faces.rglob("*.jpg"))[:4], 2):
        a.write_bytes(b"")
    assert warnings("folder-verification", Folder(faces)) == []
