"""Labels together: how many a row has, which are never seen or said, and how well all of them are told at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import UNKNOWN, resolve_metric
from mlflow_errata.stats.intervals import mean_interval

if TYPE_CHECKING:
    from mlflow_errata.metric import Outcomes

METRICS = ("hamming_loss", "subset_accuracy", "f1_micro", "f1_macro", "average_precision_macro")


@dataclass(frozen=True)
class LabelsTogether:
    """Several labels of a row at once.

    Parameters
    ----------
    density : Estimate, mean share of a row's known labels that hold
    predicted_density : Estimate, the same of the predictions
    n_labels : int
    unknown : float, share of all (row, label) pairs whose label is not known
    never_seen : labels that hold for no row
    never_predicted : labels that are predicted for no row
    metrics : tuple of Estimate, units name them: hamming_loss, subset_accuracy, f1_micro, f1_macro and, with scores,
        average_precision_macro; those that cannot be estimated are left out
    """

    density: Estimate
    predicted_density: Estimate
    n_labels: int
    unknown: float
    never_seen: tuple[str, ...]
    never_predicted: tuple[str, ...]
    metrics: tuple[Estimate, ...]

    @property
    def cardinality(self) -> float:
        """Labels that a row has on average: density x number of labels."""
        return self.density.value * self.n_labels


def together(outcomes: Outcomes) -> LabelsTogether:
    """Figures over all labels of a multilabel task; labels that are not known count nowhere."""
    known = outcomes.y != UNKNOWN
    held, said = (known & (part == 1) for part in (outcomes.y, outcomes.prediction))
    names = METRICS if outcomes.scores is not None else METRICS[:-1]
    measured = (resolve_metric(name, outcomes).estimate(outcomes) for name in names)
    density, predicted = (
        Estimate(
            *mean_interval(part.sum(axis=1) / known.sum(axis=1), outcomes.weight), n=len(outcomes), unit="label rate"
        )
        for part in (held, said)
    )
    never_seen, never_predicted = (
        tuple(str(outcomes.classes[at]) for at in np.flatnonzero(~part.any(axis=0))) for part in (held, said)
    )
    return LabelsTogether(
        density=density,
        predicted_density=predicted,
        n_labels=len(outcomes.classes),
        unknown=float(1 - known.mean()),
        never_seen=never_seen,
        never_predicted=never_predicted,
        metrics=tuple(item for item in measured if item is not None),
    )
