"""Calibrating scores by a logistic curve of their log-odds: two numbers, learned by maximum likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SMALLEST = 1e-12
"""Distance from 0 and 1 that probabilities keep before their log-odds are taken."""
MOST_ITERATIONS = 25
NEAR = 1e-6
"""Step at which the curve has settled."""
RIDGE = 1e-6
"""Keeps the curve finite where the scores part the classes."""


def log_odds(positive: Floats) -> Floats:
    """log(p / (1 - p)) of probabilities, which are kept off 0 and 1."""
    return np.asarray(scipy.special.logit(np.clip(positive, SMALLEST, 1 - SMALLEST)), dtype=np.float64)


def platt(odds: Floats, y: NDArray[np.intp], start: tuple[float, float] = (0.0, 1.0)) -> tuple[float, float]:
    """Maximum likelihood of a and b in P(y = 1) = expit(a + b odds), by Newton's method.

    Parameters
    ----------
    odds : array of shape (n,), log-odds of the positive class
    y : array of shape (n,) of 0 and 1
    start : (a, b) to start from

    References
    ----------
    Platt 1999, Probabilistic outputs for support vector machines
    """
    design = np.column_stack([np.ones(len(odds)), odds])
    found = np.array(start)
    for _ in range(MOST_ITERATIONS):
        chance = scipy.special.expit(design @ found)
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, design.T @ (y - chance))
        found = found + np.clip(step, -1, 1)
        if np.abs(step).max() < NEAR:
            break
    return float(found[0]), float(found[1])


def chances(odds: Floats, curve: tuple[float, float]) -> Floats:
    """expit(a + b odds); shape (n,)."""
    return np.asarray(scipy.special.expit(curve[0] + curve[1] * odds), dtype=np.float64)


def calibrated(positive: Floats, y: NDArray[np.intp]) -> Floats:
    """Probabilities of the positive class after the curve that fits these labels; shape (n,)."""
    odds = log_odds(positive)
    return chances(odds, platt(odds, y))
