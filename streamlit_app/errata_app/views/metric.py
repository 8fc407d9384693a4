"""Metric: whether the metric serves the declared value, in this run, over runs, and beside a business figure."""

import streamlit as st

from errata_app import source, states
from errata_app.draw import draw
from errata_app.header import chosen_record
from mlflow_errata.errors import ErrataError, NotApplicable
from mlflow_errata.sections import metric_comparison, sections

NAME = "metric_mismatch"

record, row = chosen_record()
uri = source.tracking_uri()
st.title("Does the metric serve the value?", anchor=False)
for name, _, blocks in sections(record):
    if name == NAME:
        draw(blocks, key=name)
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
