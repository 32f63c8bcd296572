"""A map of features as marks for an inline SVG: one shape and colour for each preprocessor, as in MDFR's figure 8."""

from __future__ import annotations

from dataclasses import dataclass

from ..results import Result
from .figures import series
from .wording import counted, preprocessors

WIDTH, HEIGHT = 560, 560
RADIUS = 4.0
_MARGIN = 12.0

# By preprocessor: the baseline a cross, then the paper's dot, circle and triangle; whether they are filled.
_SHAPES = (("cross", False), ("round", True), ("round", False), ("triangle", True), ("square", False), ("square", True))


@dataclass(frozen=True)
class Domain:
    """The probes with one preprocessor.

    Attributes:
        name: as in the plots.
        colour: a variable of the style sheet.
        filled: whether the shape is; else it is drawn as a line.
        symbol: the shape at the origin, an SVG path.
        marks: subject and path of each probe.
    """

    name: str
    colour: str
    filled: bool
    symbol: str
    marks: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Domains:
    """What is drawn, and in words."""

    words: str
    domains: tuple[Domain, ...]
    size: tuple[int, int] = (WIDTH, HEIGHT)


def domains(result: Result) -> Domains | None:
    """Return the map of a result, or None where it has none."""
    found = result.domains
    if found is None:
        return None
    drawn = []
    for number, (name, line) in enumerate(zip(preprocessors(result), series(preprocessors(result)), strict=True)):
        shape, filled = _SHAPES[number % len(_SHAPES)]
        marks = tuple(
            (subject, _path(shape, *_pixel(place)))
            for subject, place in zip(found.subjects, found.places.get(name, ()), strict=False)
        )
        if marks:
            drawn.append(Domain(line.name, line.colour, filled, _path(shape, 0.0, 0.0), marks))
    return Domains(_words(result, len(found.subjects), len(set(found.subjects))), tuple(drawn))


def _words(result: Result, probes: int, people: int) -> str:
    recognizer = result.embedder.get("name", "")
    return (
        f"t-SNE of the unit embeddings by {recognizer}, its last layer, of {counted(probes, 'probe')} of "
        f"{counted(people, 'subject')} with each preprocessor. Which points are near one another can be read from it; "
        "how far apart groups are, and how large, cannot."
    )


def _pixel(place: tuple[float, float]) -> tuple[float, float]:
    x, y = place
    return _MARGIN + x * (WIDTH - 2 * _MARGIN), _MARGIN + (1 - y) * (HEIGHT - 2 * _MARGIN)


def _path(shape: str, x: float, y: float) -> str:
    r = RADIUS
    if shape == "round":
        return f"M{x - r:.1f} {y:.1f}a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0 {-2 * r:g} 0z"
    if shape == "triangle":
        return f"M{x:.1f} {y - r:.1f}l{r:g} {1.75 * r:g}h{-2 * r:g}z"
    if shape == "square":
        return f"M{x - r:.1f} {y - r:.1f}h{2 * r:g}v{2 * r:g}h{-2 * r:g}z"
    return f"M{x - r:.1f} {y - r:.1f}l{2 * r:g} {2 * r:g}m0 {-2 * r:g}l{-2 * r:g} {2 * r:g}"
