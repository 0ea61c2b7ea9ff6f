"""The gradient-boosted trees: fitted, calibrated, and made exact in 32-bit floats."""

import re

import lightgbm as lgb
import numpy as np
from sklearn.linear_model import LogisticRegression

MAX_TREES = 200
PATIENCE = 30
NAN_ROWS = 400

PARAMETERS = {
    "objective": "binary",
    "metric": "average_precision",
    "learning_rate": 0.06,
    "num_leaves": 31,
    "max_depth": 8,
    "min_data_in_leaf": 60,
    "lambda_l2": 10.0,
    "min_gain_to_split": 0.1,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "bin_construct_sample_cnt": 2_000_000,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 7,
    "num_threads": 2,
    "verbosity": -1,
}


def fit(train, validation) -> lgb.Booster:
    """At most MAX_TREES trees, as many as raise the average precision on `validation`."""
    values, is_fraud = with_missing_values(train.values, train.is_fraud)
    data = lgb.Dataset(values, is_fraud.astype(np.int8), feature_name=train.names)
    held_out = lgb.Dataset(validation.values, validation.is_fraud.astype(np.int8), reference=data)
    stop = lgb.early_stopping(PATIENCE, verbose=False)
    booster = lgb.train(PARAMETERS, data, MAX_TREES, valid_sets=[held_out], callbacks=[stop])
    return lgb.Booster(model_str=booster.model_to_string(num_iteration=booster.best_iteration))


def with_missing_values(values: np.ndarray, is_fraud: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Adds copies of genuine rows with values knocked out. Every feature then has missing values in training; otherwise
    LightGBM reads a missing value as 0 where ONNX follows the split's default, and the two would disagree.
    """
    random = np.random.default_rng(7)
    rows = random.choice(np.flatnonzero(~is_fraud), NAN_ROWS)
    copies = values[rows].copy()
    copies[random.random(copies.shape) < 0.3] = np.nan
    return np.concatenate([values, copies]), np.concatenate([is_fraud, is_fraud[rows]])


def calibrate(booster: lgb.Booster, validation) -> lgb.Booster:
    """
    Platt's scaling, sigmoid(a * margin + b), folded into the leaves, so that the model itself gives the calibrated
    probability. Thresholds and leaves are rounded to 32-bit floats on the way: a threshold down to the greatest one not
    above it, which parts 32-bit inputs exactly as the 64-bit one did, and makes the ONNX model equal to this one.
    """
    margin = booster.predict(validation.values, raw_score=True).reshape(-1, 1)
    line = LogisticRegression(C=1e6).fit(margin, validation.is_fraud)
    slope, intercept = float(line.coef_[0, 0]), float(line.intercept_[0])
    if slope <= 0:
        raise ValueError("the model's margin does not rise with fraud on the validation rows")
    first_tree = True

    def rewrite(match: re.Match) -> str:
        nonlocal first_tree
        key, numbers = match[1], [float(number) for number in match[2].split()]
        if key == "threshold":
            rounded = [float32_not_above(number) for number in numbers]
        else:
            shift = intercept if first_tree else 0.0
            first_tree = False
            rounded = [float(np.float32(slope * number + shift)) for number in numbers]
        return f"{key}={' '.join(repr(number) for number in rounded)}"

    text = re.sub(r"^tree_sizes=.*\n", "", booster.model_to_string(), flags=re.MULTILINE)
    text = re.sub(r"^(threshold|leaf_value)=(.*)$", rewrite, text, flags=re.MULTILINE)
    return lgb.Booster(model_str=text)


def float32_not_above(number: float) -> float:
    rounded = np.float32(number)
    if float(rounded) > number:
        rounded = np.nextafter(rounded, np.float32(-np.inf))
    return float(rounded)
