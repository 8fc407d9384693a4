"""Class imbalance: rare classes, and whether the model pays for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label

if TYPE_CHECKING:
    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.table import EvaluationTable

NAME = "class_imbalance"


@dataclass(frozen=True)
class ClassShare:
    """One class of the label.

    Parameters
    ----------
    label : the class in the user's own value
    support : int, rows of this class
    share : Estimate, of all rows
    recall : Estimate or None if the class has no rows
    precision : Estimate or None if the class is never predicted
    judged : bool, False where the class has too few rows to say anything
    """

    label: Label
    support: int
    share: Estimate
    recall: Estimate | None
    precision: Estimate | None
    judged: bool


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
    confusions : tuple of Confusion, most rows first, at most 20
    hurts : labels whose recall is worse than that of the commonest class, beyond chance over all classes
    """

    imbalance_ratio: float
    effective_classes: float
    classes: tuple[ClassShare, ...]
    confusions: tuple[Confusion, ...]
    hurts: tuple[Label, ...]

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


def diagnose(table: EvaluationTable, options: Options) -> ClassImbalance:
    """To be written."""
    raise NotApplicable(f"not written yet ({len(table)} rows, {options.metric.name})")
