"""Where the features of the same probes lie with each preprocessor: MDFR's figure 8, by t-SNE.

Source: van der Maaten, Hinton, "Visualizing Data using t-SNE", JMLR 2008; MDFR (arXiv:2105.09907), figure 8, which
shows "identity features" and names no layer: here they are the recognizer's unit embeddings, which scores are made of.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..errors import RecordError
from ..results import FeatureMap
from .embeddings import Embeddings
from .plan import Plan
from .score import unit

# Probes of a person, and t-SNE's perplexity, unless there are fewer.
_PROBES, _PERPLEXITY = 12, 30.0
_FEWEST = 3


def feature_map(plan: Plan, embeddings: Mapping[str, Embeddings], people: int) -> FeatureMap:
    """Return places in the unit square of some people's probes, drawn, with every preprocessor.

    Args:
        plan: of an identification.
        embeddings: of all jobs, by preprocessor; only probes that failed with none of them are taken.
        people: at most so many, 12 probes of each at most, evenly spread.

    Raises:
        RecordError: fewer than three probes could be had.
    """
    from sklearn.manifold import TSNE  # it takes a second, and hardly any run asks for a map

    subject = plan.column("subject", plan.probes)
    there = np.all([found.valid[plan.probes] for found in embeddings.values()], axis=0)
    known = sorted(set(subject[there].tolist()))
    drawn = np.random.default_rng(0).permutation(len(known))[:people]
    rows = [_some(np.flatnonzero(there & (subject == known[place]))) for place in sorted(drawn.tolist())]
    probes = np.concatenate(rows) if rows else np.empty(0, np.int64)
    if len(probes) < _FEWEST:
        raise RecordError(
            f"--domains: {plan.protocol.id} has {len(probes)} probes that no preprocessor failed on; expected at "
            f"least {_FEWEST}"
        )
    vectors = np.concatenate([unit(found.vectors[plan.probes[probes]]) for found in embeddings.values()])
    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    places = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(vectors.astype(np.float32))
    places -= places.min(axis=0)
    each = (places / max(float(places.max()), 1e-9)).astype(float).round(4).reshape(len(embeddings), -1, 2)
    by_name = {name: tuple((x, y) for x, y in points.tolist()) for name, points in zip(embeddings, each, strict=True)}
    return FeatureMap(tuple(subject[probes].tolist()), by_name)


def _some(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), _PROBES)).round().astype(np.int64)]
