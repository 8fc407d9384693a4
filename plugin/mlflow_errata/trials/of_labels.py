"""Several labels a row on the bench: one model for all of them, a threshold for each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata import fitting, recipe
from mlflow_errata.errors import NotTried
from mlflow_errata.metric import UNKNOWN, catalogued
from mlflow_errata.model import ask
from mlflow_errata.trials.bench import FEWEST_ROWS, Bench, Said
from mlflow_errata.trials.objective import best_threshold, objective_of_metric, objective_of_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlflow_errata.metric import Outcomes
    from mlflow_errata.training import TrainingSet
    from mlflow_errata.trials.judges import Judge
    from mlflow_errata.trials.variants import Steps, Variant

    Rows = NDArray[np.intp]

HALF = 0.5
"""Score from which a label is predicted where its threshold is not chosen."""
FEWEST_RARE = 20
"""Rows of the rarer answer below which a label keeps its threshold."""
COUNTED = {"hamming_loss": "accuracy", "subset_accuracy": "accuracy"}
"""What a threshold is chosen by, label by label, where that is not its F1."""


class LabelsBench(Bench):
    """A bench whose predictions are of shape (n_rows, n_labels).

    A threshold of a label is chosen by what the label is worth alone: its value where cells are declared, its accuracy
    for metrics that count wrong labels, else its F1.
    """

    def fitted_by(self, steps: Steps, newer: TrainingSet | None = None, *, seed: int | None = None) -> Any:
        """The model fitted by some steps, on all labels at once.

        Raises
        ------
        NotTried
            Also where some training rows have labels that are not known.
        """
        if self.train is None:
            raise NotTried("needs the training rows")
        rows = with_matrix(recipe.training(steps, self.train, newer), self.table.roles.labels)
        if len(rows.y) < FEWEST_ROWS:
            raise NotTried("leaves too few rows to fit on")
        blank = fitting.unfitted(self.estimator, seed=seed, one_thread=True)
        try:
            return fitting.fit(recipe.altered(steps, blank, rows.X, classes=True), rows)
        except Exception as cause:  # whatever an estimator raises is a reason, and the other trials go on
            raise NotTried(f"the fit failed: {type(cause).__name__}: {' '.join(str(cause).split())[:200]}") from cause

    def _asked(self, found: Said, fitted: Any, rows: Rows) -> Said:
        n_labels = len(self.table.roles.labels)
        try:
            output = ask(fitted, self.table.frame.iloc[rows], self.table.features, n_labels)
        except Exception as cause:
            raise NotTried(f"its answers cannot be used: {type(cause).__name__}: {str(cause)[:200]}") from cause
        if output.prediction is None and output.scores is None:
            raise NotTried("it says nothing of the labels")
        said = output.scores if output.prediction is None else output.prediction
        found.prediction[rows] = np.asarray(said) >= HALF
        if output.scores is None:
            return replace(found, scores=None)
        scores = np.zeros(found.prediction.shape) if found.scores is None else found.scores
        scores[rows] = output.scores
        return replace(found, scores=scores)

    def outcomes(self, variant: Variant, judge: Judge) -> Outcomes:
        """Labels beside what a variant says of the judging rows; thresholds chosen by other rows."""
        said, whole = self.said(variant), self.table.outcomes
        prediction = said.prediction.copy()
        if variant.cut is not None:
            for split in judge.splits:
                chosen = self._chosen(said, split.choose)
                prediction[split.judge] = _scores(said)[split.judge] >= chosen
        return replace(whole, prediction=prediction, scores=said.scores).take(judge.rows)

    def settled(self, variant: Variant) -> dict[str, Any]:
        """The thresholds that all known rows choose, by label."""
        if variant.cut is None:
            return {}
        judge = self.judge_of(variant)
        chosen = self._chosen(self.said(variant), judge.known if variant.rows is None else judge.rows)
        return {"thresholds": dict(zip(self.table.roles.labels, chosen.tolist(), strict=True))}

    def _chosen(self, said: Said, rows: Rows) -> NDArray[np.float64]:
        """The threshold of every label, on some rows; HALF where the rows are too few.

        Raises
        ------
        NotTried
            Where no label has rows enough.
        """
        scores = _scores(said)
        whole = replace(self.table.outcomes, prediction=said.prediction, scores=scores).take(rows)
        found = np.full(scores.shape[1], HALF)
        for at in range(scores.shape[1]):
            alone = whole.of_label(at)
            if len(alone) and np.bincount(alone.y, minlength=2).min() >= FEWEST_RARE:
                known = self.table.frame.iloc[rows[whole.y[:, at] != UNKNOWN]]
                cut = best_threshold(self._worth(alone), known, alone)
                found[at] = HALF if cut is None else cut
        if (found == HALF).all():
            raise NotTried(f"needs a label with {FEWEST_RARE} rows of either answer to choose a threshold by")
        return found

    def _worth(self, alone: Outcomes) -> Any:
        if isinstance(self.value, dict):
            return objective_of_value(self.value)
        entry = catalogued(COUNTED.get(self.objective.unit, "f1"))
        if entry is None:
            raise NotTried("no metric to choose thresholds by")
        return objective_of_metric(entry.metric, alone)


def _scores(said: Said) -> NDArray[np.float64]:
    if said.scores is None:
        raise NotTried("needs scores")
    return said.scores


def with_matrix(train: TrainingSet, labels: tuple[str, ...]) -> TrainingSet:
    """A training set of tuples of labels with a column of 0 and 1 for each.

    Raises
    ------
    NotTried
        Where a label is not known.
    """
    y: Any = pd.DataFrame(train.y.tolist(), columns=list(labels), index=train.X.index)
    unknown = int(y.isna().any(axis=1).sum())
    if unknown:
        raise NotTried(f"{unknown} training rows have labels that are not known, which the estimator cannot leave out")
    return replace(train, y=y.astype("int64"))


def as_fitted(train: TrainingSet, labels: tuple[str, ...]) -> TrainingSet:
    """The training set as an estimator takes it; as it is where it cannot, which the trials then say."""
    try:
        return with_matrix(train, labels) if labels else train
    except NotTried:
        return train
