"""Metric: whether the metric serves the declared value, weights of objectives, runs, and a business figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from errata_app import source, states
from errata_app.draw import draw, plain
from errata_app.header import chosen_record
from mlflow_errata.errors import ErrataError, NotApplicable
from mlflow_errata.sections import metric_comparison, objectives, sections

if TYPE_CHECKING:
    from mlflow_errata.diagnoses._mixes import Swept

NAME, WEIGHTS = "metric_mismatch", "objectives"


@st.fragment
def mix(swept: Swept, key: str) -> None:
    """Sliders of weights, and the mix that they stand at: read from the record, so that a move computes nothing."""
    moved = [
        st.slider(plain(label), 0, 100, start, format="%d %%", key=f"weight-{at}-{key}", width=560)
        for at, (label, start) in enumerate(objectives.sliders(swept))
    ]
    draw(objectives.at_mix(swept, objectives.moved(swept, moved)), key="mix")


record, row = chosen_record()
uri = source.tracking_uri()
st.title("Does the metric serve the value?", anchor=False)
for name, title, blocks in sections(record):
    if name == NAME:
        draw(blocks, key=name)
    if name == WEIGHTS:
        st.header(title, anchor=False)
        if name not in record.results:
            draw(blocks, key=name)
            continue
        swept = record.results[name].sweep  # type: ignore[attr-defined]
        draw(blocks[:2], key=name)
        mix(swept, row.run_id)
        draw(objectives.details(swept), key=f"{name}-details")
st.header(metric_comparison.TITLE, anchor=False)
try:
    draw(metric_comparison.section(source.metric_comparison(uri, row.experiment_id)), key="runs")
except NotApplicable as cause:
    draw([metric_comparison.not_made(str(cause))], key="runs")
except ErrataError as cause:
    states.failed(cause)
st.header(metric_comparison.BUSINESS_TITLE, anchor=False)
try:
    draw(metric_comparison.business(source.business(uri, row.experiment_id)), key="business")
except ErrataError as cause:
    states.failed(cause)
