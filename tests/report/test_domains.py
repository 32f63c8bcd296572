from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

from recog_restore.report import html
from recog_restore.report.domains import HEIGHT, WIDTH, domains
from recog_restore.results import FeatureMap, Result, read

Results = Callable[..., Result]
MAP = FeatureMap(
    ("217", "217", "301"),
    {
        "none": ((0.0, 0.0), (0.5, 0.25), (1.0, 1.0)),
        "frn-s": ((0.1, 0.2), (0.3, 0.4), (0.5, 0.6)),
        "ffn-s": ((0.2, 0.2), (0.4, 0.4), (0.6, 0.6)),
        "frn-ti": ((0.3, 0.2), (0.5, 0.4), (0.7, 0.6)),
    },
)


def mapped(poses: Results) -> Result:
    return dataclasses.replace(poses({"frn-s": 0.0, "ffn-s": 0.1, "frn-ti": 0.2}), domains=MAP)


def test_every_probe_has_a_mark_with_each_preprocessor_in_its_own_shape(poses: Results) -> None:
    drawn = domains(mapped(poses))
    assert drawn is not None
    assert [domain.name for domain in drawn.domains] == ["baseline", "frn-s", "ffn-s", "frn-ti"]
    assert len({(domain.symbol, domain.filled) for domain in drawn.domains}) == 4
    assert len({domain.colour for domain in drawn.domains}) == 4
    for domain in drawn.domains:
        assert [subject for subject, _ in domain.marks] == ["217", "217", "301"]
    assert "of 3 probes of 2 subjects with each preprocessor" in drawn.words
    assert "the unit embeddings by arcface-synthpie, its last layer" in drawn.words


def test_origin_is_below_and_everything_inside(poses: Results) -> None:
    drawn = domains(mapped(poses))
    assert drawn is not None
    first, *_, last = (
        [float(n) for n in re.findall(r"^M(\S+) ([^alh]+)", path)[0]] for _, path in drawn.domains[0].marks
    )
    assert 0 < first[0] < last[0] < WIDTH
    assert 0 < last[1] < first[1] < HEIGHT


def test_page_has_the_map_and_says_who_is_who(poses: Results) -> None:
    page = html.render([mapped(poses)])
    assert '<a href="#domains">Features</a>' in page
    assert page.count("<title>217, frn-ti</title>") == 2
    assert page.count("<title>301, baseline</title>") == 1
    assert 'class="domains"' not in html.render([poses({"frn-s": 0.0})])


def test_names_cannot_leave_the_drawing(hostile: Result, nasty_names: tuple[str, ...]) -> None:
    places = {name: ((0.5, 0.5),) for name in ("none", *nasty_names)}
    page = html.render([dataclasses.replace(hostile, domains=FeatureMap((nasty_names[0],), places))])
    assert "<title>" in page
    assert nasty_names[0] not in page.split("<svg", 1)[1].split("</svg>", 1)[0]


def test_map_is_read_back_from_the_results_file(poses: Results, tmp_path: Path) -> None:
    result = mapped(poses)
    result.write(tmp_path / "result.json")
    assert read(tmp_path).domains == MAP
