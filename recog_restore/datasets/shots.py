"""How CMU Multi-PIE is built and how its images are named: what its files and its synthetic stand-in have in common.

A name is ``subject_session_recording_camera_illumination``, the camera without its underscore: ``001_02_02_051_07``.
In the official tree the image lies at ``session02/multiview/001/02/05_1/001_02_02_051_07.png``.

Convention: yaw is in degrees, negative where the face looks to the left of the image.

Source: Gross, Matthews, Cohn, Kanade, Baker, "Multi-PIE", Image and Vision Computing 28(5), 2010; cameras, yaws and
expressions as in bob.db.multipie eebfeb3; bob, TP-GAN and FFWM agree on the signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pandas as pd

PEOPLE = 337
LAST_SUBJECT = 346  # subjects are numbered up to it, with gaps
PEOPLE_OF = {1: 250, 2: 203, 3: 230, 4: 239}

YAW = {
    "11_0": -90,
    "12_0": -75,
    "09_0": -60,
    "08_0": -45,
    "13_0": -30,
    "14_0": -15,
    "05_1": 0,
    "05_0": 15,
    "04_1": 30,
    "19_0": 45,
    "20_0": 60,
    "01_0": 75,
    "24_0": 90,
}
FRONTAL = "05_1"
RAISED = ("08_1", "19_1")  # look down from above; no protocol uses them
ILLUMINATIONS = tuple(f"{number:02d}" for number in range(20))  # 00 and 19 without flash, 07 the frontal one

EXPRESSION = {
    (1, 1): "neutral",
    (1, 2): "smile",
    (2, 1): "neutral",
    (2, 2): "surprise",
    (2, 3): "squint",
    (3, 1): "neutral",
    (3, 2): "smile",
    (3, 3): "disgust",
    (4, 1): "neutral",
    (4, 2): "neutral",
    (4, 3): "scream",
}
EXPRESSIONS = tuple(sorted(set(EXPRESSION.values())))

# The flash that lights the face from the camera's own direction. Source: TP-GAN a5844f1, its table of test images.
CAMERA_FLASH = {
    "11_0": "15",
    "12_0": "15",
    "09_0": "15",
    "08_0": "15",
    "13_0": "05",
    "14_0": "06",
    "05_1": "06",
    "05_0": "06",
    "04_1": "07",
    "19_0": "09",
    "20_0": "08",
    "01_0": "08",
    "24_0": "10",
}

NAME = re.compile(r"(\d{3})_(\d{2})_(\d{2})_(\d{3})_(\d{2})")
Fields = tuple[str, str, str, str, str]  # subject, session, recording, camera (with underscore), illumination
_COLUMNS = ("subject", "session", "recording", "camera", "illumination")


def fields_of(name: str) -> Fields:
    """Return subject, session, recording, camera and illumination of a name that ``NAME`` matches."""
    subject, session, recording, camera, illumination = name.split("_")
    return subject, session, recording, f"{camera[:2]}_{camera[2]}", illumination


def name_of(subject: int, session: int, recording: int, camera: str, illumination: str) -> str:
    """Return the name of an image."""
    return f"{subject:03d}_{session:02d}_{recording:02d}_{camera.replace('_', '')}_{illumination}"


def path_of(name: str) -> str:
    """Return where the image lies in the official tree."""
    subject, session, recording, camera, _ = fields_of(name)
    return f"session{session}/multiview/{subject}/{recording}/{camera}/{name}.png"


def is_shot(fields: Fields) -> bool:
    """Return whether Multi-PIE has such an image, one of a raised camera included."""
    _, session, recording, camera, illumination = fields
    known = (camera in YAW or camera in RAISED) and illumination in ILLUMINATIONS
    return known and (int(session), int(recording)) in EXPRESSION


def table_of(names: Sequence[str]) -> pd.DataFrame:
    """Return a row for each name, in that order: the columns of the name, and what they mean.

    Columns: ``sample``, ``subject``, ``session`` and ``recording`` (numbers), ``camera``, ``illumination`` (texts),
    ``expression``, ``yaw`` (text, so that a breakdown keeps all thirteen) and ``abs_yaw`` (number).
    """
    table = pd.DataFrame(map(fields_of, names), columns=_COLUMNS, dtype=object)
    table.insert(0, "sample", list(names))
    for column in ("session", "recording"):
        table[column] = table[column].astype(int)
    recordings = zip(table["session"], table["recording"], strict=True)
    table["expression"] = [EXPRESSION[recording] for recording in recordings]
    yaw = table["camera"].map(YAW).astype(int)
    return table.assign(yaw=yaw.astype(str), abs_yaw=yaw.abs())


def whole_session(people: Iterable[int], session: int) -> list[str]:
    """Return the names of all images that thirteen cameras take of those people in a session."""
    recordings = [recording for there, recording in EXPRESSION if there == session]
    return [
        name_of(subject, session, recording, camera, illumination)
        for subject in people
        for recording in recordings
        for camera in YAW
        for illumination in ILLUMINATIONS
    ]
