"""Weights chosen by what a restorer surely gains: the lower end of the interval of a paired difference."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

from recog_restore.datasets.opening import open_dataset
from recog_restore.embed import EMBEDDERS
from recog_restore.engine import evaluate
from recog_restore.engine.embeddings import Settings
from recog_restore.engine.kept import Kept, read
from recog_restore.metrics.bootstrap import DRAWS, subject_weights
from recog_restore.networks import NETWORKS
from recog_restore.protocol import load
from recog_restore.store import Store
from recog_restore.training import best
from recog_restore.training.judging import CANDIDATE, Candidate

from .command import trained

GAIN = "gain rank1"
NETWORK = {"width": 4, "blocks": 1, "unshuffle": 2}

# It paints the whole face, and after a few steps knows nobody: many searches change.
RECIPE = """
kind = "restorer"
name = "tiny-restorer"
seed = 7
keep_every = 10
log_every = 1
embedders = ["arcface-synthpie"]
judge = "lbp"

[network]
name = "frn"
arguments = {{ width = 4, blocks = 1, unshuffle = 2 }}

[data.pairs]
people = 2
moments = 2
views = 2
lights = 1

[[stages]]
steps = 3
batch = 4
lr = 0.001

[validation]
protocol = "folder-identification"
data = "{data}"
every = 1
best = "gain rank1"
"""


@pytest.fixture(scope="module")
def people(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "people"
    shutil.copytree(drawn / "lfw-deepfunneled", folder)
    shutil.copy(drawn / "landmarks.csv", folder)
    return folder


@pytest.fixture(scope="module")
def out(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gain")
    trained(folder, RECIPE.format(data=people))
    return folder / "out"


def rows(out: Path) -> list[dict[str, float]]:
    with (out / "validation.csv").open() as file:
        return [{name: float(text) for name, text in row.items()} for row in csv.DictReader(file)]


def test_weights_are_those_that_surely_gain_most(out: Path) -> None:
    kept, numbers = best.load(out), rows(out)
    assert kept is not None
    assert [row["step"] for row in numbers] == [1, 2, 3]
    assert kept.number == max(row[GAIN] for row in numbers)
    assert kept.step == next(row["step"] for row in numbers if row[GAIN] == kept.number)


def test_gain_is_the_lower_end_of_the_paired_interval(out: Path, people: Path, tmp_path: Path) -> None:
    chosen = best.load(out)
    assert chosen is not None
    network = NETWORKS.create("frn", **NETWORK)
    network.load_state_dict(
        {name.removeprefix("frn."): tensor for name, tensor in chosen.state.items() if name.startswith("frn.")}
    )
    protocol = load("folder-identification")
    evaluate(
        protocol,
        open_dataset(protocol.data.dataset, people),
        EMBEDDERS.create("lbp"),
        [Candidate(network.eval(), chosen.size[0])],
        store=Store(tmp_path / "store"),
        settings=Settings(64, 0, "cpu"),
        faces=0,
        comparisons=tmp_path / "comparisons.safetensors",
    )
    kept = read(tmp_path / "comparisons.safetensors")
    low, difference = lower_end(kept)
    (row,) = (row for row in rows(out) if row["step"] == chosen.step)
    assert row[GAIN] == pytest.approx(low, abs=1e-12)
    assert row["rank1"] - row["none rank1"] == pytest.approx(difference)
    assert low < difference


def lower_end(kept: Kept) -> tuple[float, float]:
    """Return the lower end of the 95 % interval of the difference of rank-1 rates, person by person, and that."""
    people = np.unique(kept.first).tolist()

    def of_each(value: Callable[[int, int], int]) -> list[list[int]]:
        ranks = list(zip(kept.first, kept.ranks["none"], kept.ranks[CANDIDATE], strict=True))
        return [[value(int(b == 1), int(a == 1)) for subject, b, a in ranks if subject == person] for person in people]

    change = of_each(lambda before, after: after - before)
    drawn = []
    for times in subject_weights(len(people), DRAWS).T.astype(int):
        searches = [c for own, often in zip(change, times, strict=True) for c in own * often]
        drawn.append(sum(searches) / len(searches))
    everything = [c for own in change for c in own]
    searches, difference = len(everything), sum(everything) / len(everything)
    wrong = [clustered(of_each(which)) for which in (lambda before, _: before, lambda _, after: after)]
    usual = max(1.0, sum(shared for shared, _ in wrong) / sum(alone for _, alone in wrong))
    shared, alone = clustered(change)
    together = max(1.0, (shared + 2 * usual) / (alone + 2))
    spread = np.hypot(np.std(drawn), np.sqrt(2) * together / searches)
    reach = t.ppf(0.975, len(people) - 1) * np.sqrt(len(people) / (len(people) - 1))
    return (difference - reach * spread) * searches / (searches + 2 * together), difference


def clustered(values: list[list[int]]) -> tuple[float, float]:
    """Return the squared sums of the deviations of each person, added up, and the squared deviations, added up."""
    mean = np.mean([value for own in values for value in own])
    deviations = [[value - mean for value in own] for own in values]
    return sum(sum(own) ** 2 for own in deviations), sum(d**2 for own in deviations for d in own)
