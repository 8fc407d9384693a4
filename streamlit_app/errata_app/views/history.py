"""History: what steps were taken, what they promised and what they delivered; then every run and its headlines."""

import streamlit as st

from errata_app import source, states
from errata_app.draw import draw
from errata_app.header import chosen_runs
from mlflow_errata.errors import ErrataError
from mlflow_errata.sections import history, promises

choice = chosen_runs()
uri = source.tracking_uri()
try:
    iterations, outcomes = source.history(uri, choice.experiment_id), source.outcomes(uri)
except ErrataError as cause:
    states.failed(cause)
st.title("Promised and delivered", anchor=False)
draw(promises.section(iterations), key="iterations")
st.header("Track record of this store", anchor=False)
draw(promises.track_record(outcomes), key="track")
st.header("Runs and their headlines", anchor=False)
draw(history.section(choice.rows), key="history")
st.header("Open a run", anchor=False)
for item in choice.rows:
    st.page_link(
        "views/next_step.py",
        label=history.name(item).translate(str.maketrans("", "", "[]()!<>`*_$:\\")),
        query_params={"experiment": choice.experiment, "run": item.run_id},
    )
