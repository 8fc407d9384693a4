"""Bins are those of numpy's search, whatever the edges."""

from __future__ import annotations

import numpy as np
import pytest

from mlflow_errata.slicing.binning import FEWEST, places

DRAW = np.random.default_rng(0)
NORMAL = DRAW.normal(size=3 * FEWEST)
WIDE = np.exp(5 * NORMAL)
EDGES = {
    "quantiles": np.sort(NORMAL[:31]),
    "one": np.array([0.25]),
    "two": np.array([-0.5, 0.5]),
    "none": np.empty(0),
    "crowded": np.sort(np.append(NORMAL[:40] * 1e-9, [1.0])),
    "a few in one cell": np.array([-1.0, 0.0, 1e-9, 2e-9, 1.0]),
    "neighbours": np.array([1.0, np.nextafter(1.0, 2.0)]),
    "huge": np.array([-1.7e308, 0.0, 1.7e308]),
    "tiny": np.array([0.0, 5e-324, 1e-323]),
}


@pytest.mark.parametrize("edges", EDGES.values(), ids=EDGES.keys())
@pytest.mark.parametrize("n", [0, 1, FEWEST - 1, FEWEST, 3 * FEWEST])
def test_places_are_those_of_a_search(edges: np.ndarray, n: int):
    values = NORMAL[:n].copy()
    values[: len(edges)] = edges[:n]
    values[-4:] = [-np.inf, np.inf, 0.0, -0.0][: len(values[-4:])]
    np.testing.assert_array_equal(places(edges, values), np.searchsorted(edges, values, side="right"))


def test_values_next_to_an_edge():
    edges = np.quantile(WIDE, np.arange(1, 32) / 32)
    values = np.concatenate([WIDE, edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)])
    np.testing.assert_array_equal(places(edges, values), np.searchsorted(edges, values, side="right"))


def test_a_missing_value_harms_no_other():
    values = NORMAL.copy()
    values[::3] = np.nan
    edges = EDGES["quantiles"]
    known = ~np.isnan(values)
    found = places(edges, values)
    np.testing.assert_array_equal(found[known], np.searchsorted(edges, values[known], side="right"))
    assert found.min() >= 0
    assert found.max() <= len(edges)
