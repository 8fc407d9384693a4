"""The pages, and nothing else."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent

st.set_page_config(page_title="errata", page_icon=str(HERE / "favicon.svg"), layout="wide")
st.navigation(
    [
        st.Page(HERE / "views" / "next_step.py", title="Next step", default=True),
        st.Page(HERE / "views" / "slices.py", title="Slices"),
        st.Page(HERE / "views" / "labels.py", title="Labels"),
        st.Page(HERE / "views" / "over_time.py", title="Over time"),
        st.Page(HERE / "views" / "classes.py", title="Classes"),
        st.Page(HERE / "views" / "metric.py", title="Metric"),
        st.Page(HERE / "views" / "compare.py", title="Compare"),
        st.Page(HERE / "views" / "history.py", title="History"),
    ],
    position="top",
).run()
