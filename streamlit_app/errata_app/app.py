"""The pages, and nothing else."""

from pathlib import Path

import streamlit as st

from errata_app import login, warming
from errata_app.address import tracking_uri

HERE = Path(__file__).parent

page = st.navigation(
    [
        st.Page(HERE / "views" / "next_step.py", title="Next step", default=True),
        st.Page(HERE / "views" / "slices.py", title="Slices"),
        st.Page(HERE / "views" / "labels.py", title="Labels"),
        st.Page(HERE / "views" / "classes.py", title="Classes"),
        st.Page(HERE / "views" / "over_time.py", title="Over time"),
        st.Page(HERE / "views" / "metric.py", title="Metric"),
        st.Page(HERE / "views" / "history.py", title="History"),
        st.Page(HERE / "views" / "compare.py", title="Compare", visibility="hidden"),
    ],
    position="top",
)
st.set_page_config(page_title=f"{page.title} · errata", page_icon=str(HERE / "favicon.svg"), layout="wide")
st.session_state["view"] = page.url_path or "next_step"
login.ask()
if not warming.is_warm(tracking_uri()):
    place = st.empty()
    with place.container(key="warming"):
        st.caption("Loading MLflow and looking into the store ...")
        st.skeleton(height=100)
        st.skeleton(height=360)
    warming.start(tracking_uri()).join()
    place.empty()
page.run()
