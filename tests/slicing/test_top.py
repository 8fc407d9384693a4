"""The exact best slices against brute force over every combination of levels."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy.stats import binom

from mlflow_errata.slicing import top_slices


def problem(seed):
    """Few rows or many columns, copies of columns, ties, missing levels; 0/1 or real errors, with weights or without."""
    draw = np.random.default_rng(seed)
    n, p = int(draw.integers(8, 70)), int(draw.integers(1, 6))
    if seed % 10 == 0:
        n, p = 9, 12  # more columns than rows
    codes = draw.integers(-1, draw.integers(2, 5), (n, p))
    if seed % 3 == 0 and p > 1:
        codes[:, -1] = codes[:, 0]
    errors = (draw.random(n) < 0.3).astype(float)
    if seed % 4 == 1:
        errors = draw.exponential(size=n)
    elif seed % 4 == 3:
        errors = draw.integers(0, 4, n).astype(float)
    weight = draw.integers(0, 3, n) + 0.5 * (seed % 8 < 2) if seed % 5 == 2 else None
    if weight is not None and not weight.any():
        weight = np.ones(n)
    kind = ("sliceline", "evidence", "excess")[seed % 3]
    return codes, errors, weight, kind, int(draw.integers(1, 21)), int(draw.integers(1, max(2, n // 6))), seed % 7 or 3


def slow_score(kind, inside, errors, weight, alpha=0.95):
    n = len(errors)
    w = np.ones(n) if weight is None else weight
    total, mass = (w * errors).sum(), w.sum()
    e, s = (w * errors)[inside].sum(), w[inside].sum()
    if kind == "sliceline":
        if s == 0 or total == 0:
            return -1.0
        return alpha * ((e / s) / (total / mass) - 1) - (1 - alpha) * (mass / s - 1)
    if kind == "excess":
        return 0.0 if s >= mass else e - s * (total - e) / (mass - s)
    k, mean = inside.sum(), total / mass
    drawn = 1 - k / (n + 1)
    if weight is None and np.isin(errors, (0, 1)).all():
        if mean in (0, 1) or e <= k * mean:
            return 0.0
        return np.sqrt(2 * (binom.logpmf(e, k, e / k) - binom.logpmf(e, k, mean)) / drawn)
    residual = w * (errors - mean)
    spread = k * (residual**2).mean() * drawn
    return residual[inside].sum() / np.sqrt(spread) if spread > 0 else 0.0


def slow(codes, errors, weight, kind, *, k, min_support, depth):
    found, p = [], codes.shape[1]
    for d in range(1, depth + 1):
        for columns in combinations(range(p), d):
            for levels in product(*[sorted(set(codes[:, c]) - {-1}) for c in columns]):
                inside = np.all([codes[:, c] == v for c, v in zip(columns, levels, strict=True)], axis=0)
                if inside.sum() < min_support:
                    continue
                score = slow_score(kind, inside, errors, weight)
                if score > 1e-9:
                    items = tuple((c, int(v)) for c, v in zip(columns, levels, strict=True))
                    found.append((-round(score, 9), -int(inside.sum()), d, items))
    return sorted(found)[:k]


@pytest.mark.parametrize("block", range(10))
def test_the_best_slices_are_those_of_brute_force(block):
    """600 problems in all."""
    for seed in range(60 * block, 60 * block + 60):
        codes, errors, weight, kind, k, min_support, depth = problem(seed)
        depth = min(depth, 3)
        wanted = slow(codes, errors, weight, kind, k=k, min_support=min_support, depth=depth)
        found = top_slices(codes, errors, weight, k=k, min_support=min_support, depth=depth, score=kind)
        said = [(-round(item.score, 9), -item.support, len(item.items), item.items) for item in found]
        assert [item[1:] for item in said] == [item[1:] for item in wanted], seed
        np.testing.assert_allclose([item[0] for item in said], [item[0] for item in wanted], rtol=1e-7, atol=1e-8)
        sums = errors if weight is None else weight * errors
        for item in found:
            inside = np.all([codes[:, c] == v for c, v in item.items], axis=0)
            assert item.errors == pytest.approx(sums[inside].sum())


def test_no_errors_no_columns_no_rows_enough():
    codes = np.arange(40)[:, None] % 4
    assert top_slices(codes, np.zeros(40), min_support=5) == ()
    assert top_slices(codes[:, :0], np.ones(40), min_support=5) == ()
    assert top_slices(codes, (codes[:, 0] == 1).astype(float), min_support=11) == ()
