"""The note of a run, which MLflow shows on its page: two lines of ours and a link, between our own marks."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from mlflow_errata.sections import next_steps

if TYPE_CHECKING:
    from mlflow_errata.record import Record

NOTE_TAG = "mlflow.note.content"
BEGIN, END = "[//]: # (errata)", "[//]: # (errata ends)"
"""Lines that Markdown does not show."""
LONGEST = 7800
"""Characters; MLflow cuts tags of more than 8,000 without a word."""
APP = "ERRATA_APP"
"""Where the app is, for links to it from MLflow; "/errata" where MLflow serves it."""
ACTIVE = re.compile(r"[\\`*_{}\[\]<>#!|~$@&]|:(?=\S)|(?<=www)\.")
"""What Markdown could read in a name; written as entities, because renderers differ in what a backslash takes away."""


def said_of(record: Record) -> str:
    """Two lines of Markdown: the next step, and what is known of its gain."""
    return f"**Next step: {_plain(next_steps.title(record))}**\n\n{_plain(next_steps.lede(record))}"


def note_tag(note: str | None, said: str, place: tuple[str, str, str]) -> dict[str, str]:
    """The tag of a run's note with what errata says; empty where a person wrote the note, who is never written over.

    Parameters
    ----------
    note : str or None, the note as it is
    said : str, Markdown
    place : ids of the experiment and the run, artifact path of the record
    """
    kept, own = note or "", f"{BEGIN}\n\n{said}\n\n{_links(*place)}\n\n{END}"
    first = kept.find(BEGIN)
    last = kept.find(END, first)
    if first >= 0 and last >= 0:
        own = kept[:first] + own + kept[last + len(END) :]
    elif kept.strip():
        return {}
    return {NOTE_TAG: own} if said and len(own) <= LONGEST else {}


def _links(experiment_id: str, run_id: str, folder: str) -> str:
    """Links to the report, which MLflow itself shows, and to the app where it is known."""
    report = (
        f"[Report](#/experiments/{quote(experiment_id)}/runs/{quote(run_id)}/artifacts/{quote(folder)}/report.html)"
    )
    app = os.environ.get(APP, "").rstrip("/")
    return f"[Open in errata]({quote(app, safe=':/')}/?run={quote(run_id)}) · {report}" if app else report


def _plain(text: str) -> str:
    """Text in which Markdown finds nothing to read."""
    return ACTIVE.sub(lambda found: f"&#{ord(found[0])};", " ".join(text.split())[:1000])
