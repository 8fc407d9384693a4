"""What a page shows where there is nothing to show: each says what to do, and stops the page."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from errata_app import source
from errata_app.address import database_of, is_own
from errata_app.draw import plain
from mlflow_errata.errors import ErrataError
from mlflow_errata.errors.stored import NoDiagnoses, RecordBroken, RecordTooNew, StoreUnreachable, without_password

LOG_CODE = """import mlflow
import mlflow_errata as errata

with mlflow.start_run():
    record = errata.diagnose(test, label="y", model=model, time="created_at")
    errata.log(record)"""
TITLES = {
    StoreUnreachable: "The store does not answer",
    RecordTooNew: "A newer errata wrote this record",
    RecordBroken: "This record cannot be read",
    NoDiagnoses: "This run has no diagnoses",
}


def no_store(uri: str) -> NoReturn:
    """A store that is a file, and the file is not there."""
    _how_to_log("There is no store here", f"{uri} does not exist. Training code makes it:", tracking_uri=uri, empty=uri)


def no_experiments(uri: str) -> NoReturn:
    """An empty store."""
    said = f"The store {without_password(uri)} has no experiment. Log a run from training code:"
    _how_to_log("Nothing logged yet", said, empty=uri)


def no_runs(experiment: str) -> NoReturn:
    """An experiment that errata has not looked at."""
    _how_to_log("No diagnoses in this experiment", f"No run of {experiment} was diagnosed. Log one from training code:")


def one_run() -> NoReturn:
    """An experiment with nothing to compare."""
    _how_to_log("One run is not enough to compare", "Diagnose and log a second run of this experiment:")


def run_failed(reason: str) -> NoReturn:
    """A run whose diagnoses failed."""
    st.title("This run has no diagnoses", anchor=False)
    st.text(reason)
    st.caption("Correct it, and run the training code again. Other runs can be chosen above.")
    st.stop()


def failed(cause: Exception) -> NoReturn:
    """A store or a record that cannot be read."""
    title = next((said for kind, said in TITLES.items() if isinstance(cause, kind)), "This cannot be read")
    st.title(title, anchor=False)
    st.text(str(cause))
    if st.button("Try again", type="primary"):
        source.forget()
        st.rerun()
    st.stop()


def shown_from_memory(age: str) -> None:
    """A store that no longer answers, while what it said last is still shown."""
    with st.container(horizontal=True, vertical_alignment="center", key="memory"):
        st.badge("▲ the store does not answer", color="orange")
        st.text(f"What is shown was read {age} ago.", width="content")
        if st.button("Try again", key="try again"):
            source.forget()
            st.rerun()


def _how_to_log(title: str, sentence: str, *, tracking_uri: str = "", empty: str = "") -> NoReturn:
    """What to run; `empty` is a store that the demo may be logged into."""
    st.title(title, anchor=False)
    st.text(sentence)
    first, rest = LOG_CODE.split("\n\n")
    where = f"\n\nmlflow.set_tracking_uri({tracking_uri!r})" if tracking_uri else ""
    st.code(f"{first}{where}\n\n{rest}", language="python", wrap_lines=True)
    st.text("Or see it at work first: four runs on real flights.")
    if is_own(empty) and not source.is_read_only():
        _offer_demo(empty)
    else:
        st.code("errata demo", language="sh", wrap_lines=True)
    st.stop()


def _offer_demo(uri: str) -> None:
    """A button that fills a store of one's own, after it has said what it writes and where."""
    database = database_of(uri)
    wanted = st.button("Log the demo here", key="demo")
    st.caption(
        plain(
            f"Adds the experiment flights to {database}, and the folder errata-demo beside it. Takes a minute or two."
        )
    )
    if not wanted:
        return
    try:
        source.fill_with_demo(uri)
    except ErrataError as cause:
        st.text(str(cause))
        return
    source.forget()
    st.rerun()
