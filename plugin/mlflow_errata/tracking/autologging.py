"""Diagnoses without further code: every `score(X, y)` of a scikit-learn estimator becomes a record of its run."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import local
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import mlflow
import pandas as pd
from mlflow.utils.autologging_utils import autologging_is_disabled, disable_autologging
from mlflow.utils.autologging_utils.events import AutologgingEventLogger

from mlflow_errata.errors.stored import NotEvaluated, TrackingError
from mlflow_errata.tracking.slices import diagnosed_with_slices
from mlflow_errata.tracking.store import log, mark_failed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ARGUMENTS = ("X", "y", "sample_weight")
"""Positional arguments of `fit` and `score` after the estimator itself."""
LABEL = "label"
WEIGHT = "errata.given_weight"


def autolog(
    *,
    disable: bool = False,
    time: str | None = None,
    id: str | None = None,  # noqa: A002 - the role's name
    group: str | None = None,
    windows: str | int | Sequence[object] | None = None,
    value: str | Mapping[str, float] | Callable[..., Any] | None = None,
    slice_by: Sequence[str] | None = None,
    metric: str | Callable[..., float] | None = None,
    budget: float = 0.0,
    random_state: int = 0,
) -> None:
    """Diagnose every evaluation of this process: whenever a fitted scikit-learn estimator is asked for its score.

    `estimator.score(X, y)` of scikit-learn, imbalanced-learn, LightGBM or XGBoost estimators logs a record into the
    run that MLflow's autologging opened for the `fit`, or into the active run. The rows of that `fit` are the training
    set. Scores that an estimator computes inside another call (a search over parameters) are left alone. Evaluations
    through `mlflow.models.evaluate` are diagnosed by the evaluator "errata" and need no call of this function.

    MLflow's autologging of scikit-learn is what is listened to: where it is off, it is turned on without its models and
    data sets, which take most of its time. A diagnosis that fails warns and leaves the score as it is.

    Parameters
    ----------
    disable : bool
        True stops it, and MLflow's autologging of scikit-learn too if it was off before.
    time, id, group : str
        Columns of X; an X without them is diagnosed without them.
    windows, value, slice_by, metric, budget, random_state
        As in `mlflow_errata.diagnose`; the budget is 0 unless told, so that a score stays quick.
    """
    heard = AutologgingEventLogger.get_logger()  # type: ignore[no-untyped-call]
    before = heard.heard_before if isinstance(heard, _Watch) else heard
    turned_on = isinstance(heard, _Watch) and heard.turned_on
    if disable:
        _listen(before)
        if turned_on:
            mlflow.sklearn.autolog(disable=True)
        return
    if autologging_is_disabled("sklearn"):  # type: ignore[no-untyped-call]
        turned_on = True
        mlflow.sklearn.autolog(log_models=False, log_datasets=False, log_input_examples=False)
    options = {"value": value, "slice_by": slice_by, "metric": metric, "budget": budget, "random_state": random_state}
    roles = {"time": time, "id": id, "group": group}
    _listen(_Watch(before, roles, options, windows, turned_on=turned_on))


def _listen(listener: Any) -> None:
    AutologgingEventLogger.set_logger(listener)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class _Fitted:
    """What an estimator was fitted on, and the run that MLflow logged the fit into."""

    rows: object
    label: object
    run_id: str | None


class _Calls(local):
    """Calls under way in a thread, each known by its dict of arguments: the outermost is the user's own.

    MLflow tells of no end where the user's own code raised, so a call ends those inside it, and a session of MLflow's,
    which no call outlives, forgets those of the one before.
    """

    def __init__(self) -> None:
        self.session = ""
        self.begun: list[int] = []

    def begin(self, session: Any, arguments: object) -> None:
        """A call begins."""
        if session.id != self.session:
            self.session, self.begun = session.id, []
        self.begun.append(id(arguments))

    def end(self, arguments: object) -> bool:
        """A call ends; whether it was the outermost."""
        while self.begun and self.begun.pop() != id(arguments):
            pass
        return not self.begun


@dataclass
class _Watch:
    """Hears every call that MLflow's autologging wraps, hands it on, and diagnoses what the outermost ones evaluate.

    Two integrations cannot wrap the same method, so errata wraps none; MLflow tells its listener, and swallows what
    that raises. All other events are answered by the listener before.
    """

    heard_before: Any
    roles: Mapping[str, str | None]
    options: Mapping[str, Any]
    windows: Any = None
    turned_on: bool = False
    fitted: WeakKeyDictionary[Any, _Fitted] = field(default_factory=WeakKeyDictionary)
    calls: _Calls = field(default_factory=_Calls)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.heard_before, name)

    def log_patch_function_start(self, session: Any, owner: Any, name: str, args: Any, kwargs: Any) -> None:
        """A call begins."""
        self.calls.begin(session, kwargs)
        self.heard_before.log_patch_function_start(session, owner, name, args, kwargs)

    def log_patch_function_success(self, session: Any, owner: Any, name: str, args: Any, kwargs: Any) -> None:
        """A call has returned."""
        outermost = self.calls.end(kwargs)
        self.heard_before.log_patch_function_success(session, owner, name, args, kwargs)
        if not (outermost and args):
            return
        given = dict(zip(ARGUMENTS, args[1:], strict=False)) | kwargs
        # methods behind a descriptor, as Pipeline.score, are wrapped as its attribute "fn"
        called = getattr(owner, "__name__", name) if name == "fn" else name
        if called == "fit":
            run = mlflow.active_run() or mlflow.last_active_run()
            self.fitted[args[0]] = _Fitted(given.get("X"), given.get("y"), None if run is None else run.info.run_id)
        elif called == "score" and given.get("y") is not None:
            self._evaluate(args[0], given)

    def _evaluate(self, model: Any, given: Mapping[str, Any]) -> None:
        known = self.fitted.get(model)
        active = mlflow.active_run()
        run_id = active.info.run_id if active is not None else None if known is None else known.run_id
        if run_id is None:
            return
        try:
            with disable_autologging(), warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=".* feature names")  # of a model that was fitted on an array
                self._log(run_id, model, given, known)
        except Exception as cause:  # noqa: BLE001 - a score is never broken by its diagnosis
            error = NotEvaluated(cause)
            mark_failed(run_id, str(error))
            warnings.warn(str(error), RuntimeWarning, stacklevel=2)

    def _log(self, run_id: str, model: Any, given: Mapping[str, Any], known: _Fitted | None) -> None:
        frame, label = _frame(given["X"], given["y"])
        features = [name for name in frame.columns if name != label]
        weight = given.get("sample_weight")
        if weight is not None:
            frame[WEIGHT] = getattr(weight, "array", weight)
        train = None
        if known is not None and known.rows is not None and known.label is not None:
            with suppress(ValueError, TypeError):  # rows of another kind are no training set, and need not be one
                train = _frame(known.rows, known.label, label)[0]
        roles: dict[str, Any] = {role: column for role, column in self.roles.items() if column in frame.columns}
        record = diagnosed_with_slices(
            run_id,
            frame,
            label=label,
            model=model,
            features=features,
            weight=None if weight is None else WEIGHT,
            train=train,
            windows=self.windows if "time" in roles else None,
            **roles,
            **self.options,
        )
        if log(record, run_id=run_id) is None:
            raise TrackingError("the record was not logged")


def _frame(rows: Any, y: Any, label: str | None = None) -> tuple[pd.DataFrame, str]:
    """Rows with their label as a column, and its name; columns of an array are named feature_0 and so on."""
    found = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows).add_prefix("feature_")
    free = label or str(getattr(y, "name", None) or LABEL)
    name = free if free not in found.columns else f"errata.{LABEL}"
    return found.assign(**{name: getattr(y, "array", y)}), name
