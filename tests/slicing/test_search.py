"""The search against a slow one over explicit masks, and its parts by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm

from mlflow_errata.slicing import Lattice, confirm, encode_levels, encode_numbers, search, selected_interval


def ranked(codes):
    order = np.argsort(np.argsort(-np.bincount(codes[codes >= 0], minlength=4), kind="stable"))
    return encode_levels(np.where(codes >= 0, order[codes], -1), 4, 5)


def problem(seed, n=300):
    """Levels, numbers, levels that nearly copy the first (wholly in every fourth problem); errors with three causes."""
    draw = np.random.default_rng(seed)
    levels, whole = draw.integers(-1, 4, n), draw.integers(0, 9, n).astype(float)
    near = np.where(draw.random(n) < 0.8, levels, draw.integers(-1, 4, n))
    whole[draw.random(n) < 0.1] = np.nan
    columns = [ranked(levels), encode_numbers(whole, whole=True), ranked(near)]
    a, b, c = draw.random(3) * 0.5
    rate = 0.1 + a * (levels == 1) + b * ((whole > 3) & (levels <= 1)) + c * (whole > 6)
    return columns + columns[: seed % 4 == 0], (draw.random(n) < np.minimum(rate, 1)).astype(float)


def slow(masks, depth, errors, min_support, alpha):
    """The documented search, slice by slice: (positions confirmed, evidence of each, slices examined)."""
    n, cell, found, all_evidence = len(errors), np.zeros(len(errors), dtype=int), [], []
    examined = [at for at, mask in enumerate(masks) if min_support <= mask.sum() <= n - min_support]
    critical, worse, covered = norm.isf(alpha / len(examined)), None, np.zeros(n, dtype=bool)
    while True:
        share = np.array([errors[cell == its].mean() for its in cell])
        evidence = {}
        for at in examined:
            inside, k = share[masks[at]], int(masks[at].sum())
            o, p = int(errors[masks[at]].sum()), inside.mean()
            variance = (inside * (1 - inside)).sum() * (1 - k / (n + 1))
            ratio = 0.0
            if 0 < p < 1:
                ratio = (binom.logpmf(o, k, o / k) - binom.logpmf(o, k, p)) * k * p * (1 - p) / variance
            evidence[at] = round(float(np.sign(o - k * p) * np.sqrt(2 * max(ratio, 0))), 9)
        worse = worse or {at for at in examined if evidence[at] > 1.96}
        open_ = [at for at in worse if 3 * (masks[at] & covered).sum() <= masks[at].sum()]
        best = {
            d: max(
                (at for at in open_ if depth[at] == d),
                key=lambda at: (evidence[at], masks[at].sum(), -at),
                default=None,
            )
            for d in (1, 2)
        }
        one, two = (0.0 if best[d] is None else max(evidence[best[d]], 0) for d in (1, 2))
        earned = two > one and (two**2 > max(one**2 + critical**2, 1.5 * one**2) or one <= critical)
        pick = best[2] if earned else best[1]
        if pick is None or evidence[pick] <= critical:
            return found, all_evidence, len(examined)
        found.append(pick)
        all_evidence.append(evidence[pick])
        _, cell = np.unique(2 * cell + masks[pick], return_inverse=True)
        covered |= masks[pick]


@pytest.mark.parametrize("seed", [*range(12), 45, 49, 51, 56, 69, 75, 93, 147])
def test_the_fast_search_confirms_what_the_slow_one_does(seed):
    columns, errors = problem(seed)
    lattice = Lattice(columns)
    masks = [np.isin(np.arange(len(errors)), lattice.rows(at)) for at in range(len(lattice))]
    at, evidence, n_examined = slow(masks, lattice.depth, errors, 12, 0.05)
    found = confirm(lattice, errors, min_support=12)
    assert found.n_examined == n_examined
    assert [item.index for item in found.confirmed] == at
    assert [item.evidence for item in found.confirmed] == pytest.approx(evidence)


def test_columns_in_another_order_give_the_same_slices():
    columns, errors = problem(2)
    there, back = (confirm(Lattice(given), errors, min_support=12).confirmed for given in (columns, columns[::-1]))
    assert [tuple(item.rows) for item in there] == [tuple(item.rows) for item in back]


def test_evidence_is_the_signed_root_of_the_likelihood_ratio():
    """40 rows, 10 inside with 8 errors, 2 errors outside: 2 [ 8 ln(.8/.25) + 2 ln(.2/.75) ] / (1 - 10/41)."""
    codes = np.array([0] * 10 + [1] * 30)
    errors = np.array([1.0] * 8 + [0.0] * 2 + [1.0] * 2 + [0.0] * 28)
    found = confirm(Lattice([encode_levels(codes, 2, 5)]), errors, min_support=5).confirmed[0]
    ratio = 8 * np.log(0.8 / 0.25) + 2 * np.log(0.2 / 0.75)
    assert found.evidence == pytest.approx(np.sqrt(2 * ratio / (1 - 10 / 41)))
    assert (found.observed, found.expected) == (8, pytest.approx(2.5))
    assert found.p_value == pytest.approx(norm.sf(found.evidence))


def test_evidence_of_real_errors_is_the_self_normalised_sum_of_residuals():
    draw = np.random.default_rng(0)
    codes, weight = draw.integers(0, 4, 400), draw.random(400) + 0.5
    errors = draw.exponential(size=400) * np.where(codes == 1, 2.5, 1.0)
    found = confirm(Lattice([encode_levels(codes, 4, 5)]), errors, weight, min_support=20).confirmed[0]
    inside, residual = codes == 1, weight * (errors - np.average(errors, weights=weight))
    wanted = residual[inside].sum() / np.sqrt((residual[inside] ** 2).sum() * (1 - inside.sum() / 401))
    assert found.evidence == pytest.approx(wanted)
    assert found.observed == pytest.approx((weight * errors)[inside].sum())
    assert found.expected == pytest.approx(weight[inside].sum() * np.average(errors, weights=weight))


def test_ties_fall_to_more_rows_then_to_the_earlier_slice():
    lattice = Lattice([encode_levels(np.arange(60) % 4, 4, 5)])
    evidence = np.array([5.0, 6.0, 6.0, 6.0])
    assert search._best(lattice, evidence, np.array([40.0, 10.0, 20.0, 20.0]), 3.0) == 2


def test_a_copy_of_a_column_has_nothing_left_to_explain():
    """The column and its copy tie: the earlier is reported, and nothing else."""
    draw = np.random.default_rng(0)
    codes = draw.integers(0, 4, 2000)
    errors = (draw.random(2000) < np.where(codes == 2, 0.5, 0.1)).astype(float)
    one = encode_levels(codes, 4, 30)
    found = confirm(Lattice([one, one]), errors, min_support=30).confirmed
    assert [item.index for item in found] == [2]
    np.testing.assert_array_equal(found[0].rows, np.flatnonzero(codes == 2))


@pytest.mark.parametrize("errors", [np.zeros(200), np.ones(200)])
def test_equal_errors_everywhere_confirm_nothing(errors):
    found = confirm(Lattice([encode_levels(np.arange(200) % 2, 2, 30)]), errors, min_support=30)
    assert (found.confirmed, found.n_examined) == ((), 2)


def test_no_slice_with_enough_rows():
    found = confirm(Lattice([encode_levels(np.arange(40) % 2, 2, 5)]), np.zeros(40), min_support=30)
    assert (found.confirmed, found.n_examined) == ((), 0)


def test_a_few_large_errors_cannot_fake_evidence():
    """One error of 10,000 among 2,000 of about 1 is no slice."""
    draw = np.random.default_rng(0)
    errors = draw.exponential(size=2000)
    errors[0] = 10_000
    assert not confirm(Lattice([encode_levels(draw.integers(0, 9, 2000), 9, 30)]), errors, min_support=30).confirmed


def test_selected_intervals_hold_given_that_the_slice_passed():
    """Effects around the critical value: 95 % intervals of the draws that passed hold the truth in 92 to 98 %."""
    draw = np.random.default_rng(0)
    for effect in (3.0, 4.5, 6.0):
        passed = [z for z in effect + draw.normal(size=40_000) if z > 4.5][:600]
        found = np.array([selected_interval(z, 4.5) for z in passed])
        assert 0.92 <= np.mean((found[:, 1] <= effect) & (effect <= found[:, 2])) <= 0.98
        assert 0.44 <= np.mean(found[:, 0] <= effect) <= 0.56


def test_far_beyond_the_critical_value_nothing_is_corrected():
    assert selected_interval(20.0, 4.5) == pytest.approx((20, 18.04, 21.96), abs=0.01)


@pytest.mark.parametrize("evidence", [4.6, 5.0, 6.0])
def test_close_to_the_critical_value_the_effect_shrinks(evidence):
    value, low, high = selected_interval(evidence, 4.5)
    assert low < value < evidence
    assert value < high <= evidence + 1.97
