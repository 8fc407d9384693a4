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
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import average_precision_score
from sklearn.model_selection import FixedThresholdClassifier

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
COST = {"tp": 0, "fp": -1, "fn": -3, "tn": 0}
"""A missed disruption costs three false alarms."""
CHEAPEST_THRESHOLD = 1 / (1 + 3)
"""The decision that costs least when probabilities are right: cost of a false alarm / (false alarm + miss)."""


def flights() -> pd.DataFrame:
    """40,000 flights of 2013 with both labels."""
    rows = pd.read_parquet(DATA).drop(columns="cancelled")
    rows["scheduled_at"] = pd.to_datetime(rows.pop("time_hour"))
    rows["late"] = (rows["arr_delay"] > 15).astype(int)
    rows["disrupted"] = (rows["late"].astype(bool) | rows["arr_delay"].isna()).astype(int)
    return rows


def between(rows: pd.DataFrame, first: str, last: str) -> pd.DataFrame:
    """Flights scheduled from the first of one month up to the first of another."""
    times = rows["scheduled_at"]
    return rows[(times >= pd.Timestamp(first, tz="UTC")) & (times < pd.Timestamp(last, tz="UTC"))]


def fit(train: pd.DataFrame, label: str) -> HistGradientBoostingClassifier:
    """Gradient boosting on what is known before departure."""
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)
    return model.fit(train[FEATURES], train[label])


def logged_run(
    name: str, model: object, *, train: pd.DataFrame, test: pd.DataFrame, label: str, common: pd.DataFrame
) -> errata.Record:
    """Train-time logging as a user writes it: the model, the metrics, and errata's record."""
    unused = "disrupted" if label == "late" else "late"
    with mlflow.start_run(run_name=name):
        mlflow.log_params({"label": label, "train_rows": len(train), "train_from": train["scheduled_at"].min().date()})
        mlflow.log_metrics(compared(model, common))
        mlflow.sklearn.log_model(
            model, name="model", serialization_format="cloudpickle", pip_requirements=["scikit-learn"]
        )
        record = errata.diagnose(
            test.drop(columns=unused),
            label=label,
            model=model,
            time="scheduled_at",
            value=COST,
            train=train.drop(columns=unused),
        )
        errata.log(record, dataset="flights")
    return record


def compared(model: object, common: pd.DataFrame) -> dict[str, float]:
    """Ranking and cost on the same flights under the true labels, for every run."""
    truth, said = common["disrupted"], model.predict(common[FEATURES])
    cost = ((said == 1) & (truth == 0)) + 3 * ((said == 0) & (truth == 1))
    scores = model.predict_proba(common[FEATURES])[:, 1]
    return {
        "average_precision": average_precision_score(truth, scores),
        "cost_per_1000": 1000 * float(np.mean(cost)),
    }


def main() -> None:
    """Run the story."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracking-uri", default="sqlite:///mlflow.db")
    parser.add_argument("--artifacts", type=Path, help="folder for artifacts; default: MLflow's own")
    wanted = parser.parse_args()
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(wanted.tracking_uri)
    if mlflow.get_experiment_by_name("flights") is None:
        location = wanted.artifacts.resolve().as_uri() if wanted.artifacts else None
        mlflow.create_experiment("flights", artifact_location=location)
    mlflow.set_experiment("flights")

    rows = flights()
    spring, autumn = between(rows, "2013-01-01", "2013-07-01"), between(rows, "2013-07-01", "2014-02-01")
    summer, winter = between(rows, "2013-07-01", "2013-10-01"), between(rows, "2013-10-01", "2014-02-01")
    relabelled, recent = fit(spring, "disrupted"), fit(summer, "disrupted")
    story = {
        "1 buggy labels": (fit(spring, "late"), spring, autumn, "late"),
        "2 relabelled": (relabelled, spring, autumn, "disrupted"),
        "3 threshold": (decided(relabelled, spring), spring, autumn, "disrupted"),
        "4 recent months": (decided(recent, summer), summer, winter, "disrupted"),
    }
    for name, (model, train, test, label) in story.items():
        tell(name, logged_run(name, model, train=train, test=test, label=label, common=winter), model, winter)


def decided(model: HistGradientBoostingClassifier, train: pd.DataFrame) -> FixedThresholdClassifier:
    """The model with the decision that costs least."""
    return FixedThresholdClassifier(FrozenEstimator(model), threshold=CHEAPEST_THRESHOLD).fit(
        train[FEATURES], train["disrupted"]
    )


def tell(name: str, record: errata.Record, model: object, common: pd.DataFrame) -> None:
    """The run in a few lines."""
    figures = compared(model, common)
    print(f"\n== {name}: average precision {figures['average_precision']:.3f}, ", end="")
    print(f"cost {figures['cost_per_1000']:.0f} per 1,000 flights (October to December, true labels)")
    print(record)


if __name__ == "__main__":
    main()
