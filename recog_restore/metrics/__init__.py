"""Metrics: pure functions on NumPy arrays.

Convention: a score is a similarity, higher is more alike; accept when ``score >= threshold``. A comparison that failed
(a face that could not be had) carries the score -inf and is accepted at no threshold: a mated one is a miss, a
non-mated one a correct non-match, and both stay in the denominators (ISO/IEC 19795-1). NaN and +inf are refused.

Rates are in 0…1 and float64; scores are compared in their own precision, never rounded. A metric without a value is NaN
with the warning ``UndefinedMetric``. No argument is written to.
"""

from .identification import MISS, Ranked, cmc, rank_k, ranks, ranks_blocked, ranks_listed
from .intervals import CLOPPER_PEARSON, clopper_pearson
from .scores import FAILED
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
    tar_at_far,
    thin,
)

__all__ = [
    "CLOPPER_PEARSON",
    "FAILED",
    "MISS",
    "Eer",
    "KFold",
    "OperatingPoint",
    "Ranked",
    "Roc",
    "accuracy_kfold",
    "auc",
    "clopper_pearson",
    "cmc",
    "eer",
    "histogram",
    "rank_k",
    "ranks",
    "ranks_blocked",
    "ranks_listed",
    "rates_at",
    "roc",
    "tar_at_far",
    "thin",
]
