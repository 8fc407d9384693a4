"""Class imbalance: rare classes, and whether the model pays for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.diagnoses._rare_inside import RareInside, rare_inside
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.diagnoses._together import LabelsTogether, together
from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.stats.intervals import difference, mean_or_share, wilson
from mlflow_errata.stats.precision import average_precision_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.metric import Outcomes
    from mlflow_errata.table import EvaluationTable

NAME = "class_imbalance"
FEWEST = 10
"""Rows below which a class is too small to judge."""
WORTH_A_LOOK = 0.05
"""Recall that a rare class must fall short of the commonest by, beside being beyond chance."""
RARE = 0.5
"""A class is rare with at most this share of the rows of the commonest class."""
MOST_CONFUSIONS = 210
"""Every pair of 15 classes, so that their matrix is whole; of more classes the most frequent pairs."""


@dataclass(frozen=True)
class ClassShare:
    """One class of the label, or one label of several.

    Parameters
    ----------
    label : the class in the user's own value, or the label's column
    support : int, rows of this class
    share : Estimate, of all rows
    recall : Estimate or None if the class has no rows
    precision : Estimate or None if the class is never predicted
    judged : bool, False where the class has too few rows to say anything
    average_precision : Estimate or None without scores, or with fewer than two rows: how well the class's own score
        ranks its rows before the others; about its share where the score tells nothing
    trained : Estimate or None without training rows, its share among them
    specificity : Estimate or None: of several labels, the share of the rows without the label that are told so
    """

    label: Label
    support: int
    share: Estimate
    recall: Estimate | None
    precision: Estimate | None
    judged: bool
    average_precision: Estimate | None = None
    trained: Estimate | None = None
    specificity: Estimate | None = None

    @property
    def odds(self) -> float | None:
        """Rows of the commoner answer / rows of the rarer, of one label of several; None where one has no rows."""
        sides = self.support, self.share.n - self.support
        return max(sides) / min(sides) if min(sides) else None


@dataclass(frozen=True)
class Confusion:
    """Rows of one class taken for another.

    Parameters
    ----------
    label, prediction : classes in the user's own values
    support : int, rows
    share : float, of the rows of `label`
    """

    label: Label
    prediction: Label
    support: int
    share: float


@dataclass(frozen=True)
class ClassImbalance:
    """Classes from most to least frequent.

    Parameters
    ----------
    imbalance_ratio : float, support of the commonest class / support of the rarest class with rows
    effective_classes : float, exp(entropy of the shares): the number of equally frequent classes that is as spread out
    classes : tuple of ClassShare, most frequent first, ties by class name
    confusions : tuple of Confusion, most rows first, at most 210
    hurts : rare labels whose recall is worse than that of the commonest class, beyond chance over all classes
    moved : labels whose share differs from that among the training rows, beyond chance over all classes
    inside : tuple of RareInside, classes that are rarer in a slice than elsewhere and recalled worse there, beyond
        chance over all; those with the most rows lost first
    together : LabelsTogether or None. Of several labels, where `classes` are labels (support, recall and precision are
        those of the rows that have the label), `confusions` are empty, and a label hurts if the rarer of its two
        answers is recalled worse than the other
    """

    imbalance_ratio: float
    effective_classes: float
    classes: tuple[ClassShare, ...]
    confusions: tuple[Confusion, ...]
    hurts: tuple[Label, ...]
    moved: tuple[Label, ...] = ()
    inside: tuple[RareInside, ...] = ()
    together: LabelsTogether | None = None

    @property
    def found(self) -> bool:
        """A rare class is recalled worse than the commonest; imbalance without harm asks for no step."""
        return bool(self.hurts)

    @property
    def headline(self) -> Estimate | None:
        """Recall of the rarest class that can be judged."""
        judged = [item.recall for item in self.classes if item.judged and item.recall is not None]
        return judged[-1] if judged else None


RESULT = ClassImbalance


def diagnose(table: EvaluationTable, options: Options) -> ClassImbalance:  # noqa: ARG001 - the shared shape
    """Compare the classes of the label.

    Recall = share of a class's rows that are predicted as this class, precision = share of the rows predicted as the
    class that belong to it, both with Wilson's interval (on Kish's effective number under weights). A rare class hurts
    if its recall lies below that of the commonest class by more than chance, Bonferroni over the classes compared.
    Several labels are as many binary problems, Bonferroni over the labels, too.

    Raises
    ------
    NotApplicable
        For regression, and where the label has one class only.
    """
    outcomes = table.outcomes
    if outcomes.task == "multilabel":
        return _of_labels(table)
    if outcomes.task == "regression":
        raise NotApplicable("needs classes; the label is a number")
    support = np.bincount(outcomes.y, minlength=len(outcomes.classes))
    present = np.flatnonzero(support)
    if len(present) < 2:  # noqa: PLR2004 - imbalance is between two
        raise NotApplicable(f"needs two classes or more; every label is {outcomes.classes[present[0]]!r}")
    order = _most_frequent_first(support, outcomes.classes)
    order = [code for code in order if support[code] or _is_predicted(outcomes, code)]
    trained = None if table.train is None else _trained(table.train.y, outcomes.classes)
    classes = tuple(_class_share(outcomes, code, None if trained is None else trained[code]) for code in order)
    return ClassImbalance(
        imbalance_ratio=float(support.max() / support[present].min()),
        effective_classes=_effective(support[present]),
        classes=classes,
        confusions=_confusions(outcomes),
        hurts=_hurts(outcomes, classes),
        moved=_moved(classes),
        inside=rare_inside(table),
    )


def _of_labels(table: EvaluationTable) -> ClassImbalance:
    """Every label as a binary problem of its own, and all of them together."""
    names, found, hurts = table.outcomes.classes, {}, []
    for name, alone in table.per_label():
        sides = _sides(alone)
        found[name] = replace(
            sides[1], label=name, judged=all(side.judged for side in sides), specificity=sides[0].recall
        )
        ordered = sorted(sides, key=lambda side: -side.support)
        if _hurts(alone.outcomes, tuple(ordered), ALPHA / len(names)):
            hurts.append(name)
    support = np.array([found[name].support for name in found])
    if not support.any():
        raise NotApplicable("needs a label that holds for some rows; none does")
    classes = tuple(list(found.values())[at] for at in _most_frequent_first(support, tuple(found)))
    present = support[support > 0]
    return ClassImbalance(
        imbalance_ratio=float(present.max() / present.min()),
        effective_classes=_effective(present),
        classes=classes,
        confusions=(),
        hurts=tuple(item.label for item in classes if item.label in hurts),
        moved=_moved(classes),
        together=together(table.outcomes),
    )


def _sides(alone: EvaluationTable) -> tuple[ClassShare, ClassShare]:
    """Rows without and with a label, as classes of its binary table."""
    trained = None if alone.train is None or len(alone.train.y) == 0 else _trained(alone.train.y, (0, 1))
    without, held = (_class_share(alone.outcomes, code, None if trained is None else trained[code]) for code in (0, 1))
    return without, held


def _most_frequent_first(support: NDArray[np.intp], labels: tuple[Label, ...]) -> list[int]:
    return sorted(range(len(support)), key=lambda code: (-support[code], str(labels[code])))


def _effective(support: NDArray[np.intp]) -> float:
    """exp(entropy of the shares)."""
    shares = support / support.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _is_predicted(outcomes: Outcomes, code: int) -> bool:
    return bool((outcomes.prediction == code).any())


def _trained(labels: pd.Series[Any], classes: tuple[Label, ...]) -> list[Estimate]:
    """Share of each class among the training rows."""
    whole = pd.api.types.is_float_dtype(labels.dtype) and bool((labels % 1 == 0).all())
    said = (labels.astype("int64") if whole else labels).astype(str)
    n = len(said)
    return [Estimate(*wilson(int((said == str(label)).sum()), n), n=n, unit="share of rows") for label in classes]


def _moved(classes: tuple[ClassShare, ...]) -> tuple[Label, ...]:
    """Labels whose share is another than in training, each tested at ALPHA / (number of classes)."""
    level = 1 - ALPHA / len(classes)
    found = []
    for item in classes:
        if item.trained is not None:
            before, now = (wilson(share.value * share.n, share.n, level=level) for share in (item.trained, item.share))
            _, low, high = difference(before, now)
            if low > 0 or high < 0:
                found.append(item.label)
    return tuple(found)


def _average_precision(outcomes: Outcomes, code: int) -> Estimate | None:
    if outcomes.scores is None:
        return None
    found = average_precision_interval(outcomes.scores[:, code], outcomes.y == code, outcomes.weight)
    return None if found is None else Estimate(*found, n=len(outcomes), unit="average precision")


def _class_share(outcomes: Outcomes, code: int, trained: Estimate | None) -> ClassShare:
    given, said = outcomes.y == code, outcomes.prediction == code
    support = int(given.sum())
    return ClassShare(
        label=outcomes.classes[code],
        support=support,
        share=Estimate(
            *mean_or_share(given.astype(np.float64), outcomes.weight), n=len(outcomes), unit="share of rows"
        ),
        recall=_rate(said[given], outcomes.weight, given, "recall"),
        precision=_rate(given[said], outcomes.weight, said, "precision"),
        judged=support >= FEWEST,
        average_precision=_average_precision(outcomes, code),
        trained=trained,
    )


def _rate(
    hits: NDArray[np.bool_], weight: NDArray[np.float64] | None, rows: NDArray[np.bool_], unit: str
) -> Estimate | None:
    part = None if weight is None else weight[rows]
    if len(hits) == 0:
        return None
    return Estimate(*mean_or_share(hits.astype(np.float64), part), n=len(hits), unit=unit)


def _hurts(outcomes: Outcomes, classes: tuple[ClassShare, ...], chance: float = ALPHA) -> tuple[Label, ...]:
    """Rare labels recalled worse than the commonest class, each tested at chance / (number of classes compared)."""
    commonest = classes[0]
    rare = [item for item in classes if item.judged and item.support <= RARE * commonest.support]
    if not rare:
        return ()
    level = 1 - chance / len(rare)
    base = _recall(outcomes, commonest.label, level)
    gaps = ((item.label, difference(base, _recall(outcomes, item.label, level))) for item in rare)
    return tuple(label for label, (gap, _, high) in gaps if gap <= -WORTH_A_LOOK and high < 0)


def _recall(outcomes: Outcomes, label: Label, level: float) -> tuple[float, float, float]:
    given = outcomes.y == outcomes.classes.index(label)
    hits = np.asarray(outcomes.prediction[given] == outcomes.y[given], dtype=np.float64)
    return mean_or_share(hits, None if outcomes.weight is None else outcomes.weight[given], level=level)


def _confusions(outcomes: Outcomes) -> tuple[Confusion, ...]:
    k = len(outcomes.classes)
    counts = np.bincount(outcomes.y * k + outcomes.prediction, minlength=k * k).reshape(k, k)
    support = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    given, said = np.nonzero(counts)
    largest = np.lexsort((said, given, -counts[given, said]))[:MOST_CONFUSIONS]
    return tuple(
        Confusion(
            outcomes.classes[given[at]],
            outcomes.classes[said[at]],
            int(counts[given[at], said[at]]),
            float(counts[given[at], said[at]] / support[given[at]]),
        )
        for at in largest
    )
