"""The order of steps, and which of the proposed ones are left out."""

from __future__ import annotations

from types import SimpleNamespace

from mlflow_errata.estimate import Estimate
from mlflow_errata.steps._shape import NextStep
from mlflow_errata.trials.ranking import ranked, reason_of


def step(kind, gain=None, *, pays=False, because=(), reason="not tried", **params):
    known = None if gain is None else Estimate(gain, gain - 0.1, gain + 0.1, n=100, unit="value per row")
    bound = None if gain is None else gain - 0.1
    why = reason if gain is None else ""
    return NextStep(kind, params, because, gain_value=known, gain_reason=why, bound=bound, pays=pays)


def order(tried=(), proposed=(), collected=(), *, all_tried=(), plan=(), **not_tried):
    trials = SimpleNamespace(tried=(*tried, *all_tried), plan=plan, not_tried=not_tried)
    found = ranked(list(tried), trials, list(proposed), list(collected))
    return [(item.kind, item.params, item.gain_reason) for item in found]


MOVED = step("change_metric", 1.8, pays=True, by="value", threshold=0.1)
STOP = ("stop", {}, "0, by definition")


def test_a_gain_that_a_diagnosis_measured_is_ranked_among_those_of_trials():
    larger, smaller = step("resample", 2.5, pays=True), step("change_model", 0.5, pays=True)
    kinds = [kind for kind, _, _ in order([smaller, larger], [MOVED])]
    assert kinds == ["resample", "change_metric", "change_model", "stop"]
    other = step("change_metric", -0.3, by="value", family="gradient_boosting")
    assert order([other], [MOVED])[:2] == [("change_metric", MOVED.params, ""), STOP]


def test_a_proposed_step_is_left_out_where_its_own_question_was_tried():
    again = step("change_metric", 1.5, pays=True, by="value", threshold=0.12)
    assert order([again], [MOVED]) == [("change_metric", again.params, ""), STOP]
    assert order([step("retrain_recent", 3.0, pays=True)], [MOVED], all_tried=[again])[1] == STOP
    balanced = step("resample", method="class_weight")
    assert order([again], [balanced], all_tried=[step("resample", 1.0, method="threshold")])[1:] == [STOP]


def test_another_slice_and_another_form_are_other_questions():
    slice_, rows = step("collect_data", slice=["a == 1"]), step("collect_data", 0.5, pays=True, rows=1000)
    merged, ordinal = step("reframe", to="merge"), step("reframe", 0.2, pays=True, to="ordinal", order=[1, 2])
    found = order([ordinal], [slice_, merged, step("reframe", to="ordinal", order=[1, 2])], [rows])
    assert [(kind, params) for kind, params, _ in found] == [
        ("reframe", ordinal.params),
        ("collect_data", rows.params),
        ("stop", {}),
        ("collect_data", slice_.params),
        ("reframe", merged.params),
    ]
    by_metric = step("change_metric", 0.1, by="brier_score", family="linear", threshold=0.3)
    assert order([], [step("change_metric", by="brier_score")], [by_metric])[1:] == [
        ("change_metric", by_metric.params, "")
    ]


def test_why_a_step_was_not_tried():
    reasons = {"reframe: merge": "one", "reframe: ordinal": "two", "collect_data: all rows": "three"}
    assert reason_of(step("reframe", to="ordinal"), reasons) == "two"
    assert reason_of(step("collect_data", slice=["a"]), reasons) == "three"
    assert reason_of(step("collect_data", slice=["a"]), {**reasons, "collect_data": "four"}) == "four"
    assert reason_of(step("retrain_recent"), {"retrain_recent: last": "one", "refits": "two"}) == "two"
    assert reason_of(step("retrain_recent"), {"retrain_recent: last": "one", "retrain_recent: all": "two"}) == "two"
    assert reason_of(step("resample", method="class_weight"), {"resample": "one", "refits": "two"}) == "one"
    assert reason_of(step("change_metric", by="value"), {"change_model: bigger": "one"}) == "one"
    assert not reason_of(step("resample"), {"change_model: bigger": "one", "change_model: linear": "two"})
    own = step("collect_data", slice=["a"], reason="not tried: there are too few")
    assert order([], [own], collect_data="one")[1][2] == "not tried: there are too few"
