"""Arrays on disk under the hash of what made them: whole or not at all, so a killed run goes on where it stopped.

A key is the SHA-256 of a recipe: everything that changes a number (image bytes, landmarks, degradation and seed,
preprocessor, embedder, batch, device). Nothing is ever updated in place, so nothing can be stale.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .errors import StoreError


def recipe_key(recipe: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a recipe's canonical JSON."""
    text = json.dumps(recipe, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Store:
    """A folder of safetensors files named by their key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __contains__(self, key: str) -> bool:
        """Return whether something is kept under a key; a damaged file is as good as none."""
        try:
            with safe_open(self._path(key), framework="numpy"):
                return True
        except (OSError, SafetensorError):
            return False

    def get(self, key: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the arrays and the notes kept under a key.

        Raises:
            StoreError: there is nothing, or it is damaged.
        """
        try:
            with safe_open(self._path(key), framework="numpy") as file:
                return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["notes"])
        except (OSError, SafetensorError):
            raise StoreError(f"{self._path(key)}: absent or damaged; run the same command again") from None

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]], notes: Mapping[str, Any]) -> None:
        """Keep arrays and notes (anything JSON holds) under a key.

        Raises:
            StoreError: the disk is full, or the folder cannot be written to; what was kept before is untouched.
        """
        path = self._path(key)
        temporary = path.with_name(f".{key}.{uuid.uuid4().hex}")
        data = save({name: np.ascontiguousarray(a) for name, a in arrays.items()}, {"notes": json.dumps(notes)})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreError(
                    f"{self.folder}: the disk is full; free {len(data) / 1e6:.1f} MB or more, or name another place "
                    "with --store, and run the same command again: what is finished is kept"
                ) from None
            raise StoreError(f"{self.folder}: cannot be written to ({error.strerror}); name another --store") from None
        finally:
            try:
                temporary.unlink(missing_ok=True)
            except OSError:
                pass  # the reason above says more

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"
