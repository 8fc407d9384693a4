"""Slices: where the errors are, and the rows behind each."""

from typing import TYPE_CHECKING

import streamlit as st

from errata_app.draw import draw, plain, table
from errata_app.header import chosen_record
from mlflow_errata.blocks import Table
from mlflow_errata.diagnoses.slice_errors import Slice, SliceErrors
from mlflow_errata.sections import REGISTRY, sections
from mlflow_errata.sections.slice_errors import finding

if TYPE_CHECKING:
    from mlflow_errata import Record

NAME, FAULTS = "slice_errors", "data_faults"
MOST = 200


def slices_of(record: "Record") -> tuple[Slice, ...]:
    """The slices of a record that were confirmed."""
    result = record.results.get(NAME)
    return result.slices if isinstance(result, SliceErrors) else ()


@st.fragment
def slices_and_rows(block: Table, record: "Record") -> None:
    """The table of slices; a selected one shows its rows below."""
    key = table(block, key="slices", selectable=True)
    if key is None:
        st.caption("Select a slice to see its rows.")
        return
    item = slices_of(record)[block.keys.index(key)]
    st.subheader(plain(key), anchor=False)
    st.markdown(plain(finding(item)))
    rows = record.rows[item.mask(record.rows)].head(MOST) if len(record.rows) else record.rows
    first = [name for name in rows.columns if name.startswith("errata.")]
    shown = rows[[*first, *(name for name in rows.columns if name not in first)]]
    st.dataframe(shown, hide_index=True, key=f"rows-{key}", alt="Rows of the selected slice, wrong ones first")
    st.download_button(
        "Download these rows", shown.to_csv(index=False), file_name="slice.csv", mime="text/csv", on_click="ignore"
    )


record, row = chosen_record()
st.title("Where the errors are", anchor=False)
parts = {item.name: item for item in sections(record)}
for at, block in enumerate(parts[NAME].blocks):
    if isinstance(block, Table) and block.keys:
        st.header("The slices", anchor=False)
        slices_and_rows(block, record)
    else:
        draw([block], key=f"{REGISTRY[NAME].TITLE}-{at}")
st.header(parts[FAULTS].title, anchor=False)
draw(parts[FAULTS].blocks, key=FAULTS)
