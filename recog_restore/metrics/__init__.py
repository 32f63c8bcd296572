"""Metrics: pure functions on NumPy arrays.

Convention: a score is a similarity, higher is more alike; accept when ``score >= threshold``. A comparison that failed
(a face that could not be had) carries the score -inf and is accepted at no threshold: a mated one is a miss, a
non-mated one a correct non-match, and both stay in the denominators (ISO/IEC 19795-1). NaN and +inf are refused.

Rates are in 0…1 and float64; scores are compared in their own precision, never rounded. A metric without a value is NaN
with the warning ``UndefinedMetric``. No argument is written to.
"""

from .bootstrap import SubjectBootstrap
from .bootstrap_curves import auc_draws, eer_draws, tar_at_far_draws
from .drift import Drift, impostor_drift
from .identification import MISS, Ranked, cmc, rank_k, ranks, ranks_blocked, ranks_listed
from .intervals import CLOPPER_PEARSON, clopper_pearson, clopper_pearson_of_rate, rule_of_three
from .mcnemar import McNemar, mcnemar, mcnemar_by_subject
from .scores import FAILED
from .statistics import holm, normal_p, percentile_interval, smallest_detectable, square_and_add, verdict
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
    "Drift",
    "Eer",
    "KFold",
    "McNemar",
    "OperatingPoint",
    "Ranked",
    "Roc",
    "SubjectBootstrap",
    "accuracy_kfold",
    "auc",
    "auc_draws",
    "clopper_pearson",
    "clopper_pearson_of_rate",
    "cmc",
    "eer",
    "eer_draws",
    "histogram",
    "holm",
    "impostor_drift",
    "mcnemar",
    "mcnemar_by_subject",
    "normal_p",
    "percentile_interval",
    "rank_k",
    "ranks",
    "ranks_blocked",
    "ranks_listed",
    "rates_at",
    "roc",
    "rule_of_three",
    "smallest_detectable",
    "square_and_add",
    "tar_at_far",
    "tar_at_far_draws",
    "thin",
    "verdict",
]
