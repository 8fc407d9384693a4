"""Reliability: against plain arithmetic, scikit-learn and statsmodels, and the promise of no bias on draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2, norm
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss

from mlflow_errata.stats.intervals import jackknife
from mlflow_errata.stats.reliability import (
    Sums,
    agreement_p_value,
    brier_parts,
    calibration_error,
    deleted_groups,
    isotonic,
    mean_residual,
    means,
    plain_calibration_error,
    sums_of,
)


def drawn(n=2000, seed=0, true=lambda p: p, bins=10):
    draw = np.random.default_rng(seed)
    said = draw.random(n)
    happened = (draw.random(n) < true(said)).astype(float)
    return said, happened, np.minimum((said * bins).astype(int), bins - 1)


def sums(said, happened, bins, weight=None, groups=None):
    groups = np.arange(len(said)) % 20 if groups is None else groups
    return sums_of(happened - said, said * (1 - said), weight, bins, groups)


def test_means_per_bin_against_scikit_learn():
    said, happened, bins = drawn()
    share, mean, variance = means(sums(said, happened, bins).total())
    rate, forecast = calibration_curve(happened, said, n_bins=10)
    assert mean == pytest.approx(rate - forecast, abs=1e-12)
    assert share == pytest.approx(np.bincount(bins) / len(bins))
    inside = bins == 3
    seen = np.var((happened - said)[inside], ddof=1) / inside.sum()
    model = (said * (1 - said))[inside].sum() / inside.sum() ** 2
    assert variance[3] == pytest.approx(max(seen, model), rel=1e-9)
    assert plain_calibration_error(sums(said, happened, bins).total()) == pytest.approx(
        float((share * np.abs(rate - forecast)).sum())
    )


def test_weights_of_two_and_rows_twice_give_the_same_means():
    said, happened, bins = drawn(300)
    heavy = means(sums(said, happened, bins, np.full(300, 2.0)).total())
    twice = means(sums(*(np.r_[part, part] for part in (said, happened, bins))).total())
    assert heavy[0] == pytest.approx(twice[0])
    assert heavy[1] == pytest.approx(twice[1])


def test_no_error_on_average_where_there_is_none_and_all_of_it_where_there_is():
    quiet = [sums(*drawn(1000, seed)).total() for seed in range(200)]
    plain = np.mean([plain_calibration_error(part) for part in quiet])
    corrected = np.mean([float(calibration_error(part)) for part in quiet])
    assert plain > 0.03
    assert abs(corrected) < plain / 15
    loud = [float(calibration_error(sums(*drawn(1000, seed, lambda p: p**2)).total())) for seed in range(100)]
    assert np.mean(loud) == pytest.approx(1 / 6, abs=0.005)


def test_deleted_groups_is_the_jackknife_from_rows():
    said, happened, bins = drawn()
    groups = np.arange(len(said)) % 20

    def gap(rows):
        return float((happened - said)[rows].mean())

    assert deleted_groups(mean_residual, sums(said, happened, bins, groups=groups)) == pytest.approx(
        jackknife(gap, groups), abs=1e-12
    )


def test_the_interval_holds_the_error():
    truth = 1 / 6
    held = 0
    for seed in range(100):
        _, low, high = deleted_groups(calibration_error, sums(*drawn(2000, seed, lambda p: p**2)))
        held += low <= truth <= high
    assert held >= 90


def test_agreement_by_hand_and_level():
    said, happened, bins = drawn()
    total = sums(said, happened, bins).total()
    inside = [(happened - said)[bins == at] for at in range(10)]
    spread = [
        max((said * (1 - said))[bins == at].sum(), (part**2).sum()) for at, part in zip(range(10), inside, strict=True)
    ]
    binned = chi2.sf(sum(part.sum() ** 2 / v for part, v in zip(inside, spread, strict=True)), 10)
    every = happened - said
    shifted = chi2.sf(every.sum() ** 2 / max((said * (1 - said)).sum(), (every**2).sum()), 1)
    assert agreement_p_value(total) == pytest.approx(2 * min(binned, shifted), abs=1e-12)
    rejected = sum(agreement_p_value(sums(*drawn(500, seed)).total()) < 0.05 for seed in range(300))
    assert rejected <= 0.08 * 300


def test_brier_parts_add_up_to_the_score_and_keep_their_bias_out():
    draw = np.random.default_rng(0)
    bins = draw.integers(0, 5, 400)
    said = np.array([0.1, 0.3, 0.5, 0.7, 0.9])[bins]
    happened = (draw.random(400) < said).astype(float)
    share, mean, _ = means(sums(said, happened, bins).total())
    rate = np.array([happened[bins == at].mean() for at in range(5)])
    reliability, resolution, uncertainty = brier_parts(rate, share, share * 400, mean)
    assert reliability - resolution + uncertainty == pytest.approx(brier_score_loss(happened, said), abs=1e-12)
    found = []
    for _ in range(300):
        happened = (draw.random(400) < said).astype(float)
        rate = np.array([happened[bins == at].mean() for at in range(5)])
        found.append(brier_parts(rate, share, share * 400, rate - np.array([0.1, 0.3, 0.5, 0.7, 0.9])))
    assert np.mean([part[0] for part in found]) == pytest.approx(0, abs=3e-4)


@pytest.mark.parametrize("weighted", [False, True])
def test_isotonic_against_scikit_learn(weighted):
    draw = np.random.default_rng(0)
    said = draw.random(300).round(2)
    happened = (draw.random(300) < said**2).astype(float)
    weight = draw.random(300) + 0.1 if weighted else None
    wanted = IsotonicRegression().fit(said, happened, sample_weight=weight).predict(np.unique(said))
    values, course = isotonic(said, happened, weight)
    assert values == pytest.approx(np.unique(said))
    assert course == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(("gap", "error"), [(0.0, 0.02), (0.03, 0.02), (-0.05, 0.01), (0.2, 0.05)])
def test_the_corrected_error_is_what_two_halves_give_on_average(gap, error):
    """One bin: the sign of one half's mean times the other half's, over all splits, by numerical integration."""
    n, r = 400, gap
    spread = error**2 * n**2  # sum of squared residuals around the mean, times n / (n - 1)
    square = spread * (n - 1) / n + n * r**2
    one = np.array([float(n)]), np.array([n * r]), np.array([square])
    sums_of_bin = Sums(n=one[0], w=one[0], wr=one[1], ww=one[0], wwr=one[1], wwrr=one[2], wwv=np.zeros(1))
    wanted = sum(
        quad(lambda e, sign=sign: sign * (r - error * e) * norm.pdf(e), *ends, epsabs=1e-12)[0]
        for sign, ends in ((-1, (-12, -r / error)), (1, (-r / error, 12)))
    )
    assert float(calibration_error(sums_of_bin)) == pytest.approx(wanted, abs=1e-9)
