from __future__ import annotations

import itertools
import pickle
import pickletools

import numpy as np
import pytest

from recog_restore.datasets.opening import open_dataset
from recog_restore.datasets.package import COMPARISONS, Package, read_package
from recog_restore.decode import read_image
from recog_restore.errors import DataError, UnsafeFile
from recog_restore.protocol import load

IMAGES = [b"\xff\xd8one", b"two\n", b"\xff\xd8one", b"three"]
TRUTHS = [True, False]


def _column(image: bytes) -> np.ndarray:
    return np.frombuffer(image, np.uint8)[:, None].copy()  # as cv2.imencode gave it for years


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("image", [bytes, lambda image: np.frombuffer(image, np.uint8), _column])
@pytest.mark.parametrize(
    "truths",
    [
        TRUTHS,
        tuple(TRUTHS),
        [1, 0],
        [np.True_, np.False_],
        np.array(TRUTHS),
        np.array([1, 0], np.uint8),
        np.array([1, 0]),
        np.array([1, 0], ">i2"),
    ],
)
def test_every_way_of_writing_a_package_reads_alike(tmp_path, protocol, image, truths):
    path = tmp_path / "lfw.bin"
    for whole in (tuple, list):
        path.write_bytes(pickle.dumps(whole(([image(i) for i in IMAGES], truths)), protocol))
        images, mated = read_package(path)
        assert images == IMAGES
        assert mated.dtype == np.bool_
        assert mated.tolist() == TRUTHS


def _of_python_2() -> bytes:
    """Write by hand what Python 2's cPickle, protocol 2, makes of ([b"one", <uint8 array b"two">], [True])."""
    short = lambda text: b"U" + bytes([len(text)]) + text  # noqa: E731
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n"
        + (b"cnumpy\nndarray\n" + b"K\x00\x85" + short(b"b") + b"\x87R")
        + (b"(K\x01" + b"K\x03\x85")
        + (b"cnumpy\ndtype\n" + short(b"u1") + b"K\x00K\x01\x87R")
        + (b"(K\x03" + short(b"|") + b"NNN" + b"J\xff\xff\xff\xff" * 2 + b"K\x00tb")
        + (b"\x89" + short(b"two") + b"tb")
    )
    return b"\x80\x02" + b"]" + b"(" + short(b"one") + array + b"e" + b"]" + b"\x88a" + b"\x86."


def test_a_package_of_python_2_is_read(tmp_path):
    path = tmp_path / "lfw.bin"
    path.write_bytes(_of_python_2())
    assert pickle.loads(_of_python_2(), encoding="bytes")[0][1].tobytes() == b"two"  # it is an honest pickle
    images, mated = read_package(path)
    assert (images, mated.tolist()) == ([b"one", b"two"], [True])


def test_equal_images_are_one_sample_and_folds_are_contiguous(tmp_path):
    path = tmp_path / "lfw.bin"
    path.write_bytes(pickle.dumps((IMAGES, TRUTHS)))
    dataset = Package(path)
    samples, pairs = dataset.samples(), dataset.pairs()
    assert samples.table["sample"].tolist() == ["lfw.bin#00000", "lfw.bin#00001", "lfw.bin#00003"]
    assert samples.table["subject"].tolist() == [""] * 3
    assert samples.files == (IMAGES[0], IMAGES[1], IMAGES[3])
    assert samples.alignment == "arcface-112"
    assert samples.landmarks is None
    assert (pairs.first.tolist(), pairs.second.tolist(), pairs.mated.tolist()) == ([0, 0], [1, 2], TRUTHS)
    assert dataset.missing() == []


def test_ten_contiguous_folds_as_scikit_learn_makes_them(tmp_path):
    from sklearn.model_selection import KFold

    path = tmp_path / "cfp_fp.bin"
    count = 73
    path.write_bytes(pickle.dumps(([b"%d" % i for i in range(2 * count)], [True] * count)))
    pairs = Package(path).pairs()
    for fold, (_, test) in enumerate(KFold(10).split(np.zeros(count))):
        assert np.flatnonzero(pairs.fold == fold).tolist() == test.tolist()


@pytest.mark.parametrize("name", COMPARISONS)
def test_check_knows_the_published_counts(tmp_path, name):
    path = tmp_path / f"{name}.bin"
    path.write_bytes(pickle.dumps((IMAGES, TRUTHS)))
    comparisons, mated, images = Package(path).check()
    assert (comparisons.ok, comparisons.expected) == (False, "7,000" if name.startswith("cfp") else "6,000")
    assert (mated.ok, mated.found, images.found) == (True, "1", "3")


def test_check_of_an_unknown_name_says_so(tmp_path):
    path = tmp_path / "mine.bin"
    path.write_bytes(pickle.dumps((IMAGES, TRUTHS)))
    assert Package(path).check()[0].expected == "not known for a file of this name"


class _Run:
    def __init__(self, function, *arguments) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def _global(module: str, name: str, protocol: int) -> bytes:
    """Call ``module.name("touch FILE")`` without the pickler looking the name up."""
    if protocol == 4:
        text = lambda t: b"\x8c" + bytes([len(t)]) + t.encode()  # noqa: E731
        return b"\x80\x04" + text(module) + text(name) + b"\x93" + text("x") + b"\x85R."
    return f"c{module}\n{name}\n(Vx\ntR.".encode()


@pytest.mark.parametrize("protocol", [0, 4])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("__builtin__", "eval"),
        ("subprocess", "Popen"),
        ("numpy", "load"),
        ("numpy", "ndarray.tofile"),
        ("numpy.core.multiarray", "fromfile"),
        ("numpy.core.multiarray", "_reconstruct.__globals__"),
        ("numpy.testing._private.utils", "runstring"),
        ("numpy.f2py.crackfortran", "myeval"),
        ("_codecs", "encode.__self__"),
        ("copyreg", "_reconstructor"),
        ("recog_restore.datasets.package", "_Array"),
    ],
)
def test_any_other_name_is_refused_and_named(tmp_path, module, name, protocol):
    path = tmp_path / "lfw.bin"
    path.write_bytes(_global(module, name, protocol))
    with pytest.raises(
        UnsafeFile, match=rf"lfw.bin: refused: unpickling it would use {module}.{name}, which no package"
    ):
        read_package(path)


@pytest.mark.parametrize("hidden_in", ["image", "truth", "array", "scalar", "whole"])
def test_a_payload_never_runs_wherever_it_hides(tmp_path, hidden_in):
    import os

    mark = tmp_path / "ran"
    payload = _Run(os.system, f"touch {mark}")
    array = _Run(np._core.multiarray._reconstruct, payload, (0,), b"b")
    content = {
        "image": ([payload, b""], [True]),
        "truth": ([b"", b""], [payload]),
        "array": ([array, b""], [True]),
        "scalar": ([b"", b""], [_Run(np._core.multiarray.scalar, np.dtype("b1"), payload)]),
        "whole": payload,
    }[hidden_in]
    path = tmp_path / "lfw.bin"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(UnsafeFile, match="would use posix.system"):
        read_package(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    "opcodes",
    [
        b"cnumpy\nndarray\n}X\x05\x00\x00\x00_callNsb.",  # sets an attribute through a dict
        b"cnumpy\nndarray\nN}X\x05\x00\x00\x00_callNs\x86b.",  # … through the state of slots
        b"cnumpy\ndtype\nN}X\x0c\x00\x00\x00__setstate__Ns\x86b.",
        b"cnumpy\nndarray\n)\x81.",  # makes an instance of a stand-in
        b"c_codecs\nencode\n(V0\nVrot13\ntR.",
        b"cnumpy\ndtype\n(VO\ntR.",
    ],
)
def test_the_stand_ins_cannot_be_changed_or_misused(tmp_path, opcodes):
    path = tmp_path / "lfw.bin"
    path.write_bytes(b"\x80\x02" + opcodes)
    with pytest.raises(DataError, match="expected a .bin package"):
        read_package(path)
    path.write_bytes(_of_python_2())  # and the next file is read as ever
    assert read_package(path)[0] == [b"one", b"two"]


def test_references_out_of_the_file_are_refused(tmp_path):
    path = tmp_path / "lfw.bin"
    path.write_bytes(b"Pfile\n.")
    with pytest.raises(UnsafeFile, match="refers to objects outside the file"):
        read_package(path)


@pytest.mark.parametrize("kind", [np.dtype("O"), np.dtype("<f4"), np.dtype([("a", "u1")])])
def test_arrays_of_other_types_are_refused(tmp_path, kind):
    path = tmp_path / "lfw.bin"
    path.write_bytes(pickle.dumps(([np.zeros(2, kind), b""], [True])))
    with pytest.raises(DataError, match="expected uint8, bool or whole numbers"):
        read_package(path)


@pytest.mark.parametrize("cut", [0, 1, 5, 20, -1])
def test_a_file_that_is_cut_short_is_a_data_error(tmp_path, cut):
    whole = pickle.dumps((IMAGES, TRUTHS))
    path = tmp_path / "lfw.bin"
    path.write_bytes(whole[:cut])
    with pytest.raises(DataError, match=r"expected a .bin package, a pickle of images and truths; .*is it cut short\?"):
        read_package(path)


def test_flipped_bytes_give_a_data_error_or_other_content_but_nothing_else(tmp_path):
    whole = bytearray(pickle.dumps(([_column(i) for i in IMAGES], [np.True_, np.False_]), 2))
    path = tmp_path / "lfw.bin"
    generator = np.random.default_rng(0)
    for place in range(len(whole)):
        broken = bytearray(whole)
        broken[place] = generator.integers(256)
        path.write_bytes(broken)
        try:
            read_package(path)
        except DataError:
            continue


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": 1}, r"expected a .bin package, \(images, truths\); found dict"),
        ((IMAGES,), r"expected a .bin package, \(images, truths\); found tuple"),
        ((IMAGES, [True]), "expected two images for each truth, found 4 images and 1 truths"),
        (([], []), "expected two images for each truth, found 0 images and 0 truths"),
        ((IMAGES, 7), "expected two images for each truth, found 4 images and 0 truths"),
        ((["a", b"b"], [True]), "image 0: expected the bytes of an encoded image, found str"),
        (([b"a", np.array([True])], [True]), "image 1: expected the bytes of an encoded image, found an array"),
        (([b"a", b"b"], [2]), "truth 0: expected true or false, found int"),
        (([b"a", b"b"], np.array([-1])), "truth 0: expected true or false, found int"),
        (([b"a", b"b"], ["yes"]), "truth 0: expected true or false, found str"),
    ],
)
def test_other_content_is_refused_with_what_was_found(tmp_path, content, message):
    path = tmp_path / "lfw.bin"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=message):
        read_package(path)


def test_no_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match=r"lfw.bin: no such file"):
        Package(tmp_path / "lfw.bin").pairs()


def test_the_names_that_are_known_are_all_that_honest_packages_use():
    from recog_restore.datasets import package

    used = set()
    for protocol, images in itertools.product(range(6), (IMAGES, [_column(i) for i in IMAGES], [b""])):
        texts: list[str] = []
        for opcode, argument, _ in pickletools.genops(pickle.dumps((images, [np.True_]), protocol)):
            if opcode.name == "GLOBAL":
                used.add(tuple(argument.split(" ")))
            elif opcode.name == "STACK_GLOBAL":
                used.add((texts[-2], texts[-1]))
            elif isinstance(argument, str):
                texts.append(argument)
    simple = {(m, n) for m, n in used if (m, n) in package._KNOWN}
    assert {name for _, name in simple} == {
        "ndarray",
        "dtype",
        "encode",
        "_reconstruct",
        "scalar",
        "_frombuffer",
        "bytes",
    }
    assert {name for _, name in package._KNOWN} == {name for _, name in simple}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_empty_image_is_a_sample_that_fails_alone(tmp_path, protocol):
    path = tmp_path / "mine.bin"
    path.write_bytes(pickle.dumps(([b"", b"a", b"b", b"c"], TRUTHS), protocol))
    assert read_package(path)[0] == [b"", b"a", b"b", b"c"]
    with pytest.raises(DataError, match="empty file"):
        read_image(Package(path).samples().files[0])


def test_bytes_of_something_are_refused(tmp_path):
    path = tmp_path / "mine.bin"
    path.write_bytes(b"c__builtin__\nbytes\n(I1000000000\ntR.")
    with pytest.raises(DataError, match=r"expected bytes\(\) of nothing$"):
        read_package(path)


def test_ones_own_package_of_any_name_is_a_data_set(tmp_path):
    path = tmp_path / "faces.pickled"
    path.write_bytes(pickle.dumps((IMAGES, TRUTHS)))
    dataset = open_dataset(load("bin-verification").data.dataset, path)
    assert dataset.pairs().mated.tolist() == TRUTHS
    assert all(finding.ok for finding in dataset.check())
    path.write_bytes(pickle.dumps((IMAGES + IMAGES[:2], [True, True, False])))
    assert all(finding.ok for finding in open_dataset("bin", path).check())
