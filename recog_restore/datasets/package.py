"""A ``.bin`` package of verification faces, as insightface distributes them: crops of ArcFace's 112×112.

The file is a pickle of ``(images, mated)``: 2N encoded images, comparison n being images 2n and 2n + 1, and N truths.
A pickle is a program. This reader runs none of it: it knows eight names that honest packages use (Python 2's and 3's
NumPy, and Python 3's bytes in an old protocol), answers each with a stand-in of its own that only remembers what it is
given, and refuses every other name. NumPy itself is never handed what the file says.

Subjects are not in the file: the column is empty.

Source: deepinsight/insightface 7fadd420, recognition/_datasets_ and arcface_torch/eval/verification.py (layout, order,
ten contiguous folds).
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError, UnsafeFile
from ..files import read_regular
from .base import Dataset, Finding, Pairs, Samples, count_finding

COMPARISONS = {
    "lfw": 6_000,
    "cfp_ff": 7_000,
    "cfp_fp": 7_000,
    "agedb_30": 6_000,
    "calfw": 6_000,
    "cplfw": 6_000,
}
_FOLDS = 10
# Types of arrays: of images the first, of truths any.
_CODES = ("u1", "b1", "i1", "i2", "i4", "i8", "u2", "u4", "u8")


class Package(Dataset):
    """The comparisons of one ``.bin`` file in ten contiguous folds; equal images are one sample.

    Args:
        root: the file.
    """

    @cached_property
    def _content(self) -> tuple[tuple[bytes, ...], list[str], Pairs]:
        """Distinct images in order of appearance, their names, and the comparisons between them."""
        images, mated = read_package(self.root)
        row_of: dict[bytes, int] = {}
        rows = np.array([row_of.setdefault(image, len(row_of)) for image in images], np.int64)
        _, positions = np.unique(rows, return_index=True)
        names = [f"{self.root.name}#{position:05d}" for position in positions]
        folds = [np.full(len(part), number) for number, part in enumerate(np.array_split(mated, _FOLDS))]
        return tuple(row_of), names, Pairs(rows[0::2], rows[1::2], mated, np.concatenate(folds))

    def samples(self) -> Samples:
        """Return the distinct images; ``lfw.bin#00017`` is the 18th image of the file."""
        images, names, _ = self._content
        return Samples(pd.DataFrame({"sample": names, "subject": ""}), images, alignment="arcface-112")

    def pairs(self) -> Pairs:
        """Return the comparisons in the order of the file."""
        return self._content[2]

    def check(self) -> list[Finding]:
        """Compare the number of comparisons with the published one, where the file's name says which set it is."""
        images, _, pairs = self._content
        found = len(pairs.mated)
        expected = COMPARISONS.get(self.root.stem)
        if expected is None:
            known = ", ".join(f"{name}.bin" for name in COMPARISONS)
            counted = Finding(True, "comparisons", "not known for a file of this name", f"{found:,}", f"known: {known}")
        else:
            counted = count_finding("comparisons", expected, found)
        mated = int(pairs.mated.sum())
        return [
            counted,
            Finding(
                ok=mated * 2 == found or expected is None,
                what="mated comparisons",
                expected=f"{found // 2:,}" if expected is not None else "-",
                found=f"{mated:,}",
            ),
            Finding(True, "distinct images", f"at most {2 * found:,}", f"{len(images):,}"),
        ]


def read_package(path: Path) -> tuple[list[bytes], NDArray[np.bool_]]:
    """Return the 2N encoded images and (N,) bool, whether comparison n (images 2n, 2n + 1) is mated.

    Raises:
        UnsafeFile: the file names something besides the eight names above; nothing of it was run.
        DataError: there is no such file, it is cut short, is no package, or its counts do not agree.
    """
    try:
        content = _Reader(io.BytesIO(read_regular(path)), encoding="bytes").load()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except UnsafeFile as error:
        raise UnsafeFile(f"{path}: {error}") from None
    except Exception as error:  # a broken pickle raises what it likes
        cut = "; is it cut short?" if isinstance(error, (EOFError, pickle.UnpicklingError)) else ""
        reason = f"{type(error).__name__}: {error}{cut}"
        raise DataError(f"{path}: expected a .bin package, a pickle of images and truths; {reason}") from None
    if not isinstance(content, (tuple, list)) or len(content) != 2:
        raise DataError(f"{path}: expected a .bin package, (images, truths); found {type(content).__name__}")
    images, truths = map(_items, content)
    if len(images) != 2 * len(truths) or not truths:
        raise DataError(
            f"{path}: expected two images for each truth, found {len(images)} images and {len(truths)} truths"
        )
    return (
        [_image(item, f"{path}: image {number}") for number, item in enumerate(images)],
        np.array([_truth(item, f"{path}: truth {number}") for number, item in enumerate(truths)], np.bool_),
    )


class _Dtype:
    """Stands in for ``numpy.dtype``."""

    __slots__ = ("code", "order")

    def __init__(self, code: Any = b"", *_: Any) -> None:
        self.code, self.order = _text(code).lstrip("|"), "<"

    def __setstate__(self, state: Any) -> None:
        """Take the byte order; take no notice of version and of the fields that a plain type does not have."""
        self.order = ">" if _text(state[1]) == ">" else "<"


class _Array:
    """Stands in for ``numpy.ndarray`` and NumPy's scalars; holds bytes and what they are said to be."""

    __slots__ = ("code", "data", "order")

    def __init__(self) -> None:
        self.code, self.data, self.order = "", b"", "<"

    def __setstate__(self, state: Any) -> None:
        _version, _shape, dtype, _by_column, data = state
        self._fill(dtype, data)

    def values(self) -> list[int]:
        """Return what it holds, as whole numbers."""
        return [int(value) for value in np.frombuffer(self.data, f"{self.order}{self.code}")]

    def _fill(self, dtype: Any, data: Any) -> None:
        if not isinstance(dtype, _Dtype) or dtype.code not in _CODES:
            found = repr(getattr(dtype, "code", dtype))
            raise ValueError(f"an array of {found}; expected uint8, bool or whole numbers")
        if isinstance(data, str):  # Python 2's text
            data = data.encode("latin-1")
        if not isinstance(data, (bytes, bytearray)):
            raise ValueError(f"an array whose content is {type(data).__name__}; expected bytes")
        if len(data) % int(dtype.code[1:]):
            raise ValueError(f"an array of {dtype.code} in {len(data)} bytes")
        self.code, self.order, self.data = dtype.code, dtype.order, bytes(data)

    @classmethod
    def reconstruct(cls, *_: Any) -> _Array:
        return cls()

    @classmethod
    def of_buffer(cls, data: Any, dtype: Any, *_: Any) -> _Array:
        array = cls()
        array._fill(dtype, data)
        return array

    @classmethod
    def scalar(cls, dtype: Any, data: Any = b"\0") -> _Array:
        return cls.of_buffer(data, dtype)


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """Stand in for ``_codecs.encode``: how Python 3 writes bytes in a protocol that has none."""
    if not isinstance(text, str) or _text(encoding) not in ("latin1", "latin-1"):
        raise ValueError("expected text encoded as latin1")
    return text.encode("latin-1")


def _no_bytes(*arguments: Any) -> bytes:
    """Stand in for ``bytes``: how Python 3 writes empty bytes in such a protocol."""
    if arguments:
        raise ValueError("expected bytes() of nothing")
    return b""


class _Frozen:
    """A stand-in as the pickle sees it: it can be called, and nothing can be set on it."""

    __slots__ = ("_call",)
    _call: Callable[..., Any]

    def __init__(self, call: Callable[..., Any]) -> None:
        object.__setattr__(self, "_call", call)

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise ValueError(f"it sets {name!r} on one of the reader's own functions")


_NUMPY: dict[str, dict[str, Callable[..., Any]]] = {
    "multiarray": {"_reconstruct": _Array.reconstruct, "scalar": _Array.scalar},
    "numeric": {"_frombuffer": _Array.of_buffer},
}
_KNOWN: dict[tuple[str, str], _Frozen] = {
    ("numpy", "ndarray"): _Frozen(_Array.reconstruct),
    ("numpy", "dtype"): _Frozen(_Dtype),
    ("_codecs", "encode"): _Frozen(_encode),
    ("__builtin__", "bytes"): _Frozen(_no_bytes),
    ("builtins", "bytes"): _Frozen(_no_bytes),
    **{
        (f"numpy.{core}.{module}", name): _Frozen(stand_in)
        for core in ("core", "_core")
        for module, names in _NUMPY.items()
        for name, stand_in in names.items()
    },
}


class _Reader(pickle.Unpickler):
    """An unpickler that imports nothing."""

    def find_class(self, module: str, name: str) -> _Frozen:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise UnsafeFile(
                f"refused: unpickling it would use {module}.{name}, which no package of faces needs; "
                "nothing of it was run; get the file from its source again"
            ) from None

    def persistent_load(self, pid: Any) -> NoReturn:
        raise UnsafeFile("refused: it refers to objects outside the file, which no package of faces does")


def _items(value: Any) -> list[Any]:
    if isinstance(value, _Array):  # truths as one array
        return value.values()
    return list(value) if isinstance(value, (list, tuple)) else []


def _image(item: Any, where: str) -> bytes:
    if isinstance(item, (bytes, bytearray)):
        return bytes(item)
    if isinstance(item, _Array) and item.code == "u1":
        return item.data
    raise DataError(f"{where}: expected the bytes of an encoded image, found {_kind(item)}")


def _truth(item: Any, where: str) -> bool:
    if isinstance(item, _Array) and len(values := item.values()) == 1:
        item = values[0]
    if isinstance(item, int) and item in (0, 1):
        return bool(item)
    raise DataError(f"{where}: expected true or false, found {_kind(item)}")


def _kind(item: Any) -> str:
    return "an array" if isinstance(item, _Array) else f"{type(item).__name__}"


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
