"""Planted sets for the label benchmarks: features, true labels, given labels, and a model's scores.

4,000 rows teach a model with the labels as given (errors included); it scores 4,000 others, which is what errata sees;
10,000 more, rightly labelled, stand for the future. Kinds without label errors are those that raise flags all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

HALF, FUTURE = 4_000, 10_000
N = 2 * HALF + FUTURE
NOISY = ("slice", "slice of 3 classes", "uniform", "uniform of 5 classes")
RIGHT = ("clean", "overlap", "hard slice", "hidden hard slice", "drift", "underfit", "linear", "rare class")
SOURCES = ("north", "south", "east", "west", "up", "down")


@dataclass(frozen=True)
class Planted:
    """Rows as errata sees them, the columns that the model sees, the truth by the rows' index, and what is around."""

    rows: pd.DataFrame
    features: list[str]
    truth: pd.Series
    train: pd.DataFrame
    train_truth: pd.Series
    future: pd.DataFrame
    model: Pipeline

    @property
    def scores(self) -> list[str]:
        """Score columns in class order."""
        return [name for name in self.rows if name.startswith("p_")]

    @property
    def wrong(self) -> pd.Series:
        """Whether each label is wrong, by the rows' index."""
        return self.rows["y"] != self.truth


def planted(kind: str, seed: int) -> Planted:
    """One set of a kind."""
    draw = np.random.default_rng(seed)
    k = 5 if "5" in kind else 3 if "3" in kind else 2
    x = pd.DataFrame(draw.normal(size=(N, 8)), columns=[f"x{i}" for i in range(8)])
    x["source"] = pd.Categorical(draw.choice(SOURCES, N, p=[0.3, 0.25, 0.15, 0.12, 0.1, 0.08]))
    x["device"] = pd.Categorical(draw.choice(["a", "b", "c"], N))
    truth = _truth(x, kind, k, draw)
    at = draw.choice(["east", "west", "up"])
    inside = (x["source"] == at).to_numpy()
    if "hard" in kind:
        truth[inside] = draw.choice(k, inside.sum(), p=_shares(draw, k))
    y = truth.copy()
    if kind.startswith("slice"):
        y = np.where(inside & (truth == k - 1) & (draw.random(N) < 0.4), 0, y)
    if kind.startswith("uniform"):
        y = np.where(draw.random(N) < 0.2, (y + draw.integers(1, k, N)) % k, y)
    features = [name for name in x if not (kind == "hidden hard slice" and name == "source")]
    x["y"] = y
    train, rows, future = (
        part.reset_index(drop=True)
        for part in (x[:HALF], x[HALF : 2 * HALF], x[2 * HALF :].assign(y=truth[2 * HALF :]))
    )
    model = _model(kind, features).fit(train[features], train["y"])
    rows = rows.join(pd.DataFrame(model.predict_proba(rows[features]), columns=[f"p_{i}" for i in range(k)]))
    told = pd.Series(truth)
    return Planted(rows, features, told[HALF : 2 * HALF].reset_index(drop=True), train, told[:HALF], future, model)


def _truth(x: pd.DataFrame, kind: str, k: int, draw: np.random.Generator) -> np.ndarray:
    values = x[[f"x{i}" for i in range(8)]].to_numpy()
    weight = draw.normal(size=(8, k))
    if kind == "linear":
        signal = values @ weight
    else:
        signal = 1.5 * values @ weight
        signal[:, 0] += 2 * np.sin(2 * values[:, 0]) * values[:, 1] + 0.3 * x["source"].cat.codes
    if kind == "drift":
        turned = np.where(np.arange(8)[:, None] < 4, weight, -weight)
        signal = np.where(np.arange(N)[:, None] < HALF, signal, 1.5 * values @ turned)
    if kind == "overlap":
        signal = 0.3 * signal
    if kind == "rare class":
        signal[:, 1] -= 6
    chance = np.exp(signal - signal.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    return (chance.cumsum(axis=1) > draw.random(N)[:, None]).argmax(axis=1)


def _shares(draw: np.random.Generator, k: int) -> np.ndarray:
    return draw.dirichlet(np.full(k, 5.0))


def _model(kind: str, features: list[str]) -> Pipeline:
    named = {"underfit": DecisionTreeClassifier(max_depth=2), "linear": LogisticRegression(max_iter=500)}
    words = [name for name in features if not name.startswith("x")]
    codes = ColumnTransformer([("codes", OrdinalEncoder(), words)], remainder="passthrough")
    return make_pipeline(codes, named.get(kind, HistGradientBoostingClassifier(max_iter=100, random_state=0)))
