"""Gaps: stretches of time in which a column is missing, and columns that are missing now and were not before."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.intervals import difference, wilson
from mlflow_errata.stats.runs import Run, densest_runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST = 20
"""Missing values that an outage has, at least."""
MOSTLY = 0.5
"""Share of a run that is missing, at least."""
MOST_RUNS, STANDS_OUT = 3, 3.0
"""Outages of one column, at most; and how many times the evidence of the next run they have: where values go missing in
bursts all the time, a burst is no outage."""
NEWLY = 0.1
"""Rise of the missing share, from training to evaluation rows, from which it is a fault."""


def outages(missing: NDArray[np.intp], n: int, chance: float) -> tuple[Run, ...]:
    """Runs of missing values that no chance and no habit of the column explains, most evident first.

    Parameters
    ----------
    missing : int array, ascending positions of the missing values among n rows in time order
    n : int
    chance : float, of a run where values go missing independently of each other, that is accepted
    """
    runs = densest_runs(missing, n, MOST_RUNS + 1)
    usual = runs[MOST_RUNS].evidence if len(runs) > MOST_RUNS else 0.0
    least = max(log(n / chance), STANDS_OUT * usual) if runs else 0.0
    return tuple(
        run for run in runs[:MOST_RUNS] if run.evidence >= least and run.n_events >= FEWEST and run.share >= MOSTLY
    )


def newly_missing(before: int, n_before: int, now: int, n_now: int, chance: float) -> Estimate | None:
    """Share missing now, if it has risen by a tenth or more since the training rows, and beyond chance."""
    level = 1 - chance
    rise, low, _ = difference(wilson(before, n_before, level=level), wilson(now, n_now, level=level))
    if rise < NEWLY or low <= 0:
        return None
    return Estimate(*wilson(now, n_now), n=n_now, unit="share of rows")


def share_missing(run: Run) -> Estimate:
    """Share of the rows of a run in which the column is missing."""
    n = run.end - run.start + 1
    return Estimate(*wilson(run.n_events, n), n=n, unit="share of rows")
