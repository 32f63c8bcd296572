"""Search: vectors are enrolled, and each probe gets the list of those most like it. Which program searches is a choice.

``exact`` defines the truth and ``faiss-flat`` equals it up to ties and the last bits of a product; ``faiss-hnsw`` and
``faiss-ivf`` are approximate, and a result that rests on them says so, with their measured recall.
"""

from ..registry import Registry
from .base import Found, Gallery
from .recall import Recall, measure, recall

AUTO = "auto"
GALLERIES: Registry[Gallery] = Registry("search", "recog_restore.galleries")
GALLERIES.add_all(
    __name__,
    {
        "exact": "exact:Exact",
        "faiss-flat": "faiss_index:FaissFlat",
        "faiss-hnsw": "faiss_index:FaissHNSW",
        "faiss-ivf": "faiss_index:FaissIVF",
    },
)


def create(name: str, device: str = "cpu") -> Gallery:
    """Return an empty gallery.

    Args:
        name: of ``GALLERIES``; ``auto`` is ``exact`` on the device.
        device: ``cpu``, ``cuda`` or ``cuda:1``. A gallery that cannot use it searches on the CPU; its ``device`` says
            where it does. ``faiss-flat`` takes ``cuda`` for all GPUs that are visible.

    Raises:
        UnknownName: no search of that name.
        ExtraMissing: faiss is not installed.
    """
    return GALLERIES.create("exact" if name == AUTO else name, device=device)


__all__ = ["AUTO", "GALLERIES", "Found", "Gallery", "Recall", "create", "measure", "recall"]
