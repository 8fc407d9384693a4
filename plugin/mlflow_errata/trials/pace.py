"""Pace: how many rows and how many refits a time budget allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata import fitting

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlflow_errata.training import TrainingSet

PILOT = 500
"""Training rows of a first fit that tells how long others will take."""
GROWS = 4
"""How many times as many rows each further pilot fit has."""
PILOTS = 0.15
"""Share of the budget that the pilot fits may take."""
FEWEST = 200
"""Training rows below which no share of them is drawn."""
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
        done = _piloted(seconds, n, budget)
    except Exception:  # noqa: BLE001 - the trials themselves will say why it cannot be fitted
        return 1.0, 4
    (first, before), (size, last) = done[0], done[-1]
    a_row = max(last - before, 0.1 * last) / max(size - first, 1) if len(done) > 1 else last / size
    for n_refits, n_fits in FITS_WANTED.items():
        if (last + a_row * (n - size)) * n_fits <= budget:
            return 1.0, n_refits
    affordable = size + (budget / FITS_WANTED[1] - last) / a_row
    return min(1.0, max(affordable, FEWEST) / n), 1


def _piloted(seconds: Callable[[int], float], n: int, budget: float) -> list[tuple[int, float]]:
    """(rows, seconds) of fits on more and more rows, as long as the next one leaves most of the budget."""
    done: list[tuple[int, float]] = []
    size, spent = min(n, PILOT), 0.0
    while True:
        done.append((size, seconds(size)))
        spent += done[-1][1]
        if (
            size == n
            or done[-1][1] * n / size * FITS_WANTED[4] <= budget
            or spent + GROWS * done[-1][1] > PILOTS * budget
        ):
            return done
        size = min(n, GROWS * size)


def draw(n: int, rate: float, random_state: int) -> NDArray[np.intp]:
    """A share of n row positions at random, at least one, in their order."""
    return np.sort(np.random.default_rng(random_state).permutation(n)[: max(1, round(rate * n))])
