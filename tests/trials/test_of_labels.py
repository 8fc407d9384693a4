"""Several labels tried at once: thresholds by label, refits, sizes; what cannot be tried says why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multioutput import MultiOutputClassifier

import mlflow_errata as errata
from mlflow_errata.errors.stored import RecipeRefused
from mlflow_errata.steps import KINDS

FEATURES = ["a", "b"]
LABELS = ["often", "seldom", "late"]
MODEL = MultiOutputClassifier(LogisticRegression())


def rows(n, seed, *, start=0.0, turned=False):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 2))
    odds = {"often": 2 * x[:, 0] + 0.5, "seldom": 2 * x[:, 1] - 3, "late": (-3 if turned else 3) * x[:, 0]}
    found = pd.DataFrame(x, columns=FEATURES).assign(at=start + np.arange(n) / n)
    return found.assign(**{name: (draw.random(n) < 1 / (1 + np.exp(-odd))).astype(int) for name, odd in odds.items()})


def diagnosed(train, test, model=MODEL, **options):
    fitted = model.fit(train[FEATURES], train[LABELS])
    options = {"metric": "f1_macro", "budget": 60.0, "slice_by": ["a"], **options}
    return errata.diagnose(test, label=LABELS, model=fitted, train=train, features=FEATURES, **options)


def test_a_threshold_for_every_label_and_what_it_delivers():
    train, test, later = (rows(1500, seed) for seed in range(3))
    record = diagnosed(train, test)
    first = record.next_steps[0]
    assert (first.kind, first.params["method"]) == ("resample", "threshold")
    thresholds = first.params["thresholds"]
    assert list(thresholds) == LABELS
    assert thresholds["seldom"] < 0.45
    scores = np.column_stack([part[:, 1] for part in MODEL.predict_proba(later[FEATURES])])
    by_half, by_own = (
        f1_score(later[LABELS], scores >= cut, average="macro") for cut in (0.5, np.array(list(thresholds.values())))
    )
    assert first.gain.low - 0.03 < by_own - by_half < first.gain.high + 0.03
    assert "Decide every label by a threshold of its own" in str(record)
    changed = KINDS[first.kind].apply("the rows", **first.params)
    assert changed == "the rows"
    with pytest.raises(RecipeRefused, match="several labels"):
        errata.Recipe.of(record, first)


def test_labels_that_are_not_known_choose_and_judge_nothing():
    train, test = rows(1500, 0), rows(1500, 1)
    known = np.random.default_rng(0).random((1500, 3)) > 0.3
    test[LABELS] = test[LABELS].where(known)
    record = diagnosed(train, test)
    assert record.next_steps[0].params["thresholds"]["seldom"] < 0.45
    train[LABELS] = train[LABELS].where(known)
    model = MODEL.fit(train[FEATURES], train[LABELS].fillna(0).astype(int))
    record = errata.diagnose(
        test, label=LABELS, model=model, train=train, features=FEATURES, metric="f1_macro", slice_by=["a"]
    )
    assert record.next_steps[0].kind == "resample"  # needs no refit
    assert "labels that are not known" in record.trials.not_tried["refits"]


def test_labels_that_turned_ask_for_the_newest_rows():
    record = diagnosed(rows(300, 0), rows(1500, 1, start=1.0, turned=True), time="at", metric="hamming_loss")
    refit = next(step for step in record.trials.tried if step.kind == "retrain_recent" and not step.params)
    assert refit.gain.value > 0.05
    assert record.next_steps[0].kind == "retrain_recent"


def test_a_declared_value_chooses_thresholds_label_by_label():
    costs = {"tp": 0, "fp": -1, "fn": -9, "tn": 0}
    record = diagnosed(rows(1500, 0), rows(1500, 1), value=costs)
    first = record.next_steps[0]
    assert first.kind == "change_metric"
    assert all(cut < 0.3 for cut in first.params["thresholds"].values())
    assert first.gain_value.low > 0
    assert "Decide every label by the declared value" in str(record)


def test_sizes_are_tried_and_stop_can_win():
    forest = RandomForestClassifier(20, min_samples_leaf=20, random_state=0)
    record = diagnosed(rows(600, 0), rows(600, 1), forest, metric="average_precision_macro")
    assert {step.kind for step in record.trials.tried} == {"change_model"}
    assert "stop" in {step.kind for step in record.next_steps}


def test_a_record_with_a_plan_for_several_labels_is_stored(tmp_path):
    record = diagnosed(rows(1500, 0), rows(1500, 1))
    assert record.plan
    assert errata.Record.open(record.save(tmp_path / "record")) == record
    assert not (tmp_path / "record" / "recipe.json").exists()


def test_a_random_split_is_compared_with_one_in_time_and_by_groups():
    train, test = (rows(1500, seed, start=float(seed)).assign(who=np.arange(1500) % 150) for seed in range(2))
    record = diagnosed(train, test, time="at", group="who")
    for found in (record.trials.flattery, record.trials.group_flattery):
        assert abs(found.gap.value) < 0.15
        assert found.at_random.value > 0.5
        assert found.n_fitted == 1200
    assert not {"random_split", "group_split"} & set(record.trials.not_tried)
