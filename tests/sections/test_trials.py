"""Trials in words and a picture."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlflow_errata.blocks import Chart
from mlflow_errata.estimate import Estimate
from mlflow_errata.sections import next_steps, summary, trials
from mlflow_errata.steps import stop
from mlflow_errata.steps._shape import Cost, NextStep
from mlflow_errata.trials._shape import Trials


def gain(value, half=0.01, unit="accuracy"):
    return Estimate(value, value - half, value + half, n=900, unit=unit, level=0.9)


REFIT = NextStep("retrain_recent", {}, cost=Cost(seconds=2.0), gain=gain(0.03), gain_reason="", bound=0.02, pays=True)
DECIDE = NextStep(
    "resample", {"method": "threshold", "threshold": 0.31}, gain=gain(0.02), gain_reason="", bound=0.01, pays=True
)
BIGGER = NextStep("change_model", {"set": {"a__max_depth": 8}}, gain=gain(-0.02), gain_reason="", bound=-0.03)


@pytest.fixture
def tried(record_of):
    """A function from the order of the steps to a record with trials."""

    def build(*steps, plan=(), **changed):
        found = Trials(
            unit="accuracy",
            judged="forward",
            n_judging=1219,
            n_periods=13,
            n_origins=4,
            n_train=2000,
            n_train_given=2000,
            budget=60.0,
            seconds=7.25,
            noise=gain(0.001),
            reliable=True,
            interrupted=False,
            detectable=0.012,
            chance_none=0.02,
            tried=(REFIT, DECIDE, BIGGER),
            not_tried={"retrain_recent: last": "the time budget was spent"},
            plan=plan,
        )
        return replace(record_of(steps=steps), trials=replace(found, **changed))

    return build


def test_the_best_step_and_what_the_plan_adds(tried):
    then = replace(DECIDE, gain=gain(0.012))
    record = tried(REFIT, DECIDE, stop.nothing_pays(), BIGGER, plan=(REFIT, then))
    assert next_steps.lede(record) == (
        "Expected gain: +3.0 points (+2.0 to +4.0) accuracy, the best of 3 steps tried. "
        "The plan goes on: Move the decision: 1 from a score of 0.310 on (+1.2 points (+0.2 to +2.2) accuracy more)."
    )
    titles = [card.title for card in next_steps.cards(record)]
    assert titles == [
        "Retrain with the 1,000 rows diagnosed here",
        "Move the decision: 1 from a score of 0.310 on",
        "Keep this model",
        "Train with max_depth 8",
    ]
    assert next_steps.cards(record)[1].cost == "no refit, no labels, no rows"
    first, second = (card.code for card in next_steps.cards(record)[:2])
    assert "errata.Recipe.of(record, record.next_steps[0])  # errata.Recipe.of(record): the plan of 2 steps" in first
    assert "recipe.fit(model, train, newer=evaluation)" in first
    assert "errata.Recipe.of(record, record.next_steps[1])\n" in second
    assert "recipe.decide(model)" in second


def test_rows_to_collect_are_not_the_best_of_what_was_tried(tried):
    more = NextStep("collect_data", {"rows": 1000}, gain=gain(0.02), pays=True, bound=0.01)
    said = next_steps.lede(tried(more, stop.nothing_pays(), BIGGER))
    assert said == "Expected gain: +2.0 points (+1.0 to +3.0) accuracy; 3 steps tried besides."


def test_stop_names_what_could_have_been_told(tried):
    record = tried(stop.nothing_pays(), BIGGER)
    assert next_steps.title(record) == "Keep this model: nothing tried pays"
    assert next_steps.lede(record) == (
        "3 steps tried, and none pays. A gain below 1.20 points accuracy could not have been told."
    )


def test_labels_in_doubt_come_before_gains(tried):
    doubt = NextStep("relabel", {"slice": ["delay is missing"], "audit": 40}, ("slice_errors",))
    said = next_steps.lede(tried(doubt, REFIT, plan=(REFIT,)))
    assert said.startswith("The findings ask for it first")
    assert tried(doubt, REFIT, plan=(REFIT,)).plan == ()


def test_value_is_said_first_and_the_metric_beside_it(tried):
    step = replace(
        DECIDE, kind="change_metric", gain_value=gain(0.25, unit="value per row"), params={"threshold": 0.17}
    )
    said = next_steps.lede(tried(step, plan=(step,)))
    assert "+0.250 (+0.240 to +0.260) value per row" in said
    assert "Accuracy moves by +2.0 points" in said


def test_a_gain_of_what_should_be_small_reads_as_less(tried):
    record = tried(REFIT)
    record = replace(record, summary=replace(record.summary, metric="log_loss", greater_is_better=False))
    step = replace(REFIT, gain=gain(0.03, unit="log_loss"))
    assert trials.gain(step, record) == "+0.030 (+0.020 to +0.040) less log loss"


def test_the_chart_has_a_row_for_doing_nothing(tried):
    blocks = next_steps.measured(tried(REFIT, stop.nothing_pays()))
    chart = next(block for block in blocks if isinstance(block, Chart))
    assert "Do nothing +0.1 points (-0.9 to +1.1)" in chart.alt
    values = chart.spec["data"]["values"]
    assert [row["name"] for row in values][2] == "Do nothing"
    assert {row["series"] for row in values} == {
        *(trials.SERIES[status].words for status in ("good", "bad")),
        trials.REFERENCE.words,
    }


def test_how_it_was_measured_stands_in_the_text(tried):
    record = tried(REFIT, reliable=False, interrupted=True, n_train=500)
    text = summary(record)
    for said in (
        "3 steps tried in 7.25 s",
        "1,219 rows in 13 periods judged what earlier rows chose, with refits at 4 moments",
        "500 of 2,000 training rows",
        "too much for their gains to be relied on",
        "retrain recent: last (the time budget was spent)",
        "interrupted",
    ):
        assert said in text
    assert "each by thresholds that other rows chose" in " ".join(trials.how(replace(record.trials, judged="folds")))


def test_lengths_of_time_are_days_where_times_are_dates(tried):
    window = replace(REFIT, params={"last": 91 * 86400.0})
    assert next_steps.title(tried(window)) == "Retrain on the last 7,862,400 alone"


def test_steps_that_tie_with_the_first_are_named(tried):
    record = tried(REFIT, DECIDE, stop.nothing_pays(), BIGGER, plan=(REFIT,), tied=(1,))
    said = [block.sentence for block in trials.section(record.trials, ["Refit", "Cut", "Grow"])[1:]]
    assert said[0].startswith("Not to be told from the first step: 'Cut'.")
    assert "Not to be told" not in str(trials.section(tried(REFIT, plan=(REFIT,)).trials, ["Refit", "Cut", "Grow"]))


def test_earlier_rows_that_judged_are_told(tried):
    assert "The newer 1,500 training rows judged thresholds too" in trials.how(tried(REFIT, n_earlier=1500).trials)[0]
