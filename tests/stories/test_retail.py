"""The retail example end to end: decoupled objectives in money, beside a simple rule."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata.tracking import search

EXAMPLE = Path(__file__).parents[2] / "examples" / "retail.py"
DATA = EXAMPLE.parent / "data" / "retail"


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """The records of both runs, and what the story printed."""
    folder = tmp_path_factory.mktemp("retail")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    command = [sys.executable, str(EXAMPLE), "--tracking-uri", uri, "--artifacts", str(folder / "artifacts")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    experiment = next(item for item in search.experiments(uri) if item.name == "retail")
    runs = {row.name: row for row in search.runs(experiment.id, tracking_uri=uri)}
    return {name: errata.load(row.run_id, tracking_uri=uri) for name, row in runs.items()}, done.stdout


def test_the_decoupled_gain_is_found_and_the_simple_rule_stands_beside_it(story):
    records, told = story
    result = records["1 who buys"].results["objectives"]
    sweep = result.sweep
    brought = {item.kind: item.goal.value for item in sweep.rankings}
    assert result.found
    assert brought["current"] == pytest.approx(0.589, abs=0.005)
    assert brought["equal"] == pytest.approx(0.619, abs=0.01)
    assert brought["chosen"] == pytest.approx(0.619, abs=0.01)
    assert brought["rule"] == pytest.approx(0.610, abs=0.001)
    assert 0 < result.headline.low < 0.03 < result.headline.high < 0.06
    assert "The simple rule, revenue_6m, brings 61.0 %" in told


def test_the_rule_is_what_sorting_by_hand_says(story):
    records, _ = story
    rows = pd.read_parquet(DATA / "online_retail_months.parquet")
    rows = rows[rows["snapshot"] >= "2011-05-01"]
    first = pd.concat(
        part.nlargest(round(0.1 * len(part)), "revenue_6m") for _, part in rows.groupby("snapshot", sort=False)
    )
    expected = first["spend_next_month"].sum() / rows["spend_next_month"].sum()
    rule = records["1 who buys"].results["objectives"].sweep.rankings[-1]
    assert rule.name == "revenue_6m"
    assert rule.goal.value == pytest.approx(expected, abs=1e-4)


def test_the_step_comes_first_and_its_mix_leaves_nothing_to_gain(story):
    records, _ = story
    first = records["1 who buys"].next_steps[0]
    assert first.kind == "decouple"
    assert set(first.params["weights"]) == {"p_buy", "e_spend"}
    after = records["2 two objectives"]
    assert not after.results["objectives"].found
    assert "decouple" not in [step.kind for step in after.next_steps]


def test_the_data_are_those_of_the_readme():
    digest = sha256((DATA / "online_retail_months.parquet").read_bytes()).hexdigest()
    assert digest in (DATA / "README.md").read_text(encoding="utf-8")
