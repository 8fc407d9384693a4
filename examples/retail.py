"""Whom to write to: one score of who buys, or two scores multiplied; in money, beside a simple rule.

    python examples/retail.py [--tracking-uri sqlite:///mlflow.db]

An online shop can write to one customer in ten each month. A model of who buys next month ranks them, though what
counts is the money that they spend. Models learn from the months up to April 2011 and rank May to November.

1. who buys          ranked by P(buy); errata weighs P(buy) against E[spend | buy], which is logged beside it
2. two objectives    ranked by the product of both, as the step says: its recipe holds the weights
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

import mlflow_errata as errata

DATA = Path(__file__).parent / "data" / "retail" / "online_retail_months.parquet"
KNOWN = [
    "recency_days",
    "tenure_days",
    "n_orders",
    "revenue",
    "avg_lines",
    "orders_1m",
    "revenue_1m",
    "orders_3m",
    "revenue_3m",
    "orders_6m",
    "revenue_6m",
    "returns",
    "return_amt",
    "uk",
]
"""What the models see; the calendar month is left out, as every month but April was seen once before May 2011."""
LEAVES = 8


def scored(rows: pd.DataFrame) -> pd.DataFrame:
    """Customers of May to November with P(buy), E[spend | buy], and the spend that one model expects for all."""
    old, new = rows[rows["snapshot"] < "2011-05-01"], rows[rows["snapshot"] >= "2011-05-01"]
    buyers = old[old["buys_next_month"] == 1]
    buys = HistGradientBoostingClassifier(max_leaf_nodes=LEAVES, random_state=0)
    spends = HistGradientBoostingRegressor(max_leaf_nodes=LEAVES, random_state=0)
    one = HistGradientBoostingRegressor(max_leaf_nodes=LEAVES, random_state=0)
    buys.fit(old[KNOWN], old["buys_next_month"])
    spends.fit(buyers[KNOWN], np.log1p(buyers["spend_next_month"]))
    one.fit(old[KNOWN], np.log1p(old["spend_next_month"]))
    return new[[*KNOWN, "snapshot", "cid", "buys_next_month", "spend_next_month"]].assign(
        p_buy=buys.predict_proba(new[KNOWN])[:, 1],
        e_spend=np.expm1(spends.predict(new[KNOWN])),
        one_model=np.expm1(one.predict(new[KNOWN])),
    )


def objectives(current: str) -> errata.Objectives:
    """A tenth of the customers of each month; a pound is worth a pound, and that somebody buys nothing beyond it."""
    return errata.Objectives(
        outcomes={"spend_next_month": 1.0, "buys_next_month": 0.0},
        scores=["p_buy", "e_spend"],
        combine="product",
        current=current,
        group="snapshot",
        top=0.1,
        rule="revenue_6m",
        combined="one_model",
        unit="cid",
    )


def logged(name: str, rows: pd.DataFrame, current: str) -> errata.Record:
    """Diagnose and log one way of ranking."""
    with mlflow.start_run(run_name=name):
        record = errata.diagnose(
            rows,
            label="buys_next_month",
            scores="p_buy",
            features=KNOWN,
            time="snapshot",
            objectives=objectives(current),
            budget=0,
        )
        mlflow.log_metric("revenue_share", record.results["objectives"].sweep.current.goal.value)
        errata.log(record, dataset="retail")
    print(f"\n{'=' * 100}\n{name}\n\n{record}\n")
    return record


def main() -> None:
    """Run the story."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracking-uri", default="sqlite:///mlflow.db")
    parser.add_argument("--artifacts", type=Path, help="folder for artifacts; default: MLflow's own")
    wanted = parser.parse_args()
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(wanted.tracking_uri)
    if mlflow.get_experiment_by_name("retail") is None:
        location = wanted.artifacts.resolve().as_uri() if wanted.artifacts else None
        mlflow.create_experiment("retail", artifact_location=location)
    mlflow.set_experiment("retail")
    rows = scored(pd.read_parquet(DATA))
    record = logged("1 who buys", rows, "p_buy")
    step = next(step for step in record.next_steps if step.kind == "decouple")
    recipe = errata.Recipe.of(record, step)
    logged("2 two objectives", rows.assign(mix=recipe.score(rows)), "mix")


if __name__ == "__main__":
    main()
