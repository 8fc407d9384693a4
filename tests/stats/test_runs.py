"""Runs: against every stretch tried, and the promised chance on draws."""

from __future__ import annotations

import itertools
from math import log

import numpy as np
import pytest

from mlflow_errata.stats.runs import densest_runs


def test_a_run_by_hand():
    events = np.array([3, 10, 11, 12, 13, 14, 30])
    first, *_ = densest_runs(events, 40, 3)
    assert (first.start, first.end, first.n_events, first.share) == (10, 14, 5, 1.0)
    rate = 7 / 40
    assert first.evidence == pytest.approx(5 * log((1 + rate) / 2 / rate))


@pytest.mark.parametrize("seed", range(5))
def test_the_best_of_all_stretches(seed):
    draw = np.random.default_rng(seed)
    n = 60
    happens = draw.random(n) < np.where(np.abs(np.arange(n) - 30) < 8, 0.7, 0.1)
    events = np.flatnonzero(happens)
    rate = len(events) / n
    score = np.where(happens, log((1 + rate) / 2 / rate), log((1 - (1 + rate) / 2) / (1 - rate)))
    every = [score[i : j + 1].sum() for i in range(n) for j in range(i, n)]
    assert densest_runs(events, n, 1)[0].evidence == pytest.approx(max(every), abs=1e-9)


def test_runs_are_disjoint_and_in_order():
    draw = np.random.default_rng(0)
    runs = densest_runs(np.flatnonzero(draw.random(2000) < 0.2), 2000, 6)
    assert [run.evidence for run in runs] == sorted((run.evidence for run in runs), reverse=True)
    spans = sorted((run.start, run.end) for run in runs)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))


def test_independent_events_reach_an_evidence_as_seldom_as_promised():
    draw = np.random.default_rng(0)
    n, chance = 1000, 0.05
    beyond = sum(
        densest_runs(np.flatnonzero(draw.random(n) < 0.1), n, 1)[0].evidence >= log(n / chance) for _ in range(300)
    )
    assert beyond <= 0.05 * 300


@pytest.mark.parametrize("events", [[], range(10)])
def test_nothing_and_everything_have_no_runs(events):
    assert densest_runs(np.array(list(events), dtype=np.intp), 10, 3) == ()
