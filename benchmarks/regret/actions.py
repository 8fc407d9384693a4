"""Steps really taken, and what they gain on the rows that come."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone

import mlflow_errata as errata
from mlflow_errata import EvaluationTable
from mlflow_errata._relabel_gain import _training_flags, known_rows
from mlflow_errata.errors import ErrataError
from mlflow_errata.predicates import parse
from mlflow_errata.steps import change_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cases import Case

Steps = tuple[tuple[str, dict[str, Any]], ...]
SHARES = np.linspace(0.005, 0.995, 199)


def baseline(case: Case) -> Any:
    """The model as it is."""
    if "baseline" not in case.found:
        case.found["baseline"] = clone(case.estimator).fit(case.train[case.features], case.train["y"])
        case.found["reached"] = case.score(case.found["baseline"])
    return case.found["baseline"]


def recipe(case: Case, steps: Steps) -> errata.Recipe:
    """Steps as a recipe."""
    task = "regression" if case.metric.startswith("mean_") else "classes"
    return errata.Recipe(steps, "y", tuple(case.features), case.time, None, None, task, "")


def gain(case: Case, steps: Steps) -> float:
    """What steps gain on the rows that come, once taken; NaN if they cannot be taken."""
    baseline(case)
    key = repr(steps)
    if key not in case.found:
        try:
            case.found[key] = case.score(_taken(case, steps)) - case.found["reached"]
        except (ErrataError, ValueError) as cause:
            warnings.warn(f"{case.name}: {key}: {cause}", stacklevel=2)
            case.found[key] = float("nan")
    return case.found[key]


def _taken(case: Case, steps: Steps) -> Any:
    """The model after some steps, with flagged training labels checked where one of them is to relabel."""
    others = tuple(step for step in steps if step[0] not in ("relabel", "collect_data"))
    kinds = dict(steps)
    train = corrected(case) if "relabel" in kinds else case.train
    if "collect_data" in kinds:
        train = collected(case, kinds["collect_data"].get("slice", []))
    if not others:
        return clone(case.estimator).fit(train[case.features], train["y"])
    return recipe(case, others).fit(case.estimator, train, newer=case.evaluation)


def collected(case: Case, conditions: list[str]) -> pd.DataFrame:
    """The training rows and as many further ones of a slice (of all) as there are, as far as the pool has them."""
    if case.pool is None:
        return case.train
    if not conditions:
        return pd.concat([case.train, case.pool[: len(case.train)]])
    masks = [
        np.logical_and.reduce([predicate.mask(rows) for predicate in parse(" and ".join(conditions))])
        for rows in (case.train, case.pool)
    ]
    return pd.concat([case.train, case.pool[masks[1]][: int(masks[0].sum())]])


def corrected(case: Case) -> pd.DataFrame:
    """The training rows after a person has checked every flagged label."""
    if case.truth is None:
        return case.train
    record = case.found["record"]
    roles = {"label": "y", "model": baseline(case), "features": case.features, "time": case.time}
    table = EvaluationTable.build(case.evaluation, **roles)
    known = known_rows(table, case.train)
    flags = _training_flags(table, record.results["label_issues"], known, baseline(case), 0).rows
    rows = case.train.index[flags]
    return case.train.assign(
        y=case.train["y"].where(~case.train.index.isin(rows), case.truth.reindex(case.train.index))
    )


# -- everything that could be done ------------------------------------------------------------------------------------


def best(case: Case) -> tuple[str, float, Steps]:
    """The best of everything: (kind, gain, steps); keeping the model gains 0."""
    found = [("stop", 0.0, ())] + [(kind, gain(case, steps), steps) for kind, steps in everything(case)]
    return max(found, key=lambda item: item[1] if np.isfinite(item[1]) else -np.inf)


def everything(case: Case) -> list[tuple[str, Steps]]:
    """(kind, steps): every step alone, and refits with a threshold."""
    if "everything" not in case.found:
        case.found["everything"] = list(_everything(case))
    return case.found["everything"]


def _everything(case: Case) -> Iterator[tuple[str, Steps]]:
    if case.truth is not None:
        yield "relabel", (("relabel", {}),)
    if case.pool is not None:
        yield "collect_data", (("collect_data", {"rows": len(case.train)}),)
    classes = not case.metric.startswith("mean_")
    binary = classes and case.train["y"].nunique() == 2
    refits: list[tuple[str, Steps]] = []
    for name, params in change_model.sizes(case.estimator).items():
        refits.append((f"change_model {name}", (("change_model", {"set": params}),)))
    refits += [(f"change_model {name}", (("change_model", {"family": name}),)) for name in change_model.FAMILIES]
    if case.time is not None:
        span = _span(case)
        refits.append(("retrain_recent", (("retrain_recent", {}),)))
        refits += [("retrain_recent", (("retrain_recent", {how: span * part}),)) for how, part in FORGETTING]
        if binary:
            yield "retrain_recent", (("retrain_recent", {"offset": _offset(case)}),)
    yield from refits
    if not (binary and case.decides):
        return
    for _, steps in [("", ()), *refits]:
        cut = threshold(case, steps)
        kind = steps[0][0] if steps else "decision"
        yield kind, (*steps, ("resample", {"method": "threshold", "threshold": cut}))
    for method in ("class_weight", "over", "under"):
        yield "decision", (("resample", {"method": method}),)


FORGETTING = (("last", 1 / 4), ("last", 1 / 8), ("half_life", 1 / 4))


def threshold(case: Case, steps: Steps) -> float:
    """The threshold that does best on the newer half of the evaluation rows, after steps taken on what was before."""
    half = len(case.evaluation) // 2
    older, newer = case.evaluation[:half], case.evaluation[half:]
    model = recipe(case, steps).fit(case.estimator, case.train, newer=older) if steps else baseline(case)
    rows = newer if steps else case.evaluation
    y, positive = rows["y"].to_numpy(), model.predict_proba(rows[case.features])[:, 1]
    reached = [case.reached(y, (positive >= cut).astype(int)) for cut in SHARES]
    near = SHARES[np.array(reached) >= max(reached) - 1e-9]
    return float(np.median(near))


def _span(case: Case) -> float:
    both = pd.concat([case.train[case.time], case.evaluation[case.time]])
    length = both.max() - both.min()
    return float(length.total_seconds()) if hasattr(length, "total_seconds") else float(length)


def _offset(case: Case) -> float:
    before = float(case.train["y"].mean())
    now = float(case.evaluation["y"][-len(case.evaluation) // 4 :].mean())
    return float(np.log(now / (1 - now)) - np.log(before / (1 - before))) if 0 < now < 1 else 0.0
