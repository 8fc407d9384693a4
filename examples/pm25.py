"""One question in three forms: how much fine dust, a bad day or not, which of six grades.

    python examples/pm25.py [pm25] [hour_is] [grade] [--tracking-uri sqlite:///mlflow.db]

Gradient boosting learns the fine dust in Beijing from the weather of 2010 to 2013 (every third hour) and is diagnosed
on 2014, three times: as a number, as "more than 150 micrograms", and as one of six grades. The number can be cut into
the classes, so the three are compared on the question that all of them answer: is it a bad hour? errata finds the
columns that belong together, fits the other forms and says what they gain on the same rows.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import roc_auc_score

import mlflow_errata as errata

DATA = Path(__file__).parent / "data" / "pm25" / "pm25.parquet"
WEATHER = ["dew_point", "temperature", "pressure", "wind", "wind_run", "snow_hours", "rain_hours"]
FEATURES = ["month", "hour", *WEATHER]
BAD = 150
GRADES = {"good": 35, "moderate": 75, "sensitive": 115, "unhealthy": 150, "very unhealthy": 250, "hazardous": np.inf}
LABELS = ("pm25", "hour_is", "grade")
SETTINGS: dict[str, Any] = {"categorical_features": "from_dtype", "max_iter": 40, "random_state": 0}
BUDGET = 30.0
"""Seconds for the trials of each run."""


def hours() -> pd.DataFrame:
    """Every hour with the number and the classes that it is cut into."""
    rows = pd.read_parquet(DATA).astype({"wind": "category"})
    rows["at"] = pd.to_datetime(rows[["year", "month", "day", "hour"]])
    rows["hour_is"] = np.where(rows["pm25"] > BAD, "bad", "fine")
    tops = list(GRADES.values())
    rows["grade"] = np.array(list(GRADES))[np.searchsorted(tops, rows["pm25"], side="left")]
    return rows.drop(columns=["year", "day"])


def score(model: Any, rows: pd.DataFrame) -> np.ndarray:
    """What a model says of a bad hour: the number, or the chance of the classes above."""
    if not hasattr(model, "predict_proba"):
        return np.asarray(model.predict(rows[FEATURES]))
    bad = [label == "bad" or GRADES.get(label, 0) > BAD for label in model.classes_]
    return np.asarray(model.predict_proba(rows[FEATURES])[:, bad].sum(axis=1))


def main() -> None:
    """Train, diagnose and log all three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", nargs="*", choices=[[], *LABELS], help="default: all three")
    parser.add_argument("--tracking-uri", default="sqlite:///mlflow.db")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds for the trials of each run")
    wanted = parser.parse_args()
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(wanted.tracking_uri)
    mlflow.set_experiment("pm25")
    rows = hours()
    train, test = rows[rows["at"] < "2014"].iloc[::3], rows[rows["at"] >= "2014"]
    truth, told = test["pm25"] > BAD, {}
    for label in wanted.labels or LABELS:
        kind = HistGradientBoostingRegressor if label == "pm25" else HistGradientBoostingClassifier
        model = kind(**SETTINGS).fit(train[FEATURES], train[label])
        with mlflow.start_run(run_name=label):
            metric = "roc_auc" if label == "hour_is" else None
            record = errata.diagnose(
                test, label=label, model=model, time="at", train=train, metric=metric, budget=wanted.budget
            )
            errata.log(record)
            told[label] = float(roc_auc_score(truth, score(model, test)))
            mlflow.log_metric("bad_hour_auc", told[label])
        print(f"\n{label}\n{framing(record)}")
    print(f"\nROC AUC of a bad hour (more than {BAD}) on {len(test):,} hours of 2014")
    for label, value in told.items():
        print(f"   learned as {label}: {value:.3f}")


def framing(record: errata.Record) -> str:
    """The lines of a record that speak of the form of the question."""
    forms = ("Framing", "Predict", "Tell", "Ask")
    return "\n".join(line for line in str(record).splitlines() if line.lstrip("0123456789. ").startswith(forms))


if __name__ == "__main__":
    main()
