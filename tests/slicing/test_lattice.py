"""Sums over slices against brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import norm

from mlflow_errata.slicing import Lattice, confirm, encode_levels, encode_numbers


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
