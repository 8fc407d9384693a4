"""A slice that somebody writes down: read, measured on the rows that the run keeps, kept with the experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from errata_app import source
from errata_app.draw import draw
from mlflow_errata.errors import ErrataError
from mlflow_errata.predicates import parse
from mlflow_errata.sections import slice_elsewhere

if TYPE_CHECKING:
    from mlflow_errata.tracking.search import RunRow

SAID = "own slice said"


@st.fragment
def own_slice(row: RunRow, experiment: str) -> None:
    """An expression and what it measures; the expression stands in the address."""
    where = st.text_input(
        "Conditions, joined by “ and ”",
        key="where",
        bind="query-params",
        placeholder="hour >= 19 and carrier == 'EV'",
        help="carrier == 'EV', carrier in {'EV', 'FL'}, hour >= 19, hour < 7, 7 <= hour < 19, arr_delay is missing. "
        "hour > 19 and hour <= 19 are not read: a range holds its lower end and not its upper one.",
    )
    if not where:
        st.caption("Write conditions as slices print them; they are measured on the rows that the run keeps.")
        return
    try:
        predicates = parse(where)
        found = source.slice_measured(source.tracking_uri(), row.run_id, row.digest, predicates)
    except ErrataError as cause:
        st.text(str(cause))
        return
    draw([slice_elsewhere.own(found)], key="own")
    st.markdown("To have it measured on all rows in the next diagnosis:")
    st.code(slice_elsewhere.own_code(where), language="python")
    if not source.is_read_only():
        _keep(experiment, where)


def _keep(experiment: str, where: str) -> None:
    """Name the slice in the experiment."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="keep slice"):
        name = st.text_input("Name", key="own name", placeholder="late EV", width=220)
        kept = st.button("Keep with the experiment", key="keep", disabled=not name.strip())
    if kept:
        try:
            source.keep_slice(source.tracking_uri(), experiment, name.strip(), where)
            st.session_state[SAID] = "Kept: later evaluations of this experiment measure it."
        except ErrataError as cause:
            st.session_state[SAID] = str(cause)
    if SAID in st.session_state:
        st.text(st.session_state[SAID])
