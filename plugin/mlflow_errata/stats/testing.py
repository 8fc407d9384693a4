"""P-values, and many questions asked at once: false-discovery control."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy

if TYPE_CHECKING:
    from numpy.typing import NDArray


def benjamini_hochberg(p_values: NDArray[np.float64], *, rate: float = 0.05) -> NDArray[np.bool_]:
    """Which hypotheses are rejected at a false-discovery rate.

    Rejects the k smallest p-values, k = max{i : p_(i) <= rate * i / m}.

    Parameters
    ----------
    p_values : array of shape (m,) in [0, 1]
    rate : float in (0, 1)

    Returns
    -------
    boolean array of shape (m,)

    References
    ----------
    Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    passed = p_values[order] <= rate * np.arange(1, m + 1) / max(m, 1)
    last = int(np.flatnonzero(passed).max(initial=-1))
    rejected = np.zeros(m, dtype=bool)
    rejected[order[: last + 1]] = True
    return rejected


def at_least(successes: int, n: int, share: float) -> float:
    """Chance of this many successes or more in n trials that each succeed with a probability `share`."""
    return 1.0 if successes <= 0 else float(scipy.special.bdtrc(successes - 1, n, share))
