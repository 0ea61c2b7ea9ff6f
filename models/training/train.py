"""
Trains the fraud model on features that the engine itself computed and exported, and writes model.onnx and model.json.

    python train.py --features history.csv.gz live.csv.gz --held-out unseen.csv.gz --out ../../config/default/model \\
        --id card-fraud --version 1 --results ../RESULTS.md

Each export is split by time: the first 65% to learn from, the next 15% to stop, calibrate and set the score's scale, the
last 20% to report on. With --learn-before and --test-from (days, UTC) the first two parts share what lies before the one
in the same proportion, and the report is on what follows the other; between them lies the time in which labels were not
known yet. --held-out exports hold kinds of fraud that were never learned; they are only reported on.
"""

import argparse
import datetime
import hashlib
import importlib.metadata
import json
import platform
import sys
from pathlib import Path

import numpy as np

from booster import calibrate, fit
from covers import with_covers
from distribution import distribution
from evaluation import calibration_points, evaluate
from exported_features import ExportError, concatenate, read_export
from onnx_model import FRAUD_COLUMN, INPUT, OUTPUT, largest_difference, to_onnx
from results import results_markdown
from time_split import add_split_arguments, split

REASON_FEATURES = 20
MAX_MODEL_BYTES = 1_500_000
LIBRARIES = ("lightgbm", "onnxmltools", "onnx", "onnxruntime", "numpy", "pandas", "scikit-learn")


def main() -> int:
    options = parse_arguments()
    try:
        exports = [read_export(path) for path in options.features]
        unseen = [read_export(path) for path in options.held_out]
        concatenate([*exports, *unseen])
    except (OSError, ExportError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    parts = [split(export, options.learn_before, options.test_from) for export in exports]
    train = concatenate([part[0] for part in parts])
    validation = concatenate([part[1] for part in parts])
    if train.is_fraud.sum() < 100 or validation.is_fraud.sum() < 30:
        print("train: too few labelled frauds to learn from; export more payments", file=sys.stderr)
        return 1
    print(f"training on {len(train)} payments, {int(train.is_fraud.sum())} of them fraud", flush=True)

    booster = calibrate(fit(train, validation), validation)
    model = with_covers(to_onnx(booster), train.values, train.is_fraud)
    tests = [part[2] for part in parts]
    difference = largest_difference(booster, model, concatenate(tests).values)
    if len(model) > MAX_MODEL_BYTES:
        print(f"train: the model has {len(model)} bytes, more than {MAX_MODEL_BYTES}", file=sys.stderr)
        return 1

    points = calibration_points(booster.predict(validation.values), validation.is_fraud)
    metrics = {
        "heldOutTime": {part.name: evaluate(part, booster.predict(part.values), points, options.thresholds) for part in tests},
        "heldOutKinds": {part.name: evaluate(part, booster.predict(part.values), points, options.thresholds) for part in unseen},
        "trees": booster.num_trees(),
        "largestDifferenceFromLightGbm": difference,
    }
    metadata = {
        "id": options.id,
        "version": options.version,
        "format": "onnx",
        "sha256": hashlib.sha256(model).hexdigest(),
        "catalogueSha256": train.catalogue_sha256,
        "inputs": train.names,
        "input": INPUT,
        "output": OUTPUT,
        "fraudColumn": FRAUD_COLUMN,
        "calibration": points,
        "baselines": baselines(train),
        "reasonFeatures": reason_features(booster, train.names),
        "trainingDistribution": distribution(train.names, train.values, booster.predict(train.values)),
        "trainedAt": options.trained_at,
        "data": {
            "sha256": concatenate(exports).sha256,
            "rows": len(train) + len(validation),
            "fraudRows": int(train.is_fraud.sum() + validation.is_fraud.sum()),
            "from": time_text(train.event_time_ms.min()),
            "to": time_text(validation.event_time_ms.max()),
            "files": {
                export.name: {"sha256": export.sha256, "ledgerSha256": export.ledger_sha256} for export in exports
            },
        },
        "metrics": metrics,
        "libraries": {"python": platform.python_version()}
        | {library: importlib.metadata.version(library) for library in LIBRARIES},
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "model.onnx").write_bytes(model)
    (options.out / "model.json").write_text(json.dumps(metadata, indent=2) + "\n")
    report = results_markdown(options.title, metadata, len(model))
    print(report)
    if options.results is not None:
        options.results.write_text(report)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the fraud model on features exported by `sluice export`.")
    parser.add_argument("--features", type=Path, nargs="+", required=True, help="exports to learn from")
    parser.add_argument("--held-out", type=Path, nargs="*", default=[], help="exports only to report on")
    parser.add_argument("--out", type=Path, required=True, help="folder for model.onnx and model.json")
    parser.add_argument("--id", default="payment-fraud")
    parser.add_argument("--version", required=True)
    parser.add_argument("--trained-at", default=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"))
    add_split_arguments(parser)
    parser.add_argument("--thresholds", type=int, nargs="+", default=[600, 800, 950], help="scores the report is on")
    parser.add_argument("--title", default="Results of the shipped model", help="of the metrics' page")
    parser.add_argument("--results", type=Path, help="markdown file for the metrics")
    options = parser.parse_args()
    if (options.learn_before is None) != (options.test_from is None):
        parser.error("--learn-before and --test-from belong together")
    return options


def baselines(train) -> dict:
    """Medians over genuine payments; null where most have no value."""
    medians = {}
    genuine = train.values[~train.is_fraud]
    for index, name in enumerate(train.names):
        column = genuine[:, index]
        known = column[~np.isnan(column)]
        medians[name] = float(np.median(known)) if len(known) * 2 > len(column) else None
    return medians


def reason_features(booster, names: list[str]) -> list[str]:
    gain = booster.feature_importance("gain")
    order = sorted(range(len(names)), key=lambda index: (-gain[index], names[index]))
    return [names[index] for index in order if gain[index] > 0][:REASON_FEATURES]


def time_text(time_ms) -> str:
    return datetime.datetime.fromtimestamp(int(time_ms) / 1000, datetime.UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    sys.exit(main())
