"""Who decides, here and now."""

from __future__ import annotations

from getpass import getuser

import streamlit as st

from errata_app.address import LOCAL

KEPT = "by chosen"


def person(label: str = "Checked by", *, key: str = "by") -> str:
    """Who decides: whoever is logged in, else the name that was typed; on one's own machine its user.

    The name outlives a change of page, and stands in the address; several fields of a page hold the same name.
    """
    if st.user.get("is_logged_in"):
        return str(st.user.get("email") or st.user.get("name"))
    own = getuser() if st.get_option("server.address") in LOCAL else ""

    def keep() -> None:
        st.session_state[KEPT] = st.query_params["by"] = st.session_state[key]

    wanted = st.session_state.get(KEPT, st.query_params.get("by") or own)
    st.session_state[key] = st.session_state[KEPT] = wanted
    if wanted and st.query_params.get("by") != wanted:
        st.query_params["by"] = wanted
    return (st.text_input(label, key=key, on_change=keep, width=180) or "").strip()
