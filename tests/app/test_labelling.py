"""Work on a queue without a page: whatever moves meanwhile, an answer stays with the row it was given for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata
from errata_app import labelling
from errata_app.labelling import Desk, Session
from mlflow_errata._decisions import decision
from mlflow_errata._queue import Queue
from mlflow_errata.errors.stored import DecisionsNotStored, StoreUnreachable

KINDS = ("keep", "accept", "exclude", "unsure")


class Memory:
    """A drawer that holds what was written, and fails when told to."""

    run_id = "a run"

    def __init__(self):
        self.written, self.fails = [], False

    def read(self):
        if self.fails:
            raise StoreUnreachable("memory", "gone")
        return tuple(self.written)


class Sheet:
    """What tracking's sheets do, without files."""

    def __init__(self, drawer, by):
        self.drawer, self.open = drawer, []

    def add(self, made):
        self.open.extend(made)
        self.store()

    def store(self):
        if self.drawer.fails:
            raise DecisionsNotStored("a run", "the disk is full")
        self.drawer.written.extend(self.open)
        self.open = []

    @property
    def n_unstored(self):
        return len(self.open)


@pytest.fixture(scope="module")
def queue():
    draw = np.random.default_rng(1)
    frame = pd.DataFrame({"y": draw.integers(0, 3, 300)})
    scores = draw.dirichlet([0.3] * 3, 300)
    frame = frame.assign(**{f"p{at}": scores[:, at] for at in range(3)})
    return Queue(errata.diagnose(frame, label="y", scores=["p0", "p1", "p2"], budget=0))


@pytest.fixture
def desk(queue):
    return Desk(queue, Memory(), Sheet)


def decide(session, key, said, corrected=None, by="anna"):
    """An answer on the row that shows."""
    session.shown = key
    session.decide(key, said, corrected, by)


def last_word(drawer):
    """What stands for each row, by the order in which it was written."""
    return {item.key: (item.decision, item.corrected) for item in drawer.written}


def test_10_000_random_reorderings_and_no_answer_on_another_row(desk):
    """Rows come up in any order, others decide in between, tables are edited in any order of their rows."""
    draw = np.random.default_rng(0)
    session, keys = Session(desk), list(desk.queue.rows)
    wanted = {}
    for turn in range(10_000):
        shown = keys[draw.integers(len(keys))]
        if turn % 3 == 0:  # somebody else decides, so the queue moves under the person's hands
            other = desk.queue.rows[keys[draw.integers(len(keys))]]
            theirs = decision(vars(other), "keep", by="ben")
            desk.add([theirs])
            desk.drawer.written.append(theirs)
            wanted[other.key] = ("keep", other.given)
        if turn % 50 == 0:
            order = tuple(draw.permutation(keys).tolist())
            at = int(draw.integers(len(keys)))
            kind = KINDS[draw.integers(4)]
            session._handled = {}
            session.edited(order, {at: {"decision": kind}}, "anna")
            row = desk.queue.rows[order[at]]
            wanted[row.key] = (kind, {"keep": row.given, "accept": row.suggested}.get(kind))
        kind, row = KINDS[draw.integers(4)], desk.queue.rows[shown]
        decide(session, shown, kind)
        session.decide(shown, "exclude", None, "anna")  # the key bounced: the row has gone
        session.shown = keys[draw.integers(len(keys))]
        if session.shown != shown:
            session.decide(shown, "exclude", None, "anna")
        wanted[shown] = (kind, {"keep": row.given, "accept": row.suggested}.get(kind))
    said = last_word(desk.drawer)
    wrong = [key for key, told in wanted.items() if said[key] != told]
    assert wrong == []
    assert set(said) == set(wanted)


def test_back_goes_the_way_that_was_come(desk):
    session, keys = Session(desk), list(desk.queue.rows)[:3]
    assert session.show(desk.queue.standing([])) is not None
    for key in keys:
        decide(session, key, "keep")
    seen = []
    for _ in range(4):
        session.back()
        seen.append(session.wanted)
    assert seen == [keys[2], keys[1], keys[0], keys[0]]
    decide(session, keys[0], "exclude")
    assert session.wanted is None
    assert last_word(desk.drawer)[keys[0]] == ("exclude", None)


def test_another_class_is_an_acceptance_of_it_and_the_given_one_keeps(desk):
    session = Session(desk)
    issue = next(iter(desk.queue.rows.values()))
    for label in (0, 1, 2):
        decide(session, issue.key, "accept", label)
        kind = "keep" if label == issue.given else "accept"
        assert last_word(desk.drawer)[issue.key] == (kind, label)


def test_what_cannot_be_stored_stays_and_is_stored_later(desk):
    session, keys = Session(desk), list(desk.queue.rows)[:3]
    decide(session, keys[0], "keep")
    desk.drawer.fails = True
    decide(session, keys[1], "accept")
    assert "the disk is full" in session.trouble
    assert session.n_unstored == 1
    assert keys[1] in desk.queue.standing(session.decisions).decided
    assert keys[1] not in last_word(desk.drawer)
    session.retry()
    assert session.trouble is not None
    desk.drawer.fails = False
    session.retry()
    assert session.trouble is None
    assert session.n_unstored == 0
    assert set(last_word(desk.drawer)) == set(keys[:2])
    assert len(desk.drawer.written) == 2


def test_an_edit_is_handled_once_and_never_repeats_itself_over_a_newer_answer(desk):
    session, keys = Session(desk), tuple(desk.queue.rows)
    session.edited(keys, {0: {"decision": "accept"}}, "anna")
    desk.drawer.written.append(decision(vars(desk.queue.rows[keys[0]]), "keep", by="ben"))
    session.edited(keys, {0: {"decision": "accept"}, 4: {"decision": "unsure"}}, "anna")
    assert len(desk.drawer.written) == 3
    assert last_word(desk.drawer)[keys[0]][0] == "keep"
    assert last_word(desk.drawer)[keys[4]] == ("unsure", None)


def test_files_are_taken_in_once_and_their_trouble_is_told(desk, queue):
    session = Session(desk)
    keys = list(queue.rows)[:2]
    for key in keys:
        decide(session, key, "keep")
    content = queue.file(session.decisions, "csv")
    session.bring("labels.csv", content, "ben")
    assert session.told == "0 new decisions were taken from labels.csv."
    assert len(desk.drawer.written) == 2
    changed = content.replace(b",keep,", b",unsure,", 1)
    session.bring("labels.csv", changed, "ben")
    assert session.told.startswith("1 new decision")
    assert desk.drawer.written[-1].by == "ben"
    session.bring("labels.csv", b"a,b\n1,2\n", "ben")
    assert "Name two of them id and decision" in session.told


def test_news_from_elsewhere_arrive_and_a_store_that_fails_leaves_what_is_known(desk, monkeypatch):
    monkeypatch.setattr(labelling, "FRESH", -1.0)
    issue = next(iter(desk.queue.rows.values()))
    desk.drawer.written.append(decision(vars(issue), "keep", by="ben"))
    desk.decisions()
    with desk._reading:  # held until the store was read
        pass
    assert [item.by for item in desk.decisions()] == ["ben"]
    desk.drawer.fails = True
    desk.decisions()
    with desk._reading:
        pass
    assert [item.by for item in desk.decisions()] == ["ben"]
