"""The committed examples: their numbers against foreign golden numbers, and their pages against their numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from recog_restore.report import html
from recog_restore.results import read

EXAMPLES = Path(__file__).resolve().parent.parent / "reports" / "examples"

# Measured by a separate script, in percent: 10-fold accuracy on LFW with the same weights, and how near we must come.
GOLDEN = {
    "lfw-ms1m": (99.30, 0.05),
    "lfw-ms1m-flip": (99.38, 0.05),
    "lfw-casia": (98.75, 0.10),
    "lfw-casia-flip": (98.87, 0.10),
}
PAGES = {
    "lfw-ms1m.html": ["lfw-ms1m"],
    "lfw-four-embedders.html": list(GOLDEN),
    "cfp.html": ["cfp-ff-ms1m", "cfp-fp-ms1m"],
}


@pytest.mark.parametrize("name", GOLDEN)
def test_lfw_equals_a_separate_script(name: str) -> None:
    result = read(EXAMPLES / f"{name}.json")
    accuracy, tolerance = GOLDEN[name]
    found = result.value("accuracy_10fold", "none")
    assert found is not None
    assert found.n == 6000
    assert 100 * found.value == pytest.approx(accuracy, abs=tolerance + 1e-9)
    assert result.failed["none"] == 0


@pytest.mark.parametrize("name", ["cfp-ff-ms1m", "cfp-fp-ms1m"])
def test_cfp_says_that_it_is_partial(name: str) -> None:
    result = read(EXAMPLES / f"{name}.json")
    assert result.data["partial"] == "folds 1, 2, 3, 4, 5, 6, 7, 8 only"
    assert result.value("accuracy_8fold", "none").n == 5600


@pytest.mark.parametrize("page", PAGES)
def test_page_is_what_its_results_render_to(page: str) -> None:
    results = [read(EXAMPLES / f"{name}.json") for name in PAGES[page]]
    assert (EXAMPLES / page).read_text("utf-8") == html.render(results)


def test_examples_hold_no_face_and_no_stray_file() -> None:
    results = {path.stem for path in EXAMPLES.glob("*.json")}
    assert results == {name for names in PAGES.values() for name in names}
    assert {path.name for path in EXAMPLES.glob("*.html")} == set(PAGES)
    for name in results:
        result = read(EXAMPLES / f"{name}.json")
        assert result.examples == ()
        assert not Path(result.data["root"]).is_absolute()
