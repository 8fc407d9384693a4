"""Earlier periods: training rows judge a threshold, none of them by a model that has seen it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from mlflow_errata.table import EvaluationTable
from mlflow_errata.trials.earlier import PERIODS, earlier_periods
from mlflow_errata.trials.gains import Gain


def rows(n, seed, *, share=0.3):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=n)
    y = (draw.random(n) < 1 / (1 + np.exp(-2 * x - np.log(share / (1 - share))))).astype(int)
    return pd.DataFrame({"x": x, "at": draw.permutation(n).astype(float), "y": y})


class Remembers(LogisticRegression):
    """Keeps the rows of every fit."""

    seen: list[pd.DataFrame] = []  # noqa: RUF012 - counted over all instances

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        Remembers.seen.append(X)
        return super().fit(X, y, sample_weight)


def table(train, **roles):
    model = LogisticRegression().fit(train[["x"]], train["y"])
    return EvaluationTable.build(rows(400, 9), label="y", model=model, features=["x"], train=train, **roles)


def test_no_row_is_answered_by_a_model_that_saw_it_or_a_newer_one():
    train = rows(1000, 0)
    Remembers.seen.clear()
    built = table(train, time="at")
    found = earlier_periods(built, built.train, Remembers())
    assert [len(part) for part in Remembers.seen] == [500, 750]
    oldest_first = train.sort_values("at")
    pd.testing.assert_frame_equal(found.frame.reset_index(drop=True), oldest_first[["x"]][500:].reset_index(drop=True))
    for part, n in zip(Remembers.seen, (500, 750), strict=True):
        np.testing.assert_array_equal(np.sort(part["x"]), np.sort(oldest_first["x"][:n]))
    np.testing.assert_array_equal(found.outcomes.y, oldest_first["y"][500:])
    by_hand = LogisticRegression().fit(oldest_first[["x"]][:500], oldest_first["y"][:500])
    np.testing.assert_allclose(
        found.outcomes.scores[:250, 1], by_hand.predict_proba(oldest_first[["x"]][500:750])[:, 1]
    )
    assert np.bincount(found.groups).tolist() == pytest.approx([500 / PERIODS] * PERIODS, abs=1)


def test_there_are_none_without_times_or_with_few_of_the_rarer_class():
    untimed, rare = table(rows(1000, 0)), table(rows(1000, 0, share=0.02), time="at")
    assert earlier_periods(untimed, untimed.train, LogisticRegression()) is None
    assert earlier_periods(rare, rare.train, LogisticRegression()) is None


def test_two_times_are_one_gain_by_their_errors_and_as_unsure_as_they_lie_apart():
    now = Gain(0.0, 0.01, 0.0, 0.01, 0.02, 0.0, 1e6, np.zeros(8), 300)
    whole = now.after(replace(now, value=0.1, error=0.02, known=0.02, n=100))
    between = (0.1**2 - 0.01**2 - 0.02**2) / 2
    weights = 1 / np.array([0.01**2 + between, 0.02**2 + between])
    assert whole.value == pytest.approx(weights @ [0.0, 0.1] / weights.sum())
    assert whole.error == pytest.approx(weights.sum() ** -0.5)
    assert whole.known == pytest.approx(whole.error)
    assert whole.wander == pytest.approx(0.1**2)
    assert whole.n == 400
