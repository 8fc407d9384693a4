"""Decisions about labels, stored with the run: small files that no two people ever write to."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import mlflow

from mlflow_errata._decisions import Decision, arriving, as_frame, read
from mlflow_errata.errors.stored import DecisionsNotStored
from mlflow_errata.tracking.payload import base_of
from mlflow_errata.tracking.search import fetched, folder_of, load_shown, reading
from mlflow_errata.tracking.store import within_deadline
from mlflow_errata.tracking.workspaces import client_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from mlflow.tracking import MlflowClient

    from mlflow_errata._decisions import Told

FOLDER = "decisions"
MOST = 200
"""Decisions of a sheet; then the next one begins, so that a file stays small however long somebody works."""
DEADLINE = 10.0
"""Seconds that one decision may take to store."""


@dataclass(frozen=True)
class Drawer:
    """Where the decisions on one record lie.

    Parameters
    ----------
    run_id : str
    folder : str, artifact path of the record
    tracking_uri : str
    """

    run_id: str
    folder: str
    tracking_uri: str

    def read(self) -> tuple[Decision, ...]:
        """Every decision that anybody stored, oldest first; half a line of a file that broke off is skipped.

        Raises
        ------
        StoreUnreachable
        """
        return reading(self.tracking_uri, self._read)

    def _read(self, client: MlflowClient) -> tuple[Decision, ...]:
        path = f"{self.folder}/{FOLDER}"
        names = [Path(item.path).name for item in client.list_artifacts(self.run_id, path)]
        if not names:
            return ()
        with tempfile.TemporaryDirectory() as scratch:
            files = fetched(client, self.run_id, path, names, scratch).glob("*.jsonl")
            lines = [line for file in sorted(files) for line in file.read_text("utf-8", "replace").split("\n")]
        found = {item for item in map(_parsed, lines) if item is not None}
        return tuple(sorted(found, key=lambda item: (item.at, item.by, item.key)))

    def write(self, name: str, decisions: Iterable[Decision]) -> None:
        """Store a file of decisions.

        Raises
        ------
        DecisionsNotStored
        """
        lines = (json.dumps(asdict(item), allow_nan=False) for item in decisions)
        text, path = "".join(f"{line}\n" for line in lines), f"{self.folder}/{FOLDER}/{name}.jsonl"

        def send() -> None:
            with client_of(self.tracking_uri) as client:
                client.log_text(self.run_id, text, path)

        try:
            within_deadline(send, seconds=DEADLINE)
        except Exception as cause:
            raise DecisionsNotStored(self.run_id, cause) from cause


@dataclass
class Sheet:
    """The decisions of one person in one session, stored as they come.

    Every write holds the whole sheet and goes to one of two files in turn, so that a write that breaks off leaves the
    other one whole, and one that failed is made up for by the next.
    """

    drawer: Drawer
    by: str
    _name: str = ""
    _made: list[Decision] = field(default_factory=list)
    _stored: int = 0
    _turn: int = 0

    def add(self, decisions: Iterable[Decision]) -> None:
        """Store some decisions, and those that could not be stored before.

        Raises
        ------
        DecisionsNotStored
            They are kept, and stored with the next ones.
        """
        full = len(self._made) >= MOST and not self.n_unstored
        if full or not self._name:
            self._name, self._made, self._stored = _sheet_name(self.by), [], 0
        self._made.extend(decisions)
        self.store()

    def store(self) -> None:
        """Write the sheet.

        Raises
        ------
        DecisionsNotStored
        """
        self.drawer.write(f"{self._name}-{self._turn}", self._made)
        self._turn, self._stored = 1 - self._turn, len(self._made)

    @property
    def n_unstored(self) -> int:
        """Decisions that the store does not have yet."""
        return len(self._made) - self._stored


def drawer(run_id: str, *, dataset: str | None = None, tracking_uri: str | None = None) -> Drawer:
    """Where the decisions on a run's record lie.

    Raises
    ------
    NoDiagnoses, StoreUnreachable
    """
    uri = tracking_uri or mlflow.get_tracking_uri()
    return Drawer(run_id, base_of(reading(uri, lambda client: folder_of(client, run_id, dataset))), uri)


def load_decisions(
    run_id: str, *, every: bool = False, dataset: str | None = None, tracking_uri: str | None = None
) -> pd.DataFrame:
    """What people decided about the labels of a run's evaluation data; `errata.audited` takes it as it is.

    Parameters
    ----------
    run_id : str
    every : bool
        False gives the newest decision of each row; True every one ever made.
    dataset : str
        Name the record was logged under; default: the latest.
    tracking_uri : str
        Default: MLflow's current one.

    Returns
    -------
    DataFrame, oldest first: id, given, suggested, decision ("keep", "accept", "exclude", "unsure"), corrected (what
    the label should be), audit (False: says nothing about other rows), by, at (UTC), disputed (people differ)

    Raises
    ------
    NoDiagnoses, StoreUnreachable
    """
    return as_frame(drawer(run_id, dataset=dataset, tracking_uri=tracking_uri).read(), every=every)


def save_decisions(
    run_id: str, decisions: Told, *, by: str, dataset: str | None = None, tracking_uri: str | None = None
) -> int:
    """Store decisions with a run, beside those of others; returns how many are new.

    Parameters
    ----------
    run_id : str
    decisions : DataFrame with columns id and decision, a CSV or Parquet file of one, or a mapping id -> decision
    by : str, who decided, where the decisions do not say
    dataset, tracking_uri : as in `load_decisions`

    Raises
    ------
    DecisionsRefused, NothingToAudit, DecisionsNotStored, NoDiagnoses, StoreUnreachable
    """
    made = read(load_shown(run_id, dataset=dataset, tracking_uri=tracking_uri), decisions, by=by)
    place = drawer(run_id, dataset=dataset, tracking_uri=tracking_uri)
    new = arriving(made, place.read(), by)
    if new:
        Sheet(place, by).add(new)
    return len(new)


def _sheet_name(by: str) -> str:
    person = re.sub(r"[^a-zA-Z0-9]+", "-", by).strip("-")[:40] or "somebody"
    return f"{person}-{uuid4().hex[:12]}"


def _parsed(line: str) -> Decision | None:
    try:
        return Decision.parsed(json.loads(line))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
