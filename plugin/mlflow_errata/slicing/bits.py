"""Sets of rows as packed bits: 64 rows a word, counted a word at a time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

WORD = 64
"""Rows in a word."""
WORDS_AT_ONCE = 2**16
"""Words of a temporary: 512 kB, so that it stays in the cache."""


def pack(masks: NDArray[np.bool_] | NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Rows of booleans as rows of words; the last word is filled up with zeros.

    Parameters
    ----------
    masks : bool array of shape (..., n), or bytes that are true unless 0

    Returns
    -------
    uint64 array of shape (..., ceil(n / 64))
    """
    shape, n = masks.shape[:-1], masks.shape[-1]
    missing = -n % WORD
    if missing:
        masks = np.concatenate([masks, np.zeros((*shape, missing), dtype=masks.dtype)], axis=-1)
    return np.packbits(masks.ravel()).view(np.uint64).reshape(*shape, (n + missing) // WORD)


def unpack(words: NDArray[np.uint64], n: int) -> NDArray[np.intp]:
    """Positions of the rows in a set; `words` of shape (ceil(n / 64),)."""
    return np.flatnonzero(np.unpackbits(words.view(np.uint8), count=n))


def counts(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Rows in every set; from shape (..., n_words) to shape (...)."""
    return np.asarray(np.bitwise_count(words).sum(axis=-1, dtype=np.uint32), dtype=np.int64)


def overlaps(bits: NDArray[np.uint64], one: NDArray[np.intp], two: NDArray[np.intp]) -> NDArray[np.int64]:
    """Rows shared by pairs of sets.

    Parameters
    ----------
    bits : uint64 array of shape (n_sets, n_words)
    one, two : int arrays of shape (n_pairs,), positions of sets; fastest where `one` is sorted

    Returns
    -------
    int array of shape (n_pairs,)
    """
    found = np.empty(len(one), dtype=np.int64)
    for start, stop in runs(one):
        found[start:stop] = shared(bits, bits[one[start]], two[start:stop])
    return found


def shared(bits: NDArray[np.uint64], words: NDArray[np.uint64], sets: NDArray[np.intp]) -> NDArray[np.int64]:
    """Rows that one set shares with each of some others; `words` of shape (n_words,)."""
    step = max(1, WORDS_AT_ONCE // max(1, bits.shape[1]))
    parts = [counts(bits[sets[at : at + step]] & words) for at in range(0, len(sets), step)]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def runs(values: NDArray[Any]) -> Iterator[tuple[int, int]]:
    """Starts and stops of runs of equal values."""
    cuts = np.flatnonzero(np.diff(values)) + 1
    edges = [0, *cuts.tolist(), len(values)] if len(values) else []
    return pairwise(edges)
