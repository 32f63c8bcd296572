from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from recog_restore.errors import ResultError
from recog_restore.results import (
    Confusion,
    Difference,
    ExampleFace,
    Failure,
    Flip,
    Harm,
    Raised,
    Result,
    Threshold,
    Value,
    read,
)


def result(**changes: object) -> Result:
    empty: dict[str, object] = {
        "protocol": {"id": "lfw@1"},
        "data": {},
        "embedder": {},
        "preprocessors": (),
        "values": (Value("eer", "none", 0.1, 10), Value("rank1", "none", 0.5, 4, {"yaw": "90"})),
        "failed": {},
        "failures": (),
        "settings": {},
        "provenance": {"date": "today"},
        "seconds": {"total": 1.0},
    }
    return Result(**{**empty, **changes})


def confusion() -> Confusion:
    face = ExampleFace("a.jpg", "data:image/png;base64,AAAA", "data:image/webp;base64,AAA=")
    return Confusion("none", "ann", "eve", 2, 0.4, 0.5, face, face, face)


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    result().write(tmp_path / "result.json")
    assert read(tmp_path) == result()
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_values_are_found_by_metric_preprocessor_and_part() -> None:
    assert result().value("eer", "none").value == 0.1
    assert result().value("rank1", "none", yaw="90").n == 4
    assert result().value("rank1", "none") is None


def test_undefined_is_null_and_never_nan(tmp_path: Path) -> None:
    value = Value("eer", "none", math.nan, 0, threshold=math.inf, std=math.nan)
    assert (value.value, value.threshold, value.std) == (None, None, None)
    result(values=(value,), seconds={"total": math.nan}).write(tmp_path / "result.json")
    assert json.loads((tmp_path / "result.json").read_text())["seconds"] == {"total": None}


def test_an_interval_without_ends_has_no_method() -> None:
    value = Value("rank1", "none", 0.5, 4, interval=(math.nan, 1.0), method="clopper-pearson")
    assert (value.interval, value.method) == (None, "")
    assert Value("rank1", "none", 0.5, 4, interval=(0.1, 0.9), method="clopper-pearson").method == "clopper-pearson"


def test_a_result_written_before_confusions_and_methods_still_reads(tmp_path: Path) -> None:
    result(confusions=(confusion(),)).write(tmp_path / "result.json")
    assert read(tmp_path).confusions == (confusion(),)
    old = json.loads((tmp_path / "result.json").read_text("utf-8"))
    del old["confusions"], old["values"][0]["method"]
    (tmp_path / "result.json").write_text(json.dumps(old))
    assert read(tmp_path) == result()


def test_statistics_read_back_the_same_and_what_is_not_finite_is_undefined(tmp_path: Path) -> None:
    nan, face = math.nan, ExampleFace("a.jpg", "", "data:image/jpeg;base64,AA==")
    change = Difference("rank1", "mdfr", "none", 0.1, 10, {"yaw": "90"}, (0.0, 0.2), "subject bootstrap", 0.01, 0.02)
    written = result(
        differences=(change,),
        sides={"probe": (change,)},
        harm=(Harm("mdfr", 0.3, 1, 2, 0, 0, 9, (0.1, nan), (0.2, 0.3), (Raised(face, face, 0.1, 0.2),)),),
        thresholds=(
            Threshold("none", 1e-2, 0.3, 900, 9, (0.2, 0.4), nan, (nan, nan)),
            Threshold("none", 1e-6, nan, 900),
        ),
        flips=(Flip("mdfr", "fixed", True, (0.1, 0.4), (face,), (0.2, 0.2), (3, 1), ("ann", "eve")),),
    )
    written.write(tmp_path / "result.json")
    assert read(tmp_path) == written
    assert [t.value for t in written.thresholds] == [0.3, None]
    assert (written.thresholds[0].fnmr, written.thresholds[0].fnmr_interval) == (None, None)
    assert written.harm[0].impostor_mean == (0.1, None)


def test_digest_leaves_out_who_and_when() -> None:
    other = result(provenance={"date": "tomorrow"}, seconds={"total": 2.0})
    assert other.digest() == result().digest()
    assert result(failed={"none": 1}).digest() != result().digest()


def test_name_that_is_not_utf8_survives(tmp_path: Path) -> None:
    named = result(failures=(Failure("caf\udce9.jpg", "none", "acquire", "empty file"),))
    named.write(tmp_path / "result.json")
    assert read(tmp_path) == named
    assert len(named.digest()) == 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a result"),
        ("[]", "expected a result of schema 1, found schema None"),
        ('{"schema": 99}', "expected a result of schema 1, found schema 99; run rr-eval again"),
        ('{"schema": 1, "vaules": []}', "unknown key 'vaules'; did you mean 'values'"),
        ('{"schema": 1}', "missing key 'protocol'"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(ResultError, match=message):
        read(tmp_path / "result.json")


def test_absent_result_says_who_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="no such result; rr-eval writes one"):
        read(tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/face.png",
        "file:///etc/passwd",
        "face.png",
        "javascript:alert(1)",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "data:text/html;base64,PHA+",
        'data:image/png;base64,AAAA" onerror="alert(1)',
        "data:image/png;base64,AAAAA",
        "data:image/png;base64,",
        "data:,",
    ],
)
def test_a_face_is_a_picture_within_the_file(address: str, tmp_path: Path) -> None:
    result(confusions=(confusion(),)).write(tmp_path / "result.json")
    text = (tmp_path / "result.json").read_text("utf-8")
    values = json.loads(text)
    values["confusions"][0]["probe"]["before"] = address
    (tmp_path / "result.json").write_text(json.dumps(values), "utf-8")
    with pytest.raises(ResultError, match="before is .*; expected data:image/png, jpeg or webp in base64, or nothing"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('"value": 0.1', '"value": NaN'),
        ('"value": 0.1', '"value": "0.1"'),
        ('"value": 0.1', '"value": 1e999'),
        ('"value": 0.1', f'"value": {"9" * 400}'),
        ('"value": 0.1', f'"value": {"9" * 5000}'),
        ('"total": 1.0', '"total": Infinity'),
        ('"cmc": {}', '"cmc": {"none": [1e308]}'),
        ('"settings": {}', '"settings": {"batch": NaN}'),
        ('"settings": {}', f'"settings": {{"batch": {"[" * 100}{"]" * 100}}}'),
        ('"settings": {}', f'"settings": {{"batch": {"[" * 100_000}'),
    ],
)
def test_absurd_numbers_and_depths_are_no_result(change: str, message: str, tmp_path: Path) -> None:
    result().write(tmp_path / "result.json")
    text = (tmp_path / "result.json").read_text("utf-8")
    assert change in text
    (tmp_path / "result.json").write_text(text.replace(change, message, 1), "utf-8")
    with pytest.raises(ResultError, match="result.json: "):
        read(tmp_path)
