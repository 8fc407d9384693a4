"""Class imbalance on tables that a reader can count, and on planted and null data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from imblearn.metrics import sensitivity_score
from scipy.special import expit
from scipy.stats import entropy
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import class_imbalance
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import default_metric


def diagnose(labels, predictions, **columns):
    rows = pd.DataFrame({"y": list(labels), "p": list(predictions), **columns})
    table = EvaluationTable.build(rows, label="y", prediction="p", weight="w" if "w" in columns else None)
    return class_imbalance.diagnose(table, Options(default_metric(table.outcomes)))


def test_by_hand():
    """8 'a' all right, 2 'b' half right."""
    result = diagnose("aaaaaaaabb", "aaaaaaaaba")
    assert result.imbalance_ratio == 4
    assert [(c.label, c.support, c.share.value, c.recall.value) for c in result.classes] == [
        ("a", 8, 0.8, 1.0),
        ("b", 2, 0.2, 0.5),
    ]
    assert [c.precision.value for c in result.classes] == [8 / 9, 1.0]
    assert [(c.label, c.prediction, c.support, c.share) for c in result.confusions] == [("b", "a", 1, 0.5)]


def test_two_rare_rows_are_too_few_to_say_so():
    result = diagnose("aaaaaaaabb", "aaaaaaaaba")
    assert not result.found
    assert not result.classes[-1].judged


def test_planted_imbalance_is_found():
    result = diagnose("a" * 400 + "b" * 40, "a" * 400 + "ab" * 20)
    assert result.hurts == ("b",)
    assert result.headline.value == 0.5


def test_imbalance_without_harm_is_not_found():
    assert not diagnose("a" * 400 + "b" * 40, "a" * 400 + "b" * 40).found


def test_a_balanced_pair_is_not_imbalance_whatever_its_recalls():
    assert not diagnose("a" * 200 + "b" * 190, "a" * 200 + "a" * 190).found


def test_effective_number_of_classes():
    assert diagnose("abcd" * 5, "abcd" * 5).effective_classes == pytest.approx(4)
    assert diagnose("a" * 99 + "b", "a" * 100).effective_classes == pytest.approx(1.0576, abs=1e-3)
    found = diagnose("a" * 40 + "b" * 17 + "c" * 5, "a" * 62)
    assert found.effective_classes == pytest.approx(np.exp(entropy([40, 17, 5])), abs=1e-9)
    assert found.imbalance_ratio == pytest.approx(40 / 5, abs=1e-9)


def test_a_class_that_is_predicted_and_never_true_has_no_recall():
    result = diagnose("aaaabbbb", "aaaabbbc")
    odd = result.classes[-1]
    assert (odd.label, odd.support, odd.recall, odd.precision.value) == ("c", 0, None, 0.0)
    assert result.imbalance_ratio == 1


@pytest.mark.parametrize("seed", range(3))
def test_against_scikit_learn_and_imbalanced_learn(seed):
    draw = np.random.default_rng(seed)
    y, p = draw.choice(list("abcd"), (2, 300), p=[0.5, 0.3, 0.15, 0.05])
    result = diagnose(y, p)
    labels = [c.label for c in result.classes]
    precision, recall, _, support = precision_recall_fscore_support(y, p, labels=labels)
    assert [c.support for c in result.classes] == list(support)
    assert [c.recall.value for c in result.classes] == pytest.approx(list(recall), abs=1e-9)
    assert [c.precision.value for c in result.classes] == pytest.approx(list(precision), abs=1e-9)
    wanted = sensitivity_score(y, p, labels=labels, average=None)
    assert [c.recall.value for c in result.classes] == pytest.approx(list(wanted), abs=1e-9)


def test_weights():
    result = diagnose("aabb", "abbb", w=[1.0, 3.0, 1.0, 1.0])
    assert {c.label: c.recall.value for c in result.classes} == {"a": 0.25, "b": 1.0}


def test_false_alarms_and_power():
    """Equal recalls: found in at most 5 % of 200 draws; a rare class recalled 30 points worse: in at least 95 %."""
    draw = np.random.default_rng(0)

    def found(rare_recall):
        y = (draw.random(2000) < 0.1).astype(int)
        right = draw.random(2000) < np.where(y == 1, rare_recall, 0.8)
        return diagnose(y, np.where(right, y, 1 - y)).found

    assert sum(found(0.8) for _ in range(200)) <= 10
    assert sum(found(0.5) for _ in range(100)) >= 95


def test_not_applicable():
    with pytest.raises(NotApplicable, match="every label is 'a'"):
        diagnose("aaaa", "aaaa")
    with pytest.raises(NotApplicable, match="the label is a number"):
        diagnose(np.arange(40) / 7, np.arange(40) / 8)


def scored(n=2000, rate=0.1, trained=0.1, seed=0):
    draw = np.random.default_rng(seed)
    y = draw.random(n) < rate
    rows = pd.DataFrame({"y": y.astype(int), "s": expit(draw.normal(size=n) + 2 * y - 2)})
    train = pd.DataFrame({"y": (draw.random(n) < trained).astype(float), "x": 0.0})
    table = EvaluationTable.build(rows.assign(x=0.0), label="y", scores="s", features=["x"], train=train)
    return table, class_imbalance.diagnose(table, Options(default_metric(table.outcomes)))


def test_average_precision_of_each_class_against_scikit_learn():
    table, result = scored()
    for item in result.classes:
        of_class = table.outcomes.scores[:, item.label]
        wanted = average_precision_score(table.outcomes.y == item.label, of_class)
        assert item.average_precision.value == pytest.approx(wanted, abs=1e-9)


def test_shares_beside_those_in_training():
    table, result = scored(trained=0.25)
    assert {item.label: item.trained.value for item in result.classes} == pytest.approx(
        table.train.y.value_counts(normalize=True).to_dict()
    )
    assert result.moved == (0, 1)


def test_shares_that_did_not_move_are_not_said_to():
    assert sum(bool(scored(seed=seed)[1].moved) for seed in range(60)) <= 6
