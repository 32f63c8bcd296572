"""A restorer's ``[data]``: one source, and what does not go with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recog_restore.errors import RecordError
from recog_restore.networks.cards import RightsCard
from recog_restore.training.lineage import rights
from recog_restore.training.reading import read_recipe
from recog_restore.training.restorer_recipe import RestorerRecipe

COMMON = 'kind = "restorer"\nname = "x"\nembedders = ["arcface-synthpie"]\nstages = [{ steps = 1 }]\n'
FRN = '[network]\nname = "frn"\n'
FACES = '[data]\ndegradation = "mdfr"\n[data.folder]\nroot = "here/faces"\n'
MULTIPIE = '[data.multipie]\nroot = "here/multipie"\n'
FFN = '[teacher]\nname = "ffn"\n'


def read(folder: Path, text: str, *changes: str) -> RestorerRecipe:
    file = folder / "recipe.toml"
    file.write_text(COMMON + FRN + text, "utf-8")
    recipe = read_recipe(file, changes)
    assert isinstance(recipe, RestorerRecipe)
    return recipe


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        ("[data]", (), r"expected one of \[data\.pairs\], \[data\.folder\] and \[data\.multipie\]"),
        (FACES + "[data.pairs]", ("task=restore",), r"expected one of \[data\.pairs\], \[data\.folder\] and"),
        ("", (), "missing key 'data'"),
        (FACES, (), r"task is 'frontalize', but a photo of data\.folder is its own target; expected 'restore'"),
        (FACES, ("task=restore", "data.degradation="), r"data\.folder: a photo is its own target, so there is nothing"),
        (FACES, ("task=restore", "data.degraded=0.0"), r"expected degradation = 'mdfr' and degraded > 0"),
        (FACES, ("task=restore", "data.degraded=1.5"), r"data\.degraded is 1\.5; expected a part, from 0 to 1"),
        (FACES, ("task=restore", "data.folder.layout=lfw"), r"layout is 'lfw'; expected one of 'folder', 'cfp'"),
        (
            FACES + FFN,
            ("task=restore",),
            r"data\.folder: a photo is its own target and nobody turns; expected \[data\.p",
        ),
        (MULTIPIE, ("data.multipie.people=0",), r"data\.multipie\.people is 0; expected 1 to 200, the training"),
        (MULTIPIE, ("data.multipie.lights=all",), r"lights is 'all'; expected one of 'same', 'other', 'both'"),
        (
            MULTIPIE + FFN,
            ("data.multipie.alignment=canonical-128",),
            "an FFN is told the poses by landmarks.csv; expec",
        ),
        (MULTIPIE + FFN, ("landmarks=own",), "expected its alignment = 'landmarks', and landmarks = 'five'"),
        (MULTIPIE, ("start.ffn=there",), r"start\.ffn: there is no FFN that could begin with these weights"),
    ],
)
def test_what_does_not_go_together_is_named(text: str, changes: tuple[str, ...], message: str, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=message):
        read(tmp_path, text, *changes)


@pytest.mark.parametrize(
    ("text", "words", "origin"),
    [
        (
            "[data.pairs]",
            "SynthPIE, 1,500 people × 24 probes",
            "SynthPIE .*: 1,500 rendered people from number 1,000,000",
        ),
        (FACES, "here/faces", "photos of faces, degraded by mdfr"),
        (
            FACES + "people = [1, 350]",
            "here/faces, people 1 to 350",
            "photos of faces, people 1 to 350, degraded by mdfr",
        ),
        (MULTIPIE, "here/multipie, 200 people", "Multi-PIE: the first 200 people"),
    ],
)
def test_source_says_what_it_is(text: str, words: str, origin: str, tmp_path: Path) -> None:
    data = read(tmp_path, text, *(["task=restore"] if text.startswith(FACES) else [])).data
    assert data.words() == words
    assert re.fullmatch(origin, data.origin())


def test_rights_are_as_stated_or_those_of_rendered_faces_or_unknown(tmp_path: Path) -> None:
    assert rights(read(tmp_path, "[data.pairs]")).training_data.startswith("rendered by this program")
    assert rights(read(tmp_path, MULTIPIE)) == RightsCard("Apache-2.0", "unknown", "unknown")
    stated = '[rights]\nweights = "research only"\n'
    assert rights(read(tmp_path, MULTIPIE + stated)).weights == "research only"
