"""What was last read from the store, for when it does not answer."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar, cast

import streamlit as st

from mlflow_errata.errors.stored import StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
REST = 15.0
"""Seconds after a failure in which the store is not asked again for what is known."""


@dataclass
class Kept:
    """Answers by question with the moment they were read, and when the store failed last."""

    answers: dict[tuple[Any, ...], tuple[float, Any]]
    failed: dict[str, float]


@st.cache_resource(show_spinner=False)
def kept() -> Kept:
    """What this server remembers."""
    return Kept({}, {})


def steady(read: Callable[..., T], uri: str, *asked: Any) -> T:
    """The answer of the store, or the last one where it does not answer.

    Raises
    ------
    StoreUnreachable
        If there is no earlier answer.
    """
    memory, question = kept(), (read.__name__, uri, *asked)
    known = memory.answers.get(question)
    if known is not None and monotonic() - memory.failed.get(uri, -REST) < REST:
        return cast("T", known[1])
    try:
        answer = read(uri, *asked)
    except StoreUnreachable:
        memory.failed[uri] = monotonic()
        if known is None:
            raise
        return cast("T", known[1])
    memory.failed.pop(uri, None)
    memory.answers[question] = (monotonic(), answer)
    return answer


def age_of_answers(uri: str) -> float | None:
    """Seconds since the oldest answer shown was read, where the store does not answer; else None."""
    memory = kept()
    read_at = [at for question, (at, _) in memory.answers.items() if question[1] == uri]
    return monotonic() - max(read_at) if uri in memory.failed and read_at else None


def ask_again(uri: str) -> None:
    """Ask the store at the next question."""
    kept().failed.pop(uri, None)
