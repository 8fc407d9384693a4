"""Blocks to Streamlit. Text from a user's data is only ever drawn as plain text."""

from __future__ import annotations

import re
from functools import singledispatch
from hashlib import sha256
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from mlflow_errata._pages import page_of
from mlflow_errata.blocks import Chart, Codes, Column, Facts, NotMade, StepCard, Table, Text, Verdict
from mlflow_errata.sections.tables import data_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mlflow_errata.blocks import Block, Status

COLOUR: dict[Status, Literal["blue", "orange", "gray"]] = {
    "good": "blue",
    "likely": "blue",
    "bad": "orange",
    "unsure": "gray",
    "ignored": "gray",
}
MARK = {"good": "●", "likely": "■", "bad": "▲", "unsure": "◆", "ignored": "○"}
WORDS = {"good": "not found", "bad": "found", "unsure": "cannot tell", "ignored": "ignored"}
FORMAT = {"number": "%.4g", "percent": "%.3g %%"}
ACTIVE = re.compile(r"([\\`*_{}\[\]()<>#+!|~$:@&.=^-])")
"""Characters that Markdown reads; a link or an image in a name would otherwise be loaded."""
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]")
"""Characters that show as nothing, break the line, or turn what follows around."""
LINK = re.compile(r"https?:(?=//)|www(?=\.)|@", re.IGNORECASE)
"""What the browser makes a link of, escaped or not, unless something stands between."""
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
"""A heading of a page, which reads as a bold line where it opens in place."""
JOINER = "\N{WORD JOINER}"
"""Takes no room and breaks no line."""
NARROW, MOST_LINES = 690, 5
"""Pixels that the columns of a narrow table may take together, and the lines that a text is broken into for that."""
LONGEST_WORD = 18
"""Characters from which a word is broken."""
LETTER, EDGES, LINE, ABOVE = 5.9, 18, 18, 20
"""Pixels of a character, of what stands left and right of a cell, of a line, and of what stands above and below it."""
DIGITS = 10_000
"""From here on numbers are shown whole."""


def plain(text: object) -> str:
    """Text in which Markdown finds nothing to read."""
    line = re.sub(r"[\t\n\v\f\r\x85\u2028\u2029]+", " ", str(text)).strip(" ")
    line = LINK.sub(lambda found: found[0] + JOINER, HIDDEN.sub("\N{REPLACEMENT CHARACTER}", line))
    return ACTIVE.sub(r"\\\1", line)


def draw(blocks: Iterable[Block], *, key: str = "") -> None:
    """Draw blocks one below the other; `key` makes their widgets unique on a page."""
    shown = list(blocks)
    for at, block in enumerate(shown):
        if isinstance(block, Chart):
            chart(block, f"{key}-{at}", tabled=isinstance(shown[min(at + 1, len(shown) - 1)], Table))
        else:
            draw_block(block, f"{key}-{at}")


@singledispatch
def draw_block(block: Any, key: str) -> None:
    """Draw one block."""
    raise NotImplementedError(type(block).__name__, key)


@draw_block.register
def _(block: Verdict, key: str) -> None:
    with st.container(key=f"verdict{key}"):
        st.markdown(f"{mark(block.status)} {plain(block.sentence)}")


def mark(status: Status) -> str:
    """A status as a badge within a line of Markdown: colour, shape and word."""
    return f":{COLOUR[status]}-badge[{MARK[status]} {WORDS[status]}]"


@draw_block.register
def _(block: Text, key: str) -> None:
    del key
    st.markdown(plain(block.sentence))


@draw_block.register
def _(block: Codes, key: str) -> None:
    st.markdown(plain(block.sentence))
    with st.container(horizontal=True, key=f"codes{key}"):
        for code in block.codes:
            with st.popover(f"Read {code}", key=f"page{key}-{code}", type="tertiary"):
                st.markdown(HEADING.sub(r"**\1**", page_of(code)))


@draw_block.register
def _(block: Facts, key: str) -> None:
    with st.container(horizontal=True, gap="small", key=f"facts{key}"):
        for at, fact in enumerate(block.facts):
            with st.container(width=_tile(fact.name), gap=None, key=f"fact{key}-{at}"):
                st.metric(plain(fact.name), plain(fact.value))
                st.caption(plain(fact.note) or "&nbsp;")


def _tile(name: str) -> int:
    """Pixels of a number with its name, which is not cut as long as a phone has room for it."""
    return min(340, max(170, round(1.15 * LETTER * len(name)) + EDGES))


@draw_block.register
def _(block: Table, key: str) -> None:
    table(block, key=f"table{key}")


@draw_block.register
def _(block: Chart, key: str) -> None:
    chart(block, key)


def chart(block: Chart, key: str, *, tabled: bool = False) -> None:
    """A chart, and its values one click away; `tabled` if the same values stand in a table below it."""
    if block.title:
        st.markdown(f"**{plain(block.title)}**")
    st.vega_lite_chart(spec=spec_of(block), alt=block.alt, key=f"chart{key}", width="stretch")
    values = [] if tabled else data_of(block)
    if values:
        with st.popover("As a table", key=f"values{key}", type="tertiary", on_change="rerun") as opened:
            if opened.open:
                st.dataframe(values, hide_index=True, key=f"data{key}", alt=f"Values of the chart. {block.alt}")


def spec_of(block: Chart) -> dict[str, Any]:
    """A chart as wide as its place, without the room that Streamlit leaves below one."""
    return block.spec | {"autosize": {"type": "fit-x", "contains": "padding"}, "padding": {"bottom": 2}}


@draw_block.register
def _(block: StepCard, key: str) -> None:
    card(block, key)


@draw_block.register
def _(block: NotMade, key: str) -> None:
    with st.container(border=True, key=f"notmade{key}"):
        st.badge("○ not made", color="gray")
        st.markdown(plain(block.reason))
        if block.remedy:
            st.markdown(plain(block.remedy))


def card(block: StepCard, key: str, *, below: Callable[[], None] | None = None) -> None:
    """A next step. `below` draws what belongs under it."""
    with st.container(border=True, key=f"card{key}"):
        st.subheader(plain(block.title), anchor=False)
        with st.container(horizontal=True, key=f"cardfacts{key}"):
            st.badge(f"{MARK[block.status]} gain: {plain(block.gain)}", color=COLOUR[block.status])
            st.badge(f"cost: {plain(block.cost)}", color="gray")
        for sentence in block.because:
            st.markdown(f"- {plain(sentence)}")
        if block.code:
            st.code(block.code, language="python", wrap_lines=True)
        if below is not None:
            below()


def table(block: Table, *, key: str, selectable: bool = False, linked: str = "", narrow: bool = False) -> str | None:
    """A table, and the key of the row that was selected in it; `linked` names it in the address.

    `narrow`: it stands beside something, so texts are broken into lines until every column has room.
    """
    frame, config = columns_of(block)
    lines, widths = in_lines(block) if narrow else (1, [])
    for column, width in zip(block.columns, widths, strict=False):
        config[column.title]["width"] = width
    wanted = st.query_params.get(linked) if linked else None
    default: Any = {"selection": {"rows": [block.keys.index(wanted)]}} if wanted in block.keys else None
    shown: Any = st.dataframe(
        frame,
        key=f"{key}-{fingerprint(block)}" if selectable else key,
        hide_index=True,
        width="content",
        column_config=config,
        row_height=LINE * lines + ABOVE if narrow else None,
        height="content" if narrow else "auto",
        on_select="rerun" if selectable else "ignore",
        selection_mode="single-row",
        selection_default=default if selectable else None,
        placeholder="\N{EN DASH}",
        alt=block.caption or ", ".join(column.title for column in block.columns),
    )
    if block.caption:
        st.caption(plain(block.caption))
    if not selectable:
        return None
    rows = shown.selection.rows
    found = block.keys[rows[0]] if rows and rows[0] < len(block.keys) else None
    if linked and found != wanted:
        if found is None:
            del st.query_params[linked]
        else:
            st.query_params[linked] = found
    return found


def in_lines(block: Table) -> tuple[int, list[int]]:
    """Into how many lines the texts of a table are broken so that it is narrow, and the widths of its columns."""
    texts = [[str(row[at]) for row in block.rows] for at in range(len(block.columns))]
    for lines in range(1, MOST_LINES + 1):
        widths = [_width(column, cells, lines) for column, cells in zip(block.columns, texts, strict=True)]
        if sum(widths) <= NARROW:
            break
    return lines, widths


def _width(column: Column, cells: list[str], lines: int) -> int:
    """Pixels in which the title of a column stands on one line, and every text on some lines, words of it whole."""
    letters = len(column.title)
    if column.kind == "text":
        words = [len(word) for cell in cells for word in cell.split()]
        letters = max(letters, min(LONGEST_WORD, max(words, default=0)))
        while any(len(wrap(cell, letters)) > lines for cell in cells):
            letters += 1
    return round(LETTER * letters) + EDGES


def columns_of(block: Table) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """The cells of a table by column, as `st.dataframe` takes them, and how each column reads."""
    frame: dict[str, list[Any]] = {
        column.title: [row[at] for row in block.rows] for at, column in enumerate(block.columns)
    }
    for column in block.columns:
        if column.kind == "percent":
            frame[column.title] = [None if cell is None else 100 * cell for cell in frame[column.title]]
    return frame, {column.title: _column(column, frame[column.title]) for column in block.columns}


def fingerprint(block: Table) -> str:
    """A short name of a table's rows: a selection belongs to these rows and must not outlive them."""
    return sha256("\0".join(block.keys).encode()).hexdigest()[:12]


def _column(column: Column, cells: list[Any]) -> Any:
    if column.kind == "text":
        return st.column_config.TextColumn(column.title)
    large = any(isinstance(cell, int | float) and abs(cell) >= DIGITS for cell in cells)
    whole = column.kind == "integer" or (column.kind == "number" and large)
    return st.column_config.NumberColumn(column.title, format="localized" if whole else FORMAT[column.kind])
