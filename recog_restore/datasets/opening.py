"""From a data set's name and a path to its reader: a layout of files, or a ``.bin`` package in its place."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..records import build
from ..spec import checked
from . import DATASETS
from .base import Dataset
from .package import Package

# Per data set: what its layout always holds, and the names of its packages (by split, where it has splits).
_LAYOUTS: dict[str, tuple[str, dict[str, str]]] = {
    "lfw": ("pairs.txt", {"": "lfw.bin"}),
    "cfp": ("Protocol", {"FF": "cfp_ff.bin", "FP": "cfp_fp.bin"}),
    "agedb": ("04_FINAL_protocol_30_years.mat", {"": "agedb_30.bin"}),
    "calfw": ("pairs_CALFW.txt", {"": "calfw.bin"}),
    "cplfw": ("pairs_CPLFW.txt", {"": "cplfw.bin"}),
}


def open_dataset(name: str, root: Path | None, **options: Any) -> Dataset:
    """Return the reader of a data set.

    Args:
        name: of the data set; see ``DATASETS``.
        root: the folder or file; where it ends in ``.bin``, or is a folder that holds the data set's package and not
            its layout, the package is read. None for a data set that is computed: it lies nowhere.
        options: of the layout's reader. A package has been made with them; only ``split`` says which one it is.

    Raises:
        UnknownName: no data set of that name.
        DataError: there is nothing at that path.
        RecordError: an option that the reader does not have.
    """
    if root is None:
        return _made(name, {}, options)
    if name in DATASETS and is_computed(name):
        raise DataError(f"{root}: the data set {name!r} is computed, not read; leave out the path")
    if name in DATASETS and not root.exists():
        raise DataError(f"{root}: no such file or folder; expected the data set {name!r} there")
    package = package_of(name, root, str(options.get("split", "")))
    if package is not None:
        return Package(package)
    return _made(name, {"root": root}, options)


def is_computed(name: str) -> bool:
    """Return whether a data set lies nowhere on disk: its reader needs no root.

    Raises:
        UnknownName: no data set of that name.
    """
    factory, _ = DATASETS.factory(name)
    root = inspect.signature(factory).parameters.get("root")
    return root is None or root.default is not inspect.Parameter.empty


def _made(name: str, place: dict[str, Path], options: dict[str, Any]) -> Dataset:
    """Return the reader; its options are arguments of their own, or one record, which says what they may be."""
    factory, _ = DATASETS.factory(name)
    record = getattr(factory, "options_record", None)
    if record is not None:
        return factory(**place, options=build(record, options, f"data set {name!r}", "data.options."))
    return factory(**place, **checked(factory, options, f"data set {name!r}", "data.options.", given=("root",)))


def package_of(name: str, root: Path, split: str = "") -> Path | None:
    """Return the ``.bin`` file that stands for a data set at that path, or None."""
    if root.is_file() and root.suffix == ".bin":
        return root
    layout, packages = _LAYOUTS.get(name, ("", {}))
    if not packages or (root / layout).exists():
        return None
    package = root / packages.get(split, next(reversed(packages.values())))
    return package if package.is_file() else None
