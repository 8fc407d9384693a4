"""Moments and lengths of time as a person who looks at the page reads them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def zone() -> tuple[tzinfo, str]:
    """The viewer's time zone and its name; UTC where the browser does not tell."""
    name = st.context.timezone
    try:
        return (ZoneInfo(name), name) if name else (UTC, "UTC")
    except (KeyError, ValueError, OSError):
        return UTC, "UTC"


def moment(at: datetime) -> str:
    """A moment in the viewer's zone, which is named: 26 Nov 2026 09:22 (Europe/Berlin)."""
    where, name = zone()
    local = at.astimezone(where)
    return f"{local.day} {local:%b %Y %H:%M} ({name})"


def ago(at: datetime) -> str:
    """How long ago, in the largest unit that gives at least 1."""
    seconds = (datetime.now(UTC) - at).total_seconds()
    return f"{length(seconds)} ago" if seconds >= UNITS[-1][1] else "just now"


def length(seconds: float) -> str:
    """A length of time in the largest unit that gives at least 1."""
    for unit, size in UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
