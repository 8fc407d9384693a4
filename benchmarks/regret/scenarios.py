"""Planted scenarios: each has one thing to do about it, two, or nothing.

A model learns from 3,000 rows; errata sees 3,000 later ones; 50,000 more, rightly labelled and as the rows are at the
end, stand for the future.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from cases import Case
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

TRAIN = EVALUATION = 3_000
FUTURE, POOL = 50_000, 6_000
N = TRAIN + EVALUATION + FUTURE + POOL
REGIONS = ("north", "south", "east", "west", "up")
FEATURES = [*(f"x{i}" for i in range(8)), "region"]
COSTS = {"tp": 0.0, "fp": -1.0, "fn": -8.0, "tn": 0.0}
SCENARIOS = {
    # name: (metric, has times, nothing to gain)
    "clean": ("accuracy", False, False),
    "slice noise": ("accuracy", False, False),
    "uniform noise": ("accuracy", False, False),
    "hard slice": ("accuracy", False, False),
    "imbalance": ("f1", False, False),
    "costs": ("accuracy", False, False),
    "strong concept drift": ("accuracy", True, False),
    "mild concept drift": ("accuracy", True, False),
    "covariate shift": ("accuracy", True, False),
    "prior shift": ("f1", True, False),
    "growing slice": ("accuracy", True, False),
    "underfit": ("accuracy", False, False),
    "drift and imbalance": ("f1", True, False),
    "underfit and costs": ("accuracy", False, False),
    "pure noise": ("accuracy", False, True),
    "well specified": ("accuracy", False, True),
    "well specified over time": ("accuracy", True, True),
    "pure noise over time": ("roc_auc", True, True),
}
UNSEEN = ("growing slice", "underfit and costs", "well specified over time")
"""Scenarios that nothing was tuned on."""


def planted(name: str, seed: int) -> Case:
    """One draw of a scenario."""
    draw = np.random.default_rng([seed, list(SCENARIOS).index(name)])
    metric, timed, null = SCENARIOS[name]
    # how far along a row is: 0 while the model learns, 1 at the end of what errata sees and from then on
    late = np.clip((np.arange(N) - TRAIN) / (0.6 * EVALUATION), 0, 1)
    frame = pd.DataFrame(draw.normal(size=(N, 8)), columns=FEATURES[:8])
    share = np.tile([0.35, 0.25, 0.2, 0.12, 0.08], (N, 1))
    if name == "growing slice":
        share = np.where(late[:, None] > 0, [0.2, 0.15, 0.15, 0.1, 0.4], [0.4, 0.3, 0.2, 0.095, 0.005])
    frame["region"] = pd.Categorical.from_codes((share.cumsum(1) < draw.random((N, 1))).sum(1).clip(max=4), REGIONS)
    if name == "covariate shift":
        frame["x0"] += 2.5 * late
    logit = _logit(name, frame, late, draw)
    truth = (draw.random(N) < 1 / (1 + np.exp(-logit))).astype(int)
    if name.startswith("pure noise"):
        truth = draw.integers(0, 2, N)
    if name == "hard slice":
        truth = np.where(frame["region"] == "west", draw.integers(0, 2, N), truth)
    y = truth.copy()
    if name == "slice noise":
        inside = (frame["region"] == "east").to_numpy()
        y = np.where(inside & (truth == 1) & (draw.random(N) < 0.4), 0, y)
    if name == "uniform noise":
        y = np.where(draw.random(N) < 0.2, 1 - y, y)
    frame["y"] = y
    frame["at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(N) // 16, unit="h")
    seen, end = TRAIN + EVALUATION, N - POOL
    parts = frame[:TRAIN], frame[TRAIN:seen], frame[seen:end]
    return Case(
        name=name,
        seed=seed,
        estimator=_estimator(name),
        train=parts[0],
        evaluation=parts[1],
        future=parts[2].assign(y=truth[seen:end]),
        features=FEATURES,
        metric=metric,
        value=COSTS if name.endswith("costs") else None,
        time="at" if timed else None,
        truth=pd.Series(truth[:seen]),
        null=null,
        pool=frame[end:],
    )


def _logit(name: str, frame: pd.DataFrame, late: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    x = frame[FEATURES[:8]].to_numpy()
    weight = draw.normal(size=8)
    if name.startswith("well specified"):
        return x @ weight
    signal = 1.5 * x @ weight + 2 * np.sin(2 * x[:, 0]) * x[:, 1] + 0.3 * frame["region"].cat.codes.to_numpy()
    if name in ("strong concept drift", "drift and imbalance"):
        turned = np.where(np.arange(8) < 4, weight, -weight)
        signal = signal + late * 1.5 * (x @ (turned - weight))
    if name == "mild concept drift":
        signal = signal + late * 1.5 * (x[:, :2] @ draw.normal(size=2))
    if name == "growing slice":
        signal = np.where(frame["region"] == "up", -signal, signal)
    if name in ("imbalance", "drift and imbalance"):
        signal = signal - 5.5
    if name.endswith("costs"):
        signal = signal - 2.5
    if name == "prior shift":
        signal = signal - 4.5 + 3.0 * late
    return signal


def _estimator(name: str) -> Pipeline:
    if name.startswith("well specified"):
        model = LogisticRegression(max_iter=500)
    elif name.startswith("underfit"):
        model = DecisionTreeClassifier(max_depth=2, random_state=0)
    else:
        model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    codes = ColumnTransformer([("codes", OrdinalEncoder(), ["region"])], remainder="passthrough")
    return make_pipeline(codes, model)
