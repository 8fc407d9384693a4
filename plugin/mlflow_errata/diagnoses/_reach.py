"""Reach: how far around a predicted number the labels lie, and whether that is as far everywhere."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.estimate import Estimate
from mlflow_errata.stats.intervals import mean_or_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

COVERED = 0.9
"""Share of the labels that an interval around the predictions shall hold."""


def reach_of(
    residual: NDArray[np.float64], weight: NDArray[np.float64] | None, bins: NDArray[np.intp]
) -> tuple[float, list[Estimate | None], bool]:
    """How far labels lie from the prediction, by every other row; of the rest, how many that holds, by bin.

    Returns
    -------
    (reach, shares, uneven) : the conformal quantile of the distances; the share of the other rows within it, for each
        bin; and whether one of the shares differs from that of all, beyond chance over the bins

    References
    ----------
    Lei et al. 2018, doi:10.1080/01621459.2017.1307116 (split conformal intervals)
    """
    away, chooses = np.abs(residual), np.arange(len(bins)) % 2 == 0
    ordered = np.sort(away[chooses])
    reach = float(ordered[min(ceil(COVERED * (len(ordered) + 1)), len(ordered)) - 1])
    held, others = (away[~chooses] <= reach).astype(np.float64), bins[~chooses]
    rest = None if weight is None else weight[~chooses]
    usual = float(held.mean() if rest is None or not rest.any() else np.average(held, weights=rest))
    found: list[Estimate | None] = []
    uneven, n_bins = False, int(bins.max()) + 1
    for at in range(n_bins):
        rows = others == at
        part = None if rest is None else rest[rows]
        if not rows.any() or (part is not None and not part.any()):
            found.append(None)
            continue
        _, low, high = mean_or_share(held[rows], part, level=1 - ALPHA / n_bins)
        uneven |= not low <= usual <= high
        found.append(Estimate(*mean_or_share(held[rows], part), n=int(rows.sum()), unit="share of rows"))
    return reach, found, uneven
