"""The queue of labels as a page draws it: one row at a time, a table of all, or files."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from string import digits
from typing import TYPE_CHECKING, Any

import streamlit as st

from errata_app.draw import draw, plain
from errata_app.person import person
from mlflow_errata._decisions import ACCEPT, EXCLUDE, KEEP, KINDS, UNSURE
from mlflow_errata.sections import checking as words
from mlflow_errata.sections.label_issues import verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from errata_app.labelling import Session
    from mlflow_errata._queue import Issue, Standing
    from mlflow_errata.metric import Label

WAYS = ("One by one", "Table", "Files")
LONG = 20
"""Characters of a word that a table of a row's columns has room for, on a phone or beside another table."""
PLACES = 9
"""Classes that have a key by their place."""
CODE = """import mlflow_errata as errata

record = errata.load({run!r})
checked = errata.audited(record, errata.load_decisions({run!r}))"""
BY_ID = """
recipe = errata.Recipe.of(checked, checked.next_steps[0])  # relabel, where enough labels were wrong
train = recipe.apply(train)  # exactly these labels, by id"""


@st.fragment
def check(session: Session) -> None:
    """Everything that changes with a decision, and nothing else: a key press draws this part anew.

    The rest of the page follows where an audit becomes whole, or one of its answers changes.
    """
    queue = session.desk.queue
    standing = queue.standing(session.decisions)
    issues = session.issues(standing)
    if issues.audit != session.drawn:
        st.rerun()
    draw([verdict(issues, queue.record)], key="labels")
    with st.container(horizontal=True, vertical_alignment="bottom", key="checking"):
        st.header("Check labels", anchor=False)
        way = st.radio("How to check", WAYS, key="way", horizontal=True, label_visibility="collapsed", width="content")
        by = person()
    if "id" not in queue.record.dataset.roles:
        st.caption(words.needs_an_id())
    if standing.n_audit:
        st.progress(standing.n_answered / standing.n_audit)
    st.markdown(f"{plain(words.progress(standing))} **{plain(words.advice(standing))}**")
    if session.trouble is not None:
        _read_only(session)
    if not by:
        st.caption("Say who you are to decide.")
    locked = session.trouble is not None or not by
    if way == WAYS[0]:
        _one(session, standing, by, locked=locked)
    elif way == WAYS[1]:
        _table(session, by, locked=locked)
    else:
        _files(session, by, locked=locked)


def _read_only(session: Session) -> None:
    with st.container(border=True, key="notstored"):
        st.badge("▲ read-only", color="orange")
        st.text(f"{session.trouble} Kept on this page until then: {session.n_unstored}.")
        st.button("Try again", type="primary", on_click=session.retry)


# -- one by one -------------------------------------------------------------------------------------------------------


def _one(session: Session, standing: Standing, by: str, *, locked: bool) -> None:
    key = session.show(standing)
    if key is None:
        st.caption("Every row of the queue is decided. Go back to change an answer.")
        _step(session, "the end")
        return
    issue, queue = session.desk.queue.rows[key], session.desk.queue
    with st.container(border=True, key="row"):
        heading = st.container(horizontal=True, vertical_alignment="bottom", key="heading")
        _buttons(session, issue, by, locked=locked)
        with heading:  # drawn last: whoever sees the row has its buttons
            st.markdown(f"##### Row {plain(key)}", width=160)
            for name, value in (("given", issue.given), ("suggested", issue.suggested)):
                with st.container(width=130, gap=None, key=f"label-{name}"):
                    st.caption(name)
                    st.markdown(f"**{plain(words.label(value))}**")
        st.markdown("\n".join(f"- {plain(reason)}" for reason in words.why(queue, issue, standing)))
        _said(standing, key)
        with st.container(key="values"):
            for place, some in zip(st.columns(2, gap="large"), columns_of(words.values(queue, issue)), strict=True):
                if some:
                    place.markdown(some)


def columns_of(values: list[tuple[str, str]]) -> tuple[str, str]:
    """The columns of a row as two Markdown tables: a grid would take longer to draw than all the rest.

    A table breaks no word, so that a long one would lie on what stands beside it: then every column is a line.
    """
    half = (len(values) + 1) // 2
    is_long = any(len(word) > LONG for pair in values for text in pair for word in text.split())
    told = _lines if is_long else _tabled
    return told(values[:half]), told(values[half:])


def _lines(values: list[tuple[str, str]]) -> str:
    return "\n".join(f"- {plain(name)}: **{plain(value)}**" for name, value in values)


def _tabled(values: list[tuple[str, str]]) -> str:
    rows = [f"| {plain(name)} | {plain(value)} |" for name, value in values]
    return "\n".join(["| column | value |", "|---|---|", *rows]) if rows else ""


def _said(standing: Standing, key: str) -> None:
    """What was decided about this row, and by whom."""
    said = standing.decided.get(key)
    for item in standing.disputed.get(key, () if said is None else (said,)):
        what = item.decision if item.corrected is None else f"{item.decision}: {words.label(item.corrected)}"
        st.badge(f"{plain(item.by)}: {plain(what)}", color="gray")


def _buttons(session: Session, issue: Issue, by: str, *, locked: bool) -> None:
    """Buttons that belong to this row alone: a key that was pressed for it can decide about no other."""

    def button(text: str, hotkey: str | None, said: str, corrected: Label | None = None) -> None:
        decide = partial(session.decide, issue.key, said, corrected, by)
        name = f"{said} {text} {issue.key}"
        st.button(plain(text), key=name, shortcut=hotkey, on_click=decide, disabled=locked, wrap=False)

    classes = session.desk.queue.record.dataset.classes
    with st.container(horizontal=True, vertical_alignment="bottom", key="decisions"):
        button("Keep", "k", KEEP)
        button("Accept", "a", ACCEPT)
        button("Exclude", "e", EXCLUDE)
        button("Unsure", "u", UNSURE)
        _step(session, issue.key)
        keys = keys_of(classes)
        for label, hotkey in zip(classes, keys, strict=False):
            button(words.label(label), hotkey, ACCEPT, label)
        if not classes:
            value: Any = st.number_input("Another number", value=None, key=f"number {issue.key}", width=160)
            if value is not None:
                button(f"It is {value:.6g}", None, ACCEPT, float(value))
        others = {words.label(label): label for label in classes[len(keys) :]}
        if others:
            other = st.selectbox("Another label", list(others), index=None, key=f"other {issue.key}", width=220)
            if other is not None:
                button(f"It is {other}", None, ACCEPT, others[other])


def keys_of(classes: Sequence[Label]) -> list[str]:
    """The keys of the first classes: the digits that the classes are, else their places."""
    named = [f"{label:g}" if isinstance(label, float) else str(label) for label in classes]
    own = set(named) <= set(digits)
    return named if own else [str(at) for at in range(1, min(len(classes), PLACES) + 1)]


def _step(session: Session, key: str) -> None:
    st.button("Back", key=f"back {key}", shortcut="b", on_click=session.back, disabled=not session.trail)
    if session.wanted is not None:
        st.button("Next", key=f"next {key}", shortcut="n", on_click=session.forward)


# -- all at once ------------------------------------------------------------------------------------------------------


def _table(session: Session, by: str, *, locked: bool) -> None:
    """All rows, always in the same order: an edit is read against the row keys that stood here."""
    keys = tuple(session.desk.queue.rows)
    names = ("decision", "id", "given", "suggested", "score")
    frame = session.desk.queue.table(session.decisions)
    key = f"table {sha256(chr(0).join(keys).encode()).hexdigest()[:12]}"

    def edited() -> None:
        session.edited(keys, st.session_state[key]["edited_rows"], by)

    st.data_editor(
        frame,
        key=key,
        hide_index=True,
        disabled=True if locked else [str(name) for name in frame if name != "decision"],
        column_config={"decision": st.column_config.SelectboxColumn("decision", options=list(KINDS))},
        column_order=[*names, *(str(name) for name in frame if name not in names)],
        on_change=edited,
        alt="Labels, most suspicious first, with their decisions",
    )
    st.caption("Every edit is stored at once. For another label than the suggested one go one by one.")


def _files(session: Session, by: str, *, locked: bool) -> None:
    queue, made = session.desk.queue, session.decisions
    with st.container(horizontal=True, key="exports"):
        for kind, mime in (("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet")):
            st.download_button(
                f"Export as {kind}",
                partial(queue.file, made, kind),
                file_name=f"labels.{kind}",
                mime=mime,
                on_click="ignore",
                key=f"export {kind}",
            )
    st.caption(
        "All rows of the queue with their own columns: fill the column decision (keep, accept, exclude, unsure or a "
        "label) and bring the file back. Rows are matched by id, in any order."
    )
    brought = st.file_uploader("Import decisions", type=["csv", "parquet"], key="import", disabled=locked)
    if brought is not None:
        st.button(
            "Take these decisions",
            key="take",
            disabled=locked,
            on_click=session.bring,
            args=(brought.name, brought.getvalue(), by),
        )
    if session.told:
        st.text(session.told)
    by_id = BY_ID if "id" in session.desk.queue.record.dataset.roles else ""
    st.code(CODE.format(run=session.desk.drawer.run_id) + by_id, language="python", wrap_lines=True)
