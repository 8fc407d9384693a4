"""History: the runs of an experiment with their headlines."""

import streamlit as st

from errata_app.draw import draw
from errata_app.header import chosen_runs
from mlflow_errata.sections import history

choice = chosen_runs()
st.title("Runs and their headlines", anchor=False)
draw(history.section(choice.rows), key="history")
st.header("Open a run", anchor=False)
for item in choice.rows:
    st.page_link(
        "views/next_step.py",
        label=history.name(item).translate(str.maketrans("", "", "[]()!<>`*_$:\\")),
        query_params={"experiment": choice.experiment, "run": item.run_id},
    )
