from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from recog_restore.errors import DataError
from recog_restore.training import photos
from recog_restore.training.photos import CachedPhotos, RenderedPhotos, album, arrays, cache_key, missing, render
from recog_restore.training.plan import FIRST_TRAINING_SUBJECT
from recog_restore.training.recipe import People

PEOPLE = People(people=2, images=4, views=2)
ROWS = [0, 3, 4, 7]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    assert list(render(album(PEOPLE), folder, workers=0)) == [0, 1]
    return folder


def test_cache_holds_one_array_of_each_person(cache: Path) -> None:
    assert sorted(file.name for file in cache.iterdir()) == ["1000000.npy", "1000001.npy"]
    array = np.load(cache / "1000000.npy")
    assert (array.shape, array.dtype) == ((4, 128, 128, 3), np.uint8)
    assert missing(album(PEOPLE), cache) == 0


def test_photos_on_the_fly_are_those_of_the_cache(cache: Path) -> None:
    cached, labels = CachedPhotos(PEOPLE, cache)[ROWS]
    rendered, same = RenderedPhotos(PEOPLE)[ROWS]
    assert labels.tolist() == same.tolist() == [0, 0, 1, 1]
    assert torch.equal(cached, rendered)
    assert cached.shape == (4, 128, 128, 3)


def test_photos_of_a_person_differ_and_no_epoch_repeats_another() -> None:
    seen = [photos.shots(PEOPLE, FIRST_TRAINING_SUBJECT, first) for first in range(0, 12, 2)]
    shots = list(itertools.chain.from_iterable(seen))
    assert len(set(shots)) == 12
    assert {shot.subject for shot in shots} == {FIRST_TRAINING_SUBJECT}
    assert all(abs(shot.yaw) <= PEOPLE.web.largest_yaw for shot in shots)


def test_rows_of_a_later_epoch_are_new_photos_of_the_same_people() -> None:
    first, labels = RenderedPhotos(PEOPLE)[[0, 4]]
    later, same = RenderedPhotos(PEOPLE)[[8, 12]]
    assert labels.tolist() == same.tolist()
    assert not torch.equal(first, later)


def test_only_what_is_missing_is_rendered(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "1000000.npy").write_bytes((cache / "1000000.npy").read_bytes())
    (tmp_path / "1000001.npy").write_bytes((cache / "1000001.npy").read_bytes()[:5000])  # cut off
    assert missing(album(PEOPLE), tmp_path) == 1
    assert list(render(album(PEOPLE), tmp_path, workers=0)) == [1]
    assert (tmp_path / "1000001.npy").read_bytes() == (cache / "1000001.npy").read_bytes()


def test_any_number_of_workers_renders_the_same(cache: Path, tmp_path: Path) -> None:
    assert sorted(render(album(PEOPLE), tmp_path, workers=2)) == [0, 1]
    for file in cache.iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(photos, "_write", full)
    for workers in (0, 1):
        with pytest.raises(DataError, match=r"^\S+: photos cannot be kept: .*No space left on device$"):
            list(render(album(PEOPLE), tmp_path, workers=workers))


def test_rendering_process_that_dies_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "_write", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(DataError, match="a process that reads or renders photos died .*; is memory short"):
        list(render(album(PEOPLE), tmp_path, workers=1))


def opened_in(folder: Path) -> int:
    """Return how many of the files that this process has open lie in a folder."""
    places = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # that of this listing
            places.append(Path(os.readlink(descriptor)))
    return sum(place.is_relative_to(folder) for place in places)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not list a process's open files")
def test_no_photo_keeps_its_file_open(tmp_path: Path) -> None:
    many = album(dataclasses.replace(PEOPLE, people=20))
    whole = np.arange(4 * 128 * 128 * 3, dtype=np.uint8).reshape(4, 128, 128, 3)
    for number in range(many.people):
        np.save(tmp_path / f"{many.first + number}.npy", whole + number)
    found = arrays(many, tmp_path)
    photos = [person[3] for person in found]
    assert opened_in(tmp_path) == 0
    with (tmp_path / f"{many.first}.npy").open():
        assert opened_in(tmp_path) == 1
    assert all(np.array_equal(photo, whole[3] + number) for number, photo in enumerate(photos))
    assert np.array_equal(found[2][1:], whole[1:] + 2)


def test_photos_that_went_away_are_named(cache: Path, tmp_path: Path) -> None:
    for file in cache.iterdir():
        shutil.copy(file, tmp_path)
    cached = CachedPhotos(PEOPLE, tmp_path)
    (tmp_path / "1000001.npy").unlink()
    with pytest.raises(DataError, match=r"1000001.npy: rendered photos cannot be read: .*start again to render them"):
        cached[ROWS]


def test_key_is_of_what_the_pixels_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    key = cache_key(PEOPLE)
    assert cache_key(dataclasses.replace(PEOPLE, people=9)) == key
    changed = [
        dataclasses.replace(PEOPLE, seed=1),
        dataclasses.replace(PEOPLE, images=6),
        dataclasses.replace(PEOPLE, views=1),
        dataclasses.replace(PEOPLE, web=dataclasses.replace(PEOPLE.web, largest_yaw=50.0)),
    ]
    assert len({key, *map(cache_key, changed)}) == 5
    monkeypatch.setattr(photos, "VERSION", "another")
    assert cache_key(PEOPLE) != key
