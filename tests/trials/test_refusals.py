"""What cannot be tried, and what goes wrong while it is: said in a sentence, through `errata.diagnose`."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlflow_errata as errata
from mlflow_errata.errors import MetricNeedsScores, TrainColumnMissing
from mlflow_errata.sections import gains
from mlflow_errata.steps import change_model
from mlflow_errata.trials import run
from mlflow_errata.trials.bench import Bench

FEATURES = ["a", "b", "c"]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(change_model, "FAMILIES", ("linear",))


def rows(n, seed, bias=-2.0):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 3))
    odds = 2 * x[:, 0] - x[:, 1] + bias
    return pd.DataFrame(x, columns=FEATURES).assign(y=(draw.random(n) < 1 / (1 + np.exp(-odds))).astype(int))


def diagnosed(model, *, train=None, evaluation=None, **options):
    train = rows(800, 0) if train is None else train
    evaluation = rows(1000, 1) if evaluation is None else evaluation
    roles = {"label": "y", "features": FEATURES, "metric": "f1"}
    return errata.diagnose(evaluation, model=model, train=train, **{**roles, **options})


def fitted(model):
    train = rows(800, 0)
    return model.fit(train[FEATURES], train["y"])


class Counted(LogisticRegression):
    """Counts its fits."""

    fits = 0

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        Counted.fits += 1
        return super().fit(X, y, sample_weight)


class Sealed(LogisticRegression):
    """Names a parameter that it does not take."""

    def __init__(self):
        super().__init__()

    def get_params(self, deep=True):
        return {"layers": 3}


def test_an_estimator_that_cannot_be_cloned_is_named_with_the_reason():
    record = diagnosed(fitted(Sealed()))
    why = record.trials.not_tried["refits"]
    assert why.startswith("the Sealed cannot be cloned: TypeError: ")
    assert "threshold" in {step.params.get("method") for step in record.trials.tried}
    assert not any(step.cost.seconds for step in record.trials.tried)
    assert "Not tried: refits (the Sealed cannot be cloned" in str(record)


def test_a_function_cannot_be_fitted_again():
    model = fitted(LogisticRegression())
    record = diagnosed(lambda frame: model.predict_proba(frame[FEATURES]))
    assert record.trials.not_tried["refits"] == "a function cannot be fitted again: pass the estimator as model="


def test_output_alone_needs_the_model():
    evaluation = rows(1000, 1)
    evaluation["p"] = fitted(LogisticRegression()).predict_proba(evaluation[FEATURES])[:, 1]
    record = diagnosed(None, evaluation=evaluation, scores="p")
    assert record.trials.not_tried["refits"] == "the model is not given (model=), only what it says"


def test_a_train_frame_with_other_columns_is_refused_before_anything_is_fitted():
    model = fitted(Counted())
    Counted.fits = 0
    with pytest.raises(TrainColumnMissing, match=r"train has no column 'c'.*Did it become 'c_'\?.*the same columns"):
        diagnosed(model, train=rows(800, 0).rename(columns={"c": "c_"}))
    assert Counted.fits == 0


def test_further_columns_of_the_train_frame_do_no_harm():
    record = diagnosed(fitted(LogisticRegression()), train=rows(800, 0).assign(extra=1.0))
    assert record.trials.tried


def test_values_of_another_kind_in_the_train_frame_are_a_reason():
    train = rows(800, 0)
    record = diagnosed(fitted(LogisticRegression()), train=train.assign(a="red"))
    assert "the fit failed: ValueError: could not convert string to float" in record.trials.not_tried["refits"]


def test_a_leak_makes_trials_meaningless_and_nothing_is_fitted():
    train, evaluation = (rows(800, seed).assign(copy=lambda frame: 10.0 * frame["y"]) for seed in (0, 1))
    model = Counted().fit(train[[*FEATURES, "copy"]], train["y"])
    Counted.fits = 0
    record = diagnosed(model, train=train, evaluation=evaluation, features=[*FEATURES, "copy"])
    assert Counted.fits == 0
    assert record.trials is None
    assert (record.next_steps[0].kind, record.next_steps[0].params) == ("drop_columns", {"columns": ["copy"]})
    assert all("gives the label away" in step.gain_reason for step in record.next_steps[1:])


def test_a_metric_of_scores_with_labels_alone_says_what_to_pass():
    evaluation = rows(1000, 1)
    evaluation["said"] = fitted(LogisticRegression()).predict(evaluation[FEATURES])
    with pytest.raises(MetricNeedsScores, match=r"metric='roc_auc' needs scores, but only predicted labels were given"):
        diagnosed(None, evaluation=evaluation, prediction="said", metric="roc_auc")


class Stopped(LogisticRegression):
    """A person presses Ctrl-C at the fit after `left` more."""

    left = 0

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        if Stopped.left == 0:
            raise KeyboardInterrupt
        Stopped.left -= 1
        return super().fit(X, y, sample_weight)


def test_an_interrupt_keeps_what_was_measured_wherever_it_comes():
    """At any of the first fits: the diagnoses are there, and the more fits were made, the more steps have a gain."""
    Stopped.left = -1
    model, measured = fitted(Stopped()), []
    for left in range(0, 12, 2):
        Stopped.left = left
        record = diagnosed(model)
        assert record.results
        measured.append(0 if record.trials is None else len(record.trials.tried))
        if record.trials is None:
            waiting = [step for step in record.next_steps if step.gain is None and step.kind != "stop"]
            assert all("interrupted" in step.gain_reason for step in waiting)
        else:
            assert record.trials.interrupted
            assert "The trials were interrupted; what had been measured is kept." in str(record)
        assert not [step for step in record.next_steps if step.pays and step.gain is None]
    assert measured == sorted(measured)
    assert measured[-1] >= 4


def test_a_fit_that_raises_is_a_reason_and_the_others_go_on():
    class Choosy(LogisticRegression):
        def fit(self, X, y, sample_weight=None):  # noqa: N803
            if sample_weight is not None:
                raise ZeroDivisionError("no weights\non Mondays")
            return super().fit(X, y)

    record = diagnosed(fitted(Choosy()))
    reasons = " ".join(record.trials.not_tried.values())
    assert "the fit failed: ZeroDivisionError: no weights on Mondays" in reasons
    assert "resample" in {step.kind for step in record.trials.tried}


def test_fits_that_all_raise_leave_what_needs_no_fit():
    class Broken(LogisticRegression):
        broken = False

        def fit(self, X, y, sample_weight=None):  # noqa: N803
            if Broken.broken:
                raise OSError("the disk is full")
            return super().fit(X, y, sample_weight)

    model = fitted(Broken())
    Broken.broken = True
    record = diagnosed(model)
    assert record.trials.not_tried["refits"] == "the fit failed: OSError: the disk is full"
    assert record.trials.tried


def test_estimators_that_warn_a_thousand_times_are_not_heard():
    class Talking(LogisticRegression):
        heard = True

        def fit(self, X, y, sample_weight=None):  # noqa: N803
            self._warn()
            return super().fit(X, y, sample_weight)

        def predict_proba(self, X):  # noqa: N803
            self._warn()
            return super().predict_proba(X)

        def _warn(self):
            for at in range(1000):
                warnings.warn(f"I am at {at}", UserWarning, stacklevel=2)

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        model = fitted(Talking())
        n_before = len(heard)
        record = diagnosed(model)
    assert n_before == 1000
    assert len(heard) - n_before <= 2000  # the model's own answers on the rows, which the user asked for
    assert record.trials.tried


@pytest.mark.parametrize(
    "options", [{}, {"value": {"tp": 0, "fp": -1, "fn": -5, "tn": 0}}, {"time": "at"}, {"metric": "roc_auc"}]
)
def test_without_a_budget_nothing_is_ever_fitted(options):
    train, evaluation = (rows(800, seed).assign(at=np.arange(800.0) + 800 * seed) for seed in (0, 1))
    model = Counted().fit(train[FEATURES], train["y"])
    Counted.fits = 0
    record = diagnosed(model, train=train, evaluation=evaluation, budget=0, **options)
    assert Counted.fits == 0
    assert record.trials is None
    assert record.next_steps


def test_too_few_rows_to_judge_are_a_reason():
    record = diagnosed(fitted(LogisticRegression()), evaluation=rows(60, 1, bias=-1.0))
    assert record.trials is None
    assert {step.gain_reason for step in record.next_steps} == {"not tried: needs 80 rows to judge, and there are 60"}


WRONG = {"train": rows(800, 0).assign(a="red")}


@pytest.mark.parametrize(
    ("model", "options", "why"),
    [
        (fitted(LogisticRegression()), WRONG, "the fit failed: ValueError: could not convert string to float"),
        (fitted(Sealed()), {}, "the Sealed cannot be cloned"),
        (fitted(LogisticRegression()).predict_proba, {}, "a method cannot be fitted again: pass the estimator as"),
    ],
)
def test_where_nothing_could_be_tried_every_step_says_why(model, options, why):
    record = diagnosed(model, metric="roc_auc", **options)
    assert record.trials is None
    assert record.next_steps
    for step in record.next_steps:
        own = "the metric reads no decision" if step.kind == "resample" else why
        assert step.gain_reason.startswith(f"not tried: {own}")
    assert gains.table(record).caption.startswith("No gain was measured: ")
    assert "budget=" not in gains.table(record).caption


def test_where_nothing_was_found_and_nothing_could_be_refitted_stop_says_why():
    frame = load_breast_cancer(as_frame=True).frame.rename(columns={"target": "y"})
    train, evaluation = frame[::2], frame[1::2]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(train.drop(columns="y"), train["y"])
    train = train.assign(**{"mean area": "red"})
    (stop,) = errata.diagnose(evaluation, label="y", model=model, train=train).next_steps
    assert stop.gain_reason.startswith("not tried: the fit failed: ValueError")


def test_a_step_that_was_not_tried_beside_others_that_were_says_why():
    train = pd.concat([rows(800, 0), rows(800, 0).assign(y=lambda frame: 1 - frame["y"], a=1.0)])
    record = diagnosed(lambda frame: fitted(LogisticRegression()).predict_proba(frame[FEATURES]), train=train)
    assert record.trials.tried
    waiting = [step for step in record.next_steps if step.kind == "collect_data"]
    assert {step.gain_reason for step in waiting} <= {
        "not tried: a function cannot be fitted again: pass the estimator as model="
    }


def test_an_error_that_nobody_foresaw_is_a_reason_of_its_candidate_alone(monkeypatch):
    def odd(self, *given):
        raise IndexError("list index out of\nrange")

    monkeypatch.setattr(Bench, "_tuned", odd)
    record = diagnosed(fitted(LogisticRegression()))
    assert record.trials.not_tried["resample: tuned"] == "IndexError: list index out of range"
    assert {"resample", "change_model"} <= {step.kind for step in record.trials.tried}


def test_an_error_that_nobody_foresaw_never_loses_the_diagnoses(monkeypatch):
    def odd(*given, **named):
        raise IndexError("list index out of range")

    monkeypatch.setattr(run, "candidates", odd)
    record = diagnosed(fitted(LogisticRegression()))
    assert record.results
    assert record.trials is None
    waiting = [step.gain_reason for step in record.next_steps if step.kind not in {"stop", "relabel"}]
    assert set(waiting) == {"not tried: IndexError: list index out of range"}
