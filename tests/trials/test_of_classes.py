"""Several classes: decisions and weights for those that are rare, or by what decisions are worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, f1_score

import mlflow_errata as errata
from mlflow_errata.decision import ClassRule, DecidedClasses
from mlflow_errata.metric import resolve_metric
from mlflow_errata.sections import next_steps
from mlflow_errata.steps import change_model
from mlflow_errata.table import EvaluationTable
from mlflow_errata.trials.candidates import favours_the_rare
from mlflow_errata.trials.objective import objective_of_metric

FEATURES = list("abcd")
NAMES = ["b", "c", "common", "rare"]
WORTH = np.array([[0, -1, -2, -1], [-1, 0, -5, -1], [-1, -1, 0, -1], [-5, -5, -20, 0]], dtype=float)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(change_model, "FAMILIES", ("linear",))


def rows(n, seed):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 4))
    odds = 1.3 * np.column_stack([x[:, 0] - 1.5, 1.2 * x[:, 1] - 2.5, np.zeros(n), x[:, 2] + 0.5 * x[:, 0] - 3.2])
    y = (odds + draw.gumbel(size=odds.shape)).argmax(axis=1)
    return pd.DataFrame(x, columns=FEATURES).assign(y=np.array(NAMES)[y])


def worth(truth, said):
    place = {name: at for at, name in enumerate(NAMES)}
    return WORTH[[place[each] for each in truth], [place[each] for each in said]]


def diagnosed(**options):
    train, evaluation = rows(3000, 100), rows(3000, 200)
    model = LogisticRegression(max_iter=500).fit(train[FEATURES], train["y"])
    record = errata.diagnose(evaluation, label="y", model=model, features=FEATURES, train=train, **options)
    return model, train, record


SCORES = {
    "balanced_accuracy": balanced_accuracy_score,
    "f1_macro": lambda truth, said: f1_score(truth, said, average="macro"),
    "value": lambda truth, said: worth(truth, said).mean(),
}


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"metric": "balanced_accuracy"}, "resample"),
        ({"metric": "f1_macro"}, "resample"),
        ({"metric": "accuracy", "value": worth}, "change_metric"),
    ],
)
def test_weights_pay_where_rare_classes_count_and_recipes_deliver_them(options, kind):
    model, train, record = diagnosed(**options)
    assert record.next_steps[0].kind == kind
    score, later = SCORES["value" if "value" in options else options["metric"]], rows(40_000, 2)
    before, held, tried = score(later["y"], model.predict(later[FEATURES])), 0, 0
    for step in record.trials.tried:
        if step.kind not in {"resample", "change_metric"}:
            continue
        recipe = errata.Recipe.from_json(errata.Recipe.of(record, step).to_json())
        again = recipe.fit(model, train)
        gain = step.gain_value or step.gain
        held += gain.low <= score(later["y"], again.predict(later[FEATURES])) - before <= gain.high
        tried += 1
        shares = later["y"].value_counts(normalize=True).reindex(again.classes_).to_numpy()
        np.testing.assert_allclose(again.predict_proba(later[FEATURES]).mean(axis=0), shares, atol=0.02)
    assert tried == 4
    assert held >= 3


def test_inverse_and_root_weights_and_the_prior_are_all_tried():
    _, _, record = diagnosed(metric="balanced_accuracy")
    tried = [
        (step.params["method"], step.params.get("power")) for step in record.trials.tried if step.kind == "resample"
    ]
    assert sorted(tried, key=str) == [("class_weight", 0.5), ("class_weight", None), ("prior", None), ("prior", None)]
    assert "Weight the classes by the square root of their rarity in training" in str(list(next_steps.section(record)))


def test_the_value_of_every_decision_becomes_the_rule():
    _, _, record = diagnosed(metric="accuracy", value=worth)
    told = next(step for step in record.trials.tried if "worth" in step.params)
    assert told.params["worth"]["classes"] == NAMES
    np.testing.assert_allclose(np.array(told.params["worth"]["values"]), WORTH - np.diag(WORTH)[:, None])


def test_where_every_row_counts_alike_nothing_of_it_is_tried():
    _, _, record = diagnosed(metric="accuracy")
    assert not [step for step in record.trials.tried if step.kind == "resample"]
    assert record.next_steps[0].kind == "stop"


def test_a_value_that_depends_on_more_than_classes_is_no_rule():
    stakes = np.random.default_rng(0).uniform(1, 2, 3000)

    def by_row(truth, said):
        return np.where(np.asarray(truth) == np.asarray(said), 0.0, -stakes[: len(truth)])

    _, _, record = diagnosed(metric="accuracy", value=by_row, budget=60)
    assert "depends on more than the two classes" in record.trials.not_tried["change_metric: told"]


@pytest.mark.parametrize(
    ("metric", "favours"),
    [("accuracy", False), ("f1_micro", False), ("f1_macro", True), ("balanced_accuracy", True), ("f1_weighted", False)],
)
def test_which_metrics_favour_the_rare(metric, favours):
    evaluation = rows(2000, 1).assign(said=lambda frame: frame["y"])
    table = EvaluationTable.build(evaluation, label="y", prediction="said", features=FEATURES)
    assert (
        favours_the_rare(objective_of_metric(resolve_metric(metric, table.outcomes), table.outcomes), table) is favours
    )


def test_a_rule_by_hand():
    """0.6 and 0.4 of two classes, of which the second is worth twice as much; and shares that were halved."""
    rule = ClassRule(("a", "b"), worth=((1.0, 0.0), (0.0, 2.0)))
    np.testing.assert_array_equal(rule.decided(np.array([[0.6, 0.4], [0.7, 0.3]])), [1, 0])
    np.testing.assert_allclose(
        ClassRule(("a", "b"), shares=(1.0, 0.5)).shifted(np.array([[0.5, 0.5]])), [[2 / 3, 1 / 3]]
    )


def test_classes_that_the_estimator_does_not_know_are_never_decided_for():
    x = pd.DataFrame({"a": [0.0, 1.0, 0.0, 1.0]})
    fitted = LogisticRegression().fit(x, ["n", "y", "n", "y"])
    decided = DecidedClasses(fitted, ["n", "x", "y"], worth=np.diag([1.0, 9.0, 1.0]).tolist()).around(fitted)
    assert set(decided.predict(x)) == {"n", "y"}
    np.testing.assert_allclose(decided.predict_proba(x), fitted.predict_proba(x))
