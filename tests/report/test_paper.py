"""Papers' tables against the paper's printed numbers, and against a slow reading of the values."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from recog_restore import protocol as protocols
from recog_restore.errors import RecordError, ResourceMissing
from recog_restore.report import paper
from recog_restore.report.paper import Condition, Method, PaperTable
from recog_restore.results import Result, Value
from recog_restore.training.reading import read_recipe

PAPER = Path(__file__).resolve().parents[3] / "shared" / "papers" / "mdfr.txt"
MODELS = Path(__file__).resolve().parents[2] / "models"
Results = Callable[..., Result]


def printed(table: PaperTable, *results: Result) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(paper.terminal(table, results))
    return capture.get()


def test_tables_of_mdfr_are_there() -> None:
    assert paper.known() == ["mdfr-1", "mdfr-2", "mdfr-4", "mdfr-5"]


# How the paper's text prints what the tables here write otherwise.
AS_PRINTED = {"L_icd": "Licd", "L_pcd": "Lpcd", "L_FA": "Lfa", "°": "o"}


def paper_text() -> str:
    if not PAPER.is_file():
        pytest.skip(f"no text of the paper at {PAPER}")
    return " ".join(PAPER.read_text("utf-8").replace("\f", " ").replace("◦", "o").split())


def not_printed(table: PaperTable, text: str) -> list[str]:
    """Return the heads of the table, and of its rows, that do not stand so in the text, numbers included."""
    across, down = table.conditions, table.methods
    rows = [method.reported for method in table.methods]
    if table.columns == "methods":
        across, down, rows = down, across, list(zip(*rows, strict=True))
    lacking = [] if " ".join(["Methods", *(as_printed(column.name) for column in across)]) in text else ["Methods"]
    for head, row in zip(down, rows, strict=True):
        numbers = " ".join("-" if math.isnan(number) else f"{number:.2f}" for number in row)
        source = r"(?: ?\[\d+\]| Acc\.)?"  # of the paper's bibliography, or what is measured
        wanted = rf"(?<!\S){re.escape(as_printed(head.name))}{source} {re.escape(numbers)}(?!\S)"
        if not all(map(math.isnan, row)) and not re.search(wanted, text):
            lacking.append(head.name)
    return lacking


def as_printed(name: str) -> str:
    for ours, theirs in AS_PRINTED.items():
        name = name.replace(ours, theirs)
    return name


@pytest.mark.parametrize("name", ["mdfr-1", "mdfr-2", "mdfr-4", "mdfr-5"])
def test_reported_numbers_are_those_of_the_papers_text(name: str) -> None:
    assert not_printed(paper.load(name), paper_text()) == []


@pytest.mark.parametrize(("name", "heads"), [("mdfr-1", ["FFN-S", "FRN-TI"]), ("mdfr-5", ["Methods"])])
def test_numbers_of_one_method_at_another_are_seen(name: str, heads: list[str]) -> None:
    table = paper.load(name)
    names = {"FFN-S": "FRN-TI", "FRN-TI": "FFN-S", "CosFace": "ArcFace", "ArcFace": "CosFace"}
    methods = tuple(dataclasses.replace(m, name=names.get(m.name, m.name)) for m in table.methods)
    assert sorted(not_printed(dataclasses.replace(table, methods=methods), paper_text())) == heads


@pytest.mark.parametrize("name", ["mdfr-1", "mdfr-2", "mdfr-4", "mdfr-5"])
def test_conditions_name_protocols_that_measure_them(name: str) -> None:
    for condition in paper.load(name).conditions:
        if condition.protocol:
            asked = protocols.load(condition.protocol)
            assert condition.metric.partition("_")[0] in asked.metrics
            assert set(condition.where) <= set(asked.breakdowns)


def test_methods_of_table_1_are_the_ablations_recipes() -> None:
    named = {name for method in paper.load("mdfr-1").methods for name in method.preprocessors} - {"none"}
    recipes = {read_recipe(file).name for file in (MODELS / "ablations").glob("f*.toml")}
    assert named == recipes - {"frn-s"}


def test_measured_rates_stand_below_the_reported_ones(poses: Results) -> None:
    result = poses({"mdfr": 0.3, "card:runs/train-ffn-s/ffn-s": 0.2})
    table = paper.load("mdfr-2")
    found = {method.name: row for method, row in zip(table.methods, paper.cells(table, [result]), strict=True)}
    called = {"b": "none", "FFN-S": "card:runs/train-ffn-s/ffn-s", "FRN-TI": "mdfr"}
    for name, preprocessor in called.items():
        for (reported, measured), yaw in zip(found[name], ("90", "75", "60", "45", "30", "15"), strict=True):
            (value,) = (
                v.value
                for v in result.values
                if (v.metric, v.preprocessor, v.where) == ("rank1", preprocessor, {"abs_yaw": yaw})
            )
            assert measured is not None
            assert measured.value == value
            assert reported > 0
    assert all(measured is None for _, measured in found["TP-GAN"])
    lines = printed(table, result).splitlines()
    ours = next(i for i, line in enumerate(lines) if line.split()[:2] == ["FRN-TI", "reported"])
    assert lines[ours].split()[2:] == ["69.61", "84.93", "91.04", "97.76", "99.73", "99.82"]
    assert lines[ours + 1].split()[0] == "measured"
    first = found["FRN-TI"][0][1]
    assert first is not None
    assert first.value is not None
    assert lines[ours + 1].split()[1] == f"{100 * first.value:.2f}"
    assert "here, FFN-S is card:runs/train-ffn-s/ffn-s, FRN-TI is mdfr" in lines


def test_what_is_measured_on_what_is_said_below(poses: Results) -> None:
    shown = printed(paper.load("mdfr-2"), poses())
    assert "reported: Tu et al., MDFR, TCSVT 32(3), 2022 (arXiv:2105.09907), table II" in shown
    assert "measured on SynthPIE: multipie-setting2@1 with arcface-synthpie; SynthPIE: synthetic faces" in shown
    assert "not a Multi-PIE number" in shown


def test_methods_stand_in_columns_where_the_paper_has_them_there(make: Results, poses: Results) -> None:
    real = make({"mdfr": 0.1}, embedder="mobilefacenet-arcface-ms1m-112")
    rendered = poses({"mdfr": 0.2}, embedder="sphereface-synthpie")
    lines = printed(paper.load("mdfr-5"), real, rendered).splitlines()
    head = next(line for line in lines if "SphereFace" in line)
    assert head.split()[:1] == ["SphereFace"]
    lfw = next(i for i, line in enumerate(lines) if line.split()[:2] == ["LFW", "reported"])
    assert lines[lfw].split()[2:] == ["99.42", "99.48", "99.51", "99.54", "99.53", "99.56"]
    assert [cell == "–" for cell in lines[lfw + 1].split()[1:]] == [True] * 4 + [False] * 2
    added = next(line.split() for line in lines if line.split()[:2] == ["setting", "2"])
    assert added[2] == "measured"
    assert [cell == "–" for cell in added[3:]] == [False] * 2 + [True] * 4


def test_chain_of_folders_is_known_by_its_links(poses: Results) -> None:
    chain = "card:runs/a/frn-s+card:/b/ffn-s"
    result = poses({chain: 0.1})
    result = dataclasses.replace(result, protocol=result.protocol | {"id": "multipie-setting2-lq@1"})
    table = paper.load("mdfr-4")
    row = next(row for m, row in zip(table.methods, paper.cells(table, [result]), strict=True) if m.name == "FRN-FFN")
    assert [measured.preprocessor if measured else None for _, measured in row] == [None, None, chain]


def test_other_settings_of_a_method_are_not_the_method(poses: Results) -> None:
    with pytest.raises(RecordError, match=r"expected runs of multipie-setting1 with --pre ffn-s-no-pnm"):
        paper.cells(paper.load("mdfr-1"), [poses()])
    table = paper.load("mdfr-2")
    found = paper.cells(table, [poses({"mdfr,strength=0.5": 0.1})])
    assert not any(measured for _, measured in found[-1])


def test_first_named_preprocessor_that_has_a_number_is_taken(poses: Results) -> None:
    table = paper.load("mdfr-2")
    (*_, ffn, _) = paper.cells(table, [poses({"ffn-s": 0.1, "mdfr-ffn": 0.2})])
    assert {measured.preprocessor for _, measured in ffn if measured} == {"mdfr-ffn"}


def test_different_numbers_of_one_cell_are_refused(poses: Results) -> None:
    one, other = poses({"mdfr": 0.1}), poses({"mdfr": 0.1, "clahe": 0.0})
    assert paper.cells(paper.load("mdfr-2"), [one, other])[0][0][1] is not None  # the same baseline twice
    better = poses({"mdfr": 0.4}, embedder="cosface-synthpie")
    with pytest.raises(
        RecordError,
        match="FRN-TI at ±90°: the results have different numbers .23.75 by arcface-synthpie with mdfr; 49.10 by",
    ):
        paper.cells(paper.load("mdfr-2"), [one, better])


def test_undefined_number_is_a_dash(poses: Results) -> None:
    result = poses({"mdfr": 0.1})
    values = tuple(
        dataclasses.replace(v, value=None) if v.where == {"abs_yaw": "90"} and v.preprocessor == "mdfr" else v
        for v in result.values
    )
    lines = printed(paper.load("mdfr-2"), dataclasses.replace(result, values=values)).splitlines()
    ours = next(i for i, line in enumerate(lines) if line.split()[:2] == ["FRN-TI", "reported"])
    assert lines[ours + 1].split()[1] == "–"


def test_unknown_table_has_the_nearest() -> None:
    with pytest.raises(ResourceMissing, match=r"no paper's table named 'mdfr2'; did you mean 'mdfr-2'\?"):
        paper.load("mdfr2")


def test_method_without_a_number_for_each_condition_is_refused() -> None:
    with pytest.raises(RecordError, match="methods: b has 1 reported numbers; expected 2, one for each condition"):
        PaperTable("t", "s", "conditions", (Condition("x"), Condition("y")), (Method("b", (1.0,)),))


def test_value_of_another_metric_is_not_taken(poses: Results) -> None:
    result = poses({"mdfr": 0.1})
    only = Value("rank5", "mdfr", 0.5, 10, {"abs_yaw": "90"})
    with pytest.raises(RecordError, match="none of the results has a number of this table"):
        paper.cells(paper.load("mdfr-2"), [dataclasses.replace(result, values=(only,))])
