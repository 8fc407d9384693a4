"""Label issues in words and pictures."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Chart, Column, Fact, Facts, NotMade, Table, Text, Verdict
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import Dot, dots, of_status
from mlflow_errata.steps.relabel import AUDIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.diagnoses._pitfalls import Stratum
    from mlflow_errata.diagnoses._suspicion import SuspectSlice
    from mlflow_errata.diagnoses._worklist import Audit
    from mlflow_errata.diagnoses.label_issues import LabelIssues
    from mlflow_errata.record.schema import Record

TITLE = "Label issues"
MOST_ROWS, MOST_PAIRS, MOST_CLASSES = 20, 15, 30
TABLED = 3
"""Rare classes from which on they stand in a table, not in a sentence each."""
MAY_BE = of_status("unsure", "may be wrong, at most")


def not_made(reason: str, record: Record) -> NotMade:
    """Why labels were not ranked, and what to add."""
    scored = record.summary.task == "regression" or "probabilities" not in reason
    remedy = "" if scored and "scores" not in reason else "Pass probabilities: scores=, or a model with predict_proba."
    return NotMade(f"Labels were not ranked: the ranking {reason}.", remedy)


def verdict(result: LabelIssues, record: Record) -> Verdict:
    """How many labels may be wrong, and what the evidence is."""
    if result.audit is not None:
        return _audited(result)
    most = f"at most {words.percent(result.noise_rate.high)} of the labels may be wrong"
    if result.found:
        worst = next(item for item in result.slices if item.evident)
        return Verdict("bad", f"{words.capital(finding(worst))} {words.capital(most)}.")
    if result.n_flagged == 0:
        return Verdict("good", f"No label is confidently contradicted: {most}.")
    against = "The scores contradict" if record.dataset.classes else "Large residuals stand at"
    return Verdict(
        "unsure",
        f"{against} {words.plural(result.n_flagged, 'label')} "
        f"({words.percent(result.n_flagged / record.dataset.n_rows)}), as hard rows, rare classes and drift do too: "
        f"{most}, and none has to be. {_asked(result.n_flagged)}",
    )


def _asked(n_flagged: int) -> str:
    """How many labels a person has to check to know."""
    if n_flagged > AUDIT:
        return f"Checking {AUDIT} of them tells."
    return "Checking it tells." if n_flagged == 1 else "Checking them tells."


def _audited(result: LabelIssues) -> Verdict:
    audit = result.audit
    if audit is None:
        return Verdict("unsure", "")
    seen = f"{checked(audit)}: {_share(audit.precision)} of the flags are true errors"
    if not result.found:
        return Verdict("good", f"{seen}, too few to relabel for.")
    return Verdict(
        "bad", f"{seen}, so {words.estimate(result.noise_rate, unit='share of rows')} of all labels are wrong."
    )


def checked(audit: Audit) -> str:
    """How many labels were looked at, and how many of them were wrong."""
    were = "was" if 1 in (audit.n_wrong, audit.n_checked) else "were"
    return f"{words.count(audit.n_wrong)} of {words.plural(audit.n_checked, 'checked label')} {were} wrong"


def _share(measured: object) -> str:
    return words.estimate(measured, unit="share of rows")  # type: ignore[arg-type]


def finding(item: SuspectSlice) -> str:
    """One suspect slice in a sentence."""
    where, rows = (
        words.listed([words.shown(condition) for condition in item.conditions]),
        words.plural(item.support, "row"),
    )
    if item.kind == "unobserved":
        return (
            f"where {where} ({rows}) the label is always {words.quoted(item.given)}, although the scores expect "
            f"{words.quoted(item.suggested)} in {words.percent(item.noise_rate.value)}: "
            "it was probably computed from the missing value."
        )
    return (
        f"where {where} ({rows}) a model of all other rows contradicts {words.quoted(item.given)} in favour of "
        f"{words.quoted(item.suggested)} beyond what it does elsewhere, in {_share(item.noise_rate)} of the rows."
    )


def section(result: LabelIssues, record: Record) -> list[Block]:
    """The verdict, where labels are in doubt, where flags are likely none, and the first rows to check."""
    blocks: list[Block] = [verdict(result, record), _facts(result, record)]
    evident = [item for item in result.slices if item.evident]
    blocks += [Text(words.capital(finding(item))) for item in evident[1 if result.audit is None else 0 :]]
    blocks += [Text(_hard(item)) for item in result.slices if not item.evident]
    rare = [item for item in result.strata if item.kind == "class"]
    tabled = rare if len(rare) >= TABLED else []
    blocks += [Text(_pile(item)) for item in result.strata if item not in tabled]
    blocks += [_rare(tabled)] if tabled else []
    blocks += [Text(_twins(result))] if result.n_conflicts else []
    if result.audit is not None and len(result.audit.strata) > 1:
        blocks.append(_strata(result))
    if result.classes:
        blocks += [_by_class(result)]
    if result.pairs:
        blocks.append(_pairs(result))
    return [*blocks, _first(result)]


def _facts(result: LabelIssues, record: Record) -> Facts:
    facts = [
        Fact("labels in doubt", words.count(result.n_flagged), f"of {words.plural(record.dataset.n_rows, 'row')}"),
        _noise(result),
    ]
    audit = result.audit
    if audit is not None:
        facts.append(Fact("checked by hand", words.count(audit.n_checked), f"{words.count(audit.n_wrong)} wrong"))
        if audit.label_errors is not None:
            share = audit.label_errors
            facts.append(
                Fact(
                    "of the measured errors",
                    words.value(share, unit="share of rows"),
                    f"are the label's, not the model's ({words.interval(share, unit='share of rows')})",
                )
            )
    return Facts(tuple(facts))


def _noise(result: LabelIssues) -> Fact:
    """Until labels were checked only the ends are known: what evidence asks for, and what may be."""
    noise, share = result.noise_rate, "share of rows"
    if result.audit is not None:
        return Fact("labels that are wrong", words.value(noise, unit=share), words.interval(noise, unit=share))
    least = f"at least {words.percent(noise.low)}" if noise.low > 0 else "none has to be"
    return Fact("may be wrong, at most", words.percent(noise.high), f"of all labels; {least}")


def _hard(item: SuspectSlice) -> str:
    where = words.listed([words.shown(condition) for condition in item.conditions])
    return (
        f"Where {where} ({words.plural(item.support, 'row')}) a model of all other rows contradicts labels of all "
        "classes alike: wrong labels look so, and rows that are hard to predict as well."
    )


def _pile(item: Stratum) -> str:
    rare, rest = item.kind == "class", words.percent(item.elsewhere.value)
    who = f"Rows of the rare class {words.shown(item.name)}" if rare else f"Rows since {_moment(item.name)}"
    why = "rare classes are contradicted more often when right" if rare else "drift raises flags where labels are right"
    return f"{who} are in doubt in {_share(item.flagged)}, against {rest} elsewhere: {why}."


def _rare(strata: Sequence[Stratum]) -> Table:
    columns = (
        Column("rare class"),
        Column("rows", "integer"),
        Column("in doubt", "percent"),
        Column("95 % interval"),
        Column("in doubt elsewhere", "percent"),
    )
    rows = tuple(
        (
            words.shown(item.name),
            item.support,
            item.flagged.value,
            words.interval(item.flagged, unit="share of rows"),
            item.elsewhere.value,
        )
        for item in strata
    )
    return Table(columns, rows, "Rare classes are contradicted more often when right.")


def _moment(told: str) -> str:
    """A point in time as a reader writes it; whatever is none, as it is."""
    try:
        return words.moment(datetime.fromisoformat(told), "")
    except ValueError:
        return words.shown(told)


def _twins(result: LabelIssues) -> str:
    shown = [
        " and ".join(
            f"{words.shown(row)} ({words.quoted(label)})" for row, label in zip(item.ids, item.labels, strict=True)
        )
        for item in result.conflicts[:3]
    ]
    return (
        f"{words.plural(result.n_conflicts, 'row')} have a twin that agrees in every column and not in the label, "
        f"such as {words.listed(shown, most=3)}. One of the two is wrong, or something unseen tells them apart."
    )


def _strata(result: LabelIssues) -> Table:
    audit = result.audit
    columns = (
        Column("where"),
        Column("labels in doubt", "integer"),
        Column("checked", "integer"),
        Column("wrong", "integer"),
        Column("true errors", "percent"),
        Column("95 % interval"),
    )
    rows = tuple(
        (
            "elsewhere"
            if part.stratum < 0
            else words.listed([words.shown(c) for c in result.slices[part.stratum].conditions]),
            part.n_flagged,
            part.n_checked,
            part.n_wrong,
            part.precision.value,
            words.interval(part.precision, unit="share of rows"),
        )
        for part in (audit.strata if audit is not None else ())
    )
    return Table(columns, rows, "What was found by hand.")


def _by_class(result: LabelIssues) -> Chart:
    shown = result.classes[:MOST_CLASSES]
    names = words.distinct([item.label for item in shown])
    rows = [
        Dot(
            name=name,
            value=item.noise_rate.value,
            low=item.noise_rate.low,
            high=item.noise_rate.high,
            series=MAY_BE.words,
            words=words.percent(item.noise_rate.value),
        )
        for name, item in zip(names, shown, strict=True)
    ]
    most = max(item.noise_rate.high for item in shown)
    axis = {"title": "labels that may be wrong (95 % interval)", "axis": {"format": ".0%", "tickCount": 5}}
    return Chart(
        dots(rows, (MAY_BE,), x=axis, domain=(0, min(1.0, max(most, 0.01)))),
        alt="Labels that may be wrong, by class: "
        + words.listed([f"{row.name} {row.words}" for row in rows], most=8)
        + ".",
        title="Labels that may be wrong by the scores alone, by given label",
    )


def _pairs(result: LabelIssues) -> Table:
    columns = (Column("given"), Column("suggested"), Column("rows", "integer"), Column("of the given label", "percent"))
    rows = tuple(
        (words.shown(item.given), words.shown(item.suggested), item.support, item.share)
        for item in result.pairs[:MOST_PAIRS]
    )
    caption = (
        "Pairs of labels that are most often in doubt. In doubt are the most suspicious rows, as many as the scores "
        "contradict in all: of one label they may be more than may be wrong."
    )
    return Table(columns, rows, caption)


def _first(result: LabelIssues) -> Table:
    work = result.worklist
    columns = (
        Column("", "integer"),
        Column("row"),
        Column("given"),
        Column("suggested"),
        Column("suspicion", "number"),
    )
    shown = [at for at, rank in enumerate(work.rank) if rank < MOST_ROWS]
    rows = tuple(
        (
            work.rank[at] + 1,
            words.shown(work.id[at]),
            _value(work.given[at]),
            _value(work.suggested[at]),
            work.score[at],
        )
        for at in shown
    )
    caption = (
        "The most suspicious labels. errata.audit(record) draws the rows to check; errata.audited(record, decisions) "
        "says what they tell."
    )
    return Table(columns, rows, caption, keys=tuple(str(work.id[at]) for at in shown))


def _value(label: object) -> str:
    return words.number(label) if isinstance(label, float) else words.shown(label)
