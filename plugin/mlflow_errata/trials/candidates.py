"""Candidates: which changes can be tried on this task, with this estimator and these times."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.steps import change_model
from mlflow_errata.steps.retrain_recent import age_of
from mlflow_errata.trials.variants import Change, changes

if TYPE_CHECKING:
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet
    from mlflow_errata.trials.bench import Bench
    from mlflow_errata.trials.objective import Objective

BALANCED = 0.35
"""Share of the rarest class, of those two that are rarest and commonest, from which balancing is not tried."""
FAMILY_WORDS = {
    "gradient_boosting": ("Boosting", "LGBM", "XGB", "CatBoost"),
    "linear": ("Logistic", "Ridge", "Linear", "SGD", "ElasticNet", "Lasso", "Perceptron"),
}
"""Words in the names of classes that are of a family; a multilayer perceptron is spelled MLP."""
FAVOURED, MOST_TURNED = 1.5, 20
"""How much more a row of the rarest class has to count, and the rows that are called wrong to see it."""


def candidates(bench: Bench, *, by_value: bool, refits: bool) -> list[Change]:
    """Every change that can be tried, the cheapest and likeliest first.

    Parameters
    ----------
    bench : Bench
    by_value : bool, the declared value judges
    refits : bool, the estimator can be fitted
    """
    objective, table, forward = bench.objective, bench.table, bench.judges.decisions.kind == "forward"
    several, many = table.task == "multilabel", table.task == "multiclass"
    scored = table.task == "binary" and table.outcomes.scores is not None
    decides = (scored or several) and table.outcomes.scores is not None and objective.reads_decisions
    if many and table.outcomes.scores is not None and objective.reads_decisions and not objective.reads_scores:
        decides = by_value or favours_the_rare(objective, table)
    own = decides and bench.own is None and not objective.reads_scores
    families = () if several else change_model.FAMILIES
    return list(
        changes(
            decides=decides,
            by_value=by_value,
            told=many or (not several and (isinstance(bench.value, dict) or objective.form is not None)),
            shares=scored and bench.train is not None and not own and _sees_a_shift(objective, table),
            refits=refits,
            balances=decides and (scored or many) and _rarest(table) < BALANCED,
            several=many,
            span=_span(bench.train, table) if forward else None,
            recent=forward,
            sizes=(*bench.sizes, *(name for name in families if not _is_family(bench.estimator, name))),
            frames=tuple(bench.frames),
            chooses=by_value and scored,
        )
    )


def _span(train: TrainingSet | None, table: EvaluationTable) -> float | None:
    """Length of time from the oldest training row to the newest evaluation row; None without both."""
    if train is None or train.time is None or table.times is None:
        return None
    if train.time.dtype.kind != table.times.dtype.kind or pd.isna(train.time).all():
        return None
    both = np.concatenate([train.time, table.times])
    return float(np.nanmax(age_of(both)))


def _rarest(table: EvaluationTable) -> float:
    """Share of the rarest class beside the commonest."""
    counts = np.bincount(table.outcomes.y, minlength=len(table.outcomes.classes))
    return float(counts[counts > 0].min() / (counts[counts > 0].min() + counts.max()))


def favours_the_rare(objective: Objective, table: EvaluationTable) -> bool:
    """Whether a row of the rarest class counts FAVOURED times as much as one of the commonest class, or more.

    As many rows of either are called what is commonest besides; what the objective loses tells.
    """
    whole = replace(table.outcomes, prediction=table.outcomes.y)
    counts = np.bincount(whole.y, minlength=len(whole.classes))
    order = [code for code in np.argsort(-counts, kind="stable").tolist() if counts[code]]
    if len(order) < 3:  # noqa: PLR2004 - the rarest, the commonest, and another
        return False
    rare, n = order[-1], min(MOST_TURNED, int(counts[order[-1]]))
    best = objective.whole(table.frame, whole)
    lost = []
    for code, other in ((rare, order[0]), (order[0], order[1])):
        said = whole.y.copy()
        said[np.flatnonzero(whole.y == code)[:n]] = other
        lost.append(best - objective.whole(table.frame, replace(whole, prediction=said)))
    return bool(lost[0] > FAVOURED * lost[1])


def _sees_a_shift(objective: Objective, table: EvaluationTable) -> bool:
    """Whether the objective tells scores from the same scores shifted: their order alone is not moved by a shift."""
    said = table.outcomes
    if objective.reads_decisions or said.scores is None:
        return True
    odds = 2 * said.scores[:, 1:]
    shifted = odds / (odds + 1 - said.scores[:, 1:])
    moved = replace(said, scores=np.column_stack([1 - shifted, shifted]))
    return not np.isclose(objective.whole(table.frame, said), objective.whole(table.frame, moved), rtol=0, atol=1e-9)


def _is_family(estimator: Any, family: str) -> bool:
    """Whether the estimator, or what decides inside it, is of a family already."""
    name = type(_innermost(estimator)).__name__
    return any(word in name for word in FAMILY_WORDS[family])


def _innermost(estimator: Any) -> Any:
    """What pipelines, searches, calibrations and other wrappers end in."""
    steps = getattr(estimator, "steps", None)
    inside = [steps[-1][1]] if steps else [getattr(estimator, name, None) for name in ("estimator", "regressor")]
    found = next((part for part in inside if hasattr(part, "get_params")), None)
    return estimator if found is None else _innermost(found)
