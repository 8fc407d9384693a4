"""Planted sets for the label benchmarks: features, true labels, given labels, and scores of a model that saw neither.

Half the rows teach a model with the labels as given (errors included); it scores the other half, which is what errata
sees. Kinds without label errors are those that raise flags all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

N = 8_000
NOISY = ("slice", "slice of 3 classes", "uniform", "uniform of 5 classes")
RIGHT = ("clean", "overlap", "hard slice", "hidden hard slice", "drift", "underfit", "linear", "rare class")
SOURCES = ("north", "south", "east", "west", "up", "down")


@dataclass(frozen=True)
class Planted:
    """Rows as errata sees them, the columns that the model sees, and the truth by the rows' index."""

    rows: pd.DataFrame
    features: list[str]
    truth: pd.Series

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
    seen = x[features].apply(lambda column: column.cat.codes if column.dtype == "category" else column)
    half = N // 2
    model = _model(kind).fit(seen[:half], y[:half])
    scores = pd.DataFrame(model.predict_proba(seen[half:]), columns=[f"p_{i}" for i in range(k)])
    rows = x[half:].reset_index(drop=True).join(scores).assign(y=y[half:])
    return Planted(rows, features, pd.Series(truth[half:]))


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
        signal = np.where(np.arange(N)[:, None] < N / 2, signal, 1.5 * values @ turned)
    if kind == "overlap":
        signal = 0.3 * signal
    if kind == "rare class":
        signal[:, 1] -= 6
    chance = np.exp(signal - signal.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    return (chance.cumsum(axis=1) > draw.random(N)[:, None]).argmax(axis=1)


def _shares(draw: np.random.Generator, k: int) -> np.ndarray:
    return draw.dirichlet(np.full(k, 5.0))


def _model(kind: str) -> object:
    if kind == "underfit":
        return DecisionTreeClassifier(max_depth=2)
    if kind == "linear":
        return LogisticRegression(max_iter=500)
    return HistGradientBoostingClassifier(max_iter=100, random_state=0)
