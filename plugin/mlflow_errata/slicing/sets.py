"""Sets of levels of one column that are worse together than the best of them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.slicing.evidence import Standing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.slicing.evidence import Cells
    from mlflow_errata.slicing.lattice import Lattice

FEWEST_LEVELS, MOST_LEVELS = 3, 12
"""Levels of a column whose sets are examined: all 2^12 of them at most."""


class Sets:
    """All sets of two or more levels of a column, but all of them together, for every column with 3 to 12 levels.

    The best set of any number of levels holds those with the most excess errors a row, so the sets that can be best are
    as many as there are levels; the correction counts them all.

    References
    ----------
    Neill 2012, doi:10.1111/j.1467-9868.2011.01014.x (fast subset scan)
    """

    def __init__(self, lattice: Lattice, cells: Cells) -> None:
        index: list[int] = []
        self.groups: list[tuple[int, NDArray[np.intp]]] = []
        for at, column in enumerate(lattice.columns):
            levels = [place for place in lattice.alone(at) if lattice.predicates(place)[0][1].kind == "level"]
            if not column.is_number and FEWEST_LEVELS <= len(levels) <= MOST_LEVELS:
                self.groups.append((at, np.arange(len(index), len(index) + len(levels))))
                index += levels
        self.n_examined = sum(2 ** len(places) - len(places) - 2 for _, places in self.groups)
        self.lattice = lattice.only(np.array(index, dtype=np.intp))
        self.standing = Standing(self.lattice, cells)
        self.worse = self.standing.evidence()
        self.covered = np.zeros(len(index))
        self.most = lattice.n - lattice.min_support

    def best(self, most_covered: float) -> tuple[float, NDArray[np.intp]]:
        """(evidence, positions of its levels) of the best set whose rows are mostly new; 0 if there is none."""
        best, chosen = 0.0, np.empty(0, dtype=np.intp)
        n, observed, expected, spread = self.standing.parts()
        for _, places in self.groups:
            order = places[np.argsort(-(observed - expected)[places] / n[places], kind="stable")]
            together = [np.cumsum(part[order]) for part in (n, observed, expected, spread, self.covered)]
            found = self.standing.evidence_of(*together[:4])
            open_ = (together[0] <= self.most) & (together[4] <= together[0] * most_covered)
            open_[[0, -1]] = False
            open_ &= np.minimum.accumulate(self.worse[order]) > 0
            if open_.any() and found[open_].max() > best:
                size = int(np.flatnonzero(open_)[found[open_].argmax()]) + 1
                best, chosen = float(found[size - 1]), np.sort(order[:size])
        return best, chosen

    def rows(self, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
        """Positions of the rows of a set."""
        return np.sort(np.concatenate([self.lattice.rows(int(at)) for at in chosen]))

    def levels(self, chosen: NDArray[np.intp]) -> tuple[tuple[int, int], ...]:
        """(column, position of the level) of every level of a set."""
        named = [self.lattice.predicates(int(at))[0] for at in chosen]
        return tuple((column, atom.level) for column, atom in named)
