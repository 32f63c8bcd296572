from __future__ import annotations

import numpy as np

from recog_restore.synthpie import people
from recog_restore.synthpie.shape import IDENTITY_NAMES


def test_a_subject_number_is_always_the_same_person() -> None:
    first, again = people.person(12), people.person(12)
    np.testing.assert_array_equal(first.shape, again.shape)
    assert first.traits == again.traits


def test_people_differ_in_shape_and_stay_within_the_limit() -> None:
    shapes = np.stack([people.person(subject).shape for subject in range(300)])
    assert np.abs(shapes).max() <= people.LIMIT
    distances = np.linalg.norm(shapes[:, None] - shapes[None], axis=-1) + 1e9 * np.eye(len(shapes))
    assert distances.min() > 3
    assert (shapes.std(axis=0) > 0.7).all()


def test_sessions_change_the_hair_of_some_and_the_clothes_of_all() -> None:
    restyled = clothed = 0
    for subject in range(100):
        who = people.person(subject)
        first, second = people.look(who, 1), people.look(who, 2)
        restyled += first.hair.style != second.hair.style or first.hair.fringe != second.hair.fringe
        clothed += not np.array_equal(first.clothes, second.clothes)
    assert 15 < restyled < 60
    assert clothed == 100


def test_sessions_leave_the_face_but_for_a_little_weight() -> None:
    fixed = [name not in people.WEIGHT for name in IDENTITY_NAMES]
    assert sum(fixed) == 38
    for subject in range(50):
        who = people.person(subject)
        for session in (2, 3, 4):
            look = people.look(who, session)
            np.testing.assert_array_equal(look.shape[fixed], who.shape[fixed])
            change = np.abs(look.shape - who.shape).max()
            assert 0 < change < 1.5


def test_the_first_session_is_the_person_as_drawn() -> None:
    who = people.person(3)
    look = people.look(who, 1)
    np.testing.assert_array_equal(look.shape, who.shape)
    assert look.traits == who.traits
