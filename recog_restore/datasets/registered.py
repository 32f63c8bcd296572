"""Where the user's data sets are: ``data.toml`` in the configuration folder, one ``"name" = "path"`` a line."""

from __future__ import annotations

import json
from pathlib import Path

from .. import resources
from ..errors import RecordError, ResourceMissing, UnknownName
from ..records import nearest, read_toml
from . import DATASETS
from .textfiles import write_text


def registry_file() -> Path:
    """Return the file, which need not be there."""
    return resources.config_folder() / "data.toml"


def registered() -> dict[str, Path]:
    """Return the paths of the registered data sets by name, in order of name.

    Raises:
        ResourceMissing: the file is there and cannot be read.
        RecordError: the file is not TOML, or an entry is not a path.
    """
    file = registry_file()
    try:
        entries = read_toml(file)
    except ResourceMissing as error:
        if isinstance(error.__context__, FileNotFoundError):
            return {}
        raise
    for name, path in entries.items():
        if not isinstance(path, str):
            raise RecordError(f'{file}: expected {name} = "path", found {path!r}')
    return {name: Path(entries[name]) for name in sorted(entries)}


def place_of(name: str, root: Path) -> Path:
    """Return the absolute path under which a data set can be registered.

    Raises:
        UnknownName: no data set of that name.
        ResourceMissing: there is nothing at that path.
    """
    if name not in DATASETS:
        raise UnknownName(f"no data set named {name!r}; {nearest(name, DATASETS)}")
    root = root.expanduser().resolve()
    if not root.exists():
        raise ResourceMissing(f"{root}: no such file or folder; give the place of the data set {name!r}")
    return root


def register(name: str, root: Path) -> Path:
    """Return the absolute path under which a data set is now registered; an earlier one is replaced.

    Raises:
        UnknownName, ResourceMissing: as ``place_of``.
    """
    root = place_of(name, root)
    _write(registered() | {name: root})
    return root


def unregister(name: str) -> None:
    """Forget a data set; its files stay.

    Raises:
        UnknownName: none of that name is registered.
    """
    entries = registered()
    if name not in entries:
        raise UnknownName(f"no data set named {name!r} is registered; {nearest(name, entries)}")
    del entries[name]
    _write(entries)


def _write(entries: dict[str, Path]) -> None:
    write_text(registry_file(), "".join(f"{_quoted(n)} = {_quoted(str(p))}\n" for n, p in sorted(entries.items())))


def _quoted(text: str) -> str:
    """Return a TOML basic string: JSON's, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
