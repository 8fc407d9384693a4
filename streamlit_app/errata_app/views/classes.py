"""Classes: how often each is seen and recognised, whether what is said comes true, and what else they could be."""

import streamlit as st

from errata_app.draw import draw
from errata_app.header import chosen_record
from mlflow_errata.sections import sections

NAMES = ("class_imbalance", "calibration", "framing")

record, row = chosen_record()
counted = NAMES[0] in record.results
st.title("Are rare classes served?" if counted else "Does what is said come true?", anchor=False)
by_name = {item.name: item for item in sections(record)}
for name in NAMES if counted else (*NAMES[1:], NAMES[0]):
    if name != NAMES[0] or not counted:
        st.header(by_name[name].title, anchor=False)
    draw(by_name[name].blocks, key=name)
