"""The steps beside each other, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlflow_errata.estimate import Estimate
from mlflow_errata.sections import gains, next_steps
from mlflow_errata.sections.tables import csv_of, data_of
from mlflow_errata.steps._shape import Cost, NextStep
from mlflow_errata.trials._shape import Trials


def of(value, low, high, unit="roc_auc"):
    return Estimate(value, low, high, 100, unit, 0.9)


def step(kind, gain, *, pays=False, gains=None, chance=0.1, **params):
    cost, why = Cost(seconds=2.0), "" if gain else "not tried"
    return NextStep(kind, params, (), cost, gain, why, None, gain and gain.low, pays, gains, chance)


@pytest.fixture(scope="module")
def tried(record):
    """A record with a step that pays, one that loses, doing nothing, and one that was not tried."""
    steps = (
        step("retrain_recent", of(0.03, 0.02, 0.04), pays=True, gains=0.99, chance=0.8),
        step("stop", of(0.0, 0.0, 0.0), chance=0.15),
        step("change_model", of(-0.05, -0.06, -0.04), chance=0.01, family="linear"),
        step("collect_data", None, chance=None, slice=["region == 'east'"]),
    )
    noise = of(0.001, -0.01, 0.012)
    trials = Trials(
        "roc_auc", "forward", 1000, 5, 2, 900, 900, 10, 3, noise, True, False, 0.01, 0.15, steps[:3], {}, ()
    )
    return replace(record, next_steps=steps, trials=trials)


def test_doing_nothing_is_a_row_with_its_own_noise(tried):
    rows = {row[0]: row for row in gains.table(tried).rows}
    assert rows["Do nothing"][2:5] == ("+0.001 (-0.010 to +0.012)", None, None)
    assert rows["Retrain with the 3,000 rows diagnosed here"][3:5] == (0.99, 0.8)
    assert sum(name == "Do nothing" for name in rows) == 1


def test_a_spreadsheet_gets_the_gains_as_numbers(tried):
    rows = {row[0]: row for row in gains.figures(tried).rows}
    assert rows["Do nothing"][2:8] == (0.001, -0.01, 0.012, "ROC AUC", None, None)
    assert rows["Collect more rows where region == 'east'"][2:6] == (None, None, None, "not tried")


def test_each_step_says_whether_it_pays(tried):
    verdicts = [row[1] for row in gains.table(tried).rows]
    assert verdicts == ["● pays", "the reference", "▲ loses", "○ not tried"]


def test_what_pays_with_an_interval_that_reaches_zero_is_likely_and_comes_before_doing_nothing(tried):
    likely = step("retrain_recent", of(0.03, -0.01, 0.07), pays=True, gains=0.87)
    record = replace(tried, next_steps=(likely, *tried.next_steps[2:]))
    assert [row[1] for row in gains.table(record).rows][:2] == ["■ likely pays", "the reference"]
    assert "likely beats doing nothing" in gains.charts(record)[0].alt
    assert "Likely, not sure: the chance that rows to come gain is 87 %." in next_steps.lede(record)


def test_an_interval_above_zero_that_does_not_pay_is_told_from_one_that_holds_zero(tried):
    above, across = (step("resample", of(0.06, low, 0.12), gains=0.95) for low in (0.0002, -0.01))
    record = replace(tried, next_steps=(above, across, *tried.next_steps[1:]))
    assert [row[1] for row in gains.table(record).rows][:2] == [
        "◆ too little evidence or worth",
        "◆ too little evidence",
    ]
    assert "than an interval above 0" in gains.table(record).caption
    assert "than an interval above 0" not in gains.table(tried).caption


def test_a_share_is_counted_in_points_in_table_and_axis(tried):
    steps = (step("retrain_recent", of(0.017, 0.01, 0.024, "accuracy"), pays=True), tried.next_steps[3])
    record = replace(tried, next_steps=steps, trials=replace(tried.trials, unit="accuracy", noise=None))
    (chart,) = gains.charts(record)
    axis = chart.spec["layer"][-1]["encoding"]["x"]
    assert gains.table(record).rows[0][2] == "+1.7 points (+1.0 to +2.4)"
    assert axis["title"] == "measured gain, points of accuracy (90 % interval)"
    assert "100 * datum.value" in axis["axis"]["labelExpr"]


def test_keys_are_positions_among_the_next_steps(tried):
    assert gains.table(tried).keys == ("0", "1", "2", "3")


def test_the_chart_shows_what_was_measured_and_names_the_unit(tried):
    (chart,) = gains.charts(tried)
    rows = data_of(chart)
    assert [row["value"] for row in rows] == [0.03, 0.001, -0.05]
    assert "ROC AUC" in chart.alt
    assert "beats doing nothing" in chart.alt


def test_without_trials_there_is_no_chart_and_the_table_says_how_to_measure(record):
    untried = replace(record, trials=None, next_steps=(step("collect_data", None, slice=["region == 'east'"]),))
    assert gains.charts(untried) == []
    assert "budget=" in gains.table(untried).caption


def test_why_nothing_was_measured_is_what_the_steps_say(record):
    reason = "not tried: needs 80 rows to judge, and there are 70"
    few = replace(record, trials=None, next_steps=(replace(step("resample", None), gain_reason=reason),))
    assert gains.table(few).caption == "No gain was measured: needs 80 rows to judge, and there are 70."


def test_doing_nothing_is_added_where_it_was_not_proposed(tried):
    less = replace(tried, next_steps=tuple(item for item in tried.next_steps if item.kind != "stop"))
    found = gains.table(less)
    assert [row[0] for row in found.rows][1] == "Do nothing"
    assert found.keys == ("0", "-1", "1", "2")


def test_csv_of_a_page_holds_its_tables_and_runs_nothing(tried):
    text = csv_of(tried, ("next_steps",))
    assert "Do nothing" in text
    assert "slice_errors" in text
    assert not [line for line in text.splitlines() if line.startswith(("=", "@", "+"))]


def test_a_cell_that_a_spreadsheet_would_run_is_text(tried):
    hostile = replace(tried, next_steps=(replace(tried.next_steps[3], gain_reason='=HYPERLINK("x")'),))
    assert "'=HYPERLINK" in csv_of(hostile, ("next_steps",))
