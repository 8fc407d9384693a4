"""Reviewing slices: a list by chart and table, and the one slice that is picked in either.

One slice is picked at any time, by its id; the chart, the table, the box, the buttons and the address all follow it.
A widget keeps its own selection, so what is picked elsewhere is its next turn: the table gets a new key, and the chart
tells the turn with what is picked in it.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import streamlit as st

from errata_app import source
from errata_app.draw import MARK, columns_of, draw, fingerprint, plain, spec_of
from errata_app.moments import moment
from errata_app.person import person
from mlflow_errata._reviews import LONGEST_NOTE, STATUSES
from mlflow_errata._slice_order import ASPECTS, DEFAULT, ranked
from mlflow_errata.errors import ErrataError
from mlflow_errata.sections import slice_elsewhere, slice_list, slice_review

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata import Record
    from mlflow_errata.diagnoses.slice_errors import Slice, SliceErrors
    from mlflow_errata.sections.slice_list import Listed
    from mlflow_errata.tracking.search import RunRow

PICKED, TROUBLE = "slice picked", "slice trouble"
MOST_ROWS = 200
PAGE_OF_RUNS = 10
HEIGHT = 300
ADDRESS = re.compile(r"(?i)(?<=:)(?=//)|(?<=www)(?=\.)|(?<=\w)(?=@)")
"""Where a name reads as an address; a word joiner there keeps it from turning into a link."""
SHOWN = ("open", "fixed", "accepted", "suspected")


class Desk(NamedTuple):
    """What is reviewed: the slices of one record."""

    record: Record
    result: SliceErrors
    row: RunRow
    runs: tuple[RunRow, ...]

    @property
    def slices(self) -> tuple[Slice, ...]:
        """Confirmed ones, then suspected ones."""
        return (*self.result.slices, *self.result.suspected)


@st.fragment
def review(desk: Desk) -> None:
    """The list and the slice that is picked in it."""
    try:
        reviews = source.slice_reviews(source.tracking_uri(), desk.row.experiment_id)
    except ErrataError as cause:
        st.text(str(cause))
        reviews = {}
    weights, shown = _controls(desk)
    order = [*ranked(desk.result.slices, weights), *ranked(desk.result.suspected, weights)]
    everything = slice_list.listed(order, reviews, desk.row.started)
    some = [each for each in everything if _is_shown(each, shown)]
    if not some:
        st.caption("No slice is of the chosen kind: choose others under “Show”.")
        return
    ids = [each.item.id for each in some]
    chosen = next(each for each in some if each.item.id == _picked(ids))
    left, right = st.columns([3, 2], gap="large")
    with left:
        _chart(some, chosen)
    with right:
        _picker(some, chosen, ids)
        _figures(desk, chosen)
    _table(some, chosen)
    _details(desk, chosen)


# -- which slice ------------------------------------------------------------------------------------------------------


def _picked(ids: Sequence[str]) -> str:
    """The slice of the address, else the one picked before, else the first; the address follows."""
    wanted = (st.query_params.get("slice"), st.session_state.get(PICKED))
    found = str(next((each for each in wanted if each in ids), ids[0]))
    st.session_state[PICKED] = found
    if st.query_params.get("slice") != found:
        st.query_params["slice"] = found
    return found


def _pick(picked: str, source_of_it: str) -> None:
    """Pick a slice; the widgets that it was not picked in take their next turn, and start anew with it."""
    st.session_state[PICKED] = st.query_params["slice"] = picked
    for widget in ("chart", "table"):
        if widget != source_of_it:
            st.session_state[f"slice {widget} turn"] = _turn(widget) + 1


def _turn(widget: str) -> int:
    return int(st.session_state.get(f"slice {widget} turn", 0))


def _is_shown(each: Listed, shown: Sequence[str]) -> bool:
    status = "open" if each.status == "back" else each.status
    return status in shown and (each.item.tier == "confirmed" or "suspected" in shown)


# -- the list ---------------------------------------------------------------------------------------------------------


def _controls(desk: Desk) -> tuple[dict[str, float], list[str]]:
    """The weights of the order and the kinds that are shown; both stand in the address."""
    priced = any(item.value_lost is not None for item in desk.slices)
    names = [name for name in ASPECTS if name != "value" or priced]
    with st.container(horizontal=True, vertical_alignment="bottom", key="slice controls"):
        kinds = [kind for kind in SHOWN if kind != "suspected" or desk.result.suspected]
        shown = st.multiselect("Show", kinds, default=kinds, key="show", bind="query-params")
        place = st.container(width="content", key="rank place")
        known = {name: st.session_state.get(f"w_{name}", DEFAULT.get(name, 0.0)) for name in names}
        said = [slice_list.ASPECT_WORDS[name] for name in names if known[name]] or ["unexplained errors"]
        with place.popover(f"Rank by: {', '.join(said)}", key="rank"):
            st.caption("Weights of what the list is ordered by; nothing is searched again.")
            weights = {name: _weight(name) for name in names}
    return weights, list(shown or ())


def _weight(name: str) -> float:
    return float(
        st.slider(
            slice_list.ASPECT_WORDS[name],
            0.0,
            1.0,
            DEFAULT.get(name, 0.0),
            0.1,
            key=f"w_{name}",
            help=slice_list.ASPECT_HELP[name],
            bind="query-params",
        )
    )


def _chart(some: Sequence[Listed], chosen: Listed) -> None:
    block = slice_list.chart_of(some, chosen.item.id, _turn("chart"))
    key = f"slices-chart-{fingerprint(slice_list.table_of(some))}"

    def follow() -> None:
        told = st.session_state[key]["selection"].get(slice_list.PICK) or []
        wanted = told[0].get("slice_id") if told else None
        if any(each.item.id == wanted for each in some):
            _pick(str(wanted), "chart")

    st.markdown(f"**{plain(block.title)}**")
    st.vega_lite_chart(spec=spec_of(block), alt=block.alt, key=key, width="stretch", on_select=follow)


def _table(some: Sequence[Listed], chosen: Listed) -> None:
    block = slice_list.table_of(some)
    key = f"slices-table-{fingerprint(block)}-{_turn('table')}"

    def follow() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows and rows[0] < len(block.keys):
            _pick(block.keys[rows[0]], "table")

    at = block.keys.index(chosen.item.id)
    frame, config = columns_of(block)
    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        column_config=config,
        on_select=follow,
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [at], "columns": [], "cells": []}},
        height=min(HEIGHT, 38 + 35 * len(block.rows)),
        alt="The slices in figures, in the order of the list; selecting a row picks its slice",
    )
    with st.expander("What the columns mean", key="slice columns"):
        st.markdown(plain(slice_list.ABOUT))


# -- the slice that is picked -----------------------------------------------------------------------------------------


def _picker(some: Sequence[Listed], chosen: Listed, ids: list[str]) -> None:
    """A box with all slices, and the one before and after: the way without a mouse."""
    named = {each.item.id: each for each in some}
    at = ids.index(chosen.item.id)
    st.session_state["slice box"] = chosen.item.id
    with st.container(horizontal=True, vertical_alignment="bottom", key="slice picker"):
        st.selectbox(
            "Slice",
            ids,
            key="slice box",
            format_func=lambda each: _title(named[each]),
            on_change=lambda: _pick(st.session_state["slice box"], "box"),
            width="stretch",
        )
        for label, to, shortcut in (("Previous", at - 1, "p"), ("Next", at + 1, "n")):
            st.button(
                label,
                key=f"slice {label}",
                shortcut=shortcut,
                on_click=partial(_pick, ids[to % len(ids)], "button"),
                disabled=not 0 <= to < len(ids),
            )


def _title(each: Listed) -> str:
    return f"{each.at}. {' and '.join(each.item.conditions)}"


def _figures(desk: Desk, chosen: Listed) -> None:
    """What is known of the slice in sentences, and what people said of it."""
    st.subheader(plain(ADDRESS.sub("\N{WORD JOINER}", " and ".join(chosen.item.conditions))), anchor=False)
    with st.container(horizontal=True, key="slice badges"):
        st.badge(slice_list.MARK[chosen.status], color="orange" if chosen.status in {"open", "back"} else "blue")
        if chosen.item.tier == "suspected":
            st.badge(f"{MARK['unsure']} suspected", color="gray")
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in slice_review.figures(chosen.item)))
    review = chosen.review
    when = "" if review is None else moment(datetime.fromisoformat(review.at))
    told = slice_review.said(chosen, desk.row.run_id, when)
    if told:
        st.markdown(plain(told))
    _status(desk, chosen)


def _status(desk: Desk, chosen: Listed) -> None:
    """The buttons that settle a slice, with a note."""
    if source.is_read_only():
        st.caption("ERRATA_READ_ONLY is set: slices are shown here and reviewed elsewhere.")
        return
    item = chosen.item
    status, note = f"status {item.id}", f"note {item.id}"
    st.session_state.setdefault(status, chosen.review.status if chosen.review else "open")
    with st.container(border=True, key="slice status"):
        st.radio("Status", STATUSES, key=status, horizontal=True)
        st.text_area("Note", key=note, max_chars=LONGEST_NOTE, height=68, placeholder="why, for those who come after")
        with st.container(horizontal=True, vertical_alignment="bottom", key="slice save"):
            by = person("Reviewed by")
            st.button(
                "Save", key="save status", type="primary", disabled=not by, on_click=partial(_save, desk, item, by)
            )
        if not by:
            st.caption("Say who you are to save a status.")
        if TROUBLE in st.session_state:
            st.text(st.session_state[TROUBLE])


def _save(desk: Desk, item: Slice, by: str) -> None:
    status, note = st.session_state[f"status {item.id}"], str(st.session_state.get(f"note {item.id}", ""))
    try:
        source.review_slice(source.tracking_uri(), desk.row.run_id, item.conditions, status, by=by, note=note)
    except ErrataError as cause:
        st.session_state[TROUBLE] = str(cause)
        return
    st.session_state.pop(TROUBLE, None)
    st.session_state[f"note {item.id}"] = ""
    st.toast("Saved with the run.")


def _details(desk: Desk, chosen: Listed) -> None:
    """What stands behind the slice; only the open tab is made."""
    item = chosen.item
    parts = {
        "Rows": lambda: _rows(desk, item),
        "What sets it apart": lambda: draw(slice_review.apart(item), key=f"apart-{item.id}"),
        "Over time": lambda: draw(slice_review.course(item, desk.result.window), key=f"course-{item.id}"),
        "Overlap": lambda: _overlap(desk, item),
        "In other runs": lambda: _elsewhere(desk, item),
    }
    for tab, show in zip(st.tabs(list(parts), key="behind", on_change="rerun"), parts.values(), strict=True):
        if tab.open:
            with tab:
                show()  # type: ignore[no-untyped-call]


def _rows(desk: Desk, item: Slice) -> None:
    """The rows of the slice that the record keeps, wrong ones first."""
    kept = desk.record.rows
    try:
        rows = kept[item.mask(kept)].head(MOST_ROWS) if len(kept) else kept
    except ErrataError as cause:
        st.text(str(cause))
        return
    if not len(rows):
        st.caption("The run was logged without rows (rows=False), or keeps none of this slice.")
        return
    first = [name for name in rows.columns if str(name).startswith("errata.")]
    own = [name for name in item.columns if name in rows.columns]
    shown = rows[[*dict.fromkeys([*first, *own, *rows.columns])]]
    st.caption(
        plain(f"{len(shown)} of {item.support:,} rows are kept with the run, wrong ones first: not a fair draw.")
    )
    st.dataframe(shown, hide_index=True, key="rows of slice", alt="Rows of the slice, wrong ones first", height=HEIGHT)
    st.download_button(
        "Download these rows",
        lambda: shown.to_csv(index=False),
        file_name=f"slice-{item.id}.csv",
        mime="text/csv",
        on_click="ignore",
        key="rows as csv",
    )


def _overlap(desk: Desk, item: Slice) -> None:
    blocks = slice_review.overlap(item, desk.slices)
    draw(blocks, key=f"overlap-{item.id}")
    with st.container(horizontal=True, key="overlap buttons"):
        for each in item.overlaps[:3]:
            other = next((one for one in desk.slices if one.id == each.other), None)
            if other is not None:
                label = plain(slice_review.short(other))
                st.button(f"Show {label}", key=f"to {each.other}", on_click=partial(_pick, each.other, "button"))


def _elsewhere(desk: Desk, item: Slice) -> None:
    """The same slice in the runs of the experiment, a page of them at a time."""
    uri = source.tracking_uri()
    runs = [row for row in desk.runs if not row.failed]
    n = cast("int", st.session_state.setdefault("slice runs", PAGE_OF_RUNS))
    asked = st.toggle("Measure it in these runs", key="measure elsewhere", help="On the rows that each run keeps")
    told = []
    for row in runs[:n]:
        try:
            found = source.slices_found(uri, row.run_id, row.digest).get(" and ".join(item.conditions))
        except ErrataError:
            found = None
        measured = _measured(row, item) if asked else None
        told.append(
            slice_elsewhere.Elsewhere(row.name, moment(row.started), row.run_id == desk.row.run_id, found, measured)
        )
    draw(slice_elsewhere.elsewhere(told, item.error.unit), key=f"elsewhere-{item.id}")
    if len(runs) > n and st.button(f"Show {min(PAGE_OF_RUNS, len(runs) - n)} more runs", key="more runs"):
        st.session_state["slice runs"] = n + PAGE_OF_RUNS
        st.rerun(scope="fragment")


def _measured(row: RunRow, item: Slice) -> Any:
    try:
        return source.slice_measured(source.tracking_uri(), row.run_id, row.digest, item.predicates)
    except ErrataError as cause:
        return str(cause)
