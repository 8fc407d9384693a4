"""Bins and atoms against what their predicates say about the values themselves."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlflow_errata.slicing import encode_levels, encode_numbers
from mlflow_errata.slicing.encoding import N_COARSE, N_FINE, N_ROUGH


def meaning(atom, values):
    """Rows that an atom speaks of; `values` are numbers (NaN missing), or positions of levels (-1 missing)."""
    if atom.kind == "missing":
        return (values < 0) if values.dtype.kind == "i" else np.isnan(values)
    if atom.kind == "level":
        return values == atom.level
    if atom.kind == "rare":
        return values >= atom.level
    low, high = (-np.inf if atom.low is None else atom.low), (np.inf if atom.high is None else atom.high)
    return (values >= low) & (values < high)


def holds_what_it_says(encoded, values):
    for cut in (encoded.fine, encoded.coarse, encoded.rough):
        assert len(set(cut.atoms)) == len(cut.atoms) == len(cut.member)
        for at, atom in enumerate(cut.atoms):
            np.testing.assert_array_equal(cut.mask(at), meaning(atom, values), err_msg=str(atom))


ANY_NUMBER = st.floats(allow_infinity=False, width=64)
"""NaN, zeros of both signs, denormals and the largest floats included."""
FEW_NUMBERS = st.sampled_from([0.1, 0.2, 0.30000000000000004, 1 / 3, 0.3, 1e-300, -1e300, np.nan])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(arrays(np.float64, st.integers(1, 80), elements=ANY_NUMBER | FEW_NUMBERS))
def test_every_range_holds_exactly_the_numbers_between_its_cuts(values):
    encoded = encode_numbers(values, whole=False)
    if encoded is None:
        assert len(np.unique(values)) == 1
    else:
        holds_what_it_says(encoded, values)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(arrays(np.int64, st.integers(1, 80), elements=st.integers(-50, 50)))
def test_cuts_of_whole_numbers_are_whole(values):
    encoded = encode_numbers(values.astype(float), whole=True)
    if encoded is not None:
        assert all(cut is None or cut.is_integer() for atom in encoded.fine.atoms for cut in (atom.low, atom.high))
        holds_what_it_says(encoded, values.astype(float))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(arrays(np.int64, st.integers(1, 80), elements=st.integers(-1, 4)), st.integers(1, 20))
def test_levels_with_enough_rows_are_atoms(given_codes, min_support):
    support = np.bincount(given_codes + 1, minlength=6)
    rank = np.argsort(np.argsort(-support[1:], kind="stable"))
    codes = np.where(given_codes < 0, -1, rank[given_codes])
    encoded = encode_levels(codes, 5, min_support)
    if encoded is not None:
        holds_what_it_says(encoded, codes)
        rare = support[1:][support[1:] < min_support]
        together = int((rare > 0).sum() > 1 and rare.sum() >= min_support)
        assert len(encoded.fine.atoms) == (support >= min_support).sum() + together


@pytest.mark.parametrize("places", range(6))
def test_a_cut_has_no_more_digits_than_the_numbers_it_parts(places):
    values = np.round(np.random.default_rng(places).normal(size=500), places)
    for atom in encode_numbers(values, whole=False).fine.atoms:
        for cut in (atom.low, atom.high):
            assert cut is None or -Decimal(repr(cut)).normalize().as_tuple().exponent <= places


def test_cuts_read_well():
    cuts = {atom.low for atom in encode_numbers(np.array([1.2345, 7.0, 7.0001] * 100), whole=False).fine.atoms}
    assert cuts == {None, 7.0, 7.0001}
    halves = encode_numbers(np.array([0.123456, 0.987654] * 100), whole=False)
    assert {atom.low for atom in halves.fine.atoms} == {None, 0.9}


def test_many_distinct_numbers_fall_into_equal_bins():
    encoded = encode_numbers(np.arange(3200.0), whole=True)
    assert set(np.bincount(encoded.fine.bins)[1:]) == {100}
    assert len(encoded.fine.atoms) == N_FINE * (N_FINE + 1) / 2 - 1
    assert len(encoded.coarse.atoms) == N_COARSE * (N_COARSE + 1) / 2 - 1
    assert len(encoded.rough.atoms) == 2 * (N_ROUGH - 1)
    assert set(np.bincount(encoded.rough.bins)[1:]) == {800}


def test_few_distinct_numbers_are_atoms_everywhere():
    encoded = encode_numbers(np.arange(400.0) % 40, whole=True)
    for cut in (encoded.fine, encoded.coarse, encoded.rough):
        singles = {(atom.low, atom.high) for atom in cut.atoms}
        assert {(float(at), float(at + 1)) for at in range(1, 39)} <= singles


def test_coarse_cuts_are_fine_cuts():
    encoded = encode_numbers(np.random.default_rng(0).normal(size=1000), whole=False)
    assert {atom.low for atom in encoded.coarse.atoms} < {atom.low for atom in encoded.fine.atoms}
    assert {atom.low for atom in encoded.rough.atoms} < {atom.low for atom in encoded.coarse.atoms}


@pytest.mark.parametrize("values", [[5.0] * 9, [np.nan] * 9])
def test_nothing_to_tell_apart(values):
    assert encode_numbers(np.array(values), whole=False) is None
    assert encode_levels(np.zeros(9, dtype=np.intp), 1, 1) is None


def test_one_value_and_missing_are_two_sides():
    encoded = encode_numbers(np.array([5.0, np.nan]), whole=True)
    assert [atom.kind for atom in encoded.fine.atoms] == ["missing"]
