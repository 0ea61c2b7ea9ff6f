"""Which payments are learned from, which set the scale and which are reported on: by time, as in life."""

import argparse
import datetime

import numpy as np

TRAIN_SHARE = 0.65
VALIDATION_SHARE = 0.15


def add_split_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--learn-before", type=day_ms, help="first day that is not learned from, YYYY-MM-DD")
    parser.add_argument("--test-from", type=day_ms, help="first day that is reported on, YYYY-MM-DD")


def day_ms(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp() * 1000)


def split(export, learn_before_ms: int | None, test_from_ms: int | None):
    """Train, validation and test: payments of the same moment stay on one side."""
    time = export.event_time_ms
    if learn_before_ms is None:
        order = np.sort(time)
        learn_before_ms = test_from_ms = order[int(len(order) * (TRAIN_SHARE + VALIDATION_SHARE))]
    learned = np.sort(time[time < learn_before_ms])
    first = learned[int(len(learned) * TRAIN_SHARE / (TRAIN_SHARE + VALIDATION_SHARE))]
    return (
        export.select(time < first),
        export.select((time >= first) & (time < learn_before_ms)),
        export.select(time >= test_from_ms),
    )
