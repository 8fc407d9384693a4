"""What a page shows where there is nothing to show: each says what to do, and stops the page."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from errata_app import source

LOG_CODE = """import mlflow
import mlflow_errata as errata

with mlflow.start_run():
    record = errata.diagnose(test, label="y", model=model, time="created_at")
    errata.log(record)"""


def no_experiments(uri: str) -> NoReturn:
    """An empty store."""
    _how_to_log("Nothing logged yet", f"The store {uri} has no experiment.")


def no_runs(experiment: str) -> NoReturn:
    """An experiment that errata has not looked at."""
    _how_to_log("No diagnoses in this experiment", f"No run of {experiment} was diagnosed. Log one from training code:")


def one_run() -> NoReturn:
    """An experiment with nothing to compare."""
    _how_to_log("One run is not enough to compare", "Diagnose and log a second run of this experiment:")


def run_failed(reason: str) -> NoReturn:
    """A run whose diagnoses failed."""
    st.title("This run has no diagnoses")
    st.text(reason)
    st.stop()


def failed(cause: Exception) -> NoReturn:
    """A store or a record that cannot be read."""
    st.title("Nothing could be read")
    st.text(str(cause))
    if st.button("Try again", type="primary"):
        source.forget()
        st.rerun()
    st.stop()


def _how_to_log(title: str, sentence: str) -> NoReturn:
    st.title(title)
    st.text(sentence)
    st.code(LOG_CODE, language="python")
    st.caption("Or see it at work on real flights: `make demo` in the project's folder.")
    st.stop()
