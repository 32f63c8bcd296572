from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from recog_restore.datasets.opening import open_dataset
from recog_restore.embed import EMBEDDERS, Embedder
from recog_restore.engine import evaluate
from recog_restore.engine.checking import _several_of_each
from recog_restore.engine.embeddings import Settings
from recog_restore.errors import ConventionError
from recog_restore.networks.cards import EmbedderCard, InputCard
from recog_restore.protocol import load
from recog_restore.results import Result
from recog_restore.store import Store


class Darkened(Embedder):
    """LBP of images in 0..255 whose card says and guesses 0..1; it sees nothing but black then."""

    def __init__(self, *guessed: str) -> None:
        self.inner = EMBEDDERS.create("lbp")
        card = InputCard(colour="grey", mean=0.0, std=255.0)
        self.card = EmbedderCard("darkened", "none", dim=self.inner.card.dim, input=card, guessed=guessed)  # type: ignore[arg-type]

    def identity(self) -> str:
        return "darkened"

    def forward(self, inputs: Tensor) -> Tensor:
        return self.inner.forward(inputs)


class Constant(Darkened):
    def forward(self, inputs: Tensor) -> Tensor:
        return torch.ones(len(inputs), self.card.dim)


def run(embedder: Embedder, drawn: Path, store: Path, *changes: str) -> Result:
    question = load("drawn", changes)
    dataset = open_dataset(question.data.dataset, drawn)
    settings = Settings(batch=16, workers=0, device="cpu")
    return evaluate(question, dataset, embedder, store=Store(store), settings=settings, draws=0, faces=0)


def said(result: Result) -> list[str]:
    return [text for text in result.warnings if "guessed" in text]


def test_a_wrong_guess_is_found_out_on_the_faces_of_the_run(drawn: Path, tmp_path: Path) -> None:
    (text,) = said(run(Darkened("range", "crop"), drawn, tmp_path))
    assert text.startswith("darkened: range and crop guessed, not declared: 112×112 grey, (x − 0) / 255, arcface-112; ")
    assert "range 0..255 separates better" in text
    assert text.endswith("the card is probably wrong")


def test_a_guess_that_nothing_beats_is_named(drawn: Path, tmp_path: Path) -> None:
    embedder = EMBEDDERS.create("lbp")
    embedder.card = EmbedderCard("l", "none", dim=embedder.card.dim, input=embedder.card.input, guessed=("range",))
    (text,) = said(run(embedder, drawn, tmp_path))
    assert text.endswith("; no other colour order or range separates the faces that were tried better")


def test_one_subject_of_many_images_does_not_leave_the_others_out() -> None:
    subject = np.array(["a"] * 100 + ["b"] * 3 + ["c"] + ["d"] * 2, dtype=object)
    chosen = subject[_several_of_each(subject, 60)]
    assert [int((chosen == name).sum()) for name in "abcd"] == [55, 3, 0, 2]
    few = np.array(["a", "b", "a", "b", "c"], dtype=object)
    assert _several_of_each(few, 60).tolist() == [0, 2, 1, 3]


def test_what_is_declared_is_not_tried(drawn: Path, tmp_path: Path) -> None:
    assert not said(run(Darkened(), drawn, tmp_path))


def test_an_embedder_that_sees_no_difference_is_an_error(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(ConventionError, match="gives the same embedding for all of 4 different faces"):
        run(Constant(), drawn, tmp_path)
