from __future__ import annotations

import math

import pytest

from recog_restore.errors import RecordError
from recog_restore.networks.cards import GoldenCard, InputCard, WeightsCard
from recog_restore.records import build


@pytest.mark.parametrize(
    "file", ["", ".", "/etc/passwd", "../w.safetensors", "a/../../w", "a\\..\\..\\w", "C:\\w", "C:w"]
)
@pytest.mark.parametrize("card", [WeightsCard, GoldenCard])
def test_file_outside_the_folder_of_the_card_is_refused(card: type[WeightsCard] | type[GoldenCard], file: str) -> None:
    with pytest.raises(RecordError, match="expected a file in the card's folder"):
        card(file=file)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e9])
@pytest.mark.parametrize("name", ["mean", "std"])
def test_normalization_that_is_no_number_of_that_scale_is_refused(name: str, value: float) -> None:
    with pytest.raises(RecordError, match=f"card.toml: {name} is {value}; expected"):
        build(InputCard, {name: value}, "card.toml")
