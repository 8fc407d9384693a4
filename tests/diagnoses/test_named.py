"""Named slices: read from text, measured, accepted or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlflow_errata as errata
from mlflow_errata.diagnoses._named import NamedSlice, wanted_slices
from mlflow_errata.errors import ColumnMissing, ExpressionUnreadable, InputError, ValuesRefused
from mlflow_errata.predicates import Equals, IsIn, IsMissing, NotIn, Within, parse
from mlflow_errata.stats.intervals import wilson

COLUMNS = st.sampled_from(["x", "petal length (cm)", "hour(at)", "a.b", "is it", "<5", "\u00e9t\u00e9"])
SCALARS = st.one_of(st.text(max_size=8), st.integers(-99, 99), st.booleans(), st.floats(-9, 9, width=32))
ENDS = st.integers(-99, 99) | st.floats(-1e9, 1e9) | st.sampled_from(["2024-09-15", "2024-09-15T07:30:00"])
PREDICATES = st.one_of(
    st.builds(Equals, COLUMNS, SCALARS),
    st.builds(IsIn, COLUMNS, st.lists(SCALARS, min_size=1, max_size=3).map(tuple)),
    st.builds(NotIn, COLUMNS, st.lists(SCALARS, min_size=1, max_size=3).map(tuple)),
    st.builds(IsMissing, COLUMNS),
    st.builds(Within, COLUMNS, ENDS, st.none()),
    st.builds(Within, COLUMNS, st.none(), ENDS),
    st.builds(Within, COLUMNS, ENDS, ENDS),
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(PREDICATES, min_size=1, max_size=3).map(tuple))
def test_what_a_slice_prints_is_read_back(predicates):
    assert parse(" and ".join(map(str, predicates))) == predicates


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("hour > 19", "hour > 19"),
        ("a == 1 and __import__('os')", "__import__('os')"),
        ("a == open('x')", "a == open('x')"),
        ("a in {1, f(2)}", "a in {1, f(2)}"),
        ("a == [1]", "a == [1]"),
        ("a in {}", "a in {}"),
        ("", ""),
    ],
)
def test_anything_else_is_refused_and_never_evaluated(expression, part):
    with pytest.raises(ExpressionUnreadable) as said:
        parse(expression)
    assert repr(part) in str(said.value)


def table():
    frame = pd.DataFrame({"kind": ["bad"] * 50 + ["good"] * 150, "y": [1] * 200})
    frame["p"] = [0] * 30 + [1] * 20 + [0] * 15 + [1] * 135
    return frame


def named(**slices):
    return errata.diagnose(table(), label="y", prediction="p", named_slices=slices).results["slice_errors"].named


def test_by_hand():
    bad, none = named(bad=("kind == 'bad'", 0.4), none="kind == 'ugly'")
    assert (bad.name, bad.conditions, bad.support, bad.at_most) == ("bad", ("kind == 'bad'",), 50, 0.4)
    assert (bad.error.value, bad.error.low, bad.error.high) == pytest.approx(wilson(30, 50))
    assert bad.excess.value == pytest.approx(50 * (0.6 - 0.1))
    assert bad.metric.value == pytest.approx(0.4)
    assert bad.mask(table()).sum() == 50
    assert (none.support, none.error, none.excess, none.accepted) == (0, None, None, None)


@pytest.mark.parametrize(("bar", "accepted"), [(0.9, True), (0.6, None), (0.3, False), (None, None)])
def test_a_bar_is_kept_or_broken_by_the_whole_interval(bar, accepted):
    (item,) = named(x="kind == 'bad'" if bar is None else ("kind == 'bad'", bar))
    assert item.accepted is accepted
    assert isinstance(item, NamedSlice)


def test_what_cannot_be_measured_is_refused_before_anything_is_done():
    with pytest.raises(ColumnMissing, match="kindd"):
        named(x="kindd == 'bad'")
    with pytest.raises(ValuesRefused, match="acceptance bar -1"):
        named(x=("kind == 'bad'", -1))


def test_a_record_keeps_them(tmp_path):
    record = errata.diagnose(table(), label="y", prediction="p", named_slices={"bad": ("kind == 'bad'", 0.4)})
    assert errata.Record.open(record.save(tmp_path / "r")).results["slice_errors"] == record.results["slice_errors"]


@pytest.mark.parametrize(
    ("slices", "said"),
    [
        (["x >= 3"], "named_slices= is given as list, where a dict of names and expressions is expected"),
        ("x >= 3", "named_slices= is given as str, where"),
        ({"a": 5}, "named_slices='a' holds 5. Pass an expression"),
        ({"a": ("x >= 3",)}, "named_slices='a' holds .* Pass an expression"),
        ({3: "x >= 3"}, "named_slices=3 holds 'x >= 3'"),
        ({"a": ("x >= 3", "5")}, "has the acceptance bar '5'. Pass a number from 0 up"),
        ({"a": ("x >= 3", np.inf)}, "has the acceptance bar inf"),
    ],
)
def test_what_names_no_slice_is_refused_in_a_sentence(slices, said):
    with pytest.raises(InputError, match=said):
        wanted_slices(slices)
