"""Slice errors in words and pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlflow_errata.blocks import Block, Chart, Column, Fact, Facts, NotMade, Table, Text, Verdict
from mlflow_errata.sections import _by_label, slice_review
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import Dot, Spec, dots, of_status

if TYPE_CHECKING:
    from mlflow_errata.diagnoses._named import NamedSlice
    from mlflow_errata.diagnoses.slice_errors import Slice, SliceErrors
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record.schema import Record

TITLE = "Slice errors"
LINE_OF_NAME = 32
"""Characters of a slice's name on one line of the chart, so that a phone has room for the dots."""
MOST_CONTRASTED = 5
"""Slices whose contrasts are told."""
MOST_TOLD = 3
"""Contrasts of a slice that are told in a sentence."""
SUSPECTED = (
    "Suspected: these pass at a false discovery rate of 10 % only, so about one in ten of such slices is chance, or "
    "their error is not above that of all rows once it allows for their having been picked. Check them on new rows "
    "before acting."
)
BEYOND, UNCLEAR = (
    of_status("bad", "more errors than elsewhere"),
    of_status("unsure", "interval includes 0"),
)


def not_made(reason: str, record: Record) -> NotMade:
    """What to add so that slices can be searched."""
    remedy = "" if record.dataset.slice_columns else 'Offer columns to slice on: slice_by=["...", "..."].'
    return NotMade(f"Slices were not searched: the search {reason}.", remedy)


def verdict(result: SliceErrors, record: Record) -> Verdict:  # noqa: ARG001 - the shared shape
    """How many slices stand out, and the worst of them."""
    overall = words.value(result.overall)
    if not result.slices and result.labels:
        first, n = result.labels[0], len(result.labels)
        return Verdict(
            "bad",
            "Over all labels no slice is distinguishable from chance; in slices of their own "
            f"{words.plural(n, 'label')} {'is' if n == 1 else 'are'} wrong more often. {words.quoted(first.label)} is, "
            f"where {words.conditions(first.slices[0])}: {words.estimate(first.slices[0].error)}, "
            f"{words.value(first.overall)} overall.",
        )
    if not result.slices:
        return Verdict(
            "good",
            f"{_none(result)}: {result.overall.unit} {overall}, {words.plural(result.n_examined, 'slice')} examined.",
        )
    worst = result.slices[0]
    return Verdict(
        "bad",
        f"{words.plural(len(result.slices), 'slice')} with more errors than chance allows. The worst is "
        f"{words.conditions(worst)}: {worst.error.unit} {words.estimate(worst.error)} on "
        f"{words.plural(worst.support, 'row')}, {overall} overall.",
    )


def _none(result: SliceErrors) -> str:
    n = len(result.suspected)
    if not n:
        return "No slice is distinguishable from chance"
    return f"No slice is confirmed, {words.count(n)} {'is' if n == 1 else 'are'} suspected"


def section(result: SliceErrors, record: Record) -> list[Block]:
    """The slices by impact, how they were looked for, and what could have been seen."""
    blocks: list[Block] = [verdict(result, record), _facts(result), Text(_search(result))]
    if result.slices:
        blocks += [_by_impact(result), _table(result.slices, _caption(result.slices))]
        blocks += [Text(line) for line in _apart(result.slices)]
        blocks += [*_course(result), *_overlaps(result.slices)]
    if result.labels:
        blocks.append(_by_label.slices(result.labels))
    if result.suspected:
        blocks.append(_table(result.suspected, SUSPECTED))
    if result.named:
        blocks.append(_named(result))
    return blocks + [Text(note) for note in _notes(result, record) if note]


def explained(result: SliceErrors, record: Record) -> list[Block]:
    """What a page says below the slices that it lists by itself: those of single labels, those by name, and notes."""
    blocks: list[Block] = [_by_label.slices(result.labels)] if result.labels else []
    if result.named:
        blocks.append(_named(result))
    return [*blocks, *(Text(note) for note in _notes(result, record) if note), Text(_search(result))]


def finding(item: Slice) -> str:
    """One slice in a sentence."""
    times = f", {words.number(item.lift)} times that of all rows" if item.lift > 1 else ""
    return (
        f"Where {words.conditions(item)} the {item.error.unit} is {words.estimate(item.error)} on "
        f"{words.plural(item.support, 'row')}{times}."
    )


def _facts(result: SliceErrors) -> Facts:
    facts = [
        Fact(f"{result.overall.unit} overall", words.value(result.overall), words.interval(result.overall)),
        Fact("slices confirmed", words.count(len(result.slices)), _suspected(result)),
        Fact("slices examined", words.count(result.n_examined), f"in {words.plural(len(result.columns), 'column')}"),
    ]
    if result.slices:
        worst = result.slices[0]
        facts.append(Fact("errors in the worst slice", words.percent(worst.share_of_errors), "of all errors"))
    return Facts(tuple(facts))


def _suspected(result: SliceErrors) -> str:
    return f"and {words.count(len(result.suspected))} suspected" if result.suspected else "family-wise 5 %"


def _search(result: SliceErrors) -> str:
    looked = (
        f"Every slice of {_depth(result)} conditions over {words.plural(len(result.columns), 'column')} was examined, "
        f"{words.count(result.n_examined)} in all; a slice is confirmed only if so many looks would bring it up by "
        f"chance in at most 5 % of tables{_permuted(result)}.{_drawn(result)}"
    )
    if result.detectable_excess is None:
        return looked
    return (
        f"{looked} A slice of the median support needed about {_amount(result.detectable_excess, result)} more than "
        "its share to be seen; smaller faults can be hidden."
    )


def _permuted(result: SliceErrors) -> str:
    if not result.n_permutations:
        return ""
    runs = ", each of which moves all of them by the same time" if result.in_time else ""
    if result.by_group:
        runs = ", in each of which every group takes the errors of another"
    return f", as {words.plural(result.n_permutations, 'permutation')} of the errors tell{runs}"


def _depth(result: SliceErrors) -> str:
    return "one to three" if result.n_drawn else "one or two"


def _drawn(result: SliceErrors) -> str:
    if not result.n_drawn:
        return " Slices of three conditions were too many to be examined."
    if result.n_drawn < result.overall.n:
        return f" Those of three conditions were looked for in a draw of {words.plural(result.n_drawn, 'row')}."
    return ""


def _amount(excess: float, result: SliceErrors) -> str:
    if result.overall.unit == "error rate":
        return words.plural(max(1, round(excess)), "error")
    return f"{words.number(excess)} of summed error"


def _by_impact(result: SliceErrors) -> Chart:
    rows = [
        Dot(
            name=_in_lines(at, item),
            value=item.excess.value,
            low=item.excess.low,
            high=item.excess.high,
            series=(BEYOND if item.excess.low > 0 else UNCLEAR).words,
            words=words.number(item.excess.value) if abs(item.excess.value) < 10 else words.count(item.excess.value),  # noqa: PLR2004
        )
        for at, item in enumerate(result.slices, start=1)
    ]
    axis: Spec = {"title": _excess(result), "axis": {"tickCount": 5}, "scale": {"nice": True}}
    ends = [end for item in result.slices for end in (item.excess.low, item.excess.high)]
    worst = result.slices[0]
    return Chart(
        dots(rows, (BEYOND, UNCLEAR), x=axis, domain=(min(0.0, *ends), max(ends)), rule=0),
        alt=f"{words.plural(len(rows), 'slice')}, worst first, with their excess errors and intervals. "
        f"First: {words.conditions(worst)}, {rows[0].words}.",
        title="Errors beyond those of the rows outside",
    )


def _in_lines(at: int, item: Slice) -> str:
    """The name of a slice in lines, one condition (or part of a long one) a line."""
    return "\n".join(words.in_lines(item.conditions, LINE_OF_NAME, f"{at}. "))


def _excess(result: SliceErrors) -> str:
    what = "excess errors" if result.overall.unit == "error rate" else "excess of summed error"
    return f"{what} (95 % interval)"


def _caption(slices: tuple[Slice, ...]) -> str:
    bias = " Bias = mean prediction - mean label inside: above 0, too much is predicted." if slices[0].bias else ""
    return (
        "Excess errors = rows x (error inside - outside). Unexplained, and the order = errors beyond what the slices "
        f"found before it leave to be expected. The intervals allow for the slice having been picked from many.{bias}"
    )


def _table(slices: tuple[Slice, ...], caption: str) -> Table:
    first = slices[0]
    unit = first.error.unit
    columns = [
        Column("", "integer"),
        Column("slice"),
        Column("rows", "integer"),
        Column(unit, "percent" if unit in words.SHARES else "number"),
        Column("95 % interval"),
        Column("excess errors", "number"),
        Column("unexplained", "number"),
        Column("of all errors", "percent"),
    ]
    told = [item for item in (first.metric, first.bias) if item is not None and item.unit != unit]
    columns += [Column("bias" if item is first.bias else words.metric(item.unit), "number") for item in told]
    if first.value_lost is not None:
        columns.append(Column("value lost", "number"))
    rows = tuple(
        (
            at,
            words.conditions(item),
            item.support,
            item.error.value,
            words.interval(item.error),
            item.excess.value,
            item.unexplained,
            item.share_of_errors,
            *(None if each is None else each.value for each in _told(item, told, first)),
            *(() if item.value_lost is None else (item.value_lost.value,)),
        )
        for at, item in enumerate(slices, start=1)
    )
    return Table(tuple(columns), rows, caption, keys=tuple(words.conditions(item) for item in slices))


def _apart(slices: tuple[Slice, ...]) -> list[str]:
    """What else sets the rows of the first slices apart."""
    return [
        f"Rows of slice {at} more often have "
        + words.listed(
            [
                f"{words.shown(each.condition)} ({words.percent(each.inside)}, elsewhere {words.percent(each.outside)})"
                for each in item.contrasts[:MOST_TOLD]
            ]
        )
        + "."
        for at, item in enumerate(slices[:MOST_CONTRASTED], start=1)
        if item.contrasts
    ]


def _course(result: SliceErrors) -> list[Block]:
    """The worst slice over time, in figures: a further drawing would make a report too large to send."""
    worst = result.slices[0]
    told = [block for block in slice_review.course(worst, result.window) if isinstance(block, Table)]
    return [replace(block, caption=f"Slice 1 over time: {words.conditions(worst)}. {block.caption}") for block in told]


def _overlaps(slices: tuple[Slice, ...]) -> list[Block]:
    """Rows that two of the slices share, each pair once."""
    places = {item.id: at for at, item in enumerate(slices, start=1)}
    rows = tuple(
        (at, places[each.other], each.rows, each.share, each.share_of_other)
        for at, item in enumerate(slices, start=1)
        for each in item.overlaps
        if places.get(each.other, 0) > at
    )
    columns = (Column("slice", "integer"), Column("and slice", "integer"), Column("rows in common", "integer"))
    shares = (Column("of the first", "percent"), Column("of the second", "percent"))
    said = "Slices by their place above. A fix for one moves the figures of those that share its rows."
    return [Table((*columns, *shares), rows, said)] if rows else []


def _named(result: SliceErrors) -> Table:
    unit = result.overall.unit
    columns = (
        Column("named slice"),
        Column("conditions"),
        Column("rows", "integer"),
        Column(unit, "percent" if unit in words.SHARES else "number"),
        Column("95 % interval"),
        Column("excess errors", "number"),
        Column("acceptance"),
    )
    rows = tuple(
        (
            words.shown(item.name),
            words.conditions(item),
            item.support,
            None if item.error is None else item.error.value,
            "too few rows" if item.error is None else words.interval(item.error),
            None if item.excess is None else item.excess.value,
            _acceptance(item, unit),
        )
        for item in result.named
    )
    return Table(columns, rows, "Slices that were asked for by name.", keys=tuple(item.name for item in result.named))


def _acceptance(item: NamedSlice, unit: str) -> str:
    if item.at_most is None:
        return "no bar"
    bar = words.percent(item.at_most) if unit in words.SHARES else words.number(item.at_most)
    said = {True: "kept", False: "broken", None: "not sure"}[item.accepted]
    return f"{said}: at most {bar}"


def _told(item: Slice, told: list[Estimate], first: Slice) -> list[Estimate | None]:
    return [item.bias if each is first.bias else item.metric for each in told]


def _notes(result: SliceErrors, record: Record) -> tuple[str, ...]:
    return _telling(result), _restating(result), _unseen(result, record), _skipped(result)


def _telling(result: SliceErrors) -> str:
    if not result.restating:
        return ""
    names = words.listed([words.shown(name) for name in result.restating])
    verb, its = ("tells", "its") if len(result.restating) == 1 else ("tell", "their")
    return (
        f"{names} {verb} the label, so {its} values are no slices but the label itself; where {its} value is missing, "
        "errors are compared with rows of the same label."
    )


def _restating(result: SliceErrors) -> str:
    told = [
        f"where {words.conditions(item)} every label is {words.quoted(item.only_label)}"
        for item in result.slices
        if item.only_label is not None
    ]
    if not told:
        return ""
    return (
        f"{words.capital(words.listed(told, most=3))}: such a slice restates the label, or shows what it was made from."
    )


def _unseen(result: SliceErrors, record: Record) -> str:
    unseen = sorted({name for item in result.slices for name in item.columns} - set(record.dataset.features))
    if not unseen:
        return ""
    names = words.listed([words.shown(name) for name in unseen])
    verb, them = ("is", "it") if len(unseen) == 1 else ("are", "them")
    return (
        f"{names} {verb} not among the model's features: slices on {them} tell where the errors are, not what the "
        "model could have known."
    )


def _skipped(result: SliceErrors) -> str:
    if not result.skipped:
        return ""
    reasons = [f"{words.shown(name)} ({words.shown(reason)})" for name, reason in result.skipped]
    return f"Not sliced on: {words.listed(reasons, most=8)}."
