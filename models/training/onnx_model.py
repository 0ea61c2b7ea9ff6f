"""The ONNX file: one input of 32-bit floats, one output of two probabilities, checked against LightGBM."""

import lightgbm as lgb
import numpy as np
import onnxruntime
from onnx import ModelProto, helper
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

INPUT = "features"
OUTPUT = "probabilities"
FRAUD_COLUMN = 1
OPSET = 15
MAX_DIFFERENCE = 1e-6
CHECKED_ROWS = 50_000


class ExportMismatch(Exception):
    """The ONNX model does not give LightGBM's probabilities."""


def to_onnx(booster: lgb.Booster) -> bytes:
    width = booster.num_feature()
    model: ModelProto = convert_lightgbm(
        booster, initial_types=[(INPUT, FloatTensorType([None, width]))], zipmap=False, target_opset=OPSET
    )
    for output in list(model.graph.output):
        if output.name != OUTPUT:
            model.graph.output.remove(output)
    # The converter stamps its own name and a random graph name; the same trees should give the same bytes.
    model.graph.name = "sluice"
    model.producer_name = "onnxmltools"
    model.doc_string = ""
    del model.metadata_props[:]
    helper.set_model_props(model, {})
    return model.SerializeToString(deterministic=True)


def largest_difference(booster: lgb.Booster, model: bytes, values: np.ndarray) -> float:
    """Over up to CHECKED_ROWS rows spread over `values`, and as many with values knocked out. Raises ExportMismatch."""
    rows = values[np.linspace(0, len(values) - 1, min(CHECKED_ROWS, len(values))).astype(int)]
    holes = rows.copy()
    holes[np.random.default_rng(11).random(holes.shape) < 0.2] = np.nan
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    difference = 0.0
    for sample in (rows, holes):
        expected = booster.predict(sample)
        got = session.run([OUTPUT], {INPUT: sample})[0][:, FRAUD_COLUMN]
        difference = max(difference, float(np.abs(got - expected).max()))
    if difference > MAX_DIFFERENCE:
        raise ExportMismatch(f"ONNX and LightGBM differ by {difference:.3g}, more than {MAX_DIFFERENCE:.0e}")
    return difference
