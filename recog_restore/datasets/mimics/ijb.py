"""IJB-C and IJB-B in InsightFace's release layout, made of other faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ...geometry import ARCFACE_112
from ..ijb import FAILED_SCORE, IJB, IJBB, IJBC
from ..textfiles import write_text
from .base import Mimic, write_image


@dataclass(frozen=True)
class _Template:
    subject: int
    role: str
    rows: tuple[int, ...]


class IJBMimic(Mimic):
    """A gallery template of each person, half of them in the one gallery and half in the other, and two probes of each.

    A template of one image is a photograph. In one of several, the last is a photograph and the others are the frames
    of one video. The first probe of a person is one photograph, the second all that is left. Comparisons are each probe
    with its mate and with half of the other gallery templates, drawn. Template numbers have gaps, as in the release.
    Where the source knows no points, and in one frame of the last person, the detector has failed: the score is 0.1 and
    the points are the middle of the image.
    """

    reader: ClassVar[type[IJB]]
    fewest: ClassVar[tuple[int, int]] = (4, 4)
    usual: ClassVar[tuple[int, int]] = (24, 8)

    def write(self, out: Path, advance: Callable[[int], None]) -> dict[str, int]:
        """Write ``loose_crop`` and ``meta``."""
        generator = np.random.default_rng([self.seed, 1])
        templates = self._templates()
        numbers = np.sort(generator.choice(np.arange(1, 8 * len(templates)), len(templates), replace=False))
        templates = [templates[place] for place in generator.permutation(len(templates))]
        media = iter(generator.permutation(np.arange(1, 4 * sum(len(t.rows) for t in templates))).tolist())
        faces, points, csv = [], [], {name: [] for name in (*self.reader.enrolled, "probe")}  # type: ignore[var-annotated]
        failed = max((t for t in templates if len(t.rows) > 1), key=lambda t: (t.subject, t.role)).rows[0]
        for number, template in zip(numbers.tolist(), templates, strict=True):
            video = next(media)
            for place, row in enumerate(template.rows):
                name = f"{len(faces) + 1}.jpg"
                medium = next(media) if place == len(template.rows) - 1 else video
                faces.append(f"{name} {number} {medium}")
                points.append(f"{name} {self._crop(out / 'loose_crop' / name, row, row == failed, generator)}")
                csv[template.role].append(f"{number},{template.subject},{name}")
                advance(1)
        pairs = self._pairs(numbers.tolist(), templates, generator)
        meta, release = out / "meta", self.reader.release
        write_text(meta / f"{release}_face_tid_mid.txt", _text(faces))
        write_text(meta / f"{release}_name_5pts_score.txt", _text(points))
        write_text(meta / f"{release}_template_pair_label.txt", _text([f"{a} {b} {same}" for a, b, same in pairs]))
        for role, rows in csv.items():
            name = "1N_probe_mixed" if role == "probe" else f"1N_gallery_{role}"
            write_text(meta / f"{release}_{name}.csv", _text(["TEMPLATE_ID,SUBJECT_ID,FILENAME", *rows]))
        in_role = {role: sum(t.role == role for t in templates) for role in csv}
        return {
            "images": len(faces),
            "templates": len(templates),
            "comparisons": len(pairs),
            "mated comparisons": sum(same for *_, same in pairs),
            **{f"templates in gallery {name}": in_role[name] for name in self.reader.enrolled},
            "probe templates": in_role["probe"],
        }

    def _templates(self) -> list[_Template]:
        found = []
        for number, rows in enumerate(self.cast.subjects.values()):
            own = tuple(rows.tolist())
            enrolled = max(1, 3 * len(own) // 8)
            found.append(_Template(number + 1, self.reader.enrolled[number % 2], own[:enrolled]))
            found.append(_Template(number + 1, "probe", own[enrolled : enrolled + 1]))
            found.append(_Template(number + 1, "probe", own[enrolled + 1 :]))
        return found

    def _crop(self, path: Path, row: int, failed: bool, generator: np.random.Generator) -> str:
        """Write an image; return its points and the detector's score."""
        face = self.face(row)
        write_image(path, face.image)
        score, points = generator.uniform(0.85, 0.9999), face.points
        if failed or not np.isfinite(points).all():
            height, width = face.image.shape[:2]
            score, points = FAILED_SCORE, ARCFACE_112 * min(height, width) / 112
        return " ".join([*(f"{value:.3f}" for value in points.ravel()), f"{score:.6f}"])

    @staticmethod
    def _pairs(
        numbers: list[int], templates: list[_Template], generator: np.random.Generator
    ) -> list[tuple[int, int, int]]:
        """Return gallery template, probe and 1 or 0, the mated ones of a gallery template first."""
        probes = [(n, t) for n, t in zip(numbers, templates, strict=True) if t.role == "probe"]
        found: list[tuple[int, int, int]] = []
        for number, template in zip(numbers, templates, strict=True):
            if template.role != "probe":
                drawn: NDArray[np.bool_] = generator.random(len(probes)) < 0.5
                found += [(number, n, 1) for n, probe in probes if probe.subject == template.subject]
                others = zip(probes, drawn, strict=True)
                found += [(number, n, 0) for (n, probe), yes in others if yes and probe.subject != template.subject]
        return found


class IJBCMimic(IJBMimic):
    """IJB-C."""

    layout: ClassVar[str] = "ijbc"
    title: ClassVar[str] = "IJB-C"
    runs: ClassVar[tuple[str, ...]] = ("--protocol ijbc", "--protocol ijbc-1n")
    reader: ClassVar[type[IJB]] = IJBC


class IJBBMimic(IJBMimic):
    """IJB-B."""

    layout: ClassVar[str] = "ijbb"
    title: ClassVar[str] = "IJB-B"
    runs: ClassVar[tuple[str, ...]] = ("--protocol ijbb", "--protocol ijbb-1n")
    reader: ClassVar[type[IJB]] = IJBB


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
