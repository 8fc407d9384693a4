"""What another threshold gains if the scores, once calibrated, are right: two numbers are learned, not every label."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.stats.pairs import jackknife_error
from mlflow_errata.stats.platt import chances, log_odds, platt
from mlflow_errata.trials.objective import VALUE_UNIT

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from mlflow_errata.metric import Outcomes
    from mlflow_errata.trials.objective import Objective

    Floats = NDArray[np.float64]


def expected_gain(
    objective: Objective, frame: pd.DataFrame, new: Outcomes, old: Outcomes, groups: NDArray[np.intp]
) -> tuple[float, float] | None:
    """Gain of other decisions on the same scores, in expectation over the labels, and its standard error.

    The chance of the positive class is expit(a + b logit(score)) with a and b fitted to the labels (Platt). A mean over
    rows is expected row by row; a metric of the four cells is that of the expected cells. The error is that of leaving
    out one group at a time, with a curve of its own. Chance in the labels moves it by two numbers only, so it tells a
    real gain from a lucky one where the gain counted on the labels cannot.

    Parameters
    ----------
    objective : Objective
    frame : DataFrame of the judging rows
    new, old : Outcomes of a binary task with the same scores
    groups : int array of shape (n,), the group of every row

    Returns
    -------
    (gain, standard error), or None where the objective has no such expectation

    References
    ----------
    Ye et al. 2012, Optimizing F-measures: a tale of two approaches (the expected-utility one)
    """
    reached = _difference(objective, frame, new, old)
    if old.scores is None or reached is None:
        return None
    odds = log_odds(old.scores[:, -1])
    curve = platt(odds, old.y)
    whole = reached(chances(odds, curve), np.ones(len(groups), dtype=bool))
    kept = [groups != group for group in range(int(groups.max()) + 1)]
    parts = [reached(chances(odds, platt(odds[keep], old.y[keep], start=curve)), keep) for keep in kept]
    return whole, jackknife_error(np.array(parts))


def _difference(
    objective: Objective, frame: pd.DataFrame, new: Outcomes, old: Outcomes
) -> Callable[[Floats, NDArray[np.bool_]], float] | None:
    """Function (chances of the positive class, rows to keep) -> gain; None for an objective that is neither."""
    form, each, weight = objective.form, objective.rows, old.weight
    if form is not None:

        def of_cells(chance: Floats, keep: NDArray[np.bool_]) -> float:
            new_cells, old_cells = (
                [np.bincount(said.prediction[keep], part[keep], 2) for part in (1 - chance, chance)]
                for said in (new, old)
            )
            return float(form(*np.concatenate(new_cells)) - form(*np.concatenate(old_cells)))

        return of_cells
    if each is None:
        return None
    if weight is None or objective.unit == VALUE_UNIT:
        weight = np.ones(len(old))
    if_no, if_yes = (
        each(frame, replace(new, y=np.full_like(new.y, code))) - each(frame, replace(old, y=np.full_like(old.y, code)))
        for code in (0, 1)
    )
    return lambda chance, keep: float(np.average((if_no + chance * (if_yes - if_no))[keep], weights=weight[keep]))
