from __future__ import annotations

import dataclasses
from collections.abc import Callable

from recog_restore.report.faces import gallery, room_each
from recog_restore.results import ExampleFace, Result


def test_gains_and_losses_are_grouped_by_preprocessor(make: Callable[..., Result]) -> None:
    found = gallery(make(examples=2), 10**6)
    assert [(g.preprocessor, g.title, len(g.changes)) for g in found.groups] == [
        ("bicubic-down8", "Largest gains", 2),
        ("bicubic-down8", "Largest losses", 2),
        ("clahe", "Largest gains", 2),
        ("clahe", "Largest losses", 2),
    ]
    assert found.left_out == 0


def test_faces_stay_within_their_room_and_the_rest_is_counted(make: Callable[..., Result]) -> None:
    result = make(examples=4)
    whole = gallery(result, 10**9)
    for room in (0, 1000, whole.size // 2, whole.size):
        found = gallery(result, room)
        assert found.size <= room
        assert sum(len(g.changes) for g in found.groups) + found.left_out == len(result.examples)
    assert gallery(result, whole.size).left_out == 0


def test_little_room_is_shared_by_all_groups(make: Callable[..., Result]) -> None:
    result = make(examples=4)
    found = gallery(result, gallery(result, 10**9).size // 3)
    numbers = [len(g.changes) for g in found.groups]
    assert len(numbers) == 4
    assert max(numbers) - min(numbers) <= 1


def test_room_is_shared_by_the_results_that_have_faces(make: Callable[..., Result]) -> None:
    assert room_each([make(), make(examples=0), make()], 100) == 50
    assert room_each([make(examples=0)], 100) == 100


def test_confusions_are_triples_of_probe_mate_and_impostor(poses: Callable[..., Result]) -> None:
    result = poses({"mdfr": 0.1})
    found = gallery(result, 10**6)
    assert [(entry.preprocessor, len(entry.mistakes)) for entry in found.confusions] == [("none", 3), ("mdfr", 3)]
    for entry in found.confusions:
        for mistake, confusion in zip(
            entry.mistakes, (c for c in result.confusions if c.preprocessor == entry.preprocessor), strict=True
        ):
            probe, mate, impostor = mistake.faces
            assert [len(face.states) for face in (probe, mate, impostor)] == [1 + (entry.preprocessor != "none"), 1, 1]
            assert (probe.subject, mate.subject, impostor.subject) == (
                *(confusion.subject,) * 2,
                confusion.impostor_subject,
            )
            assert (probe.sample, probe.states[-1][1]) == (confusion.probe.sample, confusion.probe.after)
            assert (mate.states[0][1], impostor.states[0][1]) == (confusion.mate.after, confusion.impostor.after)
            assert mistake.rank == str(confusion.rank)
            assert mistake.excess == f"{confusion.impostor_score - confusion.mate_score:+.3f}"


def test_confusions_and_examples_share_the_room(poses: Callable[..., Result], make: Callable[..., Result]) -> None:
    both = dataclasses.replace(make({"mdfr": 0.1}), confusions=poses({"mdfr": 0.1}).confusions)
    whole = gallery(both, 10**9)
    for room in (0, whole.size // 3, whole.size):
        found = gallery(both, room)
        shown = sum(len(g.changes) for g in found.groups) + sum(len(e.mistakes) for e in found.confusions)
        assert found.size <= room
        assert shown + found.left_out == len(both.examples) + len(both.confusions)
    assert whole.left_out == 0
    assert room_each([poses(), make(examples=0)], 100) == 100


def test_a_confusion_without_pictures_keeps_its_words(poses: Callable[..., Result]) -> None:
    result = poses({}, confusions=1)
    blank = ExampleFace("a.jpg", "", "")
    bare = dataclasses.replace(result.confusions[0], probe=blank, mate=blank, impostor=blank)
    found = gallery(dataclasses.replace(result, confusions=(bare,)), 0)
    (mistake,) = found.confusions[0].mistakes
    assert {address for face in mistake.faces for _, address in face.states} == {""}
    assert (mistake.mate, mistake.impostor) == ("0.120", "0.610")
