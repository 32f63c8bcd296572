from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recog_restore.errors import RecordError, ResourceMissing
from recog_restore.preprocess import PREPROCESSORS
from recog_restore.preprocess.gate import create
from recog_restore.preprocess.learned import Fitted, Learned, LearnedGate, Term, hashed, read

FACTS = {
    "size": np.array([10.0, 24.0, 40.0, np.nan]),
    "yaw": np.array([0.0, 45.0, 90.0, 60.0]),
    "sharpness": np.array([5.0, 50.0, 500.0, 5.0]),
    "drift": np.array([0.1, 0.2, 0.3, np.nan]),
}


@pytest.mark.parametrize(
    ("text", "expected", "words"),
    [
        ("size<24", [1, 0, 0, 0], "size < 24"),
        ("size <= 24", [1, 1, 0, 0], "size <= 24"),
        ("yaw>45", [0, 0, 1, 1], "yaw > 45"),
        ("yaw>=45", [0, 1, 1, 1], "yaw >= 45"),
        ("quality<60", [1, 1, 0, 1], "sharpness < 60"),
        ("drift>1e-1", [0, 1, 1, 0], "drift > 0.1"),
        ("yaw>=45 and size<30", [0, 1, 0, 0], "yaw >= 45 and size < 30"),
    ],
)
def test_a_gate_opens_where_all_its_conditions_hold_and_never_for_what_is_unknown(
    text: str, expected: list[int], words: str
) -> None:
    gate = create(text)
    assert gate is not None
    assert gate.open(FACTS).tolist() == [bool(x) for x in expected]
    assert (gate.name, gate.words()) == (text, words)
    gate.fits(PREPROCESSORS.create("clahe"), "whoever")


def test_none_is_no_gate() -> None:
    assert create("none") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size", "expected none, learned:FILE, or conditions such as size<24"),
        ("size<many", "expected none, learned:FILE"),
        ("size<24 and", "expected none, learned:FILE"),
        ("sise<24", "no measure named 'sise'; did you mean 'size'"),
        ("drft>1", "no measure named 'drft'; did you mean 'drift'"),
    ],
)
def test_what_is_no_gate_is_refused_with_the_way_out(text: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        create(text)


def learned(**changes: object) -> Learned:
    values: dict[str, object] = {
        "preprocessor": "clahe",
        "preprocessor_sha256": "",
        "preprocessor_settings": PREPROCESSORS.create("clahe").settings(),
        "embedder": "lbp",
        "embedder_sha256": "id",
        "terms": (Term("size", (10.0, 20.0, 40.0), -2.0), Term("drift", (0.0, 1.0), 0.5)),
        "intercept": 0.25,
        "cut": 0.0,
        "fitted": Fitted("drawn@1", "drawn", 100, hashed(["a", "b"]), 0.5, 0.01, 0.001, 3.0),
    }
    return Learned(**{**values, **changes})  # type: ignore[arg-type]


def test_a_learned_gate_sums_weighted_standings_and_stays_shut_where_one_is_unknown() -> None:
    gate = LearnedGate("learned:g.json", learned())
    expected = [0.25 + 2 + 0.5 * -0.8, 0.25 - 2 * 0.2 + 0.5 * -0.6, 0.25 - 2 + 0.5 * -0.4, np.nan]
    np.testing.assert_allclose(gate.learned.odds(FACTS), expected, rtol=0, atol=1e-12)
    assert gate.open(FACTS).tolist() == [True, False, False, False]
    assert gate.measures == ("size", "drift")
    assert gate.words() == "learned: less size, more drift"


def test_a_learned_gate_without_a_cut_never_opens() -> None:
    gate = LearnedGate("learned:g.json", learned(cut=None))
    assert not gate.open(FACTS).any()
    assert gate.words().startswith("never")


def test_a_learned_gate_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "gate.json"
    learned().write(file)
    assert read(file) == learned()
    gate = create(f"learned:{file}")
    assert isinstance(gate, LearnedGate)
    assert gate.name == f"learned:{file}"
    assert [p.name for p in tmp_path.iterdir()] == ["gate.json"]


def test_a_learned_gate_names_nobody_and_yet_knows_whom_it_saw(tmp_path: Path) -> None:
    learned(fitted=Fitted("p", "d", 9, hashed(["Ada", "Bob", "Ada"]), 0.5, 0.1, 0.0, 2.0)).write(tmp_path / "g")
    assert "Ada" not in (tmp_path / "g").read_text()
    assert LearnedGate("g", read(tmp_path / "g")).known(["Bob", "Cleo"]) == 1


def test_a_learned_gate_serves_only_the_preprocessor_and_the_embedder_it_was_learned_for() -> None:
    gate = LearnedGate("learned:g.json", learned())
    gate.fits(PREPROCESSORS.create("clahe"), "id")
    with pytest.raises(RecordError, match="learned for clahe, not for gamma; fit one with --fit-gate"):
        gate.fits(PREPROCESSORS.create("gamma"), "id")
    with pytest.raises(RecordError, match="not for clahe"):
        gate.fits(PREPROCESSORS.create("clahe", strength=0.5), "id")
    with pytest.raises(RecordError, match="learned with the embedder lbp, and where a preprocessor helps depends"):
        gate.fits(PREPROCESSORS.create("clahe"), "another")


def test_what_is_no_gate_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResourceMissing, match="no such gate; rr-eval --fit-gate"):
        create(f"learned:{tmp_path / 'gone.json'}")
    file = tmp_path / "gate.json"
    file.write_text("{")
    with pytest.raises(RecordError, match="not a gate"):
        read(file)
    file.write_text("[]")
    with pytest.raises(RecordError, match="expected a gate of version 1, found version None"):
        read(file)
    learned().write(file)
    file.write_text(file.read_text().replace('"cut"', '"cutt"'))
    with pytest.raises(RecordError, match="unknown key 'cutt'; did you mean 'cut'"):
        read(file)
    values = json.loads((learned().write(file), file.read_text())[1])
    values["terms"][0]["quantiles"] = [3.0, 1.0]
    file.write_text(json.dumps(values))
    with pytest.raises(RecordError, match="the quantiles of size are not two or more rising numbers"):
        read(file)
    values["terms"][0] |= {"quantiles": [1.0, 3.0], "measure": "python:os:getcwd"}
    file.write_text(json.dumps(values))
    with pytest.raises(RecordError, match="'python:os:getcwd' is no measure that a gate is learned from; known: "):
        read(file)
    with pytest.raises(RecordError, match="the gate cannot be written"):
        learned().write(tmp_path / "nowhere" / "gate.json")
