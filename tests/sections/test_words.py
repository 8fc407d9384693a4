"""Numbers, intervals, moments and names in words."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow_errata.estimate import Estimate
from mlflow_errata.sections import _words as words


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (0, "0.000"),
        (0.7034, "0.703"),
        (6.2749, "6.27"),
        (49.58, "49.6"),
        (4512.4, "4,512"),
        (-0.0312, "-0.0312"),
        (0.000674, "0.000674"),
        (1.2e-9, "1.20e-09"),
        (1234567, "1,234,567"),
    ],
)
def test_number(x, said):
    assert words.number(x) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.9999, "100 %"),
        (0.123, "12.3 %"),
        (0.0123, "1.2 %"),
        (0.00045, "0.045 %"),
        (0.0078, "0.78 %"),
    ],
)
def test_percent(share, said):
    assert words.percent(share) == said


@given(st.floats(0.001, 0.999), st.floats(0, 1), st.floats(0, 1))
def test_an_interval_in_percent_holds_its_value(value, down, up):
    said = words.estimate(Estimate(value, value * (1 - down), value + (1 - value) * up, n=9, unit="recall"))
    middle, _, span = said.partition(" % (")
    low, _, high = span.removesuffix(" %)").partition(" to ")
    assert float(low) <= float(middle) + 0.1
    assert float(middle) <= float(high) + 0.1


def test_an_estimate_says_its_interval_in_its_unit():
    assert words.estimate(Estimate(0.323, 0.294, 0.351, n=9, unit="error rate")) == "32.3 % (29.4 to 35.1 %)"
    assert words.estimate(Estimate(0.703, 0.672, 0.734, n=9, unit="roc_auc")) == "0.703 (0.672 to 0.734)"
    assert words.estimate(Estimate(1500, 1200.4, 1800, n=9, unit="euro")) == "1,500 (1,200 to 1,800)"


def test_a_change_carries_its_sign():
    assert words.change(Estimate(-0.0495, -0.0922, -0.0069, n=9, unit="roc_auc")) == "-0.050 (-0.092 to -0.007)"
    assert words.change(Estimate(0.032, 0.014, 0.05, n=9, unit="accuracy")) == "+3.2 points (+1.4 to +5.0)"
    assert words.change(Estimate(0.0, 0.0, 0.0, n=9, unit="roc_auc")) == "+0.000 (+0.000 to +0.000)"


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("year", "2013"),
        ("quarter", "Q4 2013"),
        ("month", "Nov 2013"),
        ("week", "4 Nov 2013"),
        ("day", "4 Nov 2013"),
        ("hour", "4 Nov 2013 13:05"),
        ("equal count", "4 Nov 2013 13:05"),
    ],
)
def test_a_moment_is_as_precise_as_its_window(unit, said):
    assert words.moment(datetime(2013, 11, 4, 13, 5), unit) == said
    assert words.moment(250.0, unit) == "250"


def test_names_are_shown_on_one_line_and_shortened():
    assert words.shown("a\nb\t c") == "a b c"
    assert words.shown("x" * 500 + " == 'tail'") == "x" * 53 + "…" + "x" * 16 + " == 'tail'"
    assert words.shown("") == "''"
    assert words.distinct(["x" * 100 + "1", "x" * 101 + "1"]) == [(long := words.shown("x" * 101 + "1")), f"{long} (2)"]


def test_lists_count_what_they_leave_out():
    assert words.listed([]) == ""
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed(list("abcdefg"), most=5) == "a, b, c, d, e and 2 more"
    assert words.plural(1, "class", "classes") == "1 class"
    assert words.plural(4512, "row") == "4,512 rows"
