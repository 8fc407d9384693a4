"""Labels: which of them may be wrong, and what to check first."""

import streamlit as st

from errata_app.draw import draw
from errata_app.header import chosen_record
from mlflow_errata.sections import sections

NAME = "label_issues"

record, row = chosen_record()
st.title("Can the labels be trusted?", anchor=False)
draw(next(item for item in sections(record) if item.name == NAME).blocks, key=NAME)
