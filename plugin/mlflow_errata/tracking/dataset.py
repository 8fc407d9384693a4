"""`mlflow.data.from_errata`: evaluation data with columns that errata sees and the model does not."""

# MLflow wants a real class as return annotation, so annotations are not postponed here.
from collections.abc import Sequence
from typing import Any

import pandas as pd
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.pandas_dataset import PandasDataset

from mlflow_errata.errors import ColumnMissing, RoleTwice
from mlflow_errata.roles import check_listed


class ErrataDataset(PandasDataset):
    """Evaluation rows with roles: models and other evaluators get the features only.

    Parameters
    ----------
    df : DataFrame of shape (n_rows, n_columns)
    targets : str, column of the truth
    hidden : columns that the model does not see
    roles : mapping of arguments of `mlflow_errata.diagnose`
    """

    def __init__(
        self, df: pd.DataFrame, targets: str, hidden: Sequence[str], roles: dict[str, Any], **others: Any
    ) -> None:
        self.whole = df
        self.hidden = list(hidden)
        self.roles = roles
        super().__init__(df=df, source=CodeDatasetSource(tags={}), targets=targets, **others)

    def to_evaluation_dataset(self, path: str | None = None, feature_names: list[str] | None = None) -> Any:
        """The features and the target, carrying the hidden columns beside them."""
        from mlflow.models import evaluation  # noqa: PLC0415 - not yet importable when MLflow loads this module

        seen: Any = evaluation.EvaluationDataset(  # type: ignore[no-untyped-call]
            data=self.whole.drop(columns=self.hidden),
            targets=self._targets,
            path=path,
            feature_names=feature_names,
            predictions=self._predictions,
            name=self.name,
            digest=self.digest,
        )
        seen.errata = self
        return seen


def from_errata(
    df: pd.DataFrame,
    targets: str,
    *,
    time: str | None = None,
    id: str | None = None,  # noqa: A002 - the role's name
    group: str | None = None,
    metadata: Sequence[str] = (),
    predictions: str | None = None,
    name: str | None = None,
    digest: str | None = None,
) -> ErrataDataset:
    """Evaluation data for `mlflow.models.evaluate`.

    Parameters
    ----------
    df : DataFrame of shape (n_rows, n_columns)
    targets : column of the truth
    time, id, group : columns in these roles, not seen by the model
    metadata : further columns to slice on, not seen by the model
    predictions : column of stored predictions
    name, digest : str

    Raises
    ------
    ColumnMissing, ValuesRefused, RoleTwice
    """
    given = (("time", time), ("id", id), ("group", group))
    roles = {role: column for role, column in given if column is not None}
    check_listed("metadata", metadata, list(df.columns))
    for role, column in {"targets": targets, "predictions": predictions, **roles}.items():
        if column is not None and column not in df.columns:
            raise ColumnMissing(role, column, list(df.columns))
    for role, column in (*roles.items(), *(("metadata", column) for column in metadata)):
        for first, taken in (("targets", targets), ("predictions", predictions)):
            if column == taken:
                raise RoleTwice(column, first, role)
    hidden = [*roles.values(), *metadata]
    return ErrataDataset(df, targets, hidden, roles, predictions=predictions, name=name, digest=digest)
