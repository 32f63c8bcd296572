from __future__ import annotations

import numpy as np
import pytest

from recog_restore.errors import ConventionError
from recog_restore.synthpie import Light, Shot, Studio, multipie_light, random_light

STUDIO = Studio()


def face(**fields: object) -> np.ndarray:
    image = STUDIO.photograph(Shot(12, jitter=None, background="clean", **fields)).image  # type: ignore[arg-type]
    return image[30:110, 30:98].astype(float)


def test_illuminations_0_and_19_have_no_flash_and_the_others_one() -> None:
    assert [len(multipie_light(i).lamps) for i in range(20)] == [0] + [1] * 18 + [0]
    directions = {multipie_light(i).lamps[0].direction for i in range(1, 19)}
    assert len(directions) == 18
    assert all(np.linalg.norm(d) == pytest.approx(1) for d in directions)


def test_illumination_7_is_frontal_and_1_and_13_come_from_the_sides() -> None:
    assert [round(multipie_light(i).lamps[0].direction[0], 2) for i in (1, 7, 13)] == [-0.99, 0, 0.99]


@pytest.mark.parametrize("number", [-1, 20])
def test_there_are_only_20_illuminations(number: int) -> None:
    with pytest.raises(ConventionError, match=f"illuminations are 0 to 19; got {number}"):
        multipie_light(number)


def test_every_illumination_gives_another_picture() -> None:
    pictures = np.stack([face(light=number).mean(axis=-1) for number in range(20)])
    differences = np.abs(pictures[:, None] - pictures[None]).mean(axis=(2, 3)) + 1e3 * np.eye(20)
    closest = np.unravel_index(differences.argmin(), differences.shape)
    assert set(map(int, closest)) == {0, 19}  # both without flash
    differences[0, 19] = differences[19, 0] = 1e3
    assert differences.min() > 1.5


def test_light_from_the_left_brightens_the_left_half() -> None:
    middle = 34
    left, right = face(light=2), face(light=12)
    assert left[:, :middle].mean() > left[:, middle:].mean() + 10
    assert right[:, middle:].mean() > right[:, :middle].mean() + 10
    assert face(light=0).mean() < face(light=7).mean() - 20


def test_the_nose_throws_a_shadow() -> None:
    shading = STUDIO._shadings  # the visibility of the lamps is kept there
    face(light=12)
    visible = next(reversed(shading._values.values())).visibility[0]
    assert visible.min() < 0.1
    assert visible.max() == pytest.approx(1, abs=1e-5)


def test_random_light_is_hashable_reproducible_and_never_dark() -> None:
    lights = [random_light(np.random.default_rng(seed)) for seed in range(40)]
    assert lights == [random_light(np.random.default_rng(seed)) for seed in range(40)]
    assert len(set(lights)) == 40
    assert {len(light.lamps) for light in lights} == {0, 1, 2}
    assert min(face(light=light).mean() for light in lights) > 25
    assert isinstance(lights[0], Light)
