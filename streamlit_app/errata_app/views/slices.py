"""Slices: where the errors are, the rows behind each, and what was decided about it."""

import streamlit as st

from errata_app import source
from errata_app.draw import draw
from errata_app.header import chosen_record
from errata_app.own_slice import own_slice
from errata_app.reviewing import Desk, review
from mlflow_errata.diagnoses._codes import codes_of
from mlflow_errata.diagnoses.slice_errors import SliceErrors
from mlflow_errata.errors import ErrataError
from mlflow_errata.sections import REGISTRY, sections, slice_errors, verdicts

NAME, FAULTS = "slice_errors", "data_faults"

record, row = chosen_record()
st.title("Where the errors are", anchor=False)
draw([verdicts(record)[NAME]], key="verdict")
parts = {item.name: item.blocks for item in sections(record) if item.name in {NAME, FAULTS}}
result = record.results.get(NAME)
if isinstance(result, SliceErrors):
    if result.slices or result.suspected:
        try:
            runs = source.runs(source.tracking_uri(), row.experiment_id)
        except ErrataError:
            runs = (row,)
        review(Desk(record, result, row, runs))
    with st.expander("How slices were looked for, and what else was measured", expanded=not result.slices):
        draw(slice_errors.explained(result, record), key="explained")
        if codes_of(NAME, result):
            draw(parts[NAME][-1:], key="codes")
st.header("A slice of your own", anchor=False)
own_slice(row, st.session_state["experiment"])
st.header(REGISTRY[FAULTS].TITLE, anchor=False)
draw(parts[FAULTS], key=FAULTS)
