"""Means of slices that were only seen because their evidence passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.slicing import selected_interval

if TYPE_CHECKING:
    from mlflow_errata.slicing import Found

NORMAL_95 = 1.96


def shrink(mean: tuple[float, float, float], found: Found) -> tuple[float, float, float]:
    """A mean and its 95 % interval, given that the slice passed its bar: both move towards 0 close to it.

    Parameters
    ----------
    mean : (value, low, high), as if the slice had been named beforehand
    found : Found, the slice

    Returns
    -------
    (value, low, high)
    """
    value, low, high = mean
    down, up = (value - low) / NORMAL_95, (high - value) / NORMAL_95
    centre, lower, upper = (end - found.evidence for end in selected_interval(found.evidence, found.bar))
    return value + centre * down, value + lower * down, value + upper * up
