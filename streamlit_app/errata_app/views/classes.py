"""Classes: how often each is seen and recognised, whether what is said comes true, and what else they could be."""

import streamlit as st

from errata_app.draw import draw
from errata_app.header import chosen_record
from mlflow_errata.sections import sections

NAMES = ("class_imbalance", "calibration", "framing")

record, row = chosen_record()
st.title("Are rare classes served?", anchor=False)
for name, title, blocks in sections(record):
    if name in NAMES:
        if name != NAMES[0]:
            st.header(title, anchor=False)
        draw(blocks, key=name)
