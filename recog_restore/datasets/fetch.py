"""Downloads: LFW through scikit-learn, into its cache, where an earlier download of any program is found again."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from ..errors import DownloadError

_IMAGES = 13_233
_FILES = {
    "pairs.txt": "https://ndownloader.figshare.com/files/5976006",
    "lfw-funneled.tgz": "https://ndownloader.figshare.com/files/5976015",
}


def fetch_lfw(home: Path | None = None) -> Path:
    """Return a folder in LFW's layout, funneled images, all 13,233; about 230 MB are downloaded if it is not there.

    Args:
        home: scikit-learn's data folder; by default the one it uses itself (``SCIKIT_LEARN_DATA``).

    Raises:
        DownloadError: there is no network, or what is there is not whole; the message says what to do by hand.
    """
    from sklearn.datasets import fetch_lfw_people, get_data_home

    root = Path(get_data_home(None if home is None else str(home))) / "lfw_home"
    if not _whole(root):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of every attempt
                # No subject has so many images: it downloads, unpacks, and stops before it decodes any.
                fetch_lfw_people(data_home=str(root.parent), min_faces_per_person=_IMAGES)
        except OSError as error:
            raise DownloadError(f"LFW could not be downloaded ({error}); {_by_hand(root)}") from None
        except (ValueError, ImportError):
            pass  # "too restrictive", or no Pillow to decode with: after the download either way
    if not _whole(root):
        found = _count(root / "lfw_funneled")
        raise DownloadError(
            f"{root}: expected pairs.txt and {_IMAGES:,} images in lfw_funneled, found {found:,} images; remove "
            f"lfw_funneled and fetch again, or by hand: {_by_hand(root)}"
        )
    return root


def _whole(root: Path) -> bool:
    return (root / "pairs.txt").is_file() and _count(root / "lfw_funneled") == _IMAGES


def _count(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    people = [entry.path for entry in os.scandir(folder) if entry.is_dir()]
    return sum(name.endswith(".jpg") for person in people for name in os.listdir(person))


def _by_hand(root: Path) -> str:
    files = ", ".join(f"{name} from {url}" for name, url in _FILES.items())
    return (
        f"download {files} on another machine, unpack the archive, put pairs.txt and lfw_funneled into {root} and "
        "fetch again; or name a copy of your own with rr-data add lfw PATH"
    )
