"""The slice search against brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.special import log_ndtr
from scipy.stats import norm

from mlflow_errata.slicing import Lattice, confirm, encode_levels, encode_numbers, selected_interval


def column(draw, n):
    """A random column: levels or numbers, with ties and missing values."""
    if draw.random() < 0.5:
        return encode_levels(draw.integers(-1, draw.integers(2, 5), n), 5, 1)
    values = draw.integers(0, draw.integers(3, 40), n).astype(float)
    values[draw.random(n) < 0.1] = np.nan
    return encode_numbers(values, whole=True)


def masks(encoded, *, coarse):
    """Rows of every atom, straight from its bins."""
    member = encoded.coarse_member if coarse else encoded.member
    bins = encoded.coarse_bins if coarse else encoded.bins
    return [row[bins] > 0 for row in member]


def brute(columns):
    """Rows of every slice, in the lattice's order."""
    found = [mask for item in columns for mask in masks(item, coarse=False)]
    for one in range(len(columns)):
        for two in range(one + 1, len(columns)):
            pairs = product(masks(columns[one], coarse=True), masks(columns[two], coarse=True))
            found += [a & b for a, b in pairs]
    return found


@pytest.mark.parametrize("seed", range(200))
def test_sums_and_rows_of_every_slice_are_those_of_brute_force(seed):
    draw = np.random.default_rng(seed)
    n = int(draw.integers(5, 60))
    columns = [item for item in (column(draw, n) for _ in range(draw.integers(1, 4))) if item is not None]
    if seed % 5 == 0 and columns:
        columns.append(columns[0])  # a duplicated column
    if not columns:
        return
    lattice, weight = Lattice(columns), draw.random(n)
    wanted = brute(columns)
    assert len(lattice) == len(wanted)
    np.testing.assert_array_equal(lattice.sums(lattice.histogram()), [mask.sum() for mask in wanted])
    np.testing.assert_allclose(lattice.sums(lattice.histogram(None, weight)), [weight[mask].sum() for mask in wanted])
    some = np.flatnonzero(draw.random(n) < 0.5)
    counted = lattice.sums(lattice.histogram(some))
    np.testing.assert_array_equal(counted, [mask[some].sum() for mask in wanted])
    for index in draw.integers(0, len(lattice), 5):
        np.testing.assert_array_equal(lattice.rows(int(index)), np.flatnonzero(wanted[index]))


def test_the_number_examined_is_exact():
    draw = np.random.default_rng(0)
    columns = [column(draw, 300) for _ in range(3)]
    support = np.array([mask.sum() for mask in brute(columns)])
    found = confirm(Lattice(columns), (draw.random(300) < 0.2).astype(float), min_support=30)
    assert found.n_examined == ((support >= 30) & (support <= 270)).sum()
    assert found.critical == pytest.approx(norm.isf(0.05 / found.n_examined))


def test_evidence_is_the_signed_root_of_the_likelihood_ratio():
    """40 rows, 10 inside with 8 errors, 2 errors outside: 2 [ 8 ln(.8/.25) + 2 ln(.2/.75) ] / (1 - 10/41)."""
    codes = np.array([0] * 10 + [1] * 30)
    errors = np.array([1.0] * 8 + [0.0] * 2 + [1.0] * 2 + [0.0] * 28)
    lattice = Lattice([encode_levels(codes, 2, 5)])
    found = confirm(lattice, errors, min_support=5).confirmed[0]
    ratio = 8 * np.log(0.8 / 0.25) + 2 * np.log(0.2 / 0.75)
    assert found.evidence == pytest.approx(np.sqrt(2 * ratio / (1 - 10 / 41)))
    assert (found.observed, found.expected) == (8, pytest.approx(2.5))
    assert found.p_value == pytest.approx(norm.sf(found.evidence))


def test_a_confirmed_slice_is_explained_away():
    """Two copies of one column: the second has nothing left to explain."""
    draw = np.random.default_rng(0)
    codes = draw.integers(0, 4, 2000)
    errors = (draw.random(2000) < np.where(codes == 2, 0.5, 0.1)).astype(float)
    one = encode_levels(codes, 4, 30)
    found = confirm(Lattice([one, one]), errors, min_support=30).confirmed
    assert len(found) == 1
    np.testing.assert_array_equal(found[0].rows, np.flatnonzero(codes == 2))


@pytest.mark.parametrize("seed", range(30))
def test_cuts_are_short_and_hold_exactly_the_rows_that_were_counted(seed):
    draw = np.random.default_rng(seed)
    values = np.round(draw.normal(size=500) * 10.0 ** draw.integers(-3, 4), int(draw.integers(0, 6)))
    values = values.astype(np.float32).astype(float) if seed % 2 else values
    encoded = encode_numbers(values, whole=False)
    if encoded is None:
        assert len(np.unique(values)) == 1
        return
    for atom, mask in zip(encoded.atoms, masks(encoded, coarse=False), strict=True):
        low, high = (-np.inf if atom.low is None else atom.low), (np.inf if atom.high is None else atom.high)
        np.testing.assert_array_equal((values >= low) & (values < high), mask)


def test_cuts_read_well():
    cuts = {atom.low for atom in encode_numbers(np.array([1.2345, 7.0, 7.0001] * 100), whole=False).atoms}
    assert cuts == {None, 7.0, 7.0001}
    halves = encode_numbers(np.array([0.123456, 0.987654] * 100), whole=False)
    assert {atom.low for atom in halves.atoms} == {None, 0.9}


def test_selected_intervals_hold_given_that_the_slice_passed():
    """Effects around the critical value: 95 % intervals of the draws that passed hold the truth in 92 to 98 %."""
    draw = np.random.default_rng(0)
    for effect in (3.0, 4.5, 6.0):
        passed = [z for z in effect + draw.normal(size=40_000) if z > 4.5][:600]
        ends = [selected_interval(z, 4.5) for z in passed]
        assert 0.92 <= np.mean([low <= effect <= high for _, low, high in ends]) <= 0.98


def test_far_beyond_the_critical_value_nothing_is_corrected():
    assert selected_interval(20.0, 4.5) == pytest.approx((20, 18.04, 21.96), abs=0.01)
    value, low, high = selected_interval(4.6, 4.5)
    assert low < value < 4.6
    assert log_ndtr(high) <= 0
