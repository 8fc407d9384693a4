"""`audit` and `audited`: a person checks a few labels, and the record says what that tells about the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlflow_errata._relabel_gain import relabel_gain
from mlflow_errata.diagnoses._suspicion import UNIT
from mlflow_errata.diagnoses._worklist import ELSEWHERE, Audit, StratumAudit, plain
from mlflow_errata.diagnoses.label_issues import NAME, LabelIssues, with_ranking
from mlflow_errata.errors import DecisionsRefused, NothingToAudit
from mlflow_errata.estimate import Estimate
from mlflow_errata.record.schema import ID, Record
from mlflow_errata.stats.intervals import jeffreys
from mlflow_errata.steps import relabel, stop
from mlflow_errata.table import EvaluationTable

if TYPE_CHECKING:
    from mlflow_errata.metric import Label

KEEP, ACCEPT, EXCLUDE, UNSURE = "keep", "accept", "exclude", "unsure"
"""The label is right; the suggestion is; the row is no use; nobody can tell. A label of the record decides as well."""
DECISION = "decision"
OWN = ("id", "given", "suggested", "score", DECISION)

Decisions = pd.DataFrame | Mapping[Any, Any] | str | Path | Callable[[Mapping[str, Any]], Any]


def audit(record: Record, n: int = 40) -> pd.DataFrame:
    """Draw the rows whose labels a person should check: the same rows whenever the record is asked.

    Every suspect slice and the rows elsewhere get an equal share of the n rows, spread evenly over the ranks of the
    flagged rows, so that the share of true errors among them speaks for all flags.

    Parameters
    ----------
    record : Record, as diagnosed or as read back
    n : int, rows to check

    Returns
    -------
    DataFrame of at most n rows, most suspicious first: id, given, suggested, score, an empty `decision`, and the
    row's own columns. Fill `decision` with "keep", "accept", "exclude", "unsure" or a label and hand it to `audited`.

    Raises
    ------
    NothingToAudit
        If the record has no label_issues.
    """
    rows = _issues(record).worklist
    chosen = rows.to_check(n)
    found = rows.frame().iloc[chosen].reset_index(drop=True).assign(**{DECISION: None})
    if ID not in record.rows:
        return found
    own = record.rows.drop(columns=[name for name in record.rows if str(name).startswith("errata.")])
    own = own.rename(columns={name: f"{name} (column)" for name in own if name in OWN})
    at = pd.Index([str(row) for row in record.rows[ID]]).get_indexer(pd.Index([str(row) for row in found["id"]]))
    known = own.iloc[at[at >= 0]].set_axis(np.flatnonzero(at >= 0), axis=0)
    return found.join(known)


def audited(
    record: Record,
    decisions: Decisions,
    *,
    evaluation: object = None,
    train: pd.DataFrame | None = None,
    model: Any = None,
) -> Record:
    """The record with what a person found: true errors among the flags, the corrected noise rate, and the step.

    A share q of true errors among m checked flags of a stratum follows Beta(w + 1/2, m - w + 1/2), w of them wrong;
    strata are weighted by their flagged rows. Only rows that an audit draws from count for the estimates (the first
    of the ranking are no fair draw); every decided row is corrected.

    Parameters
    ----------
    record : Record
    decisions : DataFrame with columns id and decision, a CSV or Parquet file of one, a mapping id -> decision, or a
        callable from a row of `audit(record)` (a mapping) to its decision. A decision is "keep", "accept",
        "exclude", "unsure" or a label; empty ones are skipped.

    evaluation, train, model : what `diagnose` was given; with all three, and errors found, the model is fitted again
        on labels corrected as far as the audit tells, and the step carries its gain

    Raises
    ------
    NothingToAudit, DecisionsRefused, NotRefitted
    """
    issues = _issues(record)
    made = _read(record, decisions)
    result = with_ranking(_estimated(replace(issues, audit=None), made, record.dataset.n_rows), issues.ranking)
    others = tuple(step for step in record.next_steps if NAME not in step.because and step.kind != stop.KIND)
    found = relabel.decided(result)
    if found and evaluation is not None and train is not None and model is not None:
        table = EvaluationTable.build(evaluation, model=model, **_roles(record))
        gain = relabel_gain(
            table, result, train, model, metric=record.summary.metric, random_state=record.summary.random_state
        )
        found = tuple(replace(step, gain=gain, gain_reason="") for step in found)
    steps = (*found, *others) or (stop.nothing_found(),)
    return replace(record, results={**record.results, NAME: result}, next_steps=steps)


def _roles(record: Record) -> dict[str, Any]:
    """What a table like the record's is built with, but for the frame and the model."""
    roles, known = record.dataset.roles, record.dataset
    named: dict[str, Any] = {name: roles[name] for name in ("label", "time", "id", "weight") if name in roles}
    seen = {"features": list(known.features), "slice_by": list(known.slice_columns), "task": record.summary.task}
    return named | seen


def _issues(record: Record) -> LabelIssues:
    found = record.results.get(NAME)
    if not isinstance(found, LabelIssues):
        raise NothingToAudit(record.not_applicable.get(NAME, "this record has no label_issues"))
    return found


# -- decisions --------------------------------------------------------------------------------------------------------


def _read(record: Record, decisions: Decisions) -> dict[Label, tuple[Label, Any]]:
    """Rows decided: id -> (given, true label; None to drop the row; UNSURE as a tuple of nothing)."""
    ranking = _issues(record).ranking
    pairs = _pairs(record, decisions)
    at = pd.Index(ranking["id"].map(str)).get_indexer(pd.Index([str(row) for row, _ in pairs], dtype=object))
    unknown = [row for (row, _), place in zip(pairs, at, strict=True) if place < 0]
    if unknown:
        what = f"name {len(unknown)} of {len(pairs)} ids that the record does not rank ({unknown[0]!r}, ...)"
        raise DecisionsRefused(what, "Decide on rows of errata.audit(record) or of the ranking.")
    labels = {str(label): label for label in record.dataset.classes}
    found: dict[Label, tuple[Label, Any]] = {}
    for place, (_, said) in zip(at, pairs, strict=True):
        row, given, suggested = (
            plain(ranking[name].iloc[place : place + 1].to_numpy())[0] for name in ("id", "given", "suggested")
        )
        found[row] = (given, _truth(said, given, suggested, labels, numbers=not record.dataset.classes))
    return found


def _pairs(record: Record, decisions: Decisions) -> list[tuple[Any, Any]]:
    """(id, decision) of every row with a decision."""
    if isinstance(decisions, str | Path):
        path = Path(decisions)
        try:
            decisions = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype={DECISION: str})
        except (OSError, ValueError) as cause:
            raise DecisionsRefused(f"cannot be read from {path}: {cause}", "Pass a CSV or Parquet file.") from cause
    if isinstance(decisions, pd.DataFrame):
        if not {"id", DECISION} <= set(decisions.columns):
            raise DecisionsRefused(
                f"have the columns {sorted(map(str, decisions.columns))}", "Name two of them id and decision."
            )
        made = list(zip(decisions["id"].tolist(), decisions[DECISION].tolist(), strict=True))
    elif isinstance(decisions, Mapping):
        made = list(decisions.items())
    else:
        made = [(row["id"], decisions(row)) for row in audit(record).to_dict("records")]  # type: ignore[arg-type]
    return [(row, said) for row, said in made if not (said is None or pd.isna(said) or said == "")]


class _Unsure:
    """Nobody can tell the label."""


def _truth(said: Any, given: Label, suggested: Label, labels: Mapping[str, Label], *, numbers: bool) -> Any:
    """The label that a decision leads to; None to drop the row."""
    if said in (KEEP, ACCEPT, EXCLUDE, UNSURE):
        return {KEEP: given, ACCEPT: suggested, EXCLUDE: None, UNSURE: _Unsure}[said]
    if numbers:
        try:
            return float(said)
        except (TypeError, ValueError):
            pass
    elif str(said) in labels:
        return labels[str(said)]
    allowed = ", ".join([KEEP, ACCEPT, EXCLUDE, UNSURE, *(["a number"] if numbers else map(repr, labels.values()))])
    raise DecisionsRefused(f"hold {said!r}", f"Allowed: {allowed}.")


# -- what they tell ---------------------------------------------------------------------------------------------------


def _estimated(issues: LabelIssues, made: Mapping[Label, tuple[Label, Any]], n_rows: int) -> LabelIssues:
    rows = issues.worklist
    wrong = {row: given != truth for row, (given, truth) in made.items() if truth is not _Unsure}
    drawn = {
        stratum: [
            wrong[row]
            for row, at, fair in zip(rows.id, rows.stratum, rows.drawn, strict=True)
            if at == stratum and fair and row in wrong
        ]
        for stratum in range(ELSEWHERE, len(rows.flagged) + ELSEWHERE)
    }
    strata = tuple(
        StratumAudit(at, rows.flagged[at - ELSEWHERE], len(seen), sum(seen), _share(sum(seen), len(seen)))
        for at, seen in drawn.items()
        if seen
    )
    if not strata:
        what = "hold no row of the audit that says whether its label is right"
        raise DecisionsRefused(what, "Decide on the rows of errata.audit(record).")
    precision = _weighted(strata)
    open_rows = issues.n_flagged - sum(part.n_flagged for part in strata)
    checked = issues.n_flagged - open_rows
    noise = [checked * end / n_rows for end in (precision.value, precision.low, precision.high)]
    share = issues.n_flagged_errors / issues.n_errors if issues.n_errors else None
    return replace(
        issues,
        noise_rate=Estimate(
            noise[0] + open_rows * precision.value / n_rows,
            noise[1],
            noise[2] + open_rows / n_rows,
            n=precision.n,
            unit=UNIT,
        ),
        audit=Audit(
            decisions=tuple(
                (row, truth) for row, (given, truth) in made.items() if truth is not _Unsure and truth != given
            ),
            n_checked=precision.n,
            n_wrong=sum(part.n_wrong for part in strata),
            n_unsure=sum(truth is _Unsure for _, truth in made.values()),
            precision=precision,
            strata=strata,
            label_errors=None if share is None else _scaled(precision, share),
        ),
    )


def _share(successes: int, n: int) -> Estimate:
    return Estimate(*jeffreys(successes, n), n=n, unit="share of flags")


def _weighted(strata: tuple[StratumAudit, ...]) -> Estimate:
    """Strata by their flagged rows; the halves of the intervals are added in quadrature."""
    weight = np.array([part.n_flagged for part in strata], dtype=np.float64)
    weight /= weight.sum()
    value, low, high = (np.array([getattr(part.precision, end) for part in strata]) for end in ("value", "low", "high"))
    middle = float(weight @ value)
    down, up = (sqrt(float(((weight * half) ** 2).sum())) for half in (value - low, high - value))
    n, wrong = (sum(getattr(part, name) for part in strata) for name in ("n_checked", "n_wrong"))
    low_end = max(0.0, middle - down) if wrong else 0.0
    return Estimate(middle, low_end, min(1.0, middle + up), n=n, unit="share of flags")


def _scaled(measured: Estimate, by: float) -> Estimate:
    return Estimate(measured.value * by, measured.low * by, measured.high * by, n=measured.n, unit="share of errors")
