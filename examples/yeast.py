"""Several labels a row: 14 functions of yeast genes, by one linear model a label and by a forest for all of them.

    python examples/yeast.py [--tracking-uri sqlite:///mlflow.db]

Both runs are judged by macro F1 on the same genes. A tenth of the labels is taken for not known, as annotation by hand
leaves them: it counts nowhere, rather than as a no. `errata ui` shows every label on the page Classes.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlflow_errata as errata

DATA = Path(__file__).parent / "data" / "yeast" / "yeast_multilabel.parquet"
MODELS = {
    "linear": make_pipeline(StandardScaler(), MultiOutputClassifier(LogisticRegression(C=0.1, max_iter=1000))),
    "forest": RandomForestClassifier(200, min_samples_leaf=2, random_state=0),
}


def main() -> None:
    """Train, diagnose and log both models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracking-uri", default="sqlite:///mlflow.db")
    wanted = parser.parse_args()
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(wanted.tracking_uri)
    mlflow.set_experiment("yeast")
    genes = pd.read_parquet(DATA)
    labels = [name for name in genes if name.startswith("Class")]
    measures = [name for name in genes if name not in labels]
    train, test = genes.iloc[:1500], genes.iloc[1500:].copy()
    known = np.random.default_rng(0).random((len(test), len(labels))) > 0.1
    test[labels] = test[labels].where(known)
    for name, model in MODELS.items():
        fitted = model.fit(train[measures], train[labels])
        with mlflow.start_run(run_name=name):
            record = errata.diagnose(
                test, label=labels, model=fitted, features=measures, train=train, metric="f1_macro", budget=0
            )
            errata.log(record)
        print(f"\n{name}\n{record}")


if __name__ == "__main__":
    main()
