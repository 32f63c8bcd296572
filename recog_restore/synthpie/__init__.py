"""SynthPIE: people that this program renders, in Multi-PIE's structure and with exact ground truth.

Heads are formulas, not scans: no data file and no licensed face model goes into them. A ``Shot`` names a picture, a
``Studio`` photographs it; equal shots give equal pictures.
"""

from __future__ import annotations

from .light import Lamp, Light, multipie_light, random_light
from .shape import EXPRESSIONS
from .shot import Shot
from .studio import VERSION, Photo, Studio
from .truth import Truth, rebuild
from .web import Web, random_shot, random_shots

__all__ = [
    "EXPRESSIONS",
    "VERSION",
    "Lamp",
    "Light",
    "Photo",
    "Shot",
    "Studio",
    "Truth",
    "Web",
    "multipie_light",
    "random_light",
    "random_shot",
    "random_shots",
    "rebuild",
]
