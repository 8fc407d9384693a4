"""What stands above every page: the experiment, the run, the run beside it, the data, how fresh all this is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from errata_app import source, states
from errata_app.address import is_absent, store
from errata_app.draw import plain
from errata_app.keeping import age_of_answers
from errata_app.moments import ago, length, moment
from errata_app.sharing import share
from mlflow_errata.errors import ErrataError
from mlflow_errata.sections import history, measured

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow_errata import Record
    from mlflow_errata.tracking.search import Experiment, RunRow

OLDER, NONE = "older runs", ""
"""Values of a choice that are no run."""
PAGES = "pages of runs"
DEFAULT = "Default"
"""The experiment that every store has, used or not: it comes last."""


class Choice(NamedTuple):
    """What the header has chosen. `against` is the run beside the chosen one, None where there is none."""

    experiment: str
    experiment_id: str
    rows: tuple[RunRow, ...]
    ignored: dict[str, str]
    row: RunRow
    against: RunRow | None


def chosen_runs() -> Choice:
    """The experiment and its runs; stops the page where there is nothing to show."""
    choice = _chosen()
    _badges(choice, measured(_record(choice)) if not choice.row.failed else "no diagnoses")
    return choice


def chosen_record() -> tuple[Record, RunRow]:
    """The record of the chosen run; stops the page where there is none."""
    choice = _chosen()
    if choice.row.failed:
        _badges(choice, "no diagnoses")
        states.run_failed(choice.row.failed)
    record = _record(choice)
    _badges(choice, measured(record))
    return record, choice.row


def chosen_pair() -> tuple[RunRow, RunRow]:
    """The run of the header and the one beside it, the earlier one first; stops the page where there is one alone."""
    choice = _chosen()
    if choice.against is None:
        states.one_run()
    _badges(choice, f"{history.name(choice.row)} against {history.name(choice.against)}")
    old, new = sorted((choice.against, choice.row), key=lambda row: row.started)
    return old, new


def _record(choice: Choice) -> Record:
    try:
        found = source.record(source.tracking_uri(), choice.row.run_id, choice.row.digest)
    except ErrataError as cause:
        states.failed(cause)
    return replace(found, ignored=choice.ignored)


# -- what is chosen ---------------------------------------------------------------------------------------------------


def _chosen() -> Choice:
    uri = source.tracking_uri()
    if is_absent(uri):
        states.no_store(uri)
    bar = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="header")
    try:
        walled = source.workspaces(store())
        if walled not in ((), ("default",)):
            with bar:
                _linked("Workspace", list(walled), key="workspace", shown=str, width=130)
            uri = source.tracking_uri()
        known = source.experiments(uri)
        names = sorted((item.name for item in known), key=lambda name: name == DEFAULT)
        if not names:
            states.no_experiments(uri)
        _arrive(uri, known)
        with bar:
            name = _linked("Experiment", names, key="experiment", shown=str, width=130)
        experiment = next(item for item in known if item.name == name)
        n_pages = int(st.session_state.setdefault(PAGES, 1))
        rows = source.runs(uri, experiment.id, n_pages)
        if not rows:
            states.no_runs(name)
        rows = _with_linked(uri, experiment.id, rows)
    except ErrataError as cause:
        states.failed(cause)
    with bar:
        row = _choose_run(rows, is_more=len(rows) >= source.PAGE * n_pages)
        against = _choose_against(rows, row)
        share(row)
        _who()
    return Choice(name, experiment.id, rows, experiment.ignored, row, against)


def _arrive(uri: str, known: tuple[Experiment, ...]) -> None:
    """Where a link was opened: the experiment is that of its run, whatever experiment the link names, or none."""
    if "experiment chosen" in st.session_state:
        return
    run_id, named = st.query_params.get("run", ""), st.query_params.get("experiment", "")
    names = {item.id: item.name for item in known}
    own = names.get(_experiment_of(uri, run_id)) if run_id else None
    if named and named not in names.values():
        st.toast(f"There is no experiment {plain(named)} in this store.")
    elif named and own not in (None, named):
        st.toast(f"The run of this link is one of the experiment {plain(own)}, not of {plain(named)}.")
    if own is not None:
        st.query_params["experiment"] = own


def _experiment_of(uri: str, run_id: str) -> str:
    """Id of the experiment of a run; empty where the store has no such run."""
    try:
        return source.run(uri, run_id).experiment_id
    except ErrataError:
        return ""


def _with_linked(uri: str, experiment_id: str, rows: tuple[RunRow, ...]) -> tuple[RunRow, ...]:
    """The runs read, and those that the address names although they are older than these."""
    known = {row.run_id for row in rows}
    named = {st.query_params.get(key, "") for key in ("run", "against")} | {st.session_state.get("run chosen", "")}
    older = []
    for run_id in sorted(named - known - {"", OLDER}):
        try:
            found = source.run(uri, run_id)
        except ErrataError:
            found = None
        if found is not None and found.experiment_id == experiment_id:
            older.append(found)
    return (*rows, *sorted(older, key=lambda row: row.started, reverse=True))


def _choose_run(rows: tuple[RunRow, ...], *, is_more: bool) -> RunRow:
    named = {row.run_id: row for row in rows}
    wanted, had = st.query_params.get("run"), st.session_state.get("run chosen")
    if OLDER in (st.session_state.get("run"), had):
        st.session_state[PAGES] += 1
        st.session_state["run"] = st.session_state["run chosen"] = st.session_state.get("run before", rows[0].run_id)
        st.query_params["run"] = st.session_state["run"]
        st.rerun()
    options = [*named, OLDER] if is_more else list(named)

    def shown(run_id: str) -> str:
        return "Older runs ..." if run_id == OLDER else _label(named[run_id])

    chosen = _linked("Run", options, key="run", shown=shown, width=220)
    st.session_state["run before"] = chosen
    if wanted and wanted not in named and had is None:
        st.toast(f"The run {plain(wanted)} of this link is not in this experiment. This is the newest one.")
    return named[chosen]


def _choose_against(rows: tuple[RunRow, ...], row: RunRow) -> RunRow | None:
    """The run that this one follows, else the one before, unless another is chosen."""
    named = {item.run_id: item for item in rows if not item.failed and item.run_id != row.run_id}
    if not named:
        return None
    order = [item.run_id for item in rows]
    older = [run_id for run_id in order[order.index(row.run_id) + 1 :] if run_id in named]
    likely = [run_id for run_id in (row.follows, *older) if run_id in named]
    options = list(dict.fromkeys([*likely, *named]))

    def shown(run_id: str) -> str:
        return f"against {_label(named[run_id])}"

    chosen = _linked("Compare with", options, key="against", shown=shown, width=260)
    return named[chosen]


def _linked(label: str, options: list[str], *, key: str, shown: Callable[[str], str], width: int) -> str:
    """A choice that the address holds: a link opens it, it outlives a change of page, and the address follows it.

    Its label is there for those who do not see it: on a phone the header would fill half of the screen. Streamlit's
    own binding writes what is shown into the address, which for a run changes by the minute.
    """
    kept = f"{key} chosen"

    def keep() -> None:
        st.session_state[kept] = st.query_params[key] = st.session_state[key]

    wanted = (st.query_params.get(key), st.session_state.get(kept))
    chosen = next((value for value in wanted if value in options), options[0])
    st.session_state[key] = st.session_state[kept] = st.query_params[key] = chosen
    st.selectbox(label, options, format_func=shown, key=key, on_change=keep, width=width, label_visibility="collapsed")
    return chosen


def _label(row: RunRow) -> str:
    return f"{history.name(row)} · {ago(row.started)}"


# -- what is known of it ----------------------------------------------------------------------------------------------


def _badges(choice: Choice, said: str) -> None:
    """The metric, behind which stands what it was measured on; newer runs, and the run beside."""
    row, uri = choice.row, source.tracking_uri()
    newer = [item for item in choice.rows if item.started > row.started]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="badges"):
        with st.popover(plain(said), type="tertiary", key="measured"):
            st.text(f"Run of {ago(row.started)}: {moment(row.started)}")
            if row.digest:
                st.text(f"Evaluation rows frozen, mark {row.digest[:8]}")
                st.caption("Runs with this mark were measured on the same evaluation rows.")
        if newer:
            more = "+" if len(newer) >= source.PAGE else ""
            st.button(
                f"▲ {len(newer)}{more} newer: open the newest",
                key="newest",
                type="tertiary",
                on_click=_open,
                args=(newer[0].run_id,),
            )
        if choice.against is not None:
            st.page_link(
                "views/compare.py",
                label=plain(f"{_beside(row, choice.against)} · compare"),
                query_params={
                    "experiment": choice.experiment,
                    "run": row.run_id,
                    "against": choice.against.run_id,
                },
            )
    age = age_of_answers(uri)
    if age is not None:
        states.shown_from_memory(length(age))


def _who() -> None:
    """Who is logged in, and the way out."""
    if not st.user.get("is_logged_in"):
        return
    name = str(st.user.get("email") or st.user.get("name") or "somebody")
    with st.popover(plain(name.partition("@")[0]), type="tertiary", key="who"):
        st.text(name)
        st.button("Log out", on_click=st.logout, key="log out")


def _open(run_id: str) -> None:
    st.session_state["run chosen"] = st.query_params["run"] = run_id


def _beside(row: RunRow, other: RunRow) -> str:
    """The metric of the run beside, and whether it was measured on the same rows."""
    where = "same rows" if row.digest == other.digest else "other rows"
    return f"{history.name(other)}: {history.value(other)}, {where}"
