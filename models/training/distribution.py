"""
How features and score were distributed over the training window: what live payments are held against (`sluice models drift`).

    python distribution.py --features history.csv.gz live.csv.gz --model ../../config/default/model

writes `trainingDistribution` into a model.json that has none; train.py does it by itself. It takes the rows that train.py would learn from
(the same --learn-before and --test-from), and changes neither model.onnx nor any score.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

from exported_features import ExportError, concatenate, read_export
from time_split import add_split_arguments, split

BINS = 10


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the training window's distribution into model.json.")
    parser.add_argument("--features", type=Path, nargs="+", required=True, help="exports that the model learned from")
    parser.add_argument("--model", type=Path, required=True, help="folder with model.onnx and model.json")
    add_split_arguments(parser)
    options = parser.parse_args()
    file = options.model / "model.json"
    metadata = json.loads(file.read_text())
    try:
        exports = [read_export(path) for path in options.features]
        learned = concatenate([split(export, options.learn_before, options.test_from)[0] for export in exports])
        if learned.catalogue_sha256 != metadata["catalogueSha256"]:
            raise ExportError("the exports are of another feature catalogue than the model")
    except (OSError, ExportError) as error:
        print(f"distribution: {error}", file=sys.stderr)
        return 1
    session = onnxruntime.InferenceSession((options.model / "model.onnx").read_bytes())
    output = session.run([metadata["output"]], {metadata["input"]: learned.values.astype(np.float32)})[0]
    probabilities = output if output.ndim == 1 else output[:, min(metadata["fraudColumn"], output.shape[1] - 1)]
    metadata["trainingDistribution"] = distribution(learned.names, learned.values, probabilities)
    file.write_text(json.dumps(metadata, indent=2) + "\n")
    print(f"the distribution of {len(learned)} payments is in {file}")
    return 0


def distribution(names: list[str], values: np.ndarray, probabilities: np.ndarray) -> dict:
    return {
        "rows": len(values),
        "score": bins(probabilities),
        "features": {name: bins(values[:, index]) for index, name in enumerate(names)},
    }


def bins(column: np.ndarray) -> dict:
    """Edges at the deciles, each once, and the share of rows: undefined ones first, then up to each edge, then above the last."""
    known = column[~np.isnan(column)].astype(np.float64)
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="lower")) if len(known) > 0 else np.empty(0)
    # Nothing lies above the greatest value.
    edges = edges[edges < known.max()] if len(known) > 0 else edges
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    shares = [len(column) - len(known), *counts.tolist()]
    return {"edges": edges.tolist(), "shares": [round(count / len(column), 6) for count in shares]}


if __name__ == "__main__":
    sys.exit(main())
