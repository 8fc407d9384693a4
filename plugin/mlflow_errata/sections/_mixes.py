"""Charts of mixes: what every weight brings, and what is given up in one outcome for another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow_errata.blocks import Chart
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import BLUE, GREY, PURPLE, SKY, VERMILLION, Series, Spec, chart, legend_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata.diagnoses._mixes import Kind, Mix, Ranking, Swept
    from mlflow_errata.estimate import Estimate

HEIGHT, TALL = 230, 300
FRONT, BEHIND = Series("mix on the front", BLUE, "circle"), Series("other mix", SKY, "circle")
HERE = Series("this mix", BLUE, "diamond")
LOOKS: Mapping[Kind, Series] = {
    "current": Series("score in use", VERMILLION, "triangle-up"),
    "chosen": Series("weights chosen on other rows", BLUE, "diamond"),
    "equal": Series("equal weights", SKY, "cross"),
    "combined": Series("one model", PURPLE, "square"),
    "rule": Series("simple rule", GREY, "square"),
}
BESIDE: tuple[Kind, ...] = ("current", "combined", "rule")


def axis_of(unit: str) -> Spec:
    """How an axis of a measure reads: shares in percent."""
    return {"format": ".0%" if words.is_share(unit) else "~g", "tickCount": 5, "labelOverlap": False}


def curve(sweep: Swept, at: int) -> Chart:
    """What the mix is worth at every weight of the second of two scores; other rankings as level lines."""
    first, second = (words.shown(name) for name in sweep.scores)
    unit = sweep.mixes[0].goal.unit
    rows = [_on_curve(mix) for mix in sweep.mixes]
    beside = [item for item in sweep.rankings if item.kind in BESIDE]
    ends = [row["low"] for row in rows] + [item.goal.value for item in beside]
    tops = [row["high"] for row in rows] + [item.goal.value for item in beside]
    room = 0.06 * (max(tops) - min(ends)) or 1.0
    x: Spec = {
        "field": "share",
        "type": "quantitative",
        "title": f"weight of {second}; the rest is that of {first}",
        "scale": {"domain": [0, 1], "nice": False},
        "axis": {"format": ".0%", "tickCount": 5},
    }
    scale = {"domain": [min(ends) - room, max(tops) + room], "nice": False, "zero": False}
    y: Spec = {"field": "value", "type": "quantitative", "title": None, "axis": axis_of(unit), "scale": scale}
    layers = [
        {
            "data": {"values": rows},
            "mark": {"type": "area", "color": BLUE, "opacity": 0.25},
            "encoding": {
                "x": x,
                "y": y | {"field": "low"},
                "y2": {"field": "high"},
                "tooltip": [{"field": "share", "format": ".0%", "title": "weight"}, {"field": "words", "title": unit}],
            },
        },
        {
            "data": {"values": rows},
            "mark": {"type": "line", "color": BLUE, "strokeWidth": 2, "tooltip": None},
            "encoding": {"x": x, "y": y},
        },
        *(layer for place, item in enumerate(beside) for layer in _level(item, y, place)),
        _here(rows[at], x, y),
    ]
    named = words.listed([f"{LOOKS[item.kind].words} {words.value(item.goal)}" for item in beside])
    best = sweep.mixes[sweep.best]
    return Chart(
        chart({"height": HEIGHT}, layer=layers),
        alt=f"{words.capital(unit)} by the weight of {second}: most, {words.estimate(best.goal)}, at "
        f"{words.percent(best.shares[1])}. Beside it: {named}.",
        title=f"{words.capital(unit)}, by weight (95 % interval)",
    )


def _on_curve(mix: Mix) -> dict[str, Any]:
    goal = mix.goal
    return {
        "share": mix.shares[1],
        "value": goal.value,
        "low": goal.low,
        "high": goal.high,
        "words": words.estimate(goal),
    }


def _level(item: Ranking, y: Spec, place: int) -> list[Spec]:
    look = LOOKS[item.kind]
    data = {"values": [{"value": item.goal.value, "words": f"{look.words} {words.value(item.goal)}"}]}
    side = "right" if place % 2 else "left"
    text = {"type": "text", "align": side, "color": look.colour, "fontSize": 11, "dy": -7, "tooltip": None}
    x = {"value": {"expr": "width - 4"} if place % 2 else 4}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": look.colour, "strokeDash": [5, 3], "strokeWidth": 1.5, "tooltip": None},
            "encoding": {"y": y},
        },
        {"data": data, "mark": text, "encoding": {"y": y, "x": x, "text": {"field": "words"}}},
    ]


def _here(row: dict[str, Any], x: Spec, y: Spec) -> Spec:
    return {
        "data": {"values": [row]},
        "mark": {"type": "point", "shape": "diamond", "filled": True, "opacity": 1, "size": 130, "color": BLUE}
        | {"tooltip": None},
        "encoding": {"x": x, "y": y},
    }


def front(sweep: Swept, at: int) -> Chart:
    """What mixes bring in the first outcome against the second; the front, and other rankings with their intervals."""
    names = [words.shown(name) for name in sweep.outcomes[:2]]
    mixes = [_point(mix.outcomes, FRONT if mix.pareto else BEHIND, sweep, mix.shares) for mix in sweep.mixes]
    here = _point(sweep.mixes[at].outcomes, HERE, sweep, sweep.mixes[at].shares)
    beside = [_point(item.outcomes, LOOKS[item.kind], sweep, None) for item in sweep.rankings if item.kind in BESIDE]
    series = [FRONT, BEHIND, HERE, *(LOOKS[item.kind] for item in sweep.rankings if item.kind in BESIDE)]
    used = {row["series"] for row in (*mixes, here, *beside)}
    legend = legend_of([item for item in series if item.words in used])
    axes = [
        {"field": "xy"[side], "type": "quantitative", "title": _of(sweep.mixes[0].outcomes[side].unit, names[side])}
        | {"axis": axis_of(sweep.mixes[0].outcomes[side].unit), "scale": {"zero": False, "nice": True}}
        for side in (0, 1)
    ]
    x, y = axes
    marked = [here, *beside]
    spans = [
        {
            "data": {"values": marked},
            "mark": {"type": "rule", "color": GREY, "strokeWidth": 1.5, "tooltip": None},
            "encoding": {"x": x | {"field": "x_low"}, "x2": {"field": "x_high"}, "y": y},
        },
        {
            "data": {"values": marked},
            "mark": {"type": "rule", "color": GREY, "strokeWidth": 1.5, "tooltip": None},
            "encoding": {"y": y | {"field": "y_low"}, "y2": {"field": "y_high"}, "x": x},
        },
    ]
    tooltip = [
        {"field": "series", "title": "what"},
        {"field": "weights", "title": "weights"},
        {"field": "x_words", "title": names[0]},
        {"field": "y_words", "title": names[1]},
    ]
    points = [
        {
            "data": {"values": rows},
            "mark": {"type": "point", "filled": True, "opacity": 1, "size": size},
            "encoding": {"x": x, "y": y, "tooltip": tooltip, **legend},
        }
        for rows, size in ((mixes, 28), (marked, 120))
    ]
    n_front = sum(mix.pareto for mix in sweep.mixes)
    return Chart(
        chart({"height": TALL}, layer=[points[0], *spans, points[1]]),
        alt=f"{names[1]} against {names[0]} of {len(mixes)} mixes, {n_front} of them on the front. This mix: "
        f"{here['x_words']} and {here['y_words']}; " + words.listed(_beside_words(sweep)) + ".",
        title=f"{words.capital(names[0])} against {names[1]} (crosses: 95 % intervals)",
    )


def _beside_words(sweep: Swept) -> list[str]:
    return [
        f"{LOOKS[item.kind].words}: {' and '.join(words.value(each) for each in item.outcomes[:2])}"
        for item in sweep.rankings
        if item.kind in BESIDE
    ]


def _of(unit: str, name: str) -> str:
    return f"share of {name}" if words.is_share(unit) else unit.partition(" in ")[0]


def _point(outcomes: Sequence[Estimate], look: Series, sweep: Swept, shares: Sequence[float] | None) -> dict[str, Any]:
    row: dict[str, Any] = {"series": look.words, "weights": "" if shares is None else mix_words(sweep, shares)}
    for axis, each in zip("xy", outcomes, strict=False):
        row |= {axis: each.value, f"{axis}_low": each.low, f"{axis}_high": each.high}
        row[f"{axis}_words"] = words.estimate(each)
    return row


def mix_words(sweep: Swept, shares: Sequence[float]) -> str:
    """The weights of a mix: 40 % p_buy and 60 % expected_spend."""
    parts = [f"{100 * share:.0f} % {words.shown(name)}" for name, share in zip(sweep.scores, shares, strict=True)]
    return words.listed(parts)
