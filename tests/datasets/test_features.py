from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save_file

from recog_restore.datasets.features import read_features, write_features
from recog_restore.errors import DataError

NAMES = ["a", "b", "c"]
VECTORS = np.arange(12, dtype=np.float32).reshape(3, 4)


def test_rows_without_names_are_those_of_the_samples(tmp_path):
    np.save(tmp_path / "f.npy", VECTORS)
    found = read_features(tmp_path / "f.npy", NAMES)
    assert isinstance(found.vectors, np.memmap)  # not copied
    assert np.array_equal(found.vectors, VECTORS)
    assert found.valid.tolist() == [True] * 3
    save_file({"features": VECTORS}, tmp_path / "f.safetensors")
    assert np.array_equal(read_features(tmp_path / "f.safetensors", NAMES).vectors, VECTORS)


def test_names_put_the_rows_in_order_and_others_are_left_out(tmp_path, put):
    np.save(tmp_path / "f.npy", VECTORS.astype(np.float64))
    put("f.names.txt", "c\nx\na\n")
    found = read_features(tmp_path / "f.npy", ["a", "c"])
    assert found.vectors.tolist() == VECTORS[[2, 0]].tolist()
    assert found.vectors.dtype == np.float32


def test_what_is_written_is_read(tmp_path):
    write_features(tmp_path / "f.safetensors", NAMES, VECTORS.astype(np.float16))
    found = read_features(tmp_path / "f.safetensors", ["c", "a", "b"])
    assert np.array_equal(found.vectors, VECTORS[[2, 0, 1]])
    with pytest.raises(DataError, match=r"expected a .safetensors file and \(M, D\) features of M samples"):
        write_features(tmp_path / "f.npy", NAMES, VECTORS)


def test_a_row_that_is_not_finite_is_a_failure_to_acquire(tmp_path):
    vectors = VECTORS.copy()
    vectors[1, 2], vectors[2, 0] = np.nan, np.inf
    np.save(tmp_path / "f.npy", vectors)
    assert read_features(tmp_path / "f.npy", NAMES).valid.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("array", "names", "message"),
    [
        (VECTORS[:2], None, "expected 3 rows, one for each sample of the data set, found 2; give the names too"),
        (VECTORS[0], None, r"expected \(M, D\) features as floats, found float32 of shape \(4,\)"),
        (VECTORS.astype(int), None, "as floats, found int64"),
        (VECTORS, "a\nb\n", "expected as many names as rows, found 2 names and 3 rows"),
        (VECTORS, "a\nb\nb\n", "'b' is named twice"),
        (VECTORS, "a\nb\nx\n", "1 of the 3 samples have no features, 'c' for one; a row of NaN says"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, put, array, names, message):
    np.save(tmp_path / "f.npy", array)
    if names:
        put("f.names.txt", names)
    with pytest.raises(DataError, match=rf"f.npy: .*{message}"):
        read_features(tmp_path / "f.npy", NAMES)


def test_a_file_that_is_no_such_file_is_refused(tmp_path, put):
    with pytest.raises(DataError, match="expected features as .npy or .safetensors"):
        read_features(tmp_path / "f.csv", NAMES)
    with pytest.raises(DataError, match="no such file; expected features"):
        read_features(tmp_path / "f.npy", NAMES)
    with pytest.raises(DataError, match=r"f.npy: expected an array as numpy.save writes it"):
        read_features(put("f.npy", "nonsense"), NAMES)
    with pytest.raises(DataError, match=r"f.safetensors: expected a safetensors file"):
        read_features(put("f.safetensors", "nonsense"), NAMES)
    save_file({"x": VECTORS}, tmp_path / "f.safetensors")
    with pytest.raises(DataError, match="expected a tensor 'features', found x"):
        read_features(tmp_path / "f.safetensors", NAMES)
    save_file({"features": VECTORS}, tmp_path / "f.safetensors", metadata={"names": "{"})
    with pytest.raises(DataError, match="expected the metadata 'names' to be a JSON list of texts"):
        read_features(tmp_path / "f.safetensors", NAMES)


def test_a_pickle_is_never_opened(tmp_path):
    np.save(tmp_path / "f.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(DataError, match="reading it failed with"):
        read_features(tmp_path / "f.npy", NAMES)
