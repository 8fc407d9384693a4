"""Progress of the trials: one line on a terminal that is written over, and gone at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

WIDTH = 79
FULL, EMPTY, CELLS = "#", ".", 20


@dataclass
class Progress:
    """Says what is being tried and how much of the budget is spent; silent where nobody looks on.

    Parameters
    ----------
    clock : callable () -> seconds
    start : float, what the clock said at the start
    budget : float, seconds
    stream : a text stream; only a terminal is written to
    """

    clock: Callable[[], float]
    start: float
    budget: float
    stream: TextIO = field(default_factory=lambda: sys.stderr)

    def __call__(self, what: str) -> None:
        """Show what is tried now."""
        if self.stream is None or not self.stream.isatty():
            return
        spent = self.clock() - self.start
        full = round(CELLS * min(1.0, spent / self.budget)) if self.budget > 0 else CELLS
        self._write(f"errata [{FULL * full}{EMPTY * (CELLS - full)}] {spent:.0f} of {self.budget:.0f} s, trying {what}")

    def close(self) -> None:
        """Leave the line empty."""
        self._write("")

    def _write(self, line: str) -> None:
        if self.stream is not None and self.stream.isatty():
            self.stream.write(f"\r{line[:WIDTH]:{WIDTH}}\r")
            self.stream.flush()
