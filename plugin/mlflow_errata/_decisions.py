"""What people decided about labels: keyed by row id, checked against the record, the newest of each row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlflow_errata.diagnoses._worklist import plain
from mlflow_errata.diagnoses.label_issues import NAME, LabelIssues
from mlflow_errata.errors import DecisionsRefused, NothingToAudit
from mlflow_errata.metric import Label
from mlflow_errata.record.schema import ID, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

KEEP, ACCEPT, EXCLUDE, UNSURE = "keep", "accept", "exclude", "unsure"
"""The label is right; the suggestion is (or another label); the row is no use; nobody can tell."""
KINDS = (KEEP, ACCEPT, EXCLUDE, UNSURE)
DECISION, CORRECTED = "decision", "corrected"
OWN = ("id", "given", "suggested", "score", DECISION, CORRECTED, "audit", "by", "at", "disputed")
"""Columns of a worklist; a column of the user's of the same name is shown as "name (column)"."""
LABEL_TYPES = (str, int, float, bool)

Told = pd.DataFrame | Mapping[Any, Any] | str | Path


@dataclass(frozen=True)
class Decision:
    """What one person said about the label of one row.

    Parameters
    ----------
    id : row id
    given, suggested : labels as they stood when it was decided
    decision : "keep", "accept", "exclude" or "unsure"
    corrected : what the label should be; None for "exclude" and "unsure"
    audit : bool, False for a row that was picked because it is suspicious: it says nothing about other rows
    by : str, who decided
    at : str, when: ISO 8601, UTC
    """

    id: Label
    given: Label
    suggested: Label
    decision: str
    corrected: Label | None
    audit: bool = True
    by: str = ""
    at: str = ""

    @property
    def key(self) -> str:
        """The row id as text, by which decisions and rows are matched."""
        return str(self.id)

    @property
    def is_wrong(self) -> bool:
        """The given label is not the right one, or the row has none."""
        return self.decision in (ACCEPT, EXCLUDE)

    @classmethod
    def parsed(cls, values: object) -> Decision | None:
        """A decision from JSON values; None if they are not one."""
        if not isinstance(values, dict):
            return None
        told = {item.name: values.get(item.name, item.default) for item in fields(cls)}
        labels = all(isinstance(told[name], LABEL_TYPES) for name in ("id", "given", "suggested"))
        ends = told[CORRECTED] is not None and isinstance(told[CORRECTED], LABEL_TYPES)
        whole = labels and told[DECISION] in KINDS and ends == (told[DECISION] in (KEEP, ACCEPT))
        text = all(isinstance(told[name], str) for name in ("by", "at")) and isinstance(told["audit"], bool)
        return cls(**told) if whole and text else None


def now() -> str:
    """The time in UTC, as decisions carry it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def decision(
    issue: Mapping[str, Label], said: str, corrected: Label | None = None, *, audit: bool = True, by: str = ""
) -> Decision:
    """The decision on a row that holds id, given and suggested; a label that is the given one keeps it."""
    given, suggested = issue["given"], issue["suggested"]
    truth = {KEEP: given, ACCEPT: suggested if corrected is None else corrected}.get(said)
    kind = said if truth is None else KEEP if truth == given else ACCEPT
    return Decision(issue["id"], given, suggested, kind, truth, audit, by, now())


def newest(made: Iterable[Decision]) -> dict[str, Decision]:
    """The newest decision of every row, by the row's key; of two at one moment that of the later name."""
    return {item.key: item for item in sorted(made, key=lambda item: (item.at, item.by))}


def disputed(made: Iterable[Decision]) -> dict[str, tuple[Decision, ...]]:
    """Rows on which the newest decisions of two people differ, with these decisions, newest first."""
    rows: dict[str, list[Decision]] = {}
    for item in sorted(_by_person(made).values(), key=lambda item: item.at, reverse=True):
        rows.setdefault(item.key, []).append(item)
    return {key: tuple(said) for key, said in rows.items() if len({(one.decision, one.corrected) for one in said}) > 1}


def _by_person(made: Iterable[Decision]) -> dict[tuple[str, str], Decision]:
    return {(item.key, item.by): item for item in sorted(made, key=lambda item: item.at)}


def arriving(made: Iterable[Decision], known: Iterable[Decision], by: str) -> tuple[Decision, ...]:
    """Decisions from a file that are not known yet; one that was changed in the file is a new one, by who brings it."""
    kept = {(item.key, item.by, item.at): item for item in known}
    latest = _by_person(kept.values())
    found = []
    for item in made:
        old = kept.get((item.key, item.by, item.at))
        before = old or latest.get((item.key, item.by))
        if before is None or (item.decision, item.corrected) != (before.decision, before.corrected):
            found.append(item if old is None else replace(item, by=by, at=now()))
    return tuple(found)


def as_frame(made: Iterable[Decision], *, every: bool = False) -> pd.DataFrame:
    """Decisions as a table, oldest first: the newest of each row, or every one; `disputed` marks rows that differ."""
    told = list(made)
    differ = disputed(told)
    kept = sorted(told if every else newest(told).values(), key=lambda item: (item.at, item.by, item.key))
    found = pd.DataFrame([asdict(item) for item in kept], columns=[item.name for item in fields(Decision)])
    labels = pd.Series([item.corrected for item in kept], dtype=object)
    return found.assign(**{CORRECTED: labels}, disputed=[item.key in differ for item in kept])


def issues_of(record: Record) -> LabelIssues:
    """The label issues of a record.

    Raises
    ------
    NothingToAudit
    """
    found = record.results.get(NAME)
    if not isinstance(found, LabelIssues):
        raise NothingToAudit(record.not_applicable.get(NAME, "this record has no label_issues"))
    return found


def with_columns(record: Record, found: pd.DataFrame) -> pd.DataFrame:
    """Rows by id with the columns that the evaluation frame had."""
    if ID not in record.rows:
        return found
    own = record.rows.drop(columns=[name for name in record.rows if str(name).startswith("errata.")])
    own = own.rename(columns={name: f"{name} (column)" for name in own if name in OWN})
    at = keys(record.rows[ID]).get_indexer(keys(found["id"]))
    known = own.iloc[at[at >= 0]].set_axis(found.index[at >= 0], axis=0)
    return found.join(known)


def keys(ids: Iterable[Any]) -> pd.Index[Any]:
    """Row ids as text.

    Raises
    ------
    DecisionsRefused
        If two read alike (1 and "1"): a decision could not tell them apart.
    """
    found = pd.Index([str(row) for row in ids], dtype=object)
    if not found.is_unique:
        twice = found[found.duplicated()][0]
        raise DecisionsRefused(f"cannot tell rows apart whose ids both read {twice!r}", "Name a unique id column.")
    return found


# -- reading ----------------------------------------------------------------------------------------------------------


def read(record: Record, decisions: Told, *, by: str = "") -> tuple[Decision, ...]:
    """Decisions on rows of a record, checked; rows without one are skipped.

    Parameters
    ----------
    record : Record
    decisions : DataFrame with columns id and decision (and corrected, given, audit, by, at, where there are), a CSV or
        Parquet file of one, or a mapping id -> decision
    by : str, who decided, where the decisions do not say

    Raises
    ------
    DecisionsRefused
        If an id is not ranked, a decision is unknown, or a label has changed since.
    """
    told = _told(decisions)
    ranking = issues_of(record).ranking
    at = keys(ranking["id"]).get_indexer(pd.Index([str(row["id"]) for row in told], dtype=object))
    unknown = [row["id"] for row, place in zip(told, at, strict=True) if place < 0]
    if unknown:
        what = f"name {len(unknown)} of {len(told)} ids that the record does not rank ({unknown[0]!r}, ...)"
        raise DecisionsRefused(what, "Decide on rows of errata.audit(record) or of the ranking.")
    labels = {str(label): label for label in record.dataset.classes}
    ranked = ranking.iloc[at]
    known = zip(*(plain(ranked[name].to_numpy()) for name in ("id", "given", "suggested")), strict=True)
    return tuple(_decided(row, issue, labels, by) for row, issue in zip(told, known, strict=True))


def _decided(
    row: Mapping[str, Any], issue: tuple[Label, Label, Label], labels: Mapping[str, Label], by: str
) -> Decision:
    one, given, suggested = issue
    before = row.get("given")
    if not _is_empty(before) and not _same(before, given):
        what = f"were made on other labels: row {one!r} was given {before!r} and is {given!r} in this record"
        raise DecisionsRefused(what, "Decide on the labels as they are now.")
    said, other = row[DECISION], row.get(CORRECTED)
    truth: Label | None
    if said not in KINDS:
        said, truth = ACCEPT, _label(said, labels)
    elif said == ACCEPT and not _is_empty(other):
        truth = _label(other, labels)
    else:
        truth = {KEEP: given, ACCEPT: suggested}.get(said)
    return Decision(
        id=one,
        given=given,
        suggested=suggested,
        decision=str(said) if truth is None else KEEP if truth == given else ACCEPT,
        corrected=truth,
        audit=str(row.get("audit", True)).lower() not in {"false", "0", "0.0"},
        by=by if _is_empty(row.get("by")) else str(row["by"]),
        at=now() if _is_empty(row.get("at")) else str(row["at"]),
    )


def _told(decisions: Told) -> list[dict[str, Any]]:
    """Rows with a decision, as mappings; of several on one row the last, or the newest where they say when."""
    if isinstance(decisions, str | Path):
        decisions = from_file(str(decisions))
    if isinstance(decisions, Mapping):
        made: list[dict[str, Any]] = [{"id": row, DECISION: said} for row, said in decisions.items()]
    elif {"id", DECISION} <= set(decisions.columns):
        kept = [name for name in (item.name for item in fields(Decision)) if name in decisions.columns]
        made = [{str(name): value for name, value in row.items()} for row in decisions[kept].to_dict("records")]
    else:
        raise DecisionsRefused(
            f"have the columns {sorted(map(str, decisions.columns))}", "Name two of them id and decision."
        )
    said = [row for row in made if not _is_empty(row[DECISION])]
    if said and "at" in said[0]:
        said.sort(key=lambda row: "" if _is_empty(row["at"]) else str(row["at"]))
    return list({str(row["id"]): row for row in said}.values())


def from_file(name: str, content: bytes | None = None) -> pd.DataFrame:
    """A CSV or Parquet file, or one that was uploaded; CSV cells stay text, so that the id 007 is not 7.

    Raises
    ------
    DecisionsRefused
    """
    source = name if content is None else BytesIO(content)
    try:
        if name.endswith(".parquet"):
            return pd.read_parquet(source)
        return pd.read_csv(source, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as cause:
        raise DecisionsRefused(f"cannot be read from {name}: {cause}", "Pass a CSV or Parquet file.") from cause


def _label(said: Any, labels: Mapping[str, Label]) -> Label:
    """A label of the record; of a record of numbers any number."""
    if not labels:
        try:
            return float(said)
        except (TypeError, ValueError):
            pass
    for name, label in labels.items():
        if _same(said, name):
            return label
    known: Sequence[str] = [repr(label) for label in labels.values()] if labels else ["a number"]
    raise DecisionsRefused(f"hold {said!r}", f"Allowed: {', '.join([*KINDS, *known])}.")


def _same(told: Any, given: Label) -> bool:
    """The same label, also where a file made 1.0 of 1."""
    if str(told) == str(given):
        return True
    try:
        return float(told) == float(given)
    except (TypeError, ValueError):
        return False


def _is_empty(value: Any) -> bool:
    return value is None or bool(pd.isna(value)) or value == ""
