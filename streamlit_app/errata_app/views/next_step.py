"""Next step: what to do now, what it gives and costs, and why."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import streamlit as st

from errata_app import source, states
from errata_app.choosing import actions, decided, standing, trouble
from errata_app.copying import copy
from errata_app.draw import card, chart, draw, mark, plain, table
from errata_app.header import chosen_record
from errata_app.sharing import page_of
from mlflow_errata._choices import promise_of
from mlflow_errata._track import tracks
from mlflow_errata.blocks import Chart, Verdict
from mlflow_errata.errors import ErrataError
from mlflow_errata.sections import REGISTRY, gains, loop, next_steps, verdicts

if TYPE_CHECKING:
    from mlflow_errata._choices import Choice
    from mlflow_errata.blocks import NotMade

ORDER = ("bad", "unsure", "good", "ignored")
ROOM = 240
"""Pixels below the last card: what opens under its buttons can be scrolled to."""

decided()  # this run shows it everywhere
record, row = chosen_record()
uri = source.tracking_uri()
try:
    labelled = source.with_labels(uri, row.run_id, row.digest)
    is_checked = labelled.next_steps != record.next_steps
    record = replace(labelled, ignored=record.ignored)
    chosen, known = source.choices(uri, row.run_id), tracks(source.outcomes(uri))
except ErrataError as cause:
    states.failed(cause)
read_only = source.is_read_only()
cards = next_steps.cards(record)
kinds = [block.kind for block in cards]


def is_decided(at: int) -> bool:
    """Whether decisions speak of a step: they do of the first of its kind."""
    return kinds.index(kinds[at]) == at


def choice_of(at: int) -> "Choice | None":
    """What was decided about a step."""
    return chosen.get(kinds[at]) if is_decided(at) else None


def is_declined(at: int) -> bool:
    """Whether somebody turned a step down."""
    choice = choice_of(at)
    return choice is not None and choice.verdict == "decline"


top = next((at for at in range(len(cards)) if not is_declined(at)), 0)


def code_of(at: int) -> str:
    """The code that takes a step: the whole next run, once it was accepted."""
    choice = choice_of(at)
    accepted = "" if choice is None else loop.code(choice, record, row.run_id)
    return accepted or loop.on_record(cards[at].code, row.run_id, checked=is_checked)


def decide(at: int) -> None:
    """Take a step or turn it down."""
    if is_decided(at):
        actions(kinds[at], row.run_id, choice_of(at), read_only=read_only)
    else:
        st.caption("Only the first step of a kind is marked as taken or declined.", width="content")


def head() -> None:
    """The first step that nobody declined: its name, its gain and cost in a sentence, and what can be done about it."""
    block = cards[top]
    said = next_steps.after_declined(block, cards[0]) if top else next_steps.lede(record)
    st.title(plain(block.title if top else next_steps.title(record)), anchor=False)
    st.markdown(f"{plain(said)} **Cost:** {plain(block.cost)}.")
    with st.container(horizontal=True, key="actions"):
        if code_of(top):
            kind: Literal["primary", "secondary"] = "secondary" if is_declined(top) else "primary"
            copy("Copy the code", code_of(top), key="copy the code", kind=kind)
        decide(top)
        if record.trials is not None:
            with st.popover("How it was measured", type="tertiary"):
                draw([block for block in next_steps.measured(record) if not isinstance(block, Chart)], key="how")
    trouble(read_only=read_only)
    standing(choice_of(top))
    if top:
        standing(choice_of(0))


def detail(at: int) -> None:
    """One step: why, its code, what the track record says of it, and the way to take it."""
    block, step = cards[at], record.next_steps[at]
    expected = loop.expected(promise_of(step), known.get(step.kind))

    def below() -> None:
        if expected:
            st.markdown(plain(expected))
        if at != top:
            if at != 0:  # what was said of the first stands at the top of the page
                standing(choice_of(at))
            with st.container(horizontal=True, key=f"actions {at}"):
                decide(at)

    card(replace(block, code=code_of(at)), f"step{at}", below=below)


@st.fragment
def steps() -> None:
    """All steps beside each other; the selected one in full below. What is decided here concerns the whole page."""
    if decided():
        st.rerun()
    st.header(gains.TITLE, anchor=False)
    for block in gains.charts(record):
        chart(block, "gains", tabled=True)
    at = table(gains.table(record), key="steps", selectable=True, linked="step", narrow=True)
    st.caption("Select a step to read why, and the code that takes it.")
    detail(top if at is None or int(at) < 0 else int(at))
    st.space(ROOM)


def reason(name: str, said: "Verdict | NotMade") -> None:
    """One finding, and the page that shows it in full."""
    page, title = page_of(name), REGISTRY[name].TITLE
    with st.container(key=f"why-{name}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"why-{name}-head"):
            st.markdown(mark(said.status) if isinstance(said, Verdict) else ":gray-badge[○ not made]", width="content")
            if page is not None:
                link = {"experiment": st.session_state["experiment"], "run": row.run_id}
                st.page_link(page, label=f"**{title}** →", query_params=link)
            else:
                st.markdown(f"**{plain(title)}**")
        st.markdown(plain(said.sentence if isinstance(said, Verdict) else f"{said.reason} {said.remedy}".rstrip()))


def why() -> None:
    """The findings, those that ask for something first."""
    st.header("Why", anchor=False)
    told = verdicts(record)
    made = {name: said for name, said in told.items() if isinstance(said, Verdict)}
    for name in sorted(made, key=lambda name: ORDER.index(made[name].status)):
        reason(name, made[name])
    others = [name for name in told if name not in made]
    if others:
        with st.expander(f"{len(others)} not made", key="not made"):
            for name in others:
                reason(name, told[name])


if not cards:
    st.title(plain(next_steps.title(record)), anchor=False)
    st.markdown(plain(next_steps.lede(record)))
else:
    head()
left, right = st.columns([9, 5], gap="medium")
with left:
    if cards:
        steps()
with right:
    why()
if record.trials is not None:
    with st.expander("Everything that was tried", key="tried"):
        draw(next_steps.measured(record), key="trials")
