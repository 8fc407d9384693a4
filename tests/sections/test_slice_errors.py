"""Slices in words: hand-made results, both sides of the verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlflow_errata.blocks import Chart, Facts, NotMade, Table, Text, Verdict
from mlflow_errata.diagnoses._contrasts import Contrast
from mlflow_errata.diagnoses.slice_errors import Slice, SliceErrors
from mlflow_errata.predicates import Equals, IsMissing, Within
from mlflow_errata.sections import slice_errors


def a_slice(rate, *predicates, excess=(50, 40, 60), **more):
    value, low, high = excess
    return Slice(
        predicates=predicates,
        support=500,
        error=rate(0.32, 0.29, 0.35, n=500),
        excess=rate(value, low, high, n=500, unit="errors"),
        unexplained=129.4,
        lift=1.43,
        share_of_errors=0.16,
        p_value=1e-9,
        **more,
    )


@pytest.fixture
def result(rate):
    return SliceErrors(
        slices=(
            a_slice(rate, IsMissing("delay"), only_label=0),
            a_slice(rate, Equals("carrier", "EV"), Within("hour", 7, 19), excess=(5, -2, 12)),
        ),
        suspected=(),
        overall=rate(0.226, 0.22, 0.232, n=1000),
        n_examined=49682,
        n_drawn=1000,
        columns=("carrier", "delay", "hour"),
        restating=(),
        skipped=(("id", "is id-like: 1000 values in 1000 rows"),),
        detectable_excess=86.9,
    )


def texts(blocks):
    return [block.sentence for block in blocks if isinstance(block, Text)]


def test_found_names_the_worst_with_its_interval(result, record_of):
    assert slice_errors.verdict(result, record_of()) == Verdict(
        "bad",
        "2 slices with more errors than chance allows. The worst is delay is missing: "
        "error rate 32.0 % (29.0 to 35.0 %) on 500 rows, 22.6 % overall.",
    )


def test_nothing_found_says_chance_aloud_and_what_was_looked_at(result, record_of):
    none = replace(result, slices=())
    assert slice_errors.verdict(none, record_of()) == Verdict(
        "good", "No slice is distinguishable from chance: error rate 22.6 %, 49,682 slices examined."
    )
    blocks = slice_errors.section(none, record_of())
    assert "needed about 87 errors more than its share to be seen" in texts(blocks)[0]
    assert not any(isinstance(block, (Chart, Table)) for block in blocks)


def test_what_could_not_be_estimated_is_left_out(result, record_of):
    blocks = slice_errors.section(replace(result, detectable_excess=None), record_of())
    assert "to be seen" not in texts(blocks)[0]


def test_the_section_starts_with_the_verdict_and_counts_what_was_examined(result, record_of):
    blocks = slice_errors.section(result, record_of())
    assert blocks[0] == slice_errors.verdict(result, record_of())
    (facts,) = (block for block in blocks if isinstance(block, Facts))
    assert ("slices examined", "49,682", "in 3 columns") in [(fact.name, fact.value, fact.note) for fact in facts.facts]


def test_the_table_keeps_the_order_and_the_names_of_the_slices(result, record_of):
    (table,) = (block for block in slice_errors.section(result, record_of()) if isinstance(block, Table))
    assert table.keys == ("delay is missing", "carrier == 'EV' and 7 <= hour < 19")
    assert table.rows[0] == (1, "delay is missing", 500, 0.32, "29.0 to 35.0 %", 50, 129.4, 0.16)
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_value_lost_has_a_column_where_value_is_declared(result, record_of, rate):
    priced = tuple(replace(item, value_lost=rate(900, 800, 1000, unit="value")) for item in result.slices)
    (table,) = (
        block for block in slice_errors.section(replace(result, slices=priced), record_of()) if isinstance(block, Table)
    )
    assert table.columns[-1].title == "value lost"
    assert [row[-1] for row in table.rows] == [900, 900]


def test_the_chart_tells_the_distinguishable_from_the_rest_by_words(result, record_of):
    (chart,) = (block for block in slice_errors.section(result, record_of()) if isinstance(block, Chart))
    values = chart.spec["data"]["values"]
    assert [row["series"] for row in values] == [slice_errors.BEYOND.words, slice_errors.UNCLEAR.words]
    assert values[1]["name"] == "2. carrier == 'EV' and\n7 <= hour < 19"
    assert (values[1]["low"], values[1]["high"]) == (-2, 12)
    assert chart.alt == "2 slices, worst first, with their excess errors and intervals. First: delay is missing, 50."


def test_suspected_slices_have_a_table_of_their_own_with_a_warning(result, record_of):
    some = replace(result, suspected=(replace(result.slices[1], tier="suspected"),))
    first, second = (block for block in slice_errors.section(some, record_of()) if isinstance(block, Table))
    assert (len(first.rows), len(second.rows)) == (2, 1)
    assert "false discovery rate of 10 % only" in second.caption


def test_suspected_slices_alone_are_no_finding(result, record_of):
    doubted = replace(result.slices[1], tier="suspected", lift=0.9)
    some = replace(result, slices=(), suspected=(doubted,))
    assert slice_errors.verdict(some, record_of()) == Verdict(
        "good", "No slice is confirmed, 1 is suspected: error rate 22.6 %, 49,682 slices examined."
    )
    assert "times that of all rows" not in slice_errors.finding(doubted)


@pytest.mark.parametrize(
    ("drawn", "said"),
    [(1000, "one to three conditions"), (400, "looked for in a draw of 400 rows"), (0, "too many to be examined")],
)
def test_the_depth_of_the_search_is_said(result, record_of, drawn, said):
    assert said in texts(slice_errors.section(replace(result, n_drawn=drawn), record_of()))[0]


def test_the_metric_and_the_bias_inside_have_columns(result, record_of, rate):
    told = tuple(
        replace(item, metric=rate(0.7, 0.6, 0.8, unit="roc_auc"), bias=rate(0.07, 0.01, 0.13, unit="x"))
        for item in result.slices
    )
    (table,) = (
        block for block in slice_errors.section(replace(result, slices=told), record_of()) if isinstance(block, Table)
    )
    assert [column.title for column in table.columns[-2:]] == ["ROC AUC", "bias"]
    assert table.rows[0][-2:] == (0.7, 0.07)
    assert "mean prediction - mean label" in table.caption


def test_notes_say_what_restates_the_label_what_is_unseen_and_what_was_skipped(result, record_of):
    said = texts(slice_errors.section(result, record_of(features=("hour", "carrier"))))
    assert (
        "Where delay is missing every label is 0: such a slice restates the label, or shows what it was made from."
        in said
    )
    assert any(sentence.startswith("delay is not among the model's features: slices on it tell") for sentence in said)
    assert "Not sliced on: id (is id-like: 1000 values in 1000 rows)." in said


def test_a_column_that_tells_the_label_is_named(result, record_of):
    said = texts(slice_errors.section(replace(result, restating=("delay",)), record_of()))
    assert any(sentence.startswith("delay tells the label, so its values are no slices") for sentence in said)


def test_notes_are_silent_where_there_is_nothing_to_note(result, record_of):
    plain = replace(result, slices=(replace(result.slices[1], only_label=None),), skipped=())
    assert len(texts(slice_errors.section(plain, record_of(features=("hour", "carrier"))))) == 1


def test_errors_of_a_number_are_not_called_a_rate(result, record_of, rate):
    unit = "mean absolute error"
    number = replace(
        result,
        slices=(replace(result.slices[0], error=rate(12.3, 11.9, 12.8, unit=unit)),),
        overall=rate(7.0, 6.9, 7.1, unit=unit),
    )
    assert (
        "mean absolute error 12.3 (11.9 to 12.8) on 500 rows, 7.00 overall"
        in slice_errors.verdict(number, record_of(task="regression")).sentence
    )
    assert "86.9 of summed error" in texts(slice_errors.section(number, record_of(task="regression")))[0]


def test_not_made_says_why_and_what_to_add(record_of):
    assert slice_errors.not_made("needs 60 rows or more; there are 9", record_of()) == NotMade(
        "Slices were not searched: the search needs 60 rows or more; there are 9."
    )
    assert "slice_by=" in slice_errors.not_made("needs a column", record_of(features=())).remedy


def test_permutations_are_said(result, record_of):
    plain, permuted = (
        texts(slice_errors.section(replace(result, n_permutations=99, in_time=flag), record_of()))[0]
        for flag in (False, True)
    )
    assert "5 % of tables, as 99 permutations of the errors tell." in plain
    assert "tell, each of which moves all of them by the same time." in permuted


def test_what_sets_a_slice_apart_is_told(result, record_of):
    item = replace(result.slices[0], contrasts=(Contrast("rain >= 1", 0.62, 0.031),))
    told = texts(slice_errors.section(replace(result, slices=(item, *result.slices[1:])), record_of()))
    assert "Rows of slice 1 more often have rain >= 1 (62.0 %, elsewhere 3.1 %)." in told
