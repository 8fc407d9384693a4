"""The audit: which rows are drawn, how decisions come back, and what they tell about the rest."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import mlflow_errata as errata
from mlflow_errata.errors import DecisionsRefused, NothingToAudit

N = 3000


def rows(seed=0, *, noise=0.1):
    """Scores of 3,000 rows and labels, a share of which is flipped; `truth` is not among the columns."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=N)
    truth = (draw.random(N) < 1 / (1 + np.exp(-4 * x))).astype(int)
    y = np.where(draw.random(N) < noise, 1 - truth, truth)
    frame = pd.DataFrame({"row": [f"r{i}" for i in range(N)], "x": x, "score": 1 / (1 + np.exp(-3 * x)), "y": y})
    return frame, dict(zip(frame["row"], truth.tolist(), strict=True))


@pytest.fixture(scope="module")
def case():
    frame, truth = rows()
    return errata.diagnose(frame, label="y", scores="score", id="row", budget=0), frame.set_index("row"), truth


def test_the_draw_is_spread_over_the_flags_and_shows_the_rows(case):
    record, frame, _ = case
    drawn = errata.audit(record, n=40)
    assert list(drawn.columns) == ["id", "given", "suggested", "score", "decision", "row", "x", "score (column)", "y"]
    assert len(drawn) == 40
    assert drawn["id"].is_unique
    assert drawn["decision"].isna().all()
    np.testing.assert_array_equal(drawn["x"], frame.loc[drawn["id"], "x"])
    np.testing.assert_array_equal(drawn["given"], frame.loc[drawn["id"], "y"])
    result = record.results["label_issues"]
    ranks = result.ranking.reset_index().set_index("id").loc[drawn["id"], "index"]
    assert ranks.max() > 0.85 * result.n_flagged
    assert len(errata.audit(record, n=7)) == 7


def test_the_same_rows_are_drawn_from_the_stored_record(case, tmp_path):
    record, *_ = case
    stored = errata.Record.open(record.save(tmp_path))
    pd.testing.assert_frame_equal(errata.audit(stored), errata.audit(record), check_dtype=False)


@pytest.mark.parametrize("way", ["frame", "csv", "parquet", "mapping", "callable"])
def test_decisions_come_back_in_many_ways_and_say_the_same(case, way, tmp_path):
    record, _, truth = case
    drawn = errata.audit(record)
    drawn["decision"] = [str(truth[row]) for row in drawn["id"]]
    if way == "csv":
        drawn.sample(frac=1, random_state=0).to_csv(tmp_path / "d.csv", index=False)
    if way == "parquet":
        drawn.to_parquet(tmp_path / "d.parquet")
    decisions = {
        "frame": drawn,
        "csv": tmp_path / "d.csv",
        "parquet": str(tmp_path / "d.parquet"),
        "mapping": dict(zip(drawn["id"], drawn["decision"], strict=True)),
        "callable": lambda row: truth[row["id"]],
    }[way]
    audit = errata.audited(record, decisions).results["label_issues"].audit
    wrong = {row for row, given in zip(drawn["id"], drawn["given"], strict=True) if given != truth[row]}
    assert audit.n_checked == 40
    assert audit.n_wrong == len(wrong)
    assert dict(audit.decisions) == {row: truth[row] for row in wrong}
    assert audit.precision.value == pytest.approx((len(wrong) + 0.5) / 41)


def test_what_a_person_says(case):
    record, *_ = case
    drawn = errata.audit(record, n=6)
    drawn["decision"] = ["keep", "accept", "exclude", "unsure", None, ""]
    after = errata.audited(record, drawn)
    audit = after.results["label_issues"].audit
    assert (audit.n_checked, audit.n_wrong, audit.n_unsure) == (3, 2, 1)
    assert audit.decisions == ((drawn["id"][1], drawn["suggested"][1]), (drawn["id"][2], None))
    assert record.results["label_issues"].audit is None


def test_true_errors_ask_for_relabelling_and_the_record_keeps_them(case, tmp_path):
    record, _, truth = case
    after = errata.audited(record, lambda row: truth[row["id"]])
    found, step = after.results["label_issues"], after.next_steps[0]
    assert found.found
    assert step.kind == "relabel"
    assert [tuple(pair) for pair in step.params["decisions"]] == list(found.audit.decisions)
    assert step.cost.labels == found.n_flagged - 40
    assert 0 < found.noise_rate.low < found.noise_rate.high < record.results["label_issues"].noise_rate.high
    assert len(found.ranking) == N
    stored = errata.Record.open(after.save(tmp_path))
    assert stored == after
    assert json.loads((tmp_path / "record.json").read_text())["next_steps"][0]["kind"] == "relabel"


def test_an_audit_stands_until_as_many_answers_say_otherwise(case):
    """Few answers more add corrections, or take them back, and leave the estimate where it is."""
    record, _, truth = case
    once = errata.audited(record, lambda row: truth[row["id"]])
    before = once.results["label_issues"]
    known = [row for row, _ in before.audit.decisions]
    other = next(row for row in before.worklist.id if row not in set(errata.audit(record)["id"]))
    again = errata.audited(once, {other: "exclude", known[0]: "keep", known[1]: "unsure"}).results["label_issues"]
    assert again.noise_rate == before.noise_rate
    assert again.audit.n_checked == 40
    assert [row for row, _ in again.audit.decisions] == [*known[2:], other]
    assert errata.audited(once, {}).results["label_issues"] == before
    anew = errata.audited(once, dict.fromkeys(errata.audit(record)["id"], "keep")).results["label_issues"]
    assert (anew.audit.n_checked, anew.audit.n_wrong, anew.found) == (40, 0, False)


def test_flags_that_are_no_errors_ask_for_none():
    for seed in range(5):
        frame, truth = rows(seed, noise=0)
        record = errata.diagnose(frame, label="y", scores="score", id="row", budget=0)
        after = errata.audited(record, lambda row, truth=truth: truth[row["id"]])
        assert not after.results["label_issues"].found
        assert "relabel" not in [step.kind for step in after.next_steps]
        assert after.next_steps


def test_what_was_tried_stays_in_its_order():
    """Where nothing tried pays and the labels are right, to keep the model is still the first step."""
    frame, truth = rows(noise=0.0)
    model = LogisticRegression().fit(frame[["x"]], frame["y"])
    record = errata.diagnose(frame[::2], label="y", id="row", features=["x"], model=model, train=frame[1::2], budget=10)
    before = [step.kind for step in record.next_steps if "label_issues" not in step.because]
    audited = errata.audited(record, {row: str(truth[row]) for row in errata.audit(record)["id"]})
    assert before[0] == "stop"
    assert [step.kind for step in audited.next_steps] == before


def test_the_corrected_noise_rate_holds_the_truth():
    """The errors among flagged rows, in 40 draws: the 95 % interval misses at most 6."""
    hits = 0
    for seed in range(40):
        frame, truth = rows(seed, noise=0.02 + 0.005 * seed)
        record = errata.diagnose(frame, label="y", scores="score", id="row", budget=0)
        issues = errata.audited(record, lambda row, truth=truth: truth[row["id"]]).results["label_issues"]
        flagged = issues.ranking.head(issues.n_flagged)
        wrong = sum(truth[row] != given for row, given in zip(flagged["id"], flagged["given"], strict=True)) / N
        hits += issues.noise_rate.low <= wrong <= issues.noise_rate.high
    assert hits >= 34


@pytest.mark.parametrize(
    ("decisions", "said"),
    [
        ({"r99999": "keep"}, "name 1 of 1 ids that the record does not rank"),
        (pd.DataFrame({"row": ["r1"]}), "have the columns"),
        ({}, "hold no row of the audit"),
        ("nowhere.csv", "cannot be read from nowhere.csv"),
    ],
)
def test_what_is_refused(case, decisions, said):
    with pytest.raises(DecisionsRefused, match=said):
        errata.audited(case[0], decisions)


def test_a_decision_that_is_no_label_is_refused_with_what_is_allowed(case):
    row = errata.audit(case[0])["id"][0]
    with pytest.raises(DecisionsRefused, match=r"hold 'maybe'\. Allowed: keep, accept, exclude, unsure, 0, 1"):
        errata.audited(case[0], {row: "maybe"})


def test_without_ranked_labels_there_is_nothing_to_audit():
    frame, _ = rows()
    record = errata.diagnose(frame.assign(p=frame["score"] > 0.5), label="y", prediction="p", id="row", budget=0)
    with pytest.raises(NothingToAudit, match="needs scores"):
        errata.audit(record)
