"""Communities of classes: which are taken for each other more often than chance, in a table of confusions."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Groups = NDArray[np.intp]

ROUNDS = 200
CLOSE = 1e-9


def expected_confusions(counts: Floats) -> Floats:
    """Confusions if wrong rows fell on other classes by these classes' popularity alone; shape (k, k).

    e_ij = a_i b_j for i != j, 0 on the diagonal, with the row and the column sums of the confusions
    (quasi-independence, fitted by proportional scaling).

    Parameters
    ----------
    counts : array of shape (k, k), rows of class i taken for class j; the diagonal is left out of account

    References
    ----------
    Goodman 1968, doi:10.1080/01621459.1968.10480916
    """
    wrong = _off_diagonal(counts)
    rows, columns = wrong.sum(axis=1), wrong.sum(axis=0)
    fitted = _off_diagonal(np.ones_like(wrong))
    for _ in range(ROUNDS):
        fitted *= _quotient(rows, fitted.sum(axis=1))[:, None]
        factor = _quotient(columns, fitted.sum(axis=0))
        fitted *= factor
        if np.abs(factor[columns > 0] - 1).max(initial=0.0) < CLOSE:
            break
    return fitted


def communities(counts: Floats) -> Groups:
    """The partition of classes with the largest modularity of its confusions, found greedily; shape (k,).

    Modularity here is the number of confusions within groups less what `expected_confusions` puts there. Groups are
    merged pair by pair while that gains, then single classes move while that gains.

    Parameters
    ----------
    counts : array of shape (k, k)

    Returns
    -------
    int array of shape (k,), groups numbered by their first class

    References
    ----------
    Newman 2004, doi:10.1103/PhysRevE.69.066133
    """
    beyond = _off_diagonal(counts) - expected_confusions(counts)
    gain = beyond + beyond.T
    return _numbered(_moved(gain, _merged(gain)))


def _merged(gain: Floats) -> Groups:
    groups, between = np.arange(len(gain)), gain.copy()
    np.fill_diagonal(between, -np.inf)
    while len(between) > 1 and between.max() > CLOSE:
        one, other = np.unravel_index(int(between.argmax()), between.shape)
        for axis in (0, 1):
            joined = np.take(between, one, axis) + np.take(between, other, axis)
            between[(slice(None),) * axis + (one,)] = joined
        between[other, :] = between[:, other] = -np.inf
        between[one, one] = -np.inf
        groups[groups == other] = one
    return groups


def _moved(gain: Floats, groups: Groups) -> Groups:
    """Classes moved one by one to the group that they are taken for most, while that gains."""
    k = len(gain)
    member = np.eye(k)[groups]
    pull = gain - np.diag(np.diag(gain))
    for _ in range(ROUNDS):
        to = pull @ member
        better = to - to[np.arange(k), groups][:, None]
        if better.max(initial=0.0) <= CLOSE:
            break
        at, new = np.unravel_index(int(better.argmax()), better.shape)
        groups[at] = new
        member = np.eye(k)[groups]
    return groups


def _numbered(groups: Groups) -> Groups:
    _, first, where = np.unique(groups, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.intp)
    order[np.argsort(first)] = np.arange(len(first))
    return order[where]


def within_groups(counts: Floats, groups: Groups) -> tuple[float, float, float]:
    """Confusions within groups: how many, how many by chance, and the standard deviation of chance.

    A wrong row of class i falls into its own group with the chance that `expected_confusions` gives it; rows are
    independent. The groups must not come from these rows.

    Parameters
    ----------
    counts : array of shape (k, k)
    groups : int array of shape (k,)

    Returns
    -------
    (number, expectation, standard deviation)
    """
    wrong, expected = _off_diagonal(counts), expected_confusions(counts)
    same = groups[:, None] == groups
    n = wrong.sum(axis=1)
    chance = _quotient((expected * same).sum(axis=1), n)
    spread = sqrt(float((n * chance * (1 - chance)).sum()))
    return float((wrong * same).sum()), float((expected * same).sum()), spread


def distance_apart(counts: Floats) -> tuple[float, float, float]:
    """How far apart in the order of the classes wrong rows fall: the mean, that of chance, its standard deviation.

    The distance of the classes at positions i and j is |i - j|; chance is that of `expected_confusions`.

    Parameters
    ----------
    counts : array of shape (k, k), classes in their order, some rows wrong

    Returns
    -------
    (mean, expectation, standard deviation of the mean)
    """
    wrong, expected = _off_diagonal(counts), expected_confusions(counts)
    at = np.arange(len(counts))
    apart = np.abs(at[:, None] - at).astype(np.float64)
    n, total = wrong.sum(axis=1), float(wrong.sum())
    mean = _quotient((expected * apart).sum(axis=1), n)
    variance = _quotient((expected * apart**2).sum(axis=1), n) - mean**2
    spread = sqrt(max(float((n * variance).sum()), 0.0))
    return float((wrong * apart).sum()) / total, float((n * mean).sum()) / total, spread / total


def _off_diagonal(counts: Floats) -> Floats:
    found = np.array(counts, dtype=np.float64)
    np.fill_diagonal(found, 0.0)
    return found


def _quotient(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
