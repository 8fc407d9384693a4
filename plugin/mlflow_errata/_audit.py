"""`audit` and `audited`: a person checks a few labels, and the record says what that tells about the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata._decisions import DECISION, UNSURE, Decision, Told, issues_of, keys, newest, read, with_columns
from mlflow_errata._relabel_gain import relabel_gain
from mlflow_errata.diagnoses._suspicion import UNIT
from mlflow_errata.diagnoses._worklist import ELSEWHERE, Audit, StratumAudit
from mlflow_errata.diagnoses.label_issues import NAME, LabelIssues, with_ranking
from mlflow_errata.errors import DecisionsRefused
from mlflow_errata.estimate import Estimate
from mlflow_errata.record.schema import ID, PREDICTION, Record
from mlflow_errata.stats.intervals import jeffreys
from mlflow_errata.steps import relabel, stop
from mlflow_errata.table import EvaluationTable

if TYPE_CHECKING:
    import pandas as pd

    from mlflow_errata.metric import Label

Decisions = Told | Callable[[Mapping[str, Any]], Any]
"""What `audited` reads: a table, a file, a mapping, or a function of a row of `audit`."""


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
    rows = issues_of(record).worklist
    found = rows.frame().iloc[rows.to_check(n)].reset_index(drop=True).assign(**{DECISION: None})
    return with_columns(record, found)


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
    decisions : DataFrame with columns id and decision (as `audit`, `load_decisions` and the app's export have them), a
        CSV or Parquet file of one, a mapping id -> decision, or a callable from a row of `audit(record)` (a mapping)
        to its decision. A decision is "keep", "accept", "exclude", "unsure" or a label; empty ones are skipped. With
        a column `corrected`, "accept" means that label; rows whose `audit` is False say nothing about others.
    evaluation, train, model : what `diagnose` was given; with all three, and errors found, the model is fitted again
        on labels corrected as far as the audit tells, and the step carries its gain

    Raises
    ------
    NothingToAudit, DecisionsRefused, NotRefitted
    """
    issues = issues_of(record)
    if callable(decisions):
        decisions = {row["id"]: decisions(row) for row in _as_mappings(audit(record))}
    result = with_ranking(estimated(record, read(record, decisions)), issues.ranking)
    tried = record.trials is not None
    others = tuple(step for step in record.next_steps if NAME not in step.because and (tried or step.kind != stop.KIND))
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


# -- what they tell ---------------------------------------------------------------------------------------------------


def _as_mappings(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def estimated(record: Record, decisions: Iterable[Decision]) -> LabelIssues:
    """The label issues of a record with what decisions tell.

    An audit that the record carries stands until as many answers say otherwise; corrections are added to its own.

    Raises
    ------
    DecisionsRefused
        If none of them is on a row that an audit draws.
    """
    before, n_rows = issues_of(record).audit, record.dataset.n_rows
    issues = replace(issues_of(record), audit=None)
    made, rows = newest(decisions), issues.worklist
    drawn: dict[int, list[Decision]] = {at - 1: [] for at in range(len(rows.flagged))}
    n_answered = 0
    for row, at, fair in zip(rows.id, rows.stratum, rows.drawn, strict=True):
        said = made.get(str(row)) if fair else None
        if said is not None and said.audit:
            n_answered += 1
            drawn[at] += [said] if said.decision != UNSURE else []
    if before is not None and n_answered < before.n_checked:
        return replace(issues, audit=replace(before, decisions=_added(before, made.values())))
    strata = tuple(
        StratumAudit(at, rows.flagged[at - ELSEWHERE], len(seen), n_wrong, _share(n_wrong, len(seen)))
        for at, seen in drawn.items()
        if seen
        for n_wrong in [sum(said.is_wrong for said in seen)]
    )
    if not strata:
        what = "hold no row of the audit that says whether its label is right"
        raise DecisionsRefused(what, "Decide on the rows of errata.audit(record).")
    precision = _weighted([(part.n_flagged, part.precision) for part in strata])
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
            decisions=tuple((said.id, said.corrected) for said in made.values() if said.is_wrong),
            n_checked=precision.n,
            n_wrong=sum(part.n_wrong for part in strata),
            n_unsure=sum(said.decision == UNSURE for said in made.values()),
            precision=precision,
            strata=strata,
            label_errors=None if share is None else _scaled(precision, share),
            correction=_correction(record, issues, drawn),
        ),
    )


def _added(before: Audit, made: Iterable[Decision]) -> tuple[tuple[Label, Label | None], ...]:
    """The corrections of an audit with those made since, or taken back."""
    told = dict(before.decisions)
    for said in made:
        told.pop(said.id, None)
        if said.is_wrong:
            told[said.id] = said.corrected
    return tuple(told.items())


def _correction(record: Record, issues: LabelIssues, drawn: Mapping[int, list[Decision]]) -> Estimate | None:
    """What right labels of all flagged rows would add to the accuracy as measured.

    A corrected row counts for the model if it said the right label, against it if it said the given one. With shares
    q+ and q- of such rows among the flags, each after Jeffreys, the change is n_flagged / n_rows x (q+ - q-); the
    halves of the two intervals are added in quadrature.
    """
    if not record.dataset.classes or ID not in record.rows:
        return None
    at = dict(zip(keys(record.rows[ID]), record.rows[PREDICTION], strict=True))
    flagged = issues.worklist.flagged

    def share_of_flags(name: str) -> Estimate:
        """Share of the flags that are wrong and on which the model said the label of that name."""
        shares = []
        for stratum, seen in drawn.items():
            said = [item.is_wrong and str(at.get(item.key)) == str(getattr(item, name)) for item in seen]
            shares += [(flagged[stratum - ELSEWHERE], _share(sum(said), len(said)))] if said else []
        return _weighted(shares)

    for_it, against = share_of_flags("corrected"), share_of_flags("given")
    middle = for_it.value - against.value
    low = middle - sqrt((for_it.value - for_it.low) ** 2 + (against.high - against.value) ** 2)
    high = middle + sqrt((for_it.high - for_it.value) ** 2 + (against.value - against.low) ** 2)
    scale = issues.n_flagged / record.dataset.n_rows
    return Estimate(scale * middle, scale * low, scale * high, n=for_it.n, unit="accuracy")


def _share(successes: int, n: int) -> Estimate:
    return Estimate(*jeffreys(successes, n), n=n, unit="share of flags")


def _weighted(parts: Sequence[tuple[int, Estimate]]) -> Estimate:
    """Shares in strata by their flagged rows; the halves of the intervals are added in quadrature."""
    weight = np.array([n_flagged for n_flagged, _ in parts], dtype=np.float64)
    weight /= weight.sum()
    value, low, high = (np.array([getattr(share, end) for _, share in parts]) for end in ("value", "low", "high"))
    middle = float(weight @ value)
    down, up = (sqrt(float(((weight * half) ** 2).sum())) for half in (value - low, high - value))
    low_end = max(0.0, middle - down) if low.any() else 0.0
    return Estimate(middle, low_end, min(1.0, middle + up), n=sum(share.n for _, share in parts), unit="share of flags")


def _scaled(measured: Estimate, by: float) -> Estimate:
    return Estimate(measured.value * by, measured.low * by, measured.high * by, n=measured.n, unit="share of errors")
