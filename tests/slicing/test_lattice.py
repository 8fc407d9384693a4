"""Sums over slices against brute force."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy.stats import norm

from mlflow_errata.slicing import Lattice, confirm, encode_levels, encode_numbers, triples


def column(draw, n):
    """A random column: levels or numbers, with ties and missing values."""
    if draw.random() < 0.5:
        return encode_levels(draw.integers(-1, draw.integers(2, 5), n), 5, 1)
    values = draw.integers(0, draw.integers(3, 90), n).astype(float)
    values[draw.random(n) < 0.1] = np.nan
    return encode_numbers(values, whole=True)


def masks(cut):
    """Rows of every atom, by atom."""
    return {atom: cut.mask(at) for at, atom in enumerate(cut.atoms)}


def brute(columns, least, deepest=3):
    """Rows of every slice with enough rows inside and outside, by its predicates."""
    found, n = {}, len(columns[0].fine.bins)
    for depth in range(1, deepest + 1):
        for chosen in combinations(range(len(columns)), depth):
            numbers = all(columns[at].is_number for at in chosen)
            grain = {1: "fine", 2: "coarse" if numbers else "fine", 3: "rough"}[depth]
            for atoms in product(*[masks(getattr(columns[at], grain)).items() for at in chosen]):
                inside = np.logical_and.reduce([mask for _, mask in atoms])
                if least <= inside.sum() <= n - least:
                    found[tuple((at, atom) for at, (atom, _) in zip(chosen, atoms, strict=True))] = inside
    return found


@pytest.mark.parametrize("seed", range(100))
def test_sums_and_rows_of_every_slice_are_those_of_brute_force(seed):
    draw = np.random.default_rng(seed)
    n, least = int(draw.integers(5, 150)), int(draw.integers(1, 5))
    columns = [item for item in (column(draw, n) for _ in range(draw.integers(1, 4))) if item is not None]
    if seed % 5 == 0 and columns:
        columns.append(columns[0])  # a duplicated column
    if not columns:
        return
    lattice, weight = Lattice(columns, least), draw.random(n)
    wanted = brute(columns, least)
    at = {lattice.predicates(index): index for index in range(len(lattice))}
    assert set(at) == set(wanted)
    inside = np.array([wanted[lattice.predicates(index)] for index in range(len(lattice))]).reshape(-1, n)
    np.testing.assert_array_equal(lattice.support, inside.sum(axis=1))
    np.testing.assert_array_equal(lattice.sums(), inside.sum(axis=1))
    np.testing.assert_allclose(lattice.sums(None, weight), inside @ weight)
    some = np.flatnonzero(draw.random(n) < 0.5)
    np.testing.assert_array_equal(lattice.sums(some), inside[:, some].sum(axis=1))
    np.testing.assert_allclose(lattice.sums(some, weight[some]), inside[:, some] @ weight[some])
    chosen = np.flatnonzero(draw.random(len(lattice)) < 0.3)
    part = lattice.only(chosen)
    np.testing.assert_allclose(part.sums(some, weight[some]), inside[chosen][:, some] @ weight[some])
    np.testing.assert_array_equal(part.sums(some), inside[chosen][:, some].sum(axis=1))
    np.testing.assert_array_equal(part.depth, lattice.depth[chosen])
    for index in draw.integers(0, len(lattice), 5) if len(lattice) else ():
        np.testing.assert_array_equal(lattice.rows(int(index)), np.flatnonzero(inside[index]))
    for place in range(0, len(chosen), 7):
        assert part.predicates(place) == lattice.predicates(int(chosen[place]))


def test_the_number_examined_is_exact():
    draw = np.random.default_rng(0)
    columns = [column(draw, 300) for _ in range(3)]
    found = confirm(Lattice(columns, 30), (draw.random(300) < 0.2).astype(float))
    levels = [sum(atom.kind == "level" for atom in item.fine.atoms) for item in columns if not item.is_number]
    sets = sum(2**k - k - 2 for k in levels if k >= 3)
    assert found.n_examined == len(brute(columns, 30)) + sets
    assert found.critical == pytest.approx(norm.isf(0.05 / found.n_examined))


def wide(n=20_000, n_columns=6):
    draw = np.random.default_rng(0)
    return [encode_levels(draw.integers(0, 2, n), 2, 200) for _ in range(n_columns)]


def test_too_many_slices_of_three_are_looked_for_in_fewer_rows(monkeypatch):
    monkeypatch.setattr(triples, "MOST_WORK", 240 * 5_000)
    lattice = Lattice(wide(), 200)
    assert triples.FEWEST_ROWS <= lattice.n_drawn < 6_000
    at = int(np.flatnonzero(lattice.depth == 3)[0])
    rows = lattice.rows(at)
    assert lattice.support[at] == (rows < lattice.n_drawn).sum() < len(rows)
    assert lattice.sums()[at] == lattice.support[at]


def test_far_too_many_are_not_examined(monkeypatch):
    monkeypatch.setattr(triples, "MOST_WORK", 1000)
    lattice = Lattice(wide(), 200)
    assert lattice.n_drawn == 0
    assert lattice.depth.max() == 2


def test_a_slice_found_in_a_draw_is_confirmed_on_all_rows(monkeypatch):
    monkeypatch.setattr(triples, "MOST_WORK", 240 * 5_000)
    columns = wide()
    inside = np.logical_and.reduce([columns[at].fine.mask(1) for at in (0, 2, 5)])
    errors = (np.random.default_rng(1).random(20_000) < np.where(inside, 0.25, 0.1)).astype(float)
    found = confirm(Lattice(columns, 200), errors).found
    assert [tuple(item.rows) for item in found] == [tuple(np.flatnonzero(inside))]
    assert found[0].observed == errors[inside].sum()
