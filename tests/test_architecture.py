"""Imports go one way: a module imports only from the layers below its own, or from its own package."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "recog_restore"
LAYERS = (
    {"errors"},
    {"files"},
    {"records", "headers"},
    {"resources", "registry", "spec", "geometry", "processes"},
    {"faces", "decode", "degrade", "synthpie"},
    {"protocol", "datasets", "results", "templates", "metrics", "search", "networks", "store"},
    {"preprocess", "embed", "detect"},
    {"engine", "testing"},
    {"training"},
    {"report"},
    {"cli"},
)
LAYER_OF = {name: depth for depth, names in enumerate(LAYERS) for name in names}
REPORT_READS_ONLY = {"errors", "files", "records", "resources", "results"}


def imported(path: Path, package: Path = PACKAGE) -> set[str]:
    """Return the first-level modules of the package that a file imports, wherever in the file."""
    here = path.relative_to(package).with_suffix("").parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level]
            module = (*base, *node.module.split(".")) if node.module else base
            found |= {module[0]} if module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("recog_restore."):
            found.add((node.module or "").split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("recog_restore.")}
    return found - {"__version__"}


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for other in imported(path) - {own}:
        assert LAYER_OF[other] < LAYER_OF[own], f"{own} imports {other}, which is not below it"
    if own == "report":
        assert imported(path) - {own} <= REPORT_READS_ONLY


def test_every_module_has_a_layer_and_every_layer_a_module() -> None:
    modules = {
        p.name.removesuffix(".py") for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    assert modules - {"__init__"} == set(LAYER_OF)


def test_a_planted_import_upwards_is_seen(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    bad = tmp_path / "metrics" / "bad.py"
    bad.write_text("def f():\n    from ..engine import evaluate\n")
    assert imported(bad, tmp_path) == {"engine"}
    assert LAYER_OF["engine"] > LAYER_OF["metrics"]


@pytest.mark.parametrize("module", ["cli", "report.html", "report.tables", "results", "protocol"])
def test_light_modules_load_neither_torch_nor_pandas(module: str) -> None:
    heavy = "{'torch', 'pandas', 'cv2'}"
    code = f"import sys, recog_restore.{module}; sys.exit(','.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_answers_within_half_a_second_of_cpu() -> None:
    code = "import sys; sys.argv = ['rr-eval', '--help']; from recog_restore.cli import evaluate; evaluate()"
    seconds = []
    for _ in range(3):
        began = _children_cpu()
        done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=True)
        seconds.append(_children_cpu() - began)
    assert "--protocol" in done.stdout
    assert min(seconds) < 0.5


def _children_cpu() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
