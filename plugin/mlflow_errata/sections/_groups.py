"""Groups of classes in pictures: what stays within them, and the confusions in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Chart
from mlflow_errata.diagnoses.class_imbalance import ClassImbalance
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import GREY, Dot, Series, Spec, chart, dots, of_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.diagnoses._hierarchy import Hierarchy
    from mlflow_errata.record.schema import Record

MOST_CELLS = 40
"""Classes that the matrix shows."""
APART, ALIKE = of_status("bad", "far beyond chance"), of_status("good", "as chance would have it")
CHANCE = Series("by chance", GREY, "diamond")


def shares(found: Sequence[Hierarchy]) -> Chart:
    """Share of the wrong rows that stay within their group, beside chance."""
    rows = []
    for item in found:
        name = "groups of the confusions" if item.column is None else words.shown(item.column)
        series = APART if item.found else ALIKE
        rows.append(Dot(name, item.chance, CHANCE.words))
        rows.append(
            Dot(name, item.within.value, series.words, item.within.low, item.within.high, words.estimate(item.within))
        )
    axis: Spec = {"title": "wrong rows within their group (95 % interval)", "axis": {"format": ".0%", "tickCount": 5}}
    told = words.listed([f"{row.name} {row.words}" for row in rows if row.words], most=8)
    return Chart(
        dots(rows, (APART, ALIKE, CHANCE), x=axis, domain=(0, 1)),
        alt=f"Share of the wrong rows within their group: {told}.",
        title="What is wrong stays within the group",
    )


def matrix(found: Sequence[Hierarchy], record: Record) -> list[Block]:
    """Confusions with the classes in the order of the groups; nothing for many classes, or where none are known."""
    counted = record.results.get("class_imbalance")
    best = max(found, key=lambda item: item.within.value - item.chance)
    labels = [label for group in best.groups for label in group]
    if not isinstance(counted, ClassImbalance) or not counted.confusions or len(labels) > MOST_CELLS:
        return []
    names = [words.shown(label) for label in labels]
    cells: list[dict[str, object]] = [
        {
            "label": words.shown(item.label),
            "prediction": words.shown(item.prediction),
            "share": item.share,
            "rows": item.support,
        }
        for item in counted.confusions
    ]
    shaded: list[dict[str, object]] = [
        {"label": words.shown(one), "prediction": words.shown(other)}
        for group in best.groups
        for one in group
        for other in group
    ]
    by = "the confusions" if best.column is None else words.shown(best.column)
    return [
        Chart(
            _cells(names, cells, shaded),
            alt=f"Confusions with the classes in groups told by {by}: {words.estimate(best.within)} of the wrong rows "
            "lie within the groups.",
            title=f"Confusions, classes in groups told by {by} (shaded), in % of the rows of a class",
        )
    ]


def _cells(names: list[str], cells: list[dict[str, object]], shaded: list[dict[str, object]]) -> Spec:
    band: Spec = {"type": "nominal", "sort": None, "scale": {"domain": names, "paddingInner": 0.05}}
    axis: Spec = {
        "labelOverlap": False,
        "labelFlush": False,
        "domain": False,
        "ticks": False,
        "grid": False,
        "labelLimit": 120,
    }
    place: Spec = {
        "y": {"field": "label", "title": "class", "axis": axis, **band},
        "x": {"field": "prediction", "title": "taken for", "axis": axis | {"labelAngle": -60}, **band},
    }
    colour: Spec = {
        "field": "share",
        "type": "quantitative",
        "title": "of the class",
        "legend": {"format": ".0%", "orient": "top"},
        "scale": {"type": "sqrt", "range": ["#FDEBD8", "#F5B98A", "#D55E00"]},
    }
    told = [
        {"field": "label", "title": "class"},
        {"field": "prediction", "title": "taken for"},
        {"field": "rows"},
        {"field": "share", "format": ".1%"},
    ]
    return chart(
        {"height": {"step": 18}},
        layer=[
            {"data": {"values": shaded}, "mark": {"type": "rect", "color": GREY, "opacity": 0.22}, "encoding": place},
            {
                "data": {"values": cells},
                "mark": {"type": "rect"},
                "encoding": place | {"color": colour, "tooltip": told},
            },
        ],
    )
