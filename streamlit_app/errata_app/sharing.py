"""A view taken elsewhere: its link, its tables, its report, and the same run in MLflow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from errata_app import source
from errata_app.address import run_in_mlflow
from errata_app.copying import copy_link
from mlflow_errata.errors.stored import without_password

if TYPE_CHECKING:
    from mlflow_errata.tracking.search import RunRow

SHOWN = {
    "next_step": ("next_steps",),
    "slices": ("slice_errors", "data_faults"),
    "labels": ("label_issues",),
    "classes": ("class_imbalance", "calibration", "framing"),
    "over_time": ("recency_drift",),
    "metric": ("metric_mismatch", "objectives"),
}
"""The sections of a record that a page shows; every other page shows runs."""


def page_of(name: str) -> str | None:
    """The page that shows a section in full; None where there is none."""
    return next((f"views/{view}.py" for view, names in SHOWN.items() if name in names), None)


def share(row: RunRow) -> None:
    """One button that opens all ways to take this view elsewhere."""
    view = str(st.session_state.get("view", "next_step"))
    with st.popover("Share", key="share", on_change="rerun") as opened:
        if not opened.open:
            return
        copy_link("Copy link", key="copy link")
        _files(row, view)
        _in_mlflow(row)
        st.caption(f"This is the page {view.replace('_', ' ')} of one run; the link opens it as it stands here.")


def _files(row: RunRow, view: str) -> None:
    if row.failed:
        return
    names = SHOWN.get(view, ())
    read = (source.tracking_uri(), row.run_id, row.digest, names)
    st.download_button(
        "Download (CSV)",
        partial(_csv, *read),
        file_name=f"errata_{view}_{row.run_id[:8]}.csv",
        mime="text/csv",
        on_click="ignore",
        key="csv",
    )
    st.download_button(
        "Download the report of this view",
        partial(_report, *read, row.experiment_id),
        file_name=f"errata_{view}_{row.run_id[:8]}.html",
        mime="text/html",
        on_click="ignore",
        key="report",
    )


def _in_mlflow(row: RunRow) -> None:
    link = run_in_mlflow(source.tracking_uri(), row.experiment_id, row.run_id)
    if link:
        st.link_button("Open in MLflow", link)
        return
    st.caption("No MLflow server is known for this store. To see the run in MLflow:")
    st.code(f"mlflow ui --backend-store-uri {without_password(source.tracking_uri())}", language="sh", wrap_lines=True)


def _csv(uri: str, run_id: str, digest: str, names: tuple[str, ...]) -> bytes:
    from mlflow_errata.sections.tables import csv_of  # noqa: PLC0415 - at a click

    return csv_of(source.record(uri, run_id, digest), names).encode()


def _report(uri: str, run_id: str, digest: str, names: tuple[str, ...], experiment_id: str) -> bytes:
    from mlflow_errata.report import render  # noqa: PLC0415 - a drawing engine, loaded at a click

    reviews = source.slice_reviews(uri, experiment_id)
    return render(source.record(uri, run_id, digest), only=names, reviews=reviews).encode()
