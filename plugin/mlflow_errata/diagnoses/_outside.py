"""Slices seen from outside: labels of a slice beside what a model says that never saw the slice.

A model that was trained on wrong labels has learned them, so its own scores agree with them. A model fitted on the
rows outside a slice has not: where it is sure of one class and the labels inside say another far more often than
labels elsewhere do, the labels inside are wrong, or the slice follows a rule of its own; only a person can tell which.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlflow_errata.diagnoses._encoding import column_of
from mlflow_errata.diagnoses._learner import Learner
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.diagnoses._sliced import SlicedColumn, sliced_column
from mlflow_errata.predicates import Predicate, Within, all_hold
from mlflow_errata.slicing import Lattice, confirm
from mlflow_errata.stats.labels import even_rates, flip_rates

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow_errata.metric import Label
    from mlflow_errata.slicing import Atom, Cut
    from mlflow_errata.table import EvaluationTable

SURE = 0.8
"""Probability from which a model is sure of a class."""
BEYOND = 4.5
"""Standard errors by which labels inside must contradict the outside model more often than labels elsewhere."""
NORMAL_95 = 1.96
MATERIAL = 0.1
"""Excess of contradictions from which a slice is suspect: smaller ones come from drift and scores out of tune."""
FEWEST_SURE = 20
"""Rows of a class that the outside model must be sure of."""
ONE_SIDED = 0.15
"""What the other classes may show, at most, of the excess of the class that errs: hardness hits all classes."""
MOST_CANDIDATES = 20
"""Slices that a model is fitted outside of."""
LEANS = 2.0
"""Standard errors of the mean doubt from which a level is tried."""
MOST_SEARCHED = 20_000
"""Rows that candidates are looked for in; a fair draw, as rows stand in no meaningful order."""
MOST_VALUES = 30_000
"""Rows x classes outside a slice that a model is fitted on and compared with."""
CONTROL = 0.3
"""Share of the rows outside that the model does not see either: what labels elsewhere look like to it."""
FEWEST, SMALLEST_SHARE = 50, 0.01
"""Rows that a slice needs, and their share of all."""
NEARLY_NONE = 0.01
"""Share of labels of the other class up to which a slice counts as all of one."""
MOST_COVERED = 1 / 3
"""Share of a slice's rows that may belong to slices before it."""
RESTATES = 0.1
"""A column restates the label if the commonest label of its bins errs this little against the commonest of all."""
PRIOR_ROWS = 10
"""Rows of elsewhere that the rates of a slice are drawn towards."""


Rates = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Counts of labels (n_classes, n_classes) among rows that a model is sure of, and those rows (n_classes,)."""


@dataclass(frozen=True)
class Place:
    """A slice seen from outside.

    Parameters
    ----------
    predicates : tuple of Predicate
    rows : int array of shape (n_inside,), positions
    scores : float array of shape (n_inside, n_classes), of the model fitted outside
    """

    predicates: tuple[Predicate, ...]
    rows: NDArray[np.intp]
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class Outside:
    """A slice whose labels contradict a model of the rows outside it.

    Parameters
    ----------
    place : Place
    transition : float array (n_classes, n_classes), rate of labels i where the model is sure of class j
    suggested, given : int, the pair of classes with the largest excess
    excess : (value, low, high), rate of that pair inside minus elsewhere
    evidence : float, standard errors of that excess
    one_sided : bool, True if labels of one class err materially, beyond chance, and the others do not
    """

    place: Place
    transition: NDArray[np.float64]
    suggested: int
    given: int
    excess: tuple[float, float, float]
    evidence: float
    one_sided: bool


def contradicted(table: EvaluationTable, doubt: NDArray[np.float64], random_state: int) -> list[Outside]:
    """Slices whose labels contradict a model of the rows outside them, the clearest first; rows may overlap.

    Parameters
    ----------
    table : EvaluationTable with classes
    doubt : float array of shape (n_rows,), 1 - probability of the given label: slices where it is high are tried
    random_state : int
    """
    explained = doubt <= 1 - SURE
    tried = candidates(table, doubt)
    learner = Learner(table, random_state) if tried else None
    seen = [_seen_from_outside(table, item, explained, learner) for item in tried if learner is not None]
    return sorted((item for item in seen if item is not None), key=lambda item: -item.evidence)


@dataclass(frozen=True)
class Unobserved:
    """Rows whose label nobody has observed.

    Parameters
    ----------
    column : str, which is missing there
    rows : int array, their positions
    given : int, the class that (nearly) all of them have
    """

    column: str
    rows: NDArray[np.intp]
    given: int


def unobserved(table: EvaluationTable, scores: NDArray[np.float64]) -> list[Unobserved]:
    """Columns beside the model whose missing values decided the label of a binary task, with the rows.

    `arr_delay > 15` is false for a missing delay: where a column that the model does not see is missing, (nearly) all
    labels are of the class that a comparison with a missing value comes out as, although the scores expect the other
    one by more than BEYOND standard errors, and where it is there both labels occur. Of 0 and 1 that class is 0; of
    classes with names it may be either. A column that tells the label on both sides is a copy of it, not its source.

    Parameters
    ----------
    table : EvaluationTable
    scores : float array of shape (n_rows, 2), probabilities of the classes

    Returns
    -------
    list of Unobserved, most rows first; a column adds nothing to one before it that holds most of its rows
    """
    if table.task != "binary":
        return []
    found: list[Unobserved] = []
    for name in sorted(set(table.slice_columns) - set(table.features)):
        missing = table.frame[name].isna().to_numpy(dtype=bool)
        found.extend(
            Unobserved(name, np.flatnonzero(missing), given)
            for given in comparisons(table.outcomes.classes)
            if _is_unobserved(missing, table.outcomes.y != given, scores[:, 1 - given])
        )
    found.sort(key=lambda item: -len(item.rows))
    covered = np.zeros(len(table), dtype=bool)
    kept = []
    for item in found:
        if covered[item.rows].mean() <= MOST_COVERED:
            kept.append(item)
            covered[item.rows] = True
    return kept


def comparisons(classes: tuple[Label, ...]) -> tuple[int, ...]:
    """Positions of the classes that a comparison with a missing value may have come out as: 0 of 0 and 1 (or false)."""
    return (0,) if classes == (0, 1) else tuple(range(len(classes)))


def _is_unobserved(missing: NDArray[np.bool_], others: NDArray[np.bool_], chance: NDArray[np.float64]) -> bool:
    """Whether rows with a missing value are hardly ever of the other class, against its chance; elsewhere some are."""
    rows = np.flatnonzero(missing)
    if not FEWEST <= len(rows) <= len(missing) / 2 or others[rows].mean() > NEARLY_NONE:
        return False
    expected, spread = chance[rows].sum(), sqrt(float((chance[rows] * (1 - chance[rows])).sum()))
    return bool(expected - others[rows].sum() > BEYOND * spread and 1 - others[~missing].mean() > NEARLY_NONE)


# -- candidates -------------------------------------------------------------------------------------------------------


def candidates(table: EvaluationTable, doubt: NDArray[np.float64]) -> list[tuple[Predicate, ...]]:
    """Slices in which given labels are less probable than elsewhere, at most MOST_CANDIDATES.

    First those beyond chance, the predicates of a pair also alone; then levels, the most doubtful first.
    """
    n = min(len(table), MOST_SEARCHED)
    least = max(FEWEST, ceil(SMALLEST_SHARE * n))
    codes = table.outcomes.y[:n]
    known = [
        column
        for name in sorted(table.slice_columns)
        if isinstance(column := sliced_column(name, column_of(table, name, slice(n)), least), SlicedColumn)
        and not _restates(column.encoded.fine.bins, codes)
    ]
    if not known:
        return []
    lattice = Lattice([column.encoded for column in known], least)
    search = confirm(lattice, doubt[:n], alpha=ALPHA, suspicion=0)
    wide = [
        tuple(known[at].predicate(atom) for at, atom in lattice.predicates(found.index))
        for found in search.found
        if found.index >= 0
    ]
    narrow = sorted(
        (
            (z, (column.predicate(atom),))
            for column in known
            for atom, z in _doubted(column.encoded.fine, doubt[:n], codes)
        ),
        key=lambda item: -item[0],
    )
    wider = [one for whole in wide for one in (*((part,) for part in whole), whole)]
    tried = dict.fromkeys([*wider, *(one for _, one in narrow)])
    return [one for one in tried if all(_is_known_outside(part, table) for part in one)][:MOST_CANDIDATES]


def _is_known_outside(predicate: Predicate, table: EvaluationTable) -> bool:
    """Whether rows outside can tell what the label does inside: not what a number does beyond where they have it."""
    return not (isinstance(predicate, Within) and predicate.column in table.features)


def _doubted(cut: Cut, doubt: NDArray[np.float64], y: NDArray[np.intp]) -> list[tuple[Atom, float]]:
    """Levels of a column (missing is one) that lean to doubt, with z: the largest over the given labels."""
    k = int(y.max()) + 1
    rows = np.maximum(np.bincount(y, minlength=k), 1)
    centred = doubt - (np.bincount(y, doubt, minlength=k) / rows)[y]
    spread = np.bincount(y, centred**2, minlength=k) / rows
    key = cut.bins.astype(np.intp) * k + y
    n, gap = (np.bincount(key, part, minlength=cut.n_bins * k).reshape(-1, k) for part in (None, centred))
    z = (gap / np.sqrt(np.maximum(n * spread, 1e-12))).max(axis=1)
    bins = cut.member.argmax(axis=1)
    return [
        (atom, float(z[at])) for atom, at in zip(cut.atoms, bins, strict=True) if atom.kind != "range" and z[at] > LEANS
    ]


def _restates(bins: NDArray[np.int16], y: NDArray[np.intp]) -> bool:
    """Whether a column tells the label almost by itself, so that a slice of it is a slice of the label."""
    k = int(y.max()) + 1
    counts = np.bincount(bins.astype(np.intp) * k + y, minlength=(int(bins.max()) + 1) * k).reshape(-1, k)
    missed, base = len(y) - counts.max(axis=1).sum(), len(y) - np.bincount(y).max()
    return bool(missed <= RESTATES * base)


# -- one slice --------------------------------------------------------------------------------------------------------


def _seen_from_outside(
    table: EvaluationTable, predicates: tuple[Predicate, ...], explained: NDArray[np.bool_], learner: Learner
) -> Outside | None:
    y, k = table.outcomes.y, len(table.outcomes.classes)
    inside = all_hold(predicates, table.frame)
    rows, outside = np.flatnonzero(inside), np.flatnonzero(~inside)[: MOST_VALUES // k]
    n_control, own = ceil(CONTROL * len(outside)), {predicate.column for predicate in predicates}
    control, fitted = outside[:n_control], outside[n_control:]
    if not set(learner.names) - own or len(outside) < FEWEST or len(np.unique(y[fitted])) < 2:  # noqa: PLR2004
        return None
    scores = learner.fit(fitted, without=own)
    here, there = (
        flip_rates(y[part], scores(part), sure=SURE, explained=explained[part])
        for part in (rows[: MOST_VALUES // k], control)
    )
    return _compared(here, there, lambda: Place(predicates, rows, scores(rows)))


def _compared(here: Rates, there: Rates, place: Callable[[], Place]) -> Outside | None:
    """Rates of labels inside and elsewhere where the outside model is sure; None if they agree."""
    (counts, n), (base_counts, m) = here, there
    rate, usual = counts / np.maximum(n, 1)[:, None], base_counts / np.maximum(m, 1)[:, None]
    pooled = (counts + base_counts + 0.5) / (n + m + 1)[:, None]
    spread = np.sqrt(pooled * (1 - pooled) * (1 / np.maximum(n, 1) + 1 / np.maximum(m, 1))[:, None])
    judged = (n >= FEWEST_SURE) & (m >= FEWEST_SURE)
    z = np.where(judged[:, None], (rate - usual) / spread, -np.inf)
    np.fill_diagonal(z, -np.inf)
    suggested, given = (int(at) for at in np.unravel_index(z.argmax(), z.shape))
    p, q = float(rate[suggested, given]), float(usual[suggested, given])
    if not (z[suggested, given] > BEYOND and p - q >= MATERIAL):
        return None
    half = NORMAL_95 * sqrt(p * (1 - p) / n[suggested] + q * (1 - q) / m[suggested])
    excess = np.diag(usual) - np.diag(rate)
    others = excess[judged & (np.arange(len(n)) != suggested)]
    return Outside(
        place=place(),
        transition=(counts + PRIOR_ROWS * even_rates(base_counts)) / (n + PRIOR_ROWS)[:, None],
        suggested=suggested,
        given=given,
        excess=(p - q, p - q - half, p - q + half),
        evidence=float(z[suggested, given]),
        one_sided=bool(p - q - half >= MATERIAL and len(others) and np.median(others) <= ONE_SIDED * excess[suggested]),
    )
