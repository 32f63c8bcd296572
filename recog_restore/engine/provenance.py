"""Who computed a result, with what."""

from __future__ import annotations

import datetime
import functools
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import __version__

_PACKAGES = ("torch", "numpy", "opencv-python", "onnxruntime", "insightface", "scipy", "scikit-learn", "pandas")
_COMPUTE = ("torch", "numpy", "opencv-python", "onnxruntime", "onnxruntime-gpu")


def provenance() -> dict[str, Any]:
    """Return versions, commit of a checkout, machine and date; nothing in it changes a number."""
    return {
        "toolkit": __version__,
        "commit": _commit(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in _PACKAGES},
    }


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of the packages that an embedding's last bits depend on."""
    return {name: _version(name) for name in _COMPUTE}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / ".git").exists():
        return ""
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
