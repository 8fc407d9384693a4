"""The queue of labels to check: first the audit, then rows by the chance that their label is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata._audit import estimated
from mlflow_errata._decisions import Decision, disputed, issues_of, newest, with_columns
from mlflow_errata.diagnoses._worklist import WORTH_IT
from mlflow_errata.diagnoses.label_issues import LabelIssues
from mlflow_errata.errors import DecisionsRefused
from mlflow_errata.metric import Label
from mlflow_errata.record.schema import ID, PREDICTION
from mlflow_errata.stats.labels import chances_of_mean
from mlflow_errata.steps.relabel import AUDIT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from mlflow_errata.record.schema import Record


@dataclass(frozen=True)
class Issue:
    """One row of the queue.

    Parameters
    ----------
    id : row id
    given, suggested : labels, or numbers
    score : float in [0, 1], suspicion
    rank : int, 0 for the most suspicious label of all
    stratum : int, position of the suspect slice that holds it, -1 elsewhere
    audit : bool, one of the rows that speak for all flags
    """

    id: Label
    given: Label
    suggested: Label
    score: float
    rank: int
    stratum: int
    audit: bool

    @property
    def key(self) -> str:
        """The row id as text, by which decisions and rows are matched."""
        return str(self.id)


@dataclass(frozen=True)
class Standing:
    """Where the checking stands.

    Parameters
    ----------
    next : tuple of str, keys of the rows to check, the next one first
    chance : mapping key -> chance that the label is wrong, of rows to check; empty until the audit is answered
    n_audit, n_answered : int, rows of the audit, and those decided
    decided : mapping key -> Decision, the newest of each row
    disputed : mapping key -> newest decisions of the people who differ
    issues : LabelIssues with what the answers of the audit tell; without an audit until there is one
    is_brought : bool, the record brought the answers of its audit with it
    """

    next: tuple[str, ...]
    chance: Mapping[str, float]
    n_audit: int
    n_answered: int
    decided: Mapping[str, Decision]
    disputed: Mapping[str, tuple[Decision, ...]]
    issues: LabelIssues
    is_brought: bool

    @property
    def is_told(self) -> bool:
        """All rows of the audit are answered, here or before the record was logged."""
        return self.n_answered >= self.n_audit

    @property
    def n_worth_it(self) -> int:
        """Rows to check whose label is wrong with a chance of WORTH_IT or more."""
        return sum(chance >= WORTH_IT for chance in self.chance.values())

    @property
    def errors_left(self) -> float:
        """Wrong labels to expect among these."""
        return sum(chance for chance in self.chance.values() if chance >= WORTH_IT)

    @property
    def is_done(self) -> bool:
        """Checking more labels does not pay: the audit found too few errors, or none is likely enough any more."""
        return not self.next or (self.is_told and (not self.issues.found or self.n_worth_it == 0))


class Queue:
    """The rows of a record's worklist in the order in which checking them pays.

    First the rows of the audit, in an order of which every beginning is spread evenly over the ranks, so that the
    estimate is fair from the first answer on. Then all others by the gain that checking them is expected to bring:
    every check costs one label and every error found adds one right label, so that is the chance c that the label is
    wrong. Within a stratum log odds(c) = log odds(suspicion) + a, with a such that the mean of c over the rows that an
    audit draws from is what the answers tell, (w + 1/2) / (m + 1).

    Parameters
    ----------
    record : Record, as diagnosed or as read back

    Raises
    ------
    NothingToAudit, DecisionsRefused
        Without ranked labels, or if two ids read alike.
    """

    def __init__(self, record: Record) -> None:
        self.record = record
        work = issues_of(record).worklist
        audit = work.to_check(AUDIT)
        asked = {int(at) for at in audit}
        drawn = (at in asked for at in range(len(work.id)))
        parts = (work.id, work.given, work.suggested, work.score, work.rank, work.stratum, drawn)
        issues = [Issue(*values) for values in zip(*parts, strict=True)]
        self.rows: dict[str, Issue] = {issue.key: issue for issue in issues}
        if len(self.rows) < len(issues):
            raise DecisionsRefused("cannot tell rows apart whose ids read alike", "Name a unique id column.")
        self._score = np.array(work.score)
        self._stratum = np.array(work.stratum, dtype=np.intp)
        self._drawn = np.array(work.drawn)
        self._audit = [issues[at].key for at in audit[spread_order(len(audit))]]
        self._before = issues_of(record).audit

    def standing(self, made: Iterable[Decision]) -> Standing:
        """Where the checking stands after some decisions, in any order; those on unknown rows do not count."""
        told = [item for item in made if item.key in self.rows]
        decided = newest(told)
        try:
            issues = estimated(self.record, told)
        except DecisionsRefused:
            issues = issues_of(self.record)
        n_audit = len(self._audit)
        answered = sum(key in decided for key in self._audit)
        brought = self._before is not None and answered < self._before.n_checked
        chance: dict[str, float] = {}
        first = [] if brought else [key for key in self._audit if key not in decided]
        if not first:
            settled = {*decided, *(self._settled() if brought else ())}
            values = dict(zip(self.rows, self._chances(issues).tolist(), strict=True))
            chance = {key: value for key, value in values.items() if key not in settled}
            order = sorted(chance, key=lambda key: (-chance[key], self.rows[key].rank))
        else:
            order = [*first, *(key for key in self.rows if key not in decided and not self.rows[key].audit)]
        n_answered = n_audit if brought else answered
        return Standing(tuple(order), chance, n_audit, n_answered, decided, disputed(told), issues, brought)

    def _settled(self) -> set[str]:
        """Rows that were decided before the record was logged, as far as it tells: it names only those found wrong."""
        if self._before is None:
            return set()
        wrong = {str(row) for row, _ in self._before.decisions}
        is_whole = self._before.n_checked + self._before.n_unsure >= len(self._audit)
        return wrong | set(self._audit if is_whole else ())

    def _chances(self, issues: LabelIssues) -> NDArray[np.float64]:
        """The chance of every row that its label is wrong; that of the suspicion where nothing was answered."""
        chance = self._score.copy()
        for part in issues.audit.strata if issues.audit is not None else ():
            inside = self._stratum == part.stratum
            fair = self._score[inside & self._drawn]
            chance[inside] = chances_of_mean(fair, part.precision.value, self._score[inside])
        return chance

    def table(self, made: Iterable[Decision]) -> pd.DataFrame:
        """Every row with its decision and the columns of the evaluation frame, most suspicious first.

        Returns
        -------
        DataFrame: id, given, suggested, score, decision, corrected, audit, by, at, disputed, and the row's own columns;
        what is not decided is empty. `errata.audited` and `errata.save_decisions` take it, in any order.
        """
        told = [item for item in made if item.key in self.rows]
        said, differ = newest(told), disputed(told)
        found = issues_of(self.record).worklist.frame()
        for name in ("decision", "corrected", "audit", "by", "at"):
            of_rows = (getattr(said.get(key), name, None) for key in self.rows)
            found[name] = pd.Series(list(of_rows), dtype=object)
        found["audit"] = [issue.audit for issue in self.rows.values()]
        found["disputed"] = [key in differ for key in self.rows]
        return with_columns(self.record, found)

    def file(self, made: Iterable[Decision], kind: str) -> bytes:
        """The table as a file, "csv" or "parquet"; what Parquet cannot hold is text."""
        found = self.table(made)
        if kind == "csv":
            return found.to_csv(index=False).encode()
        exotic = [name for name in found if pd.api.types.is_object_dtype(found[name].dtype)]
        text = {str(name): found[name].map(str, na_action="ignore") for name in exotic}
        return bytes(found.assign(**text).to_parquet(index=False))

    @cached_property
    def said(self) -> Mapping[str, Any]:
        """What the model said of each row, where the record holds it."""
        rows = self.record.rows
        return {} if ID not in rows else dict(zip(map(str, rows[ID]), rows[PREDICTION].tolist(), strict=True))

    @cached_property
    def values(self) -> Mapping[str, Mapping[str, Any]]:
        """The columns of each row that the model sees, then the others."""
        rows, known = self.record.rows, self.record.dataset
        if ID not in rows:
            return {}
        names = [name for name in rows if not str(name).startswith("errata.") and name != known.roles.get("label")]
        names.sort(key=lambda name: name not in known.features)
        told = rows[names].to_dict("records")
        return {
            str(row): {str(name): value for name, value in values.items()}
            for row, values in zip(rows[ID], told, strict=True)
            if str(row) in self.rows
        }


def spread_order(n: int) -> NDArray[np.intp]:
    """Positions 0 to n - 1 in an order of which every beginning is spread evenly (bits reversed)."""
    bits = max(1, (n - 1).bit_length())
    turned = [int(f"{at:0{bits}b}"[::-1], 2) for at in range(2**bits)]
    return np.array([at for at in turned if at < n], dtype=np.intp)
