"""The section of objectives: what it says, and pictures of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata.blocks import Chart, Facts, Table
from mlflow_errata.sections import gains, objectives, sections


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(2, 3000))
    return pd.DataFrame(
        {
            "y": (draw.random(3000) < 1 / (1 + np.exp(1 - a))).astype(int),
            "p": 1 / (1 + np.exp(1 - a)),
            "e": np.exp(b),
            "other": draw.normal(size=3000),
            "spend": np.exp(b + draw.normal(size=3000)),
            "old": a + b,
        }
    )


def blocks_of(rows, **told):
    wanted = {"outcomes": ["y", "spend"], "scores": ["p", "e"], "rule": "old", **told}
    record = errata.diagnose(rows, label="y", scores="p", objectives=wanted, budget=0)
    return record, next(part.blocks for part in sections(record) if part.name == "objectives")


def test_the_verdict_tells_the_gain_and_the_simple_rule(rows):
    record, blocks = blocks_of(rows)
    result = record.results["objectives"]
    sentence = blocks[0].sentence
    assert f"{100 * result.sweep.current.goal.value:.1f} %" in sentence
    assert f"{100 * result.headline.value:+.1f} points" in sentence
    assert "The simple rule, old, brings" in sentence
    step = next(line for line in str(record).splitlines() if "Decouple the objectives" in line)
    assert "no refit, no labels, no rows" in step


def test_a_mix_tells_its_cost_in_every_outcome(rows):
    record, _ = blocks_of(rows)
    sweep = record.results["objectives"].sweep
    at = sweep.nearest([0, 1])
    text, facts, curve, front = objectives.at_mix(sweep, at)
    assert text.sentence.startswith("0 % p and 100 % e: weights")
    assert isinstance(facts, Facts)
    assert [fact.name for fact in facts.facts] == ["y", "spend", "together"]
    assert facts.facts[0].note.startswith(f"{100 * sweep.mixes[at].gains[0].value:+.1f} points")
    assert "simple rule" in curve.alt
    assert "on the front" in front.alt


def test_one_outcome_needs_no_front_and_three_scores_no_curve(rows):
    _, one = blocks_of(rows, outcomes=["spend"])
    assert sum(isinstance(block, Chart) for block in one) == 1
    record, three = blocks_of(rows, scores=["p", "e", "other"])
    assert sum(isinstance(block, Chart) for block in three) == 1
    assert len(objectives.sliders(record.results["objectives"].sweep)) == 3


def test_sliders_start_at_the_best_mix_and_lead_to_the_nearest(rows):
    record, _ = blocks_of(rows)
    sweep = record.results["objectives"].sweep
    starts = [start for _, start in objectives.sliders(sweep)]
    assert objectives.moved(sweep, starts) == sweep.best
    assert sweep.mixes[objectives.moved(sweep, [25])].shares == (0.75, 0.25)


def test_rankings_stand_in_one_table(rows):
    _, blocks = blocks_of(rows)
    table = next(block for block in blocks if isinstance(block, Table))
    assert [row[0] for row in table.rows] == [
        "score in use",
        "weights chosen on other rows",
        "equal weights",
        "simple rule",
    ]
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_without_objectives_it_says_how_to_name_them(rows):
    record = errata.diagnose(rows, label="y", scores="p", budget=0)
    said = objectives.not_made(record.not_applicable["objectives"], record)
    assert "errata.Objectives(" in said.remedy
    few = objectives.not_made("needs 50 rows at the top, or 20 lists; there are 3", record)
    assert "50 rows at the top" in few.reason


def test_a_gain_in_money_is_never_drawn_beside_gains_in_a_metric(rows):
    told = {"outcomes": ["spend"], "scores": ["p", "e"], "combine": "product"}
    train = rows.head(1000)
    record = errata.diagnose(rows, label="y", scores="p", features=["other"], train=train, objectives=told, metric="f1")
    steps = {item.at: row for item, row in zip(gains.offers(record), gains.table(record).rows, strict=True)}
    at = [step.kind for step in record.next_steps].index("decouple")
    assert record.trials.unit == "f1"
    assert "points" in steps[at][2]
    assert steps[at][2].endswith("of spend in the top 10 %")
    assert not any("Decouple" in chart.alt for chart in gains.charts(record))
    alone = errata.diagnose(rows, label="y", scores="p", features=["other"], objectives=told, budget=0)
    assert "rows that did not choose" in gains.table(alone).caption
    assert "Decouple" in gains.charts(alone)[0].alt
