"""Runs: stretches of a sequence in which something happens far more often than elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import log
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, order=True)
class Run:
    """A stretch from one event to another.

    Parameters
    ----------
    evidence : float, log-likelihood ratio in nats against events at the overall rate
    start, end : int, positions of its first and last event
    n_events : int
    """

    evidence: float
    start: int
    end: int
    n_events: int

    @property
    def share(self) -> float:
        """Events per position of the run."""
        return self.n_events / (self.end - self.start + 1)


def densest_runs(events: NDArray[np.intp], n: int, most: int) -> tuple[Run, ...]:
    """Disjoint runs in which events are densest, most evident first.

    With q0 the overall rate of events and q1 = (1 + q0) / 2 the rate in a run, an event scores ln(q1 / q0) and any
    other position ln((1 - q1) / (1 - q0)); a run is the stretch with the largest sum, the next one the largest in what
    is left on either side of it, and so on. For events that happen independently of each other, a run reaches evidence
    x with a chance of at most n exp(-x).

    Parameters
    ----------
    events : int array of shape (n_events,), ascending positions in 0 .. n-1
    n : int, positions
    most : int, runs wanted

    Returns
    -------
    tuple of Run, at most `most`; empty without events, and where events are everywhere

    References
    ----------
    Karlin & Altschul 1990, doi:10.1073/pnas.87.6.2264
    """
    rate = len(events) / max(n, 1)
    if not 0 < rate < 1:
        return ()
    inside = (1 + rate) / 2
    event, other = log(inside / rate), log((1 - inside) / (1 - rate))
    level = np.arange(len(events)) * (event - other) + events * other
    found: list[Run] = []
    open_parts = [_best(level, event, 0, len(events))]
    heapify(open_parts)
    while open_parts and len(found) < most:
        evidence, low, high, first, last = heappop(open_parts)
        found.append(Run(-evidence, int(events[first]), int(events[last]), last - first + 1))
        for part in ((low, first), (last + 1, high)):
            if part[0] < part[1]:
                heappush(open_parts, _best(level, event, *part))
    return tuple(found)


def _best(level: NDArray[np.float64], event: float, low: int, high: int) -> tuple[float, int, int, int, int]:
    """(-evidence, low, high, first, last) of the best run among the events low .. high - 1.

    The score of a run from event i to event j is level[j] - level[i] + event.
    """
    part = level[low:high]
    lowest = np.minimum.accumulate(part)
    last = int((part - lowest).argmax())
    first = int(np.flatnonzero(part[: last + 1] == lowest[last])[-1])
    return -(float(part[last] - lowest[last]) + event), low, high, low + first, low + last
