"""The queue: its order, what the answers tell on the way, and that no answer ever lands on another row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata._decisions import as_frame, decision, newest, read
from mlflow_errata._queue import Queue, spread_order
from mlflow_errata.sections import checking
from mlflow_errata.steps import relabel
from mlflow_errata.training import TrainingSet

N = 2000


def planted(seed=0, *, noise=0.1):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=N)
    truth = (draw.random(N) < 1 / (1 + np.exp(-4 * x))).astype(int)
    y = np.where(draw.random(N) < noise, 1 - truth, truth)
    frame = pd.DataFrame({"row": [f"r{i}" for i in range(N)], "x": x, "score": 1 / (1 + np.exp(-3 * x)), "y": y})
    record = errata.diagnose(frame, label="y", scores="score", id="row", budget=0)
    return record, dict(zip(frame["row"], truth.tolist(), strict=True))


@pytest.fixture(scope="module")
def case():
    return planted()


def answered(queue, truth, n):
    """The first n answers of somebody who knows the truth, one after the other."""
    made = []
    for _ in range(n):
        standing = queue.standing(made)
        made.append(answer(queue.rows[standing.next[0]], truth))
    return made


def answer(issue, truth, by="anna"):
    values = {"id": issue.id, "given": issue.given, "suggested": issue.suggested}
    return decision(values, "accept", truth[issue.id], audit=issue.audit, by=by)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 40, 64])
def test_every_beginning_is_spread_evenly(n):
    order = spread_order(n)
    assert sorted(order.tolist()) == list(range(n))
    for first in range(8, n, 8):
        share = np.sort(order[:first]) / n
        assert np.abs(share - (np.arange(first) + 0.5) / first).max() < 2 / first


def test_the_audit_comes_first_then_the_likeliest_errors(case):
    record, truth = case
    queue = Queue(record)
    drawn = set(errata.audit(record)["id"])
    made = answered(queue, truth, 40)
    assert {item.id for item in made} == drawn
    assert all(item.audit for item in made)
    standing = queue.standing(made)
    chances = [standing.chance[key] for key in standing.next]
    assert chances == sorted(chances, reverse=True)
    assert not set(standing.next) & drawn
    known = [(standing.chance[key], truth[key] != queue.rows[key].given) for key in standing.next]
    said, real = np.array(known, dtype=float).T
    assert said.mean() == pytest.approx(real.mean(), abs=0.1)


def test_rows_that_were_picked_say_nothing_about_others(case):
    """Checking the likeliest errors next leaves the estimate where the audit put it."""
    record, truth = case
    queue = Queue(record)
    made = answered(queue, truth, 120)
    after_audit, after_all = queue.standing(made[:40]).issues, queue.standing(made).issues
    assert after_all.audit.precision == after_audit.audit.precision
    assert after_all.audit.n_checked == 40
    assert len(after_all.audit.decisions) > len(after_audit.audit.decisions)
    again = errata.audited(record, as_frame(made)).results["label_issues"].audit
    assert again == after_all.audit


def test_the_running_estimate_is_fair_on_the_way():
    """After 13 of 40 answers, over 30 tables: the mean of the estimates is that of the true shares."""
    gaps, corrections = [], []
    for seed in range(30):
        record, truth = planted(seed, noise=0.05)
        queue = Queue(record)
        found = record.results["label_issues"]
        flagged = found.ranking.head(found.n_flagged)
        wrong = [truth[row] != given for row, given in zip(flagged["id"], flagged["given"], strict=True)]
        audit = queue.standing(answered(queue, truth, 13)).issues.audit
        gaps.append(audit.n_wrong / audit.n_checked - np.mean(wrong))
        said = (flagged["id"].map(record.rows.set_index("errata.id")["errata.prediction"])).to_numpy()
        right, given = np.array([truth[row] for row in flagged["id"]]), flagged["given"].to_numpy()
        change = ((said == right).astype(int) - (said == given))[wrong].sum() / N
        corrections.append(audit.correction.low <= change <= audit.correction.high)
    assert abs(np.mean(gaps)) < 3 * np.std(gaps) / np.sqrt(30) + 0.02
    assert sum(corrections) >= 26


def test_it_says_when_to_stop(case):
    record, truth = case
    queue = Queue(record)
    assert "Check 40 more labels" in checking.advice(queue.standing([]))
    assert "0 of 40 labels checked" in checking.progress(queue.standing([]))
    made = answered(queue, truth, 40)
    standing = queue.standing(made)
    assert checking.advice(standing).startswith("Go on")
    assert not standing.is_done
    assert "Right labels would move the accuracy as measured by +" in checking.progress(standing)
    right = [decision(vars(queue.rows[item.key]), "keep", by="anna") for item in made]
    standing = queue.standing(right)
    assert standing.is_done
    assert checking.advice(standing).startswith("Stop here: too few")
    everything = [answer(issue, truth) for issue in queue.rows.values()]
    assert "Every label of the queue is decided." in checking.advice(queue.standing(everything))


def test_a_record_that_was_audited_brings_its_answers(case):
    """Nobody is asked again: the queue goes on with the likeliest errors, and its end is in sight."""
    record, truth = case
    first = answered(Queue(record), truth, 40)
    audited = errata.audited(record, as_frame(first))
    queue, before = Queue(audited), audited.results["label_issues"].audit
    standing = queue.standing([])
    assert standing.is_told
    assert standing.is_brought
    assert standing.issues.audit == before
    assert not set(standing.next) & {item.key for item in first}
    assert checking.advice(standing).startswith("Go on")
    assert "40 checked labels were wrong" in checking.progress(standing)
    assert "came with the record" in checking.progress(standing)
    more = [decision(vars(queue.rows[standing.next[0]]), "exclude", by="ben")]
    after = queue.standing(more)
    assert after.is_told
    assert after.issues.audit.n_checked == 40
    assert after.issues.audit.decisions == (*before.decisions, (more[0].id, None))
    here = queue.standing(first)
    assert not here.is_brought
    assert here.issues.audit == before
    half = Queue(errata.audited(record, as_frame(first[:20]))).standing([])
    assert half.is_told
    assert not set(half.next) & {item.key for item in first[:20] if item.is_wrong}


def test_people_who_differ_are_named(case):
    record, truth = case
    queue = Queue(record)
    issue = next(iter(queue.rows.values()))
    made = [decision(vars(issue), said, by=by) for said, by in [("keep", "anna"), ("accept", "ben")]]
    standing = queue.standing(made)
    assert [item.by for item in standing.disputed[issue.key]] == ["ben", "anna"]
    assert standing.decided[issue.key].by == "ben"
    assert "On 1 row people disagree" in checking.progress(queue.standing([*made, *answered(queue, truth, 3)]))
    assert queue.table(made)["disputed"].sum() == 1


def test_the_stored_record_gives_the_same_queue(case, tmp_path):
    record, truth = case
    stored = errata.Record.open(record.save(tmp_path))
    made = answered(Queue(record), truth, 45)
    assert Queue(stored).standing(made) == Queue(record).standing(made)
    table = Queue(stored).table(made)
    frame = record.rows.set_index("errata.id")
    np.testing.assert_array_equal(table["x"], frame.loc[table["id"], "x"])
    np.testing.assert_array_equal(table["given"], frame.loc[table["id"], "errata.label"])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_goes_out_and_comes_back(case, tmp_path, kind):
    record, truth = case
    queue = Queue(record)
    made = answered(queue, truth, 12)
    path = tmp_path / f"labels.{kind}"
    path.write_bytes(queue.file(made, kind))
    back = read(record, path)
    assert newest(back) == newest(made)


def test_random_orders_never_decide_about_another_row(case):
    """Decisions in any order, on training rows in any order: each row gets what was said of its id, and no other."""
    record, _ = case
    queue = Queue(record)
    draw = np.random.default_rng(7)
    issues = list(queue.rows.values())
    kinds = np.array(["keep", "accept", "exclude"])
    n = 24
    ids = np.array([issue.id for issue in issues], dtype=object)
    given = np.array([issue.given for issue in issues])
    wrong_rows = 0
    for _ in range(1000):
        chosen = draw.permutation(len(issues))[:n]
        said = kinds[draw.integers(0, 3, n)]
        made = [decision(vars(issues[at]), kind) for at, kind in zip(chosen, said, strict=True)]
        wanted = dict(zip(ids[chosen], said, strict=True))
        found = newest(made[at] for at in draw.permutation(n))
        wrong_rows += sum(found[key].decision != kind or found[key].id != key for key, kind in wanted.items())
        wrong_rows += len(found) != n
    assert wrong_rows == 0
    for _ in range(200):
        order = draw.permutation(len(issues))
        chosen = draw.permutation(len(issues))[:n]
        said = kinds[draw.integers(0, 3, n)]
        table = pd.DataFrame({"id": ids[chosen], "decision": said})
        decided = {item.id: item.corrected for item in read(record, table) if item.is_wrong}
        y = pd.Series(given[order])
        after = relabel.apply(TrainingSet(X=pd.DataFrame(index=y.index), y=y, id=ids[order]), decisions=decided)
        wanted = dict(zip(ids, given, strict=True))
        for at, kind in zip(chosen, said, strict=True):
            if kind == "exclude":
                del wanted[ids[at]]
            elif kind == "accept":
                wanted[ids[at]] = issues[at].suggested
        assert dict(zip(after.id, after.y.tolist(), strict=True)) == wanted


def test_a_record_without_rows_has_a_queue_without_columns(case):
    record, truth = case
    bare = Queue(replace(record, rows=pd.DataFrame()))
    made = answered(bare, truth, 3)
    standing = bare.standing(made)
    issue = bare.rows[standing.next[0]]
    assert standing.issues.audit.correction is None
    assert checking.values(bare, issue) == []
    assert "Right labels" not in checking.progress(standing)
    assert list(bare.table(made))[-1] == "disputed"


def test_why_a_label_is_in_doubt(case):
    record, truth = case
    queue = Queue(record)
    key, issue = next(iter(queue.rows.items()))
    first = checking.why(queue, issue, queue.standing([]))
    assert first[0] == (
        f"The scores expect {issue.suggested} rather than {issue.given}: place 1 of 2,000 by suspicion. "
        f"The model says {queue.said[key]}."
    )
    standing = queue.standing([item for item in answered(queue, truth, 40) if item.key != key])
    if key in standing.chance:
        assert "it is wrong with a chance of" in checking.why(queue, issue, standing)[-1]
    names = [name for name, _ in checking.values(queue, issue)]
    assert set(names) == {"x", "row", "score"}


def test_numbers_are_checked_as_well():
    draw = np.random.default_rng(0)
    x = draw.normal(size=500)
    y = x + 0.1 * draw.normal(size=500)
    y[:20] += 5
    frame = pd.DataFrame({"y": y, "said": x, "row": [f"r{at}" for at in range(500)]})
    queue = Queue(errata.diagnose(frame, label="y", prediction="said", id="row", budget=0))
    issue = next(iter(queue.rows.values()))
    assert checking.why(queue, issue, queue.standing([]))[0].startswith("The label is ")
    made = [decision(vars(issue), "accept", 1.5), decision(vars(issue), "accept")]
    assert [item.corrected for item in made] == [1.5, issue.suggested]
    audit = queue.standing([decision(vars(one), "accept") for one in queue.rows.values()]).issues.audit
    assert audit.correction is None
    assert audit.n_wrong == audit.n_checked
