"""More than two classes on the bench: decisions that weigh classes by how rare they are, or by what they are worth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.errors import NotTried
from mlflow_errata.table import value_lost
from mlflow_errata.trials.bench import Bench, Said

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.metric import Outcomes
    from mlflow_errata.trials.judges import Judge
    from mlflow_errata.trials.variants import Variant

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

POWERS = (0.25, 0.5, 0.75, 1.0)
"""How far probabilities are divided by the shares of the classes: 1 is all of it, best for the mean recall."""
SAME = 1e-9
"""By which values of rows may differ from those of a table of classes."""


class ClassesBench(Bench):
    """A bench of several classes, whose decisions are the class with the largest weight * probability.

    "told": what the value of each decision is in expectation, or probabilities divided by the shares of the classes
    (Bayes' decision for the mean recall). "tuned": divided by a power of the shares that other rows choose.
    """

    def outcomes(self, variant: Variant, judge: Judge) -> Outcomes:
        """Labels beside what a variant says of the judging rows; powers chosen by other rows."""
        if variant.cut is None:
            return super().outcomes(variant, judge)
        said = self.said(variant)
        scores = _scores(said)
        parts = [
            (_decided(scores[split.judge], self._worth(variant, said, split.choose)), scores[split.judge])
            for split in judge.splits
        ]
        return self.joined(judge, parts)

    def settled(self, variant: Variant) -> dict[str, Any]:
        """The weight of every class, or the worth of every decision, for the recipe."""
        if variant.cut is None:
            return {}
        judge = self.judge_of(variant)
        known = judge.known if variant.rows is None else judge.rows
        worth, classes = self._worth(variant, self.said(variant), known), self.table.outcomes.classes
        if np.count_nonzero(worth - np.diag(np.diag(worth))):
            return {"worth": {"classes": list(classes), "values": worth.tolist()}}
        return {"factors": [[label, factor] for label, factor in zip(classes, np.diag(worth).tolist(), strict=True)]}

    def balance_params(self, method: str) -> dict[str, Any]:
        """Parameters of the step that balances classes, in training or in the decision."""
        return {"method": "prior"} if method == "threshold" else super().balance_params(method)

    def _worth(self, variant: Variant, said: Said, rows: Rows) -> Floats:
        """What each decision (column) is worth for each class (row); shape (n_classes, n_classes)."""
        if variant.cut == "told":
            return np.diag(1 / self._shares(rows)) if self.value is None else self._declared()
        frame, found = self.table.frame.iloc[rows], []
        taken = self.taken(said, rows, 0.0)
        for power in POWERS:
            worth = np.diag(self._shares(rows) ** -power)
            decided = replace(taken, prediction=_decided(_scores(said)[rows], worth))
            found.append((self.objective.whole(frame, decided), power))
        return np.diag(self._shares(rows) ** -max(found)[1])

    def _shares(self, rows: Rows) -> Floats:
        """Shares of the classes among the training rows; among the rows given where there are none."""
        classes, y = list(self.table.outcomes.classes), self.table.outcomes.named(self.table.outcomes.y[rows])
        counts = (pd.Series(y) if self.train is None else self.train.y).value_counts().reindex(classes).fillna(0.0)
        return np.asarray(np.maximum(counts, 1.0) / counts.sum(), dtype=np.float64)

    def _declared(self) -> Floats:
        """The declared value of every decision for every class, where it depends on nothing else.

        Raises
        ------
        NotTried
        """
        whole, value, n = self.table.outcomes, self.value, len(self.table.outcomes.classes)
        if not callable(value) or self.table.value_lost is None:
            raise NotTried("the value does not say what each decision is worth for each class")
        y, said = (part.ravel() for part in np.indices((n, n)))
        every = replace(whole, y=y, prediction=said, scores=None, weight=None)
        try:
            lost = value_lost(self.table.frame.head(0), value, every).reshape(n, n)
        except Exception as cause:
            raise NotTried("the value of a decision depends on more than the two classes") from cause
        if np.abs(lost[whole.y, whole.prediction] - self.table.value_lost).max() > SAME:
            raise NotTried("the value of a decision depends on more than the two classes")
        return -lost


def _decided(scores: Floats, worth: Floats) -> NDArray[np.intp]:
    return np.asarray((scores @ worth).argmax(axis=1))


def _scores(said: Said) -> Floats:
    if said.scores is None:
        raise NotTried("needs scores")
    return said.scores
