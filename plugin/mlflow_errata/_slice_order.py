"""Slices in another order, from the numbers that they carry: no search is run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata.diagnoses.slice_errors import Slice

ASPECTS = ("unexplained", "excess", "effect", "support", "value")
"""What a slice can be ranked by: errors that the slices before it leave to be explained, as a record ranks them; excess
errors at the lower end of their interval; mean error inside - outside; rows; and business value lost at the lower end
of its interval."""
DEFAULT: Mapping[str, float] = {"unexplained": 1.0}


def aspects(item: Slice) -> dict[str, float]:
    """The numbers of a slice that weights apply to, none below 0."""
    lost = 0.0 if item.value_lost is None else item.value_lost.low
    told = {"unexplained": item.unexplained, "excess": item.excess.low, "effect": item.effect}
    told |= {"support": float(item.support), "value": lost}
    return {name: max(0.0, number) for name, number in told.items()}


def ranked(slices: Sequence[Slice], weights: Mapping[str, float]) -> tuple[tuple[Slice, float], ...]:
    """Slices by a weighted mean of their aspects, each as a share of the largest among the slices; with that score.

    Where all weights are 0 every slice scores 0. Ties fall by unexplained errors, then by the slice's id, so that the
    order never depends on that of the input.

    Parameters
    ----------
    slices : sequence of Slice
    weights : mapping aspect -> weight, 0 or more; those left out are 0

    Returns
    -------
    tuple of (Slice, score in [0, 1]), highest first
    """
    told = [aspects(item) for item in slices]
    most = {name: max((each[name] for each in told), default=0.0) or 1.0 for name in ASPECTS}
    total = sum(weights.get(name, 0.0) for name in ASPECTS) or 1.0
    scores = [sum(weights.get(name, 0.0) * each[name] / most[name] for name in ASPECTS) / total for each in told]
    pairs = zip(slices, scores, strict=True)
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], -pair[0].unexplained, pair[0].id)))
