"""Blocks to Streamlit. Text from a user's data is only ever drawn as plain text."""

from __future__ import annotations

import re
from functools import singledispatch
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import streamlit as st

from mlflow_errata.blocks import Chart, Column, Facts, NotMade, StepCard, Table, Text, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mlflow_errata.blocks import Block

COLOUR = {"good": "blue", "bad": "orange", "unsure": "gray", "ignored": "gray"}
MARK = {"good": "●", "bad": "▲", "unsure": "◆", "ignored": "○"}
WORDS = {"good": "not found", "bad": "found", "unsure": "cannot tell", "ignored": "ignored"}
FORMAT = {"integer": "localized", "number": "%.4g", "percent": "percent"}
ACTIVE = re.compile(r"([\\`*_{}\[\]()<>#+!|~$:@])")
"""Characters that Markdown reads; a link or an image in a name would otherwise be loaded."""


def plain(text: object) -> str:
    """Text in which Markdown finds nothing to read."""
    return ACTIVE.sub(r"\\\1", str(text)).replace("\n", " ")


def draw(blocks: Iterable[Block], *, key: str = "") -> None:
    """Draw blocks one below the other; `key` makes their widgets unique on a page."""
    for at, block in enumerate(blocks):
        draw_block(block, f"{key}-{at}")


@singledispatch
def draw_block(block: Any, key: str) -> None:
    """Draw one block."""
    raise NotImplementedError(type(block).__name__, key)


@draw_block.register
def _(block: Verdict, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="top", key=f"verdict{key}"):
        st.badge(f"{MARK[block.status]} {WORDS[block.status]}", color=COLOUR[block.status])  # type: ignore[arg-type]
        st.markdown(plain(block.sentence), width="stretch")


@draw_block.register
def _(block: Text, key: str) -> None:
    del key
    st.markdown(plain(block.sentence))


@draw_block.register
def _(block: Facts, key: str) -> None:
    with st.container(horizontal=True, gap="large", key=f"facts{key}"):
        for at, fact in enumerate(block.facts):
            with st.container(width=190, gap=None, key=f"fact{key}-{at}"):
                st.metric(plain(fact.name), fact.value)
                st.caption(plain(fact.note) or "&nbsp;")


@draw_block.register
def _(block: Table, key: str) -> None:
    table(block, key=f"table{key}")


@draw_block.register
def _(block: Chart, key: str) -> None:
    if block.title:
        st.markdown(f"**{plain(block.title)}**")
    spec = block.spec | {"autosize": {"type": "fit-x", "contains": "padding"}}
    st.vega_lite_chart(spec=spec, alt=block.alt, key=f"chart{key}", width="stretch")


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


def card(block: StepCard, key: str, *, first: bool = False, below: Callable[[], None] | None = None) -> None:
    """A next step; the first one is open, and its title is that of the page. `below` draws what belongs under it."""
    with st.container(border=True, key=f"card{key}"):
        if not first:
            st.markdown(f"#### {plain(block.title)}")
        with st.container(horizontal=True, key=f"cardfacts{key}"):
            st.badge(f"gain: {plain(block.gain)}", color="gray" if block.gain.startswith("not") else "blue")
            st.badge(f"cost: {plain(block.cost)}", color="gray")
        for sentence in block.because:
            st.markdown(f"- {plain(sentence)}")
        if block.code:
            with st.expander("The code", expanded=first, key=f"code{key}"):
                st.code(block.code, language="python")
        if below is not None:
            below()


def table(block: Table, *, key: str, selectable: bool = False) -> str | None:
    """A table, and the key of the row that was selected in it."""
    frame = {column.title: [row[at] for row in block.rows] for at, column in enumerate(block.columns)}
    config = {column.title: _column(column) for column in block.columns}
    shown: Any = st.dataframe(
        frame,
        key=f"{key}-{fingerprint(block)}" if selectable else key,
        hide_index=True,
        column_config=config,
        on_select="rerun" if selectable else "ignore",
        selection_mode="single-row",
        alt=block.caption or None,
    )
    if block.caption:
        st.caption(plain(block.caption))
    if not selectable:
        return None
    rows = shown.selection.rows
    return block.keys[rows[0]] if rows and rows[0] < len(block.keys) else None


def fingerprint(block: Table) -> str:
    """A short name of a table's rows: a selection belongs to these rows and must not outlive them."""
    return sha256("\0".join(block.keys).encode()).hexdigest()[:12]


def _column(column: Column) -> Any:
    if column.kind == "text":
        return st.column_config.TextColumn(column.title)
    return st.column_config.NumberColumn(column.title, format=FORMAT[column.kind])
