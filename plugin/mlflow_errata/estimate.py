"""A number with its uncertainty: the only way a measured quantity travels through errata."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from mlflow_errata.errors import NotAnEstimate


@dataclass(frozen=True)
class Estimate:
    """A value, the interval around it and the number of rows behind it.

    Parameters
    ----------
    value, low, high : float, finite, with low <= value <= high
    n : int
        Rows (or periods, or trials) that the value was measured on.
    unit : str
        What one unit of `value` is: "error rate", "rows", "roc_auc", the label's own unit ...
    level : float
        Coverage of the interval, 0.95 unless said.

    Raises
    ------
    NotAnEstimate
        If a number is not finite or the value lies outside its interval. "Cannot be estimated" is None, never NaN.
    """

    value: float
    low: float
    high: float
    n: int
    unit: str
    level: float = 0.95

    def __post_init__(self) -> None:
        if not (isfinite(self.value) and isfinite(self.low) and isfinite(self.high)):
            raise NotAnEstimate(self.value, self.low, self.high, "is not finite")
        if not self.low <= self.value <= self.high:
            raise NotAnEstimate(self.value, self.low, self.high, "lies outside its interval")
