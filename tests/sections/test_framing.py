"""Framing in words: every part is told with its numbers; charts are valid; what was not made says what to add."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata.blocks import Chart, Table
from mlflow_errata.sections import framing, reframing


@pytest.fixture(scope="module")
def record():
    """Twelve classes in three families, of which one came late and two are rare."""
    draw = np.random.default_rng(0)
    shares = np.r_[np.full(9, 0.1), 0.06, 0.02, 0.02]
    names = np.array([f"kind {at}" for at in range(12)])

    def animals(n, start):
        y = draw.choice(12, n, p=shares)
        kin = y // 4 * 4 + draw.integers(0, 4, n)
        p = np.where(draw.random(n) < 0.5, y, kin)
        rows = pd.DataFrame({"y": names[y], "p": names[np.minimum(p, 8)], "x": draw.normal(size=n)})
        return rows.assign(family=np.array(["cat", "dog", "owl"])[y // 4], at=np.arange(n) + start)

    train, rows = animals(700, 0), animals(1500, 700)
    train = train[train["y"] != "kind 9"]
    return errata.diagnose(
        rows, label="y", prediction="p", features=["x"], slice_by=["x"], time="at", train=train, budget=0
    )


def test_everything_found_is_told_with_its_numbers(record):
    found = record.results["framing"]
    assert found.alarms == ("groups", "arrivals", "rare")
    said = framing.verdict(found, record)
    assert said.status == "bad"
    assert "another class of the same family" in said.sentence
    assert "'kind 9' (first seen " in said.sentence
    assert "fewer than 30 training rows ('kind 10' and 'kind 11')" in said.sentence.replace(
        "'kind 11' and 'kind 10'", "'kind 10' and 'kind 11'"
    )
    codes = [line for line in str(record).splitlines() if line.startswith("Framing")]
    assert codes[0].startswith("Framing [found]: Of the wrong rows")


def test_charts_are_valid_and_tables_whole(record):
    blocks = framing.section(record.results["framing"], record)
    charts = [block for block in blocks if isinstance(block, Chart)]
    assert len(charts) == 2
    for block in charts:
        alt.Chart.from_dict(block.spec)
        assert block.alt
    for block in blocks:
        if isinstance(block, Table):
            assert {len(row) for row in block.rows} == {len(block.columns)}


def test_every_form_has_a_title_and_its_code(record):
    steps = [step for step in record.next_steps if step.kind == "reframe"]
    assert [step.params["to"] for step in steps] == ["hierarchy", "hierarchy", "merge"]
    titles = [reframing.title(step, record) for step in steps]
    assert titles[0] == "Tell the family first, then the class within it"
    assert titles[2] == "Merge 2 rare classes into 'other'"
    for step in steps:
        compile(reframing.code(step, record), "code", "exec")
        assert framing.because(record.results["framing"], step)


def test_what_was_not_made_says_what_to_keep_beside():
    rows = pd.DataFrame({"y": [0, 1] * 100, "p": [0, 1] * 100, "x": np.arange(200.0)})
    record = errata.diagnose(rows, label="y", prediction="p", features=["x"], budget=0)
    said = framing.not_made(record.not_applicable["framing"], record)
    assert "needs three classes" in said.reason
    assert "Keep a column beside the features" in said.remedy
