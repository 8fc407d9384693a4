"""How many labels lie around the predictions, and within predicted quantiles, in words and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Chart, Column, Table, Text, Verdict
from mlflow_errata.diagnoses._reach import COVERED
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import Dot, Spec, dots, of_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.diagnoses._coverage import Coverage
    from mlflow_errata.diagnoses.calibration import Calibration
    from mlflow_errata.estimate import Estimate

TOO_FEW, FITS = of_status("bad", "fewer than asked for"), of_status("good", "as many as asked for")
TOO_MANY = of_status("unsure", "more than asked for")
OFF, ON = of_status("bad", "off beyond chance, and it counts"), of_status("good", "not off to speak of")
MISSES = {
    "too narrow": "too narrow",
    "too wide": "too wide",
    "uneven": "too narrow in places and too wide in others",
}


def reach(result: Calibration) -> list[Block]:
    """How far around the predictions the labels lie, over the predicted value."""
    known = [(item.said, item.covered) for item in result.bins if item.covered is not None]
    if result.reach is None or not known:
        return []
    far, level = words.number(result.reach), words.percent(COVERED)
    fewest, most = (pick(known, key=lambda pair: pair[1].value) for pick in (min, max))
    said = (
        f"Half of the rows say that {level} of the labels lie within {far} of the prediction. "
        f"Of the other half, that holds {words.estimate(fewest[1])} where {words.number(fewest[0])} is said and "
        f"{words.estimate(most[1])} where {words.number(most[0])} is: "
    )
    said += (
        "intervals have to be wider in some places than in others."
        if result.uneven
        else "one width serves all predictions, as far as can be told."
    )
    return [Text(said), _over(known, COVERED, f"Labels within {far} of the prediction", level)]


def verdict(found: Coverage) -> Verdict:
    """How predicted quantiles miss."""
    held = (
        f"{_subject(found)} hold {words.estimate(found.covered)} of the labels and say {words.percent(found.nominal)}"
    )
    if found.shape is not None:
        return Verdict("bad", f"Intervals are {MISSES[found.shape]}. {held}.")
    off = [window for window in found.windows if window.off]
    if off:
        worst = max(off, key=lambda window: abs(window.gap.value))
        return Verdict(
            "bad",
            f"Intervals miss in {words.plural(len(off), 'window')} of {len(found.windows)}, most from "
            f"{words.moment(worst.start, found.unit)} on, where {words.percent(worst.happened)} of the labels lie "
            f"within. {held} over all rows.",
        )
    if found.slices:
        first = found.slices[0]
        return Verdict(
            "bad",
            f"Intervals miss in {words.plural(len(found.slices), 'slice')}, most where {words.shown(first.condition)}: "
            f"{words.percent(first.happened)} of the labels lie within. {held} over all rows.",
        )
    return Verdict("good", f"Intervals hold what they say. {held}.")


def section(found: Coverage) -> list[Block]:
    """The share of the labels within predicted quantiles: on the whole, over the prediction, by window and slice."""
    level = words.percent(found.nominal)
    width = "" if found.width is None else f" They are {words.number(found.width)} wide on average."
    crossed = ""
    if found.n_crossed:
        crossed = f" In {words.plural(found.n_crossed, 'row')} a quantile lies below one of a lower level."
    blocks: list[Block] = [
        Text(f"{verdict(found).sentence}{width}{crossed}"),
        _limits(found),
        _over(
            [(item.said, item.covered) for item in found.bins if item.covered is not None],
            found.nominal,
            "Labels within the predicted interval, over the prediction",
            level,
        ),
    ]
    if found.windows:
        blocks.append(_windows(found))
    if found.slices:
        blocks.append(_slices(found))
    return blocks


def _subject(found: Coverage) -> str:
    names = [words.shown(limit.column) for limit in found.limits]
    return f"Intervals up to {names[0]}" if len(names) == 1 else f"Intervals from {names[0]} to {names[-1]}"


def _limits(found: Coverage) -> Table:
    columns = (
        Column("quantile"),
        Column("says", "percent"),
        Column("labels at or below it", "percent"),
        Column("95 % interval"),
    )
    rows = tuple(
        (words.shown(limit.column), limit.level, limit.below.value, words.interval(limit.below))
        for limit in found.limits
    )
    return Table(columns, rows, "Predicted quantiles, and the labels at or below each.")


def _over(known: Sequence[tuple[float, Estimate]], nominal: float, title: str, level: str) -> Chart:
    """Shares held over the predicted value, beside the share asked for."""
    names = words.distinct([f"{words.number(said)} said" for said, _ in known])
    rows = [
        Dot(
            name=name,
            value=covered.value,
            low=covered.low,
            high=covered.high,
            series=(TOO_FEW if covered.high < nominal else TOO_MANY if covered.low > nominal else FITS).words,
            words=words.value(covered),
        )
        for name, (_, covered) in zip(names, known, strict=True)
    ]
    axis: Spec = {"title": "labels within (95 % interval)", "axis": {"format": ".0%", "tickCount": 5}}
    lowest = min(nominal, *(covered.low for _, covered in known))
    return Chart(
        dots(rows, (TOO_FEW, FITS, TOO_MANY), x=axis, domain=(max(0.0, lowest - 0.05), 1.0), rule=nominal),
        alt=f"{title}: " + words.listed([f"{row.name} {row.words}" for row in rows], most=10) + ".",
        title=f"{title} (dashed: {level})",
    )


def _windows(found: Coverage) -> Chart:
    names = words.distinct([words.moment(window.start, found.unit) for window in found.windows])
    rows = [
        Dot(
            name=name,
            value=window.happened,
            low=max(0.0, window.said + window.gap.low),
            high=min(1.0, window.said + window.gap.high),
            series=(OFF if window.off else ON).words,
            words=words.percent(window.happened),
        )
        for name, window in zip(names, found.windows, strict=True)
    ]
    axis: Spec = {"title": "labels within (95 % interval)", "axis": {"format": ".0%", "tickCount": 5}}
    lowest = min(found.nominal, *(row.low or 0.0 for row in rows))
    return Chart(
        dots(rows, (OFF, ON), x=axis, domain=(max(0.0, lowest - 0.05), 1.0), rule=found.nominal),
        alt="Labels within the predicted interval, per window: "
        + words.listed([f"{row.name} {row.words}" for row in rows], most=12)
        + ".",
        title=f"Labels within the predicted interval over time (dashed: {words.percent(found.nominal)})",
    )


def _slices(found: Coverage) -> Table:
    columns = (Column("slice"), Column("rows", "integer"), Column("labels within", "percent"), Column("95 % interval"))
    rows = tuple(
        (
            words.shown(item.condition),
            item.support,
            item.happened,
            _ends(item.said + item.gap.low, item.said + item.gap.high),
        )
        for item in found.slices
    )
    return Table(columns, rows, "Slices whose share differs from that of all rows, beyond chance over all of them.")


def _ends(low: float, high: float) -> str:
    return f"{words.percent(max(0.0, low))} to {words.percent(min(1.0, high))}"
