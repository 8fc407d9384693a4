"""Drift in words: hand-made results, every verdict, dates and numbers as times."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from mlflow_errata.blocks import Chart, Facts, NotMade, Table, Text
from mlflow_errata.diagnoses.recency_drift import (
    ClassDrift,
    Expectation,
    NewClass,
    RecencyDrift,
    Shift,
    Split,
    Window,
    Worsened,
)
from mlflow_errata.record.schema import Training
from mlflow_errata.sections import _columns_moved, recency_drift


def month(number):
    return datetime(2013 + (number > 12), (number - 1) % 12 + 1, 1)


@pytest.fixture
def window(rate):
    def build(start, end, *, support=300, current=False, auc=0.7):
        return Window(
            start=start,
            end=end,
            support=support,
            metric=None if auc is None else rate(auc, auc - 0.03, auc + 0.03, n=support, unit="roc_auc"),
            error=None,
            label_rate=rate(0.2, 0.18, 0.22, unit="label rate"),
            prediction_rate=rate(0.1, 0.08, 0.12, unit="prediction rate"),
            score_rate=None,
            current=current,
        )

    return build


@pytest.fixture
def result(window, rate):
    return RecencyDrift(
        windows=(
            window(month(9), month(10)),
            window(month(10), month(11)),
            window(month(11), month(12), auc=0.65, current=True),
            window(month(12), month(13), support=11, auc=0.4, current=True),
        ),
        unit="month",
        metric="roc_auc",
        greater_is_better=True,
        cut=month(11),
        reference=rate(0.703, 0.672, 0.734, unit="roc_auc"),
        current=rate(0.654, 0.624, 0.683, unit="roc_auc"),
        change=rate(-0.0495, -0.0922, -0.0069, unit="roc_auc"),
        error_change=None,
        worse=True,
        shifts=(Shift("temp", 6.27, 0.002, True, "73.4", "42.1"), Shift("hour", -0.001, 0.002, False, "12", "12")),
        onset=month(10),
        cause=None,
        n_untimed=7,
    )


def of(blocks, kind):
    return [block for block in blocks if isinstance(block, kind)]


def test_worse_says_from_when_by_how_much_and_how_surely(result, record_of):
    said = recency_drift.verdict(result, record_of())
    assert (said.status, said.sentence) == (
        "bad",
        "The newest rows are served worse. ROC AUC is 0.654 since Nov 2013, 0.703 before: "
        "a change of -0.050 (-0.092 to -0.007).",
    )


def test_no_change_says_chance_aloud(result, rate, record_of):
    calm = replace(result, worse=False, onset=None, change=rate(-0.01, -0.05, 0.03, unit="roc_auc"))
    said = recency_drift.verdict(calm, record_of())
    assert said.status == "good"
    assert said.sentence.startswith("No drift distinguishable from chance.")
    assert said.sentence.endswith("a change of -0.010 (-0.050 to +0.030), which includes 0.")


@pytest.mark.parametrize(("greater", "change"), [(True, (0.05, 0.01, 0.09)), (False, (-0.05, -0.09, -0.01))])
def test_better_is_good(result, rate, record_of, greater, change):
    better = replace(result, worse=False, onset=None, greater_is_better=greater, change=rate(*change, unit="roc_auc"))
    assert recency_drift.verdict(better, record_of()).sentence.startswith("The newest rows are served better.")


def test_what_cannot_be_estimated_is_left_open(result, record_of):
    said = recency_drift.verdict(replace(result, current=None, change=None, worse=False, onset=None), record_of())
    assert (said.status, said.sentence) == ("unsure", "ROC AUC cannot be estimated on both sides of Nov 2013.")


def test_the_finding_names_the_onset_and_the_cause(result):
    assert recency_drift.finding(result) == (
        "Since Nov 2013 ROC AUC has changed by -0.050 (-0.092 to -0.007). Rows are served worse from 1 Oct 2013 on."
    )
    told = replace(result, onset_range=(datetime(2013, 9, 20), datetime(2013, 10, 9)), cause="prior")
    assert "from 1 Oct 2013 (20 Sep 2013 to 9 Oct 2013) on. Likely why: the shares of the classes changed;" in (
        recency_drift.finding(told)
    )
    assert recency_drift.finding(replace(result, change=None)) == ""


def test_what_is_beyond_95_and_not_sure_enough_is_left_open(result, record_of):
    said = recency_drift.verdict(replace(result, worse=False, onset=None), record_of())
    assert said.status == "unsure"
    assert said.sentence.endswith("which excludes 0 at 95 % and is not sure enough for a verdict.")


def test_a_season_is_no_alarm_and_is_compared(result, rate, record_of):
    yearly = replace(result, cause="season", season=rate(0.66, 0.63, 0.69, unit="roc_auc"))
    assert not yearly.found
    said, facts, *blocks = recency_drift.section(yearly, record_of())
    assert said.status == "unsure"
    assert said.sentence.startswith("The newest rows are served worse, as in earlier years: ROC AUC is 0.654 since")
    assert facts.facts[-1].value == "0.660"
    assert blocks[1].sentence == "Likely why: rows of the same time of the year were served as badly in earlier years."


def test_without_an_earlier_year_season_and_drift_are_not_told_apart(result, record_of):
    why = of(recency_drift.section(result, record_of()), Text)[1].sentence
    assert why == (
        "What changed cannot be told apart. There is no earlier year to compare with, so season and drift cannot be told "
        "apart."
    )


def test_new_classes_new_levels_and_the_parts_of_the_change(result, rate, record_of):
    part = rate(-0.01, -0.02, 0.0, unit="roc_auc")
    concept = rate(-0.04, -0.06, -0.02, unit="roc_auc")
    whole = replace(
        result,
        cause="concept",
        split=Split(part, concept, part, None, 0.0),
        new_classes=(NewClass("owl", 40),),
        shifts=(Shift("place", 0.4, 0.01, True, "a", "b", 0.3, ("zoo",)), *result.shifts),
    )
    blocks = recency_drift.section(whole, record_of())
    assert any(
        text.sentence.startswith("A class comes late") and "'owl' (40 rows)" in text.sentence
        for text in of(blocks, Text)
    )
    parts = of(blocks, Chart)[0]
    assert [row["value"] for row in parts.spec["data"]["values"]] == [-0.01, -0.04, -0.01]
    assert of(blocks, Table)[-1].rows[0][5] == "30.0 %: zoo"


def test_facts_and_the_comparison(result, record_of):
    blocks = recency_drift.section(result, record_of(training=Training(800, month(1), month(6))))
    (facts,) = of(blocks, Facts)
    assert [fact.value for fact in facts.facts] == ["0.703", "0.654", "-0.050", "1 Oct 2013"]
    assert of(blocks, Text)[0].sentence == (
        "The newest 311 rows of 911 are compared with the rest; the interval allows for neighbouring rows that move "
        "together. The model was trained on 800 rows from 1 Jan 2013 to 1 Jun 2013. 7 rows without a time left out."
    )


def test_a_window_of_few_rows_is_not_drawn_and_the_title_says_so(result, record_of):
    metric, rows, _, _ = of(recency_drift.section(result, record_of()), Chart)
    assert metric.title == "ROC AUC over time (95 % interval; 1 window of fewer than 30 rows not drawn)"
    drawn = [layer["data"]["values"] for layer in metric.spec["layer"] if "mark" in layer]
    assert all([point["rows"] for point in points] == [300, 300, 300] for points in drawn)
    assert [bar["rows"] for bar in rows.spec["data"]["values"]] == [300, 300, 300, 11]
    assert rows.spec["height"] == 40
    (windows, _) = of(recency_drift.section(result, record_of()), Table)
    assert windows.rows[-1][:4] == ("Dec 2013 (newest)", 11, None, "too few rows")


def test_times_are_drawn_in_utc_whatever_the_zone_of_the_machine(result, record_of):
    _, rows, _, _ = of(recency_drift.section(result, record_of()), Chart)
    assert rows.spec["data"]["values"][0]["start"] == 1377993600000  # 2013-09-01T00:00Z
    assert rows.spec["encoding"]["x"]["scale"]["type"] == "utc"


def test_numbers_as_times_have_a_plain_axis(result, window, record_of):
    plain = replace(
        result, windows=(window(0.0, 50.0), window(50.0, 100.0, current=True)), unit="equal count", cut=50.0, onset=50.0
    )
    blocks = recency_drift.section(plain, record_of())
    assert "since 50, " in blocks[0].sentence
    metric, rows, _, _ = of(blocks, Chart)
    assert rows.spec["encoding"]["x"]["type"] == "quantitative"
    assert "Worse from 50 on" in metric.alt


def test_columns_stand_beside_their_floor(result, record_of):
    blocks = recency_drift.section(result, record_of())
    psi = of(blocks, Chart)[-1]
    assert [(row["name"], round(row["value"], 4), row["series"]) for row in psi.spec["data"]["values"]] == [
        ("temp", 0.002, _columns_moved.FLOOR.words),
        ("temp", 6.272, _columns_moved.MOVED.words),
        ("hour", 0.002, _columns_moved.FLOOR.words),
        ("hour", 0.001, _columns_moved.STAYED.words),
    ]
    assert of(blocks, Text)[-1].sentence == "1 of 2 columns moved: temp."


def test_columns_that_move_without_harm_ask_for_nothing(result, record_of):
    calm = replace(result, worse=False, onset=None)
    assert of(recency_drift.section(calm, record_of()), Text)[-1].sentence.endswith("so this asks for nothing.")
    still = replace(calm, shifts=result.shifts[1:])
    assert of(recency_drift.section(still, record_of()), Text)[-1].sentence.startswith("None of 1 column moved")


def test_without_rates_or_metric_the_charts_are_left_out(result, window, record_of):
    bare = tuple(replace(item, metric=None, label_rate=None, prediction_rate=None) for item in result.windows)
    charts = of(recency_drift.section(replace(result, windows=bare, shifts=()), record_of(task="multiclass")), Chart)
    assert [chart.title for chart in charts] == ["Rows per window"]


def test_not_made_names_the_argument_to_add(record_of):
    assert recency_drift.not_made("needs a time column", record_of()) == NotMade(
        "No time column was given, so recency is not checked.", 'Add time="...", the column that dates each row.'
    )
    dated = record_of(roles={"time": "at"})
    assert recency_drift.not_made("needs 100 rows with a time; there are 60", dated) == NotMade(
        "Recency is not checked: the check needs 100 rows with a time; there are 60."
    )


def test_small_windows_are_drawn_where_all_are_small(result, window, record_of):
    small = tuple(window(10.0 * at, 10.0 * at + 10, support=11, current=at > 6) for at in range(10))
    even = replace(result, windows=small, unit="equal count", cut=70.0, onset=None)
    metric = of(recency_drift.section(even, record_of()), Chart)[0]
    assert metric.title == "ROC AUC over time (95 % interval)"


def test_means_of_a_number_are_not_called_shares(result, record_of):
    rates = of(recency_drift.section(result, record_of(task="regression")), Chart)[2]
    assert rates.title == "Mean in labels and predictions over time"
    assert rates.spec["data"]["values"][0]["words"] == "0.200 (0.180 to 0.220)"
    shares = of(recency_drift.section(result, record_of()), Chart)[2]
    assert shares.title == "Share of 1 in labels and predictions over time"
    assert shares.spec["data"]["values"][0]["words"] == "20.0 % (18.0 to 22.0 %)"


def test_rows_without_a_label_are_told_with_what_the_estimate_cannot_see(record_of, result, rate):
    told = Expectation(
        month(12), month(13), 4120, rate(0.69, 0.67, 0.71, unit="roc_auc"), rate(0.7, 0.68, 0.72, unit="roc_auc")
    )
    blocks = recency_drift.section(replace(result, expected=told), record_of())
    text = next(block.sentence for block in blocks if isinstance(block, Text) and "no label yet" in block.sentence)
    assert text.startswith("4,120 rows from 1 Dec 2013 to 1 Jan 2014 have no label yet.")
    assert "ROC AUC there will be 0.690 (0.670 to 0.710), against 0.700 on labelled rows" in text
    assert "blind" in text


def test_slices_that_worsened_most_are_a_table(record_of, result, rate):
    told = Worsened("word == 'b'", rate(0.1, 0.08, 0.12), rate(0.3, 0.26, 0.34, n=250), rate(0.2, 0.16, 0.24))
    blocks = recency_drift.section(replace(result, worsened=(told,)), record_of())
    table = next(block for block in blocks if isinstance(block, Table) and block.columns[0].title == "slice")
    assert table.rows[0][:2] == ("word == 'b'", 250)
    assert table.rows[0][3] == "30.0 % (26.0 to 34.0 %)"


# -- training rows and gaps in the charts -----------------------------------------------------------------------------


def names(chart):
    """What is named above the plot."""
    texts = [part for layer in chart.spec["layer"] for part in layer.get("layer", ())]
    found = [
        layer["data"]["values"][0]["name"] for layer in chart.spec["layer"] if "layer" in layer and "data" in layer
    ]
    assert texts
    return [name for name in found if name.endswith("rows")]


def left_end(chart):
    layers = [chart.spec, *chart.spec.get("layer", ())]
    scales = [layer["encoding"]["x"]["scale"] for layer in layers if "scale" in layer.get("encoding", {}).get("x", {})]
    first = scales[0]["domain"][0]
    return datetime(first["year"], first["month"], first["date"])


@pytest.mark.parametrize(
    ("trained", "since", "shown"),
    [
        ((month(8), month(9)), month(8), True),  # just before
        ((datetime(2003, 1, 1), month(9)), datetime(2013, 7, 14), True),  # long: its end is shown
        ((month(9), month(10)), month(9), True),  # among the windows
        ((datetime(2010, 1, 1), datetime(2011, 1, 1)), month(9), False),  # long ago: in words alone
        ((None, None), month(9), False),
    ],
)
def test_training_rows_are_marked_where_they_came_shortly_before(result, record_of, trained, since, shown):
    plain = replace(result, onset=None)
    blocks = recency_drift.section(plain, record_of(training=Training(500, *trained)))
    metric, rows, rates, _ = of(blocks, Chart)
    assert ("training rows" in names(metric)) == shown
    assert ("Training rows up to" in metric.alt) == shown
    assert {left_end(chart) for chart in (metric, rows, rates)} == {since}  # stacked charts line up


def test_numbers_as_times_have_training_rows_too(result, window, record_of):
    plain = replace(
        result,
        windows=(window(50.0, 75.0), window(75.0, 100.0, current=True)),
        unit="equal count",
        cut=75.0,
        onset=None,
    )
    metric = of(recency_drift.section(plain, record_of(training=Training(500, 0.0, 49.0))), Chart)[0]
    assert names(metric)[-1] == "training rows"
    other = of(recency_drift.section(plain, record_of(training=Training(500, month(1), month(2)))), Chart)[0]
    assert "training rows" not in names(other)


def test_no_line_leads_over_windows_that_are_not_drawn(result, window, record_of):
    months = [window(month(at), month(at + 1), support=9 if at == 6 else 300, current=at > 7) for at in range(4, 10)]
    gapped = replace(
        result, windows=(*months[:4], *months[5:]), cut=month(9), onset=None
    )  # July small, August not there
    metric, _, rates, _ = of(recency_drift.section(gapped, record_of()), Chart)
    layers = [layer for layer in metric.spec["layer"] if "data" in layer and "run" in layer["data"]["values"][0]]
    line = next(layer for layer in layers if layer["mark"]["type"] == "line")
    assert [row["run"] for row in line["data"]["values"]] == [0, 0, 1, 2]
    assert line["encoding"]["detail"]["field"] == "run"
    alone = next(layer for layer in layers if layer["mark"]["type"] == "rule")
    assert [row["run"] for row in alone["data"]["values"]] == [1, 2]
    assert {row["run"] for row in rates.spec["data"]["values"]} == {0, 1, 2}


def test_shares_of_many_classes_are_a_sentence_and_a_table(result, record_of, rate):
    def share(label, before, now, *, moved):
        ends = [rate(value, value - 0.01, value + 0.01, unit="share of rows") for value in (before, now)]
        change = rate(now - before, now - before - 0.02, now - before + 0.02, unit="share of rows")
        return ClassDrift(label, *ends, change, moved, before, now + 0.05)

    several = replace(result, classes=(share("cat", 0.2, 0.5, moved=True), share("dog", 0.8, 0.5, moved=False)))
    blocks = recency_drift.section(several, record_of(task="multiclass"))
    texts = [block.sentence for block in of(blocks, Text)]
    assert "The shares of 1 of 2 classes changed beyond chance: 'cat' (+30.0 points)." in texts
    table = next(block for block in of(blocks, Table) if block.columns[0].title == "class")
    assert table.rows[0] == ("cat", 0.2, 0.5, "+30.0 points (+28.0 to +32.0)", 0.2, 0.55, "yes")
    still = replace(result, classes=(share("dog", 0.5, 0.5, moved=False),))
    texts = [block.sentence for block in of(recency_drift.section(still, record_of()), Text)]
    assert "The share of none of 1 class changed beyond chance." in texts
