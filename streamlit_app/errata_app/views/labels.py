"""Labels: which of them may be wrong, and the queue to check them."""

from dataclasses import replace

import streamlit as st

from errata_app import source
from errata_app.checking import check
from errata_app.draw import draw
from errata_app.header import chosen_record
from errata_app.labelling import Session
from mlflow_errata.errors import ErrataError
from mlflow_errata.sections import sections, verdicts

NAME = "label_issues"

record, row = chosen_record()
st.title("Can the labels be trusted?", anchor=False)
shown, n_drawn = record, 0
if NAME in record.results:
    n_drawn = 1
    try:
        desk = source.desk(source.tracking_uri(), row.run_id, row.digest)
    except ErrataError as cause:
        draw([verdicts(record)[NAME]], key=f"{NAME} verdict")
        st.text(str(cause))
    else:
        name = f"checking {row.run_id} {row.digest}"
        if name not in st.session_state or st.session_state[name].desk is not desk:
            st.session_state[name] = Session(desk)
        session: Session = st.session_state[name]
        issues = session.issues(desk.queue.standing(session.decisions))
        shown, session.drawn = replace(record, results={**record.results, NAME: issues}), issues.audit
        check(session)
    st.header("Where labels are in doubt", anchor=False)
draw(next(item for item in sections(shown) if item.name == NAME).blocks[n_drawn:], key=NAME)
