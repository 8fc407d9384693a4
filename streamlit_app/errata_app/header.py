"""What stands above every page: the experiment, the run, the metric and the data it was measured on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from errata_app import source, states
from errata_app.draw import plain
from mlflow_errata.errors import ErrataError
from mlflow_errata.sections import measured

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.delta_generator import DeltaGenerator

    from mlflow_errata import Record
    from mlflow_errata.tracking.search import RunRow


class Choice(NamedTuple):
    """What the header has chosen."""

    experiment: str
    experiment_id: str
    rows: tuple[RunRow, ...]
    ignored: dict[str, str]


def chosen_runs() -> Choice:
    """The experiment and its runs; stops the page where there is nothing to show."""
    with _bar():
        return _choose_experiment()


def chosen_record() -> tuple[Record, RunRow]:
    """The record of the chosen run; stops the page where there is none."""
    with _bar():
        choice = _choose_experiment()
        named = {row.run_id: row for row in choice.rows}
        run_id = _linked("Run", list(named), key="run", shown=lambda run_id: _label(named[run_id]), width=300)
        row = named[run_id]
        if row.failed:
            states.run_failed(row.failed)
        try:
            record = source.record(source.tracking_uri(), row.run_id, row.digest)
            record = replace(record, ignored=choice.ignored)
        except ErrataError as cause:
            states.failed(cause)
        with st.container(horizontal=True, vertical_alignment="center", width="content", key="badges"):
            st.badge(plain(measured(record)), color="blue")
            st.badge(
                f"test set {row.digest[:8]}", color="gray", help="Runs of one mark were measured on the same rows."
            )
    return record, row


def chosen_pair() -> tuple[RunRow, RunRow]:
    """The run of the header and the one to compare it with: that which it follows, else the one before."""
    with _bar():
        choice = _choose_experiment()
        named = {row.run_id: row for row in choice.rows if not row.failed}
        if len(named) < 2:  # noqa: PLR2004 - a comparison needs two
            states.one_run()
        order = list(named)
        new = _linked("Run", order, key="run", shown=lambda run_id: _label(named[run_id]), width=300)
        others = [run_id for run_id in order if run_id != new]
        try:
            loop = {
                item.row.run_id: item.follows for item in source.history(source.tracking_uri(), choice.experiment_id)
            }
        except ErrataError as cause:
            states.failed(cause)
        older = order[order.index(new) + 1 :]
        likely = [run_id for run_id in (loop.get(new), *older) if run_id in others]
        others = list(dict.fromkeys([*likely, *others]))
        old = _linked("Compare with", others, key="against", shown=lambda run_id: _label(named[run_id]), width=300)
    return named[old], named[new]


def _bar() -> DeltaGenerator:
    return st.container(horizontal=True, vertical_alignment="bottom", key="header")


def _choose_experiment() -> Choice:
    uri = source.tracking_uri()
    try:
        known = source.experiments(uri)
        names = [item.name for item in known if item.name != "Default"] or [item.name for item in known]
        if not names:
            states.no_experiments(uri)
        name = _linked("Experiment", names, key="experiment", shown=str, width=220)
        experiment = next(item for item in known if item.name == name)
        rows = source.runs(uri, experiment.id)
    except ErrataError as cause:
        states.failed(cause)
    if not rows:
        states.no_runs(name)
    return Choice(name, experiment.id, rows, experiment.ignored)


def _linked(label: str, options: list[str], *, key: str, shown: Callable[[str], str], width: int) -> str:
    """A choice that the address holds: a link opens it, it outlives a change of page, and the address follows it.

    Streamlit's own binding writes what is shown into the address, which for a run changes by the minute.
    """
    kept = f"{key} chosen"

    def keep() -> None:
        st.session_state[kept] = st.query_params[key] = st.session_state[key]

    wanted = (st.query_params.get(key), st.session_state.get(kept))
    chosen = next((value for value in wanted if value in options), options[0])
    st.session_state[key] = st.session_state[kept] = st.query_params[key] = chosen
    st.selectbox(label, options, format_func=shown, key=key, on_change=keep, width=width)
    return chosen


def _label(row: RunRow) -> str:
    return f"{row.name} · {age(row.started)}"


def age(moment: datetime) -> str:
    """How long ago, in the largest unit that gives at least 1."""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return "just now"
