"""The gain of relabelling: against what correcting the labels really gives, and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.tree import ExtraTreeClassifier

import mlflow_errata as errata
from mlflow_errata import EvaluationTable, _relabel_gain
from mlflow_errata.errors import NotRefitted, TrainColumnMissing
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
    chances = _relabel_gain._true_labels(flags, {-1: 1.0}, None, before)
    value, low, high = _relabel_gain._difference(outcomes, before, after, chances)
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


# -- training frames as they are --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def audit_of():
    """What an audit of one record says of some training frame and model."""
    train, rows, _, truth = planted(2, 0.25, n=1200)
    model = HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(train[list("abc")], train["y"])

    def told(frame, model=model, **roles):
        given = rows.assign(weight=1.0)
        record = errata.diagnose(given, label="y", model=model, id="row", metric="accuracy", budget=0, **roles)
        steps = errata.audited(
            record, lambda row: truth[row["id"]], evaluation=given, train=frame, model=model
        ).next_steps
        assert steps[0].kind == "relabel"
        return steps[0].gain

    return told, train.assign(weight=1.0)


def test_rows_without_a_known_label_change_nothing(audit_of):
    told, train = audit_of
    more = train.head(200).assign(y=["cancelled", None] * 100)
    plain = told(train)
    assert told(pd.concat([more, train, more])) == plain
    assert told(pl.from_pandas(train)) == plain
    assert told(train.assign(y=pd.Categorical(train["y"], ["cancelled", "no", "yes"]))) == plain


def test_weights_of_training_rows_count(audit_of):
    told, train = audit_of
    weighted = train.assign(weight=np.where(train["a"] > 0, 5.0, 0.1))
    assert told(weighted, weight="weight") != told(train, weight="weight")
    known = _relabel_gain.known_rows(
        EvaluationTable.build(train.assign(p=0.5), label="y", scores="p", features=["a", "b"], weight="weight"),
        weighted,
    )
    found = known.fitted(LogisticRegression(), known.y)
    wanted = LogisticRegression().fit(train[["a", "b"]], train["y"], sample_weight=weighted["weight"])
    np.testing.assert_allclose(found.coef_, wanted.coef_)


def test_an_open_seed_gives_the_same_gain(audit_of):
    told, train = audit_of
    model = ExtraTreeClassifier(min_samples_leaf=20).fit(train[list("abc")], train["y"])
    assert told(train, model) == told(train, model)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.assign(y="cancelled"), "no training row has a class of the evaluation rows"),
        (lambda rows: rows.assign(y="yes"), "the training rows are of one class"),
        (lambda rows: rows.groupby("y").head(4), "no class has 5 training rows"),
    ],
)
def test_frames_that_teach_nothing_are_refused(audit_of, change, said):
    with pytest.raises(NotRefitted, match=f"{said}. Pass training rows of the classes"):
        audit_of[0](change(audit_of[1]))


def test_a_class_of_few_rows_is_learned_where_it_stands(audit_of):
    told, train = audit_of
    assert told(pd.concat([train[train["y"] == "yes"].head(8), train[train["y"] == "no"]])) is not None


def test_a_class_that_the_model_alone_knows_has_its_place(audit_of):
    told, train = audit_of
    third = train.assign(y=train["y"].where(train["c"] < 1.5, "cancelled"))
    model = HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(third[list("abc")], third["y"])
    assert told(train, model) is not None


def test_a_frame_or_a_model_that_cannot_be_used_says_so(audit_of):
    told, train = audit_of
    with pytest.raises(TrainColumnMissing, match="train has no column 'a'"):
        told(train.drop(columns="a"))
    table = EvaluationTable.build(train.assign(p=0.5), label="y", scores="p", features=["a", "b"])
    known = _relabel_gain.known_rows(table, train)
    with pytest.raises(NotRefitted, match="Pass a model with predict_proba"):
        known.scores(known.fitted(LinearSVC(), known.y), np.arange(3))


# -- labels that were never observed ----------------------------------------------------------------------------------


def lost(seed, *, late, on_time, n=3000):
    """Shares of the late and of the other parcels whose delay is missing, so that they count as on time."""
    draw = np.random.default_rng(seed)
    rows = pd.DataFrame(draw.normal(size=(3 * n, 2)), columns=["a", "b"])
    truth = rows["a"] + 0.5 * rows["b"] + draw.normal(size=3 * n) * 0.5 > 0.4
    gone = draw.random(3 * n) < np.where(truth, late, on_time)
    rows["delay"] = np.where(gone, np.nan, np.where(truth, 30.0, 3.0) + draw.random(3 * n))
    rows["late"], rows["row"] = (rows["delay"] > 15).astype(int), np.arange(3 * n)
    return rows[:n], rows[n : 2 * n], rows[2 * n :], truth.astype(int)


@pytest.mark.parametrize(("late", "on_time"), [(0.5, 0.0), (0.5, 0.1), (0.3, 0.3)])
def test_the_gain_where_a_label_was_never_observed(late, on_time):
    train, rows, future, truth = lost(0, late=late, on_time=on_time)
    model = HistGradientBoostingClassifier(max_iter=30, random_state=0).fit(train[["a", "b"]], train["late"])
    record = errata.diagnose(rows, label="late", model=model, id="row", metric="accuracy", budget=0)
    step = errata.audited(record, lambda row: truth[row["id"]], evaluation=rows, train=train, model=model).next_steps[0]
    assert step.kind == "relabel"
    if on_time == late:  # two of five flags are errors, and nothing tells which
        assert step.gain is None
        assert step.gain_reason.startswith("not tried: no label in doubt is more likely wrong than right")
        return
    better = clone(model).fit(train[["a", "b"]], truth[train.index])
    real = better.score(future[["a", "b"]], truth[future.index]) - model.score(future[["a", "b"]], truth[future.index])
    assert real > 0.1
    assert step.gain.low < real < step.gain.high
    assert step.gain.low > 0
