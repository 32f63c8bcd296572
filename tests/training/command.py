"""``rr-train`` as a command, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from recog_restore.cli import train

FILES = {"card.toml", "golden.safetensors", "log.csv", "recipe.toml", "validation.csv", "weights.safetensors"}


def trained(folder: Path, recipe: str, *more: str) -> Result:
    """Return what the command said of the recipe's text, after it has trained on the CPU into ``folder / "out"``."""
    (folder / "recipe.toml").write_text(recipe, "utf-8")
    arguments = [folder / "recipe.toml", "--out", folder / "out", "--cache", folder / "cache", "--workers", "0"]
    done = CliRunner().invoke(train, [*map(str, arguments), "--device", "cpu", *more])
    assert done.exit_code == 0, done.output
    return done
