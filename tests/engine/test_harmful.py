"""What must be called harmful is, and what changes nothing is not called anything else, from faces to verdicts."""

from __future__ import annotations

import shutil

import pytest
import torch
from torch import Tensor

from recog_restore.datasets.drawn import draw
from recog_restore.datasets.opening import open_dataset
from recog_restore.embed import EMBEDDERS
from recog_restore.engine import evaluate
from recog_restore.engine.embeddings import Settings
from recog_restore.preprocess import PREPROCESSORS, Preprocessor
from recog_restore.preprocess.base import Card
from recog_restore.protocol import load
from recog_restore.report.answer import answers
from recog_restore.results import Difference, Result
from recog_restore.store import Store

NOTHING = "no difference found"


class Copy(Preprocessor):
    """Returns its input."""

    card = Card("copy", "restore", "the input once more")

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        return images.clone()


class Swap(Preprocessor):
    """Returns the face of whoever happens to be in the same batch."""

    card = Card("swap", "restore", "somebody else")

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))]


class Noise(Preprocessor):
    """Returns noise, another one for every face."""

    card = Card("noise", "restore", "no face at all")

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        seeds = (images.double().sum(dim=(1, 2, 3)) * 1e6).long().tolist()
        return torch.stack([torch.rand(images.shape[1:], generator=torch.Generator().manual_seed(s)) for s in seeds])


@pytest.fixture(scope="module", params=["drawn", "folder-identification"])
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Return 24 drawn people with 3 images each, compared or searched for, with every preprocessor of this file."""
    folder = tmp_path_factory.mktemp("harmful")
    root = draw(folder / "drawn", people=24, images=3)
    if request.param != "drawn":
        people = folder / "people"
        shutil.copytree(root / "lfw-deepfunneled", people)
        shutil.copy(root / "landmarks.csv", people)
        root = people
    question = load(request.param)
    return evaluate(
        question,
        open_dataset(question.data.dataset, root, **question.data.options),
        EMBEDDERS.create("lbp"),
        [PREPROCESSORS.create("none"), Copy(), Swap(), Noise()],
        store=Store(folder / "store"),
        settings=Settings(16, 0, "cpu"),
        faces=1,
    )


def of(result: Result, name: str) -> list[Difference]:
    return [d for d in result.differences if d.preprocessor == name]


def test_the_baseline_against_itself_and_a_copy_of_it_differ_by_exactly_nothing(result: Result) -> None:
    assert [p["name"] for p in result.preprocessors] == ["none", "copy", "swap", "noise"]
    found = of(result, "copy")
    assert found
    for d in found:
        assert (d.difference, d.interval, d.p, d.verdict) == (0, (0, 0), 1, NOTHING)
    harm = next(h for h in result.harm if h.preprocessor == "copy")
    assert (harm.fixed, harm.broken) == (0, 0)
    assert harm.impostor_mean[0] == harm.impostor_mean[1]
    assert not [flip for flip in result.flips if flip.preprocessor == "copy"]
    for side in result.sides.values():
        assert {d.verdict for d in side if d.preprocessor == "copy"} == {NOTHING}


@pytest.mark.parametrize("name", ["swap", "noise"])
def test_swapped_identities_and_noise_are_called_harmful(result: Result, name: str) -> None:
    primary = result.protocol["settings"]["primary"]
    (whole,) = [d for d in of(result, name) if d.metric.removesuffix("_10fold") == primary and not d.where]
    assert whole.verdict == "worse"
    assert whole.interval is not None
    assert whole.interval[1] < 0
    assert "better" not in {d.verdict for d in of(result, name) if d.metric == whole.metric}
    harm = next(h for h in result.harm if h.preprocessor == name)
    assert harm.broken + (harm.false_matches_new or 0) > harm.fixed + (harm.false_matches_gone or 0)


def test_the_first_screen_says_so(result: Result) -> None:
    verdicts = {answer.preprocessor: answer.verdict for answer in answers(result)}
    assert verdicts == {"copy": "same", "swap": "worse", "noise": "worse"}
