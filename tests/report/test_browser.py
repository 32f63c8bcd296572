"""The page in a real browser; a last group of tests shows that these can fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recog_restore.report import html
from recog_restore.results import Result

from .browser import Browser
from .page import click_everything, faint, overhang

PAGES = ("one", "several", "search", "poses", "embedders", "judged", "turned", "hostile", "bare")


@pytest.fixture(scope="module")
def pages(
    tmp_path_factory: pytest.TempPathFactory,
    make: Callable[..., Result],
    search: Callable[..., Result],
    poses: Callable[..., Result],
    judged: Callable[..., Result],
    hostile: Result,
    nasty_names: tuple[str, ...],
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    one = make(examples=2)
    contents = {
        "one": [one],
        "several": [
            one,
            make({"mdfr": 0.1}, seed=1, embedder="sphere20a", examples=1, partial="--limit 500"),
            search(),
        ],
        "search": [search()],
        "poses": [poses()],
        "embedders": [poses(), poses({nasty_names[0]: 0.1}, embedder="cosface", subjects=nasty_names)],
        "judged": [judged(make(examples=1))],
        "turned": [judged(poses())],
        "hostile": [hostile],
        "five": [judged(make({f"bicubic-down{n}": n / 20 for n in range(2, 7)}, examples=0, interval=True))],
        "bare": [make({}, examples=0, failures=0, breakdown=False)],
    }
    for name, results in contents.items():
        html.write(results, folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in contents}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_error_no_request_and_no_overhang_and_is_readable(
    browser: Browser, pages: dict[str, Path], name: str, tmp_path: Path
) -> None:
    browser.scheme("light")
    browser.size(1200)
    browser.open(pages[name])
    assert overhang(browser) <= 0
    assert faint(browser) == []
    light = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    browser.scheme("dark")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") != light
    assert faint(browser) == []
    browser.size(360)
    assert overhang(browser) <= 0
    assert faint(browser) == []
    browser.screenshot(tmp_path / "phone.png")
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [pages[name].as_uri()]


@pytest.mark.parametrize("name", ["one", "several", "poses", "judged"])
def test_everything_can_be_clicked_without_an_error(browser: Browser, pages: dict[str, Path], name: str) -> None:
    browser.scheme("light")
    browser.size(1200)
    browser.open(pages[name])
    clicked = click_everything(browser)
    assert [kind for kind in clicked if kind.startswith("covered")] == []
    assert {"button", "summary", "a", "legend"} <= set(clicked)
    assert overhang(browser) <= 0
    assert browser.errors == []
    assert [url for url in browser.requests if url.startswith("http")] == []


def test_the_button_switches_the_theme_of_page_and_plots_and_back(browser: Browser, pages: dict[str, Path]) -> None:
    browser.scheme("light")
    browser.size(1200)
    browser.open(pages["one"])
    colours = "[getComputedStyle(document.body).color, getComputedStyle(document.querySelector('.xtick text')).fill]"
    before = browser.evaluate(colours)
    browser.evaluate("document.getElementById('theme').click()")
    after = browser.evaluate(colours)
    assert all(a != b for a, b in zip(before, after, strict=True))
    assert faint(browser) == []
    browser.evaluate("document.getElementById('theme').click()")
    assert browser.evaluate(colours) == before


def test_a_fifth_preprocessor_is_not_cut_off(browser: Browser, pages: dict[str, Path]) -> None:
    browser.scheme("light")
    browser.size(1280)
    browser.open(pages["five"])
    boxes = "[...document.querySelectorAll('#metrics .scroll, .ranking .scroll')]"
    assert max(browser.evaluate(f"{boxes}.map(box => box.scrollWidth - box.clientWidth)")) <= 0


def test_a_legend_entry_hides_its_line(browser: Browser, pages: dict[str, Path]) -> None:
    browser.size(1200)
    browser.open(pages["one"])
    shown = "document.querySelector('.drawing').querySelectorAll('.scatterlayer .trace .js-line').length"
    before = browser.evaluate(shown)
    box = browser.evaluate(
        "(() => { const n = document.querySelector('.legendtoggle');"
        " n.scrollIntoView({block: 'center', behavior: 'instant'});"
        " const b = n.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
    )
    browser.click(*box)
    browser.evaluate("new Promise(done => setTimeout(done, 800))")
    assert browser.evaluate(shown) == before - 1


def test_plots_in_closed_runs_are_drawn_when_opened(browser: Browser, pages: dict[str, Path]) -> None:
    browser.size(1200)
    browser.open(pages["several"])
    drawn = "document.querySelectorAll('#run2 .drawing .main-svg').length"
    assert browser.evaluate(drawn) == 0
    browser.evaluate("document.querySelector('#run2 > summary').click()")
    browser.settle()
    assert browser.evaluate(drawn) > 0


def test_printing_opens_all_in_light_and_leaves_the_page_as_it_was(
    browser: Browser, pages: dict[str, Path], tmp_path: Path
) -> None:
    browser.scheme("dark")
    browser.size(1200)
    browser.open(pages["several"])
    state = "[document.querySelectorAll('details[open]').length, document.documentElement.dataset.theme || '']"
    before = browser.evaluate(state)
    browser.evaluate(
        "addEventListener('beforeprint', () => { window.printed = ["
        "document.querySelectorAll('details:not([open])').length, document.documentElement.dataset.theme,"
        " document.querySelectorAll('.drawing:not(:has(.main-svg))').length]; })"
    )
    browser.pdf(tmp_path / "page.pdf")
    assert browser.evaluate("window.printed") == [0, "light", 0]
    assert browser.evaluate(state) == before
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert browser.errors == []


def test_no_plot_offers_to_upload_itself(browser: Browser, pages: dict[str, Path]) -> None:
    browser.size(1200)
    browser.open(pages["one"])
    titles = browser.evaluate("[...document.querySelectorAll('.modebar-btn')].map((n) => n.dataset.title)")
    assert set(titles) == {"Download plot as a PNG", "Zoom", "Pan", "Reset axes"}


def test_bands_are_drawn_and_vanish_with_their_line(browser: Browser, pages: dict[str, Path]) -> None:
    browser.scheme("light")
    browser.size(1200)
    browser.open(pages["poses"])
    fills = "document.querySelector('.drawing').querySelectorAll('.scatterlayer .js-fill').length"
    assert browser.evaluate(fills) == 3
    assert browser.evaluate("document.querySelector('.drawing').querySelectorAll('.legendtoggle').length") == 3
    box = browser.evaluate(
        "(() => { const n = document.querySelector('.legendtoggle');"
        " n.scrollIntoView({block: 'center', behavior: 'instant'});"
        " const b = n.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
    )
    browser.click(*box)
    browser.evaluate("new Promise(done => setTimeout(done, 800))")
    assert browser.evaluate(fills) == 2


def test_the_papers_table_fits_a_desktop(browser: Browser, pages: dict[str, Path]) -> None:
    browser.size(1280)
    browser.open(pages["poses"])
    box = "document.querySelector('table.bins').parentElement"
    assert browser.evaluate(f"{box}.scrollWidth - {box}.clientWidth") <= 0


def test_names_are_drawn_letter_for_letter(browser: Browser, pages: dict[str, Path]) -> None:
    browser.size(1200)
    browser.open(pages["hostile"])
    legend = browser.evaluate(
        "[...document.querySelector('.drawing').querySelectorAll('.legendtext')].map((n) => n.textContent)"
    )
    assert "<script>alert(1)</script>.jpg" in legend
    assert any(r"\u202e" in text for text in legend)
    assert browser.evaluate("document.querySelectorAll('img[src=x], script[src], main b:not(.delta b)').length") == 0


BROKEN = {
    "exception": ("<script>nowhere.at()</script>", "exception: ReferenceError"),
    "console": ("<script>console.error('broken')</script>", "console: ['broken']"),
    "image": ("<img src='absent.png'>", "log: Failed to load resource"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_page_is_noticed(browser: Browser, tmp_path: Path, kind: str) -> None:
    body, error = BROKEN[kind]
    (tmp_path / "broken.html").write_text(f"<!DOCTYPE html><title>broken</title>{body}")
    browser.open(tmp_path / "broken.html")
    assert any(error in entry for entry in browser.errors)


def test_a_click_that_fails_is_noticed(browser: Browser, tmp_path: Path) -> None:
    body = "<button>fine</button><button onclick='nowhere.at()'>broken</button>"
    (tmp_path / "broken.html").write_text(f"<!DOCTYPE html><title>broken</title>{body}")
    browser.open(tmp_path / "broken.html")
    assert browser.errors == []
    assert click_everything(browser) == {"button": 2}
    assert any("ReferenceError" in entry for entry in browser.errors)


def test_a_wide_or_faint_page_is_noticed(browser: Browser, tmp_path: Path) -> None:
    body = "<p style='width: 2000px; color: #ddd'>wide and faint</p>"
    (tmp_path / "broken.html").write_text(f"<!DOCTYPE html><title>broken</title>{body}")
    browser.scheme("light")
    browser.size(1200)
    browser.open(tmp_path / "broken.html")
    assert overhang(browser) > 0
    assert len(faint(browser)) == 1


def test_a_script_that_breaks_in_is_refused_by_the_page(
    browser: Browser, pages: dict[str, Path], tmp_path: Path
) -> None:
    page = pages["search"].read_text("utf-8")
    (tmp_path / "broken.html").write_text(page.replace("<main>", "<main><script>window.broken = 1</script>"), "utf-8")
    browser.open(tmp_path / "broken.html")
    assert browser.evaluate("window.broken === undefined")
    assert any("Content Security Policy" in entry for entry in browser.errors)
