"""Logging in (OIDC), where a secrets.toml names who vouches for people: before that, no page shows anything."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import NoReturn

import streamlit as st
from streamlit.errors import Error

SECTION, ALLOWED = "errata", "allowed"
"""Where secrets.toml says who is let in: [errata] allowed = ["*@example.org"]."""


def ask() -> None:
    """Stop the page unless whoever asks is logged in and let in; nothing where no login is configured."""
    settings = _settings()
    if "auth" not in settings and SECTION not in settings:
        return
    if not st.user.get("is_logged_in"):
        _ask(settings.get("auth", {}))
    if not is_let_in(dict(st.user), settings.get(SECTION, {}).get(ALLOWED)):
        _turn_away()


def is_let_in(user: Mapping[str, object], allowed: object) -> bool:
    """Whether somebody who logged in may see the app.

    Parameters
    ----------
    user : mapping, the claims of the provider
    allowed : list of str, e-mail addresses, `*` for any characters; None lets everybody in whom the provider knows
    """
    if allowed is None:
        return True
    email = str(user.get("email") or "").lower()
    if not email or user.get("email_verified") is False or not isinstance(allowed, list | tuple):
        return False
    return any(fnmatch(email, str(pattern).lower()) for pattern in allowed)


def _settings() -> dict[str, Mapping[str, object]]:
    """The sections of secrets.toml that are about logging in."""
    if st.secrets.load_if_toml_exists():
        told = {name: st.secrets[name] for name in ("auth", SECTION) if name in st.secrets}
        return {name: value if isinstance(value, Mapping) else {} for name, value in told.items()}
    unread = [name for name in st.get_option("secrets.files") if Path(name).is_file()]
    if unread:  # it may ask for a login: nobody is let in by a slip of the pen
        st.title("Logging in is not set up right", anchor=False)
        st.text(f"{unread[0]} cannot be read as TOML. Correct it and start the app again.")
        st.stop()
    return {}


def _ask(auth: Mapping[str, object]) -> NoReturn:
    st.title("Log in", anchor=False)
    st.text("This app shows its pages to people who are logged in.")
    named = [name for name, value in auth.items() if isinstance(value, Mapping)]
    with st.container(horizontal=True, key="providers"):
        for name in named:
            if st.button(f"Log in with {name}", type="primary", key=f"log in {name}"):
                _leave(name)
        if not named and st.button("Log in", type="primary", key="log in"):
            _leave(None)
    if st.query_params or st.session_state.get("view") != "next_step":
        st.caption("You will see the first page then. Open your link once more.")
    st.stop()


def _leave(provider: str | None) -> None:
    try:
        st.login(provider)
    except Error as cause:
        st.error(_sentence(cause))


def _turn_away() -> NoReturn:
    st.title("You are logged in, and not let in", anchor=False)
    email = st.user.get("email")
    verified = " is not verified by its provider" if st.user.get("email_verified") is False else " is not on its list"
    st.text(f"{email or 'An account without an e-mail address'}{verified}. Ask whoever runs this app.")
    st.button("Log out", on_click=st.logout, key="log out")
    st.stop()


def _sentence(cause: Exception) -> str:
    """What Streamlit says of its settings, on one line."""
    return " ".join(str(cause).replace("**", "").split())
