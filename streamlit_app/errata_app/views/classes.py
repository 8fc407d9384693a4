"""Classes: how often each is seen, and how often it is recognised."""

import streamlit as st

from errata_app.draw import draw
from errata_app.header import chosen_record
from mlflow_errata.sections import sections

NAME = "class_imbalance"

record, row = chosen_record()
st.title("Are rare classes served?", anchor=False)
draw(next(item for item in sections(record) if item.name == NAME).blocks, key=NAME)
