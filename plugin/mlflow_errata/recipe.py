"""Recipes: the steps of a record as data that the next training run applies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata.columns import as_frame, finite, ids, numbers, times, weights
from mlflow_errata.errors import ColumnMissing
from mlflow_errata.errors.stored import RecipeBroken, RecipeRanksNothing, RecipeRefused, RecipeTooNew
from mlflow_errata.steps import (
    KINDS,
    change_metric,
    change_model,
    decides_only,
    decouple,
    reframe,
    resample,
    retrain_recent,
)
from mlflow_errata.training import TrainingSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from mlflow_errata.decision import ClassRule, DecisionRule
    from mlflow_errata.record.schema import Record
    from mlflow_errata.steps._shape import NextStep

SCHEMA = 1
"""Version of the JSON; a reader refuses what is newer."""
WEIGHT = "errata.weight"
"""Column of row weights in a changed training frame."""
DECOUPLED = "ranks by the scores of several models, which no single fit can give"
SEVERAL_LABELS = "is for several labels, and a recipe has one: take the code of its card"


@dataclass(frozen=True)
class Recipe:
    """Steps for the next training run, as JSON values and without code.

    Parameters
    ----------
    steps : tuple of (kind, params), in the order in which they are taken
    label : str
    features : columns that the model sees
    time, id, weight : str or None
    task : "binary", "multiclass" or "regression"
    dataset : str, digest of the evaluation data that the steps were tried on
    """

    steps: tuple[tuple[str, dict[str, Any]], ...]
    label: str
    features: tuple[str, ...]
    time: str | None
    id: str | None
    weight: str | None
    task: str
    dataset: str

    @classmethod
    def of(cls, record: Record, *steps: NextStep) -> Recipe:
        """The recipe of some steps of a record; without any, of its whole plan (of nothing after "stop").

        Raises
        ------
        RecipeRefused
            For a step that a person has to take first: labels to check, rows to collect; and for several labels.
        """
        roles = record.dataset.roles
        if record.summary.task == "multilabel":
            raise RecipeRefused(steps[0].kind if steps else "plan", SEVERAL_LABELS)

        def column(role: str) -> str | None:
            found = roles.get(role)
            return found if isinstance(found, str) else None

        for step in steps:
            _check(step.kind, step.params)
        return cls(
            steps=tuple((step.kind, dict(step.params)) for step in steps or record.plan),
            label=str(roles["label"]),
            features=record.dataset.features,
            time=column("time"),
            id=column("id"),
            weight=column("weight"),
            task=record.summary.task,
            dataset=record.dataset.digest,
        )

    def apply(self, train: object, newer: object = None) -> pd.DataFrame:
        """The training frame as the steps change it; nothing is fitted.

        Parameters
        ----------
        train : DataFrame with the label and the features
        newer : DataFrame of the same columns, labelled rows that came after `train`; used by the steps that retrain on
            recent rows

        Returns
        -------
        DataFrame
            Rows of `train` (and `newer`), with the column "errata.weight" if they do not count the same.
        """
        frame = self._frame(train, "the training frame")
        given = None if newer is None else self._frame(newer, "the newer frame")
        changed = training(self.steps, self._set(frame), None if given is None else self._set(given))
        rows = changed.X.assign(**{self.label: changed.y})
        return rows if changed.weight is None else rows.assign(**{WEIGHT: changed.weight})

    def fit(self, estimator: Any, train: object, newer: object = None) -> Any:
        """Fit a clone of an estimator by the recipe.

        Parameters
        ----------
        estimator : estimator, fitted or not; stays as it is
        train, newer : as in `apply`

        Returns
        -------
        fitted estimator
            Its `predict` uses the decision rule of the steps; `predict_proba` keeps the shares of the classes that the
            training rows had before any balancing.

        Raises
        ------
        RecipeRefused
            With the step "decouple", which ranks by scores of several models: one estimator cannot give them. For an
            estimator that cannot be cloned, or gives no probabilities to decide by.
        """
        self._check_one_model()
        from mlflow_errata import fitting  # noqa: PLC0415 - what fits is loaded to fit

        given = None if newer is None else self._set(self._frame(newer, "the newer frame"))
        changed, rule = prepared(self.steps, self._set(self._frame(train, "the training frame")), given)
        rows = TrainingSet(changed.X[[name for name in self.features if name in changed.X]], changed.y, changed.weight)
        classes = self.task != "regression"
        try:
            clone = fitting.unfitted(estimator)
        except Exception as cause:
            why = f"needs a refit, and a {type(estimator).__name__} cannot be cloned: {type(cause).__name__}: {cause}"
            remedy = "Pass an unfitted estimator, or take recipe.decide(model) where decisions alone move."
            raise RecipeRefused(" and ".join(kind for kind, _ in self.steps) or "stop", why, remedy) from cause
        return decided(fitting.fit(altered(self.steps, clone, rows.X, classes=classes), rows), rule)

    def decide(self, model: Any) -> Any:
        """A fitted model that decides by the recipe, as it stands: nothing is fitted.

        Parameters
        ----------
        model : fitted classifier with predict_proba

        Returns
        -------
        fitted estimator
            Around the model itself; its `predict` uses the decision rule of the steps.

        Raises
        ------
        RecipeRefused
            Where a step changes the rows or the model, which takes a refit; for a model without probabilities.
        """
        self._check_one_model()
        for kind, params in self.steps:
            if not decides_only(kind, params):
                raise RecipeRefused(kind, "changes the rows or the model", "Take recipe.fit(model, train).")
        import pandas as pd  # noqa: PLC0415 - what fits is loaded to fit

        classes = pd.Series(getattr(model, "classes_", []))
        _, rule = prepared(self.steps, TrainingSet(classes.to_frame(), classes), None)
        return decided(model, rule)

    def _check_one_model(self) -> None:
        if any(kind == decouple.KIND for kind, _ in self.steps):
            raise RecipeRefused(decouple.KIND, DECOUPLED, "Fit each model as before and rank by recipe.score(frame).")

    def score(self, frame: object) -> NDArray[np.float64]:
        """The ranking score that the step "decouple" makes of the scores of several models; nothing is fitted.

        Parameters
        ----------
        frame : DataFrame with the score columns of the step

        Returns
        -------
        float array of shape (n_rows,), in the order of the frame; the highest ranks first

        Raises
        ------
        RecipeRanksNothing, ColumnMissing, ValuesRefused
        """
        from mlflow_errata.decision import Mixture  # noqa: PLC0415 - loads scikit-learn

        params = next((params for kind, params in self.steps if kind == decouple.KIND), None)
        if params is None:
            raise RecipeRanksNothing([kind for kind, _ in self.steps])
        rows, found = as_frame(frame, "the frame"), {}
        for name in params["weights"]:
            if name not in rows.columns:
                raise ColumnMissing("scores", name, list(rows.columns))
            found[name] = finite(numbers(rows, "scores", name), "scores", name)
        return Mixture(params["weights"], params["combine"]).score(found)

    def _frame(self, given: object, what: str) -> pd.DataFrame:
        frame = as_frame(given, what)
        for role, column in [("label", self.label), *(("features", name) for name in self.features)]:
            if column not in frame.columns:
                raise ColumnMissing(role, column, list(frame.columns))
        return frame.loc[frame[self.label].notna().to_numpy()]

    def _set(self, frame: pd.DataFrame) -> TrainingSet:
        def has(column: str | None) -> bool:
            return column is not None and column in frame.columns

        return TrainingSet(
            X=frame,
            y=frame[self.label],
            weight=weights(frame, str(self.weight)) if has(self.weight) else None,
            time=times(frame[str(self.time)], str(self.time)) if has(self.time) else None,
            id=ids(frame, self.id if has(self.id) else None, frame.index),
        )

    def to_json(self) -> str:
        """The recipe as strict JSON."""
        document = {
            "schema": SCHEMA,
            "steps": [{"kind": kind, "params": params} for kind, params in self.steps],
            "label": self.label,
            "features": list(self.features),
            "time": self.time,
            "id": self.id,
            "weight": self.weight,
            "task": self.task,
            "dataset": self.dataset,
        }
        return json.dumps(document, allow_nan=False, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read a recipe.

        Raises
        ------
        RecipeBroken, RecipeTooNew, RecipeRefused
        """
        try:
            document = json.loads(text)
            schema = int(document.pop("schema"))
            if schema > SCHEMA:
                raise RecipeTooNew(schema, SCHEMA)
            steps = tuple((str(step["kind"]), dict(step["params"])) for step in document.pop("steps"))
            recipe = cls(steps=steps, features=tuple(document.pop("features")), **document)
        except (ValueError, TypeError, KeyError, AttributeError) as cause:
            raise RecipeBroken(cause) from cause
        for kind, params in steps:
            _check(kind, params)
        return recipe


def _check(kind: str, params: dict[str, Any]) -> None:
    """Refuse what cannot be applied as it stands."""
    if kind not in KINDS:
        raise RecipeRefused(kind, f"is not among the kinds of this errata: {sorted(KINDS)}")
    if kind == "relabel" and "decisions" not in params:
        raise RecipeRefused(kind, "has no decisions yet: labels have to be checked first")
    if kind == "collect_data":
        raise RecipeRefused(kind, "has nothing to apply: collect the rows and add them to the training frame")
    if kind == reframe.KIND and params.get("to") == "pairs":
        raise RecipeRefused(kind, "has nothing to apply: pairs need columns that describe the classes")


# -- what steps change, for recipes and for trials --------------------------------------------------------------------


def prepared(
    steps: Sequence[tuple[str, dict[str, Any]]], train: TrainingSet, newer: TrainingSet | None
) -> tuple[TrainingSet, DecisionRule | ClassRule]:
    """The rows to fit on, and the rule to decide by (which needs the share of the classes before balancing)."""
    from mlflow_errata.decision import DecisionRule, prior_offset  # noqa: PLC0415 - loads scikit-learn

    rows = joined(steps, train, newer)
    if rows.y.nunique() > 2 and any(_weighs(*step) for step in steps):  # noqa: PLR2004 - a binary task
        return _prepared_classes(steps, rows)
    offset, threshold = 0.0, None
    for kind, params in _in_turn(steps):
        before = positive_share(rows)
        rows = KINDS[kind].apply(rows, **params)
        if kind == resample.KIND and params.get("method") in resample.BALANCING and before is not None:
            balanced = prior_offset(positive_share(rows) or 0.5, before)
            offset += balanced
            threshold = float(1 / (1 + np.exp(-balanced)))
        offset += retrain_recent.shift_of(params) if kind == retrain_recent.KIND else 0.0
        threshold = params.get("threshold", threshold)
    return rows, DecisionRule(offset, threshold)


def _weighs(kind: str, params: dict[str, Any]) -> bool:
    """Whether a step changes how several classes are decided between."""
    weighted = kind == resample.KIND and params.get("method") == "class_weight"
    return weighted or "worth" in params or "factors" in params


def _prepared_classes(steps: Sequence[tuple[str, dict[str, Any]]], rows: TrainingSet) -> tuple[TrainingSet, ClassRule]:
    """The same for several classes: weights in training are taken back from the probabilities, not from decisions."""
    import pandas as pd  # noqa: PLC0415 - what fits is loaded to fit

    from mlflow_errata.decision import ClassRule  # noqa: PLC0415 - loads scikit-learn

    classes = tuple(np.unique(rows.y.to_numpy()).tolist())
    shares, worth = pd.Series(1.0, index=list(classes)), np.eye(len(classes))
    for kind, params in _in_turn(steps):
        if kind == resample.KIND and params.get("method") == "class_weight":
            balance = rows.y.value_counts(normalize=True).reindex(shares.index) ** float(params.get("power", 1.0))
            shares, worth = shares * balance, np.diag(1 / balance)
        if "worth" in params:
            classes, worth = tuple(params["worth"]["classes"]), np.array(params["worth"]["values"])
        if "factors" in params:
            classes, factors = zip(*params["factors"], strict=True)
            worth = np.diag(factors)
        rows = KINDS[kind].apply(rows, **params)
    restored = tuple(shares.reindex(list(classes)).fillna(1.0).tolist()) if (shares != 1).any() else ()
    return rows, ClassRule(classes, restored, tuple(map(tuple, worth.tolist())))


def training(steps: Sequence[tuple[str, dict[str, Any]]], train: TrainingSet, newer: TrainingSet | None) -> TrainingSet:
    """The rows to fit on: newer ones joined if a step asks for them, then changed step by step."""
    rows = joined(steps, train, newer)
    for kind, params in _in_turn(steps):
        rows = KINDS[kind].apply(rows, **params)
    return rows


def _in_turn(steps: Sequence[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Steps in their order, but another form of the label last: the others speak of the label as it was."""
    return sorted(steps, key=lambda step: step[0] == reframe.KIND)


def altered(
    steps: Sequence[tuple[str, dict[str, Any]]],
    estimator: Any,
    X: pd.DataFrame,  # noqa: N803 - scikit-learn's name
    *,
    classes: bool,
) -> Any:
    """The estimator to fit, unfitted."""
    for kind, params in steps:
        if kind == change_model.KIND:
            estimator = change_model.alter(estimator, X, **params, classes=classes)
        elif kind == change_metric.KIND:
            estimator = change_metric.alter(estimator, X, **params, classes=classes)
    for kind, params in steps:
        if kind == reframe.KIND:  # around the model, whichever it is
            estimator = reframe.alter(estimator, X, **params)
    return estimator


def decided(fitted: Any, rule: DecisionRule | ClassRule) -> Any:
    """A fitted estimator that decides by a rule; itself if the rule changes nothing."""
    from mlflow_errata.decision import ClassRule, Decided, DecidedClasses  # noqa: PLC0415 - loads scikit-learn

    if not isinstance(rule, ClassRule) and rule.offset == 0 and rule.threshold is None:
        return fitted
    if not (hasattr(fitted, "predict_proba") and hasattr(fitted, "classes_")):
        why = f"decides by probabilities, and a {type(fitted).__name__} has no predict_proba or no classes_"
        raise RecipeRefused("decision", why, "Calibrate it first, with scikit-learn's CalibratedClassifierCV.")
    if isinstance(rule, ClassRule):
        return DecidedClasses(fitted, list(rule.classes), list(rule.shares), list(rule.worth)).around(fitted)
    return Decided(fitted, rule.offset, 0.5 if rule.threshold is None else rule.threshold).around(fitted)


def joined(steps: Sequence[tuple[str, dict[str, Any]]], train: TrainingSet, newer: TrainingSet | None) -> TrainingSet:
    """Training rows, followed by the newer ones if a step fits on them."""
    asked = any(kind == retrain_recent.KIND and retrain_recent.uses_newer(params) for kind, params in steps)
    return train if newer is None or not asked else train.followed_by(newer)


def positive_share(train: TrainingSet) -> float | None:
    """Weighted share of the second of two classes; None for other tasks."""
    classes = np.unique(train.y.to_numpy())
    if len(classes) != 2:  # noqa: PLR2004 - a binary task
        return None
    return float(np.average(train.y.to_numpy() == classes[1], weights=train.weight))
