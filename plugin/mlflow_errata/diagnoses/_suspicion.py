"""What is thought of every label, corrected slice by slice."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlflow_errata.diagnoses._outside import SURE
from mlflow_errata.diagnoses._worklist import ELSEWHERE
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Label
from mlflow_errata.predicates import IsMissing, Predicate, all_hold
from mlflow_errata.stats.labels import confident_class, even_rates, flip_rates, runner_up, self_confidence, suspicion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._outside import Outside, Unobserved
    from mlflow_errata.metric import Outcomes

UNIT = "share of labels"
NORMAL_95 = 1.96


@dataclass(frozen=True)
class SuspectSlice:
    """A slice whose labels are in doubt.

    Parameters
    ----------
    predicates : tuple of Predicate, all of which hold
    support : int, rows inside
    kind : "contradicted": a model fitted on the rows outside is sure of another label far more often than elsewhere;
        "unobserved": a column that the model does not see is missing, and the label is always the same
    given, suggested : the pair of labels that stands out
    noise_rate : Estimate, share of the labels inside that may be wrong
    evident : bool, False where all classes are contradicted alike, which a slice that is hard to predict shows too
    """

    predicates: tuple[Predicate, ...]
    support: int
    kind: Literal["contradicted", "unobserved"]
    given: Label
    suggested: Label
    noise_rate: Estimate
    evident: bool

    @property
    def conditions(self) -> tuple[str, ...]:
        """The predicates as text."""
        return tuple(str(predicate) for predicate in self.predicates)

    def mask(self, frame: object) -> NDArray[np.bool_]:
        """Rows of any frame (pandas, polars, Spark, pyarrow) with these columns that belong to the slice."""
        return all_hold(self.predicates, frame)


class View:
    """What is thought of every label, corrected slice by slice; the first slice that holds a row has it."""

    def __init__(self, outcomes: Outcomes, scores: NDArray[np.float64]) -> None:
        self.outcomes, self.y, self.scores = outcomes, outcomes.y, scores
        self.confidence = self_confidence(self.y, scores)
        self.score = suspicion(self.y, scores, even_rates(flip_rates(self.y, scores, sure=SURE)[0]))
        self.suggested = runner_up(self.y, scores)
        self.stratum = np.full(len(self.y), ELSEWHERE)
        self.slices: list[SuspectSlice] = []
        self.judged = scores

    def forget(self, found: Unobserved) -> None:
        """Take labels as never observed."""
        rows, pair = found.rows, (found.given, 1 - found.given)
        new = self._claim(rows)
        self.score[new] = 1.0
        expected = float(self.scores[rows, 1 - found.given].mean())
        low = max(0.0, expected - NORMAL_95 * sqrt(expected * (1 - expected) / len(rows)))
        missing = (IsMissing(found.column),)
        self._add(missing, len(rows), "unobserved", pair=pair, rate=(expected, low, 1.0), evident=True)

    def correct(self, found: Outside) -> None:
        """Judge the rows of a slice by a model fitted outside it, with the slice's own rates."""
        place = found.place
        new = self.stratum[place.rows] == ELSEWHERE
        if not new.any():
            return
        rows, inside = self._claim(place.rows), place.scores[new]
        self.judged = self.scores.copy() if self.judged is self.scores else self.judged
        self.judged[rows] = inside
        self.score[rows] = suspicion(self.y[rows], inside, found.transition)
        self.suggested[rows] = runner_up(self.y[rows], inside)
        share = float(place.scores[:, found.suggested].mean())
        rate = tuple(min(1.0, max(0.0, share * end)) for end in found.excess)
        pair = (found.given, found.suggested)
        self._add(place.predicates, len(place.rows), "contradicted", pair=pair, rate=rate, evident=found.one_sided)

    def _claim(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        new: NDArray[np.intp] = rows[self.stratum[rows] == ELSEWHERE]
        self.stratum[new] = len(self.slices)
        return new

    def _add(
        self,
        predicates: tuple[Predicate, ...],
        n: int,
        kind: Literal["contradicted", "unobserved"],
        *,
        pair: tuple[int, int],
        rate: tuple[float, ...],
        evident: bool,
    ) -> None:
        given, suggested = pair
        value, low, high = rate
        self.slices.append(
            SuspectSlice(
                predicates=predicates,
                support=n,
                kind=kind,
                given=self.outcomes.classes[given],
                suggested=self.outcomes.classes[suggested],
                noise_rate=Estimate(value, low, high, n=n, unit=UNIT),
                evident=evident,
            )
        )

    def confident(self) -> NDArray[np.intp]:
        """The class that each row confidently belongs to, or -1; the suggestion where a label was never observed."""
        found = confident_class(self.y, self.judged)
        never = [at for at, item in enumerate(self.slices) if item.kind == "unobserved"]
        forgotten = np.isin(self.stratum, never)
        found[forgotten] = self.suggested[forgotten]
        found[~np.asarray(self.judged.any(axis=0))[self.y]] = -1
        return found

    @property
    def evident_errors(self) -> float:
        """Errors that evident slices ask for, at least."""
        return sum(
            item.noise_rate.low * int((self.stratum == at).sum()) for at, item in enumerate(self.slices) if item.evident
        )
