"""Degradations: named, seeded models of a bad camera, from the papers whose networks undo them.

Convention: one aligned crop in, one out: (H, W, 3) uint8 RGB of the same size. Everything is computed on float pixels;
the small image in the middle is rounded to 8 bits, as a stored one is, and comes back up by bicubic interpolation, as
every paper's network wants it. Blur mirrors the image at its border.

What the papers leave open is filled by a reading of ours, marked as such beside the setting. Lengths (a blur's standard
deviation, kernel or path) are in pixels of ``reference_size``, the side of the images that the paper degrades; on a
crop of another side they shrink or grow with it, so that they stay the same share of the face. The down-sampling factor
is a ratio and stays as stated, and so do noise (grey levels of the small image) and JPEG quality. A 128-px crop
therefore becomes smaller, in pixels, than the paper's image under the same factor: 16 px under 8, where 512 px become
64.
"""

from __future__ import annotations

import hashlib
import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .errors import ConventionError, RecordError
from .records import plain
from .registry import Registry

Image = NDArray[np.uint8]
Drawn = dict[str, float]
_Pixel = TypeVar("_Pixel", np.uint8, np.float32)


# ── bicubic resampling ───────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=512)
def bicubic_matrix(source: int, target: int) -> NDArray[np.float64]:
    """Return the read-only (target, source) matrix that resamples one axis by antialiased bicubic interpolation.

    Convention: pixel i covers [i, i + 1). The kernel is Keys' with a = -0.5; when shrinking it is widened by
    source / target, which is what ``cv2.INTER_CUBIC`` leaves out. Weights beyond the border are dropped and the rest
    scaled, so that every row sums to 1. Equal sizes give the identity.

    Raises:
        ConventionError: a size is below 1.

    Source: Keys, "Cubic convolution interpolation for digital image processing", TASSP 29(6), 1981. Pillow's
        ``BICUBIC`` has the same weights; MATLAB's ``imresize`` the same kernel and widening, but a mirrored border.
    """
    if source < 1 or target < 1:
        raise ConventionError(f"cannot resample {source} to {target} pixels; both must be at least 1")
    scale = source / target
    widening = max(scale, 1.0)
    centre = (np.arange(target) + 0.5) * scale
    x = np.abs(np.arange(source) + 0.5 - centre[:, None]) / widening
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    weights = np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))
    weights /= weights.sum(axis=1, keepdims=True)
    weights.setflags(write=False)
    return weights


def bicubic(image: NDArray[_Pixel], size: tuple[int, int]) -> NDArray[_Pixel]:
    """Return the image at another size, by ``bicubic_matrix`` along both axes.

    Args:
        image: (H, W, C) uint8 or float32. uint8 is rounded and clamped once, at the end; float32 may overshoot.
        size: height and width.

    Raises:
        ConventionError: another shape or dtype, or a size below 1.
    """
    if image.ndim != 3 or image.dtype not in (np.uint8, np.float32):
        raise ConventionError(f"expected a (H, W, C) image, uint8 or float32; got {image.shape} {image.dtype}")
    height, width, channels = image.shape
    rows, columns = bicubic_matrix(height, size[0]), bicubic_matrix(width, size[1])
    if size == (height, width):
        return image.copy()
    tall = rows @ image.reshape(height, width * channels).astype(np.float64)
    lines = tall.reshape(size[0], width, channels).transpose(0, 2, 1).reshape(size[0] * channels, width)
    pixels = (lines @ columns.T).reshape(size[0], channels, size[1]).transpose(0, 2, 1)
    if image.dtype == np.uint8:
        pixels = np.rint(pixels).clip(0, 255)
    return np.ascontiguousarray(pixels, image.dtype)


# ── distributions ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Uniform:
    """Any number from ``low`` to ``high``, each as likely.

    Raises:
        RecordError: ``high`` is below ``low``.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise RecordError(f"expected low <= high, got {self.low} … {self.high}")

    def draw(self, rng: Generator) -> float:
        """Return one number."""
        return float(rng.uniform(self.low, self.high))


@dataclass(frozen=True)
class Steps:
    """The numbers ``low, low + step … high`` and the ``extra`` ones, each as likely.

    Raises:
        RecordError: ``high`` is below ``low``, or ``step`` is not positive.
    """

    low: float
    high: float
    step: float
    extra: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (self.low <= self.high and self.step > 0):
            raise RecordError(f"expected low <= high and step > 0, got {self.low} … {self.high} by {self.step}")

    def values(self) -> NDArray[np.float64]:
        """Return (K,) all the numbers."""
        count = math.floor((self.high - self.low) / self.step + 1e-9) + 1
        return np.append(self.extra, np.round(self.low + self.step * np.arange(count), 9))

    def draw(self, rng: Generator) -> float:
        """Return one number."""
        values = self.values()
        return float(values[rng.integers(len(values))])


# ── the contract ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Degradation(ABC):
    """A frozen dataclass whose fields are its settings; called with a crop and a generator, it returns the bad crop."""

    @abstractmethod
    def draw(self, rng: Generator) -> Drawn:
        """Return the parameters of one face by name: all that is random but the noise itself."""

    @abstractmethod
    def apply(self, image: Image, drawn: Drawn, rng: Generator) -> Image:
        """Return the crop degraded with the parameters that ``draw`` gave; ``rng`` gives the noise."""

    def settings(self) -> dict[str, Any]:
        """Return everything that changes the output, as plain values."""
        settings: dict[str, Any] = plain(self)
        return settings

    def __call__(self, image: Image, rng: Generator) -> Image:
        """Return the degraded crop, (H, W, 3) uint8 RGB like the crop.

        Raises:
            ConventionError: the crop has another shape or dtype.
        """
        if image.ndim != 3 or image.shape[2] != 3 or not image.size or image.dtype != np.uint8:
            raise ConventionError(f"expected a (H, W, 3) uint8 crop, got {image.shape} {image.dtype}")
        return self.apply(image, self.draw(rng), rng)


def generator(seed: int, sample: str) -> Generator:
    """Return the stream of random numbers of one sample; it depends on the seed and the sample's name alone.

    So it does not matter in which order, batch or process the samples come.
    """
    digest = hashlib.sha256(f"{seed}\0{sample}".encode()).digest()
    return Generator(np.random.Philox(np.random.SeedSequence(int.from_bytes(digest, "big"))))


def degrade(image: Image, degradation: str | Degradation, seed: int, sample: str) -> Image:
    """Return the crop degraded by a model, or by the registered one of that name, with the sample's own stream.

    Raises:
        ConventionError: the crop is not (H, W, 3) uint8.
        UnknownName: no degradation of that name.
    """
    model = DEGRADATIONS.create(degradation) if isinstance(degradation, str) else degradation
    return model(image, generator(seed, sample))


# ── the models ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class BicubicDown(Degradation):
    """Down by ``n`` and up again, both bicubic; nothing is random."""

    n: int

    def __post_init__(self) -> None:
        if self.n < 1:
            raise RecordError(f"n is {self.n}; expected a factor of at least 1")

    def draw(self, rng: Generator) -> Drawn:
        """Return the factor."""
        return {"factor": float(self.n)}

    def apply(self, image: Image, drawn: Drawn, rng: Generator) -> Image:
        """Return the crop without the detail that ``n`` times fewer pixels cannot hold."""
        return _through_small(image.astype(np.float32), drawn["factor"], 0.0, 0.0, 0, rng)


@dataclass(frozen=True)
class Bicubic(Degradation):
    """Down and up again, both bicubic, by any factor of a range: a small face without any other damage."""

    factor: Uniform = Uniform(1.0, 8.0)  # our choice: the range of GFRNet

    def draw(self, rng: Generator) -> Drawn:
        """Return the factor."""
        return {"factor": self.factor.draw(rng)}

    def apply(self, image: Image, drawn: Drawn, rng: Generator) -> Image:
        """Return the crop, up again to its size."""
        return _through_small(image.astype(np.float32), drawn["factor"], 0.0, 0.0, 0, rng)


@dataclass(frozen=True)
class Camera(Degradation):
    """What the photos of one collection have that those of another have not, and that is no damage: exposure, contrast,
    white balance, focus, grain and compression. A network that has seen one collection alone takes the others' for
    damage.

    Source: every range is our choice.
    """

    exposure: Uniform = Uniform(-0.5, 0.5)  # logarithm of the brightness
    contrast: Uniform = Uniform(-0.25, 0.25)  # logarithm of gamma
    balance: Uniform = Uniform(-0.08, 0.08)  # logarithm of each channel's gain
    blur_sigma: Uniform = Uniform(0.0, 1.0)
    noise_sigma: Uniform = Uniform(0.0, 5.0)  # of 255 grey levels
    quality: Steps = Steps(60, 95, 5, extra=(0.0,))  # 0 is lossless
    reference_size: int = 128

    def draw(self, rng: Generator) -> Drawn:
        """Return the channels' gains, gamma, the blur's deviation, noise and JPEG quality."""
        gains = math.exp(self.exposure.draw(rng)) * np.exp([self.balance.draw(rng) for _ in range(3)])
        return {
            **dict(zip(("red", "green", "blue"), gains.tolist(), strict=True)),
            "gamma": math.exp(self.contrast.draw(rng)),
            **{name: getattr(self, name).draw(rng) for name in ("blur_sigma", "noise_sigma", "quality")},
        }

    def apply(self, image: Image, drawn: Drawn, rng: Generator) -> Image:
        """Return the crop as the other camera would have taken and stored it."""
        gains = np.array([drawn["red"], drawn["green"], drawn["blue"]], np.float32)
        lit = 255 * (image.astype(np.float32) / 255) ** np.float32(drawn["gamma"]) * gains
        kernel = _gaussian(drawn["blur_sigma"] * image.shape[0] / self.reference_size)
        blurred = _filter(lit.clip(0, 255), np.outer(kernel, kernel))
        return _through_small(blurred, 1.0, 0.0, drawn["noise_sigma"], int(drawn["quality"]), rng)


@dataclass(frozen=True)
class Vivid(Degradation):
    """The tiny input of VividGAN: down to ``side`` pixels and up again; nothing is random.

    The paper degrades 128×128 faces to 16×16 (8×) and 32×32 (4×) "by transforming and downsampling". Our reading:
    bicubic both ways, and no transforming, because the crop is aligned here.

    Source: Zhang et al., "Face hallucination with finishing touches", TIP 30, 2021 (arXiv 2002.03308), sections V-A
        and VI-A.
    """

    side: int

    def __post_init__(self) -> None:
        if self.side < 1:
            raise RecordError(f"side is {self.side}; expected at least 1 pixel")

    def draw(self, rng: Generator) -> Drawn:
        """Return the side of the small image."""
        return {"side": float(self.side)}

    def apply(self, image: Image, drawn: Drawn, rng: Generator) -> Image:
        """Return the crop with the detail of a ``side``-px one; a crop that is smaller stays as it is."""
        return _through_small(image.astype(np.float32), image.shape[0] / drawn["side"], 0.0, 0.0, 0, rng)


@dataclass(frozen=True)
class Gfrnet(Degradation):
    """GFRNet's long-distance photograph: ((I ⊗ Gaussian) ↓ factor + noise) JPEG, every value of a set as likely.

    Source: Li et al., "Learning warped guidance for blind face restoration", ECCV 2018, section 3.2, equation 4.
    """

    blur_sigma: Steps = Steps(1, 3, 0.1, extra=(0.0,))  # stated: {0, 1:0.1:3} px, isotropic
    factor: Steps = Steps(1, 8, 0.1)  # stated: {1:0.1:8}, bicubic
    noise_sigma: Steps = Steps(0, 7, 1)  # stated: {0:1:7}; our reading: of 255 grey levels
    quality: Steps = Steps(10, 40, 1, extra=(0.0,))  # stated: {0, 10:1:40}, 0 is lossless
    reference_size: int = 256  # stated: all images are 256×256

    def draw(self, rng: Generator) -> Drawn:
        """Return blur, factor, noise level and JPEG quality."""
        names = ("blur_sigma", "factor", "noise_sigma", "quality")
        return {name: getattr(self, name).draw(rng) for name in names}

    def apply(self, image: Image, drawn: Drawn, rng: Generator) -> Image:
        """Return the crop as equation 4 has it, up again to its size."""
        kernel = _gaussian(drawn["blur_sigma"] * image.shape[0] / self.reference_size)
        blurred = _filter(image.astype(np.float32), np.outer(kernel, kernel))
        return _through_small(blurred, drawn["factor"], 0.0, drawn["noise_sigma"], int(drawn["quality"]), rng)


@dataclass(frozen=True)
class Pvfr(Degradation):
    """PVFR's serious degradation: ((I ⊗ Gaussian or motion) ↓ factor + noise) JPEG.

    FFHQ's 512-px frame, for which the lengths are stated, is a sixth wider than the canonical crop; the difference is
    left out of account.

    Source: PVFR, arXiv 2205.14377, section 4.1, equation 17. GFPGAN is Wang et al., "Towards real-world
        blind face restoration with generative facial prior", CVPR 2021, and its released training configuration.
    """

    kernel_size: int = 41  # stated: "41" for the kernel; our reading: its side in pixels
    motion_share: float = 0.5  # our reading of "Gaussian blur and motion blur": each for half of the faces
    isotropic_share: float = 0.5  # our reading: half of the Gaussians round, half oval, as in GFPGAN's training
    blur_sigma: Uniform = Uniform(0.1, 10.0)  # our reading: not stated; GFPGAN's range for the same kernel
    motion_path: Uniform = Uniform(0.0, 20.0)  # our reading: not stated; a straight path that fits in half the kernel
    factor: Uniform = Uniform(0.4, 8.0)  # stated: [0.4:8]; our reading: below 1 nothing is lost, so nothing is done
    noise_sigma: Uniform = Uniform(0.0, 25.0)  # stated: [0:25]; our reading: of 255 grey levels
    quality: Steps = Steps(5, 50, 1)  # stated: [5:50]
    reference_size: int = 512  # stated: FFHQ at 512×512

    def draw(self, rng: Generator) -> Drawn:
        """Return the blur (a motion's path, or a Gaussian's two deviations; an angle), factor, noise and quality."""
        if rng.random() < self.motion_share:
            blur = {"motion_path": self.motion_path.draw(rng)}
        else:
            sigma = self.blur_sigma.draw(rng)
            across = sigma if rng.random() < self.isotropic_share else self.blur_sigma.draw(rng)
            blur = {"blur_sigma": sigma, "blur_sigma_across": across}
        rest = {name: getattr(self, name).draw(rng) for name in ("factor", "noise_sigma", "quality")}
        return {**blur, "blur_angle": float(rng.uniform(0.0, math.pi)), **rest}

    def apply(self, image: Image, drawn: Drawn, rng: Generator) -> Image:
        """Return the crop as equation 17 has it, up again to its size."""
        ratio, angle = image.shape[0] / self.reference_size, drawn["blur_angle"]
        if "motion_path" in drawn:
            kernel = _motion(drawn["motion_path"] * ratio, angle)
        else:
            radius = round((self.kernel_size - 1) / 2 * ratio)
            kernel = _oval(drawn["blur_sigma"] * ratio, drawn["blur_sigma_across"] * ratio, angle, radius)
        blurred = _filter(image.astype(np.float32), kernel)
        return _through_small(blurred, drawn["factor"], 0.0, drawn["noise_sigma"], int(drawn["quality"]), rng)


@dataclass(frozen=True)
class MdfrPaper(Degradation):
    """MDFR's five factors with the numbers as printed: colour warp, blur, gamma, down-sampling, noise; clamped to 0…1.

    Taken literally the blur is next to nothing and the noise drowns the face: kept for comparison, ``Mdfr`` is the one
    to use. Our readings, none of it stated: the order is that of the listing; the colour warp adds to each channel a
    normal number of the drawn mean and deviation; the blur's deviation is a normal number of the drawn mean and
    deviation, without its sign, in pixels; the "uniform" and "average" filters are both a box, of the same deviation;
    gamma is drawn log-uniformly between the drawn bounds and is the exponent of pixels in 0…1; there is no JPEG.

    Source: Tu et al., "Joint face image restoration and frontalization for recognition", TCSVT 32(3), 2022 (arXiv
        2105.09907), section IV-A a.
    """

    colour_mean: Uniform = Uniform(0.1, 0.2)  # stated
    colour_std: Uniform = Uniform(0.1, 0.2)  # stated
    blur_mean: Uniform = Uniform(0.1, 0.2)  # stated
    blur_std: Uniform = Uniform(0.1, 0.2)  # stated
    box_share: float = 2 / 3  # our reading of "Gaussian, uniform and average filters": each as likely
    gamma_low: Uniform = Uniform(0.1, 0.3)  # stated
    gamma_high: Uniform = Uniform(1.0, 3.0)  # stated
    factor: Uniform = Uniform(1.0, 8.0)  # our reading: not stated; the range of GFRNet
    noise_mean: Uniform = Uniform(0.1, 0.5)  # stated; our reading: of pixels in 0…1
    noise_std: Uniform = Uniform(0.1, 0.5)  # stated; our reading: of pixels in 0…1
    reference_size: int = 128  # stated: all images are 128×128

    def draw(self, rng: Generator) -> Drawn:
        """Return the three colour shifts, the blur's deviation (of a box or a Gaussian), gamma, factor and noise."""
        shift = rng.normal(self.colour_mean.draw(rng), self.colour_std.draw(rng), 3)
        kind = "box_sigma" if rng.random() < self.box_share else "blur_sigma"
        sigma = abs(float(rng.normal(self.blur_mean.draw(rng), self.blur_std.draw(rng))))
        low, high = self.gamma_low.draw(rng), self.gamma_high.draw(rng)
        return {
            **dict(zip(("red", "green", "blue"), shift.tolist(), strict=True)),
            kind: sigma,
            "gamma": math.exp(rng.uniform(math.log(low), math.log(high))),
            "factor": self.factor.draw(rng),
            "noise_mean": self.noise_mean.draw(rng),
            "noise_std": self.noise_std.draw(rng),
        }

    def apply(self, image: Image, drawn: Drawn, rng: Generator) -> Image:
        """Return the crop after the five factors, up again to its size."""
        ratio = image.shape[0] / self.reference_size
        kernel = _box(drawn["box_sigma"] * ratio) if "box_sigma" in drawn else _gaussian(drawn["blur_sigma"] * ratio)
        shift = np.array([drawn["red"], drawn["green"], drawn["blue"]], np.float32)
        pixels = (image.astype(np.float32) / 255 + shift).clip(0, 1)
        pixels = _filter(pixels, np.outer(kernel, kernel)).clip(0, 1) ** np.float32(drawn["gamma"])
        return _through_small(
            pixels * 255, drawn["factor"], 255 * drawn["noise_mean"], 255 * drawn["noise_std"], 0, rng
        )


@dataclass(frozen=True)
class Mdfr(MdfrPaper):
    """MDFR's five factors in ranges that leave a face: our reading of numbers that, as printed, leave hardly any.

    Order and draws are those of ``MdfrPaper``; a range of equal ends is a constant. Means of 0 keep colours and
    brightness where they are on average.

    Source: the factors are those of the paper named there; every range but ``colour_std`` is our reading.
    """

    colour_mean: Uniform = Uniform(0.0, 0.0)
    blur_mean: Uniform = Uniform(0.2, 3.0)
    blur_std: Uniform = Uniform(0.0, 0.0)
    gamma_low: Uniform = Uniform(0.3, 0.3)
    gamma_high: Uniform = Uniform(3.0, 3.0)
    noise_mean: Uniform = Uniform(0.0, 0.0)
    noise_std: Uniform = Uniform(0.0, 0.1)


def _mdfr_down(n: int) -> Mdfr:
    """Return ``mdfr`` with every face made smaller by the same factor."""
    return Mdfr(factor=Uniform(n, n))


def without_size(name: str) -> str:
    """Return what a degradation is called whatever it leaves: ``mdfr`` of ``mdfr-down5``."""
    return re.sub(r"-down\d+$", "", name)


DEGRADATIONS: Registry[Degradation] = Registry("degradation", "recog_restore.degradations")
DEGRADATIONS.add("bicubic", Bicubic)
DEGRADATIONS.add("bicubic-down{n}", BicubicDown)
DEGRADATIONS.add("camera", Camera)
DEGRADATIONS.add("gfrnet", Gfrnet)
DEGRADATIONS.add("mdfr", Mdfr)
DEGRADATIONS.add("mdfr-down{n}", _mdfr_down)
DEGRADATIONS.add("mdfr-paper", MdfrPaper)
DEGRADATIONS.add("pvfr", Pvfr)
DEGRADATIONS.add("vivid-16", partial(Vivid, side=16))
DEGRADATIONS.add("vivid-32", partial(Vivid, side=32))


# ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _through_small(
    image: NDArray[np.float32], factor: float, noise_mean: float, noise_std: float, quality: int, rng: Generator
) -> Image:
    """Return the image after a stop at its size / factor, where noise and JPEG (quality 0: none) meet it."""
    height, width = image.shape[:2]
    factor = max(factor, 1.0)
    small = bicubic(image, (max(1, round(height / factor)), max(1, round(width / factor))))
    stored = np.rint(small + rng.normal(noise_mean, noise_std, small.shape)).clip(0, 255).astype(np.uint8)
    return bicubic(_jpeg(stored, quality) if quality else stored, (height, width))


def _jpeg(image: Image, quality: int) -> Image:
    """Return the image after baseline JPEG with halved chroma (4:2:0)."""
    chroma = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality, *chroma])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


def _filter(image: NDArray[np.float32], kernel: NDArray[np.float64]) -> NDArray[np.float32]:
    filtered = cv2.filter2D(image, cv2.CV_32F, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)
    return filtered.astype(np.float32, copy=False)


def _gaussian(sigma: float) -> NDArray[np.float64]:
    """Return a Gaussian cut at 4 standard deviations; a sigma of 0 is no blur."""
    radius = math.ceil(4 * sigma)
    x = np.arange(-radius, radius + 1, dtype=np.float64)
    weights: NDArray[np.float64] = np.exp(-0.5 * (x / max(sigma, 1e-6)) ** 2)
    return weights


def _box(sigma: float) -> NDArray[np.float64]:
    """Return a box of exactly that standard deviation, its two ends as light as that takes; 0 is no blur."""
    radius = math.ceil((math.sqrt(12 * sigma * sigma + 1) - 1) / 2)  # a whole box of 2r + 1 has variance r(r + 1) / 3
    weights = np.ones(2 * radius + 1)
    if radius:
        inner = radius * (radius - 1) * (2 * radius - 1) / 3
        weights[[0, -1]] = (sigma**2 * (2 * radius - 1) - inner) / (2 * (radius**2 - sigma**2))
    return weights


def _oval(sigma: float, across: float, angle: float, radius: int) -> NDArray[np.float64]:
    """Return a Gaussian of two standard deviations, the first along the angle (from x to y), cut to a square."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
    along = (x * math.cos(angle) + y * math.sin(angle)) / max(sigma, 1e-6)
    aside = (y * math.cos(angle) - x * math.sin(angle)) / max(across, 1e-6)
    weights: NDArray[np.float64] = np.exp(-0.5 * (along**2 + aside**2))
    return weights


def _motion(path: float, angle: float) -> NDArray[np.float64]:
    """Return the trace of a point that moves evenly along a straight path; each of its places is shared bilinearly."""
    radius = math.ceil(path / 2)
    place = np.linspace(-path / 2, path / 2, 1 + 2 * math.ceil(8 * path))
    pixel = np.arange(-radius, radius + 1)
    x, y = ((1 - np.abs(pixel[:, None] - place * f(angle))).clip(0, 1) for f in (math.cos, math.sin))
    trace: NDArray[np.float64] = y @ x.T
    return trace
