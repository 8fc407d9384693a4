"""The expected gain of another threshold: against many draws of the labels, and less moved by chance than a count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score

from mlflow_errata.metric import Outcomes, resolve_metric
from mlflow_errata.trials.expected import expected_gain
from mlflow_errata.trials.objective import objective_of_metric, objective_of_value

N = 4000
GROUPS = np.arange(N) % 20
ALIKE = np.full(20, 1 / 20)
COSTS = {"tp": 0, "fp": -1, "fn": -5, "tn": 0}


def outcomes(seed, right, scores):
    y = (np.random.default_rng(seed).random(N) < right).astype(np.intp)
    return Outcomes("binary", (0, 1), y, (scores >= 0.5).astype(np.intp), np.column_stack([1 - scores, scores]), None)


def cut(said, at):
    return replace(said, prediction=(said.scores[:, 1] >= at).astype(np.intp))


@pytest.fixture(scope="module")
def right():
    return np.random.default_rng(0).beta(1, 4, N)


def drawn(seed, odds):
    """Chances of the positive class, and scores that are timid where odds < 1."""
    right = np.random.default_rng(seed).beta(1, 4, N)
    return right, 1 / (1 + (1 / right - 1) ** odds)


def gains(name, odds, at, n=60):
    """(expected gains, their errors, counted gains) over draws of the rows."""
    found = []
    for seed in range(n):
        said = outcomes(seed, *drawn(seed, odds))
        metric = resolve_metric(name, said)
        objective = objective_of_metric(metric, said)
        value, error = expected_gain(
            objective, pd.DataFrame(index=range(N)), cut(said, at), said, GROUPS, weights=ALIKE
        )
        found.append((value, error, metric.compute(cut(said, at)) - metric.compute(said)))
    return np.array(found).T


@pytest.mark.parametrize(("name", "plain"), [("f1", f1_score), ("accuracy", accuracy_score)])
@pytest.mark.parametrize("odds", [1.0, 0.5])
def test_it_is_the_gain_over_many_rows_with_a_smaller_error(name, plain, odds):
    expected, errors, counted = gains(name, odds, 0.35)
    many = []
    for seed in range(1000, 1100):
        right, scores = drawn(seed, odds)
        y = np.random.default_rng(seed).random(N) < right
        many.append(plain(y, scores >= 0.35) - plain(y, scores >= 0.5))
    many = np.mean(many)
    assert expected.mean() == pytest.approx(many, abs=0.004)
    assert expected.std() < 0.85 * counted.std()
    assert 0.6 < errors.mean() / expected.std() < 1.7


def test_a_business_value_is_expected_row_by_row(right):
    said = outcomes(1, right, right)
    objective = objective_of_value(COSTS)
    value, _ = expected_gain(objective, pd.DataFrame(index=range(N)), cut(said, 1 / 6), said, GROUPS, weights=ALIKE)
    moved = (right >= 1 / 6) & (right < 0.5)
    assert value == pytest.approx(np.where(moved, 5 * right - (1 - right), 0).mean(), rel=0.1)


def test_an_objective_that_is_neither_a_mean_nor_of_cells_has_none(right):
    said = outcomes(1, right, right)
    objective = objective_of_metric(resolve_metric("roc_auc", said), said)
    assert expected_gain(objective, pd.DataFrame(index=range(N)), cut(said, 0.3), said, GROUPS, weights=ALIKE) is None
