"""Tables of several cuts: every block is served once, and with what a count of its own would give."""

from __future__ import annotations

import numpy as np
import pytest

from mlflow_errata.slicing.encoding import Atom, Cut
from mlflow_errata.slicing.tables import MOST_CELLS, counted, tables_of


def cuts(seed, n=500, sizes=(9, 9, 12, 33, 4, 2, 9, 300)):
    draw = np.random.default_rng(seed)
    return [Cut(draw.integers(0, k, n).astype(np.int16), (Atom("range"),), np.ones((1, k))) for k in sizes]


def blocks(of, share, draw):
    pairs = [(one, two) for at, one in enumerate(of) for two in of[at + 1 :]]
    return [block for block in [*((one,) for one in of), *pairs] if draw.random() < share]


def named(wanted):
    """Blocks with the column of each cut."""
    of = list({id(cut): None for block in wanted for cut in block})
    return [tuple((of.index(id(cut)), cut) for cut in block) for block in wanted]


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("n_parts", [1, 3])
@pytest.mark.parametrize("weighed", [False, True])
def test_cells_are_those_of_a_count_by_itself(share, n_parts, weighed):
    draw = np.random.default_rng(int(10 * share))
    wanted = blocks(cuts(0), share, draw)
    rows = np.sort(draw.choice(500, 300, replace=False))
    weight = draw.random(300) if weighed else None
    part = draw.integers(0, n_parts, 300).astype(np.int32) if n_parts > 1 else None
    seen = []
    for at, cells in counted(tables_of(named(wanted)), rows, weight, part, n_parts):
        seen.append(at)
        own = [cut.bins[rows] for cut in wanted[at]]
        edges = [np.arange(n_parts + 1), *(np.arange(cut.n_bins + 1) for cut in wanted[at])]
        sample = np.column_stack([np.zeros(300) if part is None else part, *own])
        np.testing.assert_allclose(cells, np.histogramdd(sample, edges, weights=weight)[0], atol=1e-12)
    assert sorted(seen) == list(range(len(wanted)))


def test_tables_are_few_and_stay_small():
    of = cuts(1, sizes=(9,) * 20)
    wanted = blocks(of, 1.0, np.random.default_rng(0))
    tables = tables_of(named(wanted))
    assert len(tables) <= 60  # of 210 blocks; 35 quadruples would be the least
    assert all(np.prod([cut.n_bins for cut in table.cuts]) <= MOST_CELLS for table in tables)
    wide = cuts(2, sizes=(300, 300))
    assert [len(table.cuts) for table in tables_of(named([(wide[0], wide[1]), (wide[0],)]))] == [2]
    assert tables_of([]) == []


def test_a_pair_in_the_other_order_is_turned():
    one, two, three = cuts(3, sizes=(3, 4, 5))
    found = dict(counted(tables_of(named([(one, two), (two, three), (three, one)]))))
    assert {at: cells.shape for at, cells in found.items()} == {0: (1, 3, 4), 1: (1, 4, 5), 2: (1, 5, 3)}
    expected = np.zeros((5, 3))
    np.add.at(expected, (three.bins, one.bins), 1)
    np.testing.assert_array_equal(found[2][0], expected)


def test_a_column_that_stands_twice_is_two_columns():
    (cut,) = cuts(4, sizes=(5,))
    (cells,) = [cells for _, cells in counted(tables_of([((0, cut), (1, cut))]))]
    np.testing.assert_array_equal(cells[0], np.diag(np.bincount(cut.bins, minlength=5)))


def test_fewer_blocks_need_fewer_cuts():
    of = cuts(5, sizes=(4, 5, 6))
    (table,) = tables_of(named(blocks(of, 1.0, np.random.default_rng(0))))
    assert len(table.cuts) == 3
    narrow = table.narrowed({2: 0})  # the third block: the third column alone
    assert narrow.cuts == (of[2],)
    np.testing.assert_array_equal(dict(counted([narrow]))[0][0], np.bincount(of[2].bins, minlength=6))
    assert table.narrowed({}) is None
