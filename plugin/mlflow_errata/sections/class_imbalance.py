"""Class imbalance in words and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Chart, Column, Fact, Facts, NotMade, Table, Text, Verdict
from mlflow_errata.diagnoses.class_imbalance import FEWEST, RARE, WORTH_A_LOOK
from mlflow_errata.sections import _by_label
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._class_panels import DIAGONAL, INK, ORANGES, in_percent, panels
from mlflow_errata.sections._marks import GREY, Dot, Series, Spec, chart, dots, log_axis, of_status

if TYPE_CHECKING:
    from mlflow_errata.diagnoses.class_imbalance import ClassImbalance, ClassShare
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record.schema import Record

TITLE = "Class imbalance"
MOST_BESIDE = 6
"""Classes up to which rows, recall and confusions stand side by side."""
MOST_CELLS = 15
"""Classes up to which confusions are drawn as a matrix."""
UPRIGHT = 4
"""Classes whose names fit side by side under the matrix."""
MOST_PAIRS = 20
"""Confusions that a table shows."""
MOST_CLASSES = 30
"""Classes that a chart or a table shows."""
WORSE = of_status("bad", "rare and recalled worse than the commonest")
FINE = of_status("good", "no worse to speak of, or not rare")
FEW = of_status("unsure", f"fewer than {FEWEST} rows: too few to judge")
ROWS = Series("rows of the class", GREY, "circle")


def not_made(reason: str, record: Record) -> NotMade:
    """Why the classes were not compared."""
    if record.summary.task == "regression":
        return NotMade("Classes were not compared: the label is a number.")
    return NotMade(f"Classes were not compared: the comparison {reason}.")


def verdict(result: ClassImbalance, record: Record) -> Verdict:  # noqa: ARG001 - the shared shape
    """Whether rare classes pay for being rare."""
    commonest = result.classes[0]
    ratio = f"{words.number(result.imbalance_ratio)} to 1"
    if result.hurts:
        return Verdict("bad", _hurt(result, commonest))
    if result.imbalance_ratio < 1 / RARE:
        return Verdict("good", f"No class is rare: the commonest has {ratio} rows against the rarest.")
    rare = [item for item in result.classes if 0 < item.support <= RARE * commonest.support]
    if not any(item.judged for item in rare):
        return Verdict("unsure", f"Classes are imbalanced ({ratio}); the rare ones have fewer than {FEWEST} rows each.")
    return Verdict(
        "good",
        f"Classes are imbalanced ({ratio}), and no rare class is recalled worse than the commonest by "
        f"{100 * WORTH_A_LOOK:.0f} points or more and beyond chance.",
    )


def _hurt(result: ClassImbalance, commonest: ClassShare) -> str:
    hurts = [item for item in result.classes if item.label in result.hurts and item.recall is not None]
    if result.together is not None:
        return _hurt_labels(result, hurts)
    worst = min(hurts, key=lambda item: item.recall.value if item.recall is not None else 1.0)
    count = (
        f"Class {words.quoted(worst.label)} is rare and recalled worse"
        if len(hurts) == 1
        else f"{len(hurts)} rare classes are recalled worse; the worst is {words.quoted(worst.label)}"
    )
    return (
        f"{count}: recall {_or_none(worst.recall)} at {words.value(worst.share)} of the rows, against "
        f"{_or_none(commonest.recall)} for the commonest class, {words.quoted(commonest.label)}."
    )


def _hurt_labels(result: ClassImbalance, hurts: list[ClassShare]) -> str:
    """Labels of several whose rarer answer is recalled worse than the other."""
    told = [
        f"{words.quoted(item.label)} (recalled {_or_none(item.recall)}, its absence {_or_none(item.specificity)}, "
        f"{words.value(item.share)} of the rows have it)"
        for item in hurts
    ]
    return (
        f"Of {words.plural(len(result.classes), 'label')}, {len(told)} pay for being rare: of two answers the rarer "
        f"one is recalled worse. They are {words.listed(told)}."
    )


def _or_none(measured: Estimate | None) -> str:
    return "not known" if measured is None else words.estimate(measured)


def section(result: ClassImbalance, record: Record) -> list[Block]:
    """Support and recall of the classes, and what they are taken for."""
    shown, beside = _most_telling(result), result.together is None and len(result.classes) <= MOST_BESIDE
    blocks: list[Block] = [verdict(result, record), _facts(result)]
    if beside:
        blocks.append(panels(result, (WORSE, FINE, FEW), [_stands_for(item, result) for item in result.classes]))
    else:
        blocks += [_support(shown), _recall(shown, result)]
    if len(shown) < len(result.classes):
        blocks.append(
            Text(f"Shown are the commonest class and those recalled worst: {len(shown)} of {len(result.classes)}.")
        )
    if result.moved:
        blocks.append(Text(_moved(result)))
    if result.together is not None:
        return [*blocks, *_by_label.together(result.together), _by_label.shares(shown)]
    blocks.append(_table(shown))
    if result.confusions and not beside:
        blocks.append(_matrix(result) if len(result.classes) <= MOST_CELLS else _confusions(result))
    if result.inside:
        blocks.append(_inside(result))
    return blocks


def _inside(result: ClassImbalance) -> Table:
    """Classes that are rare inside slices, and pay for it."""
    columns = (
        Column("slice"),
        Column("class"),
        Column("rows of the class", "integer"),
        Column("share inside"),
        Column("share elsewhere"),
        Column("recall inside"),
        Column("recall elsewhere"),
    )
    rows = tuple(
        (
            words.shown(item.condition),
            words.shown(item.label),
            item.support,
            words.estimate(item.share),
            words.estimate(item.share_elsewhere),
            words.estimate(item.recall),
            words.estimate(item.recall_elsewhere),
        )
        for item in result.inside
    )
    return Table(
        columns,
        rows,
        "Slices in which a class is at most half as frequent as elsewhere and recalled worse, beyond chance over all.",
    )


def _moved(result: ClassImbalance) -> str:
    """Classes that are more, or less, frequent than in training."""
    named = [
        f"{words.quoted(item.label)} ({words.value(item.share)} of the rows, {words.value(item.trained)} in training)"
        for item in result.classes
        if item.label in result.moved and item.trained is not None
    ]
    return (
        f"The share of {words.plural(len(named), 'class', 'classes')} differs from that in training, beyond chance: "
        f"{words.listed(named)}. A threshold set on the training shares may not fit."
    )


def _most_telling(result: ClassImbalance) -> tuple[ClassShare, ...]:
    """All classes, or the commonest and those recalled worst, most frequent first."""
    first, rest = result.classes[0], result.classes[1:]
    worst = sorted(rest, key=lambda item: 2.0 if item.recall is None else item.recall.value)[: MOST_CLASSES - 1]
    return (first, *(item for item in rest if item in worst))


def _facts(result: ClassImbalance) -> Facts:
    first, last = result.classes[0], result.classes[-1]
    facts = [
        Fact("imbalance ratio", words.number(result.imbalance_ratio), "commonest / rarest class"),
        Fact(
            "classes",
            words.count(len(result.classes)),
            f"worth {words.number(result.effective_classes)} equal ones",
        ),
    ]
    facts += [
        Fact(f"recall of {words.shown(item.label)}", words.value(item.recall), words.interval(item.recall))
        for item in (first, last)
        if item.recall is not None
    ]
    return Facts(tuple(facts))


def _names(shown: tuple[ClassShare, ...]) -> list[str]:
    return words.distinct([item.label for item in shown])


def _support(shown: tuple[ClassShare, ...]) -> Chart:
    rows = [
        Dot(name, item.support, ROWS.words, words=words.count(item.support))
        for name, item in zip(_names(shown), shown, strict=True)
        if item.support
    ]
    support = [row.value for row in rows]
    domain = (min(support) / 2, max(support) * 2)
    return Chart(
        dots(rows, (ROWS,), x=log_axis("rows (log scale)", domain, format="~s"), domain=domain),
        alt="Rows of each class: " + words.listed([f"{row.name} {row.words}" for row in rows], most=8) + ".",
        title="Rows of each class",
    )


def _stands_for(item: ClassShare, result: ClassImbalance) -> Series:
    return WORSE if item.label in result.hurts else FINE if item.judged else FEW


def _recall(shown: tuple[ClassShare, ...], result: ClassImbalance) -> Chart:
    rows = [
        Dot(
            name=name,
            value=item.recall.value,
            low=item.recall.low,
            high=item.recall.high,
            series=_stands_for(item, result).words,
            words=words.value(item.recall),
        )
        for name, item in zip(_names(shown), shown, strict=True)
        if item.recall is not None
    ]
    axis: Spec = {"title": "recall (95 % interval)", "axis": {"format": ".0%", "tickCount": 5}}
    return Chart(
        dots(rows, (WORSE, FINE, FEW), x=axis, domain=(0, 1)),
        alt="Recall of each class: " + words.listed([f"{row.name} {row.words}" for row in rows], most=8) + ".",
        title="Recall of each class",
    )


def _table(shown: tuple[ClassShare, ...]) -> Table:
    columns: tuple[Column, ...] = (
        Column("class"),
        Column("rows", "integer"),
        Column("share", "percent"),
        Column("recall", "percent"),
        Column("95 % interval"),
        Column("precision", "percent"),
        Column("95 % interval of precision"),
    )
    ranked = any(item.average_precision is not None for item in shown)
    trained = any(item.trained is not None for item in shown)
    columns += (Column("average precision", "number"), Column("95 % interval of it")) if ranked else ()
    columns += (Column("share in training", "percent"),) if trained else ()
    rows = tuple(
        (
            words.shown(item.label),
            item.support,
            item.share.value,
            None if item.recall is None else item.recall.value,
            _said_of(item),
            None if item.precision is None else item.precision.value,
            "" if item.precision is None else words.interval(item.precision),
            *(_estimated(item.average_precision) if ranked else ()),
            *((None if item.trained is None else item.trained.value,) if trained else ()),
        )
        for item in shown
    )
    return Table(columns, rows, "Classes from most to least frequent.")


def _said_of(item: ClassShare) -> str:
    """The interval of the recall, or that there are too few rows for one to say anything."""
    if not item.judged:
        return words.too_few(item.support)
    return "" if item.recall is None else words.interval(item.recall)


def _estimated(measured: Estimate | None) -> tuple[float | None, str]:
    return (None, "") if measured is None else (measured.value, words.interval(measured))


def _confusions(result: ClassImbalance) -> Table:
    columns = (Column("class"), Column("taken for"), Column("rows", "integer"), Column("of the class", "percent"))
    rows = tuple(
        (words.shown(item.label), words.shown(item.prediction), item.support, item.share)
        for item in result.confusions[:MOST_PAIRS]
    )
    return Table(columns, rows, f"The {len(rows)} most frequent confusions.")


def _matrix(result: ClassImbalance) -> Chart:
    right = [
        {"label": words.shown(item.label), "prediction": words.shown(item.label), "share": item.recall.value}
        for item in result.classes
        if item.recall is not None
    ]
    wrong = [
        {"label": words.shown(item.label), "prediction": words.shown(item.prediction), "share": item.share}
        | {"rows": item.support}
        for item in result.confusions
    ]
    for cell in (*right, *wrong):
        cell["words"] = in_percent(float(cell["share"]))  # type: ignore[arg-type]
    names = [words.shown(item.label) for item in result.classes]
    worst = result.confusions[0]
    return Chart(
        _cells(names, right, wrong),
        alt="Share of each class by what it is predicted as. "
        f"Most rows: {words.shown(worst.label)} taken for {words.shown(worst.prediction)}, "
        f"{words.plural(worst.support, 'row')}, {words.percent(worst.share)} of it.",
        title="What each class is taken for, in % of its rows (confusions in orange)",
    )


def _band(names: list[str], gap: float) -> Spec:
    return {"type": "nominal", "scale": {"domain": names, "paddingInner": gap}}


def _cells(names: list[str], right: list[dict[str, object]], wrong: list[dict[str, object]]) -> Spec:
    axis: Spec = {
        "labelOverlap": False,
        "labelFlush": False,
        "domain": False,
        "ticks": False,
        "grid": False,
        "labelPadding": 6,
    }
    tilt = {"labelLimit": 120, "labelAngle": 0 if len(names) <= UPRIGHT else -45}
    place: Spec = {
        "y": {"field": "label", "title": "class", "axis": axis | {"labelLimit": 220}, **_band(names, 0.06)},
        "x": {"field": "prediction", "title": "predicted as", "axis": axis | tilt, **_band(names, 0.02)},
    }
    most = max(float(cell["share"]) for cell in wrong)  # type: ignore[arg-type]
    orange: Spec = {"field": "share", "type": "quantitative", "legend": None}
    orange["scale"] = {"domain": [0, most], "range": ORANGES}
    said: Spec = {"text": {"field": "words"}, **place}
    ink: Spec = {"type": "text", "color": INK, "fontSize": 11, "tooltip": None}
    return chart(
        {"height": {"step": 28}},
        layer=[
            {"data": {"values": right}, "mark": {"type": "rect", "color": DIAGONAL}, "encoding": place},
            {"data": {"values": wrong}, "mark": {"type": "rect"}, "encoding": place | {"color": orange}},
            {"data": {"values": right}, "mark": ink, "encoding": said},
            {"data": {"values": wrong}, "mark": ink, "encoding": said},
        ],
    )
