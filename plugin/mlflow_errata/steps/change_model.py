"""Change model: one size up or down, or a plain model of another family."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from mlflow_errata.diagnoses._shape import Result
    from mlflow_errata.steps._shape import NextStep
    from mlflow_errata.table import EvaluationTable
    from mlflow_errata.training import TrainingSet

KIND = "change_model"

Family = Literal["gradient_boosting", "linear"]
FAMILIES: tuple[Family, ...] = ("gradient_boosting", "linear")
FEWEST_WORDS, FEWEST_TEXTS = 3, 0.5
"""Mean number of words of free text, and the share of its values that are no repetition."""
TOPICS = 50
"""Numbers that gradient boosting is given of a text: its place along the directions in which texts differ most."""


def propose(results: Mapping[str, Result], table: EvaluationTable) -> tuple[NextStep, ...]:  # noqa: ARG001
    """Nothing from results alone: trials find out whether another size pays."""
    return ()


def apply(train: TrainingSet, **params: Any) -> TrainingSet:  # noqa: ARG001 - the shared shape
    """Change no row: the estimator alone changes."""
    return train


def alter(
    estimator: Any,
    X: pd.DataFrame,  # noqa: N803 - scikit-learn's name
    *,
    set: Mapping[str, Any] | None = None,  # noqa: A002 - the step's parameter
    family: Family | None = None,
    classes: bool = True,
    **decision: Any,  # noqa: ARG001 - where decisions fall
) -> Any:
    """The estimator to fit instead; unfitted.

    Parameters
    ----------
    estimator : unfitted, is not changed
    X : DataFrame that it will be fitted on, for its dtypes
    set : parameters to set, by scikit-learn's nested names
    family : "gradient_boosting" or "linear", in place of the estimator
    classes : bool, False for regression
    decision : where decisions fall with this model
    """
    if family is not None:
        return (_gradient_boosting if family == "gradient_boosting" else _linear)(X, classes=classes)
    return copy.deepcopy(estimator).set_params(**dict(set or {}))


def sizes(estimator: Any) -> dict[str, dict[str, Any]]:
    """Parameters of a bigger and a smaller configuration: {"bigger": {...}, "smaller": {...}}; empty if none is known.

    Every parameter of SIZES counts, wherever it is nested, but those that a search chooses; ensembles are not grown
    where their trees can be.
    """
    found: dict[str, dict[str, Any]] = {"bigger": {}, "smaller": {}}
    if not hasattr(estimator, "get_params"):
        return {}
    for name, value in _known(estimator).items():
        pair = SIZES.get(name.rpartition("__")[2])
        if pair is None:
            continue
        for size, change in zip(found, pair, strict=True):
            new = change(value)
            if new is not None and new != value:
                found[size][name] = new
    return {size: params for size, params in found.items() if params}


DEFAULTS = {"catboost": ("depth", 6), "xgboost": ("max_depth", 6)}
"""Depth of trees where it is left open, by package: these two do not say it among their parameters."""


GRIDS = frozenset({"param_grid", "param_distributions", "search_spaces"})
"""Parameters of a search that name those it chooses."""


def _known(estimator: Any) -> dict[str, Any]:
    """Parameters by nested name, with the depth of trees where a package keeps it to itself."""
    params = dict(estimator.get_params(deep=True))
    for prefix, part in [("", estimator), *((f"{name}__", value) for name, value in params.items())]:
        name, value = DEFAULTS.get(type(part).__module__.partition(".")[0], ("", None))
        if name and hasattr(part, "get_params") and not {name, "max_depth"} & _set(part):
            params[f"{prefix}{name}"] = value
    return {name: value for name, value in params.items() if name not in _searched(params)}


def _searched(params: Mapping[str, Any]) -> set[str]:
    """Nested names of the parameters that searches choose, which they would set again at every fit."""
    found = set[str]()
    for name, value in params.items():
        prefix, _, last = name.rpartition("__")
        if last in GRIDS:
            grids = value if isinstance(value, list | tuple) else [value]
            inside = f"{prefix}__estimator" if prefix else "estimator"
            found |= {f"{inside}__{chosen}" for grid in grids if isinstance(grid, dict) for chosen in grid}
    return found


def _set(model: Any) -> set[str]:
    return {name for name, value in model.get_params().items() if value is not None}


def _scaled(factor: float, low: int, high: int) -> Callable[[Any], Any]:
    """Multiply a whole number; None where the parameter is not one (a default such as "no limit" stays)."""

    def change(value: Any) -> Any:
        known = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return max(low, min(high, round(value * factor))) if known else None

    return change


def _times(factor: float) -> Callable[[Any], Any]:
    def change(value: Any) -> Any:
        return value * factor if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None

    return change


def _layers(factor: float) -> Callable[[Any], Any]:
    def change(value: Any) -> Any:
        return [max(2, round(n * factor)) for n in value] if isinstance(value, tuple | list) else None

    return change


def _leaf_of_a_full_tree(value: Any) -> Any:
    """Trees without a limit shrink by larger leaves."""
    return 20 if value == 1 else value * 4 if isinstance(value, int) else None


SIZES: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "max_leaf_nodes": (_scaled(3, 2, 1023), _scaled(1 / 3, 2, 1023)),
    "num_leaves": (_scaled(3, 2, 1023), _scaled(1 / 3, 2, 1023)),
    "max_depth": (_scaled(2, 1, 40), _scaled(0.5, 1, 40)),
    "depth": (_scaled(1.5, 1, 10), _scaled(0.5, 1, 10)),
    "min_samples_leaf": (_scaled(1 / 3, 1, 1000), _leaf_of_a_full_tree),
    "n_neighbors": (_scaled(1 / 3, 1, 1000), _scaled(3, 1, 1000)),
    "C": (_times(10.0), _times(0.1)),
    "alpha": (_times(0.1), _times(10.0)),
    "hidden_layer_sizes": (_layers(2), _layers(0.5)),
}
"""What makes a model of a family bigger and smaller, by the parameter's name."""


def _columns(X: pd.DataFrame) -> tuple[list[str], list[str], list[str]]:  # noqa: N803
    """Numeric columns, free text, and all others."""
    from pandas.api.types import is_numeric_dtype  # noqa: PLC0415 - beside its use

    numeric = [name for name in X.columns if is_numeric_dtype(X[name].dtype)]
    texts = [name for name in X.columns if _is_free_text(X[name])]
    return numeric, texts, [name for name in X.columns if name not in {*numeric, *texts}]


def _is_free_text(column: pd.Series[Any]) -> bool:
    """Whether a column holds text of several words that is seldom the same twice."""
    from pandas.api.types import is_string_dtype  # noqa: PLC0415 - beside its use

    known = column.dropna()
    if len(known) == 0 or not is_string_dtype(known) or known.nunique() <= FEWEST_TEXTS * len(known):
        return False
    return sum(len(text.split()) for text in known) >= FEWEST_WORDS * len(known)


def _gradient_boosting(X: pd.DataFrame, *, classes: bool) -> Any:  # noqa: N803
    from sklearn.compose import make_column_transformer  # noqa: PLC0415
    from sklearn.decomposition import TruncatedSVD  # noqa: PLC0415
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor  # noqa: PLC0415
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OrdinalEncoder  # noqa: PLC0415

    numeric, texts, other = _columns(X)
    encode = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1, max_categories=250
    )
    topics = [(make_pipeline(TfidfVectorizer(), TruncatedSVD(TOPICS, random_state=0)), name) for name in texts]
    columns = make_column_transformer((encode, other), ("passthrough", numeric), *topics)
    model = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return make_pipeline(columns, model(random_state=0))


def _linear(X: pd.DataFrame, *, classes: bool) -> Any:  # noqa: N803
    from sklearn.compose import make_column_transformer  # noqa: PLC0415
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression, Ridge  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: PLC0415

    numeric, texts, other = _columns(X)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", max_categories=50), other),
        (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numeric),
        *((TfidfVectorizer(), name) for name in texts),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000) if classes else Ridge())
