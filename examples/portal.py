"""Many classes: which of 24 species was caught in the desert, by a forest that has seen the first years alone.

    python examples/portal.py [--every 3] [--tracking-uri sqlite:///mlflow.db]

1. flat        one forest for all species, trained on 1977 to 1989, diagnosed on 1990 to 1999: species that came later,
               species too rare to learn, confusions that stay within a genus, rows of long ago
2. hierarchy   the same rows by the recipe of the hierarchy that errata found and tried
3. recent      the recipe that errata puts first

All are compared on 2000 to 2002, which no step has seen: the hierarchy was promised next to nothing and delivers that;
the newest rows are what was missing.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

import mlflow_errata as errata

DATA = Path(__file__).parent / "data" / "portal" / "portal_rodents_labelled.parquet"
FEATURES = ["plot_id", "plot_type", "month", "sex", "hindfoot_length", "weight"]
BUDGET = 30.0
"""Seconds for the trials, of which a quiet machine takes ten."""


def rodents() -> pd.DataFrame:
    """Every rodent with the day on which it was caught; the genus stands beside, where the model does not see it."""
    rows = pd.read_parquet(DATA).drop(columns="taxa")
    rows["caught_on"] = pd.to_datetime(rows[["year", "month", "day"]])
    rows["sex"] = rows["sex"].fillna("not known")
    return rows.drop(columns=["year", "day"]).sort_values(["caught_on", "record_id"], ignore_index=True)


def unfitted() -> Any:
    """A forest: gradient boosting breaks down on many classes of which some are rare."""
    words = make_column_transformer((OrdinalEncoder(), ["plot_type", "sex"]), remainder="passthrough")
    return make_pipeline(words, RandomForestClassifier(30, min_samples_leaf=5, random_state=0, n_jobs=1))


def main() -> None:
    """Train, diagnose and log; then compare on the last years."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracking-uri", default="sqlite:///mlflow.db")
    parser.add_argument("--every", type=int, default=3, help="take every n-th rodent; 1 takes all 30,738")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds for the trials")
    wanted = parser.parse_args()
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(wanted.tracking_uri)
    mlflow.set_experiment("portal")
    rows = rodents().iloc[:: wanted.every]
    train = rows[rows["caught_on"] < "1990"]
    newer = rows[(rows["caught_on"] >= "1990") & (rows["caught_on"] < "2000")]
    last = rows[rows["caught_on"] >= "2000"]
    flat = unfitted().fit(train[FEATURES], train["species_id"])
    record = logged("1 flat", newer, flat, train=train, budget=wanted.budget)
    print(record)
    models = {"1 flat": flat}
    hierarchy = [step for step in record.next_steps if step.params.get("to") == "hierarchy"]
    if hierarchy:
        models["2 hierarchy"] = errata.Recipe.of(record, hierarchy[0]).fit(unfitted(), train)
    models["3 recent"] = errata.Recipe.of(record).fit(unfitted(), train, newer=newer)
    print(f"\n{len(last):,} rodents since 2000, which no step has seen")
    for name, model in models.items():
        if model is not flat:
            logged(name, last, model, budget=0.0)
        right = (model.predict(last[FEATURES]) == last["species_id"]).mean()
        print(f"   {name}: {right:.1%} of the species told right")


def logged(name: str, rows: pd.DataFrame, model: Any, **options: Any) -> errata.Record:
    """One run."""
    with mlflow.start_run(run_name=name):
        record = errata.diagnose(
            rows, label="species_id", model=model, features=FEATURES, time="caught_on", id="record_id", **options
        )
        errata.log(record)
    return record


if __name__ == "__main__":
    main()
