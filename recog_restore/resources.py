"""The data folders (protocols, models, reports), however the package was installed, and the user's own folders.

A wheel carries them as ``recog_restore/_data/<kind>``; a checkout or an editable install reads the
repository's own top-level folders, so that an edited protocol counts at once.
"""

from __future__ import annotations

import os
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from .errors import ResourceMissing

Kind = Literal["protocols", "models", "reports"]
KINDS: tuple[Kind, ...] = ("protocols", "models", "reports")


def folder(kind: Kind) -> Traversable:
    """Return the folder of that kind.

    Raises:
        ResourceMissing: the install carries no such folder.
    """
    packaged = files("recog_restore") / "_data" / kind
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / kind).is_dir():
        return checkout / kind
    raise ResourceMissing(f"no {kind!r} folder: looked in {packaged} and in {checkout / kind}")


def names(kind: Kind, suffix: str) -> list[str]:
    """List the entries of a folder by stem, in order: ``names("protocols", ".toml")``."""
    return sorted(e.name.removesuffix(suffix) for e in folder(kind).iterdir() if e.name.endswith(suffix))


def config_folder() -> Path:
    """Return the user's configuration folder (registered data sets), by the XDG convention."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "recog-restore"


def cache_folder() -> Path:
    """Return the user's cache folder (embedding store, downloads), by the XDG convention."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recog-restore"
