"""The runs of an experiment in words and pictures: hand-made rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mlflow_errata.blocks import Chart
from mlflow_errata.sections import REGISTRY, history
from mlflow_errata.tracking.search import RunRow, RunVerdict


@pytest.fixture
def row():
    return RunRow(
        run_id="r",
        name="one",
        experiment_id="1",
        status="FINISHED",
        started=datetime(2026, 1, 1, tzinfo=UTC),
        digest="a" * 64,
        metric="roc_auc",
        value=0.8,
        low=0.7,
        high=0.9,
    )


def cell(row, diagnosis):
    table = history.section([row])[-1]
    titles = [column.title for column in table.columns]
    return table.rows[0][titles.index(REGISTRY[diagnosis].TITLE)]


@pytest.mark.parametrize(
    ("diagnosis", "said", "told"),
    [
        ("slice_errors", RunVerdict(True, "bad", 0.364, 0.3, 0.4, "error rate"), "▲ found · error rate 36.4 %"),
        ("label_issues", RunVerdict(False, "unsure", 0.242, 0.0, 0.3, "share of labels"), "◆ cannot tell"),
        ("recency_drift", RunVerdict(False, "good", 0.019, -0.1, 0.1, "roc_auc"), "● not found · ROC AUC +0.0190"),
        ("data_faults", RunVerdict(False, "good"), "● not found"),
        ("data_faults", RunVerdict(True), "▲ found"),
        ("data_faults", RunVerdict(False, "<b>"), "● not found"),
    ],
)
def test_a_verdict_says_its_status_and_the_unit_of_its_figure(row, diagnosis, said, told):
    assert cell(replace(row, verdicts={diagnosis: said}), diagnosis) == told
    assert cell(row, diagnosis) == "not made"


@pytest.mark.parametrize(("n", "n_looks"), [(1, 1), (6, 6), (9, 7)])
def test_no_two_test_sets_look_alike_in_any_chart(row, n, n_looks):
    rows = [
        replace(row, run_id=f"{at}{metric}", name=f"{at}{metric}", digest=f"{at}" * 64, metric=metric)
        for at in range(n)
        for metric in ("roc_auc", "log_loss")
    ]
    looks = []
    for chart in (block for block in history.section(rows) if isinstance(block, Chart)):
        points = next(layer for layer in chart.spec["layer"] if "shape" in layer.get("encoding", {}))["encoding"]
        colour, shape = points["color"]["scale"], points["shape"]["scale"]
        looks.append(dict(zip(colour["domain"], zip(colour["range"], shape["range"], strict=True), strict=True)))
    assert looks[0] == looks[1]
    assert len(set(looks[0].values())) == len(looks[0]) == n_looks
    assert ("other test sets" in looks[0]) == (n > n_looks)
