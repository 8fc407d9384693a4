"""Accepting and declining steps, as a page draws it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from errata_app import source
from errata_app.draw import plain
from mlflow_errata.errors import ErrataError
from mlflow_errata.sections import loop as words

if TYPE_CHECKING:
    from mlflow_errata import Record
    from mlflow_errata._choices import Choice

TROUBLE = "choosing trouble"


def standing(choice: Choice | None, record: Record, run_id: str, key: str) -> None:
    """What was decided about a step, and the code that takes it."""
    if choice is None:
        return
    accepted = choice.verdict == "accept"
    st.badge("● accepted" if accepted else "○ declined", color="blue" if accepted else "gray")
    st.markdown(plain(words.decided(choice)))
    by_hand = words.by_hand(choice)
    if by_hand:
        st.markdown(plain(by_hand))
    code = words.code(choice, record, run_id)
    if code:
        with st.expander("The code of the next run", expanded=True, key=f"next{key}"):
            st.code(code, language="python")


def buttons(kind: str, run_id: str, by: str, choice: Choice | None, *, first: bool, locked: bool) -> None:
    """Accept, decline and why: open on the first step, behind one button on the others."""
    if first:
        _ways(kind, run_id, by, choice, locked=locked)
        return
    with st.popover("Decide", key=f"decide {kind}"):
        _ways(kind, run_id, by, choice, locked=locked)


def _ways(kind: str, run_id: str, by: str, choice: Choice | None, *, locked: bool) -> None:
    key = f"why {run_id} {kind}"
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"ways {kind}"):
        st.text_input("Why", key=key, placeholder="for those who come after", width=240, disabled=locked)
        for label, verdict in (("Accept", "accept"), ("Decline", "decline")):
            st.button(
                label,
                key=f"{verdict} {kind}",
                type="primary" if verdict == "accept" else "secondary",
                on_click=partial(_choose, run_id, kind, by, key, accepts=verdict == "accept"),
                disabled=locked or (choice is not None and choice.verdict == verdict),
            )


def _choose(run_id: str, kind: str, by: str, why: str, *, accepts: bool) -> None:
    try:
        source.choose(
            source.tracking_uri(), run_id, kind, accepts=accepts, by=by, why=str(st.session_state.get(why, ""))
        )
        st.session_state.pop(TROUBLE, None)
    except ErrataError as cause:
        st.session_state[TROUBLE] = str(cause)


def trouble(*, read_only: bool, by: str) -> None:
    """Why nothing can be decided, if so."""
    if read_only:
        st.badge("▲ read-only", color="orange")
        st.caption("ERRATA_READ_ONLY is set: steps are shown here and decided elsewhere.")
    elif not by:
        st.caption("Say who you are to accept or decline a step.")
    if TROUBLE in st.session_state:
        st.text(st.session_state[TROUBLE])
