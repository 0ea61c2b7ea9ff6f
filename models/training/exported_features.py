"""Reads what `sluice export` writes: the features as the engine computed them, never recomputed."""

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

FIXED_COLUMNS = ("transaction_id", "event_time_ms", "label", "fraud_type")


class ExportError(Exception):
    """A file that is not a feature export, or not one of this catalogue."""


@dataclass(frozen=True)
class ExportedFeatures:
    """Payments in the engine's order. `values` is float32, one column a feature: exactly what the model is fed."""

    name: str
    sha256: str
    # Of the ledger the export was made from.
    ledger_sha256: str
    catalogue_sha256: str
    names: list[str]
    transaction_id: np.ndarray
    values: np.ndarray
    is_fraud: np.ndarray
    fraud_type: np.ndarray
    event_time_ms: np.ndarray
    amount_minor: np.ndarray

    def __len__(self) -> int:
        return len(self.is_fraud)

    def select(self, rows: np.ndarray) -> "ExportedFeatures":
        return ExportedFeatures(
            self.name,
            self.sha256,
            self.ledger_sha256,
            self.catalogue_sha256,
            self.names,
            self.transaction_id[rows],
            self.values[rows],
            self.is_fraud[rows],
            self.fraud_type[rows],
            self.event_time_ms[rows],
            self.amount_minor[rows],
        )


def read_export(path: Path) -> ExportedFeatures:
    """Raises ExportError when the first line is not the export's header or a column is missing."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        first = file.readline()
        columns = file.readline().rstrip("\n").split(",")
    if not first.startswith("# {"):
        raise ExportError(f"{path.name}: the first line is not a feature export's header; write it with `sluice export`")
    header = json.loads(first[2:])
    catalogue_sha256 = header.get("catalogueSha256")
    if not isinstance(catalogue_sha256, str):
        raise ExportError(f"{path.name}: the header has no catalogueSha256")
    missing = [name for name in FIXED_COLUMNS if name not in columns]
    if missing:
        raise ExportError(f"{path.name}: no column {', '.join(missing)}")
    names = [name for name in columns if name not in FIXED_COLUMNS]
    types = {"transaction_id": str, "event_time_ms": np.int64, "label": str, "fraud_type": str}
    frame = pd.read_csv(path, skiprows=1, dtype=types | dict.fromkeys(names, np.float32), keep_default_na=True)
    label = frame["label"].fillna("").to_numpy(dtype=str)
    amount = frame["amount"].to_numpy(np.float64) if "amount" in names else np.zeros(len(frame))
    return ExportedFeatures(
        name=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        ledger_sha256=str(header.get("ledgerSha256", "")),
        catalogue_sha256=catalogue_sha256,
        names=names,
        transaction_id=frame["transaction_id"].to_numpy(dtype=object),
        values=np.ascontiguousarray(frame[names].to_numpy(np.float32)),
        is_fraud=np.isin(label, ("fraud", "1")),
        fraud_type=frame["fraud_type"].fillna("").to_numpy(dtype=str),
        event_time_ms=frame["event_time_ms"].to_numpy(),
        amount_minor=amount,
    )


def concatenate(parts: list[ExportedFeatures]) -> ExportedFeatures:
    """One after another. Raises ExportError when they are not of the same catalogue."""
    first = parts[0]
    for part in parts[1:]:
        if part.catalogue_sha256 != first.catalogue_sha256 or part.names != first.names:
            raise ExportError(f"{part.name} and {first.name} were exported with different feature catalogues")
    return ExportedFeatures(
        "+".join(part.name for part in parts),
        hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest(),
        first.ledger_sha256,
        first.catalogue_sha256,
        first.names,
        np.concatenate([part.transaction_id for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.is_fraud for part in parts]),
        np.concatenate([part.fraud_type for part in parts]),
        np.concatenate([part.event_time_ms for part in parts]),
        np.concatenate([part.amount_minor for part in parts]),
    )
