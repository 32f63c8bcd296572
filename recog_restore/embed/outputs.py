"""What every embedder must do on a few faces: tell them apart, give the same twice, and look at each face alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from ..errors import ConventionError
from .base import Embedder

SAME = 0.99  # cosine of two embeddings of one face; other kernels for another batch keep it above 0.9999
EQUAL = 1e-6  # largest difference, relative to the largest value, of embeddings that are one


def check_outputs(embedder: Embedder, faces: Tensor) -> None:
    """Raise where the embeddings of these faces cannot be meant; those that are not finite or zero are passed over.

    Args:
        embedder: any.
        faces: canonical crops (B, 3, 128, 128), B ≥ 0; at least two different ones tell a constant output.

    Raises:
        ConventionError: an embedding changes from call to call, or with the other faces of the batch, or is the same
            for all faces.
    """
    if not len(faces):
        return
    with torch.inference_mode():
        first, again, alone = embedder(faces), embedder(faces), embedder(faces[:1])
    usable = torch.isfinite(first).all(dim=1) & first.any(dim=1)
    if not usable.all():
        return
    name = embedder.card.name
    if not (cosine_similarity(first, again) > SAME).all():
        raise ConventionError(f"embedder {name!r}: gives other embeddings when it sees the same faces again")
    if not cosine_similarity(first[:1], alone) > SAME:
        raise ConventionError(
            f"embedder {name!r}: a face's embedding depends on the other faces of the batch; is it in training mode?"
        )
    different = bool((faces[1:] != faces[:1]).flatten(1).any(dim=1).any())
    if different and bool((first - first[:1]).abs().max() <= EQUAL * first.abs().max()):
        raise ConventionError(f"embedder {name!r}: gives the same embedding for all of {len(faces)} different faces")
