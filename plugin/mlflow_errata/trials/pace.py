"""Pace: how many rows and how many refits a time budget allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata import fitting

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlflow_errata.training import TrainingSet

PILOT = 2000
"""Training rows of a first fit that tells how long others will take."""
FITS_WANTED = {4: 45, 1: 20}
"""Fits that all trials together need, by the number of refits over time."""


def pace(estimator: Any, train: TrainingSet, budget: float, clock: Callable[[], float]) -> tuple[float, int]:
    """Share of the training rows to use, and refits over time, so that all trials fit into the budget.

    A fit is expected to take a fixed time and a time per row, as two fits on fewer rows tell.
    """
    n = len(train.y)

    def seconds(n_rows: int) -> float:
        start = clock()
        fitting.fit(fitting.unfitted(estimator, one_thread=True), train.take(draw(n, n_rows / n, 0)))
        return clock() - start

    try:
        sizes = (min(n, PILOT), min(n, 4 * PILOT))
        first = seconds(sizes[0])
        if first * n / sizes[0] * FITS_WANTED[4] <= budget:
            return 1.0, 4
        second = seconds(sizes[1]) if sizes[1] > sizes[0] else first
    except Exception:  # noqa: BLE001 - the trials themselves will say why it cannot be fitted
        return 1.0, 4
    a_row = max(second - first, 0.1 * second) / max(sizes[1] - sizes[0], 1)
    for n_refits, n_fits in FITS_WANTED.items():
        if (second + a_row * (n - sizes[1])) * n_fits <= budget:
            return 1.0, n_refits
    affordable = sizes[1] + (budget / FITS_WANTED[1] - second) / a_row
    return min(1.0, max(affordable, PILOT) / n), 1


def draw(n: int, rate: float, random_state: int) -> NDArray[np.intp]:
    """A share of n row positions at random, at least one, in their order."""
    return np.sort(np.random.default_rng(random_state).permutation(n)[: max(1, round(rate * n))])
