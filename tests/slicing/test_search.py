"""The search against a slow one over explicit masks, and its parts by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.special import xlogy
from scipy.stats import binom, binomtest, hypergeom, norm

from mlflow_errata.slicing import (
    Lattice,
    confirm,
    encode_levels,
    encode_numbers,
    search,
    selected_interval,
    selected_share,
)
from mlflow_errata.slicing.evidence import Cells, Standing
from mlflow_errata.slicing.scores import tail_root


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
    rate = 0.1 + a * (levels == 1) + b * ((whole > 3) & (levels <= 1)) + c * ((whole > 6) & (near > 0))
    return columns + columns[: seed % 4 == 0], (draw.random(n) < np.minimum(rate, 1)).astype(float)


def level_sets(columns, lattice):
    """Every set of two or more levels of a column with three or more, but all of them: (levels, rows)."""
    for at, column in enumerate(columns):
        levels = [place for place in lattice.alone(at) if lattice.predicates(place)[0][1].kind == "level"]
        if len(levels) >= 3 and not column.is_number:
            for size in range(2, len(levels)):
                for chosen in combinations(levels, size):
                    yield chosen, np.concatenate([lattice.rows(place) for place in chosen])


def slow(masks, depth, errors, sets=(), alpha=0.05):  # noqa: C901 - the whole rule in one place
    """The documented search, slice by slice: (rows of those confirmed, evidence of each). Sets have a depth of 1.5."""
    n, cell, found, all_evidence = len(errors), np.zeros(len(errors), dtype=int), [], []
    at_least = 12
    critical, worse, covered = norm.isf(alpha / (len(masks) + len(sets))), None, np.zeros(n, dtype=bool)
    singles = dict(enumerate(masks))
    for levels, rows in sets:
        mask = np.isin(np.arange(n), rows)
        if mask.sum() <= n - at_least:
            masks = [*masks, mask]
            depth = np.append(depth, 1.5)
            singles[len(masks) - 1] = levels
    while True:
        share = np.array([errors[cell == its].mean() for its in cell])
        evidence = {}
        for at, mask in enumerate(masks):
            if worse is not None and at not in worse:
                continue
            inside, k = share[mask], int(mask.sum())
            o, p = int(errors[mask].sum()), inside.mean()
            variance = (inside * (1 - inside)).sum() * (1 - k / (n + 1))
            ratio = 0.0
            if 0 < p < 1:
                ratio = (binom.logpmf(o, k, o / k) - binom.logpmf(o, k, p)) * k * p * (1 - p) / variance
            r = float(np.sign(o - k * p) * np.sqrt(2 * max(ratio, 0)))
            if r > 1:
                x = min(o / k, 1 - 0.5 / k)
                u = max(1 - p * (1 - x) / (x * (1 - p)), 1e-300) * np.sqrt(k * x * (1 - x) * k * p * (1 - p) / variance)
                r += min(np.log(u / r), 0) / r
            evidence[at] = round(r, 9)
        if worse is None:
            worse = {at for at in evidence if evidence[at] > (1.96 if depth[at] != 1.5 else 0)}
            worse -= {at for at in worse if depth[at] == 1.5 and min(evidence[level] for level in singles[at]) <= 0}
            first = dict(evidence)
        pick, reached = None, 0.0
        for d in (1, 1.5, 2, 3):
            open_ = [at for at in worse if depth[at] == d and 3 * (masks[at] & covered).sum() <= masks[at].sum()]
            best = max(open_, key=lambda at: (evidence[at], masks[at].sum(), -at), default=None)
            if best is None or evidence[best] <= reached**0.5:
                continue
            if reached <= critical**2 or evidence[best] ** 2 > max(reached + critical**2, 1.25 * reached):
                pick, reached = best, evidence[best] ** 2
        if pick is None or evidence[pick] <= critical or first[pick] <= 1.96:
            return found, all_evidence
        found.append(tuple(np.flatnonzero(masks[pick])))
        all_evidence.append(evidence[pick])
        _, cell = np.unique(2 * cell + masks[pick], return_inverse=True)
        covered |= masks[pick]


@pytest.mark.parametrize("seed", [*range(12), 45, 49, 51, 56, 69, 75, 93, 147])
def test_the_fast_search_confirms_what_the_slow_one_does(seed):
    columns, errors = problem(seed)
    lattice = Lattice(columns, 12)
    masks = [np.isin(np.arange(len(errors)), lattice.rows(at)) for at in range(len(lattice))]
    sets = list(level_sets(columns, lattice))
    rows, evidence = slow(masks, lattice.depth, errors, sets)
    search = confirm(lattice, errors, suspicion=0)
    found = search.found
    assert search.n_examined == len(masks) + len(sets)
    assert [tuple(item.rows) for item in found] == rows
    assert [item.evidence for item in found] == pytest.approx(evidence)


def test_levels_that_are_worse_together_are_one_set():
    draw = np.random.default_rng(0)
    codes = draw.integers(0, 6, 4000)
    errors = (draw.random(4000) < np.where(np.isin(codes, (1, 4)), 0.25, 0.1)).astype(float)
    (found,) = confirm(Lattice([encode_levels(codes, 6, 40)], 40), errors).found
    assert (found.index, found.levels) == (-1, ((0, 1), (0, 4)))
    np.testing.assert_array_equal(found.rows, np.flatnonzero(np.isin(codes, (1, 4))))


def test_columns_in_another_order_give_the_same_slices():
    columns, errors = problem(2)
    there, back = (confirm(Lattice(given, 12), errors).found for given in (columns, columns[::-1]))
    assert [tuple(item.rows) for item in there] == [tuple(item.rows) for item in back]


@pytest.mark.parametrize("n", [30, 50, 200, 1000])
@pytest.mark.parametrize("rate", [0.02, 0.14, 0.4])
def test_the_tail_of_the_evidence_is_that_of_the_count(n, rate):
    """Rows drawn from 5,000 without replacement: P(as many errors or more) is not understated."""
    observed = np.arange(int(n * rate) + 1, n)
    exact = hypergeom.sf(observed - 1, 5000, int(5000 * rate), n)
    at = (exact < 1e-3) & (exact > 1e-9)
    found = tail_root(np.array(float(n)), observed[at].astype(float), rate, np.array(1 - n / 5001))
    ratio = norm.sf(found) / exact[at]
    assert 0.9 < ratio.min() < ratio.max() < 5


def test_evidence_is_the_signed_root_of_the_likelihood_ratio():
    """40 rows, 10 inside with 8 errors, 2 outside: r^2 = 2 [ 8 ln(.8/.25) + 2 ln(.2/.75) ] / (1 - 10/41)."""
    codes = np.array([0] * 10 + [1] * 30)
    errors = np.array([1.0] * 8 + [0.0] * 2 + [1.0] * 2 + [0.0] * 28)
    found = confirm(Lattice([encode_levels(codes, 2, 5)], 5), errors).found[0]

    def evidence(o):
        r = np.sqrt(2 * (xlogy(o, o / 2.5) + xlogy(10 - o, (10 - o) / 7.5)) / (1 - 10 / 41))
        x = min(o / 10, 0.95)
        u = (1 - 0.25 * (1 - x) / (x * 0.75)) * np.sqrt(10 * x * (1 - x) / (1 - 10 / 41))
        return r + np.log(u / r) / r

    assert found.evidence == pytest.approx(evidence(8))
    assert (found.observed, found.expected) == (8, pytest.approx(2.5))
    assert found.p_value == pytest.approx(norm.sf(found.evidence))
    assert found.needed == min(o for o in range(3, 11) if evidence(o) > found.bar)


def test_evidence_of_real_errors_is_the_self_normalised_sum_of_residuals():
    draw = np.random.default_rng(0)
    codes, weight = draw.integers(0, 4, 400), draw.random(400) + 0.5
    errors = draw.exponential(size=400) * np.where(codes == 1, 2.5, 1.0)
    found = confirm(Lattice([encode_levels(codes, 4, 5)], 20), errors, weight).found[0]
    inside, residual = codes == 1, weight * (errors - np.average(errors, weights=weight))
    wanted = residual[inside].sum() / np.sqrt((residual[inside] ** 2).sum() * (1 - inside.sum() / 401))
    assert inside.sum() < 200
    assert found.evidence == pytest.approx(wanted)
    assert found.observed == pytest.approx((weight * errors)[inside].sum())
    assert found.expected == pytest.approx(weight[inside].sum() * np.average(errors, weights=weight))
    assert found.needed is None


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("zero_one", [False, True])
def test_evidence_of_all_slices_is_that_of_each_whatever_is_explained(zero_one, weighted):
    draw = np.random.default_rng(0)
    columns, errors = problem(0)
    errors = errors if zero_one else errors + draw.exponential(size=300)
    cells = Cells(errors, draw.random(300) if weighted else None)
    lattice = Lattice(columns, 12)
    standing = Standing(lattice, cells)
    for index in (0, 200, 40):
        found = standing.evidence(-np.inf)
        for at in range(0, len(lattice), 97):
            assert found[at] == pytest.approx(cells.evidence(lattice.rows(at)), abs=1e-9)
        standing.explain(lattice.rows(index))


def test_no_slice_that_could_pass_is_left_without_its_logarithm():
    columns, errors = problem(5)
    standing = Standing(Lattice(columns, 12), Cells(errors, None))
    exact, quick = standing.evidence(-np.inf), standing.evidence(2.0)
    assert (exact > 2).any()
    np.testing.assert_array_equal(quick[exact >= 2], exact[exact >= 2])
    assert (quick[exact < 2] < 2).all()


def test_ties_fall_to_more_rows_then_to_the_earlier_slice():
    evidence, support = np.array([5.0, 6.0, 6.0, 6.0]), np.array([40.0, 10.0, 20.0, 20.0])
    assert search._top(evidence, support, np.arange(4)) == 2


def test_a_copy_of_a_column_has_nothing_left_to_explain():
    """The column and its copy tie: the earlier is reported, and nothing else."""
    draw = np.random.default_rng(0)
    codes = draw.integers(0, 4, 2000)
    errors = (draw.random(2000) < np.where(codes == 2, 0.5, 0.1)).astype(float)
    one = encode_levels(codes, 4, 30)
    found = confirm(Lattice([one, one], 30), errors).found
    assert [item.index for item in found] == [2]
    np.testing.assert_array_equal(found[0].rows, np.flatnonzero(codes == 2))


def test_what_cannot_be_confirmed_may_be_suspected():
    """Twelve slices of one effect, each too weak family-wise over all slices: several pass Benjamini and Hochberg."""
    draw = np.random.default_rng(3)
    columns = [encode_levels(draw.integers(0, 10, 8000), 10, 80) for _ in range(4)]
    inside = np.logical_or.reduce([column.fine.mask(at) for column in columns for at in range(2)])
    errors = (draw.random(8000) < np.where(inside, 0.13, 0.1)).astype(float)
    lattice = Lattice(columns, 80)
    found = confirm(lattice, errors)
    sure = [item for item in found.found if item.confirmed]
    rest = [item for item in found.found if not item.confirmed]
    assert all(item.evidence > found.critical == item.bar for item in sure)
    assert all(item.bar < item.evidence for item in rest)
    assert len(rest) <= search.MOST_SUSPECTED
    assert confirm(lattice, errors, suspicion=0).found == tuple(sure)


def test_discovery_is_the_rule_of_benjamini_and_hochberg():
    columns, errors = problem(3)
    lattice = Lattice(columns, 12)
    p = np.sort(norm.sf(Standing(lattice, Cells(errors, None)).evidence(-np.inf)))
    passed = np.flatnonzero(p <= 0.1 * np.arange(1, len(p) + 1) / len(p))
    peel = search._Peel(Standing(lattice, Cells(errors, None)), None, 4.0)
    assert norm.sf(peel.discovery(0.1, len(p))) == pytest.approx(0.1 * (passed[-1] + 1) / len(p))
    assert peel.discovery(0.0, len(p)) == np.inf


@pytest.mark.parametrize("errors", [np.zeros(200), np.ones(200)])
def test_equal_errors_everywhere_confirm_nothing(errors):
    found = confirm(Lattice([encode_levels(np.arange(200) % 2, 2, 30)], 30), errors)
    assert (found.found, found.n_examined) == ((), 2)


def test_no_slice_with_enough_rows():
    found = confirm(Lattice([encode_levels(np.arange(40) % 2, 2, 5)], 30), np.zeros(40))
    assert (found.found, found.n_examined) == ((), 0)


def test_a_few_large_errors_cannot_fake_evidence():
    """One error of 10,000 among 2,000 of about 1 is no slice."""
    draw = np.random.default_rng(0)
    errors = draw.exponential(size=2000)
    errors[0] = 10_000
    assert not confirm(Lattice([encode_levels(draw.integers(0, 9, 2000), 9, 30)], 30), errors).found


def test_nor_can_a_few_large_errors_among_the_rows_left_out():
    """Errors of 0 inside a slice of 97 % say nothing against one row of -10,000 outside."""
    draw = np.random.default_rng(0)
    errors = draw.normal(size=2000)
    codes = (np.arange(2000) < 60).astype(int)
    errors[0] = -10_000
    found = Cells(errors, None).evidence(np.flatnonzero(codes == 0))
    assert found < 2


def test_selected_shares_hold_given_that_the_slice_passed():
    """Shares around what was needed: 95 % intervals of the draws that passed hold the truth in 94 % or more."""
    draw = np.random.default_rng(0)
    for share in (0.15, 0.2, 0.3):
        passed = [o for o in draw.binomial(400, share, 20_000).tolist() if o >= 75][:600]
        found = np.array([selected_share(o, 400, 75) for o in passed])
        assert 0.94 <= np.mean((found[:, 1] <= share) & (share <= found[:, 2])) <= 0.99
        assert 0.42 <= np.mean(found[:, 0] <= share) <= 0.58


def test_selected_share_far_beyond_what_was_needed_is_clopper_and_pearsons():
    value, low, high = selected_share(120, 400, 45)
    wanted = binomtest(120, 400).proportion_ci(0.95, method="exact")
    assert (low, high) == (pytest.approx(wanted.low, abs=1e-6), pytest.approx(wanted.high, abs=1e-6))
    assert value == pytest.approx(0.3, abs=1e-3)


def test_selected_share_is_no_less_than_the_least():
    assert selected_share(45, 400, 45, least=0.1)[:2] == (pytest.approx(0.1), pytest.approx(0.1))
    assert selected_share(400, 400, 45)[2] == pytest.approx(1.0)


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
