"""Contract checks for authors of plug-ins: call them from your own tests.

    from recog_restore.testing import check_preprocessor

    def test_contract():
        check_preprocessor(MyRestorer())

Each raises ``AssertionError`` with the rule that is broken, or returns None.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .embed import Embedder
from .faces import FaceBatch
from .geometry import CANONICAL_128, CANONICAL_SIZE
from .preprocess import Preprocessor

# How far an embedding may move when its neighbours in the batch change: float32 products of another shape.
BATCH_TOLERANCE = 1e-4


def sample_faces(count: int = 4, seed: int = 0) -> FaceBatch:
    """Return smooth random colour fields as a valid batch of canonical faces."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 8, 8, generator=generator)
    images = torch.nn.functional.interpolate(coarse, size=CANONICAL_SIZE, mode="bilinear", align_corners=True)
    landmarks = torch.tensor(CANONICAL_128, dtype=torch.float32).repeat(count, 1, 1)
    return FaceBatch(images.clamp(0, 1), landmarks)


def check_preprocessor(preprocessor: Preprocessor) -> None:
    """Check shape, range, determinism, independence of the batch, strength 0, and that a failed face stays failed."""
    faces = sample_faces()
    done = preprocessor(faces)
    _require(done.images.shape == faces.images.shape, f"output shape {tuple(done.images.shape)} is the input's")
    _require(done.images.dtype == torch.float32, "output is float32")
    _require(bool(((done.images >= 0) & (done.images <= 1)).all()), "output is in [0, 1]")
    _require(done.status == faces.status, "no face fails on a plain colour field")
    if preprocessor.card.deterministic:
        _require(torch.equal(preprocessor(faces).images, done.images), "the same faces give the same output")
    one = preprocessor(faces.take([2]))
    _close(one.images, done.images[2:3], "a face's output does not depend on its neighbours")
    without = preprocessor(FaceBatch(faces.images))
    _require(without.images.shape == faces.images.shape, "landmarks may be absent")
    failed = preprocessor(faces.replace(images=faces.images * 0, status=("no face",) + ("",) * 3))
    _require(failed.status[0] == "no face", "a failed face keeps its reason")
    _require(not failed.images[0].any(), "a failed face stays black")
    strength, preprocessor.strength = preprocessor.strength, 0.0
    try:
        _require(torch.equal(preprocessor(faces).images, faces.images), "strength 0 returns the input bit for bit")
    finally:
        preprocessor.strength = strength
    _require(preprocessor.settings().get("strength") == strength, "settings() holds the strength")


def check_embedder(embedder: Embedder) -> None:
    """Check shape, dtype, finiteness, determinism, and independence of the batch."""
    faces = sample_faces().images
    with torch.inference_mode():
        vectors = embedder(faces)
        again = embedder(faces)
        one = embedder(faces[2:3])
    expected = embedder.card.dim * (2 if embedder.card.flip == "concat" else 1)
    _require(tuple(vectors.shape) == (len(faces), expected), f"output (B, {expected}), got {tuple(vectors.shape)}")
    _require(vectors.dtype == torch.float32, "output is float32")
    _require(bool(torch.isfinite(vectors).all()), "output is finite")
    _require(torch.equal(vectors, again), "the same faces give the same embeddings")
    unit, alone = torch.nn.functional.normalize(vectors[2:3]), torch.nn.functional.normalize(one)
    _close(alone, unit, "a face's embedding does not depend on its neighbours")
    _require(len(embedder.identity()) > 0, "identity() names the weights")


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise AssertionError(f"broken contract: {rule}")


def _close(found: Tensor, expected: Tensor, rule: str) -> None:
    _require(float((found - expected).abs().max()) <= BATCH_TOLERANCE, rule)
