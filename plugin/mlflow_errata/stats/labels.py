"""How far given labels and probabilities contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVEN = (0.001, 0.25)
"""Rate at which labels are taken to err, at least and at most."""


def self_confidence(y: NDArray[np.intp], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of the given label, row by row; shape (n,)."""
    return np.asarray(scores[np.arange(len(y)), y], dtype=np.float64)


def confident_class(y: NDArray[np.intp], scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """The class that each row confidently belongs to, or -1.

    A row counts for class j if p_j >= t_j, where t_j is the mean of p_j over the rows labelled j; of several such
    classes the likeliest one counts. A class that no row is labelled with, or that never scores, is nobody's.

    Parameters
    ----------
    y : int array of shape (n,), positions of classes
    scores : float array of shape (n, n_classes), out-of-sample probabilities

    Returns
    -------
    int array of shape (n,)

    References
    ----------
    Northcutt, Jiang & Chuang 2021, "Confident learning", doi:10.1613/jair.1.12125
    """
    n, k = scores.shape
    support = np.bincount(y, minlength=k)
    total = np.bincount(y, self_confidence(y, scores), minlength=k)
    threshold = np.where(total > 0, total / np.maximum(support, 1), np.inf)
    best = scores.argmax(axis=1)
    found = np.where(scores[np.arange(n), best] >= threshold[best], best, -1)
    open_rows = np.flatnonzero(found < 0)
    reached = np.where(scores[open_rows] >= threshold, scores[open_rows], -1.0)
    second = reached.argmax(axis=1)
    found[open_rows] = np.where(reached[np.arange(len(open_rows)), second] >= 0, second, -1)
    return found


def calibrated_joint(y: NDArray[np.intp], confident: NDArray[np.intp], n_classes: int) -> NDArray[np.float64]:
    """Shares of rows by (given, true) class that the confident rows stand for.

    Counts C[i, j] of rows given i and confidently j; every row of C is scaled to the share of rows given i, so that
    the sums over j are the shares of the given labels.

    Returns
    -------
    float array of shape (n_classes, n_classes) that sums to 1; off the diagonal stand label errors, if all confident
    contradictions are errors
    """
    seen = confident >= 0
    counts = np.bincount(y[seen] * n_classes + confident[seen], minlength=n_classes**2).reshape(n_classes, n_classes)
    share = np.bincount(y, minlength=n_classes) / len(y)
    joint = counts + np.diag((counts.sum(axis=1) == 0).astype(np.intp))
    return np.asarray(joint * (share / joint.sum(axis=1))[:, None], dtype=np.float64)


def suspicion(y: NDArray[np.intp], scores: NDArray[np.float64], transition: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chance that each given label is wrong, if labels err at given rates.

    With T[j, i] = P(given i | true j), Bayes gives sum over j != i of T[j, i] p_j, over the same sum with j = i.

    Parameters
    ----------
    y : int array of shape (n,)
    scores : float array of shape (n, n_classes), probabilities of the true class
    transition : float array of shape (n_classes, n_classes)

    Returns
    -------
    float array of shape (n,), in [0, 1]; 0 for a class that the scores do not know. If all classes err alike the
    order is that of 1 - p_given (self-confidence).
    """
    off = transition.T.copy()  # off[i, j] = T[j, i]
    np.fill_diagonal(off, 0.0)
    wrong = np.einsum("ij,ij->i", scores, off[y])
    kept = self_confidence(y, scores) * np.diag(transition)[y]
    total = wrong + kept
    return np.where((total > 0) & np.asarray(scores.any(axis=0))[y], wrong / np.where(total > 0, total, 1.0), 0.0)


def runner_up(y: NDArray[np.intp], scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """The likeliest class other than the given one; shape (n,). Ties fall to the first class."""
    others = scores.copy()
    others[np.arange(len(y)), y] = -1.0
    return np.asarray(others.argmax(axis=1), dtype=np.intp)


def flip_rates(
    y: NDArray[np.intp], scores: NDArray[np.float64], *, sure: float, explained: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts of given labels among rows that the scores are sure of.

    Parameters
    ----------
    y : int array of shape (n,)
    scores : float array of shape (n, n_classes)
    sure : float, probability from which scores are sure
    explained : bool array of shape (n,), rows whose label counts as agreeing whatever the scores say; None for no row

    Returns
    -------
    (counts, support) : float arrays of shape (n_classes, n_classes) and (n_classes,): counts[j, i] rows labelled i of
    the support[j] rows with p_j >= sure
    """
    k = scores.shape[1]
    best = scores.argmax(axis=1)
    rows = scores[np.arange(len(y)), best] >= sure
    given = y if explained is None else np.where(explained, best, y)
    counts = np.bincount(best[rows] * k + given[rows], minlength=k * k).reshape(k, k).astype(np.float64)
    return counts, counts.sum(axis=1)


def even_rates(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """One rate for all wrong labels, from counts[j, i] of labels i among rows of class j.

    Returns
    -------
    float array of shape (n_classes, n_classes), the same rate off the diagonal; its sum over a row lies in EVEN
    """
    k, total = len(counts), float(counts.sum())
    rate = (total - float(np.trace(counts))) / total if total else EVEN[1]
    rate = min(max(rate, EVEN[0]), EVEN[1])
    return np.asarray(np.where(np.eye(k, dtype=bool), 1 - rate, rate / (k - 1)), dtype=np.float64)


def chances_of_mean(
    score: NDArray[np.float64], mean: float, of: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Chances whose log odds are those of the scores plus a constant, with a given mean (by bisection).

    Parameters
    ----------
    score : float array of shape (n,), in [0, 1]
    mean : float in (0, 1), mean of the chances of these scores
    of : float array of shape (m,), scores to move by the same constant; default: the same scores

    Returns
    -------
    float array of shape (m,)
    """
    odds, low, high = _odds(score), -30.0, 30.0
    for _ in range(50):
        middle = (low + high) / 2
        short = len(score) > 0 and float((1 / (1 + np.exp(-odds - middle))).mean()) < mean
        low, high = (middle, high) if short else (low, middle)
    moved = odds if of is None else _odds(of)
    return np.asarray(1 / (1 + np.exp(-moved - low)), dtype=np.float64)


def _odds(score: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.clip(score, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(known) - np.log1p(-known), dtype=np.float64)
