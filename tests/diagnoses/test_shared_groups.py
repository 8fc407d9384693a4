"""Groups that stand in the training rows, too: counted by hand, planted, and where they do no harm."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import data_faults, slice_errors
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.diagnoses._shared_groups import shared_groups
from mlflow_errata.errors import ColumnMissing, ValuesRefused
from mlflow_errata.metric import default_metric, resolve_metric


def build(rows, **roles):
    return EvaluationTable.build(rows, **{"label": "y", "prediction": "p", "group": "who", **roles})


def told(rows, train, metric="accuracy", **roles):
    table = build(rows, train=train, **roles)
    return shared_groups(table, resolve_metric(metric, table.outcomes))


def rows(seed=0, n=2000, *, first=0, known=0.9, new=0.9):
    """Customers of ten rows each; those up to 100 are known, and each is served about alike in all its rows."""
    draw = np.random.default_rng(seed)
    who = first + np.arange(n) // 10
    level = np.clip(np.where(who < 100, known, new) + draw.normal(0, 0.08, who.max() + 1)[who], 0, 1)
    y = draw.integers(0, 2, n)
    right = draw.random(n) < level
    return pd.DataFrame({"x": draw.normal(size=n), "z": draw.normal(size=n), "who": who, "y": y}).assign(
        p=np.where(right, y, 1 - y)
    )


TRAIN = rows(99, 1000)
"""Customers 0 to 99."""


def test_by_hand():
    frame = rows()
    found = told(frame, TRAIN)
    inside = frame["who"] < 100
    right = frame["y"] == frame["p"]
    assert (found.column, found.n_groups, found.n_shared, found.rows) == ("who", 200, 100, 1000)
    assert (found.share.value, found.share.n) == (0.5, 2000)
    assert found.known.value == pytest.approx(right[inside].mean(), abs=1e-12)
    assert found.new.value == pytest.approx(right[~inside].mean(), abs=1e-12)
    assert found.gap.value == pytest.approx(found.known.value - found.new.value, abs=1e-12)


def test_groups_learned_by_heart_are_an_alarm_and_others_are_listed():
    served = [told(rows(seed, known=0.93, new=0.8), TRAIN).flatters for seed in range(20)]
    assert sum(served) >= 19
    alike = [told(rows(seed), TRAIN).flatters for seed in range(200)]
    assert sum(alike) <= 4  # customers are served differently, which rows taken one by one would take for evidence
    alarmed = build(rows(known=0.93, new=0.8), train=TRAIN)
    result = data_faults.diagnose(alarmed, Options(default_metric(alarmed.outcomes)))
    assert [(fault.code, fault.column, fault.rows, fault.alarm) for fault in result.faults] == [
        ("ERR109", "who", 1000, True)
    ]
    quiet = build(rows(), train=TRAIN)
    result = data_faults.diagnose(quiet, Options(default_metric(quiet.outcomes)))
    assert [(fault.code, fault.alarm) for fault in result.faults] == [("ERR109", False)]
    assert not result.found


def test_rows_in_another_order_and_groups_by_text_change_nothing():
    frame = rows(3, known=0.93, new=0.8)
    assert told(frame, TRAIN) == told(frame.sample(frac=1, random_state=1), TRAIN)
    text = told(frame.assign(who=frame["who"].map("c{}".format)), TRAIN.assign(who=TRAIN["who"].map("c{}".format)))
    assert (text.n_shared, text.known.value) == (100, pytest.approx(told(frame, TRAIN).known.value))


def test_too_few_groups_or_rows_are_counted_and_not_compared():
    some = told(rows(n=1100), TRAIN)  # 100 known customers, 10 new ones
    assert (some.n_shared, some.n_groups, some.gap, some.flatters) == (100, 110, None, False)
    none = told(rows(first=500), TRAIN)
    assert (none.n_shared, none.share.value, none.gap) == (0, 0.0, None)
    assert told(rows(), TRAIN.drop(columns="who")) is None
    assert shared_groups(build(rows(), group=None), default_metric(build(rows()).outcomes)) is None


def test_rows_without_a_group_are_left_out():
    frame = rows().assign(who=lambda d: d["who"].where(d["who"] % 2 == 0))
    found = told(frame, TRAIN)
    assert (found.n_groups, found.n_shared, found.share.n) == (100, 50, 1000)


def test_groups_that_cannot_be_compared_are_refused():
    frame = rows()
    with pytest.raises(ValuesRefused, match="group='who' holds numbers, and text in train"):
        build(frame, train=TRAIN.assign(who=TRAIN["who"].astype(str)))
    with pytest.raises(ValuesRefused, match=r"is missing in every row. Leave group= out"):
        build(frame.assign(who=None))
    with pytest.raises(ValuesRefused, match="holds lists or dicts"):
        build(frame.assign(who=[[1]] * len(frame)))
    with pytest.raises(ColumnMissing, match="Did you mean 'who'"):
        build(frame, group="whom")


def test_a_group_is_no_feature_and_no_slice():
    table = build(rows())
    assert table.features == table.slice_columns == ("x", "z")
    assert build(rows(), features=["x", "who"]).features == ("x", "who")


def test_permutations_keep_the_rows_of_a_group_together():
    """Customers err in all their rows or in none: slices that follow customers are no evidence, and are not found."""
    found = {True: 0, False: 0}
    for seed in range(20):
        draw = np.random.default_rng(seed)
        who = draw.permutation(np.repeat(np.arange(50), draw.integers(10, 31, 50)))
        n = len(who)
        frame = pd.DataFrame(
            {
                "z": draw.normal(size=n),
                "who": who,
                "kind": draw.choice(list("abcd"), 50)[who],
                "size": draw.normal(size=50)[who],
                "y": 0,
            }
        )
        frame["p"] = (draw.random(50) < 0.3)[who].astype(int)
        for grouped in found:
            table = build(frame, group="who" if grouped else None, task="binary", slice_by=["kind", "size", "z"])
            result = slice_errors.diagnose(table, Options(default_metric(table.outcomes), permutations=59))
            found[grouped] += result.found
            assert result.by_group == grouped
    assert found[False] >= 15
    assert found[True] <= 3
