"""One frame in, one record out: the whole, whatever the rows look like."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata.diagnoses import CATALOGUE
from mlflow_errata.errors import NumberRefused


@pytest.fixture(scope="module")
def frame():
    draw = np.random.default_rng(0)
    n = 4000
    region = draw.choice(["north", "south", "east"], n, p=[0.7, 0.2, 0.1])
    score = draw.random(n)
    y = (draw.random(n) < np.where(region == "east", 1 - score, score)).astype(int)
    return pd.DataFrame(
        {
            "y": y,
            "score": score,
            "region": region,
            "x": draw.normal(size=n),
            "at": pd.date_range("2024", periods=n, freq="h"),
        }
    )


@pytest.fixture(scope="module")
def record(frame):
    return errata.diagnose(frame, label="y", scores="score", time="at")


def test_every_diagnosis_stands_in_the_record_once(record):
    assert set(record.results) | set(record.not_applicable) == set(CATALOGUE)
    assert not set(record.results) & set(record.not_applicable)


def test_what_was_inferred_is_said(record):
    assert (record.summary.task, record.summary.task_inferred) == ("binary", True)
    assert (record.summary.metric, record.summary.metric_inferred) == ("roc_auc", True)


def test_the_planted_slice_is_named_and_answered(record):
    assert record.results["slice_errors"].slices[0].conditions == ("region == 'east'",)
    assert "collect_data" in [step.kind for step in record.next_steps]


def test_gains_are_not_invented(record):
    assert all(step.gain is None for step in record.next_steps)
    assert {step.gain_reason for step in record.next_steps} == {"not tried: the training rows are not given (train=)"}
    assert record.plan == ()


def test_nothing_found_says_stop():
    draw = np.random.default_rng(1)
    rows = pd.DataFrame({"y": draw.integers(0, 2, 2000), "x": draw.normal(size=2000)})
    rows["p"] = np.where(draw.random(2000) < 0.9, rows["y"], 1 - rows["y"])
    record = errata.diagnose(rows, label="y", prediction="p")
    assert [(step.kind, step.gain, step.gain_reason) for step in record.next_steps] == [
        ("stop", None, "nothing found to try")
    ]


def test_without_a_time_column_the_reason_is_given(frame):
    record = errata.diagnose(frame.drop(columns="at"), label="y", scores="score")
    assert "time" in record.not_applicable["recency_drift"]


def test_the_order_of_rows_and_columns_changes_nothing(frame, record):
    shuffled = frame.sample(frac=1, random_state=5)[["x", "at", "score", "region", "y"]]
    again = errata.diagnose(shuffled, label="y", scores="score", time="at")
    assert again.dataset.digest == record.dataset.digest
    assert again.results == record.results
    assert again.next_steps == record.next_steps


@pytest.mark.parametrize("budget", [-1, None, "60", np.inf, np.nan])
def test_a_budget_that_is_no_time_is_refused(frame, budget):
    with pytest.raises(NumberRefused, match="not a number of seconds"):
        errata.diagnose(frame, label="y", scores="score", budget=budget)


@pytest.mark.parametrize("state", [None, -1, 2**32, 1.5, "a", np.random.RandomState(0)])
def test_a_random_state_that_a_record_cannot_store_is_refused(frame, state):
    with pytest.raises(NumberRefused, match=r"random_state=.* is not a whole number from 0 up"):
        errata.diagnose(frame, label="y", scores="score", random_state=state, budget=0)


def test_numbers_of_numpy_are_numbers(frame, tmp_path):
    record = errata.diagnose(
        frame,
        label="y",
        scores="score",
        time="at",
        random_state=np.int64(3),
        budget=np.float32(0),
        permutations=np.int64(19),
        windows=np.int64(5),
    )
    assert errata.Record.open(record.save(tmp_path / "record")).summary.random_state == 3


def test_the_rows_of_a_record_can_be_diagnosed_and_saved(record, tmp_path):
    """Their columns have the names of those that a record adds."""
    again = errata.diagnose(record.rows, label="errata.label", prediction="errata.prediction", budget=0)
    assert errata.Record.open(again.save(tmp_path / "again")).summary == again.summary


def test_small_and_odd_frames_do_not_break():
    tiny = pd.DataFrame({"y": [0, 1], "p": [0, 1]})
    one = tiny.head(1)
    no_columns = pd.DataFrame({"y": [0, 1] * 50, "p": [0, 1] * 50})
    constant = pd.DataFrame({"y": [1] * 100, "p": [1] * 100, "x": [3.0] * 100})
    for rows in (tiny, one, no_columns, constant):
        record = errata.diagnose(rows, label="y", prediction="p")
        assert set(record.results) | set(record.not_applicable) == set(CATALOGUE)
        assert [step.kind for step in record.next_steps] == ["stop"]


def test_regression_and_many_classes(frame):
    draw = np.random.default_rng(2)
    numbers = frame.assign(y=draw.normal(size=len(frame)))
    numbers["p"] = numbers["y"] + draw.normal(size=len(frame)) * np.where(numbers["region"] == "east", 3, 1)
    record = errata.diagnose(numbers.drop(columns="score"), label="y", prediction="p", time="at")
    assert record.summary.task == "regression"
    assert record.results["slice_errors"].slices[0].conditions == ("region == 'east'",)
    many = frame.assign(y=draw.integers(0, 30, len(frame)).astype(str))
    many["p"] = many["y"].where(draw.random(len(frame)) < 0.8, "0")
    record = errata.diagnose(many.drop(columns="score"), label="y", prediction="p", time="at")
    assert record.summary.task == "multiclass"
    assert len(record.results["class_imbalance"].classes) == 30


@pytest.mark.parametrize("permutations", [-1, 5, 19.5, "many"])
def test_too_few_permutations_are_refused(frame, permutations):
    with pytest.raises(NumberRefused, match="is not 0 or a whole number from 19 up"):
        errata.diagnose(frame, label="y", scores="score", permutations=permutations, budget=0)


def test_permutations_are_said(frame):
    result = errata.diagnose(frame, label="y", scores="score", time="at", permutations=39, budget=0).results
    assert (result["slice_errors"].n_permutations, result["slice_errors"].in_time) == (39, True)
    assert result["slice_errors"].slices[0].columns == ("region",)
