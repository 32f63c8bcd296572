from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from recog_restore.errors import ResultError
from recog_restore.report import html, wording
from recog_restore.resources import folder
from recog_restore.results import Curve, Failure, Result, read


class Page(HTMLParser):
    """What a browser's parser finds: tags with attributes, text outside scripts, and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.headings: list[tuple[int, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "br"):
            self._open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        where = self._open[-1] if self._open else ""
        if where == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif where != "style":
            self.text.append(data)
        if heading := next((tag for tag in reversed(self._open) if re.fullmatch("h[1-6]", tag)), None):
            level, text = self.headings[-1]
            assert heading == f"h{level}"
            self.headings[-1] = (level, text + data)

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def specs(page: Page) -> list[dict[str, Any]]:
    return [json.loads(text) for attributes, text in page.scripts if attributes.get("type") == "application/json"]


def test_the_answer_comes_first_then_the_rest_in_order(
    make: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    page = Page(html.render([judged(make())]))
    words = page.words()
    assert words.index("bicubic-down8 lowers 10-fold accuracy from") < words.index("All metrics")
    assert [text for level, text in page.headings if level == 2] == [
        "All metrics",
        "Curves and scores",
        "By parts of the data",
        "Whom does it harm?",
        "Thresholds for deployment",
        "Faces before and after",
        "What was not tested",
        "Failures",
        "Configuration",
        "What is what",
    ]


def test_headings_never_skip_a_level(
    make: Callable[..., Result], search: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    for results in ([make()], [judged(make())], [make(), judged(make(seed=1)), search()]):
        levels = [level for level, _ in Page(html.render(results)).headings]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_only_what_the_result_has_is_shown(make: Callable[..., Result], search: Callable[..., Result]) -> None:
    words = Page(html.render([search()])).words()
    assert "CMC" in words
    assert "ROC" not in words
    assert "Faces before and after" not in words
    bare = make({}, examples=0, failures=0, breakdown=False)
    words = Page(html.render([dataclasses.replace(bare, curves={}, histograms={}, values=())])).words()
    assert "there is no answer" in words
    assert "No face failed." in words
    assert "Curves and scores" not in words


def test_a_partial_run_and_every_warning_are_said_before_the_numbers(make: Callable[..., Result]) -> None:
    page = Page(html.render([make(partial="--limit 500: the first 500", warnings=("first warning", "second warning"))]))
    head = page.words().split("All metrics")[0]
    for text in ("Partial run.", "--limit 500: the first 500", "first warning", "second warning"):
        assert text in head


def test_every_number_of_the_tables_is_in_the_result(make: Callable[..., Result]) -> None:
    result = make()
    allowed = {wording.percent(value.value) for value in result.values}
    shown = re.findall(r'class="value">([^<]*%)', html.render([result]))
    ranked = len(wording.preprocessors(result))  # once more, in the order of the primary metric
    assert len(shown) == ranked + sum(value.value is not None for value in result.values)
    assert set(shown) <= allowed


def test_no_text_of_a_result_becomes_markup(hostile: Result, nasty_names: tuple[str, ...]) -> None:
    text = html.render([hostile])
    text.encode("utf-8")
    page = Page(text)
    assert all(not attribute.startswith("on") for _, attributes in page.tags for attribute in attributes)
    assert sum(tag == "b" for tag, _ in page.tags) == len(nasty_names)  # the differences of the answer, no name
    assert len([1 for attributes, _ in page.scripts if attributes.get("type") != "application/json"]) == 2
    words = page.words()
    for name in nasty_names:
        assert " ".join(wording.visible(name).split()) in words
    assert "49" not in re.findall(r"\{\{ 7 \* 7 \}\}|\b49\b", words)


def test_the_specifications_of_plots_survive_every_name(hostile: Result) -> None:
    found = specs(Page(html.render([hostile])))
    assert len(found) == 3 + len(hostile.histograms)
    names = [line["name"] for line in found[1]["data"]]
    assert names[1] == "&lt;script&gt;alert(1)&lt;/script&gt;.jpg"


def test_nothing_is_loaded_from_anywhere(make: Callable[..., Result], hostile: Result) -> None:
    for results in ([make()], [hostile], [make(), make(seed=1)]):
        page = Page(html.render(results))
        for tag, attributes in page.tags:
            assert tag not in ("iframe", "object", "embed", "base", "form", "audio", "video", "source")
            for attribute in ("src", "href", "srcset", "data", "action", "poster", "background"):
                address = attributes.get(attribute)
                assert address is None or address.startswith(("#", "data:image/")) or address == "data:,"
            assert "url(" not in (attributes.get("style") or "")
        style = html.render(results).split("<style>")[1].split("</style>")[0]
        assert "url(" not in style
        assert "@import" not in style


def test_the_policy_names_exactly_the_two_scripts_of_the_page(make: Callable[..., Result]) -> None:
    page = Page(html.render([make()]))
    (policy,) = (a["content"] or "" for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';")
    scripts = [text for attributes, text in page.scripts if not attributes]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert re.findall(r"'sha256-([^']*)'", policy) == hashes
    assert "unsafe-inline" not in policy.split("script-src")[1]


def test_plotly_is_in_the_page_once(make: Callable[..., Result]) -> None:
    page = html.render([make(), make(seed=1)])
    assert page.count(get_plotlyjs()) == 1


def test_the_same_results_give_the_same_page_also_from_the_file(make: Callable[..., Result], tmp_path: Path) -> None:
    result = make()
    result.write(tmp_path / "result.json")
    page = html.render([result])
    assert html.render([result]) == page
    assert html.render([read(tmp_path / "result.json")]) == page


def test_a_page_stays_below_its_limit_whatever_there_is_to_show(make: Callable[..., Result]) -> None:
    result = make(dict.fromkeys([f"network{i}" for i in range(6)], 0.1), examples=6)
    noise = base64.b64encode(os.urandom(30_000)).decode()
    large = tuple(
        dataclasses.replace(
            e, faces=tuple(dataclasses.replace(f, before="data:image/png;base64," + noise) for f in e.faces)
        )
        for e in result.examples
    )
    failures = tuple(Failure(f"{'sample' * 30}{i}.jpg", "none", "decode", f"reason {i}") for i in range(5000))
    page = html.render([dataclasses.replace(result, examples=large, failures=failures, failed={"none": 5000})] * 4)
    assert len(page.encode()) <= html.LIMIT
    assert "more did not fit into this file" in page


def test_faces_make_room_for_the_rest_of_the_page(make: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    result = make(examples=6)
    size = len(html.render([result]).encode())
    monkeypatch.setattr(html, "LIMIT", size - 20_000)
    page = html.render([result])
    assert len(page.encode()) <= size - 20_000
    assert "did not fit into this file" in page


def test_more_than_a_page_can_hold_is_refused_with_a_way_out(
    make: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "LIMIT", 1_000_000)
    with pytest.raises(ResultError, match=r"2 results would have [\d,]+ bytes, more than 1,000,000; report on fewer"):
        html.render([make(), make(seed=1)])


def test_no_result_is_refused() -> None:
    with pytest.raises(ResultError, match="expected at least one result to report on, got none"):
        html.render([])


def test_failures_are_grouped_with_their_counts_and_the_first_listed(make: Callable[..., Result]) -> None:
    failures = tuple(Failure(f"face{i:04d}.jpg", "none", "decode", f"kind {i % 2}") for i in range(501))
    page = Page(html.render([dataclasses.replace(make(), failures=failures, failed={"none": 501})]))
    words = page.words()
    assert "251 every run decode kind 0" in words
    assert "250 every run decode kind 1" in words
    assert "The first 200 of 501 failed faces" in words
    assert "face0199.jpg" in words
    assert "face0200.jpg" not in words


def test_every_image_has_a_text_and_a_size(make: Callable[..., Result]) -> None:
    page = Page(html.render([make(examples=1)]))
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(images) == 2 * 2 * 2 * 2
    for attributes in images:
        assert re.fullmatch(r".+\.jpg, (before|after) (bicubic-down8|clahe)", attributes["alt"] or "")
        assert (attributes["width"], attributes["height"]) == ("128", "128")
    drawings = [attributes for _, attributes in page.tags if attributes.get("class") == "drawing"]
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in drawings)


def test_protocols_never_share_a_table(make: Callable[..., Result], search: Callable[..., Result]) -> None:
    other = make(protocol="lfw-down8@1", embedder="other")
    text = html.render([make(), search(), other, make(seed=1)])
    tables = re.findall(r'aria-label="Runs of ([^"]*) side by side">.*?<thead>(.*?)</thead>', text, re.DOTALL)
    runs = {protocol: re.findall(r"Run \d", head) for protocol, head in tables}
    assert runs == {"lfw@1": ["Run 1", "Run 4"], "folder@1": ["Run 2"], "lfw-down8@1": ["Run 3"]}


def test_runs_that_differ_in_more_than_their_networks_say_so(make: Callable[..., Result]) -> None:
    first, second = make(), make(seed=1)
    assert "fingerprints differ" not in html.render([first, second])
    changed = {**second.protocol, "settings": {**second.protocol["settings"], "compat": ["insightface"]}}
    second = dataclasses.replace(
        second, data={**second.data, "fingerprint": "other", "partial": "--limit 5"}, protocol=changed
    )
    words = Page(html.render([first, second])).words()
    assert "their fingerprints differ" in words
    assert "at least one is partial" in words
    assert "Settings of the protocol differ: compat." in words


def test_several_runs_have_curves_in_one_plot_and_their_own_sections_closed(make: Callable[..., Result]) -> None:
    page = Page(html.render([make(), make({"mdfr": 0.1}, seed=1)]))
    names = [line["name"] for line in specs(page)[0]["data"]]
    assert names == ["Run 1 · baseline", "Run 1 · bicubic-down8", "Run 1 · clahe", "Run 2 · baseline", "Run 2 · mdfr"]
    runs = [attributes for tag, attributes in page.tags if tag == "details" and attributes.get("class") == "run"]
    assert len(runs) == 2
    assert all("open" not in attributes for attributes in runs)


def test_every_link_of_the_page_has_its_target_once(make: Callable[..., Result], search: Callable[..., Result]) -> None:
    for results in ([make()], [make(), search()]):
        page = Page(html.render(results))
        ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
        assert len(ids) == len(set(ids))
        targets = {(attributes["href"] or "")[1:] for tag, attributes in page.tags if tag == "a"}
        assert targets <= set(ids)


def test_the_configuration_is_complete(make: Callable[..., Result]) -> None:
    result = make()
    words = Page(html.render([result])).words()
    for text in ("settings.data.expect.comparisons 6000", result.data["fingerprint"], "card.rights.weights unknown"):
        assert text in words
    for text in ("--data 'my faces/lfw' --pre", "versions.torch 2.13.0", "acquire 41.20", "schema 1", "strength 1.0"):
        assert text in words


def test_a_result_just_computed_gives_the_page_of_its_file(make: Callable[..., Result], tmp_path: Path) -> None:
    result = make(examples=0)
    nan = float("nan")
    undefined = (
        *(dataclasses.replace(value, value=nan, threshold=nan) for value in result.values[:3]),
        dataclasses.replace(result.values[3], std=nan, interval=(nan, 1.0)),
        *result.values[4:],
    )
    result = dataclasses.replace(result, values=undefined)
    page = html.render([result])
    assert "nan" not in Page(page).words().split()
    plain = [dataclasses.replace(value, interval=None) for value in undefined]
    dataclasses.replace(result, values=tuple(plain)).write(tmp_path / "result.json")
    assert html.render([read(tmp_path / "result.json")]) == page


def test_undefined_error_rates_are_said_instead_of_drawn(make: Callable[..., Result]) -> None:
    result = make(examples=0)
    nan = (float("nan"),) * 3
    curves = {"none": Curve((None, 0.5, 0.1), (0.0, 0.5, 1.0), nan), "clahe": Curve((None, 0.5, 0.1), nan, nan)}
    page = Page(html.render([dataclasses.replace(result, curves=curves)]))
    assert len(specs(page)) == len(result.histograms)
    assert "Nothing to draw: no threshold with a false match has a true accept rate." in page.words()
    assert "Nothing to draw: no threshold makes errors of both kinds." in page.words()


def test_the_failure_rule_is_the_protocols(make: Callable[..., Result]) -> None:
    assert "Rule of this protocol: <bdi>a failed face never matches</bdi>." in html.render([make()])


def test_the_page_can_have_another_title(make: Callable[..., Result]) -> None:
    assert "<title>A &amp; B</title>" in html.render([make()], "A & B")
    assert "<title>Labeled Faces in the Wild, view 2</title>" in html.render([make()])


def test_a_page_is_written_whole_or_not_at_all(
    make: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    html.write([make(examples=0)], path)
    before = path.read_bytes()
    assert before.decode() == html.render([make(examples=0)])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recog_restore.files.os.replace", full)
    with pytest.raises(ResultError, match=r"report\.html: the report cannot be written: No space left on device"):
        html.write([make()], path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_folder_that_is_absent_is_said_in_one_sentence(make: Callable[..., Result], tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="the report cannot be written: No such file or directory"):
        html.write([make(examples=0)], tmp_path / "absent" / "report.html")


def test_templates_are_read_from_a_zipped_wheel_too(
    make: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = html.render([make()])
    with zipfile.ZipFile(tmp_path / "wheel.zip", "w") as archive:
        for name in ("report.html", "sections.html", "drift.html", "report.css", "report.js"):
            archive.writestr(f"reports/templates/{name}", (folder("reports") / "templates" / name).read_text("utf-8"))
    with zipfile.ZipFile(tmp_path / "wheel.zip") as archive:
        monkeypatch.setattr(html, "folder", lambda kind: zipfile.Path(archive, f"{kind}/"))
        assert html.render([make()]) == page


def test_a_report_imports_neither_torch_nor_pandas_nor_the_engine() -> None:
    program = (
        "import sys; from recog_restore.report import html, tables;"
        "heavy = {'torch', 'pandas', 'cv2', 'sklearn', 'scipy', 'numpy', 'recog_restore.engine'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


NOTE = "SynthPIE: synthetic faces rendered by this program; not a Multi-PIE number"


def test_that_faces_are_synthetic_is_said_in_title_first_screen_and_every_caption(
    poses: Callable[..., Result],
) -> None:
    text = html.render([poses()])
    assert f"· {NOTE}</title>" in text
    head = Page(text).words().split("Protocol multipie-setting2@1")[0]
    assert NOTE in head
    captions = re.findall(r"<(?:fig)?caption>.*?</(?:fig)?caption>", text, re.DOTALL)
    numbers = [caption for caption in captions if "Score with its mate" not in caption]
    failures = [caption for caption in numbers if NOTE not in caption]
    assert [re.sub("<[^>]*>", "", caption).split()[0] for caption in failures] == ["Faces", "Reasons"]
    assert len(numbers) > 6
    assert NOTE not in html.render([poses(note="")])


def test_notes_of_several_runs_stand_once_unless_they_differ(poses: Callable[..., Result]) -> None:
    same = Page(html.render([poses(), poses(embedder="cosface")])).words()
    assert same.split("Side by side")[0].count(NOTE) == 2  # the title of the file, and the page
    mixed = Page(html.render([poses(), poses(embedder="cosface", note="other")])).words()
    assert f"{NOTE} · other" in mixed
    assert "Run 2 · cosface on multipie-setting2@1 other" in mixed


def test_the_facts_of_a_search_are_its_counts_its_backend_and_what_is_preprocessed(
    poses: Callable[..., Result],
) -> None:
    words = Page(html.render([poses()])).words()
    assert "Gallery 137 faces of 137 subjects Probes 35,480 faces" in words
    assert "What is preprocessed probes only, not the gallery Search exact" in words
    nearly = {"backend": "faiss-hnsw", "exact": False, "recall": 0.9962, "recall_at": 50, "device": "cpu"}
    result = poses(search=nearly)
    result.data["templates"] = True
    result.protocol["settings"]["preprocess"] = "both"
    words = Page(html.render([result])).words().replace("\u202f", " ")
    two = Page(html.render([poses(), result])).words()
    assert "Not every run searches the whole gallery: at least one search is approximate." in two
    assert "faiss-hnsw, approximate: lists 99.62 % of the 50 best of the exact search" in words
    assert "Gallery 137 templates of 137 subjects" in words
    assert "What is preprocessed probes and gallery" in words
    flat = {"backend": "faiss-flat", "exact": True}
    assert "Search faiss-flat, exact" in Page(html.render([poses(search=flat)])).words()
    blind = {"backend": "faiss-ivf", "exact": False, "recall": None}
    assert "Search faiss-ivf, approximate: recall unknown" in Page(html.render([poses(search=blind)])).words()


def test_the_papers_table_comes_before_all_metrics_and_side_by_side_has_it_too(
    poses: Callable[..., Result],
) -> None:
    headings = [text for level, text in Page(html.render([poses()])).headings if level == 2]
    assert headings[:2] == ["Rank-1 hit rate over |yaw|", "All metrics"]
    two = html.render([poses(), poses(embedder="cosface")])
    comparison = two.split('id="comparison"')[1].split('class="run"')[0]
    assert comparison.count('<table class="bins">') == 3
    assert "±90°" in comparison


def test_no_subject_of_a_confusion_becomes_markup(poses: Callable[..., Result], nasty_names: tuple[str, ...]) -> None:
    result = poses({nasty_names[0]: 0.1}, subjects=nasty_names, confusions=len(nasty_names), note=nasty_names[1])
    text = html.render([result])
    page = Page(text)
    assert all(not attribute.startswith("on") for _, attributes in page.tags for attribute in attributes)
    assert len([1 for attributes, _ in page.scripts if attributes.get("type") != "application/json"]) == 2
    words = page.words()
    for name in nasty_names:
        assert words.count(" ".join(f"probe {wording.visible(name)}".split())) == 2
        assert words.count(" ".join(f"taken for {wording.visible(name)}".split())) == 2
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(images) == len(nasty_names) * (3 + 4)
    assert all(attributes["alt"] for attributes in images)


def test_faces_are_shown_only_if_the_result_holds_them(poses: Callable[..., Result]) -> None:
    page = Page(html.render([poses(confusions=0)]))
    assert "Worst confusions" not in page.words()
    assert not [1 for tag, _ in page.tags if tag == "img"]


def test_the_baseline_of_degraded_faces_is_described_as_it_is(poses: Callable[..., Result]) -> None:
    words = Page(html.render([poses(degradation={"name": "down8", "apply": "probes"})])).words()
    assert "Baseline (probes degraded by down8, not preprocessed) and preprocessors" in words
    assert "untouched" not in words.split("Configuration")[0]


def test_the_harm_of_every_preprocessor_is_told_with_its_parts(
    make: Callable[..., Result], poses: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    words = Page(html.render([judged(make())])).words()
    assert "At the baseline’s threshold, 0.2915: 30 mated comparisons fixed and 12 broken" in words
    assert "1 false match removed, 3 added" in words
    assert "yaw 45 to 90" in words
    words = Page(html.render([judged(poses())])).words()
    assert "Of 35,480 searches 30 became right at rank 1 and 12 became wrong." in words
    assert "|yaw| ±90°" in words
    assert "A search in a closed set has no threshold" in words


def test_fixed_and_broken_faces_stand_side_by_side_with_scores_and_nearest_impostor(
    make: Callable[..., Result], poses: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    page = Page(html.render([judged(poses({"mdfr": 0.1}))]))
    words = page.words()
    assert "Fixed by mdfr" in words
    assert "Broken by mdfr" in words
    assert "Search: rank 4 → 1 ; score with its mate" not in words
    assert re.search(r"Search: rank 4 → 1; score with its mate 0\.200 → 0\.600; with the nearest impostor", words)
    assert "nearest impostor" in words
    compared = judged(make({"mdfr": 0.1}))
    words = Page(html.render([compared])).words()
    pattern = r"Mated comparison: score 0\.600 → 0\.200, threshold 0\.\d+; the first face with its nearest impostor .+"
    assert re.search(pattern + r" 0\.400 → 0\.380", words)
    nameless = [dataclasses.replace(f, impostor_score=None, subjects=(), faces=f.faces[:2]) for f in compared.flips]
    words = Page(html.render([dataclasses.replace(compared, flips=tuple(nameless))])).words()
    assert "Mated comparison: score 0.600 → 0.200, threshold" in words
    assert "nearest impostor" not in words
    shown = Page(html.render([judged(make({"mdfr": 0.1}, examples=0), faces=False)]))
    assert not [1 for tag, _ in shown.tags if tag == "img"]
    assert "Impostors whose score rose most" in shown.words()


def test_what_was_not_tested_is_said_in_every_report(make: Callable[..., Result], poses: Callable[..., Result]) -> None:
    for result in (make(), make({}), poses()):
        assert "What was not tested" in Page(html.render([result])).words()


def test_names_of_turned_decisions_are_only_text(hostile: Result, nasty_names: tuple[str, ...]) -> None:
    text = html.render([hostile])
    assert hostile.flips
    assert "<img src=x" not in text
    assert "onerror=alert(1)>" not in text.replace("&gt;", "")
