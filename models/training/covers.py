"""
Writes into model.onnx how many training rows come to each node of its trees: reasons by TreeSHAP need it.

    python covers.py --features history.csv.gz live.csv.gz --model ../../config/default/model

The format has a place for it, `nodes_hitrates`; exporters write 1 everywhere, and ONNX Runtime does not read it, so that no score
changes. `train.py` does this by itself; this script is for models from elsewhere. It takes the rows that train.py would learn
from (the same --learn-before and --test-from) and changes model.onnx and the `sha256` in model.json.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from booster import with_missing_values
from exported_features import ExportError, concatenate, read_export
from time_split import add_split_arguments, split

TREE_OPERATORS = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")


class UnsuitableModel(Exception):
    """No trees of which the covers could be counted."""


@dataclass(frozen=True)
class Trees:
    """The nodes of all trees in the file's order. `left` and `right`: true and false branch, -1 at a leaf."""

    roots: list[int]
    mode: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_is_true: np.ndarray
    left: np.ndarray
    right: np.ndarray


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the covers of a model's trees into model.onnx.")
    parser.add_argument("--features", type=Path, nargs="+", required=True, help="exports that the model learned from")
    parser.add_argument("--model", type=Path, required=True, help="folder with model.onnx and model.json")
    add_split_arguments(parser)
    options = parser.parse_args()
    metadata = json.loads((options.model / "model.json").read_text())
    try:
        exports = [read_export(path) for path in options.features]
        learned = concatenate([split(export, options.learn_before, options.test_from)[0] for export in exports])
        if learned.catalogue_sha256 != metadata["catalogueSha256"]:
            raise ExportError("the exports are of another feature catalogue than the model")
        model = with_covers((options.model / "model.onnx").read_bytes(), learned.values, learned.is_fraud)
    except (OSError, ExportError, UnsuitableModel) as error:
        print(f"covers: {error}", file=sys.stderr)
        return 1
    metadata["sha256"] = hashlib.sha256(model).hexdigest()
    (options.model / "model.onnx").write_bytes(model)
    (options.model / "model.json").write_text(json.dumps(metadata, indent=2) + "\n")
    print(f"covers of {len(learned)} payments written; model.onnx is {metadata['sha256']}")
    return 0


def with_covers(model: bytes, values: np.ndarray, is_fraud: np.ndarray) -> bytes:
    """The model with the covers of the rows that `fit` learns from: those given and their copies with missing values."""
    parsed = onnx.load_model_from_string(model)
    node = tree_node(parsed)
    covers = count_covers(read_trees(node), with_missing_values(values, is_fraud)[0])
    attributes = [attribute for attribute in node.attribute if attribute.name != "nodes_hitrates"]
    attributes.append(onnx.helper.make_attribute("nodes_hitrates", [float(cover) for cover in covers]))
    del node.attribute[:]
    node.attribute.extend(sorted(attributes, key=lambda attribute: attribute.name))
    return parsed.SerializeToString(deterministic=True)


def tree_node(model: onnx.ModelProto) -> onnx.NodeProto:
    nodes = [node for node in model.graph.node if node.op_type in TREE_OPERATORS]
    if len(nodes) != 1:
        raise UnsuitableModel(f"the model has {len(nodes)} tree ensembles, not one")
    return nodes[0]


def read_trees(node: onnx.NodeProto) -> Trees:
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    keys = list(zip(attributes["nodes_treeids"], attributes["nodes_nodeids"]))
    place = {key: index for index, key in enumerate(keys)}
    mode = np.array([text.decode() for text in attributes["nodes_modes"]])
    leaf = mode == "LEAF"

    def children(name: str) -> np.ndarray:
        ids = attributes[name]
        return np.array([-1 if leaf[at] else place[tree, ids[at]] for at, (tree, _) in enumerate(keys)])

    return Trees(
        roots=[at for at, (tree, _) in enumerate(keys) if at == 0 or tree != keys[at - 1][0]],
        mode=mode,
        feature=np.array(attributes["nodes_featureids"]),
        threshold=np.array(attributes["nodes_values"], np.float32),
        missing_is_true=np.array(attributes.get("nodes_missing_value_tracks_true") or np.zeros(len(keys)), bool),
        left=children("nodes_truenodeids"),
        right=children("nodes_falsenodeids"),
    )


def count_covers(trees: Trees, values: np.ndarray) -> np.ndarray:
    """Rows of `values` (float32) that come to each node. A leaf that none comes to counts as one: it can still be a row's own."""
    columns = np.asfortranarray(values)
    covers = np.zeros(len(trees.mode), np.int64)

    def count(node: int, rows: np.ndarray) -> int:
        if trees.left[node] < 0:
            covers[node] = max(1, len(rows))
        else:
            is_true = branch(trees, node, columns[rows, trees.feature[node]])
            covers[node] = count(trees.left[node], rows[is_true]) + count(trees.right[node], rows[~is_true])
        return covers[node]

    for root in trees.roots:
        count(root, np.arange(len(values)))
    return covers


def branch(trees: Trees, node: int, column: np.ndarray) -> np.ndarray:
    threshold = trees.threshold[node]
    compare = {
        "BRANCH_LEQ": np.less_equal,
        "BRANCH_LT": np.less,
        "BRANCH_GTE": np.greater_equal,
        "BRANCH_GT": np.greater,
    }.get(trees.mode[node])
    if compare is None:
        raise UnsuitableModel(f"nodes of mode {trees.mode[node]} cannot be counted")
    return compare(column, threshold) | (np.isnan(column) & trees.missing_is_true[node])


if __name__ == "__main__":
    sys.exit(main())
