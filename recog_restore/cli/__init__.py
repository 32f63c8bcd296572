"""The command line: parse, call one function, print. No torch and no pandas at import."""

from __future__ import annotations

import click

from .. import __version__
from .base import Group
from .data import data
from .evaluate import evaluate
from .export import export
from .models import models
from .report import report
from .restore import restore
from .train import train


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="recog_restore")
def rr() -> None:
    """Does restoring or frontalizing a face before recognizing it help, where, by how much, and whom does it harm?"""


rr.add_command(evaluate, "eval")
rr.add_command(report, "report")
rr.add_command(data, "data")
rr.add_command(models, "models")
rr.add_command(restore, "restore")
rr.add_command(train, "train")
rr.add_command(export, "export")

__all__ = ["data", "evaluate", "export", "models", "report", "restore", "rr", "train"]
