"""Runs ranked by metrics, by value and by business figures, in words and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow_errata.blocks import Block, Chart, Column, Fact, Facts, NotMade, Table, Text, Verdict
from mlflow_errata.metric import catalogued
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import BLUE, GREY, NOTE, PLAIN, PURPLE, VERMILLION, Series, Spec, chart, legend_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata._compare_metrics import BusinessAgreement, MetricChoice, MetricComparison
    from mlflow_errata.tracking.metrics import Business

TITLE = "Value against metric over runs"
BUSINESS_TITLE = "Business figure against metric over runs"
HEIGHT = 240
CHOSEN, LEAST, BOTH, RUN = (
    Series("chosen by the metric", VERMILLION, "triangle-up"),
    Series("loses least", BLUE, "circle"),
    Series("chosen by the metric, and loses least", PURPLE, "diamond"),
    Series("other runs", GREY, "square"),
)
COMPARE_CODE = """with mlflow.start_run():
    errata.log(errata.diagnose(test, label="y", scores="p", value={"tp": 5, "fp": -1, "fn": -20, "tn": 0}))"""
BUSINESS_CODE = (
    """errata.business_metric("my experiment", "revenue")  # any metric that runs log with mlflow.log_metric"""
)
MOST_CHARTS = 2


def not_made(reason: str) -> NotMade:
    """Why runs were not compared, and what to add."""
    return NotMade(f"Runs were not compared by value: it {reason}.", COMPARE_CODE)


def verdict(found: MetricComparison) -> Verdict:
    """Whether the metric in use chooses the run that is worth most."""
    own, n = found.choices[0], len(found.runs)
    name = words.capital(words.metric(own.metric))
    agreement = f"Kendall's tau of the two orders is {words.estimate(own.rank_agreement)}"
    if not found.misled:
        rest = (
            "which is the run that loses least"
            if own.run == found.best_run
            else f"which is as good as the best within chance: it loses {words.estimate(own.regret)} more per row"
        )
        return Verdict("good", f"Of {n} runs {name} chooses {words.quoted(own.run)}, {rest}. {agreement}.")
    first = (
        f"Of {n} runs {name} chooses {words.quoted(own.run)}, which loses {words.estimate(own.regret)} of value per "
        f"row more than {words.quoted(found.best_run)}. {agreement}."
    )
    if found.better is None:
        return Verdict("bad", f"{first} No other metric chooses better beyond chance: choose by the value itself.")
    better = found.choice(found.better)
    return Verdict(
        "bad",
        f"{first} {words.capital(words.metric(better.metric))} would have chosen {words.quoted(better.run)}, with a "
        f"tau of {words.estimate(better.rank_agreement)}.",
    )


def section(found: MetricComparison) -> list[Block]:
    """The verdict, the runs by metric and value, what each metric would choose."""
    shown = [found.choices[0], *(() if found.better is None else (found.choice(found.better),))]
    blocks: list[Block] = [verdict(found), _facts(found), *(_scatter(found, item) for item in shown), _runs(found)]
    blocks.append(_choices(found))
    entry = catalogued(found.metric)
    if entry is not None and found.misled:
        blocks.append(Text(f"When {words.metric(found.metric)} misleads: {entry.misleads}"))
    if found.n_left_out:
        blocks.append(
            Text(f"{words.plural(found.n_left_out, 'run')} left out: measured on other rows, or without a value.")
        )
    return blocks


def _facts(found: MetricComparison) -> Facts:
    own = found.choices[0]
    return Facts(
        (
            Fact("runs", words.count(len(found.runs)), "on the same rows"),
            Fact("Kendall tau", words.value(own.rank_agreement), words.interval(own.rank_agreement)),
            Fact("value per row given away", words.value(own.regret), words.interval(own.regret)),
        )
    )


def _scatter(found: MetricComparison, choice: MetricChoice) -> Chart:
    rows: list[dict[str, Any]] = [
        {
            "run": words.shown(run),
            "x": figure,
            "y": lost.value,
            "low": lost.low,
            "high": lost.high,
            "words": words.estimate(lost),
            "series": _series(run, choice.run, found.best_run).words,
        }
        for run, figure, lost in zip(found.runs, choice.figures, found.lost, strict=True)
    ]
    name = words.metric(choice.metric)
    return Chart(
        _points(rows, (name, "value lost per row (95 % interval)"), (CHOSEN, LEAST, BOTH, RUN)),
        alt=f"Value lost per row against {name}: "
        + words.listed([f"{row['run']} {words.number(row['x'])} and {row['words']}" for row in rows], most=12)
        + ".",
        title=f"Value lost against {name}: each point is a run",
    )


def _series(run: str, chosen: str, best: str) -> Series:
    if run == chosen == best:
        return BOTH
    return CHOSEN if run == chosen else LEAST if run == best else RUN


def _points(rows: list[dict[str, Any]], titles: tuple[str, str], series: Sequence[Series]) -> Spec:
    """Points with their intervals, the marked ones named."""
    x, y = (
        {
            "field": key,
            "type": "quantitative",
            "title": title,
            "scale": {"zero": False, "padding": 18},
            "axis": {"tickCount": 5, "format": PLAIN},
        }
        for key, title in zip("xy", titles, strict=True)
    )
    used = [item for item in series if any(row["series"] == item.words for row in rows)]
    quiet = {"type": "text", "color": NOTE, "fontSize": 11, "tooltip": None, "dy": -12}
    layers: list[Spec] = []
    if "low" in rows[0]:
        layers.append(
            {
                "mark": {"type": "rule", "color": GREY, "strokeWidth": 1.5, "opacity": 0.7, "tooltip": None},
                "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
            }
        )
    layers += [
        {
            "mark": {"type": "point", "filled": True, "opacity": 1, "size": 90},
            "encoding": {
                "x": x,
                "y": y,
                "tooltip": [{"field": "run"}, {"field": "x", "title": titles[0]}, {"field": "words", "title": "value"}],
                **legend_of(used, shown=len(used) > 1),
            },
        },
        {
            "data": {"values": [row for row in rows if row["series"] != RUN.words]},
            "mark": quiet,
            "encoding": {"x": x, "y": y, "text": {"field": "run"}},
        },
    ]
    return chart({"height": HEIGHT, "data": {"values": rows}}, layer=layers)


def _runs(found: MetricComparison) -> Table:
    columns = (
        Column("run"),
        Column("value lost per row", "number"),
        Column("95 % interval"),
        Column(words.metric(found.metric), "number"),
        Column("chosen by"),
    )
    order = sorted(range(len(found.runs)), key=lambda at: found.lost[at].value)
    rows = tuple(
        (
            words.shown(found.runs[at]),
            found.lost[at].value,
            words.interval(found.lost[at]),
            found.choices[0].figures[at],
            words.listed([words.metric(item.metric) for item in found.choices if item.run == found.runs[at]], most=12),
        )
        for at in order
    )
    return Table(columns, rows, "Runs by the value they lose, and the metrics that would have chosen them.")


def _choices(found: MetricComparison) -> Table:
    columns = (
        Column("metric"),
        Column("Kendall tau with the value", "number"),
        Column("95 % interval"),
        Column("would choose"),
        Column("value per row it gives away", "number"),
        Column("95 % interval of it"),
    )
    rows = tuple(
        (
            words.metric(item.metric),
            item.rank_agreement.value,
            words.interval(item.rank_agreement),
            words.shown(item.run),
            item.regret.value,
            words.interval(item.regret),
        )
        for item in found.choices
    )
    return Table(columns, rows, "Metrics as judges of these runs: the one in use first, then the closest to the value.")


# -- business figures -------------------------------------------------------------------------------------------------


def business(told: Business | None) -> list[Block]:
    """Whether better metrics went with a better business figure; what to run where none was named."""
    if told is None:
        return [NotMade("No business figure was named for this experiment.", BUSINESS_CODE)]
    name, found = words.shown(told.name), told.agreements
    if not found:
        return [NotMade(f"No run logged {name} beside a metric of the catalogue.", f'mlflow.log_metric("{name}", ...)')]
    blocks: list[Block] = [_business_verdict(found, name)]
    drawn = [item for item in found if len(item.runs) > 1][:MOST_CHARTS]
    return [*blocks, *(_business_scatter(item, name) for item in drawn), _business_table(found, name)]


def _business_verdict(found: Sequence[BusinessAgreement], name: str) -> Verdict:
    against = [item for item in found if item.agrees is False]
    along = [item for item in found if item.agrees]
    told = [f"{words.metric(item.metric)} {_tau(item)}" for item in (*along, *against)]
    if against:
        return Verdict(
            "bad",
            f"Runs with a better {words.metric(against[-1].metric)} had a worse {name}. Kendall's tau: "
            f"{words.listed(told)}.",
        )
    if along:
        return Verdict("good", f"Better metrics went with a better {name}. Kendall's tau: {words.listed(told)}.")
    return Verdict("unsure", f"Whether better metrics go with a better {name} cannot be told yet. {_needed(found)}")


def _tau(item: BusinessAgreement) -> str:
    return "" if item.rank_agreement is None else words.estimate(item.rank_agreement)


def _needed(found: Sequence[BusinessAgreement]) -> str:
    known = [item for item in found if item.rank_agreement is not None]
    if not known:
        return f"There are {words.plural(max(len(item.runs) for item in found), 'run')}; 5 are the fewest."
    first = max(known, key=lambda item: abs(item.rank_agreement.value) if item.rank_agreement else 0.0)
    said = f"For {words.metric(first.metric)} tau is {_tau(first)} over {words.plural(len(first.runs), 'run')}"
    if first.n_needed is None or first.n_needed <= len(first.runs):
        return f"{said}."
    return f"{said}; an agreement of that size shows from {words.count(first.n_needed)} runs on."


def _business_scatter(item: BusinessAgreement, name: str) -> Chart:
    rows: list[dict[str, Any]] = [
        {"run": words.shown(run), "x": x, "y": y, "words": words.number(y), "series": RUN.words}
        for run, x, y in zip(item.runs, item.figures, item.business, strict=True)
    ]
    metric = words.metric(item.metric)
    return Chart(
        _points(rows, (metric, name), (RUN,)),
        alt=f"{name} against {metric}: "
        + words.listed([f"{row['run']} {words.number(row['x'])} and {row['words']}" for row in rows], most=12)
        + ".",
        title=f"{words.capital(name)} against {metric}: each point is a run",
    )


def _business_table(found: Sequence[BusinessAgreement], name: str) -> Table:
    columns = (
        Column("metric"),
        Column("runs", "integer"),
        Column("Kendall tau", "number"),
        Column("95 % interval"),
        Column("p-value", "number"),
        Column("runs needed to know", "integer"),
    )
    rows = tuple(
        (
            words.metric(item.metric),
            len(item.runs),
            None if item.rank_agreement is None else item.rank_agreement.value,
            "" if item.rank_agreement is None else words.interval(item.rank_agreement),
            item.p_value,
            item.n_needed,
        )
        for item in found
    )
    return Table(columns, rows, f"Metrics against {name} over runs; tau is positive where better went with better.")
