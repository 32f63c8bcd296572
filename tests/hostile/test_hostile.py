"""Mutated options, files and bytes against the commands: each ends in time, with a message, and none is unforeseen.

The mutations are drawn with fixed seeds. What the last resort of ``cli.base`` catches is a failure here.
"""

from __future__ import annotations

import copy
import csv
import json
import random
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from onnx import TensorProto, helper

from recog_restore.cli import rr

SECONDS = 60  # of a case at most, on a machine that does other things as well; a hang is endless
POINTS = [f"{axis}{point}" for point in range(1, 6) for axis in "xy"]
NOISE = [
    "",
    " ",
    "²",
    "nan",
    "inf",
    "1e400",
    "-1",
    "0",
    "9" * 5000,
    "x" * 5000,
    "\x1b[31m",
    "\u202e",
    "../..",
    "\t",
    "=1",
]
VALUES: list[Any] = [None, True, 0, -1, 2**63, 10**400, 1e308, float("nan"), float("inf"), "", "x", "\x1b[31m", [], {}]
VALUES += [[1], {"a": 1}, "<script>", "file:///etc/passwd", [[]], 0.5]


class Hang(BaseException):
    """A case took too long; no ``except Exception`` may swallow it."""


@contextmanager
def bounded() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def attack(*words: object) -> Result:
    with bounded():
        done = CliRunner().invoke(rr, [str(word) for word in words])
    assert done.exit_code in (0, 1, 2), done.output
    assert "unforeseen" not in done.stderr, done.stderr
    assert "Traceback" not in done.output
    assert not set(done.output) & set("\x1b\x07\x9b\u202e")
    assert done.exit_code == 0 or "Error: " in done.stderr or "failed" in done.stdout, done.output
    return done


@pytest.fixture(scope="module")
def faces(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a CSV data set of 3 people with 2 images each; read only."""
    place = tmp_path_factory.mktemp("faces")
    with (drawn / "landmarks.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["path"] < "Person_004"]
    rows = [row for row in rows if not row["path"].endswith("3.jpg")]
    with (place / "samples.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "subject", *POINTS])
        for row in rows:
            (place / row["path"]).parent.mkdir(exist_ok=True)
            shutil.copy(drawn / "lfw-deepfunneled" / row["path"], place / row["path"])
            writer.writerow([row["path"], row["path"].split("/")[0], *(row[point] for point in POINTS)])
    names = [row["path"] for row in rows]
    lines = [f"{a},{b},{int(a.split('/')[0] == b.split('/')[0])}\n" for a, b in combinations(names, 2)]
    (place / "pairs.csv").write_text("first,second,mated\n" + "".join(lines), "utf-8")
    return place


@pytest.fixture
def here(faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(faces, tmp_path / "set")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evaluate(*more: object, embedder: str = "lbp", protocol: str = "csv-verification") -> Result:
    words = ["eval", "--protocol", protocol, "--data", "set", "--embedder", embedder, "--draws", 0, "--faces", 0]
    return attack(*words, "--workers", 0, "--store", "store", "--out", "out", *more)


def flipped(data: bytes, generator: random.Random) -> bytes:
    """Return the bytes with a few of them changed, cut out, or doubled."""
    found = bytearray(data)
    for _ in range(generator.randint(1, 6)):
        at = generator.randrange(len(found))
        act = generator.choice(["flip", "flip", "cut", "double"])
        if act == "flip":
            found[at] = generator.randrange(256)
        elif act == "cut":
            del found[at : at + generator.randint(1, 40)]
        else:
            found[at:at] = found[at : at + 40]
    return bytes(found)


def noisy(text: str, generator: random.Random) -> str:
    """Return the text with the words of one or two lines replaced by noise."""
    lines = text.split("\n")
    for _ in range(generator.randint(1, 2)):
        at = generator.randrange(len(lines))
        parts = lines[at].replace("=", ",").split(",")
        parts[generator.randrange(len(parts))] = generator.choice(NOISE)
        lines[at] = ("=" if "=" in lines[at] else ",").join(parts)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("option", "values"),
    [
        (
            "--pre",
            ["", "clahe,clip=nan", f"bicubic-down{'9' * 5000}", "+".join(["clahe"] * 999), ",,,", "python:os:system"],
        ),
        (
            "--pre",
            ["onnx:.", "card:.", "onnx:/dev/null", "clahe,tiles=²", "\x1b[31mclahe", "python:\x1b:x", "x" * 9999],
        ),
        ("--set", ["=", "a", "version=1e400", "a..b=1", ".".join("a" * 3000) + "=1", "data.folds=" + "[" * 3000]),
        ("--set", ["baseline_fmr=nan", "data.options.pairs=nan", "data.options.pairs=1", "metrics=[[]]", "name="]),
        ("--folds", ["²", "9" * 5000, "5-1", ","]),
        ("--draws", ["-1", "100000000", "9" * 5000]),
        ("--seed", ["-1", "1e3", "²"]),
        ("--by", ["nix", "\x1b[31m", "onnx:/dev/null", "python:json:loads"]),
        ("--detector", ["nix:x", "yunet:x,score=nan", "yunet:.", "yunet:/dev/null"]),
        ("--device", ["nix", "cuda:99"]),
        ("--protocol", ["nix", "\x1b[31m.toml", ".", "set"]),
        ("--out", ["/dev/null", "x" * 300, "set/samples.csv"]),
    ],
)
def test_options(option: str, values: list[str], here: Path) -> None:
    for value in values:
        assert evaluate(option, value).exit_code != 0, value


@pytest.mark.parametrize("seed", range(12))
def test_protocols(seed: int, here: Path) -> None:
    generator = random.Random(seed)
    text = (
        'extends = "csv-verification"\nname = "mine"\nversion = 1\nmetrics = ["eer", "auc"]\nprimary = "eer"\n'
        'baseline_fmr = 0.1\nbreakdowns = ["size"]\n[data]\nfolds = []\n[degradation]\nname = "mdfr"\nseed = 3\n'
    )
    change = noisy(text, generator).encode() if seed % 2 else flipped(text.encode(), generator)
    (here / "mine.toml").write_bytes(change)
    evaluate(protocol="mine.toml")


@pytest.mark.parametrize("name", ["samples.csv", "pairs.csv"])
@pytest.mark.parametrize("seed", range(8))
def test_lists(name: str, seed: int, here: Path) -> None:
    generator, file = random.Random(seed), here / "set" / name
    text = file.read_bytes()
    file.write_bytes(noisy(text.decode(), generator).encode() if seed % 2 else flipped(text, generator))
    evaluate()


@pytest.mark.parametrize("seed", range(8))
def test_images(seed: int, here: Path) -> None:
    for i, file in enumerate(sorted((here / "set").rglob("*.jpg"))[:3]):
        file.write_bytes(flipped(file.read_bytes(), random.Random(10 * seed + i)))
    evaluate()


@pytest.fixture(scope="module")
def network() -> bytes:
    weight = helper.make_tensor("w", TensorProto.FLOAT, [8, 3, 8, 8], np.random.default_rng(0).normal(size=1536))
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], strides=[16, 16]),
        helper.make_node("GlobalMaxPool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", ["b", 3, 112, 112]), ("y", ["b", 8]))
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [weight])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(onnx.ModelProto.SerializeToString(made))


@pytest.mark.parametrize("seed", range(12))
def test_networks(seed: int, here: Path, network: bytes) -> None:
    (here / "n.onnx").write_bytes(flipped(network, random.Random(seed)) if seed else network)
    done = evaluate(embedder="onnx:n.onnx,range=0..255")
    assert seed or done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def written(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("written")
    words = [
        "eval",
        "--protocol",
        "csv-verification",
        "--data",
        faces,
        "--embedder",
        "lbp",
        "--pre",
        "gamma",
        "--drift",
    ]
    attack(*words, "--by", "size", "--draws", 20, "--faces", 1, "--store", out / "store", "--out", out)
    found: dict[str, Any] = json.loads((out / "result.json").read_bytes())
    return found


@pytest.mark.parametrize("seed", range(24))
def test_results(seed: int, tmp_path: Path, written: dict[str, Any]) -> None:
    generator, values = random.Random(seed), copy.deepcopy(written)
    for _ in range(generator.randint(1, 3)):
        parent, node, key = None, values, None
        while isinstance(node, (dict, list)) and node and (parent is None or generator.random() < 0.85):
            parent, key = node, generator.choice(list(node) if isinstance(node, dict) else range(len(node)))
            node = node[key]
        if generator.random() < 0.25:
            del parent[key]  # type: ignore[attr-defined]
        else:
            parent[key] = copy.deepcopy(generator.choice(VALUES))  # type: ignore[index]
    (tmp_path / "result.json").write_text(json.dumps(values), "utf-8")
    form = generator.choice(
        [("--csv",), ("--latex",), ("--json",), ("--thresholds",), ("--out", tmp_path / "page.html")]
    )
    attack("report", tmp_path / "result.json", *form)
    page = tmp_path / "page.html"
    assert not page.exists() or 'src="file' not in page.read_text("utf-8")


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"[" * 100_000, b"\xff\xfe{", b'{"schema": 1}', b'{"schema": ' + b"9" * 5000 + b"}"]
)
def test_files_that_are_no_result(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_bytes(data)
    assert attack("report", tmp_path, "--csv").exit_code == 1
    assert attack("report", "diff", tmp_path, tmp_path).exit_code == 1
