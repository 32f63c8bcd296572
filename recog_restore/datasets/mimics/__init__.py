"""Mimics: small, valid sets in the exact file formats of others, made of any faces at hand.

They are for tests, for tutorials and for those who wait for a licence. Each writes its images and lists, and
``mimic.toml`` (see ``datasets/mark.py``). A number from one is a number of the faces that it was made of, never of the
set that it imitates, and is said to be.
"""

from ...registry import Registry
from .base import Mimic, write_mimic

MIMICS: Registry[Mimic] = Registry("layout to mimic", "recog_restore.mimics")
MIMICS.add_all(
    __name__,
    {
        "ijbc": "ijb:IJBCMimic",
        "ijbb": "ijb:IJBBMimic",
        "tinyface": "tinyface:TinyFaceMimic",
        "lfw": "lfw:LFWMimic",
        "multipie": "multipie:MultiPIEMimic",
    },
)

__all__ = ["MIMICS", "Mimic", "write_mimic"]
