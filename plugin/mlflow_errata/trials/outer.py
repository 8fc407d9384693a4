"""Where decisions are cut from the scores by another hand than the model's: what is fitted again is cut there, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.diagnoses._thresholds import own_threshold
from mlflow_errata.errors import InputError
from mlflow_errata.model import ask

if TYPE_CHECKING:
    from mlflow_errata.table import EvaluationTable

USUAL = 0.5
"""The threshold that a model decides by if nobody chose one."""


def outer_threshold(table: EvaluationTable, model: Any) -> float | None:
    """The threshold between stored decisions and scores; None where the model, asked again, decides so by itself.

    Parameters
    ----------
    table : EvaluationTable
    model : the fitted estimator, or None
    """
    own = None if table.roles.prediction is None else own_threshold(table.outcomes)
    if own in {None, USUAL} or model is None:
        return None
    try:
        said = ask(model, table.frame, table.features).prediction
    except InputError:  # the trials say why it cannot be asked
        return own
    stored = table.outcomes.named(table.outcomes.prediction)
    return None if said is not None and np.array_equal(np.asarray(said), np.asarray(stored)) else own
