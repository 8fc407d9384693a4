"""Skill of one column against plain loops and scipy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, spearmanr

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses._leaks import given_away, skill_alone
from mlflow_errata.stats.intervals import wilson


def outcomes(y):
    frame = pd.DataFrame({"y": y, "p": y, "x": np.arange(len(y))})
    task = "multiclass" if isinstance(y[0], str) else None
    table = EvaluationTable.build(frame, label="y", prediction="p", task=task)
    return table, table.frame["x"].to_numpy()


@pytest.mark.parametrize("seed", range(5))
def test_skill_of_levels_by_a_plain_loop(seed):
    draw = np.random.default_rng(seed)
    y = draw.choice(list("abc"), 900, p=[0.5, 0.3, 0.2])
    table, order = outcomes(y)
    level = {"a": ["p", "q"], "b": ["r"], "c": ["s", "t", "u"]}
    column = pd.Series([draw.choice(level[each]) if draw.random() > 0.003 else "p" for each in y])[order]
    found = skill_alone(column.reset_index(drop=True), table.outcomes)
    label, values = y[order], column.to_numpy()
    wrong = 0
    for half in (0, 1):
        for at in range(half, 900, 2):
            others = [label[i] for i in range(1 - half, 900, 2) if values[i] == values[at]]
            pool = others or list(label)
            wrong += max(sorted(set(pool)), key=pool.count) != label[at]
    constant = 900 - max(np.unique(y, return_counts=True)[1])
    _, low, high = wilson(wrong, 900)
    assert found.value == pytest.approx(1 - wrong / constant, abs=1e-9)
    assert (found.low, found.high) == pytest.approx((1 - high * 900 / constant, 1 - low * 900 / constant), abs=1e-9)


def test_skill_of_numbers_is_the_squared_rank_correlation():
    draw = np.random.default_rng(0)
    y = draw.gamma(2, size=900)
    table, order = outcomes(y)
    column = pd.Series((np.log(y) + 0.001 * draw.normal(size=900))[order])
    found = skill_alone(column, table.outcomes)
    assert found.value == pytest.approx(spearmanr(column, table.outcomes.y).statistic ** 2, abs=1e-9)


def test_a_label_given_away_by_a_gap_is_told_from_chance():
    y = np.array([1] * 160 + [0] * 140)
    missing = np.arange(300) < 100
    label, share = given_away(missing, y, chance=0.01)
    assert (label, share.value) == (1, 1.0)
    assert (share.value, share.low, share.high) == wilson(100, 100)
    by_chance = float(binom.sf(99, 100, 60 / 200))
    assert given_away(missing, y, chance=by_chance * 1.01) is not None
    assert given_away(missing, y, chance=by_chance * 0.99) is None
    assert given_away(np.zeros(300, dtype=bool), y, chance=0.01) is None
