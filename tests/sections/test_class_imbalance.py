"""Classes in words: hand-made results, every verdict."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from mlflow_errata.blocks import Chart, NotMade, Table, Text
from mlflow_errata.diagnoses._rare_inside import RareInside
from mlflow_errata.diagnoses.class_imbalance import ClassImbalance, ClassShare, Confusion
from mlflow_errata.sections import class_imbalance


@pytest.fixture
def item(rate):
    def build(label, support, recall=None, *, judged=True):
        return ClassShare(
            label=label,
            support=support,
            share=rate(support / 1000, support / 1000, support / 1000, unit="share of rows"),
            recall=None if recall is None else rate(recall, recall - 0.02, recall + 0.02, n=support, unit="recall"),
            precision=None,
            judged=judged,
        )

    return build


@pytest.fixture
def result(item):
    return ClassImbalance(
        imbalance_ratio=9.0,
        effective_classes=1.38,
        classes=(item("on time", 900, 0.95), item("late", 100, 0.18)),
        confusions=(Confusion("late", "on time", 82, 0.82), Confusion("on time", "late", 45, 0.05)),
        hurts=("late",),
    )


def of(blocks, kind):
    return [block for block in blocks if isinstance(block, kind)]


def test_a_class_that_pays_is_named_beside_the_commonest(result, record_of):
    said = class_imbalance.verdict(result, record_of())
    assert said.status == "bad"
    assert said.sentence == (
        "Class 'late' is rare and recalled worse: recall 18.0 % (16.0 to 20.0 %) at 10.0 % of the rows, against "
        "95.0 % (93.0 to 97.0 %) for the commonest class, 'on time'."
    )


def test_of_several_the_worst_is_named(result, item, record_of):
    three = replace(result, classes=(*result.classes, item("cancelled", 90, 0.1)), hurts=("late", "cancelled"))
    assert class_imbalance.verdict(three, record_of()).sentence.startswith(
        "2 rare classes are recalled worse; the worst is 'cancelled': recall 10.0 %"
    )


def test_imbalance_without_harm_is_good_and_says_how_much_harm_would_count(result, record_of):
    said = class_imbalance.verdict(replace(result, hurts=()), record_of())
    assert said.status == "good"
    assert "no rare class is recalled worse than the commonest by 5 points or more and beyond chance" in said.sentence


def test_balanced_classes_are_good(result, record_of):
    said = class_imbalance.verdict(replace(result, hurts=(), imbalance_ratio=1.2), record_of())
    assert (said.status, said.sentence) == (
        "good",
        "No class is rare: the commonest has 1.20 to 1 rows against the rarest.",
    )


def test_classes_too_small_to_judge_leave_it_open(result, item, record_of):
    few = replace(result, classes=(result.classes[0], item("late", 4, 0.5, judged=False)), hurts=())
    said = class_imbalance.verdict(few, record_of())
    assert said.status == "unsure"
    assert "fewer than 10 rows" in said.sentence


def test_recall_is_told_by_series(result, item, record_of):
    mixed = replace(result, classes=(*result.classes, item("diverted", 4, 0.5, judged=False)))
    (chart,) = of(class_imbalance.section(mixed, record_of()), Chart)
    assert [row["series"] for row in chart.spec["layer"][1]["data"]["values"]] == [
        class_imbalance.FINE.words,
        class_imbalance.WORSE.words,
        class_imbalance.FEW.words,
    ]


def test_few_classes_stand_in_three_panels_that_share_their_rows(result, record_of):
    (chart,) = of(class_imbalance.section(result, record_of()), Chart)
    support, recall, confusions = chart.spec["layer"]
    rows = [{cell["name"] for cell in part["data"]["values"]} for part in (support, recall, confusions["layer"][0])]
    assert rows == [{"on time", "late"}] * 3
    ranges = [part["layer"][0]["encoding"]["x"]["scale"]["range"] for part in (support, recall, confusions)]
    ends = [[float(end["expr"].partition(" ")[0]) for end in found] for found in ranges]
    assert ends == sorted(ends)
    assert all(one[1] < two[0] for one, two in pairwise(ends))
    assert support["layer"][0]["encoding"]["x"]["scale"]["type"] == "log"
    assert "late taken for on time, 82 rows" in chart.alt


def seven(item, result):
    classes = tuple(item(f"c{at}", 100 - at, 0.9) for at in range(7))
    return replace(result, classes=(*classes, *result.classes))


@pytest.mark.parametrize("many", [False, True])
def test_the_matrix_colours_confusions_alone(result, item, record_of, many):
    shown = seven(item, result) if many else result
    spec = of(class_imbalance.section(shown, record_of()), Chart)[-1].spec
    diagonal, off = (spec if many else spec["layer"][2])["layer"][:2]
    assert [(row["label" if many else "name"], row["prediction"], row["words"]) for row in off["data"]["values"]] == [
        ("late", "on time", "82"),
        ("on time", "late", "5"),
    ]
    assert "color" not in diagonal["encoding"]
    assert off["encoding"]["color"]["scale"]["domain"] == [0, 0.82]


def test_many_classes_give_a_table_of_confusions_and_the_worst_thirty(result, item, record_of):
    classes = tuple(item(f"c{at}", 100 - at, 0.9 - at / 100) for at in range(40))
    many = replace(result, classes=classes, confusions=(Confusion("c39", "c0", 50, 0.8),), hurts=("c39",))
    blocks = class_imbalance.section(many, record_of())
    table, confusions = of(blocks, Table)
    assert [row[0] for row in table.rows] == ["c0", *(f"c{at}" for at in range(11, 40))]
    assert confusions.rows == (("c39", "c0", 50, 0.8),)
    assert any("30 of 40" in block.sentence for block in of(blocks, Text))


def test_a_perfect_model_has_no_matrix(result, record_of):
    (chart,) = of(class_imbalance.section(replace(result, confusions=(), hurts=()), record_of()), Chart)
    assert len(chart.spec["layer"]) == 2


def test_not_made_is_no_fault_for_numbers(record_of):
    assert class_imbalance.not_made("needs classes; the label is a number", record_of(task="regression")) == NotMade(
        "Classes were not compared: the label is a number."
    )
    assert class_imbalance.not_made("needs two classes or more; every label is 0", record_of()).reason == (
        "Classes were not compared: the comparison needs two classes or more; every label is 0."
    )


def test_average_precision_and_training_shares_where_they_are_known(result, record_of, rate):
    told = [
        replace(each, average_precision=rate(0.4, 0.3, 0.5, unit="average precision"), trained=rate(0.2, 0.19, 0.21))
        for each in result.classes
    ]
    blocks = class_imbalance.section(replace(result, classes=tuple(told), moved=("late",)), record_of())
    assert "The share of 1 class differs from that in training, beyond chance: 'late' (10.0 % of the rows, 20.0 %" in (
        next(block.sentence for block in of(blocks, Text))
    )
    table = of(blocks, Table)[0]
    assert [column.title for column in table.columns[-3:]] == [
        "average precision",
        "95 % interval of it",
        "share in training",
    ]
    assert table.rows[0][-3:] == (0.4, "0.300 to 0.500", 0.2)


def test_classes_that_are_rare_inside_a_slice_are_listed(result, rate, record_of):
    shares = (rate(0.02, 0.01, 0.03), rate(0.3, 0.28, 0.32))
    recalls = (rate(0.2, 0.1, 0.3), rate(0.8, 0.7, 0.9))
    inside = RareInside("carrier == 'EV'", "late", 30, *shares, *recalls)
    table = of(class_imbalance.section(replace(result, inside=(inside,)), record_of()), Table)[-1]
    assert table.rows[0][:3] == ("carrier == 'EV'", "late", 30)
    assert "at most half as frequent as elsewhere" in table.caption
