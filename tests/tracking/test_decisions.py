"""Decisions with a run: nothing lost, nothing overwritten, nobody's word on another row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import mlflow
import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata._decisions import as_frame, decision, newest, read
from mlflow_errata.errors import DecisionsRefused
from mlflow_errata.errors.stored import DecisionsNotStored
from mlflow_errata.tracking import decisions as room

N = 400


@pytest.fixture(scope="module")
def issues():
    """A record with ids that only a table of text keeps apart, and labels that are words."""
    draw = np.random.default_rng(3)
    x = draw.normal(size=N)
    truth = draw.random(N) < 1 / (1 + np.exp(-4 * x))
    y = np.where(draw.random(N) < 0.15, ~truth, truth)
    frame = pd.DataFrame({"row": [f"{i:04d}" for i in range(N)], "x": x, "score": 1 / (1 + np.exp(-3 * x))})
    frame["given"] = np.where(y, "yes", "no")
    return errata.diagnose(frame, label="given", scores="score", id="row", budget=0)


@pytest.fixture
def run(issues, experiment):
    with mlflow.start_run() as active:
        errata.log(issues)
    return active.info.run_id


def rows_of(record):
    return record.results["label_issues"].ranking.to_dict("records")


def test_decisions_come_back_as_they_were_made(issues, run):
    rows = rows_of(issues)[:4]
    said = dict(zip((row["id"] for row in rows), ["keep", "accept", "exclude", "unsure"], strict=True))
    assert errata.save_decisions(run, said, by="anna") == 4
    found = errata.load_decisions(run)
    assert found["id"].tolist() == list(said)
    assert found["decision"].tolist() == list(said.values())
    assert found["corrected"].tolist()[:2] == [rows[0]["given"], rows[1]["suggested"]]
    assert found["corrected"].isna().tolist()[2:] == [True, True]
    assert set(found["by"]) == {"anna"}
    assert pd.to_datetime(found["at"], utc=True).is_monotonic_increasing
    assert not found["disputed"].any()


def test_audited_takes_what_load_decisions_returns(issues, run):
    drawn = errata.audit(issues)
    errata.save_decisions(run, dict.fromkeys(drawn["id"], "accept"), by="anna")
    audit = errata.audited(errata.load(run), errata.load_decisions(run)).results["label_issues"].audit
    assert audit.n_checked == audit.n_wrong == len(drawn)
    assert dict(audit.decisions) == dict(zip(drawn["id"], drawn["suggested"], strict=True))


def test_a_run_without_decisions_has_none(run):
    assert list(errata.load_decisions(run).columns)[:4] == ["id", "given", "suggested", "decision"]
    assert errata.load_decisions(run).empty


def test_two_people_at_once_lose_nothing(issues, run):
    """Two write 25 times each, at the same time, half of it on the same rows."""
    rows = rows_of(issues)

    def work(by, first):
        sheet = room.Sheet(room.drawer(run), by)
        for row in rows[first : first + 25]:
            sheet.add([decision(row, "keep" if by == "anna" else "accept", by=by)])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ["anna", "ben"], [0, 12]))
    every = errata.load_decisions(run, every=True)
    assert every.groupby("by").size().to_dict() == {"anna": 25, "ben": 25}
    both = {row["id"] for row in rows[12:25]}
    assert set(every.loc[every["disputed"], "id"]) == both
    merged = errata.load_decisions(run)
    assert len(merged) == 37
    last = every.groupby("id").tail(1).set_index("id")["by"]
    assert merged.set_index("id")["by"].to_dict() == last.to_dict()


def test_the_newest_decision_of_a_row_wins(issues, run):
    row = rows_of(issues)[0]
    for by, said in [("anna", "accept"), ("ben", "keep"), ("anna", "keep")]:
        errata.save_decisions(run, {row["id"]: said}, by=by)
    found = errata.load_decisions(run)
    assert found[["decision", "by", "disputed"]].to_numpy().tolist() == [["keep", "anna", False]]
    assert len(errata.load_decisions(run, every=True)) == 3


def test_a_store_that_fails_for_a_while_loses_nothing(issues, run, monkeypatch):
    rows, sheet = rows_of(issues), room.Sheet(room.drawer(run), "anna")
    sheet.add([decision(rows[0], "keep", by="anna")])

    def broken(*_):
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr("mlflow.tracking.MlflowClient.log_text", broken)
        for row in rows[1:3]:
            with pytest.raises(DecisionsNotStored, match="no space left"):
                sheet.add([decision(row, "keep", by="anna")])
        assert sheet.n_unstored == 2
    sheet.store()
    assert sheet.n_unstored == 0
    assert errata.load_decisions(run)["id"].tolist() == [row["id"] for row in rows[:3]]


def test_a_write_that_breaks_off_costs_only_itself(issues, run, tmp_path):
    rows, sheet = rows_of(issues), room.Sheet(room.drawer(run), "anna")
    for row in rows[:5]:
        sheet.add([decision(row, "keep", by="anna")])
    last = next(path for path in tmp_path.rglob("anna-*-0.jsonl"))
    last.write_text(last.read_text()[:150])
    assert len(errata.load_decisions(run)) == 4


def test_long_sessions_begin_new_sheets(issues, run, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "MOST", 3)
    sheet = room.Sheet(room.drawer(run), "anna/../ben")
    for row in rows_of(issues)[:8]:
        sheet.add([decision(row, "unsure", by="anna/../ben")])
    assert len(errata.load_decisions(run)) == 8
    files = list(tmp_path.rglob("*.jsonl"))
    assert len(files) == 6
    assert max(len(path.read_text().splitlines()) for path in files) == 3


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_files_keep_ids_and_other_labels(issues, run, tmp_path, ending):
    """0042 stays text, a label other than the suggestion stays, and the columns of the data come along."""
    rows = rows_of(issues)[:3]
    made = [decision(rows[0], "accept", rows[0]["given"], by="a"), decision(rows[1], "accept", by="a", audit=False)]
    room.Sheet(room.drawer(run), "a").add(made)
    table = errata.load_decisions(run).sample(frac=1, random_state=0)
    path = tmp_path / f"decided.{ending}"
    table.to_csv(path, index=False) if ending == "csv" else table.to_parquet(path)
    errata.save_decisions(run, path, by="b")
    found = errata.load_decisions(run)
    assert found.set_index("id")["corrected"].to_dict() == {
        rows[0]["id"]: rows[0]["given"],
        rows[1]["id"]: rows[1]["suggested"],
    }
    assert found["audit"].tolist() == [True, False]
    assert set(found["by"]) == {"a"}


def test_decisions_on_other_labels_are_refused(issues, run):
    row = rows_of(issues)[0]
    other = pd.DataFrame({"id": [row["id"]], "given": [row["suggested"]], "decision": ["keep"]})
    with pytest.raises(DecisionsRefused, match="were made on other labels"):
        errata.save_decisions(run, other, by="anna")
    with pytest.raises(DecisionsRefused, match="does not rank"):
        errata.save_decisions(run, {row["id"].lstrip("0"): "keep"}, by="anna")


def test_what_is_no_decision_is_skipped(issues):
    row = rows_of(issues)[0]
    good = decision(row, "keep", by="anna")
    for spoiled in ({"decision": "maybe"}, {"corrected": None}, {"id": ["r"]}, {"audit": "yes"}, {"by": None}):
        assert room.Decision.parsed(vars(good) | spoiled) is None
    assert room.Decision.parsed(vars(good) | {"later": 1}) == good
    assert room.Decision.parsed([1]) is None
    assert newest([good]) == {row["id"]: good}


def test_labels_that_are_numbers_survive_rows_without_one():
    """A column of 0, 1 and nothing would become floats: 1.0 is the label 1 all the same."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"y": draw.integers(0, 2, N), "score": draw.random(N)})
    record = errata.diagnose(frame, label="y", scores="score", budget=0)
    drawn = errata.audit(record, n=4)
    drawn["decision"] = ["accept", "unsure", "exclude", "keep"]
    made = as_frame(read(record, drawn))
    assert [type(value) for value in made["corrected"]] == [int, type(None), type(None), int]
    for table in (made, made.assign(corrected=made["corrected"].astype(float))):
        audit = errata.audited(record, table).results["label_issues"].audit
        assert dict(audit.decisions) == {drawn["id"][0]: drawn["suggested"][0], drawn["id"][2]: None}
