"""Over time: the metric, the rates and the columns, window by window."""

import streamlit as st

from errata_app.draw import draw
from errata_app.header import chosen_record
from mlflow_errata.sections import sections

NAME = "recency_drift"

record, row = chosen_record()
st.title("Does it still hold on the newest rows?", anchor=False)
draw(next(item for item in sections(record) if item.name == NAME).blocks, key=NAME)
