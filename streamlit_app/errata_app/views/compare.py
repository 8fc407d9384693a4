"""Compare: two runs side by side, on the rows that both can be judged on."""

import streamlit as st

from errata_app import source, states
from errata_app.draw import draw
from errata_app.header import chosen_pair
from mlflow_errata.errors import ErrataError
from mlflow_errata.sections import run_comparison

old, new = chosen_pair()
try:
    found = source.comparison(source.tracking_uri(), old.run_id, new.run_id, (old.digest, new.digest))
except ErrataError as cause:
    states.failed(cause)
st.title(run_comparison.title(found), anchor=False)
draw(run_comparison.section(found, (old.name, new.name)), key="compare")
st.subheader("The same from the command line", anchor=False)
st.code(f"errata compare {old.run_id} {new.run_id}", language="sh", wrap_lines=True)
