"""Hand-made records around hand-made results."""

from __future__ import annotations

import pandas as pd
import pytest

from mlflow_errata.estimate import Estimate
from mlflow_errata.record.schema import Dataset, Record, Summary


@pytest.fixture
def record_of():
    """A function from results (by name) to a record of 1,000 rows."""

    def build(
        results=None,
        *,
        missing=None,
        steps=(),
        task="binary",
        roles=None,
        features=("hour",),
        training=None,
        value=None,
    ):
        dataset = Dataset(
            digest="ab" * 32,
            n_rows=1000,
            n_unlabelled=0,
            roles={"label": "late", **(roles or {})},
            features=tuple(features),
            slice_columns=tuple(features),
            classes=() if task == "regression" else (0, 1),
            training=training,
        )
        summary = Summary(
            task=task,
            task_inferred=True,
            metric="accuracy",
            metric_inferred=False,
            greater_is_better=True,
            value=value,
            value_lost=None,
            random_state=0,
            errata="0.1.0",
        )
        return Record(dataset, summary, results or {}, missing or {}, tuple(steps), pd.DataFrame())

    return build


@pytest.fixture
def rate():
    """A function from (value, low, high) to an estimate of a share."""

    def build(value, low, high, *, n=100, unit="error rate"):
        return Estimate(value, low, high, n=n, unit=unit)

    return build
