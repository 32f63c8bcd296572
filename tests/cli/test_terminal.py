"""What is printed, whatever is in a name and whatever encoding the terminal has, and how a command ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest
import torch
from click.testing import CliRunner, Result

from recog_restore.cli import rr
from recog_restore.cli.base import Command, Group
from recog_restore.cli.terminal import say, show


def rr_run(*arguments: object, charset: str = "utf-8") -> Result:
    return CliRunner(charset=charset).invoke(rr, [str(a) for a in arguments])


def raising(error: Callable[[], BaseException], *arguments: str, batch: bool = False) -> Result:
    def callback(**_: object) -> None:
        raise error()

    options = [click.Option(["--batch"])] if batch else []
    return CliRunner().invoke(Group("rr", {"x": Command("x", callback=callback, params=options)}), ["x", *arguments])


@pytest.fixture(scope="module")
def run(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    words = ["eval", "--protocol", "drawn", "--data", drawn, "--embedder", "lbp", "--pre", "gamma", "--limit", 60]
    done = rr_run(*words, "--draws", 50, "--faces", 0, "--out", out, "--store", out / "store", charset="cp1252")
    assert done.exit_code == 0, done.output
    return out


@pytest.mark.parametrize("charset", ["cp1252", "ascii", "latin-1"])
def test_what_an_encoding_lacks_is_replaced(charset: str, run: Path) -> None:
    for words in (["report", "diff", run, run], ["models", "show", "cosface-synthpie"], ["models", "list"]):
        done = rr_run(*words, charset=charset)
        assert done.exit_code == 0, done.output
    assert "EER" in rr_run("report", "diff", run, run, charset=charset).stdout
    shown = rr_run("models", "show", "cosface-synthpie", charset=charset)
    assert "(x - 127.5) / 127.5" in shown.stdout.splitlines()[0]  # a minus sign, and no question mark


def test_control_characters_of_a_name_do_not_reach_the_terminal(tmp_path: Path) -> None:
    name = "l\x1b[31m\x07\x9b\r\u202efw"
    for words in (["eval", "--protocol", name], ["eval", f"--{name}"], [name], ["report", tmp_path / name, "--csv"]):
        done = rr_run(*words)
        assert done.exit_code != 0
        assert not set(done.stderr) & set("\x1b\x07\x9b\r\u202e"), done.stderr
        assert r"\x1b[31m" in done.stderr


def test_say_and_show_escape_what_is_not_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table

    say("a\x1b[31m\udce9\nb", lead="lead")
    table = Table("heading")
    table.add_row("[bold]x\x1b[2J[/nix] :smile:")
    show(table)
    out = capsys.readouterr().out
    assert out.startswith("leada\\x1b[31m\\udce9\nb\n")
    assert "[bold]x\\x1b[2J[/nix] :smile:" in out


def test_an_unforeseen_error_is_a_message_with_a_way_to_report_it() -> None:
    done = raising(lambda: KeyError("here"))
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: unforeseen KeyError: 'here'\nThis is a fault of recog_restore ")
    assert "--debug" in done.stderr
    assert "Traceback" not in done.stderr
    traced = raising(lambda: KeyError("here"), "--debug")
    assert traced.exit_code == 1
    assert traced.stderr.startswith("Traceback (most recent call last)")
    assert "unforeseen KeyError" in traced.stderr


def test_debug_is_also_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RR_DEBUG", "1")
    assert "Traceback" in raising(RecursionError).stderr


@pytest.mark.parametrize(
    "error",
    [
        lambda: MemoryError("Unable to allocate 7.45 GiB"),
        lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
    ],
)
def test_memory_that_is_out_names_the_option_where_there_is_one(error: Callable[[], BaseException]) -> None:
    done = raising(error, batch=True)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: memory is not enough; use a smaller --batch (")
    assert "--batch" not in raising(error).stderr


def test_an_error_of_the_system_names_the_file() -> None:
    done = raising(lambda: PermissionError(13, "Permission denied", "faces/a.png"))
    assert (done.exit_code, done.stderr) == (1, "Error: faces/a.png: Permission denied\n")
    assert raising(lambda: OSError(28, "No space left on device")).stderr == "Error: No space left on device\n"


def test_a_reader_that_has_gone_ends_the_command_quietly() -> None:
    done = raising(lambda: BrokenPipeError(32, "Broken pipe"))
    assert (done.exit_code, done.stderr) == (1, "")


def test_a_long_name_is_shortened_in_a_message() -> None:
    done = raising(lambda: KeyError("x" * 100_000))
    assert "… " in done.stderr
    assert len(done.stderr) < 3000
