"""Intervals against statsmodels and scipy, and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from mlflow_errata.stats.intervals import (
    at_level,
    contiguous_groups,
    difference,
    jackknife,
    jackknife_of,
    mean_interval,
    mean_or_share,
    scattered_groups,
    wilson,
)


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (5, 5), (1, 10), (7, 20), (500, 1000), (1, 10_000)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_wilson_against_statsmodels(hits, n, level):
    value, low, high = wilson(hits, n, level=level)
    wanted = proportion_confint(hits, n, alpha=1 - level, method="wilson")
    assert (value, low, high) == pytest.approx((hits / n, *wanted), abs=1e-12)


def test_mean_against_scipy():
    values = np.random.default_rng(0).exponential(size=50)
    wanted = stats.t.interval(0.95, 49, values.mean(), stats.sem(values))
    assert mean_interval(values) == pytest.approx((values.mean(), *wanted), abs=1e-9)


def test_weighted_mean_against_statsmodels():
    draw = np.random.default_rng(0)
    values, weight = draw.normal(size=40), draw.random(40)
    value, low, high = mean_interval(values, weight)
    assert value == pytest.approx(DescrStatsW(values, weight).mean, abs=1e-9)
    assert low < value < high


def test_weights_of_one_change_nothing():
    values = np.random.default_rng(0).normal(size=40)
    assert mean_interval(values, np.ones(40)) == pytest.approx(mean_interval(values))


def test_share_under_weights_counts_kishs_effective_rows():
    hits = np.array([1.0, 0.0, 1.0, 1.0])
    value, low, high = mean_or_share(hits, np.array([1.0, 1.0, 1.0, 5.0]))
    assert value == pytest.approx(7 / 8)
    assert (low, high) == pytest.approx(wilson(7 / 8 * 64 / 28, 64 / 28)[1:])


@pytest.mark.parametrize(("first", "second"), [((10, 100), (25, 100)), ((1, 20), (0, 30)), ((50, 60), (20, 70))])
def test_difference_of_wilson_intervals_is_newcombes(first, second):
    found = difference(wilson(*first), wilson(*second))
    low, high = confint_proportions_2indep(*second, *first, method="newcomb", compare="diff")
    assert found[0] == pytest.approx(second[0] / second[1] - first[0] / first[1])
    assert found[1:] == pytest.approx((low, high), abs=1e-9)


def test_difference_of_normal_intervals_adds_variances():
    assert difference((1.0, 0.0, 2.0), (3.0, 1.0, 5.0)) == pytest.approx((2.0, 2 - 5**0.5, 2 + 5**0.5))


def test_jackknife_of_single_rows_is_the_t_interval_of_a_mean():
    values = np.random.default_rng(0).normal(size=20)
    found = jackknife(lambda rows: float(values[rows].mean()), scattered_groups(20))
    assert found == pytest.approx(mean_interval(values), abs=1e-9)


def test_jackknife_says_none_where_there_is_no_statistic():
    assert jackknife(lambda _: float("nan"), scattered_groups(10)) is None
    assert jackknife(lambda rows: float(len(rows)), scattered_groups(1)) is None


def test_groups():
    assert list(scattered_groups(22)) == [*range(20), 0, 1]
    assert list(contiguous_groups(40)) == [i // 2 for i in range(40)]
    assert len(np.unique(contiguous_groups(7))) == 7


def test_runs_of_rows_that_move_together_widen_the_interval():
    """40 days of 50 rows that share a day's luck: coverage by runs stays near 95 %, by scattered rows it collapses."""
    draw = np.random.default_rng(1)
    hits = {"runs": 0, "scattered": 0}
    for _ in range(200):
        values = np.repeat(draw.normal(size=40), 50) + draw.normal(size=2000)
        for name, groups in (("runs", contiguous_groups(2000)), ("scattered", scattered_groups(2000))):
            _, low, high = jackknife(lambda rows, v=values: float(v[rows].mean()), groups)
            hits[name] += low <= 0 <= high
    assert hits["runs"] >= 184
    assert hits["scattered"] <= 100


def test_a_t_interval_at_another_level():
    parts = np.random.default_rng(0).normal(size=20)
    found = at_level(jackknife_of(0.3, parts), 19, level=0.97)
    assert found == pytest.approx(jackknife_of(0.3, parts, level=0.97), abs=1e-12)
