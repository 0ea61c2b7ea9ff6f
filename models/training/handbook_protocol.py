"""
Measures a model on the Fraud Detection Handbook's payments as the book does, to compare with its published figures:

    python handbook_protocol.py --features handbook.csv.gz --payments transactions.csv.gz --model ../../config/handbook/model

Four weeks from 2018-08-08, each on its own. A customer whose fraud is known leaves the test: known is a fraud of the 14 days
before the week and of the week itself once 7 days have passed. Card precision at 100 is the share of customers with fraud
among the 100 with the highest probability of a day, averaged over the days; customers found leave the later days.
(https://fraud-detection-handbook.github.io, chapters 4 and 5)
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

from exported_features import read_export
from onnx_model import FRAUD_COLUMN, INPUT, OUTPUT

FIRST_TEST_DAY = pd.Timestamp("2018-08-08")
WEEKS = 4
WEEK = pd.Timedelta(days=7)
LABEL_DELAY = pd.Timedelta(days=7)
DAILY_CARDS = 100
FALSE_POSITIVES = 0.003
# AUC, average precision, card precision at 100 of the best row of the book; the last aim is the recall at FALSE_POSITIVES.
BEST_PUBLISHED = (0.879, 0.687, 0.305)
AIMED_AT = (0.885, 0.74, 0.31, 0.74)


def main() -> int:
    parser = argparse.ArgumentParser(description="The handbook's protocol and figures.")
    parser.add_argument("--features", type=Path, required=True, help="export of the imported payments")
    parser.add_argument("--payments", type=Path, required=True, help="the handbook's transactions.csv.gz")
    parser.add_argument("--model", type=Path, required=True, help="folder with model.onnx")
    options = parser.parse_args()
    payments = scored_payments(options.features, options.payments, options.model / "model.onnx")
    weeks = [week_figures(payments, FIRST_TEST_DAY + index * WEEK) for index in range(WEEKS)]
    print("| week from | payments | AUC | average precision | card precision at 100 | recall at 0.3% false positives |")
    print("|---|---|---|---|---|---|")
    for index, (rows, *figures) in enumerate(weeks):
        print(f"| {(FIRST_TEST_DAY + index * WEEK).date()} | {rows:,} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    means = np.mean([figures for _, *figures in weeks], axis=0)
    print("| mean | | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")
    print("| best published | | " + " | ".join(f"{figure:.3f}" for figure in BEST_PUBLISHED) + " | - |")
    print("| aimed at | | " + " | ".join(f"{figure:.3f}" for figure in AIMED_AT) + " |")
    names = ("AUC", "average precision", "card precision at 100", "recall at 0.3% false positives")
    missed = [f"{name} by {aim - mean:.3f}" for name, mean, aim in zip(names, means, AIMED_AT) if mean < aim]
    print("\nMissed: " + (", ".join(missed) if missed else "nothing") + ".")
    return 0


def scored_payments(features: Path, payments: Path, model: Path) -> pd.DataFrame:
    """Columns customer, time, fraud and probability, in order of time."""
    columns = ["TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TX_FRAUD"]
    frame = pd.read_csv(payments, usecols=columns, dtype={"TRANSACTION_ID": str}, parse_dates=["TX_DATETIME"])
    export = read_export(features)
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    probability = session.run([OUTPUT], {INPUT: export.values})[0][:, FRAUD_COLUMN]
    scores = pd.Series(probability, index=export.transaction_id)
    return pd.DataFrame(
        {
            "customer": frame["CUSTOMER_ID"],
            "time": frame["TX_DATETIME"],
            "fraud": frame["TX_FRAUD"] == 1,
            "probability": frame["TRANSACTION_ID"].map(scores),
        }
    ).dropna()


def week_figures(payments: pd.DataFrame, start: pd.Timestamp) -> tuple[int, float, float, float, float]:
    days = []
    for day in pd.date_range(start, periods=7):
        known = payments[
            payments["fraud"] & (payments["time"] >= start - WEEK - LABEL_DELAY) & (payments["time"] < day - LABEL_DELAY)
        ]
        of_day = payments[(payments["time"] >= day) & (payments["time"] < day + pd.Timedelta(days=1))]
        days.append(of_day[~of_day["customer"].isin(set(known["customer"]))])
    week = pd.concat(days)
    auc = roc_auc_score(week["fraud"], week["probability"])
    precision = average_precision_score(week["fraud"], week["probability"])
    return len(week), auc, precision, card_precision(days), recall(week)


def recall(week: pd.DataFrame) -> float:
    """Of the frauds, at the lowest threshold that at most FALSE_POSITIVES of the genuine payments pass."""
    genuine = np.sort(week.loc[~week["fraud"], "probability"].to_numpy())[::-1]
    threshold = genuine[int(len(genuine) * FALSE_POSITIVES)]
    return float((week.loc[week["fraud"], "probability"] > threshold).mean())


def card_precision(days: list[pd.DataFrame]) -> float:
    found: set = set()
    shares = []
    for day in days:
        cards = day.groupby("customer").agg(probability=("probability", "max"), fraud=("fraud", "max"))
        cards = cards[~cards.index.isin(found)].sort_values("probability", ascending=False, kind="stable")
        top = cards.head(DAILY_CARDS)
        shares.append(top["fraud"].sum() / DAILY_CARDS)
        found |= set(top.index[top["fraud"]])
    return float(np.mean(shares))


if __name__ == "__main__":
    sys.exit(main())
