"""Several labels a row: what each diagnosis says of every label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Column, Fact, Facts, Table, Text
from mlflow_errata.sections import _words as words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.diagnoses._label_drift import LabelDrift
    from mlflow_errata.diagnoses._together import LabelsTogether
    from mlflow_errata.diagnoses.calibration import LabelCalibration
    from mlflow_errata.diagnoses.class_imbalance import ClassShare
    from mlflow_errata.diagnoses.slice_errors import LabelSlices
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record.schema import Record
    from mlflow_errata.steps._shape import NextStep

INTERVAL = "95 % interval"


def together(found: LabelsTogether) -> list[Block]:
    """Labels of a row taken together: how many it has, which never occur, and every metric of them all."""
    facts = Facts(
        (
            Fact("labels per row", words.number(found.cardinality), f"of {found.n_labels}"),
            Fact("predicted per row", words.number(found.predicted_density.value * found.n_labels)),
            Fact("labels not known", words.percent(found.unknown), "left out, never taken for a no"),
        )
    )
    metrics = Table(
        (Column("over all labels"), Column("value", "number"), Column(INTERVAL)),
        tuple((words.metric(item.unit), item.value, words.interval(item)) for item in found.metrics),
        "Metrics of all labels at once; labels that are not known count nowhere.",
    )
    blocks: list[Block] = [facts, metrics]
    for names, said in ((found.never_seen, "hold for no row here"), (found.never_predicted, "are never predicted")):
        if names:
            blocks.append(Text(f"Labels that {said}: {words.listed([words.quoted(name) for name in names], most=20)}."))
    return blocks


def shares(labels: Sequence[ClassShare]) -> Table:
    """Every label as two classes: how often it holds, is found, and is right where it is predicted."""
    columns = (
        Column("label"),
        Column("rows", "integer"),
        Column("share", "percent"),
        Column("recall", "percent"),
        Column("recall of its absence", "percent"),
        Column("precision", "percent"),
    )
    rows = tuple(
        (words.shown(item.label), item.support, item.share.value, *map(_value, _parts(item))) for item in labels
    )
    return Table(columns, rows, "Every label as a yes or no of its own, most frequent first.")


def _parts(item: ClassShare) -> tuple[Estimate | None, ...]:
    return item.recall, item.specificity, item.precision


def _value(measured: Estimate | None) -> float | None:
    return None if measured is None else measured.value


def slices(labels: Sequence[LabelSlices]) -> Table:
    """Slices in which one label is wrong more often than outside."""
    columns = (
        Column("label"),
        Column("slice"),
        Column("rows", "integer"),
        Column("error rate", "percent"),
        Column(INTERVAL),
        Column("overall", "percent"),
    )
    rows = tuple(
        (
            words.shown(label.label),
            words.conditions(item),
            item.support,
            item.error.value,
            words.interval(item.error),
            label.overall.value,
        )
        for label in labels
        for item in label.slices
    )
    return Table(
        columns, rows, "Slices of one label by itself, confirmed at its share of the 5 % that alarms may cost."
    )


def calibrations(labels: Sequence[LabelCalibration]) -> Table:
    """What was said of each label against what happened."""
    columns = (
        Column("label"),
        Column("calibration error", "percent"),
        Column(INTERVAL),
        Column("said", "percent"),
        Column("happened", "percent"),
        Column("verdict"),
    )
    rows = tuple(
        (
            words.shown(item.label),
            item.error.value,
            words.interval(item.error, unit="share of rows"),
            item.said,
            item.said + item.gap.value,
            "off" if item.off else "agrees",
        )
        for item in labels
    )
    return Table(columns, rows, "Every label by itself; the curve above is that of the first.")


def drifts(labels: Sequence[LabelDrift]) -> Table:
    """Every label before and since the cut."""
    columns = (
        Column("label"),
        Column("share before", "percent"),
        Column("share now", "percent"),
        Column("metric"),
        Column("before", "number"),
        Column("now", "number"),
        Column("change"),
        Column("verdict"),
    )
    rows = tuple(
        (
            words.shown(item.label),
            item.rate_before.value,
            item.rate_now.value,
            "" if item.now is None else words.metric(item.now.unit),
            _value(item.before),
            _value(item.now),
            "" if item.change is None else words.change(item.change),
            "served worse" if item.worse else "more or less frequent" if item.moved else "as before",
        )
        for item in labels
    )
    return Table(columns, rows, "Every label by itself, those served worse first.")


def worse(labels: Sequence[LabelDrift]) -> str:
    """Labels that are served worse, in a sentence."""
    named = [
        f"{words.quoted(item.label)} ({words.change(item.change)})"
        for item in labels
        if item.worse and item.change is not None
    ]
    return f"Labels served worse by themselves: {words.listed(named)}."


def code(step: NextStep, record: Record) -> str:
    """What takes a step by hand, for a model of all labels; a recipe has one label."""
    labels = f"labels = {list(record.dataset.classes)!r}\n"
    fit = f"{labels}model = clone(model).fit(rows[features], rows[labels])"
    if step.params.get("thresholds"):
        told = {name: round(cut, 4) for name, cut in step.params["thresholds"].items()}
        return f"thresholds = {told!r}\nsaid = scores >= list(thresholds.values())  # scores: one column a label"
    if step.kind == "change_model":
        return (
            "from sklearn.base import clone\n\n"
            f"{labels}model = clone(model).set_params(**{step.params.get('set', {})!r})\n"
            "model.fit(train[features], train[labels])"
        )
    if step.kind == "retrain_recent":
        keep = "" if set(step.params) <= {"since"} else f"  # then keep, or weight, rows by their age: {step.params}"
        return (
            f"import pandas as pd\nfrom sklearn.base import clone\n\nrows = pd.concat([train, evaluation]){keep}\n{fit}"
        )
    return ""
