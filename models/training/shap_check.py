"""
Compares contributions with those of the `shap` package, tree for tree as model.onnx has them:

    npx tsx tools/checkShap.ts        # makes the file of rows, runs this, records the result in models/RESULTS.md

The file is JSON: `rows` (float32) and `contributions` (float64), both base64, row after row, and `mean`, all as Sluice has them.
Prints JSON: the rows compared, the largest differences of a contribution and of the mean, and the package's version.
"""

import argparse
import base64
import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import shap

from covers import Trees, read_trees, tree_node


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare contributions with the shap package's.")
    parser.add_argument("--model", type=Path, required=True, help="folder with model.onnx and model.json")
    parser.add_argument("--rows", type=Path, required=True, help="rows and contributions, as tools/checkShap.ts writes them")
    options = parser.parse_args()
    given = json.loads(options.rows.read_text())
    width = len(json.loads((options.model / "model.json").read_text())["inputs"])
    rows = np.frombuffer(base64.b64decode(given["rows"]), np.float32).reshape(-1, width)
    ours = np.frombuffer(base64.b64decode(given["contributions"]), np.float64).reshape(-1, width)
    explainer = shap.TreeExplainer(
        shap_model(tree_node(onnx.load(options.model / "model.onnx"))), feature_perturbation="tree_path_dependent"
    )
    theirs = explainer.shap_values(rows.astype(np.float64), check_additivity=False)
    result = {
        "rows": len(rows),
        "largestDifference": float(np.abs(theirs - ours).max()),
        "largestMeanDifference": float(np.abs(np.atleast_1d(explainer.expected_value)[0] - given["mean"])),
        "largestContribution": float(np.abs(theirs).max()),
        "version": importlib.metadata.version("shap"),
    }
    print(json.dumps(result))
    return 0


def shap_model(node: onnx.NodeProto) -> dict:
    """The trees as shap takes them: `value <= threshold` goes left, an undefined value to `children_default`."""
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    trees = read_trees(node)
    if set(trees.mode) > {"BRANCH_LEQ", "LEAF"}:
        raise ValueError("only trees of BRANCH_LEQ nodes are compared")
    kind = "class" if node.op_type == "TreeEnsembleClassifier" else "target"
    keys = list(zip(attributes["nodes_treeids"], attributes["nodes_nodeids"]))
    place = {key: index for index, key in enumerate(keys)}
    values = np.zeros(len(keys))
    for tree, leaf, weight in zip(
        attributes[f"{kind}_treeids"], attributes[f"{kind}_nodeids"], attributes[f"{kind}_weights"], strict=True
    ):
        values[place[tree, leaf]] += weight
    ends = [*trees.roots[1:], len(keys)]
    return {
        "trees": [
            shap_tree(trees, np.array(attributes["nodes_hitrates"]), values, first, end)
            for first, end in zip(trees.roots, ends, strict=True)
        ],
        "base_offset": sum(attributes.get("base_values", [])),
        "tree_output": "raw_value",
        "objective": "binary_crossentropy",
        "input_dtype": np.float64,
        "internal_dtype": np.float64,
    }


def shap_tree(trees: Trees, covers: np.ndarray, values: np.ndarray, first: int, end: int) -> dict:
    part = slice(first, end)
    leaf = trees.left[part] < 0
    left, right = (np.where(leaf, -1, children[part] - first) for children in (trees.left, trees.right))
    return {
        "children_left": left,
        "children_right": right,
        "children_default": np.where(trees.missing_is_true[part], left, right),
        "features": np.where(leaf, -2, trees.feature[part]),
        "thresholds": trees.threshold[part].astype(np.float64),
        "values": values[part].reshape(-1, 1),
        "node_sample_weight": covers[part].astype(np.float64),
    }


if __name__ == "__main__":
    sys.exit(main())
