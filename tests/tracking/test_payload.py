"""What goes to MLflow beside the files, without any MLflow."""

from __future__ import annotations

import json
from math import isfinite

import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata.sections import verdicts
from mlflow_errata.tracking.payload import LONGEST_TAG, MOST_METRICS, payload


def test_metrics_are_few_finite_and_stable(record):
    sent = payload(record, "test")
    assert set(sent.metrics) == {
        "errata/slice_errors",
        "errata/label_issues",
        "errata/class_imbalance",
        "errata/calibration",
        "errata/recency_drift",
        "errata/found",
    }
    assert len(sent.metrics) <= MOST_METRICS
    assert all(isfinite(value) for value in sent.metrics.values())


def test_tags_are_short_and_the_summary_is_json(record):
    tags = payload(record, "test").tags
    assert all(len(value) <= LONGEST_TAG for value in tags.values())
    summary = json.loads(tags["errata.summary"])
    assert summary["metric"] == "roc_auc"
    said = {name: item["status"] for name, item in summary["verdicts"].items()}
    assert said == {name: verdict.status for name, verdict in verdicts(record).items() if name in record.results}
    assert said["label_issues"] == "unsure"
    assert tags["errata.next_step"] == record.next_steps[0].kind


@pytest.mark.parametrize(
    ("name", "folder"),
    [("test", "test"), ("held out/2024", "held_out_2024"), ("../..", "evaluation"), ("", "evaluation")],
)
def test_folders_are_safe_whatever_the_dataset_is_called(record, name, folder):
    assert payload(record, name).folder == f"errata/{folder}-{record.dataset.digest[:8]}"


def test_long_names_do_not_break_the_summary():
    long = "x" * 5000
    rows = pd.DataFrame({"y": [0, 1] * 200, long: [0, 1] * 200})
    sent = payload(errata.diagnose(rows, label="y", prediction=long), "d")
    assert json.loads(sent.tags["errata.summary"])["task"] == "binary"
