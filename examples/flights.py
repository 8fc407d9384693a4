"""Four runs on New York flights, and what errata says after each.

    python examples/flights.py [--tracking-uri sqlite:///mlflow.db]

A model predicts before departure whether a flight will be disrupted: more than 15 minutes late, cancelled or diverted.

1. buggy labels     the label is written as `arr_delay > 15`; comparing a missing delay gives "on time"
2. relabelled       flights that never arrived count as disrupted
3. threshold        a missed disruption costs three false alarms, so the decision moves
4. recent months    the reflex after a drift chart: forget everything but the last three months

The runs 1 to 3 learn from January to June and are diagnosed on July to December; run 4 learns from July to September
and is diagnosed on what follows. All four are compared on October to December under the true labels.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score
from sklearn.model_selection import FixedThresholdClassifier, KFold, cross_val_predict

import mlflow_errata as errata

DATA = Path(__file__).parent / "data" / "flights" / "flights.parquet"
FEATURES = [
    "sched_dep_time",
    "sched_arr_time",
    "carrier",
    "origin",
    "dest",
    "distance",
    "temp",
    "humid",
    "wind_speed",
    "precip",
    "pressure",
    "visib",
]
MISS = 3
"""A missed disruption costs three false alarms."""
VALUE = {"tp": 0, "fp": -1, "fn": -MISS, "tn": 0}
BUDGET = 30.0
"""Seconds for the trials of each run, so that the story takes two minutes at most."""


def flights() -> pd.DataFrame:
    """40,000 flights of 2013 with both labels: `late` has the bug, `disrupted` is the truth."""
    rows = pd.read_parquet(DATA).drop(columns="cancelled")
    rows["scheduled_at"] = pd.to_datetime(rows.pop("time_hour"))
    rows["late"] = (rows["arr_delay"] > 15).astype(int)
    rows["disrupted"] = (rows["late"].astype(bool) | rows["arr_delay"].isna()).astype(int)
    return rows


def between(rows: pd.DataFrame, first: str, last: str) -> pd.DataFrame:
    """Flights scheduled from the first of one month up to the first of another."""
    times = rows["scheduled_at"]
    return rows[(times >= pd.Timestamp(first, tz="UTC")) & (times < pd.Timestamp(last, tz="UTC"))]


def unfitted() -> HistGradientBoostingClassifier:
    """Gradient boosting, the same in every run."""
    return HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)


def cost(truth: pd.Series, said: np.ndarray) -> float:
    """Cost of decisions per 1,000 flights, in false alarms."""
    return 1000 * float(np.mean(((said == 1) & (truth == 0)) + MISS * ((said == 0) & (truth == 1))))


def cheapest_threshold(train: pd.DataFrame) -> float:
    """The decision that costs least on the training months, each scored by a model that did not see it."""
    folds = KFold(6)
    scores = cross_val_predict(unfitted(), train[FEATURES], train["disrupted"], cv=folds, method="predict_proba")[:, 1]
    tried = np.arange(0.05, 0.96, 0.05)
    costs = [cost(train["disrupted"], scores >= threshold) for threshold in tried]
    return round(float(tried[np.argmin(costs)]), 2)


def compared(model: object, common: pd.DataFrame) -> dict[str, float]:
    """Ranking and cost on the same flights under the true labels, for every run."""
    truth, scores = common["disrupted"], model.predict_proba(common[FEATURES])[:, 1]
    return {
        "average_precision": float(average_precision_score(truth, scores)),
        "cost_per_1000": cost(truth, model.predict(common[FEATURES])),
    }


def logged_run(
    name: str, model: object, label: str, *, train: pd.DataFrame, test: pd.DataFrame, common: pd.DataFrame
) -> None:
    """Fit, and log as a user does: the parameters, the metrics, the model, and errata's record."""
    unused = "disrupted" if label == "late" else "late"
    train, test = train.drop(columns=unused), test.drop(columns=unused)
    with mlflow.start_run(run_name=name):
        model.fit(train[FEATURES], train[label])
        figures = compared(model, common)
        mlflow.log_params({"label": label, "train_rows": len(train), "train_from": train["scheduled_at"].min().date()})
        mlflow.log_metrics(figures)
        mlflow.sklearn.log_model(
            model, name="model", serialization_format="cloudpickle", pip_requirements=["scikit-learn"]
        )
        record = errata.diagnose(
            test, label=label, model=model, time="scheduled_at", value=VALUE, train=train, budget=BUDGET
        )
        errata.log(record, dataset="flights")
    print(f"\n{'=' * 100}\n{name}: average precision {figures['average_precision']:.3f}, ", end="")
    print(f"cost {figures['cost_per_1000']:.0f} per 1,000 flights (October to December, true labels)\n\n{record}")


def main() -> None:
    """Run the story."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracking-uri", default="sqlite:///mlflow.db")
    parser.add_argument("--artifacts", type=Path, help="folder for artifacts; default: MLflow's own")
    wanted = parser.parse_args()
    logging.getLogger("mlflow").setLevel(logging.ERROR)  # its remarks on pickles would drown the story
    mlflow.set_tracking_uri(wanted.tracking_uri)
    if mlflow.get_experiment_by_name("flights") is None:
        location = wanted.artifacts.resolve().as_uri() if wanted.artifacts else None
        mlflow.create_experiment("flights", artifact_location=location)
    mlflow.set_experiment("flights")

    rows = flights()
    spring, autumn = between(rows, "2013-01-01", "2013-07-01"), between(rows, "2013-07-01", "2014-02-01")
    summer, winter = between(rows, "2013-07-01", "2013-10-01"), between(rows, "2013-10-01", "2014-02-01")

    logged_run("1 buggy labels", unfitted(), "late", train=spring, test=autumn, common=winter)
    logged_run("2 relabelled", unfitted(), "disrupted", train=spring, test=autumn, common=winter)
    threshold = cheapest_threshold(spring)
    print(f"\nOut-of-fold on January to June, a decision at {threshold} costs least.")
    decided = FixedThresholdClassifier(unfitted(), threshold=threshold)
    logged_run("3 threshold", decided, "disrupted", train=spring, test=autumn, common=winter)
    logged_run("4 recent months", clone(decided), "disrupted", train=summer, test=winter, common=winter)


if __name__ == "__main__":
    main()
