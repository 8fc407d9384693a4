"""Columns of a table as the slice search reads them, and its lattice, kept for the next run on the same data."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata.columns import vectors, without_categories
from mlflow_errata.diagnoses._clusters import Clusters, clusters_of
from mlflow_errata.diagnoses._encoding import Levels, Numbers, column_of, read_column
from mlflow_errata.predicates import PARTS, Equals, IsIn, IsMissing, NotIn, Predicate, Within, part_name
from mlflow_errata.slicing import Cut, Encoded, Lattice, encode_levels, encode_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlflow_errata.slicing import Atom, Found
    from mlflow_errata.table import EvaluationTable

MOST_EXACT = 2**53
"""Whole numbers below this are exact as floats."""
ID_LIKE = 0.5
"""Text with more distinct values than this share of the rows names rows rather than groups them."""
RESTATED = 0.9
"""Share of the rows beyond the commonest label whose label a column tells."""
MOST_KEPT = 4
"""Lattices kept in memory."""
MOST_ROWS_KEPT = 2_000_000
"""Rows of a table whose lattice is kept."""


@dataclass(frozen=True)
class SlicedColumn:
    """A column for the search, with what its atoms mean in the user's own values.

    Parameters
    ----------
    name : str, as predicates name it
    encoded : Encoded
    levels : tuple of values, for text, categories and booleans
    is_date, is_whole : bool, for numbers
    clusters : Clusters, for vectors
    """

    name: str
    encoded: Encoded
    levels: tuple[Any, ...] = ()
    is_date: bool = False
    is_whole: bool = False
    clusters: Clusters | None = None

    def predicate(self, atom: Atom) -> Predicate:
        """An atom in the user's own values."""
        if atom.kind == "missing":
            return IsMissing(self.name)
        if atom.kind == "level":
            return self.among((atom.level,))
        if atom.kind == "rare" and self.clusters is not None:
            return self.among(tuple(range(atom.level, self.clusters.n)))
        if atom.kind == "rare":
            return NotIn(self.name, self.levels[: atom.level])
        if self._is_single(atom.low, atom.high):
            return Equals(self.name, int(atom.low or 0))
        return Within(self.name, self._bound(atom.low), self._bound(atom.high))

    def among(self, levels: tuple[int, ...]) -> Predicate:
        """Some of the levels, in the user's own values, or some of the clusters."""
        if self.clusters is not None:
            return self.clusters.predicate(self.name, levels)
        if len(levels) == 1:
            return Equals(self.name, self.levels[levels[0]])
        return IsIn(self.name, tuple(self.levels[level] for level in levels))

    def _is_single(self, low: float | None, high: float | None) -> bool:
        if not self.is_whole or self.is_date or low is None or high is None:
            return False
        return high == low + 1 and abs(low) < MOST_EXACT

    def _bound(self, cut: float | None) -> float | str | None:
        if cut is None:
            return None
        if self.is_date:
            return str(np.datetime64(int(cut), "us").astype("datetime64[s]"))
        return int(cut) if self.is_whole else cut


@dataclass(frozen=True)
class Sliced:
    """Everything of a search that does not depend on errors.

    Parameters
    ----------
    columns : tuple of SlicedColumn
    skipped : columns that cannot be sliced on, as (column, reason)
    restating : names of columns that tell the label
    lattice : Lattice over the columns
    """

    columns: tuple[SlicedColumn, ...]
    skipped: tuple[tuple[str, str], ...]
    restating: tuple[str, ...]
    lattice: Lattice

    @property
    def beside_label(self) -> NDArray[np.intp]:
        """Positions of the slices that name a column which tells the label."""
        at = [i for i, column in enumerate(self.columns) if column.name in self.restating]
        return self.lattice.naming(at)

    @cached_property
    def alone(self) -> Lattice:
        """The slices of one predicate, but none of the columns that tell the label."""
        one = np.flatnonzero(self.lattice.depth == 1)
        return self.lattice.only(np.setdiff1d(one, self.beside_label, assume_unique=True))

    def predicate_alone(self, index: int) -> Predicate:
        """The predicate of one of the slices `alone`."""
        at, atom = self.alone.predicates(index)[0]
        return self.columns[at].predicate(atom)

    def predicates(self, found: Found) -> tuple[Predicate, ...]:
        """The predicates of a slice of the lattice, or of a set of levels."""
        if found.levels:
            column = self.columns[found.levels[0][0]]
            return (column.among(tuple(level for _, level in found.levels)),)
        return tuple(self.columns[at].predicate(atom) for at, atom in self.lattice.predicates(found.index))


_kept: OrderedDict[tuple[str, tuple[str, ...], tuple[str, ...], int], Sliced] = OrderedDict()


def slices_of(table: EvaluationTable, min_support: int) -> Sliced:
    """The slices of a table; runs on the same data (the same digest) share them.

    Parameters
    ----------
    table : EvaluationTable
    min_support : int, rows that a slice needs
    """
    key = (table.digest, table.slice_columns, table.features, min_support)
    found = _kept.pop(key, None) or _sliced(table, min_support)
    if len(table) <= MOST_ROWS_KEPT:
        _kept[key] = found
    while len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)
    return found


def _sliced(table: EvaluationTable, min_support: int) -> Sliced:
    columns: list[SlicedColumn] = []
    skipped: list[tuple[str, str]] = []
    for name in sorted(table.slice_columns):
        for column in _columns(table, name, min_support):
            if isinstance(column, SlicedColumn):
                columns.append(column)
            else:
                skipped.append((name, column))
    restating = tuple(column.name for column in columns if _restates(column, table))
    columns = [_missing(column) if column.name in restating else column for column in columns]
    columns = [column for column in columns if column.encoded.fine.atoms]
    lattice = Lattice([column.encoded for column in columns], min_support)
    return Sliced(tuple(columns), tuple(skipped), restating, lattice)


def _restates(column: SlicedColumn, table: EvaluationTable) -> bool:
    """Whether a column that the model does not see tells the label, but for a few rows: the label was made from it.

    Its ranges and levels are then no slices but the label, whose errors are those of a class. Of several classes each
    is worth a name, so columns that tell them stay.
    """
    outcomes = table.outcomes
    if column.name in table.features or outcomes.task != "binary":
        return False
    cut = column.encoded.fine
    shape = (cut.n_bins, len(outcomes.classes))
    counts = np.bincount(cut.bins.astype(np.intp) * shape[1] + outcomes.y, minlength=shape[0] * shape[1]).reshape(shape)
    told, commonest = counts.max(axis=1).sum(), counts.sum(axis=0).max()
    return bool(told - commonest >= RESTATED * (len(table) - commonest) and commonest < len(table))


def _missing(column: SlicedColumn) -> SlicedColumn:
    """A column of which only the missing values are a slice."""
    encoded = column.encoded
    kept = [at for at, atom in enumerate(encoded.fine.atoms) if atom.kind == "missing"]
    cut = Cut(encoded.fine.bins, tuple(encoded.fine.atoms[at] for at in kept), encoded.fine.member[kept])
    return replace(column, encoded=Encoded(cut, cut, cut))


def _columns(table: EvaluationTable, name: str, min_support: int) -> Iterator[SlicedColumn | str]:
    """A column, and the parts of its dates; or why it cannot be sliced on."""
    values = without_categories(table.frame[name])
    embedding = vectors(values)
    if embedding is not None:
        yield _clustered(name, embedding, min_support)
        return
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        yield sliced_column(name, column_of(table, name), min_support)
        return
    stamps = pd.to_datetime(values, utc=True).dt.tz_localize(None)
    whole_seconds = stamps.dt.floor("s").astype("datetime64[us]")  # x < cut holds as before, as cuts are whole
    numbers = whole_seconds.astype("int64").to_numpy(dtype=np.float64)
    known = Numbers(np.where(stamps.isna(), np.nan, numbers), whole=True)
    yield sliced_column(name, known, min_support, is_date=True)
    for part, derive in PARTS.items():
        derived = sliced_column(part_name(part, name), read_column(derive(values)), min_support)
        if isinstance(derived, SlicedColumn):
            yield derived


def _clustered(name: str, embedding: NDArray[np.float32], min_support: int) -> SlicedColumn | str:
    """The clusters of an embedding as levels."""
    found = clusters_of(embedding)
    encoded = None if found is None else encode_levels(found.codes, found.n, min_support)
    return "has no clusters" if encoded is None else SlicedColumn(name, encoded, clusters=found)


def sliced_column(
    name: str, column: Numbers | Levels | None, min_support: int, *, is_date: bool = False
) -> SlicedColumn | str:
    """A column for the search, or why it cannot be sliced on."""
    if column is None:
        return "holds values that cannot be compared"
    if isinstance(column, Numbers):
        if np.isinf(column.numbers).any():
            return "holds infinite values"
        encoded = encode_numbers(column.numbers, whole=column.whole)
        return "is constant" if encoded is None else SlicedColumn(name, encoded, (), is_date, column.whole)
    if len(column.levels) > ID_LIKE * len(column.codes):
        return f"is id-like: {len(column.levels)} values in {len(column.codes)} rows"
    encoded = encode_levels(column.codes, len(column.levels), min_support)
    if encoded is None:
        return "is constant" if len(column.levels) < 2 else f"has no level of {min_support} rows"  # noqa: PLR2004
    return SlicedColumn(name, encoded, column.levels)
