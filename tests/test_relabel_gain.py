"""The gain of relabelling: against what correcting the labels really gives, and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

import mlflow_errata as errata
from mlflow_errata import EvaluationTable, _relabel_gain
from mlflow_errata.errors import NotRefitted
from mlflow_errata.stats.labels import chances_of_mean


def planted(seed, noise, n=3000):
    """Labels 'yes' and 'no' that a tree can learn, a share of which is flipped: (train, evaluation, future, truth)."""
    draw = np.random.default_rng(seed)
    rows = pd.DataFrame(draw.normal(size=(3 * n, 3)), columns=list("abc"))
    truth = np.where((rows["a"] > 0) ^ (rows["b"] > 0.5), "yes", "no")
    flipped = draw.random(3 * n) < noise
    rows["y"] = np.where(flipped, np.where(truth == "yes", "no", "yes"), truth)
    rows["row"] = np.arange(3 * n)
    return rows[:n], rows[n : 2 * n], rows[2 * n :].assign(y=truth[2 * n :]), pd.Series(truth)


@pytest.fixture(scope="module", params=[0.0, 0.25])
def case(request):
    train, rows, future, truth = planted(0, request.param)
    model = HistGradientBoostingClassifier(random_state=0).fit(train[list("abc")], train["y"])
    record = errata.diagnose(rows, label="y", model=model, id="row", metric="accuracy", budget=0)
    given = {"evaluation": rows, "train": train, "model": model}
    return request.param, errata.audited(record, lambda row: truth[row["id"]], **given), given, future, truth


def test_the_gain_is_near_what_correct_labels_give(case):
    noise, record, given, future, truth = case
    step = record.next_steps[0]
    if not noise:
        assert step.kind != "relabel"
        assert not record.results["label_issues"].found
        return
    assert step.kind == "relabel"
    train, table = given["train"], EvaluationTable.build(given["evaluation"], label="y", model=given["model"], id="row")
    known = _relabel_gain.known_rows(table, train)
    flags = _relabel_gain._training_flags(table, record.results["label_issues"], known, given["model"], 0).rows
    labels = train["y"].to_numpy().copy()
    labels[flags] = truth[train.index].to_numpy()[flags]
    better = clone(given["model"]).fit(train[list("abc")], labels)
    real = better.score(future[list("abc")], future["y"]) - given["model"].score(future[list("abc")], future["y"])
    assert real > 0.02
    assert step.gain.unit == "accuracy"
    assert step.gain.low > 0
    assert step.gain.low < real < step.gain.high + 0.01
    assert step.gain.value > real / 2
    assert step.gain_reason == ""


def test_noise_is_measured_away():
    """Rates of 30 %, known exactly: the corrected gain of a better model is that under the true labels."""
    draw = np.random.default_rng(0)
    n = 200_000
    truth = draw.integers(0, 2, n)
    given = np.where(draw.random(n) < 0.3, 1 - truth, truth)
    flags = _relabel_gain.Flags(given, np.full(n, -1), np.flatnonzero(given != truth), np.empty(0), np.empty(0))
    old, new = (np.where(draw.random(n) < right, truth, 1 - truth) for right in (0.8, 0.9))
    outcomes = _relabel_gain.CATALOGUE["accuracy"].metric
    from mlflow_errata.metric import Outcomes

    before, after = (Outcomes("binary", (0, 1), given, said, None, None) for said in (old, new))
    inverse = _relabel_gain._inverse_rates(flags, {-1: 1.0}, None, before)
    value, low, high = _relabel_gain._difference(outcomes, before, after, inverse)
    assert low < 0.1 < high
    assert value == pytest.approx(0.1, abs=0.01)


def test_chances_take_the_mean_of_the_audit():
    score = np.array([0.05, 0.3, 0.6, 0.9])
    for mean in (0.1, 0.5, 0.9):
        found = chances_of_mean(score, mean)
        assert found.mean() == pytest.approx(mean, abs=1e-6)
        assert (np.diff(found) > 0).all()


def test_a_model_that_cannot_be_cloned_is_refused():
    train, rows, _, truth = planted(1, 0.25)
    model = LogisticRegression().fit(train[list("abc")], train["y"])
    record = errata.diagnose(rows, label="y", model=model, id="row", budget=0)
    with pytest.raises(NotRefitted, match="the gain of relabelling is not known: TypeError"):
        errata.audited(
            record,
            lambda row: truth[row["id"]],
            evaluation=rows,
            train=train,
            model=model.predict_proba,
        )
