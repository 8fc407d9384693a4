"""Findings that an experiment ignores: with a reason, shown and taken back."""

from __future__ import annotations

import mlflow
import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata.blocks import Verdict
from mlflow_errata.errors import OptionUnknown
from mlflow_errata.errors.stored import ExperimentMissing, ReasonMissing
from mlflow_errata.sections import sections, verdicts
from mlflow_errata.tracking import search

WHY = "The feed is known to be late."


@pytest.fixture
def drifted():
    """Rows whose newest quarter is served much worse."""
    draw = np.random.default_rng(0)
    y = draw.integers(0, 2, 2000)
    right = draw.random(2000) < np.where(np.arange(2000) < 1500, 0.95, 0.6)
    at = pd.date_range("2024-01-01", periods=2000, freq="h")
    rows = pd.DataFrame({"x": draw.normal(size=2000), "at": at, "y": y, "p": np.where(right, y, 1 - y)})
    return errata.diagnose(rows, label="y", prediction="p", time="at", budget=0)


def name_of(experiment):
    return mlflow.get_experiment(experiment).name if experiment.isdigit() else experiment


def test_an_ignored_finding_is_shown_with_its_reason_until_it_is_heeded_again(experiment, drifted):
    name = name_of(experiment)
    with mlflow.start_run() as run:
        errata.log(drifted, strict=True)
    errata.ignore(name, "ERR601", WHY)
    assert errata.ignored(name) == {"ERR601": WHY}
    record = errata.load(run.info.run_id)
    assert record == drifted
    said = verdicts(record)["recency_drift"]
    assert said.status == "ignored"
    assert said.sentence.endswith(f"Ignored in this experiment, ERR601: {WHY}")
    assert next(part.blocks[0] for part in sections(record) if part.name == "recency_drift") == said
    assert "Recency drift [ignored]" in str(record)
    assert next(item for item in search.experiments() if item.name == name).ignored == {"ERR601": WHY}
    errata.ignore(name, "ERR601", None)
    assert errata.ignored(name) == {}
    assert verdicts(errata.load(run.info.run_id))["recency_drift"].status == "bad"


def test_one_of_two_faults_ignored_leaves_the_other(drifted):
    draw = np.random.default_rng(0)
    n = 2000
    y = draw.integers(0, 2, n)
    rows = pd.DataFrame({"leak": y + 0.1 * draw.random(n), "id": np.arange(n), "y": y, "p": y})
    record = errata.diagnose(rows, label="y", prediction="p", features=["leak", "id"], budget=0)
    for ignored, status in ((("ERR101",), "bad"), (("ERR101", "ERR105"), "ignored")):
        record.ignored.clear()
        record.ignored.update(dict.fromkeys(ignored, WHY))
        said = verdicts(record)["data_faults"]
        assert isinstance(said, Verdict)
        assert (said.status, said.sentence.count(WHY)) == (status, len(ignored))


def test_what_cannot_be_ignored_is_refused(experiment):
    with pytest.raises(OptionUnknown, match="code='ERR110' is not known"):
        errata.ignore(name_of(experiment), "ERR110", WHY)
    with pytest.raises(ReasonMissing, match="without a reason"):
        errata.ignore(name_of(experiment), "ERR101", " ")
    with pytest.raises(ExperimentMissing):
        errata.ignore("no such", "ERR101", WHY)
