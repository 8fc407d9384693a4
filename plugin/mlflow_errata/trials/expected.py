"""What a change gains if the scores, once calibrated, are right: two numbers are learned, not every label."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.stats.pairs import weighted
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
    objective: Objective,
    frame: pd.DataFrame,
    new: Outcomes,
    old: Outcomes,
    groups: NDArray[np.intp],
    *,
    weights: Floats,
) -> tuple[float, float] | None:
    """Gain of one model's decisions over another's in expectation over the labels, and its standard error.

    The chance of the positive class is expit(a + b logit(score)), with a and b of each model fitted to the labels. A
    mean over rows is expected row by row; a metric of the four cells is that of the expected cells. The error is that
    of leaving out one group at a time, with a curve of its own. Chance in the labels moves it by two numbers a model
    only, so it tells a real gain from a lucky one where the gain counted on the labels cannot.

    Parameters
    ----------
    objective : Objective
    frame : DataFrame of the judging rows
    new, old : Outcomes of a binary task on the same rows
    groups : int array of shape (n,), the group of every row
    weights : array of shape (n_groups,), sums to 1: how much each group counts

    Returns
    -------
    (gain, standard error), or None where the objective has no such expectation

    References
    ----------
    Ye et al. 2012, Optimizing F-measures: a tale of two approaches (the expected-utility one)
    """
    curves = [_expected(objective, frame, outcomes) for outcomes in (new, old)]
    after, before = curves
    if after is None or before is None:
        return None
    kept = [groups != group for group in range(int(groups.max()) + 1)]
    parts = np.array([after(keep) - before(keep) for keep in kept])
    everyone = np.ones(len(groups), dtype=bool)
    return weighted(after(everyone) - before(everyone), parts, weights)


def _expected(objective: Objective, frame: pd.DataFrame, said: Outcomes) -> Callable[[NDArray[np.bool_]], float] | None:
    """Function of the rows to keep -> the objective as expected on them; None where there is no expectation."""
    form, each, weight = objective.form, objective.rows, said.weight
    if said.scores is None or said.task != "binary":
        return None
    odds = log_odds(said.scores[:, -1])
    start = platt(odds, said.y)

    def chance(keep: NDArray[np.bool_]) -> Floats:
        return chances(odds[keep], platt(odds[keep], said.y[keep], start=start))

    if form is not None:

        def of_cells(keep: NDArray[np.bool_]) -> float:
            yes = chance(keep)
            tn, fp, fn, tp = (
                np.bincount(said.prediction[keep], part, 2)[code] for part in (1 - yes, yes) for code in (0, 1)
            )
            return float(form(tn, fp, fn, tp))

        return of_cells
    if each is None:
        return None
    if weight is None or objective.unit == VALUE_UNIT:
        weight = np.ones(len(said))
    if_no, if_yes = (each(frame, replace(said, y=np.full_like(said.y, code))) for code in (0, 1))

    def of_rows(keep: NDArray[np.bool_]) -> float:
        yes = chance(keep)
        return float(np.average((1 - yes) * if_no[keep] + yes * if_yes[keep], weights=weight[keep]))

    return of_rows
