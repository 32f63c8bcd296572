from __future__ import annotations

import dataclasses
import io
import json
import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from recog_restore.degrade import (
    DEGRADATIONS,
    Bicubic,
    BicubicDown,
    Camera,
    Degradation,
    Gfrnet,
    Mdfr,
    MdfrPaper,
    Pvfr,
    Steps,
    Uniform,
    Vivid,
    bicubic,
    bicubic_matrix,
    degrade,
    generator,
)
from recog_restore.errors import ConventionError, RecordError, UnknownName

NAMES = [
    "bicubic",
    "bicubic-down1",
    "bicubic-down8",
    "camera",
    "gfrnet",
    "mdfr",
    "mdfr-down5",
    "mdfr-paper",
    "pvfr",
    "vivid-16",
    "vivid-32",
]
RANDOM = ["bicubic", "camera", "gfrnet", "mdfr", "mdfr-down5", "mdfr-paper", "pvfr"]
ZERO, ONE = Uniform(0, 0), Uniform(1, 1)
NEVER = Steps(0, 0, 1)

# Every model with each factor switched off.
NEUTRAL = {
    "gfrnet": Gfrnet(blur_sigma=NEVER, factor=Steps(1, 1, 1), noise_sigma=NEVER, quality=NEVER),
    "pvfr-gaussian": Pvfr(motion_share=0, blur_sigma=ZERO, factor=ONE, noise_sigma=ZERO, quality=NEVER),
    "pvfr-motion": Pvfr(motion_share=1, motion_path=ZERO, factor=ONE, noise_sigma=ZERO, quality=NEVER),
    "mdfr": Mdfr(
        colour_std=ZERO, blur_mean=ZERO, gamma_low=ONE, gamma_high=ONE, factor=ONE, noise_mean=ZERO, noise_std=ZERO
    ),
    "bicubic": Bicubic(factor=ONE),
    "camera": Camera(exposure=ZERO, contrast=ZERO, balance=ZERO, blur_sigma=ZERO, noise_sigma=ZERO, quality=NEVER),
    "bicubic-down1": BicubicDown(1),
    "vivid-128": Vivid(128),
}


def noise(height: int = 128, width: int = 128, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def smooth() -> np.ndarray:
    """A picture that survives a mild degradation: slopes and a disc."""
    y, x = np.mgrid[:128, :128]
    disc = np.hypot(x - 60, y - 70) < 30
    return np.stack([x + 60, y + 40, np.where(disc, 200, 80)], axis=2).astype(np.uint8)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return 10 * math.log10(255**2 / np.mean((a.astype(float) - b) ** 2))


# ── bicubic ──────────────────────────────────────────────────────────────────────────────────────────────────────────

SIZES = [(128, 16), (128, 43), (128, 127), (128, 128), (16, 128), (7, 5), (5, 7), (1, 4), (4, 1), (3, 3), (100, 1)]


@pytest.mark.parametrize(("source", "target"), SIZES)
def test_bicubic_equals_pillow_on_floats(source: int, target: int) -> None:
    image = np.random.default_rng(1).uniform(0, 255, (source, source + 3, 2)).astype(np.float32)
    ours = bicubic(image, (target, target + 1))
    for channel in range(2):
        theirs = Image.fromarray(image[:, :, channel]).resize((target + 1, target), Image.Resampling.BICUBIC)
        np.testing.assert_allclose(ours[:, :, channel], np.asarray(theirs), rtol=0, atol=1e-4)


def slow_weights(source: int, target: int) -> list[list[float]]:
    def keys(x: float) -> float:
        x, a = abs(x), -0.5
        if x < 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    rows = []
    for i in range(target):
        centre = (i + 0.5) * source / target
        row = [keys((j + 0.5 - centre) / max(1.0, source / target)) for j in range(source)]
        rows.append([w / sum(row) for w in row])
    return rows


@pytest.mark.parametrize(("source", "target"), SIZES)
def test_bicubic_matrix_equals_the_kernel_written_out(source: int, target: int) -> None:
    np.testing.assert_allclose(bicubic_matrix(source, target), slow_weights(source, target), rtol=0, atol=1e-12)


@given(st.integers(1, 140), st.integers(1, 140))
@settings(deadline=None)
def test_bicubic_rows_sum_to_one_and_mirror(source: int, target: int) -> None:
    weights = bicubic_matrix(source, target)
    assert weights.shape == (target, source)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-9)
    assert bicubic_matrix(source, source).tolist() == np.eye(source).tolist()


def test_bicubic_reproduces_a_line_away_from_the_border() -> None:
    line = np.linspace(0, 100, 128)
    expected = (np.arange(320) + 0.5) * 128 / 320 - 0.5
    found = bicubic_matrix(128, 320) @ line
    np.testing.assert_allclose(found[8:-8], np.interp(expected, np.arange(128), line)[8:-8], atol=1e-9)


def test_bicubic_antialiases_where_opencv_does_not() -> None:
    checks = (np.indices((128, 128)).sum(axis=0) % 2 * 255)[:, :, None].astype(np.float32)
    assert np.abs(bicubic(checks, (16, 16)) - 127.5).max() < 3
    stripes = np.repeat(np.tile(np.float32([[[0]], [[0]], [[0]], [[255]]]), (32, 128, 1)), 1, axis=2)
    assert np.ptp(bicubic(stripes, (43, 43))[4:-4, 4:-4]) < np.ptp(cv2.resize(stripes, (43, 43), interpolation=2)) / 2


def test_bicubic_rounds_and_clamps_bytes_and_lets_floats_overshoot() -> None:
    edge = np.zeros((8, 8, 1), np.uint8)
    edge[:, 4:] = 255
    as_float = bicubic(edge.astype(np.float32), (32, 32))
    assert as_float.min() < -1
    assert as_float.max() > 256
    np.testing.assert_array_equal(bicubic(edge, (32, 32)), np.rint(as_float).clip(0, 255).astype(np.uint8))


def test_bicubic_leaves_its_input_and_its_cache_alone() -> None:
    image = noise()
    image.setflags(write=False)
    same = bicubic(image, (128, 128))
    assert same is not image
    np.testing.assert_array_equal(same, image)
    with pytest.raises(ValueError, match="read-only"):
        bicubic_matrix(8, 4)[0, 0] = 1


def test_bicubic_refuses_other_arrays_and_sizes() -> None:
    with pytest.raises(ConventionError, match=r"expected a \(H, W, C\) image, uint8 or float32; got \(8, 8\) uint8"):
        bicubic(np.zeros((8, 8), np.uint8), (4, 4))
    with pytest.raises(ConventionError, match=r"got \(8, 8, 3\) float64"):
        bicubic(np.zeros((8, 8, 3)), (4, 4))  # type: ignore[type-var]
    with pytest.raises(ConventionError, match="cannot resample 8 to 0 pixels; both must be at least 1"):
        bicubic(np.zeros((8, 8, 3), np.uint8), (0, 4))


# ── every registered degradation ─────────────────────────────────────────────────────────────────────────────────────


def test_no_registered_name_is_forgotten() -> None:
    assert set(DEGRADATIONS) == {n for n in NAMES if "-down" not in n} | {"bicubic-down{n}", "mdfr-down{n}"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("height", "width"), [(128, 128), (112, 96), (1, 1)])
def test_shape_and_dtype_are_kept_and_the_input_is_not_written_to(name: str, height: int, width: int) -> None:
    image = noise(height, width)
    image.setflags(write=False)
    bad = degrade(image, name, 0, "a")
    assert (bad.shape, bad.dtype) == (image.shape, np.uint8)
    assert bad.flags.c_contiguous
    assert bad.flags.writeable


@pytest.mark.parametrize("name", NAMES)
def test_sample_alone_decides_in_any_order(name: str) -> None:
    images = {f"{i}.jpg": noise(seed=i) for i in range(4)}
    forward = {sample: degrade(image, name, 7, sample) for sample, image in images.items()}
    model = DEGRADATIONS.create(name)
    backward = {sample: degrade(images[sample], model, 7, sample) for sample in reversed(images)}
    for sample in images:
        np.testing.assert_array_equal(forward[sample], backward[sample])


@pytest.mark.parametrize("name", RANDOM)
def test_seeds_and_samples_differ(name: str) -> None:
    image = smooth()
    first = degrade(image, name, 0, "a")
    assert (first != degrade(image, name, 1, "a")).any()
    assert (first != degrade(image, name, 0, "b")).any()


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(RANDOM)))
def test_fixed_degradation_does_not_depend_on_the_seed(name: str) -> None:
    np.testing.assert_array_equal(degrade(noise(), name, 0, "a"), degrade(noise(), name, 1, "b"))


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_plain_and_complete(name: str) -> None:
    model = DEGRADATIONS.create(name)
    described = json.loads(json.dumps(model.settings()))
    assert set(described) == {f.name for f in dataclasses.fields(model)}  # type: ignore[arg-type]
    assert model == DEGRADATIONS.create(name)


@pytest.mark.parametrize("name", NAMES)
def test_other_arrays_are_refused(name: str) -> None:
    for image in (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((0, 8, 3), np.uint8)):
        with pytest.raises(ConventionError, match=r"expected a \(H, W, 3\) uint8 crop, got \("):
            degrade(image, name, 0, "a")
    with pytest.raises(ConventionError, match="float32"):
        degrade(np.zeros((8, 8, 3), np.float32), name, 0, "a")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NEUTRAL)
def test_nothing_drawn_is_nothing_done(name: str) -> None:
    np.testing.assert_array_equal(degrade(noise(), NEUTRAL[name], 0, "a"), noise())


BLUR_AND_RESIZE_ONLY = {
    "gfrnet": dataclasses.replace(Gfrnet(), noise_sigma=NEVER, quality=NEVER),
    "pvfr": dataclasses.replace(Pvfr(), noise_sigma=ZERO, quality=NEVER),
    "mdfr": dataclasses.replace(Mdfr(), colour_std=ZERO, gamma_low=ONE, gamma_high=ONE, noise_std=ZERO),
    "bicubic": Bicubic(),
    "bicubic-down8": BicubicDown(8),
    "vivid-16": Vivid(16),
}


@pytest.mark.parametrize("name", BLUR_AND_RESIZE_ONLY)
def test_blur_and_resizing_keep_a_constant_image(name: str) -> None:
    constant = np.empty((128, 128, 3), np.uint8)
    constant[:] = (17, 130, 251)
    for sample in range(20):
        np.testing.assert_array_equal(degrade(constant, BLUR_AND_RESIZE_ONLY[name], 0, str(sample)), constant)


@pytest.mark.parametrize("name", RANDOM)
def test_colours_are_not_exchanged(name: str) -> None:
    image = np.empty((128, 128, 3), np.uint8)
    image[:] = (220, 120, 40)
    mild = {
        "bicubic": Bicubic(),
        "camera": Camera(),
        "gfrnet": Gfrnet(),
        "pvfr": Pvfr(),
        "mdfr": Mdfr(colour_std=ZERO),
        "mdfr-down5": Mdfr(colour_std=ZERO, factor=Uniform(5, 5)),
        "mdfr-paper": MdfrPaper(noise_std=ZERO),
    }
    red, green, blue = np.mean([degrade(image, mild[name], 0, str(i)).mean(axis=(0, 1)) for i in range(20)], axis=0)
    assert red > green > blue


@pytest.mark.parametrize("name", ["camera", "gfrnet", "mdfr", "pvfr", "vivid-16", "vivid-32", "bicubic-down8"])
def test_picture_is_worse_but_still_there(name: str) -> None:
    for sample in range(10):
        bad = degrade(smooth(), name, 0, str(sample))
        assert (bad != smooth()).any()
        assert np.corrcoef(bad[:, :, 2].ravel(), smooth()[:, :, 2].ravel())[0, 1] > 0.5


def test_printed_ranges_of_mdfr_hurt_more_than_our_reading() -> None:
    literal, ours = (
        np.mean([psnr(degrade(smooth(), n, 0, str(i)), smooth()) for i in range(30)]) for n in ("mdfr-paper", "mdfr")
    )
    assert literal < ours


# ── drawn parameters ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_mdfr_by_a_given_factor_draws_all_but_the_factor() -> None:
    drawn = [DEGRADATIONS.create("mdfr-down5").draw(generator(0, str(i))) for i in range(20)]
    assert {d["factor"] for d in drawn} == {5.0}
    assert len({d["gamma"] for d in drawn}) == 20


def test_bicubic_by_a_drawn_factor_is_bicubic_by_that_factor() -> None:
    exact = dataclasses.replace(Bicubic(), factor=Uniform(4, 4))
    np.testing.assert_array_equal(degrade(noise(), exact, 0, "a"), degrade(noise(), "bicubic-down4", 0, "a"))


def draws(model: Degradation, count: int = 3000) -> dict[str, np.ndarray]:
    rng = generator(0, "draws")
    rows = [model.draw(rng) for _ in range(count)]
    return {name: np.array([row[name] for row in rows if name in row]) for name in {n for row in rows for n in row}}


def test_gfrnet_draws_every_value_of_the_papers_sets_equally_often() -> None:
    drawn = draws(Gfrnet(), 8000)
    expected = {
        "blur_sigma": [0, *(i / 10 for i in range(10, 31))],
        "factor": [i / 10 for i in range(10, 81)],
        "noise_sigma": list(range(8)),
        "quality": [0, *range(10, 41)],
    }
    for name, values in expected.items():
        found, counts = np.unique(drawn[name], return_counts=True)
        assert found.tolist() == values
        mean = 8000 / len(values)
        assert np.abs(counts - mean).max() < 5 * math.sqrt(mean)


def test_pvfr_draws_within_the_stated_ranges_and_reaches_their_ends() -> None:
    drawn = draws(Pvfr())
    ranges = {
        "factor": (0.4, 8),
        "noise_sigma": (0, 25),
        "quality": (5, 50),
        "motion_path": (0, 20),
        "blur_sigma": (0.1, 10),
        "blur_sigma_across": (0.1, 10),
        "blur_angle": (0, math.pi),
    }
    assert set(drawn) == set(ranges)
    for name, (low, high) in ranges.items():
        assert low <= drawn[name].min() < low + 0.02 * (high - low) + 1e-9
        assert high >= drawn[name].max() > high - 0.02 * (high - low)
        assert drawn[name].mean() == pytest.approx((low + high) / 2, rel=0.06)
    assert len(drawn["motion_path"]) == pytest.approx(1500, abs=150)
    assert len(drawn["motion_path"]) + len(drawn["blur_sigma"]) == 3000
    assert np.mean(drawn["blur_sigma"] == drawn["blur_sigma_across"]) == pytest.approx(0.5, abs=0.05)


def test_mdfr_draws_within_our_ranges_and_gamma_evenly_in_its_logarithm() -> None:
    drawn = draws(Mdfr())
    blur = np.append(drawn["box_sigma"], drawn["blur_sigma"])
    assert 0.2 <= blur.min() < 0.25
    assert 2.95 < blur.max() <= 3
    assert len(drawn["box_sigma"]) / 3000 == pytest.approx(2 / 3, abs=0.04)
    assert 0.3 - 1e-12 <= drawn["gamma"].min() < 0.31
    assert 2.9 < drawn["gamma"].max() <= 3 + 1e-12
    assert np.median(drawn["gamma"]) == pytest.approx(math.sqrt(0.3 * 3), rel=0.08)
    assert 1 <= drawn["factor"].min() < drawn["factor"].max() <= 8
    assert set(drawn["noise_mean"]) == {0}
    assert 0 <= drawn["noise_std"].min() < drawn["noise_std"].max() <= 0.1
    for colour in ("red", "green", "blue"):
        assert drawn[colour].mean() == pytest.approx(0, abs=0.02)


def test_printed_mdfr_draws_from_the_printed_numbers() -> None:
    drawn = draws(MdfrPaper())
    for colour in ("red", "green", "blue"):
        assert drawn[colour].mean() == pytest.approx(0.15, abs=0.02)
        assert drawn[colour].std() == pytest.approx(math.sqrt(0.15**2 + 2 * 0.1**2 / 12), rel=0.1)
    blur = np.append(drawn["box_sigma"], drawn["blur_sigma"])
    assert 0 <= blur.min() < blur.max() < 1.5
    assert 0.1 <= drawn["gamma"].min() < drawn["gamma"].max() <= 3
    for name in ("noise_mean", "noise_std"):
        assert 0.1 <= drawn[name].min() < 0.11
        assert 0.49 < drawn[name].max() <= 0.5


def test_steps_hold_both_ends_and_the_extra_values() -> None:
    assert Steps(1, 2, 0.25, extra=(0.0,)).values().tolist() == [0, 1, 1.25, 1.5, 1.75, 2]
    assert len(Steps(1, 8, 0.1).values()) == 71


def test_ranges_that_hold_nothing_are_refused() -> None:
    with pytest.raises(RecordError, match="expected low <= high, got 2 … 1"):
        Uniform(2, 1)
    with pytest.raises(RecordError, match="expected low <= high and step > 0, got 1 … 2 by 0"):
        Steps(1, 2, 0)
    with pytest.raises(RecordError, match="n is 0; expected a factor of at least 1"):
        BicubicDown(0)
    with pytest.raises(RecordError, match="side is 0; expected at least 1 pixel"):
        Vivid(0)


# ── one factor at a time, against another way to compute it ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "side"), [("bicubic-down8", 16), ("bicubic-down3", 43), ("vivid-16", 16), ("vivid-32", 32)]
)
def test_bicubic_models_are_pillows_way_down_and_up(name: str, side: int) -> None:
    # Pillow rounds after each axis and with 8 fractional bits less; one grey level, two in sum, is the difference.
    small = Image.fromarray(smooth()).resize((side, side), Image.Resampling.BICUBIC)
    expected = np.asarray(small.resize((128, 128), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(degrade(smooth(), name, 0, "a").astype(int) - expected).max() <= 2


def test_camera_lights_a_face_before_it_blurs_it() -> None:
    light = {"exposure": Uniform(0.4, 0.4), "contrast": Uniform(0.2, 0.2), "blur_sigma": Uniform(1, 1)}
    model = dataclasses.replace(NEUTRAL["camera"], **light)  # type: ignore[type-var]
    table = [min(255.0, 255 * math.exp(0.4) * (value / 255) ** math.exp(0.2)) for value in range(256)]
    expected = cv2.GaussianBlur(np.array(table, np.float32)[noise()], (9, 9), 1.0)
    assert np.abs(degrade(noise(), model, 0, "a") - expected).max() < 0.51


def test_gaussian_blur_is_opencvs_at_the_scaled_deviation() -> None:
    model = dataclasses.replace(NEUTRAL["gfrnet"], blur_sigma=Steps(3, 3, 1))  # type: ignore[type-var]
    expected = cv2.GaussianBlur(noise().astype(np.float32), (13, 13), 1.5)  # 3 px of 256 are 1.5 of 128
    assert np.abs(degrade(noise(), model, 0, "a") - expected).max() < 0.51


def test_blur_covers_the_same_share_of_a_larger_crop() -> None:
    model = dataclasses.replace(NEUTRAL["gfrnet"], blur_sigma=Steps(2, 2, 1))  # type: ignore[type-var]
    point = {side: np.zeros((side, side, 3), np.uint8) for side in (65, 129)}
    widths = []
    for side, image in point.items():
        image[:, side // 2] = 255
        profile = degrade(image, model, 0, "a")[side // 2, :, 0].astype(float)
        x = np.arange(side) - side // 2
        widths.append(math.sqrt((profile * x**2).sum() / profile.sum()) / side)
    assert widths[0] == pytest.approx(widths[1], rel=0.1)


def test_round_gaussian_of_pvfr_has_no_direction_and_an_oval_one_has() -> None:
    def spread(sigma: Uniform, isotropic: float, angle: float) -> np.ndarray:
        model = dataclasses.replace(NEUTRAL["pvfr-gaussian"], isotropic_share=isotropic, blur_sigma=sigma)  # type: ignore[type-var]
        image = np.zeros((129, 129, 3), np.uint8)
        image[62:67, 62:67] = 255
        drawn = {**model.draw(generator(0, "a")), "blur_angle": angle}
        if not isotropic:
            drawn.update(blur_sigma=8.0, blur_sigma_across=1.0)
        y, x = np.nonzero(model.apply(image, drawn, generator(0, "a"))[:, :, 0] > 5)
        return np.array([np.ptp(x), np.ptp(y)])

    wide, high = spread(Uniform(6, 6), 1, 0.7)
    assert wide == high
    wide, high = spread(Uniform(1, 8), 0, 0.0)
    assert wide > high
    wide, high = spread(Uniform(1, 8), 0, math.pi / 2)
    assert wide < high


@pytest.mark.parametrize(("angle", "columns", "rows"), [(0.0, 5, 1), (math.pi / 2, 1, 5)])
def test_motion_smears_a_point_evenly_along_its_path(angle: float, columns: int, rows: int) -> None:
    model = NEUTRAL["pvfr-motion"]
    image = np.zeros((128, 128, 3), np.uint8)
    image[64, 64] = 250
    drawn = {**model.draw(generator(0, "a")), "motion_path": 16.0, "blur_angle": angle}  # 4 px of 128
    smeared = model.apply(image, drawn, generator(0, "a"))[:, :, 0]
    y, x = np.nonzero(smeared)
    assert (np.ptp(x) + 1, np.ptp(y) + 1) == (columns, rows)
    assert float(smeared.sum()) == pytest.approx(250, abs=5)
    assert np.ptp(smeared[smeared > 40]) <= 2


def test_box_of_mdfr_is_opencvs_where_its_width_is_whole() -> None:
    sigma = math.sqrt((5 * 5 - 1) / 12)  # of 5 pixels
    model = dataclasses.replace(NEUTRAL["mdfr"], box_share=1.0, blur_mean=Uniform(sigma, sigma))  # type: ignore[type-var]
    expected = cv2.blur(noise().astype(np.float32), (5, 5))
    assert np.abs(degrade(noise(), model, 0, "a") - expected).max() < 0.51


@pytest.mark.parametrize("sigma", [0.6, 1.0, 1.7, 3.0])
@pytest.mark.parametrize("box_share", [0.0, 1.0])
def test_blur_of_mdfr_has_the_drawn_deviation(sigma: float, box_share: float) -> None:
    model = dataclasses.replace(NEUTRAL["mdfr"], box_share=box_share, blur_mean=Uniform(sigma, sigma))  # type: ignore[type-var]
    step = np.zeros((128, 128, 3), np.uint8)
    step[:, 64:] = 255  # its slope is the kernel
    slope = np.diff(degrade(step, model, 0, "a")[64, :, 0].astype(float)) / 255
    x = np.arange(127)
    mean = (slope * x).sum()
    assert math.sqrt((slope * (x - mean) ** 2).sum()) == pytest.approx(sigma, rel=0.03)


def test_gamma_is_the_exponent_of_pixels_in_the_unit_interval() -> None:
    model = dataclasses.replace(NEUTRAL["mdfr"], gamma_low=Uniform(2, 2), gamma_high=Uniform(2, 2))  # type: ignore[type-var]
    expected = np.rint(255 * (noise() / 255) ** 2)
    np.testing.assert_allclose(degrade(noise(), model, 0, "a"), expected, atol=1)


@pytest.mark.parametrize("sigma", [2.0, 20.0])
def test_noise_has_the_drawn_level(sigma: float) -> None:
    model = dataclasses.replace(NEUTRAL["pvfr-motion"], noise_sigma=Uniform(sigma, sigma))  # type: ignore[type-var]
    grey = np.full((128, 128, 3), 128, np.uint8)
    bad = degrade(grey, model, 0, "a").astype(float)
    assert bad.std() == pytest.approx(sigma, rel=0.05)
    assert bad.mean() == pytest.approx(128, abs=0.5)
    assert np.abs(np.corrcoef(bad.reshape(-1, 3).T) - np.eye(3)).max() < 0.05


def test_jpeg_of_higher_quality_is_nearer() -> None:
    def at(quality: int) -> float:
        model = dataclasses.replace(NEUTRAL["gfrnet"], quality=Steps(quality, quality, 1))  # type: ignore[type-var]
        return psnr(degrade(smooth(), model, 0, "a"), smooth())

    assert 20 < at(10) < at(40) < at(95)


@pytest.mark.parametrize("quality", [10, 40, 90])
def test_jpeg_is_pillows_with_halved_chroma(quality: int) -> None:
    model = dataclasses.replace(NEUTRAL["gfrnet"], quality=Steps(quality, quality, 1))  # type: ignore[type-var]
    file = io.BytesIO()
    Image.fromarray(smooth()).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    difference = degrade(smooth(), model, 0, "a").astype(int) - np.asarray(Image.open(file))
    assert np.abs(difference).max() <= 2  # two builds of libjpeg


def test_factor_below_one_changes_nothing() -> None:
    model = dataclasses.replace(NEUTRAL["pvfr-motion"], factor=Uniform(0.4, 0.4))  # type: ignore[type-var]
    np.testing.assert_array_equal(degrade(noise(), model, 0, "a"), noise())


# ── the stream of a sample ───────────────────────────────────────────────────────────────────────────────────────────


def test_stream_depends_on_seed_and_sample_and_on_nothing_else() -> None:
    numbers = generator(3, "George_W_Bush/George_W_Bush_0001.jpg").random(4)
    np.random.default_rng(0).random(100)
    np.testing.assert_array_equal(generator(3, "George_W_Bush/George_W_Bush_0001.jpg").random(4), numbers)
    others = [
        generator(4, "George_W_Bush/George_W_Bush_0001.jpg"),
        generator(3, ""),
        generator(-3, "ü"),
        generator(1, "2"),
    ]
    assert len({tuple(g.random(4)) for g in others} | {tuple(numbers)}) == 5


def test_streams_of_samples_are_uncorrelated() -> None:
    streams = np.array([generator(0, str(i)).normal(size=500) for i in range(40)])
    assert np.abs(np.corrcoef(streams) - np.eye(40)).max() < 0.25


def test_unknown_name_has_the_nearest_one() -> None:
    with pytest.raises(UnknownName, match="no degradation named 'mdrf'; did you mean 'mdfr'"):
        degrade(noise(), "mdrf", 0, "a")
