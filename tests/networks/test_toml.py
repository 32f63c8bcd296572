from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from recog_restore.networks.cards import EmbedderCard, InputCard, Number, OriginCard, RightsCard, WeightsCard, read_card
from recog_restore.networks.toml import card_text, toml_text

PLAIN = EmbedderCard("n", "iresnet50")
FULL = EmbedderCard(
    name='quoted "n", back\\slash, ünïcode, \x7f, tab\t, line\nbreak',
    network="mobilefacenet",
    title="x = 1 # no comment",
    dim=128,
    flip="concat",
    arguments={"size": [112, 96], "odd key": 1, "deep": {"very": {"deep": True}}, "rate": 1e-5, "none": -3},
    input=InputCard("sphereface-112x96", "bgr", 127.5, 128.0),
    weights=WeightsCard("w.safetensors", "0" * 64, 999_552),
    rights=RightsCard("MIT", "none stated", "CASIA-WebFace: research"),
    origin=OriginCard("a paper", "https://example.org/r", ("CASIA-WebFace", "MS1M")),
    reported=(Number("lfw", "accuracy_10fold", 0.993, "README"), Number("lfw@1", "eer", 0.01)),
    measured=(Number("lfw@1", "accuracy_10fold", 0.9875, commit="abc"),),
)


@pytest.mark.parametrize("card", [PLAIN, FULL])
def test_card_is_read_back_as_it_was_written(card: EmbedderCard, tmp_path: Path) -> None:
    (tmp_path / "card.toml").write_text(card_text(card), "utf-8")
    assert read_card(tmp_path / "card.toml") == card


def test_card_text_leaves_out_what_is_empty() -> None:
    text = card_text(PLAIN)
    assert text.startswith('name = "n"\nnetwork = "iresnet50"\n')
    assert "title" not in text
    assert "[origin]" not in text
    assert "arguments" not in text


def test_values_are_read_back_with_all_that_is_empty_and_without_none() -> None:
    values = {"text": "", "list": [], "data": {"pairs": {}, "deep": {"er": {}}}, "stages": [{}, {"size": [], "n": 1}]}
    assert tomllib.loads(toml_text({**values, "none": None})) == values
