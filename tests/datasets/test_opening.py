from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from recog_restore.datasets import DATASETS, Dataset, Samples
from recog_restore.datasets.cfp import CFP
from recog_restore.datasets.folder import Folder
from recog_restore.datasets.lfw import LFW
from recog_restore.datasets.opening import open_dataset
from recog_restore.datasets.package import Package
from recog_restore.errors import DataError, UnknownName


def _package(path: Path) -> Path:
    path.write_bytes(pickle.dumps(([b"a", b"b"], [True])))
    return path


def test_a_file_that_ends_in_bin_is_a_package_whatever_the_data_set(tmp_path):
    for name in ("lfw", "cfp", "agedb", "calfw", "cplfw"):
        assert isinstance(open_dataset(name, _package(tmp_path / "x.bin")), Package)


@pytest.mark.parametrize(
    ("name", "options", "file"),
    [
        ("lfw", {}, "lfw.bin"),
        ("cfp", {"split": "FF"}, "cfp_ff.bin"),
        ("cfp", {"split": "FP"}, "cfp_fp.bin"),
        ("cfp", {}, "cfp_fp.bin"),
        ("agedb", {}, "agedb_30.bin"),
        ("calfw", {}, "calfw.bin"),
        ("cplfw", {}, "cplfw.bin"),
    ],
)
def test_the_package_of_a_folder_stands_for_a_layout_that_is_not_there(tmp_path, name, options, file):
    for other in ("lfw", "cfp_ff", "cfp_fp", "agedb_30", "calfw", "cplfw"):
        _package(tmp_path / f"{other}.bin")
    dataset = open_dataset(name, tmp_path, **options)
    assert isinstance(dataset, Package)
    assert dataset.root == tmp_path / file


def test_a_layout_comes_before_a_package(tmp_path, put):
    _package(tmp_path / "lfw.bin")
    put("pairs.txt")
    assert type(open_dataset("lfw", tmp_path)) is LFW


def test_options_reach_the_reader(tmp_path):
    dataset = open_dataset("cfp", tmp_path, split="FF")
    assert isinstance(dataset, CFP)
    assert dataset.split_name == "FF"
    assert isinstance(open_dataset("folder", tmp_path, seed=3), Folder)


def test_a_place_where_nothing_is_and_an_unknown_name_are_refused(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such file or folder; expected the data set 'lfw' there"):
        open_dataset("lfw", tmp_path / "nowhere")
    with pytest.raises(UnknownName, match="no data set named 'lwf'; did you mean 'lfw'"):
        open_dataset("lwf", tmp_path / "nowhere")


@pytest.mark.parametrize("name", list(DATASETS))
def test_every_registered_name_makes_a_reader(tmp_path, name):
    dataset = DATASETS.create(name, root=tmp_path)
    assert isinstance(dataset, Dataset)
    assert dataset.root == tmp_path


def test_a_reader_without_comparisons_or_gallery_says_so(tmp_path):
    class Bare(Dataset):
        def samples(self) -> Samples:
            raise NotImplementedError

        def check(self):
            return []

    with pytest.raises(DataError, match="defines no comparisons; it cannot be used for verification"):
        Bare(tmp_path).pairs()
    with pytest.raises(DataError, match="defines no gallery; it cannot be used for identification"):
        Bare(tmp_path).split()
