"""The wheel holds one top-level name and the same data files as the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from recog_restore import __version__, protocol, resources

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out], cwd=CHECKOUT, check=True)
    with zipfile.ZipFile(next(out.glob("*.whl"))) as archive:
        return {n for n in archive.namelist() if ".dist-info/" not in n}


def test_one_top_level_name(wheel_names: set[str]) -> None:
    assert {PurePosixPath(n).parts[0] for n in wheel_names} == {"recog_restore"}


@pytest.mark.parametrize("kind", resources.KINDS)
def test_wheel_carries_the_data_folder(wheel_names: set[str], kind: str) -> None:
    tracked = subprocess.run(["git", "ls-files", kind], cwd=CHECKOUT, check=True, capture_output=True, text=True)
    in_checkout = {name for name in tracked.stdout.split("\n") if name and not name.startswith("reports/examples/")}
    prefix = "recog_restore/_data/"
    assert in_checkout
    assert {n.removeprefix(prefix) for n in wheel_names if n.startswith(prefix + kind)} == in_checkout


@pytest.mark.parametrize("kind", resources.KINDS)
def test_data_folders_hold_no_python(kind: str) -> None:
    assert not list((CHECKOUT / kind).rglob("*.py"))


def test_installed_package_finds_its_protocols() -> None:
    assert protocol.known() == sorted(p.stem for p in (CHECKOUT / "protocols").glob("*.toml"))


def test_changelog_has_the_version() -> None:
    assert f"## {__version__}" in (CHECKOUT / "CHANGELOG.md").read_text("utf-8")


def test_every_dependency_is_pinned() -> None:
    import tomllib

    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["cpu"] + extras["test"] + extras["check"]
    pinned = {
        line.split("==")[0].lower() for line in (CHECKOUT / "constraints.txt").read_text().splitlines() if "==" in line
    }
    names = {w.split(">=")[0].split(";")[0].strip().lower() for w in wanted}
    assert names <= pinned
    assert "torch==2.13.0" in (CHECKOUT / "constraints.txt").read_text()
