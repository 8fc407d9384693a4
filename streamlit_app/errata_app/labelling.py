"""Deciding about labels: every decision names its row, and is stored before the next row shows."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from mlflow_errata._decisions import arriving, decision, from_file, issues_of, read
from mlflow_errata.errors import ErrataError
from mlflow_errata.errors.stored import DecisionsNotStored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mlflow_errata._decisions import Decision
    from mlflow_errata._queue import Queue, Standing
    from mlflow_errata.diagnoses._worklist import Audit
    from mlflow_errata.diagnoses.label_issues import LabelIssues
    from mlflow_errata.metric import Label
    from mlflow_errata.tracking.decisions import Drawer, Sheet

FRESH = 15.0
"""Seconds after which decisions of people elsewhere are read again, beside the work."""


class Desk:
    """One queue, and all that is known to be decided on it: shared by everybody who works on this server.

    Parameters
    ----------
    queue : Queue
    drawer : Drawer, where decisions are stored
    sheet_of : callable (drawer, person) -> Sheet
    """

    def __init__(self, queue: Queue, drawer: Drawer, sheet_of: Callable[[Drawer, str], Sheet]) -> None:
        self.queue, self.drawer, self.sheet_of = queue, drawer, sheet_of
        self._known: dict[tuple[str, str, str], Decision] = {}
        self._read_at, self._reading = 0.0, Lock()

    def decisions(self) -> tuple[Decision, ...]:
        """Everything decided; older news than FRESH is read again beside the work, and shows with the next answer."""
        if monotonic() - self._read_at > FRESH and self._reading.acquire(blocking=False):
            Thread(target=self._refresh, daemon=True, name="errata-decisions").start()
        return tuple(self._known.values())

    def add(self, made: Iterable[Decision]) -> None:
        """Take stored decisions in."""
        self._known |= {(item.key, item.by, item.at): item for item in made}

    def read(self) -> None:
        """Read the store.

        Raises
        ------
        StoreUnreachable
        """
        self.add(self.drawer.read())
        self._read_at = monotonic()

    def _refresh(self) -> None:
        try:
            self.read()
        except ErrataError:
            self._read_at = monotonic()  # what is known stays; the next try comes in its time
        finally:
            self._reading.release()


class Session:
    """One person's work on a desk, from opening the page to leaving it.

    Parameters
    ----------
    desk : Desk

    Attributes
    ----------
    shown : key of the row that shows, the only one that can be decided about
    wanted : key of the row that the person went back to, or None
    trail : row keys decided here, in order: the way back
    trouble : why decisions could not be stored, or None
    told : what an import did
    drawn : the audit that the rest of the page shows, or None
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.shown: str | None = None
        self.wanted: str | None = None
        self.trail: list[str] = []
        self.trouble: str | None = None
        self.told = ""
        self.drawn: Audit | None = None
        self._sheets: dict[str, Sheet] = {}
        self._unstored: list[Decision] = []
        self._handled: dict[str, str] = {}

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Everything decided, what could not be stored included."""
        return (*self.desk.decisions(), *self._unstored)

    @property
    def n_unstored(self) -> int:
        """Decisions that only this page holds."""
        return len(self._unstored)

    def issues(self, standing: Standing) -> LabelIssues:
        """What is known of the labels: what the answers tell counts once the audit is whole."""
        return standing.issues if standing.is_told else issues_of(self.desk.queue.record)

    def show(self, standing: Standing) -> str | None:
        """Key of the row to show: the one that the person went back to, else the next to check."""
        self.shown = self.wanted if self.wanted is not None else next(iter(standing.next), None)
        return self.shown

    def decide(self, key: str, said: str, corrected: Label | None, by: str) -> None:
        """Decide about the row of this key, if it is the one that shows; then go on to the next.

        A key that was pressed twice, or on buttons that the browser had not yet put away, belongs to the row before.
        """
        if key != self.shown:
            return
        issue = self.desk.queue.rows[key]
        row = {"id": issue.id, "given": issue.given, "suggested": issue.suggested}
        self._take([decision(row, said, corrected, audit=issue.audit, by=by)], by)
        self.trail = [*(known for known in self.trail if known != key), key]
        self.wanted = self.shown = None

    def back(self) -> None:
        """Show the row decided before the one that is shown; its decision stands until another is made."""
        at = self.trail.index(self.wanted) if self.wanted in self.trail else len(self.trail)
        self.wanted = self.trail[at - 1] if at > 0 else self.wanted

    def forward(self) -> None:
        """Return to the next row to check."""
        self.wanted = None

    def edited(self, keys: tuple[str, ...], changes: dict[Any, dict[str, Any]], by: str) -> None:
        """Decide about rows that were edited in a table that held these keys; what was handled before is left alone."""
        said = {keys[int(at)]: cells["decision"] for at, cells in changes.items() if cells.get("decision")}
        new = {key: kind for key, kind in said.items() if self._handled.get(key) != kind}
        self._handled = said
        self._told(new, by)

    def bring(self, name: str, content: bytes, by: str) -> None:
        """Take the decisions of a file in; `told` says what came of it."""
        try:
            self.told = f"{self._told(from_file(name, content), by)} new decisions were taken from {name}."
        except ErrataError as cause:
            self.told = str(cause)

    def retry(self) -> None:
        """Store what could not be stored before."""
        try:
            for sheet in self._sheets.values():
                if sheet.n_unstored:
                    sheet.store()
        except DecisionsNotStored as cause:
            self.trouble = str(cause)
            return
        self.desk.add(self._unstored)
        self._unstored, self.trouble = [], None

    def _told(self, decisions: Any, by: str) -> int:
        made = read(self.desk.queue.record, decisions, by=by)
        ours = self.desk.queue.rows
        new = arriving((item for item in made if item.key in ours), self.decisions, by)
        if new:
            self._take(new, by)
        return len(new)

    def _take(self, made: Iterable[Decision], by: str) -> None:
        """Store decisions before anything else happens; those that cannot be stored stay here."""
        new = list(made)
        self._unstored.extend(new)
        if by not in self._sheets:
            self._sheets[by] = self.desk.sheet_of(self.desk.drawer, by)
        with suppress(DecisionsNotStored):  # what failed is told when it is tried once more
            self._sheets[by].add(new)
        self.retry()
