"""How far above zero a gain has to lie: less where a diagnosis makes it likely, more where one of many is picked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, t

from mlflow_errata.trials.evidence import Evidence, worth
from mlflow_errata.trials.gains import Gain
from mlflow_errata.trials.variants import Change

CUT = Change("resample", "decision", {"cut": "tuned"}, 0)
TOLD = Change("resample", "decision", {"cut": "told"}, 0)
WEIGHTS = Change("resample", "decision", {"balance": "class_weight", "cut": "tuned"}, 2)
REFIT = Change("retrain_recent", "refit", {"rows": ("all", 0.0)}, 0)
FORGET = Change("retrain_recent", "forget", {"rows": ("last", 9.0)}, 1)
MODEL = Change("change_model", "model", {"model": "bigger"}, 0)


def gain(errors, value=0.1):
    return Gain(value, value / errors, 0.0, value / errors, 0.0, 0.0, 1e6, np.zeros(8), 800)


def pays(change, errors, *, answered=(), brier=None, told=True, agreed=True):
    """Whether a gain so many standard errors above zero convinces; `brier` is how many Brier's lies above it."""
    return Evidence(gain(errors), told, agreed, brier).convinces(change, answered)


@pytest.mark.parametrize(
    ("change", "asked", "answered"),
    [(CUT, 2.5, 1.0), (TOLD, 1.6, 1.0), (WEIGHTS, 2.5, 1.0), (MODEL, 2.5, 2.5), (REFIT, 2.0, 1.0)],
)
def test_a_step_that_answers_what_was_found_needs_less(change, asked, answered):
    for found, needs in (((), asked), ((change.kind,) if change is not MODEL else ("resample",), answered)):
        assert pays(change, needs + 0.05, answered=found)
        assert not pays(change, needs - 0.05, answered=found)


@pytest.mark.parametrize(
    ("change", "brier", "asked"), [(REFIT, -0.5, 2.0), (FORGET, -0.5, 2.5), (REFIT, 0.5, 1.0), (FORGET, 2.0, 1.0)]
)
def test_newer_rows_need_less_where_brier_does_not_speak_against_them(change, brier, asked):
    assert pays(change, asked + 0.05, brier=brier)
    assert not pays(change, asked - 0.05, brier=brier)


def test_another_model_is_one_of_several_and_brier_confirms_it():
    assert not pays(MODEL, 2.3, brier=0.5)
    assert pays(MODEL, 2.3, brier=1.5)


@pytest.mark.parametrize(("change", "asked"), [(REFIT, 1.64), (FORGET, 2.14), (MODEL, 2.14)])
def test_what_labels_alone_tell(change, asked):
    assert pays(change, asked + 0.05, told=False)
    assert not pays(change, asked - 0.05, told=False)
    assert pays(REFIT, 1.05, told=False, answered=("retrain_recent",))


def test_an_error_that_few_periods_tell_counts_as_the_normal_one_that_is_as_rare():
    """2.57 errors on 5 degrees of freedom are exceeded in 2.5 %, as 1.96 of a normal gain are."""
    assert replace(gain(t.ppf(0.975, 5)), freedom=5.0).beyond == pytest.approx(norm.ppf(0.975))
    assert gain(1.3).beyond == pytest.approx(1.3, abs=1e-4)
    assert replace(gain(1.0), known=0.0).beyond == 0


@pytest.mark.parametrize(("errors", "brier", "told"), [(0.6, 2.6, True), (0.4, 5.0, False), (2.4, 0.4, False)])
def test_labels_and_brier_together_where_calibrated_scores_tell_nothing(errors, brier, told):
    assert pays(MODEL, errors, brier=brier, told=False) is told


def test_where_labels_and_calibrated_scores_disagree_much_is_asked_for():
    assert not pays(CUT, 3.9, agreed=False, answered=("resample",))
    assert pays(CUT, 4.1, agreed=False)
    assert pays(MODEL, 2.1, brier=1.1, agreed=False)


def test_little_is_not_worth_a_step():
    assert not worth(gain(9.0), 10.1)
    assert worth(gain(9.0), 9.9)
