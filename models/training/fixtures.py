"""
Makes the small model packages of models/testing/packages: one by each exporter that the tests hold Sluice against.

    python models/training/fixtures.py [--out models/testing/packages]

They learn to tell two clouds of points apart, with values missing; what they say is not the matter, but that they are what scikit-learn,
LightGBM and XGBoost export. Each folder has model.onnx, model.json and expected.json: rows and the probabilities by the library itself.
Needs requirements.txt and xgboost.
"""

import argparse
import hashlib
import json
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import onnxmltools
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as ToolsFloatTensorType
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from covers import with_covers

INPUTS = ["amount", "count", "distinct", "avg", "max", "since"]
OPSET = 15
ML_OPSET = 3
SEED = 20261128
ROWS = 64


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the model packages of the tests.")
    parser.add_argument("--out", type=Path, default=Path("models/testing/packages"))
    options = parser.parse_args()
    values, is_fraud = points()
    for name, (library, make) in MAKERS.items():
        model, predict, output = make(values, is_fraud)
        write(options.out / name, name, library, model, output, values, predict)


def points() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(SEED)
    is_fraud = random.random(2_000) < 0.2
    values = random.gamma(2.0, 20.0, (2_000, len(INPUTS))).astype(np.float32)
    values[:, 1] = random.poisson(3, 2_000) + 4 * is_fraud
    values[:, 2] = random.poisson(1, 2_000)
    values[is_fraud, 0] *= 2.5
    values[random.random(values.shape) < 0.05] = np.nan
    return values, is_fraud


def sklearn_model(estimator):
    def make(values, is_fraud):
        fitted = make_pipeline(SimpleImputer(strategy="median"), *estimator).fit(values, is_fraud)
        model = to_onnx(
            fitted,
            values[:1],
            target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET},
            options={"zipmap": False},
        )
        return model, fitted.predict_proba, ("X", "probabilities")

    return make


def bare_trees(estimator):
    """On the raw features, but without covers: as the exporter leaves it."""

    def make(values, is_fraud):
        known = np.nan_to_num(values, nan=-1.0)
        fitted = estimator.fit(known, is_fraud)
        options = {"zipmap": False}
        model = to_onnx(fitted, known[:1], target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET}, options=options)
        return model, fitted.predict_proba, ("X", "probabilities")

    return make


def lightgbm_model(values, is_fraud):
    fitted = lightgbm.LGBMClassifier(n_estimators=20, num_leaves=8, random_state=SEED, verbose=-1).fit(values, is_fraud.astype(int))
    types = [("input", ToolsFloatTensorType([None, len(INPUTS)]))]
    model = onnxmltools.convert_lightgbm(fitted, initial_types=types, zipmap=False, target_opset=OPSET)
    model = onnx.load_model_from_string(with_covers(model.SerializeToString(), values, is_fraud))
    return model, fitted.predict_proba, ("input", "probabilities")


def xgboost_model(values, is_fraud):
    fitted = xgboost.XGBClassifier(n_estimators=20, max_depth=3, random_state=SEED).fit(values, is_fraud.astype(int))
    types = [("input", ToolsFloatTensorType([None, len(INPUTS)]))]
    model = onnxmltools.convert_xgboost(fitted, initial_types=types, target_opset=OPSET)
    model = onnx.load_model_from_string(with_covers(model.SerializeToString(), values, is_fraud))
    return model, fitted.predict_proba, ("input", "probabilities")


MAKERS = {
    "sklearn-logistic": ("scikit-learn", sklearn_model([StandardScaler(), LogisticRegression()])),
    "sklearn-mlp": (
        "scikit-learn",
        sklearn_model([StandardScaler(), MLPClassifier((8, 4), max_iter=500, random_state=SEED)]),
    ),
    "sklearn-random-forest": (
        "scikit-learn",
        sklearn_model([RandomForestClassifier(8, max_depth=4, random_state=SEED)]),
    ),
    "sklearn-bare-forest": ("scikit-learn", bare_trees(RandomForestClassifier(8, max_depth=4, random_state=SEED))),
    "sklearn-gradient-boosting": (
        "scikit-learn",
        sklearn_model([GradientBoostingClassifier(n_estimators=20, max_depth=3, random_state=SEED)]),
    ),
    "lightgbm": ("LightGBM", lightgbm_model),
    "xgboost": ("XGBoost", xgboost_model),
}


def write(folder: Path, name: str, library: str, model, output, values, predict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # Exporters write random names and their own version; neither is computed with.
    del model.metadata_props[:]
    model.graph.name = name
    data = model.SerializeToString(deterministic=True)
    (folder / "model.onnx").write_bytes(data)
    rows = values[:ROWS]
    if name == "sklearn-bare-forest":
        rows = np.nan_to_num(rows, nan=-1.0)
    metadata = {
        "id": name,
        "version": "1",
        "format": "onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "catalogueSha256": "0" * 64,
        "inputs": INPUTS,
        "input": output[0],
        "output": output[1],
        "fraudColumn": 1,
        "calibration": [[0, 0], [0.5, 600], [1, 1000]],
        "baselines": {feature: float(np.nanmedian(values[:, index])) for index, feature in enumerate(INPUTS)},
        "reasonFeatures": INPUTS,
        "trainedAt": "2026-11-28",
        "data": {"made": "by fixtures.py", "rows": len(values)},
        "metrics": {},
        "libraries": {library: "see requirements.txt"},
    }
    (folder / "model.json").write_text(json.dumps(metadata, indent=2) + "\n")
    expected = {
        "rows": [[None if np.isnan(value) else float(value) for value in row] for row in rows],
        "probabilities": [float(each) for each in predict(rows)[:, 1]],
    }
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")
    print(f"{name}: {len(data)} bytes")


if __name__ == "__main__":
    main()
