"""The slice search: which rows, named by one to three predicates, are wrong more often than chance allows.

    binning.py       numbers -> the bins that they fall into
    encoding.py      columns -> bins and atoms (an atom is one predicate: a level, a range of bins, missing)
    lattice.py       every slice of atoms with enough rows, and sums over all of them from histograms
    triples.py       those of three predicates, on packed bits
    evidence.py      how far each slice is beyond what is expected, while slices are explained away
    sets.py          sets of levels of one column
    shuffles.py      permutations of the errors, as turns of time where they depend on it
    search.py        the multiple-testing rule and peeling: confirm the best, explain it away, look again
    top.py           the exact best slices of coded columns by a score, with bounds that prune (scores.py)
    bits.py          sets of rows as packed bits

Arrays in, arrays out: no labels, no words, no verdicts on what a slice means.
"""

from mlflow_errata.slicing.binning import places
from mlflow_errata.slicing.encoding import Atom, Cut, Encoded, encode_levels, encode_numbers, short_cut
from mlflow_errata.slicing.lattice import Lattice, support_needed
from mlflow_errata.slicing.search import Found, Search, confirm, selected_interval, selected_share
from mlflow_errata.slicing.shuffles import shuffles
from mlflow_errata.slicing.top import Top, top_slices

__all__ = [
    "Atom",
    "Cut",
    "Encoded",
    "Found",
    "Lattice",
    "Search",
    "Top",
    "confirm",
    "encode_levels",
    "encode_numbers",
    "places",
    "selected_interval",
    "selected_share",
    "short_cut",
    "shuffles",
    "support_needed",
    "top_slices",
]
