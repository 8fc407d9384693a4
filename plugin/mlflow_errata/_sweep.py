"""`sweep`: weights of logged scores, on any frame that holds outcomes and scores."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from mlflow_errata.columns import as_frame
from mlflow_errata.diagnoses._mixes import Swept
from mlflow_errata.diagnoses._mixes import sweep as swept
from mlflow_errata.diagnoses.objectives import codes
from mlflow_errata.objectives import Objectives

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@dataclass(frozen=True)
class Sweep(Swept):
    """Mixes of scores and rankings beside them; `print` tells the findings."""

    def __str__(self) -> str:
        from mlflow_errata.sections.objectives import told  # noqa: PLC0415 - words live in sections

        return told(self)


def sweep(frame: object, objectives: Objectives | Mapping[str, Any]) -> Sweep:
    """Weigh logged scores against each other; nothing is trained, and no label is needed.

    Parameters
    ----------
    frame : pandas or polars DataFrame, or pyarrow Table, with the columns that the objectives name
    objectives : Objectives, or a dict of its parameters; the score in use is `current`, else the first of its scores

    Returns
    -------
    Sweep
        `mixes`, every weighting with what it brings and costs; `best`; `weights(best)`; `current`, `chosen` and the
        other `rankings`.

    Raises
    ------
    InputError
        One clear error for the first thing that cannot be used.
    NotApplicable
        Where rows are too few to judge a choice of weights.
    """
    wanted = Objectives.given({} if objectives is None else objectives)
    rows = as_frame(frame, "the frame")
    name = wanted.current or wanted.scores[0]
    columns = replace(wanted, current=name).numbers(rows)
    found = swept(columns, wanted, (name, columns[name]), codes(rows, wanted.group), codes(rows, wanted.unit))
    return Sweep(**{field.name: getattr(found, field.name) for field in fields(found)})
