"""Next step: what to do now, and why."""

from dataclasses import replace
from functools import partial

import streamlit as st

from errata_app import source, states
from errata_app.choosing import buttons, standing, trouble
from errata_app.draw import card, draw, plain
from errata_app.header import chosen_record
from errata_app.person import person
from mlflow_errata._choices import promise_of
from mlflow_errata._track import tracks
from mlflow_errata.blocks import Verdict
from mlflow_errata.errors import ErrataError
from mlflow_errata.sections import REGISTRY, loop, next_steps, verdicts

PAGES = {
    "slice_errors": "views/slices.py",
    "label_issues": "views/labels.py",
    "class_imbalance": "views/classes.py",
    "calibration": "views/classes.py",
    "recency_drift": "views/over_time.py",
    "data_faults": "views/slices.py",
    "metric_mismatch": "views/metric.py",
    "framing": "views/classes.py",
}

record, row = chosen_record()
uri = source.tracking_uri()
try:
    labelled = source.with_labels(uri, row.run_id, row.digest)
    record = replace(labelled, ignored=record.ignored)
    chosen, known = source.choices(uri, row.run_id), tracks(source.outcomes(uri))
except ErrataError as cause:
    states.failed(cause)
st.title(plain(next_steps.title(record)), anchor=False)
st.markdown(plain(next_steps.lede(record)))

read_only = source.is_read_only()


def decision(at: int, *, fresh: bool) -> None:
    """What the track record says of a step, what was decided about it, and the buttons; for the first of its kind."""
    step = record.next_steps[at]
    expected = loop.expected(promise_of(step), known.get(step.kind))
    if expected:
        st.markdown(plain(expected))
    if fresh:
        choice = chosen.get(step.kind)
        standing(choice, record, row.run_id, f"-{at}")
        buttons(step.kind, row.run_id, by, choice, first=at == 0, locked=read_only or not by)


steps, why = st.columns([3, 2], gap="large")
with steps:
    with st.container(horizontal=True, vertical_alignment="bottom", key="steps"):
        st.header("Steps", anchor=False)
        by = "" if read_only else person("Decided by")
    trouble(read_only=read_only, by=by)
    seen = set[str]()
    for at, block in enumerate(next_steps.cards(record)):
        if block.kind not in seen and block.kind in chosen and chosen[block.kind].recipe:
            block = replace(block, code="")  # noqa: PLW2901 - the code of the accepted step stands in its place
        card(block, f"step{at}", first=at == 0, below=partial(decision, at, fresh=block.kind not in seen))
        seen.add(block.kind)
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
