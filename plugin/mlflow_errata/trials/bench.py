"""The bench: fits variants of the user's model and holds what each says of the evaluation rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlflow_errata import fitting, recipe
from mlflow_errata.errors import InputError, NotTried
from mlflow_errata.model import ask
from mlflow_errata.steps import change_model
from mlflow_errata.trials import choosing
from mlflow_errata.trials.judges import FEWEST_RARE, n_rarer
from mlflow_errata.trials.objective import best_threshold, told_threshold
from mlflow_errata.trials.variants import BY_VALUE, CHOSEN, Steps, Variant
from mlflow_errata.trials.waves import offset_to

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from mlflow_errata.metric import Outcomes
    from mlflow_errata.table import EvaluationTable, Value
    from mlflow_errata.training import TrainingSet
    from mlflow_errata.trials.judges import Judge, Judges, Split
    from mlflow_errata.trials.objective import Objective

    Rows = NDArray[np.intp]

FEWEST_ROWS = 50
"""Training rows below which nothing is fitted."""
RECENT = 0.25
"""Share of the newest known rows that tell the share of positives."""


@dataclass(frozen=True)
class Said:
    """Decisions and scores for every evaluation row; rows that a variant was not asked about hold what the model said.

    Parameters
    ----------
    prediction : array of shape (n_rows,), codes or numbers
    scores : array of shape (n_rows, n_classes) or None
    """

    prediction: NDArray[Any]
    scores: NDArray[np.float64] | None


Part = tuple[NDArray[Any], NDArray[np.float64] | None]
"""Decisions and scores of some rows."""


class Bench:
    """Fits variants once and remembers what they said.

    Parameters
    ----------
    table : EvaluationTable
    judges : Judges
    objective : Objective, what thresholds are chosen by
    estimator : what is cloned and fitted, or None
    train : TrainingSet or None, the rows to fit on (a share of them where the budget asks for it)
    rate : float, share of training rows in use; newer rows are thinned by the same
    value : business value as declared, or None
    own : threshold that decisions are cut at, or None
    outer : the same where it is not the model that cuts; what is fitted again is cut at it, too
    clock : callable () -> seconds
    instead : Objective or None, the metric where the declared value is the objective
    """

    def __init__(
        self,
        table: EvaluationTable,
        judges: Judges,
        objective: Objective,
        *,
        estimator: Any,
        train: TrainingSet | None,
        rate: float,
        value: Value | None,
        own: float | None,
        clock: Callable[[], float],
        instead: Objective | None = None,
        outer: float | None = None,
    ) -> None:
        self.instead, self.outer = instead, outer
        self.table, self.judges, self.objective = table, judges, objective
        self.estimator, self.train, self.rate = estimator, train, rate
        self.value, self.own, self.clock = value, own, clock
        self.seconds: dict[Variant, float] = {}
        self.sizes = {} if estimator is None else change_model.sizes(estimator)
        whole = table.outcomes
        self.frames: dict[str, dict[str, Any]] = {}
        self._said = {Variant(): Said(whole.prediction, whole.scores)} if rate == 1 else {}
        self._as_is = Said(whole.prediction, whole.scores)

    # -- fitting ------------------------------------------------------------------------------------------------------

    def n_fits(self, variant: Variant) -> int:
        """Fits that a variant still needs."""
        if variant.fitted in self._said or variant.fitted == CHOSEN:
            return 0
        return len(self.judges.refits.splits) if variant.rows else 1

    def seconds_of_a_fit(self, variant: Variant) -> float:
        """Seconds that one fit of a variant took; 0 where nothing had to be fitted."""
        variant = choosing.choice_of_known(self)[0] if variant.fitted == CHOSEN else variant
        return self.seconds.get(variant.fitted, 0.0) / (len(self.judges.refits.splits) if variant.rows else 1)

    def said(self, variant: Variant) -> Said:
        """What the fitted part of a variant says of the rows that it did not see."""
        key = variant.fitted
        if key not in self._said:
            start = self.clock()
            self._said[key] = self._fit(key)
            self.seconds[key] = self.clock() - start
        return self._said[key]

    def _fit(self, key: Variant) -> Said:
        if self.train is None or self.estimator is None:
            raise NotTried("needs the training rows and an estimator that can be fitted")
        like = self._said.get(replace(key, rows=None), self._as_is)
        found = Said(like.prediction.copy(), None if like.scores is None else like.scores.copy())
        if key.rows is None:
            return self._asked(found, self._fitted(key, None), self.judges.decisions.known)
        for split in self.judges.refits.splits:
            found = self._asked(found, self._fitted(key, self._newer(split.choose)), split.judge)
        return found

    def _fitted(self, key: Variant, newer: TrainingSet | None) -> Any:
        return self.fitted_by(self.steps_of(key), newer, seed=key.seed)

    def fitted_by(self, steps: Steps, newer: TrainingSet | None = None, *, seed: int | None = None) -> Any:
        """The model fitted by some steps.

        Raises
        ------
        NotTried
        """
        if self.train is None:
            raise NotTried("needs the training rows")
        try:
            rows, rule = recipe.prepared(steps, self.train, newer)
        except InputError as cause:
            raise NotTried(str(cause)) from cause
        if len(rows.y) < FEWEST_ROWS or (self.table.task != "regression" and rows.y.nunique() < 2):  # noqa: PLR2004
            raise NotTried("leaves too few rows to fit on")
        blank = fitting.unfitted(self.estimator, seed=seed, one_thread=True)
        blank = recipe.altered(steps, blank, rows.X, classes=self.table.task != "regression")
        try:
            return recipe.decided(fitting.fit(blank, rows), rule)
        except Exception as cause:  # whatever an estimator raises is a reason, and the other trials go on
            raise NotTried(f"the fit failed: {type(cause).__name__}: {' '.join(str(cause).split())[:200]}") from cause

    def fit_on(self, rows: Rows, *, seed: int | None = None) -> Said:
        """The model as it is, fitted on some of the training rows alone."""
        if self.train is None:
            raise NotTried("needs the training rows")
        thin, whole = self.train.take(rows), self.train
        self.train = thin
        try:
            return self._fit(Variant(seed=seed))
        finally:
            self.train = whole

    def hold(self, variant: Variant, said: Said) -> None:
        """Remember what a variant said."""
        self._said[variant.fitted] = said

    def steps_of(self, key: Variant) -> Steps:
        """The fitted part of a variant as steps."""
        found: list[tuple[str, dict[str, Any]]] = []
        if key.rows is not None:
            name, length = key.rows
            found.append(("retrain_recent", {} if name == "all" else {name: length}))
        if key.model is not None:
            found.append(("change_model", self.model_params(key.model)))
        if key.balance is not None:
            found.append(("resample", self.balance_params(key.balance)))
        if key.frame is not None:
            found.append(("reframe", self.frames[key.frame]))
        return tuple(found)

    def model_params(self, name: str) -> dict[str, Any]:
        """Parameters of the step that changes the model."""
        if name == BY_VALUE:
            chosen = choosing.choice_of_known(self)[0].model
            return {} if chosen is None else self.model_params(chosen)
        return {"set": self.sizes[name]} if name in self.sizes else {"family": name}

    def balance_params(self, method: str) -> dict[str, Any]:
        """Parameters of the step that balances classes; rows are put between others in the model's columns alone."""
        if method == "root_weight":
            return {"method": "class_weight", "power": 0.5}
        return {"method": method, "columns": list(self.table.features)} if method == "smote" else {"method": method}

    def _newer(self, rows: Rows) -> TrainingSet:
        from mlflow_errata.training import TrainingSet  # noqa: PLC0415 - beside its use

        table = self.table
        if self.rate < 1:
            rows = np.sort(np.random.default_rng(0).permutation(rows)[: max(1, round(self.rate * len(rows)))])
        weight = table.outcomes.weight
        return TrainingSet(
            X=table.frame.iloc[rows][list(table.features)],
            y=table.given.iloc[rows],
            weight=None if weight is None else weight[rows],
            time=None if table.times is None else table.times[rows],
            id=table.ids[rows],
            aside=None
            if self.train is None or self.train.aside is None
            else _aside(table.frame, self.train.aside, rows),
        )

    def _asked(self, found: Said, fitted: Any, rows: Rows) -> Said:
        """Some rows as a fitted estimator answers them."""
        try:
            output = ask(fitted, self.table.frame.iloc[rows], self.table.features)
            classes = self.table.outcomes.classes
            if not classes:
                found.prediction[rows] = np.asarray(output.prediction, dtype=np.float64)
                return found
            position = {label: at for at, label in enumerate(classes)}
            labels = np.asarray(output.prediction).tolist()
            found.prediction[rows] = [position[label] for label in labels]
            if output.scores is None or output.classes is None:
                return replace(found, scores=None)
            scores = np.zeros((len(self.table), len(classes))) if found.scores is None else found.scores
            scores[rows] = 0.0
            for at, label in enumerate(output.classes):
                scores[rows, position[label]] = output.scores[:, at]
            if self.outer is not None:
                found.prediction[rows] = scores[rows, 1] >= self.outer
            return replace(found, scores=scores)
        except Exception as cause:
            raise NotTried(f"its answers cannot be used: {type(cause).__name__}: {str(cause)[:200]}") from cause

    # -- deciding -----------------------------------------------------------------------------------------------------

    def judge_of(self, *variants: Variant) -> Judge:
        """Who judges variants side by side."""
        return self.judges.refits if any(variant.rows for variant in variants) else self.judges.decisions

    def outcomes(self, variant: Variant, judge: Judge) -> Outcomes:
        """Labels beside what a variant says of the judging rows; thresholds and offsets chosen by other rows."""
        if variant.fitted == CHOSEN:
            return choosing.by_value(self, judge)
        said = self.said(variant)
        rules = [self._rule(variant, said, split) for split in judge.splits]
        if variant.offset and not (any(offset for offset, _ in rules) and self.settled(variant)["offset"]):
            raise NotTried("the share of positives has moved no further than chance and the training rows explain")
        parts = [self.decided(said, split.judge, *rule) for split, rule in zip(judge.splits, rules, strict=True)]
        return self.joined(judge, parts)

    def joined(self, judge: Judge, parts: Sequence[Part]) -> Outcomes:
        """Labels beside what was decided for the judging rows of each split."""
        rows = judge.rows
        prediction = np.concatenate([prediction for prediction, _ in parts])
        scores = [found for _, found in parts if found is not None]
        weight = self.table.outcomes.weight
        return replace(
            self.table.outcomes,
            y=self.table.outcomes.y[rows],
            prediction=prediction,
            scores=np.concatenate(scores) if len(scores) == len(parts) else None,
            weight=None if weight is None else weight[rows],
        )

    def settled(self, variant: Variant) -> dict[str, Any]:
        """The offset and the threshold that all known rows choose, for the recipe."""
        judge = self.judge_of(variant)
        known = judge.known if variant.rows is None else judge.rows
        if variant.fitted == CHOSEN:
            threshold = choosing.choice_of_known(self)[1]
            threshold = self.outer if threshold is None else threshold
            return {} if threshold is None else {"threshold": threshold}
        offset, threshold = self._rule(variant, self.said(variant), replace(judge.splits[0], choose=known))
        found: dict[str, Any] = {"offset": offset} if variant.offset else {}
        if variant.cut is not None or (variant.offset and threshold is not None and threshold != 0.5):  # noqa: PLR2004
            found["threshold"] = float(threshold or 0.0)
        elif self.outer is not None and variant.fitted != Variant():
            found["threshold"] = self.outer
        return found

    @property
    def models(self) -> tuple[Variant, ...]:
        """The model as it is and the other models that are fitted."""
        others = (Variant(model=name) for name in (*self.sizes, *change_model.FAMILIES))
        return (Variant(), *(variant for variant in others if variant in self._said))

    def _rule(self, variant: Variant, said: Said, split: Split) -> tuple[float, float | None]:
        offset = self._offset(split) if variant.offset else 0.0
        if variant.cut == "told":
            return offset, self._told(said, split, offset)
        if variant.cut == "tuned":
            return offset, self._tuned(said, split, offset)
        return offset, self.own if variant.offset else None

    def _offset(self, split: Split) -> float:
        rows = split.choose
        if self.judges.decisions.kind == "forward":
            rows = rows[-max(1, round(RECENT * len(self.judges.decisions.known))) :]
        return offset_to(self.table, self.train, rows)

    def _told(self, said: Said, split: Split, offset: float) -> float:
        scores = self._shifted(said, split.choose, offset)
        found = None if scores is None else told_threshold(self.objective, self.value, scores[:, 1])
        if found is None:
            raise NotTried("neither the value nor the metric tells a threshold")
        return found

    def _tuned(self, said: Said, split: Split, offset: float) -> float:
        rows = split.choose
        rarer = n_rarer(self.table, rows)
        if rarer < FEWEST_RARE:
            raise NotTried(f"needs {FEWEST_RARE} rows of the rarer class to choose a threshold; there are {rarer}")
        found = best_threshold(self.objective, self.table.frame.iloc[rows], self.taken(said, rows, offset))
        if found is None:
            raise NotTried("needs scores that can be cut at more than two places")
        return found

    def taken(self, said: Said, rows: Rows, offset: float) -> Outcomes:
        """Labels of some rows beside what was said of them, after an offset."""
        weight = self.table.outcomes.weight
        return replace(
            self.table.outcomes,
            y=self.table.outcomes.y[rows],
            prediction=said.prediction[rows],
            scores=self._shifted(said, rows, offset),
            weight=None if weight is None else weight[rows],
        )

    def _shifted(self, said: Said, rows: Rows, offset: float) -> NDArray[np.float64] | None:
        if said.scores is None or offset == 0:
            return None if said.scores is None else said.scores[rows]
        from mlflow_errata.decision import DecisionRule  # noqa: PLC0415 - loads scikit-learn

        positive = DecisionRule(offset).shifted(said.scores[rows, 1])
        return np.column_stack([1 - positive, positive])

    def decided(self, said: Said, rows: Rows, offset: float, threshold: float | None) -> Part:
        """What is decided for some rows by an offset and a threshold."""
        scores = self._shifted(said, rows, offset)
        if threshold is None or scores is None:
            return said.prediction[rows], scores
        return (scores[:, 1] >= threshold).astype(np.intp), scores


def _aside(frame: pd.DataFrame, like: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    return frame.iloc[rows][[name for name in like.columns if name in frame.columns]]
