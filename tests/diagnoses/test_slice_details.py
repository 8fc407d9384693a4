"""What a slice carries beside its error: an id, its course over time, the rows it shares with others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import slice_errors
from mlflow_errata.diagnoses._overlaps import overlaps_of
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.diagnoses._slice_times import courses_of
from mlflow_errata.diagnoses.slice_errors import slice_id
from mlflow_errata.metric import default_metric
from mlflow_errata.stats.intervals import mean_or_share


def table_of(frame, **roles):
    return EvaluationTable.build(frame, label="y", prediction="p", time="at", **roles)


@pytest.fixture(scope="module")
def frame():
    """A slice that fails twice as often, and only in the second half; one row in fifty without a time."""
    draw = np.random.default_rng(3)
    n = 4000
    rows = pd.DataFrame(
        {
            "region": draw.choice(["east", "north", "south"], n),
            "side": draw.choice(["left", "right"], n),
            "at": pd.Series(pd.date_range("2024-01-01", periods=n, freq="2h")).where(draw.random(n) > 0.02),
            "w": draw.random(n) + 0.1,
            "y": draw.integers(0, 2, n),
        }
    )
    late = np.arange(n) > n / 2
    wrong = draw.random(n) < np.where((rows["region"] == "east") & late, 0.5, 0.1)
    return rows.assign(p=np.where(wrong, 1 - rows["y"], rows["y"]), number=rows["y"] + wrong * draw.normal(size=n))


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("prediction", ["p", "number"])
def test_a_course_is_that_of_the_rows_of_each_window(frame, prediction, weight):
    task = "regression" if prediction == "number" else "binary"
    rows = frame.drop(columns={"p", "number", "w"} - {prediction, weight})
    table = EvaluationTable.build(rows, label="y", prediction=prediction, time="at", weight=weight, task=task)
    inside = (table.frame["region"] == "east").to_numpy()
    unit, (course,) = courses_of(table, [np.flatnonzero(inside)])
    assert unit == "month"
    assert len(course) == 11
    for window in course:
        within = (table.times >= np.datetime64(window.start)) & (table.times < np.datetime64(window.end))
        for side, found in ((inside, window.inside), (~inside, window.outside)):
            chosen = within & side
            assert found.n == chosen.sum()
            expected = mean_or_share(table.errors[chosen], None if weight is None else table.outcomes.weight[chosen])
            np.testing.assert_allclose((found.value, found.low, found.high), expected, rtol=1e-9)


def test_windows_without_rows_of_a_slice_have_no_estimate(frame):
    table = table_of(frame)
    first = np.flatnonzero(table.times < np.datetime64("2024-02-01"))
    _, (course,) = courses_of(table, [first])
    assert course[0].outside is None
    assert all(window.inside is None for window in course[1:])


def test_without_times_there_is_no_course(frame):
    table = EvaluationTable.build(frame.drop(columns="at"), label="y", prediction="p")
    assert courses_of(table, [np.arange(10)]) == ("", [()])
    still = table_of(frame.assign(at=pd.Timestamp("2024-01-01")))
    assert courses_of(still, [np.arange(10)]) == ("", [()])
    assert courses_of(table_of(frame), []) == ("", [])


def test_the_found_slice_carries_its_course(frame):
    table = table_of(frame.drop(columns=["w", "number"]))
    found = slice_errors.diagnose(table, Options(default_metric(table.outcomes)))
    item = next(each for each in found.slices if "region == 'east'" in each.conditions)
    assert found.window == "month"
    assert sum(window.inside.n for window in item.course if window.inside) <= item.support
    first, last = item.course[0], item.course[-1]
    assert first.inside.low < first.outside.high
    assert last.inside.low > last.outside.high


def test_overlaps_by_hand():
    """Rows 0-9, 5-14 and 40-41: five in common, half of each."""
    one, two, alone = np.arange(10), np.arange(5, 15), np.arange(40, 42)
    first, second, third = overlaps_of(100, [one, two, alone], ["a", "b", "c"])
    assert [(item.other, item.rows, item.share, item.share_of_other) for item in first] == [("b", 5, 0.5, 0.5)]
    assert [item.other for item in second] == ["a"]
    assert third == ()
    assert overlaps_of(100, [], []) == []


def test_overlaps_against_sets():
    draw = np.random.default_rng(0)
    sets = [np.flatnonzero(draw.random(5000) < share) for share in (0.5, 0.2, 0.01)]
    for at, shared in enumerate(overlaps_of(5000, sets, ["0", "1", "2"])):
        for item in shared:
            common = set(sets[at]) & set(sets[int(item.other)])
            assert item.rows == len(common)
            assert item.share == len(common) / len(sets[at])
            assert item.share_of_other == len(common) / len(sets[int(item.other)])


def test_an_id_depends_on_the_conditions_alone():
    assert slice_id(("b >= 2", "a == 'x'")) == slice_id(("a == 'x'", "b >= 2"))
    assert len({slice_id(("a == 'x'",)), slice_id(("a == 'y'",)), slice_id(("a == 'x'", "b >= 2"))}) == 3
    assert slice_id(("a == 'x'",)) == "8ac8366d6c"
