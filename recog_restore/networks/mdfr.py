"""MDFR's two generators: FRN restores (and frontalizes, when trained for it), FFN turns a face to a pose it is given.

Paper: Tu, Zhao, Liu, Ai, Guo, Li, Liu, Feng, "Joint Face Image Restoration and Frontalization for Recognition",
TCSVT 32(3), 2022 (arXiv:2105.09907), section III-A, figure 3.
Repository: none is known; this is written from the paper.

What the paper says: an encoder and a decoder; the output of every decoder block goes, enlarged, to the first
convolution of all later blocks; FFN's decoder takes the image's code beside E(L_p) − E(L_t). What it leaves open and is
decided here: channels w, 2w, 4w, 8w, 8w; 7×7, then 4×4 kernels of stride 2; group normalization in the encoder; a pose
encoder of its own for the 18 heatmaps, the same for L_p and L_t, so that equal poses leave exactly zero.
What differs: the ``lean`` decoder, ``unshuffle`` and the outputs ``residual`` and ``blend``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle, pixel_unshuffle

from ..errors import ConventionError, RecordError
from ..records import Size
from .heatmaps import LANDMARKS

DecoderName = Literal["full", "lean"]
Output = Literal["image", "residual", "blend", "gated"]
Pose = Literal["residual", "concat", "none"]

# Channels of stem and four halvings, and of the four decoder blocks, as multiples of the width.
ENCODER = (1, 2, 4, 8, 8)
DECODER = (8, 4, 2, 1)


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a generator made of a batch.

    Attributes:
        output: (B, 3, S, S) in [0, 1].
        image: what the decoder painted, before it is blended with the input; else ``output``.
        last: (B, width, S / unshuffle, S / unshuffle) features of the last decoder block, for the alignment loss.
        passed: (B,) in (0, 1), the share of the input in the output; None where that is not learned.
    """

    output: Tensor
    image: Tensor
    last: Tensor
    passed: Tensor | None


class FRN(nn.Module):
    """Face restoration network: (B, 3, S, S) in [0, 1] to the same; S is any multiple of 16·unshuffle.

    Args:
        width: channels of the first layer.
        decoder: ``full`` gives later blocks all channels of the earlier ones, as the paper; ``lean`` passes those of
            all but the latest through a 1×1 convolution to ``growth`` channels first.
        growth: for ``lean``, by default half the width.
        blocks: residual blocks between encoder and decoder.
        unshuffle: 2 gives the encoder 2×2 blocks of pixels as channels, and the head gives them back: a quarter of the
            computation. 1 is the paper's.
        output: ``image`` paints all of it; ``residual`` adds to the input, at first nothing; ``blend`` mixes input and
            image, ``gated`` the input and what it adds to, by one number for each face that is at first one half.

    Raises:
        RecordError: an argument is none of these.
    """

    def __init__(
        self,
        width: Size = 32,
        *,
        decoder: DecoderName = "lean",
        growth: Size | None = None,
        blocks: Size = 2,
        unshuffle: Size = 1,
        output: Output = "image",
    ) -> None:
        super().__init__()
        self.encoder = Encoder(3, width, blocks, unshuffle)
        self.decoder = Decoder(self.encoder.channels, width, decoder, growth)
        self.head = Head(self.encoder.channels, width, unshuffle, output)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 3, S, S) in [0, 1].

        Raises:
            ConventionError: S does not suit the network.
        """
        return self.decode(images).output

    def begun_as(self, frn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return an FRN's state as one of this FRN, which paints the same; only one of them may mix the input in.

        Other names, and shapes, are not checked.
        """
        own = self.state_dict()
        passing = {name: tensor for name, tensor in own.items() if "passing" in name}
        return passing | {name: tensor for name, tensor in frn.items() if name in own or "passing" not in name}

    def decode(self, images: Tensor) -> Decoded:
        """Return the output and what led to it; see ``forward``."""
        code = self.encoder(images * 2 - 1)
        decoded: Decoded = self.head(images, code, self.decoder(code))
        return decoded


class FFN(nn.Module):
    """Face frontalization network: a face, its landmarks and the target's, as heatmaps, to the face in that pose.

    Args:
        width, decoder, growth, blocks, unshuffle, output: as FRN's.
        pose: ``residual`` gives the decoder E(L_p) − E(L_t), equation 2; ``concat`` gives it both, the paper's control
            FFN-S-PC; ``none`` neither, the control without PNM: such an FFN is given no heatmaps.
        pose_width: channels of the pose encoder's first layer, by default half the width.

    Attributes:
        guided: whether it is given heatmaps.

    Raises:
        RecordError: an argument is none of these.
    """

    def __init__(
        self,
        width: Size = 32,
        *,
        pose: Pose = "residual",
        pose_width: Size | None = None,
        decoder: DecoderName = "lean",
        growth: Size | None = None,
        blocks: Size = 2,
        unshuffle: Size = 1,
        output: Output = "image",
    ) -> None:
        super().__init__()
        _expect("pose", pose, Pose)
        self.guided, self.subtract = pose != "none", pose == "residual"
        self.encoder = Encoder(3, width, blocks, unshuffle)
        channels = self.encoder.channels
        if self.guided:
            self.pose = Encoder(LANDMARKS, pose_width or width // 2, 0, unshuffle)
            channels += self.pose.channels * (1 if self.subtract else 2)
        self.decoder = Decoder(channels, width, decoder, growth)
        self.head = Head(channels, width, unshuffle, output)

    def forward(self, images: Tensor, *poses: Tensor) -> Tensor:
        """Return (B, 3, S, S) in [0, 1].

        Args:
            images: (B, 3, S, S) in [0, 1].
            poses: two (B, 18, S, S) heatmaps, of the landmarks as they are and as they shall be; none for ``none``.

        Raises:
            ConventionError: S does not suit the network.
        """
        return self.decode(images, *poses).output

    def decode(self, images: Tensor, *poses: Tensor) -> Decoded:
        """Return the output and what led to it; see ``forward``."""
        code = torch.cat([self.encoder(images * 2 - 1), *(self.turn(*poses) if self.guided else ())], dim=1)
        decoded: Decoded = self.head(images, code, self.decoder(code))
        return decoded

    def turn(self, profile: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        """Return what the decoder learns of the two poses: their residual, or both."""
        profile, target = self.pose(profile), self.pose(target)
        return (profile - target,) if self.subtract else (profile, target)

    def begun_as(self, frn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return an FRN's state as one of this FFN, which paints the same: what it is told of poses weighs nothing yet.

        Names and shapes are not checked.
        """
        own = self.state_dict()
        poses = {name: tensor for name, tensor in own.items() if name.startswith("pose.")}
        return poses | {name: _widened(tensor, own.get(name, tensor)) for name, tensor in frn.items()}


class Encoder(nn.Module):
    """(B, inputs, S, S) to (B, 8·width, S / 16·unshuffle, …): a stem, four halvings, residual blocks.

    Attributes:
        channels: of the result.
    """

    def __init__(self, inputs: int, width: int, blocks: int, unshuffle: int) -> None:
        super().__init__()
        if unshuffle < 1:
            raise RecordError(f"expected unshuffle of 1 or more, got {unshuffle}")
        self.unshuffle = unshuffle
        first, *others = (width * multiple for multiple in ENCODER)
        kernel = 7 // unshuffle | 1  # odd, and about as far in pixels of the image
        self.stem = nn.Sequential(nn.Conv2d(inputs * unshuffle**2, first, kernel, padding=kernel // 2), _rectifier())
        self.halvings = nn.Sequential()
        for channels in others:
            self.halvings.append(
                nn.Sequential(nn.Conv2d(first, channels, 4, 2, 1), Normalization(channels), _rectifier())
            )
            first = channels
        self.blocks = nn.Sequential(*(Residual(first) for _ in range(blocks)))
        self.channels = first
        _initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the code.

        Raises:
            ConventionError: height or width is no multiple of 16·unshuffle.
        """
        multiple = 2 ** len(self.halvings) * self.unshuffle
        # A traced size is no number; the tracer's own input was looked at by whoever gave it.
        tracing = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        if not tracing and (x.ndim != 4 or x.shape[2] % multiple or x.shape[3] % multiple):
            raise ConventionError(f"expected (B, C, S, S), S a multiple of {multiple}, got {tuple(x.shape)}")
        if self.unshuffle > 1:
            x = pixel_unshuffle(x, self.unshuffle)
        return self.blocks(self.halvings(self.stem(x)))  # type: ignore[no-any-return]


class Residual(nn.Module):
    """Convolution, normalization, rectifier, convolution, normalization, beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            Normalization(channels),
            _rectifier(),
            nn.Conv2d(channels, channels, 3, padding=1),
            Normalization(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, channels, H, W)."""
        return x + self.body(x)  # type: ignore[no-any-return]


class Normalization(nn.GroupNorm):
    """Group normalization in 8 groups, or as many as go into the channels.

    Instance normalization would lose a face's brightness and has no value on one pixel; of this one, torch has a
    channels-last kernel for the CPU. ``nn.GroupNorm.forward`` itself looks at the size, of which a tracer warns.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(gcd(8, channels), channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, channels, H, W)."""
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


class Decoder(nn.Module):
    """(B, inputs, h, h) to (B, width, 16·h, 16·h), every block's output also given to all later blocks."""

    def __init__(self, inputs: int, width: int, kind: DecoderName, growth: int | None) -> None:
        super().__init__()
        _expect("decoder", kind, DecoderName)
        if kind == "full" and growth is not None:
            raise RecordError(f"growth = {growth} is for the lean decoder; leave it out or write decoder = 'lean'")
        outputs = [width * multiple for multiple in DECODER]
        sources = [inputs, *outputs[:-1]]
        handed_on = [growth or width // 2 for _ in sources[:-1]] if kind == "lean" else sources[:-1]
        self.growths = nn.ModuleList(
            nn.Conv2d(source, channels, 1) if kind == "lean" else nn.Identity()
            for source, channels in zip(sources[:-1], handed_on, strict=True)
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(source + sum(handed_on[:older]), channels, 3, padding=1),
                _rectifier(),
                nn.Conv2d(channels, channels, 3, padding=1),
                _rectifier(),
            )
            for older, (source, channels) in enumerate(zip(sources, outputs, strict=True))
        )
        _initialize(self)

    def forward(self, code: Tensor) -> Tensor:
        """Return the features of the last block."""
        first, *others = self.blocks
        older: tuple[Tensor, ...] = ()  # of all blocks but the latest, at its resolution
        before, latest = code, first(_twice(code))
        for grow, block in zip(self.growths, others, strict=True):
            older = (_twice(torch.cat([grow(before), *older], dim=1)),)
            before, latest = latest, block(_twice(torch.cat([latest, *older], dim=1)))
        return latest  # type: ignore[no-any-return]


class Head(nn.Module):
    """The last block's features to an image, in one of the ways of FRN."""

    def __init__(self, code: int, width: int, unshuffle: int, output: Output) -> None:
        super().__init__()
        _expect("output", output, Output)
        self.unshuffle, self.output = unshuffle, output
        self.paint = nn.Conv2d(width, 3 * unshuffle**2, 3, padding=1)
        if output in ("residual", "gated"):
            _clear(self.paint)
        if output in ("blend", "gated"):
            self.passing = nn.Linear(code, 1)
            _clear(self.passing)

    def forward(self, images: Tensor, code: Tensor, last: Tensor) -> Decoded:
        """Return what the generator returns, of its input, the code and the features of the last block."""
        painted = self.paint(last)
        if self.unshuffle > 1:
            painted = pixel_shuffle(painted, self.unshuffle)
        adds = self.output in ("residual", "gated")
        image = (images + painted).clamp(0, 1) if adds else (torch.tanh(painted) + 1) / 2
        if self.output in ("image", "residual"):
            return Decoded(image, image, last, None)
        passed = torch.sigmoid(self.passing(code.mean((2, 3))))
        share = passed[:, :, None, None]
        return Decoded(share * images + (1 - share) * image, image, last, passed[:, 0])


def _twice(x: Tensor) -> Tensor:
    return interpolate(x, scale_factor=2.0, mode="nearest")


def _rectifier() -> nn.Module:
    return nn.LeakyReLU(0.2, inplace=True)


def _initialize(module: nn.Module) -> None:
    """Draw kernels that keep the variance through leaky rectifiers: nothing in the decoder normalizes."""
    for name, parameter in module.named_parameters():
        if parameter.ndim == 4:
            nn.init.kaiming_uniform_(parameter, a=0.2)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def _widened(tensor: Tensor, like: Tensor) -> Tensor:
    """Return it with as many input channels as ``like``, the added ones 0."""
    added = like.shape[1] - tensor.shape[1] if tensor.ndim == like.ndim > 1 else 0
    return torch.cat([tensor, tensor.new_zeros(len(tensor), added, *tensor.shape[2:])], dim=1) if added > 0 else tensor


def _clear(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def _expect(name: str, value: object, choices: Any) -> None:
    if value not in get_args(choices):
        words = ", ".join(map(repr, get_args(choices)))
        raise RecordError(f"{name}: expected one of {words}, got {value!r}")
