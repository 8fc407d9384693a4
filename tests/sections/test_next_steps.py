"""Next steps in words, and code that runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

import mlflow_errata as errata
from mlflow_errata.estimate import Estimate
from mlflow_errata.sections import next_steps
from mlflow_errata.steps import KINDS, stop
from mlflow_errata.steps._shape import Cost, NextStep
from mlflow_errata.trials._shape import Trials

RELABEL = NextStep("relabel", {"slice": ["delay is missing"], "audit": 40}, ("slice_errors",), Cost(labels=40))


@pytest.fixture(scope="module")
def frames():
    """Training and evaluation rows: labels wrong where `delay` is missing, a rare class, newer rows that are worse."""
    draw = np.random.default_rng(0)
    n = 6000
    x = draw.random(n)
    delay = pd.Series(np.where(x > 0.85, 20.0, 0.0)).mask((draw.random(n) < 0.3) & (x > 0.92))
    noise = (np.arange(n) > 0.85 * n) & (draw.random(n) < 0.15)
    y = ((delay > 15) ^ noise).astype(int)
    rows = pd.DataFrame({"x": x, "hour": draw.integers(0, 24, n), "delay": delay, "y": y})
    rows["at"] = pd.date_range("2024-01-01", periods=n, freq="h")
    return rows.iloc[:3000], rows.iloc[3000:]


@pytest.fixture(scope="module")
def record(frames):
    train, evaluation = frames
    model = DecisionTreeClassifier(max_depth=1, random_state=0).fit(train[["x", "hour"]], train["x"] > 0.92)
    evaluation = evaluation.assign(p=model.predict(evaluation[["x", "hour"]]).astype(int))
    return errata.diagnose(
        evaluation, label="y", prediction="p", features=["x", "hour"], time="at", train=train, budget=0
    )


def test_every_kind_has_a_title_and_a_step_without_one_reads_all_the_same(record_of):
    assert set(next_steps.TITLES) == set(KINDS)
    (card,) = next_steps.cards(record_of(steps=[NextStep("ask_again")]))
    assert (card.title, card.gain, card.cost) == ("Ask again", "not tried", "not known")


def test_nothing_untried_is_given_a_gain(record):
    assert {card.gain for card in next_steps.cards(record)} == {"not tried"}
    assert next_steps.lede(record).endswith("None has been tried, so no gain is measured.")


def test_a_measured_gain_carries_its_interval(record_of):
    gain = Estimate(0.026, 0.019, 0.033, n=10, unit="accuracy")
    tried = record_of(
        steps=[NextStep("resample", {"method": "over"}, gain=gain, gain_reason="", cost=Cost(seconds=12.0))]
    )
    (card,) = next_steps.cards(tried)
    assert card.title == "Repeat rows of rare classes in training"
    assert card.gain == "+2.6 points (+1.9 to +3.3) accuracy"
    assert card.cost == "a refit of about 12 s"
    assert next_steps.lede(tried) == "Expected gain: +2.6 points (+1.9 to +3.3) accuracy."


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.276, "under 1 s"), (1.6, "about 2 s"), (118, "about 118 s"), (240, "about 4 minutes")],
)
def test_compute_is_said_as_precisely_as_it_is_known(record_of, seconds, said):
    (card,) = next_steps.cards(record_of(steps=[NextStep("ask_again", cost=Cost(seconds=seconds))]))
    assert card.cost == f"a refit of {said}"


def test_the_title_says_what_to_do(record_of):
    assert next_steps.title(record_of(steps=[RELABEL])) == "Check 40 labels where delay is missing"
    assert next_steps.lede(record_of(steps=[RELABEL])).endswith("its gain is not measured.")


def test_stop_is_said_plainly(record_of):
    calm = record_of(steps=[stop.nothing_found()])
    assert next_steps.title(calm) == "Keep this model: nothing found to change"
    assert next_steps.lede(calm) == "0 diagnoses made, and none found anything beyond chance to act on."
    assert next_steps.cards(calm)[0].cost == "none"
    assert next_steps.title(record_of()) == "Next steps"
    assert next_steps.lede(record_of()) == "This record proposes no step."


def test_a_step_that_no_finding_asks_for_says_so(record_of):
    gain = Estimate(0.026, 0.019, 0.033, n=10, unit="accuracy")
    first, other = (
        NextStep("change_model", {"family": name}, gain=gain, gain_reason="", bound=0.01) for name in ("linear", "tree")
    )
    trials = Trials("accuracy", "folds", 99, 0, 0, 9, 9, 1.0, 1.0, None, True, False, None, 0.1, (first, other), {}, ())
    told = next_steps.cards(replace(record_of(steps=[first, other]), trials=trials))
    assert told[0].because == ("No finding asks for it: it is the best of 2 steps tried.",)
    assert told[1].because == ("No finding asks for it: it is one of 2 steps tried.",)
    assert next_steps.cards(record_of(steps=[NextStep("ask_again")]))[0].because == ()


def test_because_carries_the_evidence_of_the_slice(record):
    card = next_steps.cards(record)[0]
    assert card.title == "Check 40 labels where delay is missing"
    assert card.because[0].startswith("Where delay is missing the error rate is ")
    assert " rows, " in card.because[0]
    assert "Every label there is" not in card.because[1]


def test_a_step_whose_slice_is_gone_gives_no_code_and_no_reason(record_of):
    (card,) = next_steps.cards(record_of(steps=[RELABEL]))
    assert card.code == ""
    assert card.because == ("A label computed from a missing value can be wrong: check some before changing any.",)


def test_the_code_of_every_step_runs(record, frames):
    train, evaluation = frames
    cards = next_steps.cards(record)
    assert {card.kind for card in cards} >= {"relabel", "resample", "retrain_recent", "collect_data"}
    for card in cards:
        names = {
            "record": record,
            "train": train,
            "evaluation": evaluation,
            "pool": train,
            "features": ["x", "hour"],
            "model": DecisionTreeClassifier(max_depth=2),
        }
        exec(card.code, names)  # noqa: S102 - the code that a reader is told to run
        if card.kind == "relabel":
            assert len(names["to_check"]) == 40
            assert names["to_check"]["delay"].isna().all()
        elif card.kind == "collect_data":
            assert 0 < len(names["to_label"]) < len(train)
        else:
            assert getattr(names["model"], "estimator_", names["model"]).tree_.node_count > 1


def test_labels_that_were_decided_give_the_code_that_corrects_them(record, frames):
    train, _ = frames
    decisions = [[row, 0] for row in train.index[:3]]
    step = NextStep("relabel", {"decisions": decisions}, ("label_issues",))
    checked = replace(record, next_steps=(step,), trials=None)
    names = {"record": checked, "train": train.assign(y=1), "model": DecisionTreeClassifier(max_depth=2)}
    (card,) = next_steps.cards(checked)
    exec(card.code, names)  # noqa: S102 - the code that a reader is told to run
    assert names["recipe"].steps == (("relabel", {"decisions": decisions}),)
    assert names["model"].tree_.node_count > 1


def test_the_code_survives_storing(record, tmp_path):
    again = errata.Record.open(record.save(tmp_path))
    assert next_steps.cards(again) == next_steps.cards(record)
