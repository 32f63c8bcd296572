"""Where 18 points of a face lie as photographed, and where they would lie if it looked straight into the camera.

This is the pose normalization module (PNM) of MDFR: the 3-D head S of 62 parameters (equation 3), its points V_p as
photographed (equation 4) and V_f, the same head without rotation and translation (equation 5).

Paper: Tu et al., "Joint Face Image Restoration and Frontalization for Recognition", TCSVT 32(3), 2022
(arXiv:2105.09907), section III-B. The authors published no code; where the paper leaves a choice, it is a setting.

Three sources give the parameters: SynthPIE's ``Truth.parameters``, a 62-d regressor (``networks.regressor``), and
``pose_of_five``, which needs five landmarks only.

Convention: parameters are (B, 62) as 3DDFA orders them, 12 pose (rows of ``[f·R | t]``), 40 identity, 10 expression,
but the pose is that of the image: pixels, (0, 0) the centre of the first one, y down. The head has x to the right of a
frontal image, y up and z forwards, so that the second row of ``f·R`` is negated. Units of the head are the model's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..errors import ConventionError, RecordError
from ..geometry import CANONICAL_128, CANONICAL_SIZE
from ..records import nearest
from ..synthpie import landmarks as synthpie
from ..synthpie.head import MEAN
from ..synthpie.shape import EXPRESSION, IDENTITY

PARAMETERS = 62
_POSE, _IDENTITY = 12, 40

# The 18 of iBUG's 68 that the paper does not name; a point of several is their mean. 2DASL is by the same first author.
# Source: XgTu/2DASL, its 18 key points; the other reading is ours, symmetric and with the chin.
EIGHTEEN: dict[str, tuple[tuple[int, ...], ...]] = {
    "2dasl": (
        *((17,), (19,), (21,), (22,), (24,), (26,)),
        *((36,), (37, 40), (39,), (42,), (43, 46), (45,)),
        *((31,), (30,), (35,), (48,), (62, 66), (54,)),
    ),
    "synthpie": tuple((point,) for point in synthpie.EIGHTEEN),
}
# For each reading, which point of a mirrored face is which: ``points[..., MIRROR[reading], :]``.
MIRROR: dict[str, tuple[int, ...]] = {
    "2dasl": (5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 14, 13, 12, 17, 16, 15),
    "synthpie": (3, 2, 1, 0, 7, 6, 5, 4, 8, 9, 11, 10, 13, 12, 14, 15, 16, 17),
}


@dataclass(frozen=True, eq=False)
class ShapeModel:
    """The 68 landmarks of a linear head model: ``mean + Σ identity[i]·α_i + Σ expression[j]·β_j`` (equation 3).

    ``mean`` is (68, 3), ``identity`` (40, 68, 3), ``expression`` (10, 68, 3), of one dtype.
    """

    mean: Tensor
    identity: Tensor
    expression: Tensor

    def landmarks(self, parameters: Tensor) -> Tensor:
        """Return (B, 68, 3) landmarks in the head's frame, in the model's units, of (B, 62) parameters.

        Raises:
            ConventionError: the parameters are not (B, 62).
        """
        if parameters.ndim != 2 or parameters.shape[1] != PARAMETERS:
            raise ConventionError(
                f"expected (B, 62) parameters, 12 + 40 + 10; got an array of shape {tuple(parameters.shape)}"
            )
        values = parameters[:, _POSE:]
        modes = torch.cat([self.identity, self.expression]).to(parameters)
        return self.mean.to(parameters) + torch.einsum("bk,kpd->bpd", values, modes)


def synthpie_model() -> ShapeModel:
    """Return the model of SynthPIE's heads, in mm, float64; no data file goes into it."""
    rows, columns = synthpie.GRID68.T
    tensors = (torch.from_numpy(modes[..., rows, columns, :]) for modes in (MEAN, IDENTITY, EXPRESSION))
    return ShapeModel(*tensors)


@dataclass(frozen=True, eq=False)
class KeyPoints:
    """Points (B, 18, 2) in pixels: ``profile`` as photographed (L_p), ``frontal`` without the pose (L_f)."""

    profile: Tensor
    frontal: Tensor


@dataclass(frozen=True)
class PoseNormalization:
    """The PNM: 62 parameters in, 18 points as photographed and frontal out.

    Equation 5 as printed takes the rotation out of 2-D points, which have lost what it needs; here V_f is computed
    before z is dropped, so that both of its sides agree. It moves the face to the origin; ``frontal`` is then shifted,
    so that the mean of its five landmarks lies where the canonical crop has it.

    Args:
        model: whose parameters they are.
        size: of the square picture in pixels; it is the canonical crop, at that size.
        points: which 18 of the 68; see EIGHTEEN.
        scale: ``own`` keeps the f of the photo, as equation 5 says; ``uniform`` puts the frontal face where the
            canonical crop would put a photo of it, as the text says ("uniform face scale").
        expression: ``kept``, as equation 5 says, or ``neutral``, for targets that have none.

    Raises:
        RecordError: a setting has no such value.
    """

    model: ShapeModel
    size: int = CANONICAL_SIZE
    points: Literal["2dasl", "synthpie"] = "2dasl"
    scale: Literal["own", "uniform"] = "own"
    expression: Literal["kept", "neutral"] = "kept"

    def __post_init__(self) -> None:
        _check("points", self.points, EIGHTEEN)
        _check("scale", self.scale, ("own", "uniform"))
        _check("expression", self.expression, ("kept", "neutral"))

    def __call__(self, parameters: Tensor, distance: Tensor | float = math.inf) -> KeyPoints:
        """Return the points in the parameters' dtype.

        Args:
            parameters: (B, 62).
            distance: of the camera, in the model's units, one or (B,); infinite gives equation 4's scaled orthographic
                projection, SynthPIE's ``Truth.distance`` its perspective.

        Raises:
            ConventionError: the parameters are not (B, 62).
        """
        profile = photographed(parameters, self.model, distance)
        if self.expression == "neutral":
            parameters = parameters.clone()
            parameters[:, _POSE + _IDENTITY :] = 0
        scale, _, _ = decompose(parameters)
        head, turn = self.model.landmarks(parameters), scale[:, None, None] * _down(parameters)
        eyes_nose_mouth, frontal = (_project(points, turn, scale, distance) for points in (five(head), head))
        return KeyPoints(eighteen(profile, self.points), eighteen(self._placed(frontal, eyes_nose_mouth), self.points))

    def _placed(self, frontal: Tensor, found: Tensor) -> Tensor:
        """Return frontal points where the canonical crop has the five ``found``: shifted, or fitted by a similarity."""
        template = ((torch.from_numpy(CANONICAL_128) + 0.5) * (self.size / CANONICAL_SIZE) - 0.5).to(frontal)
        of_found, of_template = found.mean(1, keepdim=True), template.mean(0)
        centred, source, target = frontal - of_found, found - of_found, template - of_template
        if self.scale == "uniform":  # as geometry.similarity, for a batch
            along = (source * target).sum((1, 2))
            across = (source[..., 0] * target[:, 1] - source[..., 1] * target[:, 0]).sum(1)
            rows = torch.stack([torch.stack([along, across], 1), torch.stack([-across, along], 1)], 1)
            centred = centred @ rows / source.square().sum((1, 2))[:, None, None]
        return centred + of_template


def photographed(parameters: Tensor, model: ShapeModel, distance: Tensor | float = math.inf) -> Tensor:
    """Return the (B, 68, 2) landmarks in pixels: V_p of equation 4. See ``PoseNormalization`` for the arguments."""
    head = model.landmarks(parameters)
    scale, _, shift = decompose(parameters)
    turn = parameters[:, :_POSE].reshape(-1, 3, 4)[:, :, :3]
    return _project(head, turn, scale, distance) + shift[:, None]


def decompose(parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return f (B,) in pixels per unit, R (B, 3, 3) and t (B, 2) in pixels of (B, 62) parameters.

    R is the nearest rotation to the first two rows, f the mean of their singular values: a regressor's rows are not
    exactly those of a rotation. ``synthpie.camera.angles`` has R's yaw, pitch and roll.
    """
    pose = parameters[:, :_POSE].reshape(-1, 3, 4)
    return *_scaled_rotation(pose[:, :2, :3]), pose[:, :2, 3]


def pose_of_five(landmarks: Tensor, model: ShapeModel) -> Tensor:
    """Return the (B, 62) parameters of the mean head, posed so that its five landmarks fit; no coefficient is set.

    The pose is the scaled rotation nearest to the affine map of least squares.

    Args:
        landmarks: (B, 5, 2) pixels, ordered as in ``geometry``.
        model: gives the head.

    Raises:
        ConventionError: landmarks are not (B, 5, 2) finite numbers.

    Source: DeMenthon and Davis, "Model-based object pose in 25 lines of code", IJCV 15, 1995; its scaled orthographic
    first step.
    """
    if landmarks.ndim != 3 or landmarks.shape[1:] != (5, 2) or not landmarks.isfinite().all():
        raise ConventionError(f"expected (B, 5, 2) finite landmarks, got an array of shape {tuple(landmarks.shape)}")
    points = landmarks.to(torch.float64)
    head = five(model.mean.to(points))
    middle = points.mean(1)
    affine = (torch.linalg.pinv(head - head.mean(0)) @ (points - middle[:, None])).mT
    scale, turn = _scaled_rotation(affine)
    posed = scale[:, None, None] * _down(turn) @ turn
    shift = torch.nn.functional.pad(middle - (posed @ head.mean(0))[:, :2], (0, 1))
    pose = torch.cat([posed, shift[:, :, None]], 2).flatten(1)
    return torch.nn.functional.pad(pose, (0, PARAMETERS - _POSE)).to(landmarks.dtype)


def eighteen(landmarks: Tensor, points: str = "2dasl") -> Tensor:
    """Return the (..., 18, D) key points of (..., 68, D) landmarks; ``points`` is a reading of EIGHTEEN."""
    return torch.stack([landmarks[..., list(part), :].mean(-2) for part in EIGHTEEN[points]], -2)


def five(landmarks: Tensor) -> Tensor:
    """Return the (..., 5, D) landmarks of ``geometry`` of (..., 68, D); eyes are means of the lids."""
    parts = (range(36, 42), range(42, 48), (30,), (48,), (54,))
    return torch.stack([landmarks[..., list(part), :].mean(-2) for part in parts], -2)


def _project(head: Tensor, turn: Tensor, scale: Tensor, distance: Tensor | float) -> Tensor:
    """Return (B, P, 2): ``turn`` (B, 3, 3) times (B, P, 3), seen from ``distance``; without translation."""
    turned = head @ turn.mT
    depth = turned[..., 2] / scale[:, None]
    far = torch.as_tensor(distance).to(head).expand(len(head))
    return turned[..., :2] / (1 - depth / far[:, None])[..., None]


def _scaled_rotation(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return scale (B,) and rotation (B, 3, 3) nearest to the first two rows (B, 2, 3) of ``[f·R]``, y down."""
    u, s, vh = torch.linalg.svd(_down(rows)[:2, :2] @ rows, full_matrices=False)
    nearest_rows = u @ vh
    third = torch.linalg.cross(nearest_rows[:, 0], nearest_rows[:, 1])
    return s.mean(1), torch.cat([nearest_rows, third[:, None]], 1)


def _down(like: Tensor) -> Tensor:
    return torch.diag(like.new_tensor([1, -1, 1]))


def _check(setting: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise RecordError(f"{setting} is {value!r}; {nearest(value, known)}")
