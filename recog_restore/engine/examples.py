"""Faces before and after, for people to look at: what a preprocessor changed most, and which searches went worst."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ..faces import FaceBatch, to_float, to_uint8
from ..metrics import MISS
from ..preprocess import Preprocessor
from ..results import BASELINE, Confusion, Example, ExampleFace
from .acquire import Acquisition
from .embeddings import Embeddings
from .plan import Plan, firsts
from .score import Scored


def examples(
    plan: Plan,
    acquisition: Acquisition,
    preprocessors: Sequence[Preprocessor],
    embeddings: Mapping[str, Embeddings],
    scores: Mapping[str, NDArray[np.floating[Any]]],
    count: int,
    device: str,
) -> list[Example]:
    """Return ``count`` gains and ``count`` losses per preprocessor.

    A gain is a mated comparison whose score rose or a non-mated one whose score fell; the greatest change comes first,
    ties in the order of the list. Comparisons with a failed face are not shown here but among the failures. A
    template is shown by its first face that could be had.
    """
    if not count or not scores:
        return []
    found, before = [], scores[BASELINE]
    for preprocessor in preprocessors:
        name = preprocessor.card.name
        if name == BASELINE:
            continue
        with np.errstate(invalid="ignore"):  # of two failures
            change = np.where(plan.mated, 1.0, -1.0) * (scores[name] - before)
        change[~np.isfinite(change)] = 0.0
        losses = [i for i in _least(change, count) if change[i] < 0]
        gains = [i for i in _least(-change[::-1], count, len(change)) if change[i] > 0]
        for kind, chosen in (("gain", gains), ("loss", losses)):
            for i in chosen:
                pair = [int(plan.first[i]), int(plan.second[i])]
                if plan.templates:
                    valid = embeddings[name].valid
                    pair = [
                        _shown(plan.gallery, plan.gallery_template, pair[0], valid),
                        _shown(plan.probes, plan.probe_template, pair[1], valid),
                    ]
                found.append(
                    Example(
                        preprocessor=name,
                        kind=kind,
                        mated=bool(plan.mated[i]),
                        score_before=float(before[i]),
                        score_after=float(scores[name][i]),
                        faces=_pictures(plan, acquisition, pair, preprocessor, device),
                    )
                )
    return found


def confusions(
    plan: Plan,
    acquisition: Acquisition,
    preprocessors: Sequence[Preprocessor],
    embeddings: Mapping[str, Embeddings],
    scored: Scored,
    count: int,
    device: str,
) -> list[Confusion]:
    """Return the ``count`` searches per preprocessor where an impostor exceeded the mate most, one per subject.

    The worst come first, ties in the order of the probes. Searches with a failed probe or mate are not among them.
    """
    if not count or not scored.ranked:
        return []
    found = []
    searched, enrolled = firsts(plan.probe_template), firsts(plan.gallery_template)
    subject = plan.column("subject", plan.probes)[searched]
    other = plan.column("subject", plan.gallery)[enrolled]
    for preprocessor in preprocessors:
        name = preprocessor.card.name
        ranked, valid = scored.ranked[name], embeddings[name].valid
        usable = np.flatnonzero((ranked.best_mate_row >= 0) & (ranked.best_impostor_row >= 0))
        excess = ranked.best_impostor_score[usable] - ranked.best_mate_score[usable]
        order = usable[np.argsort(-excess, kind="stable")][: int((excess >= 0).sum())]
        _, once = np.unique(subject[order].astype(str), return_index=True)
        for probe in order[np.sort(once)][:count].tolist():
            mate, impostor = int(ranked.best_mate_row[probe]), int(ranked.best_impostor_row[probe])
            jobs = [
                _shown(plan.probes, plan.probe_template, probe, valid),
                _shown(plan.gallery, plan.gallery_template, mate, valid),
                _shown(plan.gallery, plan.gallery_template, impostor, valid),
            ]
            faces = _pictures(plan, acquisition, jobs, preprocessor, device)
            found.append(
                Confusion(
                    preprocessor=name,
                    subject=str(subject[probe]),
                    impostor_subject=str(other[impostor]),
                    rank=scored.candidates + 1 if ranked.ranks[probe] == MISS else int(ranked.ranks[probe]),
                    mate_score=float(ranked.best_mate_score[probe]),
                    impostor_score=float(ranked.best_impostor_score[probe]),
                    probe=faces[0],
                    mate=faces[1],
                    impostor=faces[2],
                )
            )
    return found


def _least(change: NDArray[np.float64], count: int, last: int | None = None) -> list[int]:
    """Return where the ``count`` least values stand, the least first, ties in order; seen from ``last`` where given."""
    few = np.arange(len(change))
    if count < len(change):
        few = np.flatnonzero(change <= np.partition(change, count - 1)[count - 1])
    order = few[np.argsort(change[few], kind="stable")][:count]
    places: list[int] = (order if last is None else last - 1 - order).tolist()
    return places


def _shown(jobs: NDArray[np.int64], template: NDArray[np.int64], number: int, valid: NDArray[np.bool_]) -> int:
    """Return the first job of a template whose face could be had."""
    mine = jobs[template == number]
    return int(mine[valid[mine]][0])


def _pictures(
    plan: Plan, acquisition: Acquisition, jobs: list[int], preprocessor: Preprocessor, device: str
) -> tuple[ExampleFace, ...]:
    crops = acquisition[jobs]
    with torch.inference_mode():
        done = preprocessor(FaceBatch(to_float(crops.pixels, device), crops.points.to(device), crops.status))
    faces = []
    for job, before, after in zip(jobs, crops.pixels.numpy(), to_uint8(done.images), strict=True):
        sample = str(acquisition.names[acquisition.jobs.row[job]])
        faces.append(ExampleFace(sample, _webp(before), _webp(after if job < plan.touched else before)))
    return tuple(faces)


def _webp(image: NDArray[np.uint8]) -> str:
    _, data = cv2.imencode(".webp", image[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, 85])
    return "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode()
