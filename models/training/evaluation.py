"""How good the model is on payments later than any it learned from, and the scale its score is given on."""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

# Score at which so many genuine payments are above it: a score then means the same for every model.
FALSE_POSITIVE_RATE_AT_SCORE = ((50, 0.2), (200, 0.05), (400, 0.02), (600, 0.01), (800, 0.003), (930, 0.001), (980, 0.0003))
HEADLINE_RATE = 0.003


def threshold_at(probability: np.ndarray, is_fraud: np.ndarray, rate: float) -> float:
    """Lowest probability above which at most `rate` of the genuine payments are."""
    return float(np.quantile(probability[~is_fraud], 1 - rate, method="higher"))


def calibration_points(probability: np.ndarray, is_fraud: np.ndarray) -> list[list[float]]:
    """[probability, score], rising from [0, 0] to [1, 1000]."""
    points = [[0.0, 0.0]]
    for score, rate in FALSE_POSITIVE_RATE_AT_SCORE:
        threshold = threshold_at(probability, is_fraud, rate)
        if points[-1][0] < threshold < 1.0:
            points.append([threshold, float(score)])
    points.append([1.0, 1000.0])
    return points


def score_of(points: list[list[float]], probability: np.ndarray) -> np.ndarray:
    return np.interp(probability, [point[0] for point in points], [point[1] for point in points])


def evaluate(part, probability: np.ndarray, points: list[list[float]], thresholds: list[int]) -> dict:
    """
    Metrics on one part of the data; recall is by count, and by amount where it says so. `thresholds` are scores from which a
    deployment acts.
    """
    is_fraud = part.is_fraud
    score = score_of(points, probability)
    caught = is_fraud & (probability >= threshold_at(probability, is_fraud, HEADLINE_RATE))
    return {
        "rows": int(len(is_fraud)),
        "fraudRows": int(is_fraud.sum()),
        "auc": rounded(roc_auc_score(is_fraud, probability)),
        "averagePrecision": rounded(average_precision_score(is_fraud, probability)),
        "recallAt03PercentFalsePositives": rounded(caught.sum() / is_fraud.sum()),
        "amountRecallAt03PercentFalsePositives": rounded(
            part.amount_minor[caught].sum() / max(1.0, part.amount_minor[is_fraud].sum())
        ),
        "atScore": {
            str(level): {
                "recall": rounded(float((score[is_fraud] >= level).mean())),
                "falsePositiveRate": rounded(float((score[~is_fraud] >= level).mean()), 5),
            }
            for level in thresholds
        },
        "byFraudType": by_fraud_type(part, score, caught, thresholds),
    }


def by_fraud_type(part, score: np.ndarray, caught: np.ndarray, thresholds: list[int]) -> dict:
    kinds = sorted(set(part.fraud_type[part.is_fraud]))
    result = {}
    for kind in kinds:
        rows = part.is_fraud & (part.fraud_type == kind)
        result[kind or "unknown"] = {
            "rows": int(rows.sum()),
            "recallAt03PercentFalsePositives": rounded(caught[rows].mean()),
            "recallAtScore": {str(level): rounded((score[rows] >= level).mean()) for level in thresholds},
        }
    return result


def rounded(number: float, digits: int = 4) -> float:
    return round(float(number), digits)
