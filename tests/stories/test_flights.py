"""The flights example end to end: four runs, and what the store holds afterwards."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata.diagnoses import CATALOGUE
from mlflow_errata.tracking import search

pytestmark = pytest.mark.timeout(600)
EXAMPLE = Path(__file__).parents[2] / "examples" / "flights.py"


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """The store after the story, and what the story printed."""
    folder = tmp_path_factory.mktemp("flights")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    command = [sys.executable, str(EXAMPLE), "--tracking-uri", uri, "--artifacts", str(folder / "artifacts")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    experiment = next(item for item in search.experiments(uri) if item.name == "flights")
    runs = {row.name: row for row in search.runs(experiment.id, tracking_uri=uri)}
    return uri, runs, done.stdout


def test_four_runs_with_a_verdict_of_every_diagnosis(story):
    _, runs, _ = story
    assert sorted(runs) == ["1 buggy labels", "2 relabelled", "3 threshold", "4 recent months"]
    for row in runs.values():
        assert set(row.verdicts) == set(CATALOGUE) - {"objectives"}  # one score has nothing to be weighed against
        assert row.failed is None


def test_the_buggy_run_names_the_missing_delays(story):
    uri, runs, _ = story
    record = search.load(runs["1 buggy labels"].run_id, tracking_uri=uri)
    first = record.results["slice_errors"].slices[:3]
    assert ("arr_delay is missing",) in [item.conditions for item in first]
    assert record.next_steps[0].kind == "relabel"
    assert record.next_steps[0].params["slice"] == ["arr_delay is missing"]


def test_the_first_labels_to_check_are_wrong(story):
    """499 labels of the second half-year were computed from a missing delay; all of them come first."""
    uri, runs, _ = story
    record = search.load(runs["1 buggy labels"].run_id, tracking_uri=uri)
    rows = pd.read_parquet(EXAMPLE.parent / "data" / "flights" / "flights.parquet")
    wrong = rows.index[rows["arr_delay"].isna()]
    first = record.results["label_issues"].ranking["id"].head(500)
    assert first.isin(wrong).mean() >= 0.9
    found = errata.audited(record, {row: "accept" if row in wrong else "keep" for row in errata.audit(record)["id"]})
    assert found.results["label_issues"].audit.strata[1].precision.low > 0.8
    assert found.next_steps[0].kind == "relabel"
    right = search.load(runs["2 relabelled"].run_id, tracking_uri=uri)
    assert not right.results["label_issues"].found
    assert "relabel" not in [
        step.kind for step in right.next_steps
    ]  # where the delay is missing all are 1: set, not computed


def test_the_slice_is_found_and_not_named_in_the_code():
    code = EXAMPLE.read_text()
    assert "slice_by" not in code
    assert "is missing" not in code


def test_the_model_gets_worse_over_the_autumn(story):
    uri, runs, _ = story
    drift = search.load(runs["1 buggy labels"].run_id, tracking_uri=uri).results["recency_drift"]
    assert drift.found
    by_month = {window.start.month: window.metric.value for window in drift.windows if window.support > 1000}
    assert by_month[7] > by_month[11]
    september = next(window for window in drift.windows if window.start.month == 9)
    assert september.score_rate.low > september.label_rate.high


def test_september_is_over_predicted_and_the_outage_is_dated(story):
    uri, runs, _ = story
    results = search.load(runs["2 relabelled"].run_id, tracking_uri=uri).results
    september = next(window for window in results["calibration"].windows if window.start.month == 9)
    assert september.gap.high < -0.04
    dark = {fault.column: (fault.code, fault.start, fault.end) for fault in results["data_faults"].faults}
    assert dark["temp"] == ("ERR108", datetime(2013, 12, 31), datetime(2014, 1, 1, 4))


def test_the_same_rows_carry_the_same_digest(story):
    _, runs, _ = story
    assert runs["2 relabelled"].digest == runs["3 threshold"].digest != runs["4 recent months"].digest


def test_what_each_step_really_pays(story):
    """Relabelling and the threshold pay; forgetting all but the last three months does not."""
    *_, told = story
    found = re.findall(r"^(\d .+): average precision ([\d.]+), cost (\d+)", told, flags=re.MULTILINE)
    precision = {name: float(value) for name, value, _ in found}
    cost = {name: float(value) for name, _, value in found}
    assert precision["2 relabelled"] > precision["1 buggy labels"] + 0.02
    assert precision["4 recent months"] < precision["2 relabelled"] - 0.02
    assert cost["3 threshold"] < cost["2 relabelled"] < cost["1 buggy labels"]
    assert cost["4 recent months"] > cost["3 threshold"]
