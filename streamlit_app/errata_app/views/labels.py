"""Labels: which of them may be wrong, and the queue to check them."""

import streamlit as st

from errata_app import source
from errata_app.checking import check
from errata_app.draw import draw
from errata_app.header import chosen_record
from errata_app.labelling import Session
from mlflow_errata.errors import ErrataError
from mlflow_errata.sections import sections

NAME = "label_issues"

record, row = chosen_record()
st.title("Can the labels be trusted?", anchor=False)
blocks = next(item for item in sections(record) if item.name == NAME).blocks
if NAME in record.results:
    try:
        desk = source.desk(source.tracking_uri(), row.run_id, row.digest)
    except ErrataError as cause:
        draw(blocks[:1], key=f"{NAME} verdict")
        st.text(str(cause))
    else:
        name = f"checking {row.run_id} {row.digest}"
        if name not in st.session_state or st.session_state[name].desk is not desk:
            st.session_state[name] = Session(desk)
        check(st.session_state[name])
    st.header("Where labels are in doubt", anchor=False)
draw(blocks[1 if NAME in record.results else 0 :], key=NAME)
