"""Charts of mixes: what every weight brings, and what is given up in one outcome for another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow_errata.blocks import Chart
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import BLUE, GREY, PLAIN, PURPLE, SKY, VERMILLION, Series, Spec, chart, legend_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow_errata.diagnoses._mixes import Kind, Mix, Ranking, Swept
    from mlflow_errata.estimate import Estimate

HEIGHT, TALL = 230, 300
FRONT, BEHIND = Series("mix on the front", BLUE, "circle"), Series("other mix", SKY, "triangle-down")
HERE = Series("this mix", BLUE, "diamond")
LOOKS: Mapping[Kind, Series] = {
    "current": Series("score in use", VERMILLION, "triangle-up"),
    "chosen": Series("weights chosen on other rows", BLUE, "diamond"),
    "equal": Series("equal weights", SKY, "triangle-down"),
    "combined": Series("one model", PURPLE, "cross"),
    "rule": Series("simple rule", GREY, "square"),
}
BESIDE: tuple[Kind, ...] = ("current", "combined", "rule")


def axis_of(unit: str) -> Spec:
    """How an axis of differences reads: shares in percent."""
    return {"format": "+.1%" if words.is_share(unit) else f"+{PLAIN}", "tickCount": 5, "labelOverlap": False}


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
    tooltip = [{"field": "share", "format": ".0%", "title": "weight"}] + [
        {"field": name, "format": y["axis"]["format"], "title": title}
        for name, title in (("value", "gain"), ("low", "from"), ("high", "to"))
    ]
    layers = [
        {
            "mark": {"type": "area", "color": BLUE, "opacity": 0.25},
            "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "tooltip": tooltip},
        },
        {
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
        chart({"height": HEIGHT, "data": {"values": rows}}, layer=layers),
        alt=f"Gain in the {unit} by the weight of {second}: most, {words.change(best.gain)}, at "
        f"{words.percent(best.shares[1])}. Levels: {named}.",
        title=f"Gain on the score in use, in the {unit} (95 % interval, paired)",
    )


def _on_curve(mix: Mix) -> dict[str, Any]:
    ends = {"value": mix.gain.value, "low": mix.gain.low, "high": mix.gain.high}
    return {"share": mix.shares[1]} | {name: _short(end) for name, end in ends.items()}


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
    mixes = [_dot(mix) for mix in sweep.mixes]
    here = _crossed(sweep.mixes[at].gains, HERE)
    others = [item for item in sweep.rankings if item.kind in BESIDE]
    beside = [_crossed(item.gains, LOOKS[item.kind]) for item in others]
    series = [FRONT, BEHIND, HERE, *(LOOKS[item.kind] for item in others)]
    used = {row["series"] for row in (*mixes, here, *beside)}
    legend = legend_of([item for item in series if item.words in used])
    x, y = (_axis(axis, gain, name) for axis, name, gain in zip("xy", names, sweep.mixes[0].gains, strict=False))
    marked = [here, *beside]
    tooltip: list[Spec] = [{"field": "series", "title": "what"}]
    tooltip += [{"field": axis["field"], "title": axis["title"], "format": axis["axis"]["format"]} for axis in (x, y)]
    of_mixes = [*tooltip, {"field": "weights", "title": f"weights of {words.listed(names_of(sweep))}"}]
    points = [
        {
            "data": {"values": rows},
            "mark": {"type": "point", "filled": True, "opacity": 1, "size": size},
            "encoding": {"x": x, "y": y, "tooltip": shown, **legend},
        }
        for rows, size, shown in ((mixes, 28, of_mixes), (marked, 120, tooltip))
    ]
    told = [f"{LOOKS[item.kind].words}: {_both(item)}" for item in others]
    return Chart(
        chart({"height": TALL}, layer=[points[0], *_crosses(marked, x, y), points[1]]),
        alt=f"Gain in {names[1]} against {names[0]} of {len(mixes)} mixes, "
        f"{sum(mix.pareto for mix in sweep.mixes)} of them on the front. This mix: {_both(sweep.mixes[at])}; "
        f"{words.listed(told)}.",
        title=f"{names[1]} against {names[0]}: gains on the score in use (crosses: 95 % intervals, paired)",
    )


def _crosses(rows: list[dict[str, Any]], x: Spec, y: Spec) -> list[Spec]:
    mark = {"type": "rule", "color": GREY, "strokeWidth": 1.5, "tooltip": None}
    ends: list[Spec] = [
        {"x": x | {"field": "x_low"}, "x2": {"field": "x_high"}, "y": y},
        {"y": y | {"field": "y_low"}, "y2": {"field": "y_high"}, "x": x},
    ]
    return [{"data": {"values": rows}, "mark": mark, "encoding": each} for each in ends]


def _axis(axis: str, gain: Estimate, name: str) -> Spec:
    unit = f"the share of {name}" if words.is_share(gain.unit) else words.shown(gain.unit.partition(" in ")[0])
    told = {"field": axis, "type": "quantitative", "title": f"gain in {unit}"}
    return told | {"axis": axis_of(gain.unit), "scale": {"zero": False}}


def _both(item: Mix | Ranking) -> str:
    return " and ".join(words.change(each) for each in item.gains[:2])


def _dot(mix: Mix) -> dict[str, Any]:
    shares = " : ".join(f"{100 * share:.0f}" for share in mix.shares)
    x, y = (_short(each.value) for each in mix.gains[:2])
    return {"series": (FRONT if mix.pareto else BEHIND).words, "weights": shares, "x": x, "y": y}


def _crossed(gains: Sequence[Estimate], look: Series) -> dict[str, Any]:
    row: dict[str, Any] = {"series": look.words}
    for axis, each in zip("xy", gains, strict=False):
        row |= {axis: _short(each.value), f"{axis}_low": _short(each.low), f"{axis}_high": _short(each.high)}
    return row


def names_of(sweep: Swept) -> list[str]:
    """The scores as they are shown."""
    return [words.shown(name) for name in sweep.scores]


def mix_words(sweep: Swept, shares: Sequence[float]) -> str:
    """The weights of a mix: 40 % p_buy and 60 % expected_spend."""
    parts = [f"{100 * share:.0f} % {words.shown(name)}" for name, share in zip(sweep.scores, shares, strict=True)]
    return words.listed(parts)
