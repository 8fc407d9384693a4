"""Rows without a label yet: expectations that a reader can add up, planted shifts, and what cannot be seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax
from scipy.stats import entropy
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import recency_drift
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.diagnoses._unlabelled import chances, expected
from mlflow_errata.metric import CATALOGUE, Outcomes, resolve_metric

N = 4_000


def scored(seed=0, n=200):
    draw = np.random.default_rng(seed)
    p = draw.random(n).round(2)
    return Outcomes("binary", (0, 1), np.zeros(n), (p >= 0.5).astype(int), np.column_stack([1 - p, p]), None)


def test_expected_accuracy_is_the_mean_chance_of_the_decision():
    outcomes = scored()
    told = CATALOGUE["accuracy"].metric.compute(expected(outcomes, outcomes.scores))
    assert told == pytest.approx(outcomes.scores.max(axis=1).mean(), abs=1e-9)


def test_expected_log_loss_of_true_scores_is_their_entropy():
    outcomes = scored()
    outcomes = replace(outcomes, scores=np.clip(outcomes.scores, 0.01, 0.99))
    told = CATALOGUE["log_loss"].metric.compute(expected(outcomes, outcomes.scores))
    assert told == pytest.approx(entropy(outcomes.scores, axis=1).mean(), abs=1e-9)


def test_expected_area_against_scikit_learn():
    outcomes = scored()
    p = outcomes.scores[:, 1]
    wanted = roc_auc_score(np.r_[np.ones(200), np.zeros(200)], np.r_[p, p], sample_weight=np.r_[p, 1 - p])
    assert CATALOGUE["roc_auc"].metric.compute(expected(outcomes, outcomes.scores)) == pytest.approx(wanted, abs=1e-9)


def test_chances_of_many_classes_add_up_and_put_scores_right():
    draw = np.random.default_rng(0)
    true = softmax(draw.normal(size=(20_000, 3)), axis=1)
    y = (true.cumsum(axis=1) > draw.random((20_000, 1))).argmax(axis=1)
    said = softmax(3 * np.log(true), axis=1)
    labelled = Outcomes("multiclass", ("a", "b", "c"), y, said.argmax(axis=1), said, None)
    found = chances(labelled, said)
    assert found.sum(axis=1) == pytest.approx(1)
    told = CATALOGUE["accuracy"].metric.compute(expected(labelled, found))
    assert told == pytest.approx(accuracy_score(y, said.argmax(axis=1)), abs=0.02)


def planted(*, timid=1.0, narrow=1.0, turned=False, seed=0):
    """A year of rows of which the newest quarter has no label yet; and the labels that will come."""
    draw = np.random.default_rng(seed)
    newer = np.arange(N) >= 0.75 * N
    logit = draw.normal(size=N) * np.where(newer, 2 * narrow, 2)
    true = np.where(newer & turned, 0.3 * logit, logit)
    y = (draw.random(N) < expit(true)).astype(float)
    at = pd.date_range("2024-01-01", periods=N, freq="2h")
    frame = pd.DataFrame({"x": draw.normal(size=N), "s": expit(timid * logit), "at": at, "y": y})
    late = frame[newer].copy()
    frame.loc[newer & (draw.random(N) < 0.8), "y"] = np.nan
    return frame, late[frame["y"][newer].isna()]


def diagnose(frame, metric="roc_auc", **roles):
    table = EvaluationTable.build(frame, **{"label": "y", "scores": "s", "time": "at", **roles})
    return recency_drift.diagnose(table, Options(resolve_metric(metric, table.outcomes)))


@pytest.mark.parametrize("timid", [1.0, 0.4])
@pytest.mark.parametrize(
    ("metric", "truth"),
    [
        ("roc_auc", lambda rows: roc_auc_score(rows["y"], rows["s"])),
        ("accuracy", lambda rows: accuracy_score(rows["y"], rows["s"] >= 0.5)),
        ("log_loss", lambda rows: log_loss(rows["y"], rows["s"])),
    ],
)
def test_a_covariate_shift_is_foreseen_whether_or_not_scores_are_true(metric, truth, timid):
    frame, late = planted(narrow=0.3, timid=timid)
    told = diagnose(frame, metric).expected
    assert told.support == len(late)
    assert told.metric.low - 0.03 < truth(late) < told.metric.high + 0.03
    assert abs(told.metric.value - told.labelled.value) > 0.03


def test_concept_drift_is_not_seen():
    frame, late = planted(turned=True)
    told = diagnose(frame[frame["y"].notna() | (frame.index >= 0.75 * N)]).expected
    assert told.metric.value > roc_auc_score(late["y"], late["s"]) + 0.05


def test_other_diagnoses_see_labelled_rows_only():
    frame, _ = planted()
    known = frame[frame["y"].notna()]
    with_gaps, without = (EvaluationTable.build(each, label="y", scores="s", time="at") for each in (frame, known))
    assert with_gaps.digest == without.digest
    assert len(with_gaps.unlabelled) == with_gaps.n_unlabelled == len(frame) - len(known)
    pd.testing.assert_frame_equal(with_gaps.frame, without.frame)
    result = diagnose(frame)
    assert replace(result, expected=None) == diagnose(known)


def test_rows_in_another_order_give_the_same():
    frame, _ = planted()
    assert diagnose(frame.sample(frac=1, random_state=0)).expected == diagnose(frame).expected


def test_what_cannot_be_used_of_rows_without_a_label_is_left_out():
    frame, late = planted()
    frame.loc[late.index[:50], "s"] = np.nan
    frame.loc[late.index[50:70], "at"] = pd.NaT
    assert diagnose(frame).expected.support == len(late) - 70

    def model(rows):
        if rows["x"].isna().any():
            raise ValueError
        return expit(rows[["x", "x"]].to_numpy() * [-1, 1])

    frame.loc[late.index[0], "x"] = np.nan
    table = EvaluationTable.build(frame, label="y", model=model, features=["x"], time="at")
    assert table.unlabelled is None


def test_few_rows_decisions_or_old_rows_give_no_expectation():
    frame, late = planted()
    assert diagnose(frame.drop(late.index[99:])).expected is None
    said = frame.assign(p=(frame["s"] > 0.5).astype(int))
    assert diagnose(said, "accuracy", scores=None, prediction="p").expected is None
    frame.loc[late.index, "at"] = frame["at"].min()
    assert diagnose(frame).expected is None
