"""Arrays on disk under the hash of what made them: whole or not at all, so a killed run goes on where it stopped.

A key is the SHA-256 of a recipe: everything that changes a number (image bytes, landmarks, degradation and seed,
preprocessor, embedder, batch, device). Nothing is ever updated in place, so nothing can be stale.
"""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from .errors import StoreError
from .files import read_regular, write_whole


def recipe_key(recipe: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a recipe's canonical JSON."""
    text = json.dumps(recipe, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Store:
    """A folder of safetensors files named by their key, each with a SHA-256 of its key, arrays and notes.

    Attributes:
        damaged: files that were found damaged, in order; each is as good as none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: dict[Path, None] = {}

    def __contains__(self, key: str) -> bool:
        """Return whether something whole is kept under a key."""
        try:
            self.get(key)
        except StoreError:
            return False
        return True

    def get(self, key: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the arrays and the notes kept under a key.

        Raises:
            StoreError: there is nothing, it cannot be read, or it is damaged.
        """
        path = self._path(key)
        try:
            content = read_regular(path)
            arrays, notes = _opened(key, content)
        except FileNotFoundError:
            raise StoreError(f"{path}: absent; run the same command again") from None
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror}; name another --store") from None
        except (SafetensorError, LookupError, TypeError, ValueError):
            self.damaged[path] = None
            raise StoreError(f"{path}: damaged; run the same command again") from None
        return arrays, notes

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]], notes: Mapping[str, Any]) -> None:
        """Keep arrays and notes (anything JSON holds) under a key.

        Raises:
            StoreError: the disk is full, or the folder cannot be written to; what was kept before is untouched.
        """
        path = self._path(key)
        whole, text = {name: np.ascontiguousarray(array) for name, array in arrays.items()}, json.dumps(notes)
        data = save(whole, {"notes": text, "sha256": _checksum(key, whole, text)})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreError(
                    f"{self.folder}: the disk is full; free {len(data) / 1e6:.1f} MB or more, or name another place "
                    "with --store, and run the same command again: what is finished is kept"
                ) from None
            raise StoreError(f"{path}: cannot be written: {error.strerror}; name another --store") from None

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"


def _opened(key: str, content: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays and notes in a file; any of the usual errors, if they are not those that were put."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])["__metadata__"]
    arrays = load(content)
    if header["sha256"] != _checksum(key, arrays, header["notes"]):
        raise ValueError("the checksum differs")
    return arrays, json.loads(header["notes"])


def _checksum(key: str, arrays: Mapping[str, NDArray[Any]], notes: str) -> str:
    names = sorted(arrays)
    shapes = [[name, str(arrays[name].dtype), arrays[name].shape] for name in names]
    digest = hashlib.sha256(json.dumps([key, notes, shapes]).encode())
    for name in names:
        digest.update(arrays[name].data)
    return digest.hexdigest()
