"""Label issues: given labels that the evidence contradicts, and how many of them may be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._outside import contradicted, unobserved
from mlflow_errata.diagnoses._pitfalls import Conflict, Stratum, conflicts, strata
from mlflow_errata.diagnoses._suspicion import UNIT, SuspectSlice, View
from mlflow_errata.diagnoses._worklist import ELSEWHERE, Audit, Ranked, Worklist
from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.stats.intervals import wilson
from mlflow_errata.stats.labels import (
    calibrated_joint,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.metric import Outcomes
    from mlflow_errata.table import EvaluationTable

NAME = "label_issues"
FEWEST = 50
"""Rows below which thresholds of confidence mean nothing."""
FAR = 4.0
"""Robust standard deviations from which a residual of a regression counts as a contradiction."""
SLACK = 1e-3
"""By which the scores of a row may miss a sum of 1."""
MOST_PAIRS = 50
MOST_BINS, ROWS_OF_A_BIN = 10, 100
"""Bins of similar predictions for a regression, and the rows that each needs."""


@dataclass(frozen=True)
class ClassNoise:
    """Labels of one class.

    Parameters
    ----------
    label : the given label
    support : int, rows given it
    noise_rate : Estimate, share of them that may be wrong
    """

    label: Label
    support: int
    noise_rate: Estimate


@dataclass(frozen=True)
class ClassPair:
    """Flagged rows given one label that rather belong to another class.

    Parameters
    ----------
    given, suggested : labels
    support : int, flagged rows
    share : float, of the rows given the label
    """

    given: Label
    suggested: Label
    support: int
    share: float


@dataclass(frozen=True)
class LabelIssues:
    """Given labels from most to least suspicious, and how many may be wrong.

    Parameters
    ----------
    noise_rate : Estimate, share of labels that are wrong. Before an audit: the value if every confident contradiction
        is an error; low what evidence beyond hard rows asks for (0 without any); after it what the audit leaves
    n_flagged : int, labels in doubt: as many as rows confidently belong to another class, the first of the ranking
    n_flagged_errors : int, those of them that the model is counted wrong on
    n_errors : int, rows that the model is counted wrong on; 0 for regression
    worklist : Worklist, the first rows of the ranking and a draw of the flagged ones: what a record stores
    classes : tuple of ClassNoise, noisiest first
    pairs : tuple of ClassPair, most rows first
    slices : tuple of SuspectSlice, most suspicious first
    strata : tuple of Stratum, where flags pile up though labels may be right
    conflicts : tuple of Conflict, some rows that agree in every column and not in the label
    n_conflicts : int, rows that have such a twin
    audit : Audit or None, what a person found
    """

    noise_rate: Estimate
    n_flagged: int
    n_flagged_errors: int
    n_errors: int
    worklist: Worklist
    classes: tuple[ClassNoise, ...] = ()
    pairs: tuple[ClassPair, ...] = ()
    slices: tuple[SuspectSlice, ...] = ()
    strata: tuple[Stratum, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    n_conflicts: int = 0
    audit: Audit | None = None

    @property
    def found(self) -> bool:
        """Labels err beyond what hard rows explain; after an audit: enough flags of a stratum are errors."""
        if self.audit is not None:
            return any(part.is_worth_it for part in self.audit.strata)
        return self.noise_rate.low > 0

    @property
    def headline(self) -> Estimate:
        """The noise rate."""
        return self.noise_rate

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """Every row as id, given, suggested, score, most suspicious first; of a stored record its worklist alone.

        Scores lie in [0, 1]; 1 stands for a label that was never observed.
        """
        return self.worklist.frame()


RESULT = LabelIssues


def diagnose(table: EvaluationTable, options: Options) -> LabelIssues:
    """Rank given labels by how strongly out-of-sample scores contradict them, and bound how many are wrong.

    Classes: as many labels are flagged as rows confidently belong to another class (Northcutt 2021), the most
    suspicious first. Suspicion of a label is
    the chance that it is wrong if labels err at a usual, even rate, which ranks by self-confidence; in a slice whose
    labels contradict a model fitted on the rows outside it (leave-slice-out) that model's scores and the slice's own
    rates count, since the model under diagnosis may have learned the slice's errors. Labels that are always the same
    where a column that the model does not see is missing come first: comparisons with a missing value are false.
    Numbers: residuals in robust standard deviations of the rows with similar predictions.

    Flags are no errors: hard rows, rare classes and drift raise them too. The interval of the noise rate therefore
    starts at 0 unless slices show errors of one class only, or labels that were never observed.

    Raises
    ------
    NotApplicable
        Without scores, with fewer than 50 rows, with one class, if scores are no probabilities, and of several labels.

    Notes
    -----
    Rows count alike, whatever their weight. With a budget of 0 nothing is fitted, so no slice is seen from outside.

    References
    ----------
    Northcutt, Jiang & Chuang 2021, "Confident learning", doi:10.1613/jair.1.12125
    """
    if table.task == "multilabel":
        raise NotApplicable("checks one label a row; of several labels, diagnose each by itself: label='...'")
    if len(table) < FEWEST:
        raise NotApplicable(f"needs {FEWEST} rows or more; there are {len(table)}")
    if table.task == "regression":
        return _of_numbers(table)
    seen = View(table.outcomes, _probabilities(table.outcomes))
    for never in unobserved(table, seen.scores):
        seen.forget(never)
    for found in contradicted(table, 1 - seen.confidence, options.random_state) if options.budget > 0 else ():
        seen.correct(found)
    return _of_classes(table, seen)


# -- classes ----------------------------------------------------------------------------------------------------------


def _of_classes(table: EvaluationTable, seen: View) -> LabelIssues:
    outcomes, n = table.outcomes, len(table)
    confident = seen.confident()
    order = np.lexsort((seen.confidence, -seen.score))
    flagged = np.zeros(n, dtype=bool)
    flagged[order[: int(((confident >= 0) & (confident != seen.y)).sum())]] = True
    joint = calibrated_joint(seen.y, confident, len(outcomes.classes))
    twins, n_conflicts = conflicts(table)
    ranked = Ranked(
        order=order,
        given=outcomes.named(seen.y),
        suggested=outcomes.named(seen.suggested),
        score=seen.score,
        flagged=flagged,
        stratum=seen.stratum,
    )
    result = LabelIssues(
        noise_rate=_noise(float(1 - np.trace(joint)), n, low=seen.evident_errors / n),
        n_flagged=int(flagged.sum()),
        n_flagged_errors=int(table.errors[flagged].sum()),
        n_errors=int(table.errors.sum()),
        worklist=ranked.worklist(table.ids),
        classes=_classes(outcomes, joint),
        pairs=_pairs(outcomes, seen.suggested, flagged),
        slices=tuple(seen.slices),
        strata=strata(table, flagged),
        conflicts=twins,
        n_conflicts=n_conflicts,
    )
    return with_ranking(result, ranked.frame(table.ids))


def with_ranking(result: LabelIssues, ranking: pd.DataFrame) -> LabelIssues:
    """The result with all rows ranked: the cached property is filled before it is asked for."""
    vars(result)["ranking"] = ranking
    return result


def _probabilities(outcomes: Outcomes) -> NDArray[np.float64]:
    if outcomes.scores is None:
        raise NotApplicable("needs scores; predicted labels alone cannot rank given labels")
    scores = outcomes.scores
    low, high = float(scores.min()), float(scores.max())
    if low < 0 or high > 1 + SLACK:
        raise NotApplicable(f"needs probabilities; the scores lie in [{low:.4g}, {high:.4g}]")
    if len(np.unique(outcomes.y)) < 2:  # noqa: PLR2004 - a label can only be mistaken for another
        raise NotApplicable(f"needs two classes or more; every label is {outcomes.classes[outcomes.y[0]]!r}")
    total = scores.sum(axis=1)
    if (np.abs(total - 1) <= SLACK).all():
        return scores
    if (total <= 0).any():
        raise NotApplicable("needs probabilities; the scores of some rows are all 0")
    return np.asarray(scores / total[:, None], dtype=np.float64)


def _noise(value: float, n: int, *, low: float = 0.0) -> Estimate:
    """A share of labels: from what evidence asks for to Wilson's upper end of what may be."""
    value = max(value, low, 0.0)
    return Estimate(value, low, wilson(min(value, 1.0) * n, n)[2], n=n, unit=UNIT)


def _classes(outcomes: Outcomes, joint: NDArray[np.float64]) -> tuple[ClassNoise, ...]:
    support = np.bincount(outcomes.y, minlength=len(joint))
    given = joint.sum(axis=1)
    rate = np.where(support > 0, 1 - np.diag(joint) / np.where(given > 0, given, 1), 0.0)
    order = [code for code in np.lexsort((np.arange(len(rate)), -rate)) if support[code]]
    return tuple(
        ClassNoise(outcomes.classes[code], int(support[code]), _noise(float(rate[code]), int(support[code])))
        for code in order
    )


def _pairs(outcomes: Outcomes, suggested: NDArray[np.intp], flagged: NDArray[np.bool_]) -> tuple[ClassPair, ...]:
    k = len(outcomes.classes)
    support = np.bincount(outcomes.y, minlength=k)
    counts = np.bincount(outcomes.y[flagged] * k + suggested[flagged], minlength=k * k).reshape(k, k)
    given, said = np.nonzero(counts)
    largest = np.lexsort((said, given, -counts[given, said]))[:MOST_PAIRS]
    return tuple(
        ClassPair(outcomes.classes[i], outcomes.classes[j], int(counts[i, j]), float(counts[i, j] / support[i]))
        for i, j in zip(given[largest], said[largest], strict=True)
    )


# -- numbers ----------------------------------------------------------------------------------------------------------


def _of_numbers(table: EvaluationTable) -> LabelIssues:
    """Residuals in robust standard deviations (1.4826 x median) of the rows with a similar prediction."""
    outcomes, n = table.outcomes, len(table)
    size = np.abs(outcomes.y - outcomes.prediction)
    n_bins = max(1, min(MOST_BINS, n // ROWS_OF_A_BIN))
    rank = np.argsort(np.argsort(outcomes.prediction, kind="stable"), kind="stable")
    group = rank * n_bins // n
    spread = np.array([1.4826 * np.median(size[group == at]) for at in range(n_bins)])
    spread = np.where(spread > 0, spread, max(float(spread.max()), np.finfo(float).tiny))
    far = size / spread[group]
    flagged = far > FAR
    ranked = Ranked(
        order=np.argsort(-far, kind="stable"),
        given=outcomes.y,
        suggested=outcomes.prediction,
        score=far / (1 + far),
        flagged=flagged,
        stratum=np.full(n, ELSEWHERE),
    )
    twins, n_conflicts = conflicts(table)
    result = LabelIssues(
        noise_rate=_noise(float(flagged.mean()), n),
        n_flagged=int(flagged.sum()),
        n_flagged_errors=0,
        n_errors=0,
        worklist=ranked.worklist(table.ids),
        strata=strata(table, flagged),
        conflicts=twins,
        n_conflicts=n_conflicts,
    )
    return with_ranking(result, ranked.frame(table.ids))
