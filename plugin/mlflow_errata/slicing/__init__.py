"""The slice search: which rows, named by one or two predicates, are wrong more often than chance allows.

    encoding.py      columns -> bins and atoms (an atom is one predicate: a level, a range of bins, missing)
    lattice.py       counts of every atom and every pair of atoms, from one histogram per pair of columns
    search.py        evidence, the multiple-testing rule, and peeling: confirm the best, explain it away, look again
    top.py           the exact best slices of coded columns by a score, with bounds that prune

Arrays in, arrays out: no labels, no words, no verdicts on what a slice means.
"""

from mlflow_errata.slicing.encoding import Atom, Encoded, encode_levels, encode_numbers
from mlflow_errata.slicing.lattice import Lattice
from mlflow_errata.slicing.search import Confirmed, Search, confirm, selected_interval
from mlflow_errata.slicing.top import Top, top_slices

__all__ = [
    "Atom",
    "Confirmed",
    "Encoded",
    "Lattice",
    "Search",
    "Top",
    "confirm",
    "encode_levels",
    "encode_numbers",
    "selected_interval",
    "top_slices",
]
