"""One peer on files of data, in its own environment: prints its cost and its verdicts as JSON.

    python one_peer.py PEER DATA.npz [DATA.npz ...]

The data hold `numbers` (n x 20), `words` (n x 10, codes), `at` (seconds), `score`, `y` and `split`, the first current
row. A verdict is (columns moved, served worse); None where a peer does not say.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

WORDS = np.array(list("abcdefghij"))


def frame_of(data) -> pd.DataFrame:
    columns = {f"number_{at}": data["numbers"][:, at] for at in range(data["numbers"].shape[1])}
    columns |= {f"word_{at}": WORDS[data["words"][:, at]] for at in range(data["words"].shape[1])}
    at = pd.to_datetime(data["at"], unit="s")
    return pd.DataFrame(columns | {"at": at, "score": data["score"], "y": data["y"].astype(int)})


def features(frame):
    return [name for name in frame.columns if name.startswith(("number", "word"))]


def errata(frame, _):
    import mlflow_errata

    results = mlflow_errata.diagnose(frame, label="y", scores="score", time="at", budget=0).results
    drift = results["recency_drift"]
    return any(shift.found for shift in drift.shifts), drift.found


def errata_drift(frame, _):
    from mlflow_errata import EvaluationTable
    from mlflow_errata.diagnoses import recency_drift
    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.metric import default_metric

    table = EvaluationTable.build(frame, label="y", scores="score", time="at")
    drift = recency_drift.diagnose(table, Options(default_metric(table.outcomes)))
    return any(shift.found for shift in drift.shifts), drift.found


def evidently(frame, split):
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    names = features(frame)
    kinds = DataDefinition(
        numerical_columns=[name for name in names if name.startswith("number")],
        categorical_columns=[name for name in names if name.startswith("word")],
    )
    old, new = (Dataset.from_pandas(part[names], kinds) for part in (frame.iloc[:split], frame.iloc[split:]))
    found = Report([DataDriftPreset()]).run(new, old).dict()
    moved = next(item["value"] for item in found["metrics"] if "DriftedColumnsCount" in item["metric_name"])
    return bool(moved["count"] > 0), None


def nannyml(frame, split):
    import nannyml as nml

    frame = frame.assign(p=(frame["score"] >= 0.5).astype(int))
    old, new = frame.iloc[:split], frame.iloc[split:]
    shape = {"timestamp_column_name": "at", "chunk_number": 10}
    moves = nml.UnivariateDriftCalculator(column_names=features(frame), **shape)
    serves = nml.PerformanceCalculator(
        y_pred_proba="score",
        y_pred="p",
        y_true="y",
        problem_type="classification_binary",
        metrics=["roc_auc"],
        **shape,
    )
    verdicts = []
    for calculator in (moves, serves):
        calculator.fit(old)
        told = calculator.calculate(new).filter(period="analysis").to_df()
        verdicts.append(bool(told.xs("alert", axis=1, level=-1).to_numpy().any()))
    return tuple(verdicts)


def alibi_detect(frame, split):
    from alibi_detect.cd import TabularDrift

    values = frame[features(frame)].copy()
    for name in values.columns:
        if name.startswith("word"):
            values[name] = values[name].map({word: at for at, word in enumerate(WORDS)})
    values = values.to_numpy(dtype=np.float32)
    kinds = {at: None for at in range(values.shape[1]) if features(frame)[at].startswith("word")}
    found = TabularDrift(values[:split], p_val=0.05, categories_per_feature=kinds).predict(values[split:])
    return bool(found["data"]["is_drift"]), None


def deepchecks(frame, split):
    from deepchecks.tabular import Dataset
    from deepchecks.tabular.checks import FeatureDrift, TrainTestPerformance

    names = features(frame)
    old, new = (
        Dataset(part[[*names, "y"]], label="y", cat_features=[name for name in names if name.startswith("word")])
        for part in (frame.iloc[:split], frame.iloc[split:])
    )
    said = [np.column_stack([1 - part, part]) for part in np.split(frame["score"].to_numpy(), [split])]
    moved = FeatureDrift(n_samples=None).add_condition_drift_score_less_than().run(old, new)
    served = TrainTestPerformance().add_condition_train_test_relative_degradation_less_than()
    served = served.run(old, new, y_proba_train=said[0], y_proba_test=said[1])
    return not moved.passed_conditions(), not served.passed_conditions()


def cleanlab(frame, _):
    from cleanlab.filter import find_label_issues

    score = frame["score"].to_numpy()
    find_label_issues(frame["y"].to_numpy(), np.column_stack([1 - score, score]), n_jobs=1)
    return None, None


def mlflow_drift_plugin(frame, split):
    from drift_plugin import DriftDetector

    detector = DriftDetector()
    detector.set_baseline(frame[features(frame)].iloc[:split])
    return bool(detector.detect(frame[features(frame)].iloc[split:]).overall_drifted), None


def held(field: str) -> float:
    """Memory of this process in MB: VmRSS now, VmHWM at its peak."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def run(peer, path):
    data = np.load(path)
    frame, split = frame_of(data), int(data["split"])
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)  # what building the frame left over
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
    before, start = held("VmRSS"), time.process_time()
    moved, worse = peer(frame, split)
    spent = time.process_time() - start
    return {"cpu": spent, "peak": held("VmHWM") - before, "moved": moved, "worse": worse}


def main() -> None:
    peer = globals()[sys.argv[1]]
    run(peer, sys.argv[2])  # what is imported or compiled on first use
    for path in sys.argv[3:]:
        print("RESULT " + json.dumps(run(peer, path)), flush=True)


if __name__ == "__main__":
    main()
