"""The note of a run: ours where nobody wrote one, between our marks, never over a person's."""

from __future__ import annotations

from html import unescape

import mlflow
import pytest

import mlflow_errata as errata
from mlflow_errata.sections import next_steps
from mlflow_errata.tracking.note import APP, BEGIN, END, LONGEST, NOTE_TAG, note_tag, said_of

PLACE = ("7", "run1", "errata/test-1234")
LINK = "[Report](#/experiments/7/runs/run1/artifacts/errata/test-1234/report.html)"


def test_an_empty_note_gets_two_lines_and_a_link(record):
    note = note_tag(None, said_of(record), PLACE)[NOTE_TAG]
    lines = [line for line in note.split("\n") if line]
    assert len(lines) == 5, "two lines and a link between two marks"
    assert (lines[0], lines[-1]) == (BEGIN, END)
    assert lines[1].startswith("**Next step: ")
    assert lines[3] == LINK
    assert next_steps.title(record).split()[0] in lines[1]


@pytest.mark.parametrize(
    "note", ["Mine.", "# Plan\n\n- [ ] ask anna", BEGIN, f"{END} {BEGIN}", f"before {BEGIN} cut off"]
)
def test_a_persons_note_is_never_written_over(note):
    assert note_tag(note, "said", PLACE) == {}


def test_what_stands_around_our_marks_stays():
    first = note_tag("", "old", PLACE)[NOTE_TAG]
    again = note_tag(f"Mine.\n\n{first}\n\nMine too.", "new", PLACE)[NOTE_TAG]
    assert again == f"Mine.\n\n{first.replace('old', 'new')}\n\nMine too."


def test_a_note_that_mlflow_would_cut_is_not_written():
    assert note_tag(None, "x" * LONGEST, PLACE) == {}
    around = "y" * (LONGEST - 100)
    assert note_tag(f"{around}{note_tag(None, 'a', PLACE)[NOTE_TAG]}", "b" * 500, PLACE) == {}


def test_a_link_to_the_app_where_it_is_known(monkeypatch):
    monkeypatch.setenv(APP, "https://errata.example.org/team/")
    assert (
        f"[Open in errata](https://errata.example.org/team/?run=run1) · {LINK}" in note_tag(None, "a", PLACE)[NOTE_TAG]
    )


def test_names_in_the_data_are_no_markdown(frame):
    hostile = "![x](http://outside.invalid/x.png)<img src=http://outside.invalid/y.png>"
    rows = frame.assign(**{hostile: frame["region"].map({"east": hostile}).fillna("other")}).drop(columns="region")
    said = said_of(errata.diagnose(rows, label="y", scores="score", time="at"))
    assert "](" not in said
    assert "<img" not in said
    assert "http:" not in said


def test_no_backslash_is_left_for_renderers_that_would_show_it(record):
    said = said_of(record)
    assert "\\" not in said
    assert unescape(said) == f"**Next step: {next_steps.title(record)}**\n\n{next_steps.lede(record)}"


def test_logging_writes_it_once_and_anew(experiment, record):
    with mlflow.start_run() as run:
        for _ in range(2):
            errata.log(record, strict=True)
    note = mlflow.get_run(run.info.run_id).data.tags[NOTE_TAG]
    assert note.count(BEGIN) == note.count(END) == 1
    assert ".2/report.html" in note, "it leads to the latest record"
    with mlflow.start_run(tags={NOTE_TAG: "Mine."}) as own:
        errata.log(record, strict=True)
    assert mlflow.get_run(own.info.run_id).data.tags[NOTE_TAG] == "Mine."
