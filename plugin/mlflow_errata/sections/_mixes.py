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
    """How an axis of differences reads: shares in percent."""
    return {"format": "+.1%" if words.is_share(unit) else "+~g", "tickCount": 5, "labelOverlap": False}


def curve(sweep: Swept, at: int) -> Chart:
    """What the mix gains on the score in use at every weight of the second of two scores; others as level lines."""
    first, second = (words.shown(name) for name in sweep.scores)
    unit = sweep.mixes[0].goal.unit
    rows = [_on_curve(mix) for mix in sweep.mixes]
    beside = [item for item in sweep.rankings if item.kind in BESIDE]
    levels = [item.gain.value for item in beside]
    low, high = min(*levels, *(row["low"] for row in rows)), max(*levels, *(row["high"] for row in rows))
    room = 0.08 * (high - low) or 1.0
    x: Spec = {
        "field": "share",
        "type": "quantitative",
        "title": f"weight of {second}; the rest is that of {first}",
        "scale": {"domain": [0, 1], "nice": False},
        "axis": {"format": ".0%", "tickCount": 5},
    }
    scale = {"domain": [low - room, high + room], "nice": False, "zero": False}
    y: Spec = {"field": "value", "type": "quantitative", "title": None, "axis": axis_of(unit), "scale": scale}
    tooltip = [{"field": "share", "format": ".0%", "title": "weight"}, {"field": "words", "title": "gain"}]
    layers = [
        {
            "data": {"values": rows},
            "mark": {"type": "area", "color": BLUE, "opacity": 0.25},
            "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "tooltip": tooltip},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "line", "color": BLUE, "strokeWidth": 2, "tooltip": None},
            "encoding": {"x": x, "y": y},
        },
        *(layer for place, item in enumerate(beside) for layer in _level(item, y, place)),
        {
            "data": {"values": [rows[at]]},
            "mark": {"type": "point", "shape": HERE.shape, "filled": True, "opacity": 1, "size": 130, "color": BLUE}
            | {"tooltip": None},
            "encoding": {"x": x, "y": y},
        },
    ]
    named = words.listed([f"{LOOKS[item.kind].words} {words.value(item.goal)}" for item in beside])
    best = sweep.mixes[sweep.best]
    return Chart(
        chart({"height": HEIGHT}, layer=layers),
        alt=f"Gain in the {unit} by the weight of {second}: most, {words.change(best.gain)}, at "
        f"{words.percent(best.shares[1])}. Levels: {named}.",
        title=f"Gain on the score in use, in the {unit} (95 % interval, paired)",
    )


def _on_curve(mix: Mix) -> dict[str, Any]:
    gain = mix.gain
    return {
        "share": mix.shares[1],
        "value": _short(gain.value),
        "low": _short(gain.low),
        "high": _short(gain.high),
        "words": words.change(gain),
    }


def _short(x: float) -> float:
    return float(f"{x:.4g}")


def _level(item: Ranking, y: Spec, place: int) -> list[Spec]:
    """A level line with its name: the first at the left, the others further right, so that names do not meet."""
    look, value = LOOKS[item.kind], _short(item.gain.value)
    data = {"values": [{"value": value, "words": f"{look.words} {words.value(item.goal)}"}]}
    text = {"type": "text", "align": "left", "color": look.colour, "fontSize": 11, "dy": -7, "tooltip": None}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": look.colour, "strokeDash": [5, 3], "strokeWidth": 1.5, "tooltip": None},
            "encoding": {"y": y},
        },
        {
            "data": data,
            "mark": text,
            "encoding": {"y": y, "x": {"value": {"expr": f"4 + {place} * width / 4"}}, "text": {"field": "words"}},
        },
    ]


def front(sweep: Swept, at: int) -> Chart:
    """What mixes gain in two outcomes on the score in use; the front, and other rankings with their intervals."""
    names = [words.shown(name) for name in sweep.outcomes[:2]]
    mixes = [_point(mix.gains, FRONT if mix.pareto else BEHIND, mix_words(sweep, mix.shares)) for mix in sweep.mixes]
    here = _point(sweep.mixes[at].gains, HERE, mix_words(sweep, sweep.mixes[at].shares))
    others = [item for item in sweep.rankings if item.kind in BESIDE]
    beside = [_point(item.gains, LOOKS[item.kind], "") for item in others]
    series = [FRONT, BEHIND, HERE, *(LOOKS[item.kind] for item in others)]
    used = {row["series"] for row in (*mixes, here, *beside)}
    legend = legend_of([item for item in series if item.words in used])
    x, y = (
        {"field": axis, "type": "quantitative", "title": f"gain in {_short_unit(gain.unit, name)}"}
        | {"axis": axis_of(gain.unit), "scale": {"zero": False}}
        for axis, name, gain in zip("xy", names, sweep.mixes[0].gains, strict=False)
    )
    marked = [here, *beside]
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
    told = [
        f"{LOOKS[item.kind].words}: {' and '.join(words.change(each) for each in item.gains[:2])}" for item in others
    ]
    return Chart(
        chart({"height": TALL}, layer=[points[0], *_crosses(marked, x, y), points[1]]),
        alt=f"Gain in {names[1]} against {names[0]} of {len(mixes)} mixes, "
        f"{sum(mix.pareto for mix in sweep.mixes)} of them on the front. This mix: {here['x_words']} and "
        f"{here['y_words']}; {words.listed(told)}.",
        title=f"{names[1]} against {names[0]}: gains on the score in use (crosses: 95 % intervals, paired)",
    )


def _crosses(rows: list[dict[str, Any]], x: Spec, y: Spec) -> list[Spec]:
    mark = {"type": "rule", "color": GREY, "strokeWidth": 1.5, "tooltip": None}
    ends: list[Spec] = [
        {"x": x | {"field": "x_low"}, "x2": {"field": "x_high"}, "y": y},
        {"y": y | {"field": "y_low"}, "y2": {"field": "y_high"}, "x": x},
    ]
    return [{"data": {"values": rows}, "mark": mark, "encoding": each} for each in ends]


def _short_unit(unit: str, name: str) -> str:
    return f"the share of {name}" if words.is_share(unit) else words.shown(unit.partition(" in ")[0])


def _point(gains: Sequence[Estimate], look: Series, weights: str) -> dict[str, Any]:
    row: dict[str, Any] = {"series": look.words, "weights": weights}
    for axis, each in zip("xy", gains, strict=False):
        row |= {axis: _short(each.value), f"{axis}_low": _short(each.low), f"{axis}_high": _short(each.high)}
        row[f"{axis}_words"] = words.change(each)
    return row


def mix_words(sweep: Swept, shares: Sequence[float]) -> str:
    """The weights of a mix: 40 % p_buy and 60 % expected_spend."""
    parts = [f"{100 * share:.0f} % {words.shown(name)}" for name, share in zip(sweep.scores, shares, strict=True)]
    return words.listed(parts)
