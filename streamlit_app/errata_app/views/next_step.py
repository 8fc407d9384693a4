"""Next step: what to do now, and why."""

import streamlit as st

from errata_app.draw import card, draw, plain
from errata_app.header import chosen_record
from mlflow_errata.blocks import Verdict
from mlflow_errata.sections import REGISTRY, next_steps, verdicts

PAGES = {
    "slice_errors": "views/slices.py",
    "label_issues": "views/labels.py",
    "class_imbalance": "views/classes.py",
    "calibration": "views/classes.py",
    "recency_drift": "views/over_time.py",
    "data_faults": "views/slices.py",
}

record, row = chosen_record()
st.title(plain(next_steps.title(record)), anchor=False)
st.markdown(plain(next_steps.lede(record)))

steps, why = st.columns([3, 2], gap="large")
with steps:
    st.header("Steps", anchor=False)
    for at, block in enumerate(next_steps.cards(record)):
        card(block, f"step{at}", first=at == 0)
    if record.trials is not None:
        st.header("What was tried", anchor=False)
        draw(next_steps.measured(record), key="trials")
with why:
    st.header("Why", anchor=False)
    for name, said in verdicts(record).items():
        title = REGISTRY[name].TITLE
        st.page_link(
            PAGES[name],
            label=f"**{title}** →",
            query_params={"experiment": st.session_state["experiment"], "run": row.run_id},
        )
        draw([said], key=f"why-{name}")
        if isinstance(said, Verdict):
            st.space("small")
