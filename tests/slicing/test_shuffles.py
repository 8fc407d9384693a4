"""Permutations of the errors: orders of rows, and the evidence that chance reaches."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from mlflow_errata.slicing import Lattice, confirm, encode_levels, encode_numbers, shuffles
from mlflow_errata.slicing.evidence import Cells
from mlflow_errata.slicing.shuffles import largest_by_chance


def spells(seed, n=3000, length=30):
    """Columns and errors that both come in spells of neighbouring rows, and have nothing to do with each other."""
    draw = np.random.default_rng(seed)
    weather = np.repeat(draw.integers(0, 4, n // length), length)
    pressure = np.repeat(draw.normal(size=n // length), length)
    errors = draw.random(n) < np.repeat(draw.beta(0.5, 3, n // length), length)
    order = np.argsort(-np.bincount(weather, minlength=4), kind="stable").argsort()
    columns = [encode_levels(order[weather], 4, 30), encode_numbers(pressure, whole=False)]
    return Lattice(columns, 30), errors.astype(float)


def test_every_order_is_a_permutation_that_turns_time_around():
    times = np.random.default_rng(0).permutation(400)[:250]
    seen = set()
    for order in shuffles(400, 20, in_time=times, random_state=1):
        assert sorted(order) == list(range(400))
        place = np.full(400, -1)
        place[times] = np.arange(250)
        steps = np.diff(place[order[times]])
        assert (steps != 1).sum() == 1  # where the year turns
        seen.add(tuple(order))
    assert len(seen) > 15


def test_without_times_every_row_moves_alone():
    steps = np.concatenate([np.diff(order) for order in shuffles(500, 20)])
    assert (steps == 1).mean() < 0.01


@pytest.mark.parametrize("weighted", [False, True])
def test_the_largest_evidence_is_the_largest(weighted):
    lattice, errors = spells(0, 600)
    weight = np.random.default_rng(2).random(600) if weighted else None
    orders = list(shuffles(600, 5))
    expected = []
    for order in orders:
        cells = Cells(errors[order], weight[order] if weighted else None)
        alone = [cells.evidence(lattice.rows(at)) for at in range(len(lattice))]
        levels = [at for at in lattice.alone(0) if lattice.predicates(at)[0][1].kind == "level"]
        sets = [[a, b] for a in levels for b in levels if a < b] + [levels[:at] + levels[at + 1 :] for at in range(4)]
        sets = [np.sort(np.concatenate([lattice.rows(at) for at in some])) for some in sets]
        expected.append(max(alone + [cells.evidence(rows) for rows in sets if len(rows) <= 570]))
    assert largest_by_chance(lattice, errors, weight, orders) == pytest.approx(np.array(expected), rel=1e-9)


def test_errors_in_spells_alarm_bonferroni_and_not_turns_of_time():
    alarms = {"bonferroni": 0, "turns": 0}
    for seed in range(20):
        lattice, errors = spells(seed)
        orders = shuffles(3000, 99, in_time=np.arange(3000))
        alarms["bonferroni"] += bool(confirm(lattice, errors, suspicion=0).found)
        alarms["turns"] += bool(confirm(lattice, errors, orders=orders, suspicion=0).found)
    assert alarms["bonferroni"] >= 15
    assert alarms["turns"] <= 3


def test_independent_errors_get_about_the_bar_of_bonferroni():
    lattice, _ = spells(3)
    errors = (np.random.default_rng(4).random(3000) < 0.2).astype(float)
    plain, permuted = confirm(lattice, errors), confirm(lattice, errors, orders=shuffles(3000, 199))
    assert plain.critical == pytest.approx(norm.isf(0.05 / plain.n_examined))
    assert permuted.critical == pytest.approx(plain.critical, abs=1.0)
    assert permuted.critical < plain.critical  # ranges of one number overlap: fewer looks than slices


def test_a_planted_slice_is_found_by_permutations_too():
    lattice, _ = spells(5)
    rows = lattice.rows(1)
    errors = (np.random.default_rng(6).random(3000) < np.where(np.isin(np.arange(3000), rows), 0.4, 0.1)).astype(float)
    (first, *_) = confirm(lattice, errors, orders=shuffles(3000, 99)).found
    assert len(np.intersect1d(first.rows, rows)) / len(np.union1d(first.rows, rows)) > 0.8


def test_every_group_takes_the_errors_of_one_other():
    """Groups of 3, 3, 2 and 1 rows, and two rows of none."""
    groups = np.array([2, 0, 0, 1, -1, 2, 0, 3, -1, 1, 1])
    for order in shuffles(11, 30, groups=groups, random_state=4):
        taken = [set(groups[order[groups == group]]) for group in range(4)]
        assert all(len(each) == 1 for each in taken)
        assert set.union(*taken) == {0, 1, 2, 3}
        assert sorted(order[[4, 8]]) == [4, 8]
        (first,) = taken[0]
        assert len(set(order[groups == 0])) == min(3, (groups == first).sum())
