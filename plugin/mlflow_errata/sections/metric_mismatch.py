"""Metric mismatch in words and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Chart, Column, Fact, Facts, NotMade, Table, Text, Verdict
from mlflow_errata.diagnoses._thresholds import SURE, WORTH_A_LOOK
from mlflow_errata.diagnoses.metric_mismatch import FOLLOWS
from mlflow_errata.metric import catalogued
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._curves import decision_curve, threshold_curve
from mlflow_errata.sections._marks import GREY, Dot, Series, Spec, dots, of_status

if TYPE_CHECKING:
    from mlflow_errata.diagnoses._thresholds import ThresholdChoice
    from mlflow_errata.diagnoses.metric_mismatch import Blindness, MetricMismatch
    from mlflow_errata.record.schema import Record

TITLE = "Metric"
NO_VALUE = "No value was declared, so the metric is not held against what decisions are worth."
VALUE_CODE = (
    'Add value=: {"tp": 5, "fp": -1, "fn": -20, "tn": 0}, the name of a column of stakes, or a function of '
    "(y_true, decision) that gives the value of each row."
)
SHARE = "share of rows"
CLOSER, OWN = of_status("bad", "follows the value better than the metric in use"), Series("in use", GREY, "square")
OTHER = of_status("good", "other metrics")


def not_made(reason: str, record: Record) -> NotMade:
    """What to add so that the metric can be judged."""
    if "needs a value" in reason:
        return NotMade(NO_VALUE, VALUE_CODE)
    del record
    return NotMade(f"The metric was not judged: it {reason}.")


def verdict(result: MetricMismatch, record: Record) -> Verdict:
    """Whether the metric and the decisions serve the declared value."""
    said = []
    if result.threshold is not None and result.threshold.counts:
        said.append(_moved(result, result.threshold))
    if result.blind is not None:
        said.append(_blind(result, result.blind))
    if result.followed and result.better is not None:
        said.append(_closer(result))
    if said:
        return Verdict("bad", " ".join(said))
    if result.threshold is not None:
        return _settled(result, result.threshold)
    if result.rank_agreement is not None:
        return Verdict(
            "good",
            f"{_name(result.metric)} follows the value: over rows their correlation is "
            f"{words.estimate(result.rank_agreement)}, and no metric of the catalogue comes closer by {FOLLOWS:g} or "
            "more and beyond chance.",
        )
    del record
    return Verdict(
        "unsure", f"The decisions lose {_lost(result)}. Whether the metric ranks as the value does takes runs."
    )


def _name(metric: str) -> str:
    return words.capital(words.metric(metric))


def _lost(result: MetricMismatch) -> str:
    lost = "" if result.lost is None else words.estimate(result.lost)
    return f"{lost} of value per row against the best decision for each"


def _moved(result: MetricMismatch, choice: ThresholdChoice) -> str:
    used = "as they are" if choice.used is None else f"at {words.number(choice.used)}"
    first = (
        f"Decisions {used} lose {_lost(result)}; at {words.number(choice.best)} they would save "
        f"{words.estimate(choice.gain)} of it."
    )
    if result.better is None:
        return f"{first} {_name(result.metric)} would choose that threshold too: the decision alone has to move."
    return f"{first} {_name(result.better)} chooses by the value{_instead(result, choice)}."


def _instead(result: MetricMismatch, choice: ThresholdChoice) -> str:
    own = next((item for item in choice.by_metric if item.metric == result.metric), None)
    if own is None:
        return f"; {words.metric(result.metric)} chooses no threshold"
    return f"; {words.metric(result.metric)} would choose {words.number(own.threshold)}"


def _blind(result: MetricMismatch, blind: Blindness) -> str:
    return (
        f"{_name(result.metric)} does not see what the model tells: always saying the commonest class is right in "
        f"{words.percent(blind.majority)} of the rows, the model in {_points(blind)} more. But its "
        f"{words.metric(blind.told)} is {words.estimate(blind.telling)}, by chance {words.number(blind.chance)}."
    )


def _points(blind: Blindness) -> str:
    return words.change(blind.ahead)


def _closer(result: MetricMismatch) -> str:
    first = result.followed[0]
    own = "" if result.rank_agreement is None else words.estimate(result.rank_agreement)
    return (
        f"{_name(first.metric)} follows the value better than {words.metric(result.metric)}: over rows its correlation "
        f"with the value lost is {words.estimate(first.agreement)}, against {own}."
    )


def _settled(result: MetricMismatch, choice: ThresholdChoice) -> Verdict:
    """The best threshold saves nothing that can be told, too little, or something that is not sure enough to find."""
    used = "as they are" if choice.used is None else f"at {words.number(choice.used)}"
    best, saved = words.number(choice.best), f"{words.estimate(choice.gain)} per row"
    if choice.gain.low <= 0:
        return Verdict(
            "good",
            f"Decisions {used} are not known to lose more than any other threshold would: the best one, {best}, saves "
            f"{saved}, which includes 0.",
        )
    if result.lost is not None and choice.gain.value < WORTH_A_LOOK * result.lost.value:
        return Verdict(
            "good",
            f"Decisions {used} lose little against the best threshold, {best}: it saves {saved}, less than "
            f"{100 * WORTH_A_LOOK:.0f} % of the value lost.",
        )
    return Verdict(
        "unsure",
        f"The value may ask for another threshold: decisions {used} lose {_lost(result)}, and {best} saves {saved}, "
        f"above 0 at 95 % but not at the {100 * SURE:.0f} % that a finding takes.",
    )


def section(result: MetricMismatch, record: Record) -> list[Block]:
    """The verdict, thresholds against value, the decision curve, metrics beside the value."""
    blocks: list[Block] = [verdict(result, record), _facts(result)]
    if result.threshold is not None:
        blocks += [threshold_curve(result.threshold), _thresholds(result.threshold), _choices(result.threshold)]
    if result.followed:
        blocks += [_followed(result), _followed_table(result)]
    if result.curve:
        blocks += [decision_curve(result.curve), _curve_table(result)]
    entry = catalogued(result.metric)
    if entry is not None:
        blocks.append(Text(f"When {words.metric(result.metric)} misleads: {entry.misleads}"))
    if result.lost is None:
        blocks.append(Text(f"{NO_VALUE} {VALUE_CODE}"))
    return blocks


def _facts(result: MetricMismatch) -> Facts:
    facts = []
    if result.lost is not None:
        facts.append(Fact("value lost per row", words.value(result.lost), words.interval(result.lost)))
    if result.threshold is not None:
        choice = result.threshold
        facts += [
            Fact("threshold used", "none" if choice.used is None else words.number(choice.used)),
            Fact(
                "best threshold",
                words.number(choice.best),
                f"as good: {words.number(choice.as_good[0])} to {words.number(choice.as_good[1])}",
            ),
            Fact("value per row it saves", words.value(choice.gain), words.interval(choice.gain)),
        ]
    if result.rank_agreement is not None:
        agreement = result.rank_agreement
        facts.append(Fact(agreement.unit, words.value(agreement), f"{words.metric(result.metric)} and value"))
    if result.blind is not None:
        facts.append(Fact("commonest class", words.percent(result.blind.majority), "of the rows"))
    return Facts(tuple(facts))


def _thresholds(choice: ThresholdChoice) -> Table:
    columns = (Column("threshold", "number"), Column("value lost per row", "number"), Column("95 % interval"))
    rows = tuple((point.threshold, point.lost.value, words.interval(point.lost)) for point in choice.curve)
    return Table(columns, rows, "What every threshold would lose on these rows.")


def _choices(choice: ThresholdChoice) -> Table:
    columns = (
        Column("chosen by"),
        Column("threshold", "number"),
        Column("loses more than the choice by value", "number"),
        Column("95 % interval"),
    )
    rows = tuple(
        (words.metric(item.metric), item.threshold, item.regret.value, words.interval(item.regret))
        for item in choice.by_metric
    )
    return Table(
        columns, rows, "Thresholds that metrics would choose; four fifths of the rows chose, the others judged."
    )


def _followed(result: MetricMismatch) -> Chart:
    own = result.rank_agreement
    rows = [
        Dot(
            words.metric(item.metric),
            item.agreement.value,
            (CLOSER if item.metric == result.better else OWN if item.agreement == own else OTHER).words,
            item.agreement.low,
            item.agreement.high,
            words.value(item.agreement),
        )
        for item in result.followed
    ]
    ends = [row.low or 0.0 for row in rows]
    axis: Spec = {"title": "correlation with the value lost, over rows (95 % interval)", "axis": {"tickCount": 5}}
    return Chart(
        dots(rows, (CLOSER, OWN, OTHER), x=axis, domain=(min(0.0, *ends), 1.05)),
        alt="Correlation with the value lost: " + words.listed([f"{row.name} {row.words}" for row in rows], 8) + ".",
        title="Which metric follows the value",
    )


def _followed_table(result: MetricMismatch) -> Table:
    columns = (Column("metric"), Column("correlation", "number"), Column("95 % interval"))
    rows = tuple(
        (words.metric(item.metric), item.agreement.value, words.interval(item.agreement)) for item in result.followed
    )
    return Table(columns, rows, "Correlation over rows of what a metric counts with the value lost, closest first.")


def _curve_table(result: MetricMismatch) -> Table:
    columns = (
        Column("acting from", "number"),
        Column("net benefit by the scores", "number"),
        Column("95 % interval"),
        Column("acting on every row", "number"),
    )
    rows = tuple(
        (point.threshold, point.model.value, words.interval(point.model), point.everyone) for point in result.curve
    )
    return Table(columns, rows, "Net benefit per row: true alarms less false ones at the odds of the threshold.")
