"""Metrics as judges of runs: planted experiments where they disagree with the value, and where they agree."""

from __future__ import annotations

import mlflow
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

import mlflow_errata as errata
from mlflow_errata._compare_metrics import agreement_with_business
from mlflow_errata.errors import NotApplicable
from mlflow_errata.errors.stored import ExperimentMissing
from mlflow_errata.tracking import metrics as room
from mlflow_errata.tracking.search import runs

DEAR = {"tp": 0, "fp": -1, "fn": -9, "tn": 0}
EVEN = {"tp": 0, "fp": -1, "fn": -1, "tn": 0}


def experiment(value, seed=0, n=4000, n_runs=6):
    """Runs on the same rows: the more timid a run, the better its accuracy and the worse it serves dear misses."""
    draw = np.random.default_rng(seed)
    truth = expit(1.5 * draw.normal(size=n) - 1)
    y = (draw.random(n) < truth).astype(int)
    found = {}
    for at in range(n_runs):
        moved = 2.2 - 2.2 * at / (n_runs - 1)
        noise = 0.15 * draw.normal(size=n)
        said = expit(logit(truth) + moved + noise)
        rows = pd.DataFrame({"y": y, "x": truth, "s": said})
        found[f"run {at}"] = errata.diagnose(
            rows, label="y", scores="s", features=["x"], metric="accuracy", value=value
        )
    return found


def test_the_metric_misleads_and_a_better_one_is_named():
    found = errata.compare_metrics(experiment(DEAR))
    assert found.misled
    assert found.best_run in {"run 0", "run 1"}
    assert found.choices[0].metric == found.metric == "accuracy"
    assert found.choices[0].run in {"run 4", "run 5"}
    assert found.better is not None
    assert found.choice(found.better).regret.high < found.headline.low
    assert found.rank_agreement.high < 0
    assert found.headline.low > 0
    assert "would have chosen" in str(found)


def test_silent_where_they_agree():
    found = errata.compare_metrics(experiment(EVEN))
    assert not found.misled
    assert found.better is None
    assert found.rank_agreement.value > 0.7


def test_runs_on_other_rows_are_left_out():
    records = experiment(EVEN, n_runs=3) | {"odd": experiment(EVEN, seed=1, n_runs=2)["run 0"]}
    assert errata.compare_metrics(records).n_left_out == 1
    with pytest.raises(NotApplicable, match="3 runs"):
        errata.compare_metrics(experiment(EVEN, n_runs=2))


def test_business_figures():
    """Revenue rises with the recall and falls with the accuracy, over 12 runs."""
    draw = np.random.default_rng(0)
    figures = {
        f"run {at}": {"accuracy": 0.9 - 0.01 * at, "average_precision": float(draw.random()), "revenue": 100.0 + at}
        for at in range(12)
    }
    accuracy = next(item for item in agreement_with_business(figures, "revenue") if item.metric == "accuracy")
    assert accuracy.agrees is False
    assert accuracy.rank_agreement.value == pytest.approx(-1)
    cost = agreement_with_business(figures, "revenue", greater_is_better=False)
    assert next(item for item in cost if item.metric == "accuracy").agrees is True
    other = next(item for item in cost if item.metric == "average_precision")
    assert other.agrees is None
    assert other.n_needed is None or other.n_needed > 12


def test_over_a_store(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'store.db'}")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'store.db'}")
    made = mlflow.create_experiment("shop", (tmp_path / "shop").as_uri())
    for at, record in enumerate(experiment(DEAR, n_runs=5).values()):
        with mlflow.start_run(experiment_id=made, run_name="the same name"):
            mlflow.log_metrics({"revenue": 50.0 - at, "accuracy": 0.7 + at / 100})
            errata.log(record)
    assert room.business(made) is None
    errata.business_metric("shop", "revenue")
    told = room.business(made)
    assert told.name == "revenue"
    assert next(item for item in told.agreements if item.metric == "accuracy").agrees is False
    found = room.metric_comparison(runs(made))
    assert found.misled
    assert len(set(found.runs)) == 5
    with pytest.raises(ExperimentMissing):
        errata.business_metric("shoop", "revenue")
