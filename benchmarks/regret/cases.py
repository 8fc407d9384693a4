"""What the regret benchmark judges advice on: a model, the rows that errata sees, and the rows that come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics


@dataclass(frozen=True)
class Case:
    """One model in one situation.

    Parameters
    ----------
    name : str, the scenario or the data set with its target
    seed : int, or the number of the cut in time
    estimator : unfitted
    train, evaluation, future : frames with the label "y"; those of `future` are right
    features : columns that the model sees
    metric : str, name in errata's catalogue or of a scikit-learn scorer
    value : dict of the four decisions, or None
    time : str, column of times, or None
    truth : Series of the true labels of `train` and `evaluation` by index, or None if nobody knows better
    null : bool, nothing can be gained
    pool : frame of labelled rows that can be collected, or None
    """

    name: str
    seed: int
    estimator: Any
    train: pd.DataFrame
    evaluation: pd.DataFrame
    future: pd.DataFrame
    features: list[str]
    metric: str
    value: dict[str, float] | None = None
    time: str | None = None
    truth: pd.Series | None = None
    null: bool = False
    pool: pd.DataFrame | None = None
    found: dict[str, Any] = field(default_factory=dict, compare=False)

    def score(self, model: Any) -> float:
        """What a fitted model reaches on the rows that come; more is better."""
        y, seen = self.future["y"].to_numpy(), self.future[self.features]
        if self.value is None and self.metric in SCORES:
            return float(getattr(metrics, SCORES[self.metric])(y, model.predict_proba(seen)[:, 1]))
        return self.reached(y, model.predict(seen))

    def reached(self, y: np.ndarray, said: np.ndarray) -> float:
        """What decisions (or numbers) reach in the declared value or the metric; more is better."""
        if self.value is not None:
            worth = np.array([[self.value["tn"], self.value["fp"]], [self.value["fn"], self.value["tp"]]])
            return float(worth[y.astype(int), np.asarray(said).astype(int)].mean())
        sign = -1.0 if self.metric.startswith("mean_") else 1.0
        return sign * float(SAID[self.metric](y, said))

    @property
    def unit(self) -> float:
        """What 1 point of the metric or the value is: one percent of the whole scale."""
        if self.value is not None:
            return 0.01 * max(abs(each) for each in self.value.values())
        return 0.01 * (float(self.future["y"].abs().mean()) if self.metric.startswith("mean_") else 1.0)

    @property
    def decides(self) -> bool:
        """Whether a threshold can change what is reached."""
        return self.value is not None or self.metric in ("f1", "balanced_accuracy")

    def loss(self, reached: float) -> float:
        """What is missing to the best that can be reached."""
        if self.value is not None:
            y = self.future["y"].to_numpy().astype(int)
            return float(np.where(y == 1, self.value["tp"], self.value["tn"]).mean()) - reached
        return -reached if self.metric.startswith("mean_") else 1 - reached


SCORES = {"roc_auc": "roc_auc_score", "average_precision": "average_precision_score"}
SAID = {
    "accuracy": metrics.accuracy_score,
    "f1": lambda y, said: metrics.f1_score(y, said, zero_division=0.0),
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "f1_macro": lambda y, said: metrics.f1_score(y, said, average="macro", zero_division=0.0),
    "mean_absolute_error": metrics.mean_absolute_error,
}
