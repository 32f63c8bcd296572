"""MMI facial expressions for identification, as VividGAN's table VI uses them: 16 people, one neutral image enrolled.

MMI distributes videos. Bring the frames that you take from them, and the non-frontal faces that you synthesize from
them, into this tree::

    SUBJECT/EXPRESSION/*.png           EXPRESSION is neutral, angry, disgust, fear, happy, sad or surprise
    SUBJECT/EXPRESSION/NAME_yaw+40.png optional: the yaw in degrees that a synthesized face has

VividGAN makes 896 probes of 16 people: seven expressions at eight synthesized yaws (±22, ±40, ±55, ±75) of each. It
does not say which 16 of the 75; this program takes the last in order of name. The gallery is the first neutral image
without a yaw.

Source: Pantic, Valstar, Rademaker, Maat, "Web-based database for facial expression analysis", ICME 2005; Zhang et al.,
"Face Hallucination With Finishing Touches" (VividGAN), TIP 30, 2021, sections V-A and VI-A, table V.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ..decode import SUFFIXES
from ..errors import DataError
from ..records import nearest
from .base import Dataset, Finding, Samples, Split
from .landmarks import own_landmarks

EXPRESSIONS = ("neutral", "angry", "disgust", "fear", "happy", "sad", "surprise")
_YAW = re.compile(r"_yaw([+-]\d+)$")


class MMI(Dataset):
    """Label columns ``expression``, ``yaw`` (text; ``0`` where the name has none) and ``abs_yaw`` (number).

    Args:
        root: the folder of subjects; optionally with ``landmarks.csv``.
        test_people: the last so many in order of name; 0 means all.
        only_turned: search for faces with a yaw in their name alone, as VividGAN does; else for all but the gallery.
    """

    def __init__(self, root: Path, test_people: int = 16, only_turned: bool = True) -> None:
        super().__init__(root)
        if test_people < 0:
            raise DataError(f"test_people is {test_people}; expected 0 or more")
        self._people, self._only_turned = test_people, only_turned

    @cached_property
    def _table(self) -> pd.DataFrame:
        """All images of the tested people, sorted by sample."""
        people = sorted(place.name for place in self.root.iterdir() if place.is_dir() and place.name[0] != ".")
        rows = []
        for subject in people[-self._people :]:
            for folder in sorted(place for place in (self.root / subject).iterdir() if place.is_dir()):
                if folder.name not in EXPRESSIONS:
                    raise DataError(
                        f"{folder}: expected the folder of an expression; {nearest(folder.name, EXPRESSIONS)}"
                    )
                for file in sorted(folder.iterdir()):
                    if file.suffix.lower() in SUFFIXES:
                        turned = _YAW.search(file.stem)
                        yaw = int(turned[1]) if turned else 0
                        name = f"{subject}/{folder.name}/{file.name}"
                        rows.append((name, subject, folder.name, str(yaw), abs(yaw), turned is not None))
        if not rows:
            raise DataError(f"{self.root}: expected images as SUBJECT/EXPRESSION/name.png, found none")
        return pd.DataFrame(rows, columns=["sample", "subject", "expression", "yaw", "abs_yaw", "turned"])

    def samples(self) -> Samples:
        """Return every image of the tested people."""
        names = self._table["sample"].tolist()
        files = tuple(self.root / name for name in names)
        return Samples(self._table.drop(columns="turned"), files, own_landmarks(self.root, names))

    def split(self) -> Split:
        """Return one neutral image of each person, and the probes.

        Raises:
            DataError: somebody has no neutral image, or there is nothing to search for.
        """
        table = self._table
        neutral = table[(table["expression"] == "neutral") & ~table["turned"]]
        gallery = neutral.drop_duplicates("subject").index
        lacking = sorted(set(table["subject"]) - set(table["subject"].loc[gallery]))
        if lacking:
            raise DataError(f"{self.root / lacking[0]}: expected an image in neutral/ for the gallery, found none")
        probes = table.index[table["turned"]] if self._only_turned else table.index.difference(gallery)
        if not len(probes):
            raise DataError(
                f"{self.root}: expected probes as SUBJECT/EXPRESSION/name_yaw+40.png, found none; to search for the "
                "frontal ones say --set data.options.only_turned=false"
            )
        return Split(gallery.to_numpy(np.int64), probes.to_numpy(np.int64))

    def check(self) -> list[Finding]:
        """Say what is there, beside VividGAN's counts."""
        split = self.split()
        return [
            Finding(True, "people", "16 (VividGAN)", f"{len(split.gallery):,}"),
            Finding(True, "probes", "896 (VividGAN)", f"{len(split.probes):,}"),
        ]
