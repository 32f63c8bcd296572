"""A restorer's recipe that takes seconds."""

from __future__ import annotations

from pathlib import Path

from recog_restore.training.reading import read_recipe
from recog_restore.training.restorer_recipe import RestorerRecipe

# Two people, four probes and two targets of each; the second stage teaches, the third is taught.
TINY_RESTORER = """
kind = "restorer"
name = "tiny-restorer"
title = "A tiny restorer"
seed = 7
keep_every = 2
log_every = 1
embedders = ["arcface-synthpie"]
judge = "lbp"

[network]
name = "frn"
arguments = { width = 4, blocks = 1, unshuffle = 2, output = "blend" }

[teacher]
name = "ffn"
arguments = { width = 4, blocks = 1, unshuffle = 2 }

[data]
degradation = "mdfr"
degraded = 0.5

[data.pairs]
people = 2
moments = 2
views = 2
lights = 1

[optimizer]
name = "adamw"

[[stages]]
size = [64, 64]
steps = 3
batch = 4
lr = 0.001
losses = { passing = 0.1, identity_part = [0.5] }

[[stages]]
trains = "ffn"
size = [64, 64]
steps = 2
batch = 2
lr = 0.001
losses = { pcd = 0.1, icd = 0.1 }

[[stages]]
trains = "ti"
steps = 2
batch = 2
lr = 0.001
losses = { alignment = 1.0 }
"""


def tiny_restorer(folder: Path, *changes: str) -> RestorerRecipe:
    """Return it, with changes as after ``--set``."""
    file = folder / "restorer.toml"
    file.write_text(TINY_RESTORER, "utf-8")
    recipe = read_recipe(file, changes)
    assert isinstance(recipe, RestorerRecipe)
    return recipe
