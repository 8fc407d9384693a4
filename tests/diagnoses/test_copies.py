"""Copies against pandas and against every pair of rows."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from mlflow_errata.diagnoses._copies import alike, expected_coincidences, n_contradicted, n_known


def rows(seed, n=400):
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": draw.integers(0, 6, n),
            "b": draw.choice(list("uvw"), n),
            "c": pd.Series(draw.integers(0, 4, n)).where(draw.random(n) > 0.1),
        }
    )


@pytest.mark.parametrize("seed", range(5))
def test_alike_rows_are_those_that_pandas_calls_duplicated(seed):
    frame = rows(seed, 60)
    found, key = alike(frame, ["a", "b", "c"])
    np.testing.assert_array_equal(found, np.flatnonzero(frame.duplicated(keep=False)))
    for one, two in combinations(range(len(found)), 2):
        same = frame.iloc[found[one]].equals(frame.iloc[found[two]])
        assert (key[one] == key[two]) == same


@pytest.mark.parametrize("seed", range(5))
def test_contradicted_rows_by_group(seed):
    frame = rows(seed, 200)
    y = np.random.default_rng(seed).integers(0, 2, 200)
    found, key = alike(frame, ["a", "b", "c"])
    labels = frame.assign(y=y).groupby(["a", "b", "c"], dropna=False)["y"].transform("nunique")
    assert n_contradicted(key, y[found]) == int((labels > 1).sum())


@pytest.mark.parametrize("seed", range(5))
def test_known_rows_by_merge(seed):
    here, there = rows(seed, 150), rows(seed + 100, 80)
    y, other = (np.random.default_rng(seed + at).integers(0, 2, n) for at, n in ((7, 150), (8, 80)))
    names = ["a", "b", "c"]
    seen = {tuple(map(str, row)) for row in there.assign(y=other).itertuples(index=False)}
    wanted = sum(tuple(map(str, row)) in seen for row in here.assign(y=y).itertuples(index=False))
    assert n_known(here, pd.Series(y), there, pd.Series(other), names) == wanted


def test_expected_coincidences_are_the_product_of_the_shares_of_alike_pairs():
    frame = rows(0, 50)
    pairs = list(combinations(range(50), 2))
    chance = 1.0
    for name in ("a", "b", "c"):
        values = frame[name].map(str).to_numpy()
        chance *= sum(values[i] == values[j] for i, j in pairs) / len(pairs)
    assert expected_coincidences(frame, ["a", "b", "c"], 1000.0) == pytest.approx(1000 * chance, abs=1e-9)
