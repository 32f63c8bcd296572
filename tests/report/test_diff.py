from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

from recog_restore.errors import RecordError, UnknownName
from recog_restore.report import diff
from recog_restore.report.limits import Limit, check, limit
from recog_restore.results import NO_DIFFERENCE, Difference


def change(metric: str, value: float | None, verdict: str = NO_DIFFERENCE, **other: Any) -> Difference:
    interval = None if value is None else (value - 0.01, value + 0.01)
    other = {"p": 0.2, "p_holm": 0.4, "interval": interval, "method": "subject bootstrap", "n": 100} | other
    return Difference(metric, other.pop("preprocessor", "mdfr"), "mdfr", value, verdict=verdict, **other)


FOUND = (
    change("rank1", -0.004, smallest_detectable=0.013, fixed=3, broken=5),
    change("rank1", -0.032, "worse", where={"abs_yaw": "90"}, fixed=1, broken=33),
    change("rank1", 0.2, "better", where={"abs_yaw": "0"}),
    change("rank1", 0.0, where={"yaw": "90"}),
    change("fnmr@baseline", 0.02, "worse"),
    change("rank1_macro", -0.02, "worse", where={"over": "abs_yaw"}),
    change("eer", None),
)


def test_a_limit_is_a_name_and_a_number() -> None:
    assert limit("rank1@90 -1.0") == Limit("rank1@90", -1.0)
    assert limit(" tar@far=1e-3  −0.5 ") == Limit("tar@far=1e-3", -0.5)


@pytest.mark.parametrize("text", ["rank1@90", "-1.0", "rank1 much", "rank1 nan", ""])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(RecordError, match=r"expected METRIC\[@PART\] POINTS, as in \"rank1@90 -1.0\""):
        limit(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("rank1@abs_yaw=90 -1.0", False),
        ("rank1@abs_yaw=90 0", False),
        ("rank1@abs_yaw=90 -3.2", False),
        ("rank1@abs_yaw=90 -3.3", True),
        ("rank1 -0.1", True),  # as large a fall, but not significant
        ("rank1@0 -1.0", True),
        ("fnmr@baseline +1.0", False),
        ("fnmr@baseline +2.5", True),
        ("rank1_macro@abs_yaw -1", False),
        ("eer +1", False),  # undefined is not kept
    ],
)
def test_a_limit_is_broken_by_a_significant_change_of_its_size_alone(text: str, kept: bool) -> None:
    (finding,) = check([limit(text)], FOUND)
    assert finding.kept is kept


def test_a_finding_says_what_was_found_and_what_could_have_been() -> None:
    (broken,) = check([limit("rank1@abs_yaw=90 -1")], FOUND)
    assert broken.words == "rank1@abs_yaw=90 (mdfr): −3.20 [−4.20, −2.20] points, worse; the limit is −1.00"
    (kept,) = check([limit("rank1 -1")], FOUND)
    assert kept.words == (
        "rank1 (mdfr): −0.40 [−1.40, 0.60] points, no difference found; only ±1.30 or more is found with 80 % power"
    )
    assert "only" not in check([limit("rank1 -2")], FOUND)[0].words
    assert check([limit("eer 1")], FOUND)[0].words == "eer (mdfr): undefined"


def test_a_limit_holds_for_every_preprocessor() -> None:
    both = [change("rank1", 0.0, preprocessor=name) for name in ("none", "clahe")]
    assert [finding.words.split(":")[0] for finding in check([limit("rank1 -1")], both)] == [
        "rank1 (baseline)",
        "rank1 (clahe)",
    ]


def test_a_name_that_is_nobodys_or_several_parts_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"nothing is called 'rank2'; did you mean 'rank1'\?"):
        check([limit("rank2 -1")], FOUND)
    sized = [change("rank1", 0.0, where={"size": part}) for part in ("12–16 px", "≥ 96 px")]
    assert len(check([limit("rank1@12-16 px -1"), limit("rank1@size=>=96 px -1")], sized)) == 2
    with pytest.raises(RecordError, match="'rank1@90' names 2 parts: rank1@abs_yaw=90, rank1@yaw=90; use one of"):
        check([limit("rank1@90 -1")], FOUND)


def test_a_sign_for_the_better_is_refused() -> None:
    with pytest.raises(RecordError, match="rank1 1: for rank1 higher is better; expected a negative number"):
        check([limit("rank1 +1")], FOUND)
    with pytest.raises(RecordError, match="for fnmr@baseline lower is better; expected a positive number"):
        check([limit("fnmr@baseline -1")], FOUND)


def test_differences_come_back_from_csv_and_json_to_the_last_bit() -> None:
    rows = list(csv.DictReader(io.StringIO(diff.csv(FOUND))))
    entries = json.loads(diff.json(FOUND))
    assert tuple(rows[0]) == diff.COLUMNS == tuple(entries[0])
    for row, entry, found in zip(rows, entries, FOUND, strict=True):
        assert (float(row["difference"]) if row["difference"] else None) == entry["difference"] == found.difference
        assert (json.loads(row["where"]) if row["where"] else {}) == entry["where"] == found.where
        assert (row["verdict"], float(row["p_holm"])) == (found.verdict, 0.4)


def test_the_terminal_shows_every_difference_with_its_verdict() -> None:
    console = Console(width=100, file=io.StringIO(), legacy_windows=False)
    for table in diff.tables((*FOUND, change("rank1", 0.01, preprocessor="\x1b[2Jnone"))):
        console.print(table)
    text = str(console.file.getvalue())  # type: ignore[attr-defined]
    assert re.search(r"Rank 1 · \|yaw\| ±90° +worse, −3\.20 +\[−4\.20, −2\.20\] +0\.400 +1 +33", text)
    assert re.search(r"Rank 1 · yaw \+90° +(n\.s\., )?0\.00", text)
    assert "mdfr → mdfr" in text
    assert "\x1b" not in text
