"""Contrasts: what else sets the rows of a slice apart, in columns that the slice does not name."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.predicates import InCluster

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._sliced import Sliced

MOST = 6
"""Contrasts of a slice."""
WORTH_SAYING = 0.2
"""Difference of the shares from which a contrast is told."""
ALPHA = 0.01


@dataclass(frozen=True)
class Contrast:
    """A condition that holds for more rows of a slice than of the others.

    Parameters
    ----------
    condition : str, a predicate as text
    inside, outside : float in [0, 1], shares of the rows for which it holds
    """

    condition: str
    inside: float
    outside: float


def contrasts_of(sliced: Sliced, rows: NDArray[np.intp], own: tuple[str, ...]) -> tuple[Contrast, ...]:
    """The conditions on other columns that set some rows apart most, one a column.

    A condition is told if its share inside is larger than outside by .2, and beyond chance: a two-sided z test of two
    shares at 1 %, Bonferroni over the conditions looked at.

    Parameters
    ----------
    sliced : Sliced
    rows : int array, positions of the rows of the slice
    own : names of the columns that the slice names; parts of a date go with their date
    """
    alone = sliced.alone
    n, k = sliced.lattice.n, len(rows)
    if not len(alone) or not 0 < k < n:
        return ()
    within = alone.sums(rows)
    inside, outside = within / k, (alone.support - within) / (n - k)
    pooled = alone.support / n
    error = np.sqrt(np.maximum(pooled * (1 - pooled), 1 / n) * (1 / k + 1 / (n - k)))
    gap = inside - outside
    told = np.flatnonzero((gap >= WORTH_SAYING) & (gap / error > -NormalDist().inv_cdf(ALPHA / 2 / len(gap))))
    taken, found = {_whole(name) for name in own}, []
    for at in told[np.argsort(-gap[told], kind="stable")]:
        predicate = sliced.predicate_alone(int(at))
        column = _whole(predicate.column)
        if column in taken or isinstance(predicate, InCluster):
            continue
        taken.add(column)
        found.append(Contrast(str(predicate), float(inside[at]), float(outside[at])))
        if len(found) == MOST:
            break
    return tuple(found)


def _whole(name: str) -> str:
    """The column that a part of a date belongs to."""
    return name.removesuffix(")").partition("(")[2] if name.endswith(")") and "(" in name else name
