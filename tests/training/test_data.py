from __future__ import annotations

from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from recog_restore.datasets.landmarks import write_landmarks
from recog_restore.errors import DataError
from recog_restore.geometry import CANONICAL_128
from recog_restore.training.data import Batches, Photos, open_photos, stream
from recog_restore.training.recipe import Data, Folder, People


class Rows(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    def __getitem__(self, rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.tensor(rows), torch.tensor(rows)


def some(rows: int = 10, endless: bool = False) -> Photos:
    return Photos(Rows(), rows, 2, endless, "numbers")


def test_an_epoch_has_every_photo_at_most_once_and_the_next_another_order() -> None:
    batches = list(Batches(some(), 3, steps=6, first=0, seed=[1]))
    first, second = (list(chain.from_iterable(part)) for part in (batches[:3], batches[3:]))
    assert len(set(first)) == len(set(second)) == 9
    assert first != second
    assert set(first) <= set(range(10))


def test_batches_from_the_middle_are_those_of_the_whole() -> None:
    whole = list(Batches(some(), 3, steps=8, first=0, seed=[1, 2]))
    assert [list(Batches(some(), 3, steps=8, first=first, seed=[1, 2])) for first in range(8)] == [
        whole[first:] for first in range(8)
    ]
    assert whole != list(Batches(some(), 3, steps=8, first=0, seed=[1, 3]))


def test_ranks_share_a_batch_without_overlap() -> None:
    whole = list(Batches(some(), 4, steps=5, first=0, seed=[1]))
    shares = [list(Batches(some(), 4, steps=5, first=0, seed=[1], rank=rank, ranks=2)) for rank in (0, 1)]
    for batch, one, other in zip(whole, *shares, strict=True):
        assert len(one) == len(other) == 2
        assert sorted(one + other) == sorted(batch)


def test_endless_photos_are_new_in_every_epoch() -> None:
    rows = list(chain.from_iterable(Batches(some(endless=True), 5, steps=6, first=0, seed=[1])))
    assert sorted(rows) == list(range(30))


def test_batch_larger_than_an_epoch_is_refused() -> None:
    with pytest.raises(DataError, match="a batch is 11 photos, and there are only 10: numbers"):
        Batches(some(), 11, steps=1, first=0, seed=[0])


@pytest.mark.parametrize("workers", [0, 2])
def test_stream_gives_the_batches_in_order(workers: int) -> None:
    expected = list(Batches(some(), 3, steps=7, first=2, seed=[1]))
    threads = cv2.getNumThreads()
    got = [rows.tolist() for rows, _ in stream(some(), Batches(some(), 3, steps=7, first=2, seed=[1]), workers)]
    assert got == expected
    assert cv2.getNumThreads() == threads


def casia(root: Path, size: int) -> list[str]:
    names = []
    for person, number in [("0000045", 1), ("0000045", 2), ("0000099", 1)]:
        name = f"{person}/{number:03d}.jpg"
        (root / person).mkdir(parents=True, exist_ok=True)
        image = np.full((size, size, 3), 40 * number, np.uint8)
        assert cv2.imwrite(str(root / name), image)
        names.append(name)
    return names


def test_folder_of_people_is_aligned_by_its_landmarks(tmp_path: Path) -> None:
    names = casia(tmp_path, 250)
    write_landmarks(tmp_path / "landmarks.csv", names, np.stack([CANONICAL_128 + 60] * 3))
    photos = open_photos(Data(folder=Folder(str(tmp_path))), tmp_path)
    assert (photos.rows, photos.classes) == (3, 2)
    pixels, labels = photos.dataset[[2, 0, 1]]
    assert pixels.shape == (3, 128, 128, 3)
    assert labels.tolist() == [1, 0, 0]
    assert pixels[:, 64, 64, 0].tolist() == [40, 40, 80]


def test_folder_of_aligned_crops_needs_no_landmarks(tmp_path: Path) -> None:
    casia(tmp_path, 112)
    photos = open_photos(Data(folder=Folder(str(tmp_path), "arcface-112")), tmp_path)
    pixels, _ = photos.dataset[[0, 1]]
    assert pixels[0, 50, 50].tolist() == [40, 40, 40]
    assert pixels[0, 127, 127].tolist() == [0, 0, 0]


def test_unreadable_images_are_left_out_and_counted(tmp_path: Path) -> None:
    casia(tmp_path, 112)
    (tmp_path / "0000045" / "001.jpg").write_bytes(b"no image")
    (tmp_path / "0000045" / "003.jxl").write_bytes(b"not read")
    photos = open_photos(Data(folder=Folder(str(tmp_path), "arcface-112")), tmp_path)
    assert (photos.rows, photos.classes) == (2, 2)
    pixels, labels = photos.dataset[[0, 1]]
    assert len(pixels) == 2
    assert labels.tolist() == [0, 1]
    assert photos.warnings[0] == "left out 1: 0000045/003.jxl (.jxl is not read)"
    assert photos.warnings[1].startswith("1 of 3 photos left out, '0000045/001.jpg' for one: not an image")
    (tmp_path / "0000045" / "002.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"0000045/002.jpg: empty file; the photo was good when the training began"):
        photos.dataset[[0, 1]]


def test_one_person_is_nobody_to_learn_from(tmp_path: Path) -> None:
    casia(tmp_path, 112)
    (tmp_path / "0000099" / "001.jpg").write_bytes(b"")
    with pytest.raises(DataError, match="expected at least two people with photos, found 1"):
        open_photos(Data(folder=Folder(str(tmp_path), "arcface-112")), tmp_path)


def test_photos_that_changed_have_another_digest(tmp_path: Path) -> None:
    casia(tmp_path, 112)
    data = Data(folder=Folder(str(tmp_path), "arcface-112"))
    before = open_photos(data, tmp_path).digest
    assert open_photos(data, tmp_path).digest == before
    (tmp_path / "0000045" / "001.jpg").write_bytes((tmp_path / "0000045" / "002.jpg").read_bytes())
    assert open_photos(data, tmp_path).digest != before


def test_folder_without_landmarks_or_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent: no such folder; expected people's photos as .*person/image\.jpg"):
        open_photos(Data(folder=Folder(str(tmp_path / "absent"))), tmp_path)
    casia(tmp_path, 250)
    with pytest.raises(DataError, match="no landmarks found"):
        open_photos(Data(folder=Folder(str(tmp_path))), tmp_path)


def test_rendered_people_on_the_fly_are_endless(tmp_path: Path) -> None:
    photos = open_photos(Data(synthpie=People(people=3, images=2, cached=False)), tmp_path)
    assert (photos.rows, photos.classes, photos.endless) == (6, 3, True)
