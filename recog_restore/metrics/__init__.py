"""Metrics: pure functions on NumPy arrays.

Convention: a score is a similarity, higher is more alike; accept when ``score >= threshold``. A comparison that failed
(a face that could not be had) carries the score -inf and is accepted at no threshold: a mated one is a miss, a
non-mated one a correct non-match, and both stay in the denominators (ISO/IEC 19795-1). NaN and +inf are refused.

Rates are in 0…1 and float64; scores are compared in their own precision, never rounded. A metric without a value is NaN
with the warning ``UndefinedMetric``. No argument is written to.
"""

from .bootstrap import SubjectBootstrap
from .bootstrap_curves import accuracy_kfold_draws, auc_draws, eer_draws, tar_at_far_draws
from .cells import pair_scores
from .drift import Drift, impostor_drift
from .identification import MISS, Ranked, cmc, rank_k, ranks, ranks_blocked, ranks_listed
from .intervals import CLOPPER_PEARSON, clopper_pearson, clopper_pearson_of_rate
from .mcnemar import McNemar, mcnemar, mcnemar_by_subject
from .openset import FEW_ALARMS, OpenPoint, det, hit_scores, tpir_at_fpir
from .precision import average_precision, mate_places, mean_average_precision
from .scores import FAILED
from .statistics import (
    holm,
    normal_interval,
    normal_p,
    percentile_interval,
    rate_interval,
    smallest_detectable,
    verdict,
    with_two_more,
)
from .verification import (
    Eer,
    KFold,
    OperatingPoint,
    Roc,
    accuracy_kfold,
    auc,
    eer,
    histogram,
    rates_at,
    roc,
    sketch,
    tar_at_far,
    tar_at_fars,
    thin,
)

__all__ = [
    "CLOPPER_PEARSON",
    "FAILED",
    "FEW_ALARMS",
    "MISS",
    "Drift",
    "Eer",
    "KFold",
    "McNemar",
    "OpenPoint",
    "OperatingPoint",
    "Ranked",
    "Roc",
    "SubjectBootstrap",
    "accuracy_kfold",
    "accuracy_kfold_draws",
    "auc",
    "auc_draws",
    "average_precision",
    "clopper_pearson",
    "clopper_pearson_of_rate",
    "cmc",
    "det",
    "eer",
    "eer_draws",
    "histogram",
    "hit_scores",
    "holm",
    "impostor_drift",
    "mate_places",
    "mcnemar",
    "mcnemar_by_subject",
    "mean_average_precision",
    "normal_interval",
    "normal_p",
    "pair_scores",
    "percentile_interval",
    "rank_k",
    "ranks",
    "ranks_blocked",
    "ranks_listed",
    "rate_interval",
    "rates_at",
    "roc",
    "sketch",
    "smallest_detectable",
    "tar_at_far",
    "tar_at_far_draws",
    "tar_at_fars",
    "thin",
    "tpir_at_fpir",
    "verdict",
    "with_two_more",
]
