"""Framing: whether the question is put to the model in the form in which it is answered best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlflow_errata.diagnoses._arrivals import Arrivals, arrivals
from mlflow_errata.diagnoses._hierarchy import Hierarchy, hierarchies
from mlflow_errata.diagnoses._order import ClassOrder, class_order
from mlflow_errata.diagnoses._questions import NumberBehind, Question, codes_in_order, number_behind, questions
from mlflow_errata.diagnoses._rare import TooRare, too_rare
from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.errors import NotApplicable

if TYPE_CHECKING:
    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.table import EvaluationTable

NAME = "framing"
CODES = {"groups": "ERR901", "arrivals": "ERR902", "rare": "ERR903", "order": "ERR904"}
"""Code of everything that can be found."""
EACH = ALPHA / len(CODES)
"""Chance of a false alarm that each of them may take."""


@dataclass(frozen=True)
class Framing:
    """The label as a set of classes, or as a number, and what else it could be.

    Parameters
    ----------
    hierarchies : tuple of Hierarchy, classes in groups: those of columns first, then those found in the confusions
    arrivals : Arrivals or None without training rows: classes that no training row has
    rare : TooRare or None, classes with too few training rows
    order : ClassOrder or None, where the classes have an order
    behind : NumberBehind or None, the number that the classes are ranges of
    questions : tuple of Question, of a regression: columns that hold classes of its number
    """

    hierarchies: tuple[Hierarchy, ...] = ()
    arrivals: Arrivals | None = None
    rare: TooRare | None = None
    order: ClassOrder | None = None
    behind: NumberBehind | None = None
    questions: tuple[Question, ...] = ()

    @property
    def alarms(self) -> tuple[str, ...]:
        """What was found: keys of CODES. A number behind the label is no fault, only another way to ask."""
        found = {
            "groups": any(item.found for item in self.hierarchies),
            "arrivals": self.arrivals is not None and self.arrivals.found,
            "rare": self.rare is not None and self.rare.found,
            "order": self.order is not None and self.order.found,
        }
        return tuple(name for name in CODES if found[name])

    @property
    def found(self) -> bool:
        """The classes have a structure that the model is not told, or cannot follow, beyond chance."""
        return bool(self.alarms)

    @property
    def headline(self) -> Estimate | None:
        """Share of the wrong rows that stay within their group; else what is known of order, arrivals, the number."""
        grouped = [item for item in self.hierarchies if item.found or item.column is not None]
        if grouped:
            return grouped[0].within
        if self.order is not None:
            return self.order.apart
        if self.arrivals is not None and self.arrivals.classes:
            return self.arrivals.classes[0].share
        return self.questions[0].told if self.questions else None


RESULT = Framing


def diagnose(table: EvaluationTable, options: Options) -> Framing:  # noqa: ARG001 - the shared shape
    """Look for structure among the classes, and for a number behind them or classes beside a number.

    Four verdicts, each at a quarter of the 5 % that alarms may cost. Groups: wrong rows stay within a group of
    classes far more than the popularity of the classes lets expect; the groups are those of a column that is a function
    of the class, or are found in the confusions of half of the rows and judged by the other half. Arrivals: classes
    without a training row, more or more frequent than a fair draw leaves out. Rare: classes with fewer than 30 training
    rows are recalled worse than the others. Order: wrong rows are nearer in the order of the classes than popularity
    lets expect.

    Raises
    ------
    NotApplicable
        For several labels; for two classes without a number behind them; for a number
        that no column cuts into classes.
    """
    task = table.task
    if task == "multilabel":
        raise NotApplicable("needs one label column; several labels are a yes or no each, which is their framing")
    if task == "regression":
        asked = questions(table)
        if not asked:
            raise NotApplicable("needs a column, not seen by the model, that cuts the label into classes")
        return Framing(questions=asked)
    behind = number_behind(table)
    if task == "binary":
        if behind is None:
            raise NotApplicable("needs three classes, or a column of numbers, not seen by the model, behind the label")
        return Framing(behind=behind)
    return Framing(
        hierarchies=hierarchies(table, EACH),
        arrivals=arrivals(table, EACH),
        rare=too_rare(table, EACH),
        order=class_order(table, codes_in_order(table, behind), EACH),
        behind=behind,
    )
