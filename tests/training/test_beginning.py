"""What a training looks for at its beginning, so that no later hour finds it absent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recog_restore.errors import DataError, RecogRestoreError, RecordError, ResourceMissing, UnknownName, WeightsError
from recog_restore.training.loop import train
from recog_restore.training.place import Place
from recog_restore.training.recipe import Recipe

from .restorer import tiny_restorer

MODELS = Path(__file__).resolve().parents[2] / "models"
ARCFACE, MDFR = MODELS / "arcface-synthpie", MODELS / "mdfr"
FOUND = ("validation.protocol=multipie-setting2", "validation.options={ part = 'train', train_people = 3 }")
ABSENT: list[tuple[tuple[str, ...], type[RecogRestoreError], str]] = [
    (
        ("validation.protocol=multipie-setting3",),
        ResourceMissing,
        "no protocol named 'multipie-setting3'; did you mean",
    ),
    (
        ("validation.protocol=lfw", "validation.data=LFW"),
        DataError,
        "LFW: no such file or folder; expected the data set",
    ),
    ((FOUND[0], "validation.options={ train_persons = 3 }"), RecordError, "unknown key 'data.options.train_persons'"),
    (
        (*FOUND, "validation.best=rank"),
        RecordError,
        "validation.best is 'rank', and .* no such number; did you mean 'rank1'",
    ),
    (
        (*FOUND, 'validation.best="rank1 abs_yaw=91"'),
        RecordError,
        "best is 'rank1 abs_yaw=91', and .* no such number; did you mean 'rank1 abs_yaw=90'",
    ),
]
RESTORERS_ABSENT: list[tuple[tuple[str, ...], type[RecogRestoreError], str]] = [
    ((*FOUND, "judge=cosface"), UnknownName, "no embedder named 'cosface'"),
    (
        (*FOUND, f"judge=card:{ARCFACE}"),
        RecordError,
        "judge: card:.*arcface-synthpie is one of the embedders of the loss",
    ),
    (("start.frn=runs/nothing",), ResourceMissing, r"runs/nothing/card\.toml: no such file"),
    ((f"start={{ frn = '{MDFR}', soup = ['runs/no'] }}",), ResourceMissing, r"runs/no/card\.toml: no such file"),
    ((f"start.frn={MDFR}",), WeightsError, r"start\.frn: .*mdfr: does not fit the network"),
]


@pytest.mark.parametrize(("changes", "error", "message"), ABSENT, ids=lambda value: None)
def test_embedders_validation_is_looked_for_before_anything_is_rendered(
    changes: tuple[str, ...],
    error: type[RecogRestoreError],
    message: str,
    tiny: Callable[..., Recipe],
    place: Callable[..., Place],
    cpu: Any,
) -> None:
    where = place()
    with pytest.raises(error, match=message):
        train(tiny(*changes), where, cpu)
    assert not where.cache.exists()
    assert not where.out.exists()


@pytest.mark.parametrize(("changes", "error", "message"), ABSENT + RESTORERS_ABSENT, ids=lambda value: None)
def test_all_that_a_restorer_wants_is_looked_for_before_anything_is_rendered(
    changes: tuple[str, ...],
    error: type[RecogRestoreError],
    message: str,
    tmp_path: Path,
    place: Callable[..., Place],
    cpu: Any,
) -> None:
    where = place()
    with pytest.raises(error, match=message):
        train(tiny_restorer(tmp_path, *changes), where, cpu)
    assert not where.cache.exists()
    assert not where.out.exists()


def test_landmarks_of_the_validations_photos_are_looked_for(
    tmp_path: Path, tiny: Callable[..., Recipe], place: Callable[..., Place], cpu: Any
) -> None:
    for subject in ("ann", "bob"):
        (tmp_path / "faces" / subject).mkdir(parents=True)
        for number in (1, 2):
            (tmp_path / "faces" / subject / f"{number}.png").write_bytes(b"an image")
    changes = ["validation.protocol=folder-identification", f"validation.data={tmp_path / 'faces'}"]
    with pytest.raises(DataError, match="faces: no landmarks found: put a landmarks.csv there"):
        train(tiny(*changes), place(), cpu)
