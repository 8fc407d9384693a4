"""The list of slices and the one that is picked, in words: hand-made slices, both sides of every sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import altair
import pytest

from mlflow_errata._reviews import review_of
from mlflow_errata._slice_measured import MeasuredSlice
from mlflow_errata.blocks import Chart, Table, Text
from mlflow_errata.diagnoses._contrasts import Contrast
from mlflow_errata.diagnoses._named import NamedSlice
from mlflow_errata.diagnoses._overlaps import Overlap
from mlflow_errata.diagnoses._slice_times import SliceWindow
from mlflow_errata.diagnoses.slice_errors import Slice
from mlflow_errata.predicates import Equals, Within
from mlflow_errata.sections import slice_elsewhere, slice_list, slice_review

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = ["![x](http://a.b/c.png)", "<img src=x>", "\u202egnirts", "🚲" * 10, "name " * 60, "a\nb", "'\"\\"]


@pytest.fixture
def item(rate):
    """A slice of 500 rows with everything in it."""
    months = [datetime(2013, month, 1) for month in (1, 2, 3)]
    return Slice(
        predicates=(Equals("carrier", "EV"), Within("hour", 19, None)),
        support=500,
        error=rate(0.32, 0.29, 0.35, n=500),
        excess=rate(50, 40, 60, n=500, unit="errors"),
        unexplained=48.0,
        lift=1.43,
        share_of_errors=0.16,
        p_value=1e-9,
        metric=rate(0.7, 0.6, 0.8, unit="roc_auc"),
        bias=rate(-0.07, -0.13, -0.01, unit="error rate"),
        contrasts=(Contrast("rain >= 1", 0.62, 0.031),),
        course=(
            SliceWindow(months[0], months[1], None, rate(0.2, 0.1, 0.3)),
            SliceWindow(months[1], months[2], rate(0.4, 0.3, 0.5, n=40), rate(0.2, 0.15, 0.25, n=400)),
        ),
    )


def others(item, n):
    return [replace(item, predicates=(Equals("x", at),), unexplained=float(-at)) for at in range(n)]


def listed(items, reviews=None):
    return slice_list.listed([(each, 0.5) for each in items], reviews or {}, STARTED)


def test_the_chart_is_a_valid_one_and_picks_ids(item):
    chart = slice_list.chart_of(listed([item, *others(item, 3)]), item.id)
    altair.Chart.from_dict(chart.spec)
    rows = chart.spec["data"]["values"]
    assert [row["chosen"] for row in rows] == [True, False, False, False]
    assert rows[0]["slice_id"] == item.id
    assert chart.spec["params"][0]["select"]["fields"] == ["slice_id", "turn"]
    assert "1. carrier == 'EV' and hour >= 19: 50 (40 to 60), more errors than elsewhere." in chart.alt


def test_of_many_slices_the_first_and_the_chosen_one_are_drawn(item):
    many = listed(others(item, 500))
    near, far = (slice_list.chart_of(many, many[at].item.id) for at in (0, 400))
    assert len(near.spec["data"]["values"]) == 15
    assert "485 more in the table" in near.title
    drawn = far.spec["data"]["values"]
    assert len(drawn) == 16
    assert drawn[-1]["place"].startswith("401. ")
    assert len(slice_list.table_of(many).rows) == 500


def test_picking_moves_the_data_alone(item):
    some = listed([item, *others(item, 3)])
    one, two = (slice_list.chart_of(some, some[at].item.id, turn=at).spec for at in (0, 1))
    assert one != two
    assert one | {"data": None} == two | {"data": None}


@pytest.mark.parametrize(
    ("change", "series"),
    [
        ({}, slice_list.BEYOND),
        ({"tier": "suspected"}, slice_list.SUSPECTED),
    ],
)
def test_colour_and_shape_say_what_is_known(item, change, series):
    row = slice_list.chart_of(listed([replace(item, **change)]), "").spec["data"]["values"][0]
    assert row["series"] == series.words


def test_what_includes_zero_says_so(item, rate):
    unsure = replace(item, excess=rate(5, -1, 11, unit="errors"))
    assert slice_list.chart_of(listed([unsure]), "").spec["data"]["values"][0]["series"] == "interval includes 0"
    assert any("how much more is not told" in sentence for sentence in slice_review.figures(unsure))


def test_a_slice_that_errs_no_more_than_all_rows_says_no_factor(item):
    told = slice_review.figures(replace(item, lift=0.9, tier="suspected"))
    assert told[0] == "Error rate 32.0 % (29.0 to 35.0 %) on 500 rows."
    assert told[2].startswith("Suspected only: its error is not above that of all rows")


def test_a_settled_slice_says_who_settled_it_and_where(item):
    review = replace(
        review_of(item.conditions, "accepted", by="anna", note="known"), run_id="r1", run_name="winter run"
    )
    (each,) = listed([item], {item.id: review})
    assert each.status == "accepted"
    assert slice_list.chart_of([each], "").spec["data"]["values"][0]["series"] == "fixed or accepted"
    assert slice_review.said(each, "r2", "today") == "Accepted in run winter run by anna, today: known"
    assert slice_review.said(each, "r1", "today") == "Accepted by anna, today: known"
    assert slice_review.said(listed([item])[0], "r1", "") == ""


def test_a_fixed_slice_that_is_found_again_is_back(item):
    review = replace(review_of(item.conditions, "fixed", by="anna", note=""), at=(STARTED - timedelta(1)).isoformat())
    (each,) = listed([item], {item.id: review})
    assert each.status == "back"
    assert slice_review.said(each, "r", "then").startswith("Back again: this run began later and finds it. Fixed")
    (before,) = slice_list.listed([(item, 0.5)], {item.id: review}, STARTED - timedelta(2))
    assert before.status == "fixed"


def test_figures_of_a_slice(item, rate):
    assert slice_review.figures(item) == [
        "Error rate 32.0 % (29.0 to 35.0 %) on 500 rows, 1.43 times that of all rows.",
        "Excess errors 50 (40 to 60); 16.0 % of all errors lie inside.",
        "ROC AUC inside 0.700 (0.600 to 0.800).",
        "Under-predicted inside: mean prediction - mean label -7.0 points (-13.0 to -1.0).",
    ]
    told = slice_review.figures(
        replace(item, support=11, tier="suspected", only_label="late", bias=rate(0.01, -0.1, 0.1), metric=None)
    )
    assert "n = 11, too few to rank." in told
    assert any("one in ten" in sentence for sentence in told)
    assert any("come true on average" in sentence for sentence in told)
    assert told[-1] == "Every label inside is 'late': the slice restates the label."


def test_what_sets_it_apart(item):
    chart, table = slice_review.apart(item)
    altair.Chart.from_dict(chart.spec)
    assert table.rows == (("rain >= 1", 0.62, 0.031),)
    assert "rain >= 1 62.0 % against 3.1 %" in chart.alt
    (none,) = slice_review.apart(replace(item, contrasts=()))
    assert isinstance(none, Text)


def test_the_course_leaves_out_windows_without_rows_and_says_so(item):
    chart, table = slice_review.course(item, "month")
    altair.Chart.from_dict(chart.spec)
    assert len(chart.spec["data"]["values"]) == 3
    assert table.rows[0] == ("Jan 2013", None, None, "too few rows", 100, 0.2, "10.0 to 30.0 %")
    assert table.rows[1][:3] == ("Feb 2013", 40, 0.4)
    (none,) = slice_review.course(replace(item, course=()), "")
    assert 'time="..."' in none.sentence


@pytest.mark.parametrize(
    ("share", "said"), [(0.9, "Most of it is another"), (0.5, "It overlaps"), (0.05, "It stands mostly by itself")]
)
def test_overlap_is_said_in_words(item, share, said):
    (other,) = others(item, 1)
    shared = replace(item, overlaps=(Overlap(other.id, round(500 * share), share, 0.4),))
    text, table = slice_review.overlap(shared, [shared, other])
    assert text.sentence.startswith(said)
    assert "where x == 0, 40.0 % of the rows there" in text.sentence
    assert table.keys == (other.id,)
    (none,) = slice_review.overlap(item, [item, other])
    assert none.sentence == "It shares no row with another slice found."
    assert slice_review.overlap(item, [item])[0].sentence == "No other slice was found."


def test_the_same_slice_elsewhere(item, rate):
    found = {"support": 480.0, "error": 0.3, "error_low": 0.25, "error_high": 0.35}
    named = NamedSlice("x", item.predicates, 90, rate(0.1, 0.05, 0.2, n=90), None, None)
    runs = [
        slice_elsewhere.Elsewhere("now", "today", True, found, None),
        slice_elsewhere.Elsewhere("before", "yesterday", False, None, MeasuredSlice(named, 1000, 1000)),
        slice_elsewhere.Elsewhere("oldest", "long ago", False, None, "no rows"),
    ]
    (table,) = slice_elsewhere.elsewhere(runs, "error rate")
    assert table.rows[0][:6] == ("now (this run)", "today", 480, 0.3, "25.0 to 35.0 %", "confirmed")
    assert table.rows[1][5:] == ("not among the confirmed", 90, 0.1, "5.0 to 20.0 %")
    assert table.rows[2][-1] == "no rows"
    assert all(len(row) == len(table.columns) for row in table.rows)
    (short,) = slice_elsewhere.elsewhere(runs[:1], "error rate")
    assert len(short.columns) == len(short.rows[0]) == 6


def test_a_slice_of_ones_own(item, rate):
    error, outside = rate(0.3, 0.25, 0.35, n=300), rate(0.2, 0.19, 0.21, n=700)
    named = NamedSlice("x", item.predicates, 300, error, rate(30, 15, 45, unit="errors"), None, None, outside)
    worse = slice_elsewhere.own(MeasuredSlice(named, 1000, 5000))
    assert worse.status == "bad"
    assert "on 300 rows, measured on 1,000 of 5,000 rows, a fair draw. Outside it is 20.0 %" in worse.sentence
    assert "excess errors 30 (15 to 45)" in worse.sentence
    alike = slice_elsewhere.own(MeasuredSlice(replace(named, excess=rate(1, -9, 9, unit="errors")), 1000, 1000))
    assert (alike.status, "the two are not distinguishable" in alike.sentence) == ("unsure", True)
    better = slice_elsewhere.own(MeasuredSlice(replace(named, excess=rate(-30, -45, -15, unit="errors")), 9, 9))
    assert (better.status, "that is 30 (15 to 45) errors fewer inside" in better.sentence) == ("good", True)
    few = slice_elsewhere.own(MeasuredSlice(replace(named, support=1, error=None), 9, 9))
    assert "n = 1, too few" in few.sentence
    assert slice_elsewhere.own_code("a >= 1 and b == 'x'").endswith(
        """named_slices={'my slice': "a >= 1 and b == 'x'"})"""
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_keep_charts_and_tables_in_shape(item, name):
    odd = replace(
        item, predicates=(Equals(name, name), Equals(f"{name} 2", name)), contrasts=(Contrast(name, 0.9, 0.1),)
    )
    for block in (
        slice_list.chart_of(listed([odd]), odd.id),
        slice_list.table_of(listed([odd])),
        *slice_review.apart(odd),
        *slice_review.course(odd, "month"),
    ):
        assert isinstance(block, (Chart, Table))
        if isinstance(block, Chart):
            altair.Chart.from_dict(block.spec)
            lines = [line for row in block.spec["data"]["values"] for line in row.get("name", "").split("\n")]
            assert max(map(len, lines)) <= 60
