from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import onnx
from onnx import TensorProto, helper

_RUN = "from recog_restore.cli import evaluate; evaluate()"


def network(file: Path) -> None:
    nodes = [
        helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[56, 56], strides=[56, 56]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    shapes = {"x": ["b", 3, 112, 112], "y": ["b", 12]}
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), file)


def test_a_run_with_onnx_runtime_writes_its_own_files_only_and_opens_no_connection(drawn: Path, tmp_path: Path) -> None:
    home, calls = tmp_path / "home", tmp_path / "calls"
    home.mkdir()
    network(tmp_path / "e.onnx")
    tracer = shutil.which("strace")
    traced = [tracer, "-f", "-qq", "-e", "trace=socket,connect,sendto", "-o", str(calls)] if tracer else []
    where = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "XDG_CONFIG_HOME": str(home / "config")}
    options = ["--protocol", "drawn", "--data", str(drawn), "--out", str(home / "out")]
    options += ["--embedder", f"onnx:{tmp_path / 'e.onnx'}", "--draws", "0", "--faces", "0", "--workers", "0"]
    environment = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"} | where
    command = [*traced, sys.executable, "-c", _RUN, *options]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = {file.relative_to(home).parts[:2] for file in home.rglob("*") if file.is_file()}
    assert {parts[:1] for parts in written} <= {("out",), ("cache",)}
    assert {parts[1] for parts in written if parts[0] == "cache"} == {"recog-restore"}
    if tracer:
        lines = calls.read_text().splitlines()
        assert not [line for line in lines if "AF_INET" in line]
