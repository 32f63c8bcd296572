"""Every preprocessor of a run on a few of its faces, before all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..faces import FaceBatch, to_float
from ..preprocess import Preprocessor
from ..preprocess.trial import trial
from ..store import Store, recipe_key
from .acquire import Acquisition
from .embeddings import Settings, computed_by, described, faces_recipe

FACES = 4


def tried(
    acquisition: Acquisition,
    digests: Sequence[str],
    preprocessors: Sequence[Preprocessor],
    store: Store,
    settings: Settings,
    touched: int,
) -> list[str]:
    """Return what ``preprocess.trial`` says on faces from all over the run; kept in the store as embeddings are.

    Args:
        acquisition: the faces.
        digests: SHA-256 of each sample's encoded image.
        preprocessors: without the baseline.
        store: where the warnings are kept.
        settings: as for the embeddings.
        touched: so many of the first faces are for the preprocessors to see.
    """
    jobs = np.unique(np.linspace(0, touched - 1, FACES).astype(int)).tolist()
    base = {"what": "trial/1", **faces_recipe(acquisition, settings), "faces": described(acquisition, digests, jobs)}
    found, faces = [], None
    for preprocessor in preprocessors:
        key = recipe_key({**base, "preprocessor": computed_by(preprocessor), "name": preprocessor.card.name})
        if preprocessor.content is not None and key in store:
            found += store.get(key)[1]["warnings"]
            continue
        if faces is None:
            crops = acquisition[jobs]
            pixels = to_float(crops.pixels, settings.device)
            faces = FaceBatch(pixels, crops.points.to(settings.device), crops.status)
        warnings = trial(preprocessor, faces)
        found += warnings
        if preprocessor.content is not None:
            store.put(key, {"jobs": np.array(jobs)}, {"warnings": warnings})
    return found
