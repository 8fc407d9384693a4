"""The report: a record as one HTML file that needs nothing else: no script, no request, charts as inline SVG."""

from __future__ import annotations

import re
from functools import singledispatch
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow_errata.blocks import (
    Block,
    Cell,
    Chart,
    Codes,
    Column,
    Facts,
    NotMade,
    Status,
    StepCard,
    Table,
    Text,
    Verdict,
)
from mlflow_errata.sections import MARKS, REGISTRY, measured, next_steps, sections, slice_review, verdicts
from mlflow_errata.sections import _words as words
from mlflow_errata.sections._marks import NOTE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mlflow_errata._reviews import Review
    from mlflow_errata.record.schema import Record

SLICES = "slice_errors"
WIDE, NARROW = 760, 330
"""Pixels that a chart is drawn for, on a desk and on a phone: text keeps its size on both."""
LONG = 22
"""Characters from which the text of a table may break into lines."""
INKS = {NOTE: "currentColor", "#010101": "currentColor"}
"""Colours that follow the reader's theme."""
FONT = "Helvetica, Arial, sans-serif"
UNSEEN = re.compile(
    r' (?:(?:aria-[a-z]+|role|class|pointer-events|text-rendering|font-family|stroke-miterlimit)="[^"]*"'
    r'|(?:opacity|stroke-width)="1"|font-size="12px"|font-weight="normal"|text-anchor="start"'
    r'|transform="translate\(0,0\)")'
)
"""Attributes of a drawing that the style sheet says once, or that are the default."""
LOOK: dict[str, Any] = {
    "background": None,
    "font": FONT,
    "padding": 2,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "#010101",
        "titleColor": "#010101",
        "gridColor": "#010101",
        "gridOpacity": 0.12,
        "tickColor": "#010101",
        "tickOpacity": 0.3,
        "domain": False,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "legend": {"labelColor": "#010101", "labelFontSize": 12, "symbolSize": 90, "orient": "top", "offset": 10},
}
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<p class="eyebrow">{eyebrow}</p>
<h1>{title}</h1>
<p class="lede">{lede}</p>
{contents}
</header>
<main>{body}</main>
<footer>{footer}</footer>
</body>
</html>
"""


def render(record: Record, *, only: Collection[str] = (), reviews: Mapping[str, Review] | None = None) -> str:
    """The record as a self-contained HTML page.

    Parameters
    ----------
    record : Record
    only : names of diagnoses, and "next_steps": the parts to show; default: all
    reviews : the newest review of each slice by the slice's id, to be told with the slices

    Returns
    -------
    str
        HTML that asks for nothing from elsewhere and runs no script; light or dark as the reader's system is. Its size
        does not depend on the number of rows.
    """
    more = {SLICES: slice_review.reviewed(record, reviews or {})}
    body = [
        _section(part.name, part.title, [*part.blocks, *more.get(part.name, [])])
        for part in sections(record)
        if not only or part.name in only
    ]
    if not only or "next_steps" in only:
        body.insert(0, _section("next_steps", next_steps.TITLE, next_steps.section(record)[1:]))
    return PAGE.format(
        title=_text(next_steps.title(record)),
        style=Path(__file__).with_suffix(".css").read_text(encoding="utf-8") + _choices(),
        eyebrow=_text(measured(record)),
        lede=_text(next_steps.lede(record)),
        contents="" if only else _contents(record),
        body="".join(body),
        footer=_text(_footer(record)),
    )


def _footer(record: Record) -> str:
    found = record.summary
    chosen = [
        *(["task"] if found.task_inferred else []),
        *(["metric"] if found.metric_inferred else []),
    ]
    inferred = f" (errata chose the {' and the '.join(chosen)})" if chosen else ""
    return (
        f"errata {found.errata} · {found.task}, {found.metric}{inferred} · evaluation data {record.dataset.digest[:8]} "
        "· intervals cover 95 % · each diagnosis calls out a finding only if chance does so in at most 5 % of tables"
    )


def _contents(record: Record) -> str:
    """The findings as choices of what to show: links into a page go astray in the frame that MLflow shows it in."""
    said = verdicts(record)
    rows = [_choice(name, REGISTRY[name].TITLE, said[name]) for name in REGISTRY]
    choices = "".join([*rows, _choice("everything", "Everything", None)])
    return f'<fieldset><legend class="word">Show</legend>{choices}</fieldset>'


def _choice(name: str, title: str, said: Verdict | NotMade | None) -> str:
    mark = _mark(said.status) if isinstance(said, Verdict) else "<span></span>"
    sentence = (
        said.sentence if isinstance(said, Verdict) else said.reason if said else "the next steps and all findings"
    )
    chosen = " checked" if said is None else ""
    return (
        f'<label><input class="word" type="radio" name="shown" id="show-{name}"{chosen}>{mark}'
        f'<span class="title">{_text(title)}</span><span class="said">{_text(sentence)}</span></label>'
    )


def _choices() -> str:
    """Style rules that show the chosen finding alone, on screen."""
    rules = (f"body:has(#show-{name}:checked) main > section:not(#{name}) {{ display: none; }}" for name in REGISTRY)
    return f"@media screen {{ {' '.join(rules)} }}"


def _section(name: str, title: str, blocks: list[Block]) -> str:
    cards = [_draw(block) for block in blocks if isinstance(block, StepCard)]
    others = "".join(_draw(block) for block in blocks if not isinstance(block, StepCard))
    steps = f'<ol class="steps">{"".join(cards)}</ol>' if cards else ""
    return f'<section id="{name}"><h2>{_text(title)}</h2>{others}{steps}</section>'


def _text(sentence: str) -> str:
    """Escaped, with no line break between a number and its percent sign."""
    return re.sub(r"(\d) %", "\\1\N{NO-BREAK SPACE}%", escape(sentence))


# -- blocks -----------------------------------------------------------------------------------------------------------


@singledispatch
def _draw(block: object) -> str:
    """The HTML of a block."""
    raise TypeError(block)


@_draw.register
def _(block: Verdict) -> str:
    return f'<div class="verdict {block.status}">{_mark(block.status)}<p>{_text(block.sentence)}</p></div>'


@_draw.register
def _(block: Text | Codes) -> str:
    return f'<p class="prose">{_text(block.sentence)}</p>'


@_draw.register
def _(block: NotMade) -> str:
    return f'<div class="not-made"><p>{_text(f"{block.reason} {block.remedy}".rstrip())}</p></div>'


@_draw.register
def _(block: Facts) -> str:
    facts = "".join(
        f'<div><dt>{_text(fact.name)}</dt><dd class="value">{_text(fact.value)}</dd>'
        f'<dd class="note">{_text(fact.note)}</dd></div>'
        for fact in block.facts
    )
    return f"<dl>{facts}</dl>"


@_draw.register
def _(block: StepCard) -> str:
    because = "".join(f"<li>{_text(reason)}</li>" for reason in block.because)
    code = f"<pre><code>{escape(block.code)}</code></pre>" if block.code else ""
    return (
        f'<li><h3>{_text(block.title)}</h3><ul class="terms"><li><b>Gain</b>{_text(block.gain)}</li>'
        f'<li><b>Cost</b>{_text(block.cost)}</li></ul><ul class="because">{because}</ul>{code}</li>'
    )


@_draw.register
def _(block: Table) -> str:
    sides = [_side(at, column, block) for at, column in enumerate(block.columns)]
    head = "".join(
        f'<th scope="col" class="{side}">{_text(column.title)}</th>'
        for side, column in zip(sides, block.columns, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="{side}">{_text(_cell(cell, column))}</td>'
            for side, cell, column in zip(sides, row, block.columns, strict=True)
        )
        + "</tr>"
        for row in block.rows
    )
    caption = f'<figcaption class="note">{_text(block.caption)}</figcaption>' if block.caption else ""
    rows = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<figure><div class="scroll" tabindex="0">{rows}</div>{caption}</figure>'


def _side(at: int, column: Column, table: Table) -> str:
    if column.kind != "text":
        return "number"
    return "long" if any(len(str(row[at])) > LONG for row in table.rows) else "short"


def _cell(cell: Cell, column: Column) -> str:
    if cell is None:
        return "\N{EN DASH}"
    if isinstance(cell, str):
        return cell
    if column.kind == "percent":
        return words.percent(cell)
    return words.count(cell) if column.kind == "integer" else words.number(cell)


@_draw.register
def _(block: Chart) -> str:
    caption = f"<figcaption>{_text(block.title)}</figcaption>" if block.title else ""
    drawings = "".join(
        f'<div class="{name}">{_svg(block, width)}</div>' for name, width in (("wide", WIDE), ("narrow", NARROW))
    )
    return f"<figure>{caption}{drawings}</figure>"


_SHAPES: dict[Status, str] = {
    "good": '<circle cx="8" cy="12" r="6"/>',
    "bad": '<path d="M8 5l7.5 13h-15z"/>',
    "unsure": '<path d="M8 4l7 8-7 8-7-8z"/>',
    "ignored": '<path d="M2 11h12v2H2z"/>',
}


def _mark(status: Status) -> str:
    drawn = f'<svg viewBox="0 0 16 24" fill="currentColor" aria-hidden="true">{_SHAPES[status]}</svg>'
    return f'<span class="mark {status}"><span class="word">{MARKS[status]}: </span>{drawn}</span>'


# -- charts -----------------------------------------------------------------------------------------------------------


def _svg(chart: Chart, width: int) -> str:
    """A chart as inline SVG whose words take the colour of the page."""
    from vl_convert import vegalite_to_svg  # noqa: PLC0415 - a browser engine, loaded only to draw

    drawn = vegalite_to_svg({**chart.spec, "width": width}, config=LOOK, allowed_base_urls=[])
    _, _, body = drawn.partition(">")
    size = re.search(r'viewBox="([^"]+)"', drawn)
    return f'<svg viewBox="{size[1] if size else ""}" role="img" aria-label="{escape(chart.alt)}">{_lean(body)}'


def _lean(svg: str) -> str:
    """SVG without what a reader never sees: names of marks, hidden paths, defaults, tenths of tenths of a pixel."""
    svg = re.sub(r'<path[^>]*display="none"[^>]*/>|<path d="M0,0h0v0h0Z"[^>]*/>', "", svg)
    return re.sub(r"<[^>]+>", lambda tag: _lean_tag(tag[0]), svg)


def _lean_tag(tag: str) -> str:
    tag = UNSEEN.sub("", tag)
    tag = re.sub(r"(\d+\.\d)\d+", r"\1", tag)
    tag = re.sub(r"rgb\((\d+), (\d+), (\d+)\)", lambda ink: "#" + bytes(map(int, ink.groups())).hex(), tag)
    return re.sub("|".join(INKS), lambda ink: INKS[ink[0]], tag)
