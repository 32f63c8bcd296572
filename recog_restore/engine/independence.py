"""Who has seen whom: what cards say of training people, teachers, judges and selection, beside what a run measures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..datasets import Dataset
from ..datasets.mark import read_mark
from ..degrade import without_size
from ..embed import Embedder
from ..networks.cards import EmbedderCard, OriginCard, Teacher, read_card, shipped
from ..preprocess import Preprocessor
from ..preprocess.spec import links
from .drift import independent
from .plan import Plan

_RENDERED = re.compile(r"SynthPIE \d+: ([\d,]+) rendered people from number ([\d,]+)")
_SOURCES = {"synthpie": "rendered", "drawn": "drawn"}  # of mimics


def statement(plan: Plan, embedders: Sequence[Embedder], preprocessors: Iterable[Preprocessor]) -> list[str]:
    """Return in sentences whom the networks of a run have seen, who taught them, and by whom they were chosen.

    Args:
        plan: says who is tested.
        embedders: the recognizer first, then the judges of the drift.
        preprocessors: those that have a network; the others learned nothing.
    """
    said = []
    for embedder, role in zip(embedders, ["Recognizer", *["Judge"] * (len(embedders) - 1)], strict=True):
        said += _network(f"{role} {embedder.card.name}", embedder.card.origin)
    for link in _learned(preprocessors):
        teachers = ", ".join(dict.fromkeys(teacher.name for teacher in link.card.teachers))
        taught = f"its losses used {teachers}" if teachers else ""
        said += _network(f"Preprocessor {link.card.name}", link.card.origin, taught)
        said += [words for embedder in embedders if (words := _shared(embedder, link))]
    return said + _tested(plan, embedders, preprocessors)


def cautions(
    plan: Plan, dataset: Dataset, embedders: Sequence[Embedder], preprocessors: Iterable[Preprocessor]
) -> list[str]:
    """Return warnings: faces, or a degradation, that flatter a network or that it was not made for, and inside judges.

    Args:
        plan, embedders, preprocessors: as for ``statement``.
        dataset: whose faces they are.
    """
    faces, degradation = kind_of_faces(dataset), plan.protocol.degradation
    said = [
        f"{embedder.card.name} has only seen {mine} faces, and {_data(plan, faces)}: it hardly tells these people apart"
        for embedder in embedders
        if (mine := embedder.card.origin.faces) not in ("", faces)
    ]
    for link in _learned(preprocessors):
        card = link.card
        if card.origin.faces not in ("", faces):
            range_ = card.tested_range or f"{card.origin.faces} faces"
            said.append(f"{card.name} is outside of its tested range ({range_}): {_data(plan, faces)}")
        if degradation is not None and without_size(degradation.name) in card.degradations:
            said.append(
                f"{card.name} was trained under the degradation of this run, {degradation.name}: expect less of it "
                "under another one, such as --set degradation.name=gfrnet"
            )
        said += [
            f"{words}; judge {card.name} with a recognizer from outside as well"
            for embedder in embedders
            if independent(link, embedder) and (words := _shared(embedder, link))
        ]
    return said


def kind_of_faces(dataset: Dataset) -> str:
    """Return ``rendered`` or ``drawn`` where that is known, else ``photographed``; a mimic has its source's faces."""
    mark = read_mark(dataset.root)
    if mark is None:
        return dataset.faces
    return next((kind for name, kind in _SOURCES.items() if mark.source.startswith(name)), "photographed")


def _learned(preprocessors: Iterable[Preprocessor]) -> list[Preprocessor]:
    """Return the links of all chains that have learned something, as far as their cards say, once each."""
    found = [link for preprocessor in preprocessors for link in links(preprocessor)]
    named = {link.card.name: link for link in found if link.card.origin != OriginCard() or link.card.teachers}
    return list(named.values())


def _data(plan: Plan, faces: str) -> str:
    known = f"the faces of {plan.protocol.data.dataset} are"
    return f"{known} {faces}" if faces != "photographed" else f"{known} photographs, as far as is known"


def _network(name: str, origin: OriginCard, *more: str) -> list[str]:
    seen = (
        f"learned from {'; '.join(origin.training_sets)}" if origin.training_sets else "does not say whom it has seen"
    )
    chosen = f"its weights were chosen {origin.selection}" if origin.selection else ""
    return [f"{', '.join(filter(None, [f'{name} {seen}', *more, chosen]))}.", *origin.overlap]


def _shared(embedder: Embedder, link: Preprocessor) -> str:
    """Return that an embedder and a preprocessor, or its teachers, learned from the same people; else ""."""
    mine = _people(embedder.card.origin)
    teachers = {card.name: card for teacher in link.card.teachers if (card := _card(teacher)) is not None}
    sets = {link.card.name: link.card.origin, **{name: card.origin for name, card in teachers.items()}}
    others = [name for name, origin in sets.items() if name != embedder.card.name and _common(mine, _people(origin))]
    if not others:
        return ""
    people = max(_common(mine, _people(sets[name])) for name in others)
    return f"{embedder.card.name} learned from {people:,} of the same rendered people as {', '.join(others)}"


def _tested(plan: Plan, embedders: Sequence[Embedder], preprocessors: Iterable[Preprocessor]) -> list[str]:
    """Return who is tested, and whether the training people of a network are among them, where both are numbers."""
    named = set(plan.samples.table["subject"].astype(str)) - {""}
    numbers = {int(name) for name in named if name.isascii() and name.isdigit()}
    origins = {e.card.name: e.card.origin for e in embedders}
    origins |= {link.card.name: link.card.origin for link in _learned(preprocessors)}
    rendered = {name: people for name, origin in origins.items() if (people := _people(origin))}
    who = f"Tested: {len(named):,} people of {plan.protocol.data.dataset}"
    if plan.protocol.data.dataset != "synthpie" or not rendered:
        return [f"{who}; nobody has compared them with the training people but where that is said."]
    seen = [name for name, people in rendered.items() if any(number in span for number in numbers for span in people)]
    among = f"{', '.join(seen)} learned from some of them" if seen else "none of them is a training person"
    return [f"{who}, rendered by the program that rendered the training faces of {', '.join(rendered)}; {among}."]


def _people(origin: OriginCard) -> list[range]:
    found = [_RENDERED.match(text) for text in origin.training_sets]
    spans = [[int(n.replace(",", "")) for n in match.groups()] for match in found if match]
    return [range(first, first + count) for count, first in spans]


def _common(some: Sequence[range], others: Sequence[range]) -> int:
    """Return how many people are in both, as far as single spans tell."""
    return max([0, *(min(a.stop, b.stop) - max(a.start, b.start) for a in some for b in others)])


def _card(teacher: Teacher) -> EmbedderCard | None:
    folder = shipped("embedder").get(teacher.name)
    return None if folder is None else read_card(folder.joinpath("card.toml"))
