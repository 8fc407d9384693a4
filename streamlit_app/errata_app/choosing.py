"""Taking a step or turning it down, as a page draws it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from errata_app import source
from errata_app.draw import plain
from errata_app.person import person
from mlflow_errata.errors import ErrataError
from mlflow_errata.sections import loop as words

if TYPE_CHECKING:
    from mlflow_errata._choices import Choice

TROUBLE, DECIDED = "choosing trouble", "decided just now"
WAYS = (("Mark as taken", "accept", "Accept"), ("Not this one ...", "decline", "Decline"))


def standing(choice: Choice | None) -> None:
    """What was decided about a step."""
    if choice is None:
        return
    accepted = choice.verdict == "accept"
    with st.container(horizontal=True, vertical_alignment="top", key=f"standing {choice.kind}"):
        st.badge("● accepted" if accepted else "○ declined", color="blue" if accepted else "gray")
        st.markdown(plain(words.decided(choice)), width="stretch")
    by_hand = words.by_hand(choice)
    if by_hand:
        st.markdown(plain(by_hand))


def actions(kind: str, run_id: str, choice: Choice | None, *, read_only: bool) -> None:
    """Take the step or turn it down, each with a reason for those who come after."""
    for opener, verdict, label in WAYS:
        is_decided = choice is not None and choice.verdict == verdict
        state = "" if choice is None else choice.at  # a decision closes what it was made in
        with st.popover(opener, key=f"{verdict} {kind} opened {state}", disabled=read_only):
            by = "" if read_only else person("Decided by", key=f"by {verdict} {kind}")
            why = f"why {run_id} {kind} {verdict}"
            st.text_input("Why", key=why, placeholder="for those who come after", disabled=read_only)
            if not by and not read_only:
                st.caption("Say who you are to accept or decline a step.")
            st.button(
                label,
                key=f"{verdict} {kind}",
                type="primary",
                on_click=partial(_choose, run_id, kind, by, why, accepts=verdict == "accept"),
                disabled=read_only or not by or is_decided,
            )


def decided() -> bool:
    """Whether a step was decided since this was asked last: then more changes than the place where it was."""
    return bool(st.session_state.pop(DECIDED, False))


def _choose(run_id: str, kind: str, by: str, why: str, *, accepts: bool) -> None:
    st.session_state[DECIDED] = True
    try:
        source.choose(
            source.tracking_uri(), run_id, kind, accepts=accepts, by=by, why=str(st.session_state.get(why, ""))
        )
        st.session_state.pop(TROUBLE, None)
    except ErrataError as cause:
        st.session_state[TROUBLE] = str(cause)


def trouble(*, read_only: bool) -> None:
    """Why nothing can be decided, if so."""
    if read_only:
        with st.container(horizontal=True, key="read only"):
            st.badge("▲ read-only", color="orange")
            st.caption("ERRATA_READ_ONLY is set: steps are shown here and decided elsewhere.")
    if TROUBLE in st.session_state:
        st.text(st.session_state[TROUBLE])
