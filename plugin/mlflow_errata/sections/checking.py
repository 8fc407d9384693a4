"""Checking labels in words: where it stands, whether to go on, and why a label is in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.sections import _words as words
from mlflow_errata.sections.label_issues import checked, finding

if TYPE_CHECKING:
    from mlflow_errata._queue import Issue, Queue, Standing
    from mlflow_errata.diagnoses._worklist import Audit


def progress(standing: Standing) -> str:
    """How many labels were checked, and what they tell so far."""
    audit = standing.issues.audit
    if audit is None:
        return f"0 of {words.plural(standing.n_audit, 'label')} checked."
    said = f"{checked(audit)}: {words.estimate(audit.precision, unit='share of rows')} of those in doubt are."
    brought = (
        "These answers came with the record; what is decided here is added to them." if standing.is_brought else ""
    )
    return " ".join(filter(None, (said, brought, _measured(audit), _unlike(standing))))


def _measured(audit: Audit) -> str:
    """Both figures: what the labels change, and their share in what was counted as the model's errors."""
    if audit.correction is None:
        return ""
    share = audit.label_errors
    blame = "" if share is None else f"; they account for {words.percent(share.value)} of the measured errors"
    return f"Right labels would move the accuracy as measured by {words.change(audit.correction)}{blame}."


def _unlike(standing: Standing) -> str:
    n = len(standing.disputed)
    return f"On {words.plural(n, 'row')} people disagree; the newest decision counts." if n else ""


def advice(standing: Standing) -> str:
    """Whether to go on, and when to stop."""
    if not standing.n_audit:
        return "No label is in doubt, so there is nothing to check."
    left = standing.n_audit - standing.n_answered
    if left > 0:
        more = f"Check {words.plural(left, 'more label', 'more labels')}"
        return f"{more}: {standing.n_audit} answers tell whether relabelling pays."
    if not standing.issues.found:
        return "Stop here: too few of the labels in doubt are wrong for relabelling to pay."
    if not standing.next:
        return "Every label of the queue is decided."
    if standing.is_done:
        return "Stop here: no label that is left is wrong with a chance of 5 % or more."
    open_rows = words.plural(standing.n_worth_it, "label")
    return (
        f"Go on: {open_rows} of the queue may be wrong with a chance of 5 % or more, "
        f"and about {words.count(standing.errors_left)} of them are. Stop when that of the next one falls below 5 %."
    )


def why(queue: Queue, issue: Issue, standing: Standing) -> list[str]:
    """Why the label of a row is in doubt, one reason a line."""
    result, told = standing.issues, []
    if issue.stratum >= 0 and result.slices[issue.stratum].evident:
        told.append(words.capital(finding(result.slices[issue.stratum])))
    told.append(_scores(queue, issue))
    for item in result.conflicts:
        if issue.key in map(str, item.ids):
            twins = zip(item.ids, item.labels, strict=True)
            others = [f"{words.shown(row)} ({words.quoted(label)})" for row, label in twins if str(row) != issue.key]
            told.append(f"It agrees in every column with {words.listed(others, most=3)}.")
    chance = standing.chance.get(issue.key)
    if chance is not None and result.audit is not None:
        told.append(f"By the answers so far it is wrong with a chance of {words.percent(chance)}.")
    elif issue.audit:
        told.append("It was drawn to speak for all labels in doubt.")
    return told


def _scores(queue: Queue, issue: Issue) -> str:
    place = f"place {words.count(issue.rank + 1)} of {words.count(queue.record.dataset.n_rows)} by suspicion"
    said = queue.said.get(issue.key)
    if not queue.record.dataset.classes:
        return f"The label is {label(issue.given)}, the prediction {label(issue.suggested)}: {place}."
    model = "" if said is None else f" The model says {words.quoted(said)}."
    if issue.score < 1 / 2:
        return f"The scores do not rule {words.quoted(issue.given)} out: {place}.{model}"
    return f"The scores expect {words.quoted(issue.suggested)} rather than {words.quoted(issue.given)}: {place}.{model}"


def label(value: object) -> str:
    """A label, or a number, as it reads on the page."""
    return words.number(value) if isinstance(value, float) else words.quoted(value)


def values(queue: Queue, issue: Issue) -> list[tuple[str, str]]:
    """The row's columns and what stands in them; none where the record was logged without rows."""
    told = queue.values.get(issue.key, {})
    return [(words.shown(name), words.shown(_value(value))) for name, value in told.items()]


def _value(value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124 - not a number
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def needs_an_id() -> str:
    """What rows are called where no id column was named."""
    return (
        "Rows are named by the index of the evaluation frame. To correct training data by id, diagnose with id= naming "
        "a column that both hold."
    )
