"""History: what steps were taken, what they promised and what they delivered; then every run and its headlines."""

import streamlit as st

from errata_app import source, states
from errata_app.draw import draw, plain, table
from errata_app.header import chosen_runs
from errata_app.moments import zone
from mlflow_errata.blocks import Table
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
*blocks, runs = history.section(choice.rows, zone())
draw(blocks, key="history")
if isinstance(runs, Table):
    opened = table(runs, key="runs", selectable=True)
    item = next((row for row in choice.rows if row.run_id == opened), choice.row)
    link = {"experiment": choice.experiment, "run": item.run_id}
    with st.container(horizontal=True, key="open"):
        st.page_link("views/next_step.py", label=f"Open {plain(history.name(item))}", query_params=link)
        if item.run_id != choice.row.run_id:
            link = {"experiment": choice.experiment, "run": choice.row.run_id, "against": item.run_id}
            label = f"Compare {plain(history.name(choice.row))} with it"
            st.page_link("views/compare.py", label=label, query_params=link)
    st.caption("Select a run to open it, or to compare it with the one above.")
