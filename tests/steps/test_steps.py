"""Steps: proposed from results, applied to training sets without fitting anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE

import mlflow_errata as errata
from mlflow_errata.errors import IdsNotFound, TimesDiffer, ValuesRefused
from mlflow_errata.steps import KINDS, change_model, collect_data, relabel, resample, retrain_recent, stop
from mlflow_errata.training import TrainingSet


@pytest.fixture
def train():
    n = 100
    return TrainingSet(
        X=pd.DataFrame({"x": np.arange(n)}),
        y=pd.Series(["rare"] * 10 + ["common"] * 90),
        time=np.arange(n, dtype=float),
        id=np.arange(1000, 1000 + n),
    )


def test_relabel_changes_exactly_the_named_rows(train):
    with pytest.warns(IdsNotFound, match="1 of 3 decided ids are not in the training set and change nothing: 7"):
        changed = relabel.apply(train, decisions={1000: "common", 1050: "rare", 7: "rare"})
    assert list(np.flatnonzero(changed.y != train.y)) == [0, 50]
    assert (changed.y.iloc[0], changed.y.iloc[50]) == ("common", "rare")
    assert train.y.iloc[0] == "rare"


def test_relabel_takes_pairs_drops_rows_and_changes_nothing_before_it_was_checked(train):
    changed = relabel.apply(train, decisions=[[1000, "common"], [1099, None]])
    assert list(changed.id) == list(range(1000, 1099))
    assert changed.y.iloc[0] == "common"
    assert len(train.y) == 100
    assert relabel.apply(train, audit=40, slice=["x is missing"]) is train
    assert relabel.apply(train, decisions={}) is train


@pytest.mark.parametrize("ids", [np.array([f"row {i}" for i in range(100)], dtype=object), None, np.arange(100) / 2])
def test_relabel_names_rows_by_id_whatever_their_order(train, ids):
    draw = np.random.default_rng(0)
    mixed = replace(train, id=ids)
    names = np.asarray(mixed.y.index if ids is None else ids)
    decisions = {names[at].item() if ids is None else names[at]: "rare" for at in draw.permutation(100)[:30]}
    for _ in range(200):
        order = draw.permutation(100)
        before = mixed.take(order)
        after = relabel.apply(before, decisions=decisions)
        own = np.asarray(before.y.index if ids is None else before.id)
        np.testing.assert_array_equal(
            (after.y != before.y), [row in decisions and y != "rare" for row, y in zip(own, before.y, strict=True)]
        )


def test_class_weights_balance(train):
    changed = resample.apply(train, method="class_weight")
    sums = pd.Series(changed.weight).groupby(train.y.to_numpy()).sum()
    assert sums["rare"] == pytest.approx(sums["common"])
    assert changed.weight.sum() == pytest.approx(len(train.y))


@pytest.mark.parametrize(("method", "each"), [("over", 90), ("under", 10)])
def test_samplers_balance(train, method, each):
    changed = resample.apply(train, method=method)
    assert changed.y.value_counts().to_dict() == {"rare": each, "common": each}
    assert len(changed.X) == len(changed.id) == len(changed.time) == 2 * each
    again = resample.apply(train, method=method)
    np.testing.assert_array_equal(changed.id, again.id)


def test_recent_keeps_the_newest(train):
    assert retrain_recent.apply(train, since=60.0).time.min() == 60
    assert len(retrain_recent.apply(train).y) == 100


def test_what_changes_nothing(train):
    assert stop.apply(train) is train
    assert collect_data.apply(train, slice=["x >= 3"]) is train


def rows(n=6000, seed=0):
    draw = np.random.default_rng(seed)
    lab = draw.normal(size=n)
    lab[draw.random(n) < 0.06] = np.nan
    y = draw.integers(0, 2, n)
    wrong = draw.random(n) < np.where(np.isnan(lab), 0.6, 0.1)
    return pd.DataFrame({"y": y, "p": np.where(wrong, 1 - y, y), "lab": lab, "x": draw.normal(size=n)})


def test_missing_values_that_the_model_does_not_see_ask_for_an_audit_of_labels():
    record = errata.diagnose(rows(), label="y", prediction="p", features=["x"])
    step = record.next_steps[0]
    assert (step.kind, step.params) == ("relabel", {"slice": ["lab is missing"], "audit": 40})
    assert step.cost.labels == 40
    assert step.because == ("slice_errors",)


def written(*, bug, names=(0, 1), seed=0):
    """Flights: late if the delay is above 0; where it is missing all are disrupted, unless a comparison wrote that."""
    draw = np.random.default_rng(seed)
    n = 6000
    x = draw.normal(size=n)
    delay = x + draw.normal(size=n) - 1
    gone = draw.random(n) < 0.06
    y = np.where(gone, 0 if bug else 1, delay > 0).astype(int)
    p = 1 / (1 + np.exp(-1.7 * (x - 0.8)))
    return pd.DataFrame({"y": np.array(names)[y], "p": p, "delay": np.where(gone, np.nan, delay), "x": x})


@pytest.mark.parametrize(
    ("bug", "names", "asked"),
    [(True, (0, 1), True), (False, (0, 1), False), (True, (False, True), True), (False, (False, True), False)],
)
def test_labels_that_no_comparison_with_a_missing_value_can_have_written_are_not_in_doubt(bug, names, asked):
    record = errata.diagnose(written(bug=bug, names=names), label="y", scores="p", features=["x"], metric="accuracy")
    assert ("relabel" in [step.kind for step in record.next_steps]) is asked
    if not asked:
        assert any("delay is missing" in item.conditions for item in record.results["slice_errors"].slices)


def test_of_classes_with_names_no_one_knows_which_a_comparison_writes():
    record = errata.diagnose(
        written(bug=False, names=("good", "late")), label="y", scores="p", features=["x"], metric="accuracy"
    )
    assert record.next_steps[0].kind == "relabel"


@pytest.mark.parametrize("seed", range(5))
def test_labels_of_both_kinds_where_a_value_is_missing_stay_in_doubt(seed):
    """Slice noise: of the labels where the delay is missing, four of ten are turned."""
    rows = written(bug=False, seed=seed)
    draw, gone = np.random.default_rng(seed), rows["delay"].isna()
    turned = gone & (draw.random(len(rows)) < 0.4)
    rows["y"] = np.where(turned, 0, rows["y"])
    record = errata.diagnose(rows, label="y", scores="p", features=["x"], metric="accuracy")
    assert record.next_steps[0].kind == "relabel"


def test_a_slice_that_the_model_sees_asks_for_data():
    record = errata.diagnose(rows(), label="y", prediction="p")
    assert [(step.kind, step.params) for step in record.next_steps] == [("collect_data", {"slice": ["lab is missing"]})]


def test_a_rare_class_that_is_missed_asks_for_resampling():
    draw = np.random.default_rng(0)
    y = (draw.random(4000) < 0.06).astype(int)
    said = np.where((y == 1) & (draw.random(4000) < 0.7), 0, y)
    record = errata.diagnose(pd.DataFrame({"y": y, "p": said}), label="y", prediction="p")
    assert ("resample", {"method": "class_weight"}) in [(step.kind, step.params) for step in record.next_steps]


def test_newer_rows_that_are_worse_ask_for_retraining():
    draw = np.random.default_rng(0)
    n = 6000
    y = draw.integers(0, 2, n)
    wrong = draw.random(n) < np.where(np.arange(n) > 4000, 0.3, 0.1)
    frame = pd.DataFrame({"y": y, "p": np.where(wrong, 1 - y, y), "at": pd.date_range("2024", periods=n, freq="h")})
    record = errata.diagnose(frame, label="y", prediction="p", time="at")
    assert "retrain_recent" in [step.kind for step in record.next_steps]


def test_kinds_are_named_by_their_modules():
    assert all(kind == module.KIND for kind, module in KINDS.items())


def mixed(n=300):
    draw = np.random.default_rng(0)
    X = pd.DataFrame(  # noqa: N806 - scikit-learn's name
        {"x": draw.normal(size=n), "k": draw.integers(0, 9, n), "town": draw.choice(["Ulm", "Bern"], n), "note": "n"}
    )
    return TrainingSet(X=X, y=pd.Series(["rare"] * 30 + ["common"] * (n - 30)), time=np.arange(n, dtype=float))


def test_synthetic_rows_lie_between_those_of_their_class():
    train = mixed()
    changed = resample.apply(train, method="smote", columns=["x", "k", "town"])
    assert changed.y.value_counts().to_dict() == {"rare": 270, "common": 270}
    pd.testing.assert_frame_equal(changed.X[:300], train.X, check_dtype=False)
    new, rare = changed.X[300:], train.X[:30]
    assert set(changed.y[300:]) == {"rare"}
    assert new["x"].between(rare["x"].min(), rare["x"].max()).all()
    assert set(new["town"]) <= {"Ulm", "Bern"}
    assert new["k"].dtype == train.X["k"].dtype
    assert new["note"].isna().all()
    assert np.isnan(changed.time[300:]).all()


def test_synthetic_rows_are_those_of_imbalanced_learn():
    train = mixed()
    changed = resample.apply(train, method="smote", columns=["x"], random_state=3)
    X, y = SMOTE(random_state=3).fit_resample(train.X[["x"]], (train.y == "rare").astype(int))  # noqa: N806
    np.testing.assert_allclose(np.sort(changed.X["x"]), np.sort(X["x"]))
    assert (y == 1).sum() == (changed.y == "rare").sum()


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ([np.nan] + [1.0] * 299, "missing in 1 rows"),
        (pd.date_range("2024", periods=300), "times"),
        ([f"note {at}" for at in range(300)], "holds 300 values in 300 rows, as free text does"),
    ],
)
def test_columns_that_no_row_can_lie_between_are_refused(column, why):
    train = mixed()
    odd = replace(train, X=train.X.assign(odd=column))
    with pytest.raises(ValuesRefused, match=f"odd.*{why}"):
        resample.apply(odd, method="smote", columns=["x", "odd"])


@pytest.mark.parametrize("family", change_model.FAMILIES)
def test_other_families_read_free_text(family):
    """Rows of a class share words, and no two texts are alike."""
    draw = np.random.default_rng(0)
    words = np.array([f"w{at}" for at in range(200)])
    y = pd.Series(draw.integers(0, 2, 600))
    texts = [" ".join(draw.choice(words[100:] if positive else words[:140], 8)) for positive in y]
    X = pd.DataFrame({"x": draw.normal(size=600), "note": texts, "town": draw.choice(["Ulm", "Bern"], 600)})  # noqa: N806
    model = change_model.alter(None, X[:300], family=family).fit(X[:300], y[:300])
    assert (model.predict(X[300:]) == y[300:]).mean() > 0.8


def test_rows_whose_times_are_of_another_kind_do_not_follow(train):
    newer = replace(train, time=pd.date_range("2024", periods=len(train.y)).to_numpy())
    with pytest.raises(TimesDiffer, match="times are numbers in train and dates in the newer rows"):
        train.followed_by(newer)
