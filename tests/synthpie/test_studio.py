from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from recog_restore.errors import ConventionError
from recog_restore.synthpie import EXPRESSIONS, VERSION, Shot, Studio, Web, random_shot, random_shots
from recog_restore.synthpie.sheet import contact_sheet, documentation

GOLDEN = Path(__file__).with_name("golden.png")
SHOTS = [
    Shot(subject, session, expression, yaw=yaw, light=light, background=background)
    for subject, session, expression, yaw, light, background in (
        (1, 1, "neutral", 0, 7, "cluttered"),
        (1, 1, "neutral", 0, 3, "cluttered"),
        (2, 2, "smile", -45, 12, "clean"),
        (1, 2, "neutral", 90, 7, "cluttered"),
        (2, 2, "smile", -45, 0, "clean"),
        (346, 4, "scream", 15, 17, "cluttered"),
        (1_000_003, 1, "squint", -75, 9, "clean"),
        (1, 1, "neutral", 0, 7, "clean"),
    )
]


def digest(images: list[np.ndarray]) -> str:
    return hashlib.sha256(b"".join(image.tobytes() for image in images)).hexdigest()


def test_equal_shots_give_equal_pixels_whatever_the_order_and_the_memory() -> None:
    studio = Studio()
    together = [studio.photograph(shot).image for shot in SHOTS]
    backwards = [studio.photograph(shot).image for shot in reversed(SHOTS)][::-1]
    alone = [Studio().photograph(shot).image for shot in SHOTS]
    assert digest(together) == digest(backwards) == digest(alone)


def test_another_process_gives_the_same_pixels() -> None:
    code = (
        "import hashlib, pickle, sys; from recog_restore.synthpie import Studio; s = Studio();"
        "print(hashlib.sha256(b''.join(s.photograph(q).image.tobytes()"
        " for q in pickle.load(sys.stdin.buffer))).hexdigest(), 'torch' in sys.modules, 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(SHOTS), capture_output=True, check=True)
    assert done.stdout.split() == [digest([Studio().photograph(s).image for s in SHOTS]).encode(), b"False", b"False"]


def test_pixels_are_those_of_this_version() -> None:
    # Rendered by this code, VERSION below, on x86-64 with OpenCV 5; if it changes, change VERSION and write it anew:
    # cv2.imwrite(GOLDEN, contact_sheet([[replace(s, size=64) for s in SHOTS]])[..., ::-1])
    assert VERSION == "3"
    expected = cv2.imread(str(GOLDEN))[..., ::-1].astype(int)
    measured = contact_sheet([[replace(shot, size=64) for shot in SHOTS]]).astype(int)
    difference = np.abs(measured - expected)
    assert difference.mean() < 0.5
    assert np.quantile(difference, 0.999) <= 8


def test_a_photo_is_uint8_rgb_and_travels_to_another_process() -> None:
    photo = Studio().photograph(Shot(5, size=64, yaw=30))
    assert photo.image.shape == (64, 64, 3)
    assert photo.image.dtype == np.uint8
    again = pickle.loads(pickle.dumps(photo))
    np.testing.assert_array_equal(again.image, photo.image)
    np.testing.assert_array_equal(again.truth.depth(), photo.truth.depth())
    np.testing.assert_array_equal(again.truth.visible, photo.truth.visible)


def test_skin_is_red_rather_than_blue() -> None:
    image = Studio().photograph(Shot(12, background="clean")).image[60:80, 40:90].astype(float)
    assert image[..., 0].mean() > image[..., 2].mean() + 10


def test_light_changes_the_picture_but_not_what_is_known_of_it() -> None:
    studio = Studio()
    first, second = (studio.photograph(Shot(6, yaw=45, light=light)) for light in (7, 3))
    np.testing.assert_array_equal(first.truth.parameters, second.truth.parameters)
    assert np.abs(first.image.astype(int) - second.image).mean() > 3


def test_jitter_changes_a_picture_a_little_and_another_person_much() -> None:
    studio = Studio()
    shots = (Shot(subject, jitter=jitter, background="clean") for subject, jitter in ((6, 1), (6, 2), (8, 1)))
    images = [studio.photograph(shot).image.astype(int) for shot in shots]
    middle = (slice(30, 100), slice(35, 95))
    little, much = (np.abs(images[0] - other)[middle].mean() for other in images[1:])
    assert 1 < little < much


def test_every_expression_gives_another_picture() -> None:
    studio = Studio()
    pictures = [studio.photograph(Shot(12, expression=e, jitter=None)).image.astype(int) for e in EXPRESSIONS]
    for i, first in enumerate(pictures):
        for second in pictures[:i]:
            assert np.abs(first - second)[30:120, 30:98].mean() > 2


def test_an_expression_may_be_ten_numbers() -> None:
    studio = Studio()
    named, numbered = (studio.photograph(Shot(12, expression=e)) for e in ("smile", EXPRESSIONS["smile"]))
    np.testing.assert_array_equal(named.image, numbered.image)


def test_people_do_not_look_alike() -> None:
    studio = Studio()
    faces = [studio.photograph(Shot(s, background="clean", size=64)).image[15:56, 16:48] for s in range(40)]
    flat = np.stack([cv2.resize(face, (16, 20)).astype(float).ravel() for face in faces])
    distance = np.abs(flat[:, None] - flat[None]).mean(axis=-1) + 1e3 * np.eye(len(flat))
    assert distance.min() > 4


@pytest.mark.parametrize("yaw", [0, 45, -90])
def test_heads_have_no_holes_and_no_detached_parts(yaw: int) -> None:
    studio = Studio()
    names = list(EXPRESSIONS)
    for subject in range(2_000, 2_040):
        shot = Shot(subject, expression=names[subject % 6], yaw=yaw, pitch=(subject % 5 - 2) * 8)
        head = ~np.isnan(studio.truth(shot).depth())
        assert 0.2 < head.mean() < 0.8
        for part, neighbours in ((head, 8), (~head, 4)):
            count, labels = cv2.connectedComponents(part.astype(np.uint8), connectivity=neighbours)
            border = {*labels[0], *labels[-1], *labels[:, 0], *labels[:, -1]}
            enclosed = sum(int((labels == i).sum()) for i in set(range(1, count)) - border)
            assert enclosed <= 6, shot  # a sliver of background between chin and shoulder is right


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"expression": "smirk"}, "expression is one of neutral, smile, .*; got 'smirk'"),
        ({"expression": (0.0, 1.0)}, "an expression has 10 coefficients; got 2"),
        ({"background": "beach"}, "background is one of cluttered, clean; got 'beach'"),
        (
            {"session": -1},
            "subject, session and jitter are seeds and not negative; got subject 1, session -1",
        ),
        ({"size": 8}, "a picture has at least 16 pixels across; got 8"),
        ({"distance": 100.0}, "the camera stands at least 300 mm away; got 100.0"),
        ({"light": 20}, "illuminations are 0 to 19; got 20"),
    ],
)
def test_an_impossible_shot_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConventionError, match=message):
        Shot(1, **fields)  # type: ignore[arg-type]


def test_web_photos_are_reproducible_and_keep_their_limits() -> None:
    web = Web(largest_yaw=40, size=64)
    first, again = ([random_shot(np.random.default_rng(i), 7, web) for i in range(300)] for _ in range(2))
    assert first == again
    yaws = np.array([shot.yaw for shot in first])
    assert np.abs(yaws).max() <= 40
    assert (np.abs(yaws) < 15).mean() > 0.5
    assert {shot.session for shot in first} == {1, 2}
    assert {shot.size for shot in first} == {64}


def test_views_of_one_web_moment_share_light_look_and_expression() -> None:
    shots = random_shots(np.random.default_rng(1), 7, 3)
    assert len({(shot.subject, shot.session, shot.expression, shot.jitter, shot.light) for shot in shots}) == 1
    assert len({shot.yaw for shot in shots}) == 3


def test_the_contact_sheet_of_the_documentation_is_a_full_grid() -> None:
    rows = documentation()
    assert {len(row) for row in rows} == {13}
    assert contact_sheet([row[:2] for row in rows[:2]]).shape == (176, 176, 3)
