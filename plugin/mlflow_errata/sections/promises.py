"""Promised and delivered in words and pictures: the iterations of an experiment, and the track record of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow_errata._track import branchings, tracks
from mlflow_errata.blocks import Block, Chart, Column, Table, Text
from mlflow_errata.sections import _words as words
from mlflow_errata.sections import loop
from mlflow_errata.sections._marks import BLUE, GREY, NOTE, PURPLE, SKY, VERMILLION, Series, Spec, chart, legend_of
from mlflow_errata.steps import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata._choices import Outcome
    from mlflow_errata.blocks import Cell
    from mlflow_errata.tracking.outcomes import Iteration

GREEN = "#009E73"
HEIGHT, SQUARE = 240, 320
STEPS = (
    (GREY, "circle"),
    (BLUE, "circle"),
    (VERMILLION, "triangle-up"),
    (PURPLE, "diamond"),
    (BLUE, "square"),
    (SKY, "triangle-down"),
)
"""Colour and shape of the kinds of steps; no status is meant."""
FIRST = "first run"
FLAT = "M-1.2,-0.16H1.2V0.16H-1.2Z"
"""A thin level bar as the shape of a point."""


def section(iterations: Sequence[Iteration]) -> list[Block]:
    """The iterations of an experiment: how many, what each step promised and delivered, and what branches did."""
    blocks: list[Block] = [Text(attempts(iterations))]
    units = dict.fromkeys(_unit(item.outcome) for item in iterations if item.outcome is not None)
    names = {item.row.run_id: words.shown(item.row.name) for item in iterations}
    before = {item.row.run_id: item.follows for item in iterations if item.follows is not None}
    blocks += [_course([item for item in iterations if _in(item, unit)], unit, names, before) for unit in units if unit]
    followed = [item for item in iterations if item.outcome is not None]
    if followed:
        blocks.append(_ledger(followed, names))
    return [*blocks, *_branches(iterations)]


def attempts(iterations: Sequence[Iteration]) -> str:
    """How many runs there were, and what became of the steps that they proposed."""
    outcomes = [item.outcome for item in iterations if item.outcome is not None]
    declined = sum(choice.verdict == "decline" for item in iterations for choice in item.choices)
    accepted = sum(choice.verdict == "accept" for item in iterations for choice in item.choices)
    said = f"{words.plural(len(iterations), 'diagnosed run')}, {words.plural(accepted, 'accepted step')}"
    said += f", {declined} declined" if declined else ""
    if not outcomes:
        return (
            f"{said}; none was followed by a run yet. Accept a step on the page Next step, and call "
            "errata.follow(run_id) in the run that takes it."
        )
    pairs = [item for item in outcomes if item.missed_by is not None]
    inside = sum(item.missed_by == 0 for item in pairs)
    said += f", {words.plural(len(outcomes), 'attempt')} to take one."
    if pairs:
        said += f" {inside} of {words.plural(len(pairs), 'delivered gain')} within the promised 90 % interval."
    return said + (" The more attempts, the more of the best of them is luck." if len(outcomes) > 1 else "")


def track_record(outcomes: Sequence[Outcome]) -> list[Block]:
    """What steps of each kind promised and delivered over the whole store, and how well promises are calibrated."""
    known = tracks(outcomes)
    if not known:
        return [Text("No step of this store was taken yet, so its promises have no track record.")]
    columns = (
        Column("kind of step"),
        Column("taken", "integer"),
        Column("measured", "integer"),
        Column("within the promise", "integer"),
        Column("delivered / promised"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            loop.kind(name),
            track.n_taken,
            len(track.pairs),
            track.n_inside,
            "too few to say" if track.factor is None else words.estimate(track.factor),
        )
        for name, track in known.items()
    ]
    caption = (
        "Ratios with the interval for the next step of the kind, shrunk towards 1; from 5 measured steps of a kind on "
        "they correct its later promises."
    )
    pairs = [item for track in known.values() for item in track.pairs]
    units = dict.fromkeys(item.delivered.unit for item in pairs if item.delivered is not None)
    charts = [_calibration([item for item in pairs if _unit(item) == unit], unit) for unit in units]
    return [Table(columns, tuple(rows), caption=caption), *charts]


def _unit(item: Outcome) -> str:
    return "" if item.delivered is None else item.delivered.unit


def _series(name: str) -> Series:
    """A kind of step, in the same colour and shape wherever it is drawn."""
    known = [FIRST, *(loop.kind(kind) for kind in KINDS)]
    return Series(name, *STEPS[known.index(name) % len(STEPS) if name in known else -1])


def _in(item: Iteration, unit: str) -> bool:
    return item.outcome is not None and _unit(item.outcome) == unit


# -- the iterations ---------------------------------------------------------------------------------------------------


def _course(measured: Sequence[Iteration], unit: str, names: dict[str, str], before: dict[str, str]) -> Chart:
    """The gain since the run that was followed first, run by run: delivered with its interval, promised as a tick."""
    reached: dict[str, float] = {}
    points: list[dict[str, Any]] = []
    ticks: list[dict[str, Any]] = []
    for item in measured:
        outcome = item.outcome
        if outcome is None or outcome.delivered is None:
            continue
        origin = _origin(outcome.follows, reached, before)
        if origin is None:
            origin = outcome.follows
            reached[origin] = 0.0
            points.append(_start(names.get(origin, origin[:8])))
        base, gained = reached[origin], outcome.delivered
        reached[item.row.run_id] = base + gained.value
        place = words.shown(item.row.name)
        points.append(
            {
                "run": place,
                "value": base + gained.value,
                "low": base + gained.low,
                "high": base + gained.high,
                "series": loop.kind(outcome.kind) or "a step",
                "words": words.change(gained),
                "promised": "nothing" if outcome.promised is None else words.change(outcome.promised),
            }
        )
        if outcome.promised is not None:
            ticks.append(
                {"run": place, "value": base + outcome.promised.value, "words": words.change(outcome.promised)}
            )
    order = list(dict.fromkeys(point["run"] for point in points))
    kinds = list(dict.fromkeys(point["series"] for point in points))
    series = [_series(name) for name in kinds]
    told = "; ".join(
        f"{point['run']} by {point['series']} {point['words']}, promised {point['promised']}"
        for point in points
        if point["promised"]
    )
    return Chart(
        _course_spec(points, ticks, order, series, unit),
        alt=f"Gain in {words.metric(unit)} run by run: {told}.",
        title=f"Gain in {words.metric(unit)} since the first run (90 % interval; a green tick is what was promised)",
    )


def _origin(run_id: str | None, reached: dict[str, float], before: dict[str, str]) -> str | None:
    """The run, or the nearest that it follows, whose gain in this unit is known."""
    seen = set[str]()
    while run_id is not None and run_id not in reached and run_id not in seen:
        seen.add(run_id)
        run_id = before.get(run_id)
    return run_id if run_id in reached else None


def _start(name: str) -> dict[str, Any]:
    return {"run": name, "value": 0.0, "low": 0.0, "high": 0.0, "series": FIRST, "words": "0", "promised": ""}


def _course_spec(
    points: list[dict[str, Any]], ticks: list[dict[str, Any]], names: list[str], series: list[Series], unit: str
) -> Spec:
    x: Spec = {"field": "run", "type": "nominal", "sort": names, "title": None}
    x["axis"] = {"labelAngle": 0, "labelLimit": 120, "grid": False}
    y: Spec = {
        "field": "value",
        "type": "quantitative",
        "title": f"gain in {words.metric(unit)}",
        "axis": {"tickCount": 5},
    }
    words_of: Spec = {"type": "text", "color": NOTE, "fontSize": 11, "tooltip": None}
    reached = {tick["run"]: tick["value"] for tick in ticks}
    said = [  # above the interval and the tick
        {
            "run": point["run"],
            "value": max(point["high"], reached.get(point["run"], point["high"])),
            "words": point["words"],
        }
        for point in points
    ]
    tooltip = [
        {"field": "run"},
        {"field": "series", "title": "step"},
        {"field": "words", "title": "delivered"},
        {"field": "promised"},
    ]
    return chart(
        {"height": HEIGHT, "data": {"values": points}},
        layer=[
            {
                "data": {"values": [{"at": 0}]},
                "mark": {"type": "rule", "color": GREY, "strokeDash": [4, 3], "tooltip": None},
                "encoding": {"y": {"field": "at", "type": "quantitative"}},
            },
            {
                "mark": {
                    "type": "line",
                    "interpolate": "step-after",
                    "color": GREY,
                    "strokeWidth": 1.5,
                    "tooltip": None,
                },
                "encoding": {"x": x, "y": y},
            },
            {
                "mark": {"type": "rule", "color": GREY, "strokeWidth": 2.5, "tooltip": None},
                "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
            },
            {
                "data": {"values": ticks},
                "mark": {"type": "point", "shape": FLAT, "filled": True, "color": GREEN, "opacity": 1, "size": 420},
                "encoding": {"x": x, "y": y, "tooltip": [{"field": "run"}, {"field": "words", "title": "promised"}]},
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "size": 100},
                "encoding": {"x": x, "y": y, "tooltip": tooltip, **legend_of(series)},
            },
            {
                "data": {"values": said},
                "mark": words_of | {"dy": -12, "baseline": "bottom"},
                "encoding": {"x": x, "y": y, "text": {"field": "words"}},
            },
        ],
    )


def _ledger(followed: Sequence[Iteration], names: dict[str, str]) -> Table:
    columns = (
        Column("run"),
        Column("follows"),
        Column("step taken"),
        Column("promised"),
        Column("delivered"),
        Column("gain in"),
        Column("missed by"),
        Column("measured"),
    )
    rows = []
    for item in followed:
        outcome = item.outcome
        if outcome is None:
            continue
        how = loop.reason(outcome.reason) if outcome.delivered is None else loop.HOW.get(outcome.how, outcome.how)
        rows.append(
            (
                words.shown(item.row.name),
                names.get(outcome.follows, outcome.follows[:8]),
                words.shown(outcome.title),
                "nothing" if outcome.promised is None else words.change(outcome.promised),
                "not comparable" if outcome.delivered is None else words.change(outcome.delivered),
                words.metric(_unit(outcome) or ("" if outcome.promised is None else outcome.promised.unit)),
                _missed(outcome),
                how,
            )
        )
    caption = "Gains with 90 % intervals, more is better. 'Missed by' counts from the nearer end of what was promised."
    return Table(columns, tuple(rows), caption=caption)


def _missed(outcome: Outcome) -> str:
    missed = outcome.missed_by
    if missed is None:
        return "not known"
    return f"▲ {words.number(abs(missed))} {'less' if missed < 0 else 'more'}" if missed else "● within"


def _branches(iterations: Sequence[Iteration]) -> list[Block]:
    """Runs of which several steps were tried: what the suggested one missed against the best."""
    names = {item.row.run_id: words.shown(item.row.name) for item in iterations}
    found = branchings(item.outcome for item in iterations if item.outcome is not None)
    said = []
    for item in found:
        best = item.branches[0]
        line = (
            f"After {names.get(item.follows, item.follows[:8])} {words.plural(len(item.branches), 'step')} were taken; "
            f"{words.shown(best.title)} delivered most"
        )
        if item.regret is None:
            line += ", and the step that was suggested first was not taken."
        elif item.regret == 0:
            line += ": the step that was suggested first, so its regret is 0."
        else:
            line += f"; the regret of the suggested step is {words.number(item.regret)} {words.metric(item.unit)}."
        said.append(Text(line))
    return list(said)


# -- the calibration of promises --------------------------------------------------------------------------------------


def _calibration(pairs: Sequence[Outcome], unit: str) -> Chart:
    """Promised against delivered, each with its interval, and the line on which they are equal."""
    points: list[dict[str, Any]] = [
        {
            "promised": item.promised.value,
            "from": item.promised.low,
            "to": item.promised.high,
            "delivered": item.delivered.value,
            "low": item.delivered.low,
            "high": item.delivered.high,
            "series": loop.kind(item.kind),
            "words": f"promised {words.change(item.promised)}, delivered {words.change(item.delivered)}",
        }
        for item in pairs
        if item.promised is not None and item.delivered is not None
    ]
    ends = [point[end] for point in points for end in ("from", "to", "low", "high")]
    room = 0.05 * (max(*ends, 0.0) - min(*ends, 0.0)) or 1.0
    domain = [min(*ends, 0.0) - room, max(*ends, 0.0) + room]
    series = [_series(name) for name in dict.fromkeys(str(point["series"]) for point in points)]
    named = words.metric(unit)

    def axis(field: str, title: str) -> Spec:
        return {
            "field": field,
            "type": "quantitative",
            "title": title,
            "scale": {"domain": domain, "nice": False},
            "axis": {"tickCount": 5},
        }

    x, y = axis("promised", f"promised gain in {named}"), axis("delivered", f"delivered gain in {named}")
    rule: Spec = {"type": "rule", "color": GREY, "strokeWidth": 1.5, "opacity": 0.7, "tooltip": None}
    spec = chart(
        {"height": SQUARE, "data": {"values": points}},
        layer=[
            {
                "data": {"values": [{"at": domain[0]}, {"at": domain[1]}]},
                "mark": {"type": "line", "color": GREY, "strokeDash": [4, 3], "tooltip": None},
                "encoding": {"x": x | {"field": "at"}, "y": y | {"field": "at"}},
            },
            {"mark": rule, "encoding": {"x": x | {"field": "from"}, "x2": {"field": "to"}, "y": y}},
            {"mark": rule, "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}}},
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "size": 90},
                "encoding": {
                    "x": x,
                    "y": y,
                    "tooltip": [{"field": "series", "title": "step"}, {"field": "words", "title": "gain"}],
                    **legend_of(series),
                },
            },
        ],
    )
    told = words.listed([f"{point['series']} {point['words']}" for point in points], most=12)
    return Chart(
        spec,
        alt=f"Promised against delivered gains in {named}: {told}.",
        title=f"Promised and delivered in {named} (dashed: equal)",
    )
