from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from recog_restore.training import embedder_course
from recog_restore.training.data import Photos
from recog_restore.training.loop import new_fabric
from recog_restore.training.photos import Batch
from recog_restore.training.place import Place
from recog_restore.training.reading import read_recipe
from recog_restore.training.recipe import Recipe

TINY = """
name = "tiny"
title = "A tiny network"
seed = 5
keep_every = 4
log_every = 1
flip = "sum"

[network]
name = "sphereface20"
arguments = { dim = 8, width = 0.0625 }

[input]
crop = "sphereface-112x96"

[head]
name = "cosface"
arguments = { scale = 8.0, margin = 0.1 }

[data.synthpie]
people = 4
images = 4

[[stages]]
size = [32, 32]
steps = 6
batch = 4
lr = 0.05

[[stages]]
steps = 5
batch = 4
lr = 0.01
"""


class Stripes:
    """Photos of four people: stripes of four widths; made at once, so that no test waits for a renderer."""

    def __getitem__(self, rows: Sequence[int]) -> Batch:
        labels = torch.tensor([row // 4 % 4 for row in rows])
        columns = torch.arange(128)
        images = [
            ((columns // (2 + 3 * label) % 2) * 200 + row % 16).byte() for row, label in zip(rows, labels, strict=True)
        ]
        return torch.stack(images)[:, None, :, None].expand(-1, 128, -1, 3).contiguous(), labels


@pytest.fixture
def stripes(monkeypatch: pytest.MonkeyPatch) -> Photos:
    """Put stripes in the place of rendered people."""
    photos = Photos(Stripes(), rows=16, classes=4, endless=False, words="stripes")  # type: ignore[arg-type]
    monkeypatch.setattr(embedder_course, "open_photos", lambda *_: photos)
    monkeypatch.setattr(embedder_course.EmbedderCourse, "fill", lambda plan, place, progress: None)
    return photos


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Recipe]:
    """Return a recipe that takes seconds, with changes as after ``--set``."""

    def build(*changes: str) -> Recipe:
        file = tmp_path / "recipe.toml"
        file.write_text(TINY, "utf-8")
        recipe = read_recipe(file, changes)
        assert isinstance(recipe, Recipe)
        return recipe

    return build


@pytest.fixture
def place(tmp_path: Path) -> Callable[..., Place]:
    def build(name: str = "out", **values: Any) -> Place:
        return Place(tmp_path / name, tmp_path / "cache", workers=0, **values)

    return build


@pytest.fixture
def cpu() -> Any:
    return new_fabric("cpu", "32-true")
