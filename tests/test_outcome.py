"""Delivered gains: on rows that both runs can be judged on, or a reason why there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import mlflow_errata as errata
from mlflow_errata._choices import Choice, Outcome, as_tag
from mlflow_errata._outcome import delivered, gain, pairing
from mlflow_errata._run_comparison import compared
from mlflow_errata._track import FEWEST, branchings, tracks
from mlflow_errata.errors.stored import NotComparable
from mlflow_errata.estimate import Estimate

VALUE = {"tp": 0, "fp": -1, "fn": -3, "tn": 0}
N = 3000


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(0)
    x = pd.DataFrame({"a": draw.normal(size=N), "b": draw.normal(size=N), "region": draw.choice(list("xyz"), N)})
    x["at"] = pd.date_range("2024-01-01", periods=N, freq="h")
    x["row"] = [f"r{i:05d}" for i in range(N)]
    x["y"] = np.where(x["a"] + x["b"] + draw.normal(size=N) > 0.8, "late", "on time")
    return x


@pytest.fixture(scope="module")
def models(rows):
    train = rows.head(1000)
    return [LogisticRegression().fit(train[seen], train["y"]) for seen in (["a"], ["a", "b"])]


def diagnosed(frame, model, **others):
    roles = {"time": "at", "id": "row", "value": VALUE, "budget": 0} | others
    return errata.diagnose(frame, label="y", model=model, **roles)


def auc(frame, model):
    return roc_auc_score(frame["y"] == "on time", model.predict_proba(frame[model.feature_names_in_])[:, 1])


def worth(frame, model):
    y, said = frame["y"] == "on time", model.predict(frame[model.feature_names_in_]) == "on time"
    return -(said & ~y).mean() - 3 * (~said & y).mean()


def test_the_same_data_by_digest(rows, models):
    test = rows.tail(2000)
    old, new = (diagnosed(test, model) for model in models)
    found = delivered(old, new, "roc_auc")
    assert found.how == "same"
    assert found.gain.value == pytest.approx(auc(test, models[1]) - auc(test, models[0]))
    assert found.gain.low < found.gain.value < found.gain.high
    assert delivered(old, new, "value per row").gain.value == pytest.approx(
        worth(test, models[1]) - worth(test, models[0])
    )
    assert delivered(old, old, "roc_auc").gain.value == 0


def test_rows_in_another_order_change_nothing(rows, models):
    test = rows.tail(2000)
    old, new = (diagnosed(test, model) for model in models)
    again = diagnosed(test.sample(frac=1, random_state=0), models[1])
    assert delivered(old, again, "roc_auc").gain == delivered(old, new, "roc_auc").gain


def test_the_earlier_model_is_asked_about_new_rows(rows, models):
    old = diagnosed(rows[1000:2000], models[0])
    later = rows[2000:]
    new = diagnosed(later, models[1], before=models[0])
    found = delivered(old, new, "value per row", trained_on_old=True)
    assert found.how == "before"
    assert found.gain.n == 1000
    assert found.gain.value == pytest.approx(worth(later, models[1]) - worth(later, models[0]))


def test_the_overlap_by_id(rows, models):
    old, new = diagnosed(rows[1000:2500], models[0]), diagnosed(rows[1500:], models[1])
    found = delivered(old, new, "roc_auc")
    both = rows[1500:2500]
    assert (found.how, found.gain.n) == ("ids", 1000)
    assert found.gain.value == pytest.approx(auc(both, models[1]) - auc(both, models[0]))


def test_an_id_that_names_another_row_is_no_overlap(rows, models):
    """Frames whose index starts at 0 again are not the same rows."""
    one, two = rows[1000:2000].reset_index(drop=True), rows[2000:].reset_index(drop=True)
    old, new = (
        diagnosed(frame.drop(columns="row"), model, id=None) for frame, model in zip((one, two), models, strict=True)
    )
    with pytest.raises(NotComparable, match=r"on later rows.* before= "):
        pairing(old, new)


def test_a_common_window_of_other_rows(rows, models):
    even, odd = rows[1000::2], rows[1001::2]
    found = delivered(diagnosed(even, models[0]), diagnosed(odd, models[1]), "roc_auc")
    assert found.how == "window"
    truth = auc(rows[1000:], models[1]) - auc(rows[1000:], models[0])
    assert found.gain.low < truth < found.gain.high


def test_rows_that_were_trained_on_judge_nothing(rows, models):
    test = rows[1000:2000]
    old = diagnosed(test, models[0])
    new = diagnosed(test, models[1], train=rows.head(2000))
    with pytest.raises(NotComparable, match="trains on the earlier run's evaluation rows"):
        delivered(old, new, "roc_auc", trained_on_old=True)
    more = diagnosed(rows[1000:], models[1], train=rows.head(2000))
    wide = diagnosed(rows[1000:], models[0])
    assert delivered(wide, more, "roc_auc", trained_on_old=True).gain.n == 1000


def test_corrected_labels_judge_both(rows, models):
    """The newer run corrected 100 labels: both models are judged by these, in value too."""
    test = rows[1000:].copy()
    wrong = test.copy()
    at = test.index[test["y"] == "late"][:100]
    wrong.loc[at, "y"] = "on time"
    old, new = diagnosed(wrong, models[0]), diagnosed(test, models[1])
    found = delivered(old, new, "value per row")
    assert found.how == "ids"
    assert found.gain.value == pytest.approx(worth(test, models[1]) - worth(test, models[0]))
    assert delivered(old, new, "roc_auc").gain.value == pytest.approx(auc(test, models[1]) - auc(test, models[0]))


@pytest.mark.parametrize(
    ("change", "unit", "reason"),
    [
        ({"value": {"fp": -9, "fn": -1}}, "value per row", "declare different values"),
        ({"value": None}, "value per row", "declare different values, or one declares none"),
        ({}, "my_metric", "cannot be computed from what is stored"),
    ],
)
def test_what_cannot_be_measured_says_why(rows, models, change, unit, reason):
    old, new = diagnosed(rows[1000:], models[0]), diagnosed(rows[1000:], models[1], **change)
    with pytest.raises(NotComparable, match=reason):
        delivered(old, new, unit)


def test_without_rows_nothing_is_compared(rows, models):
    old, new = (diagnosed(rows[1000:], model) for model in models)
    with pytest.raises(NotComparable, match=r"keeps none of its rows \(rows=False\)"):
        delivered(replace(old, evaluated=pd.DataFrame()), new, "roc_auc")


def test_regression_and_many_classes(rows):
    frame = rows[1000:].assign(p=rows["a"], q=rows["a"] + 0.5 * rows["b"], z=rows["a"] + rows["b"])
    pair = [
        errata.diagnose(frame.drop(columns=other), label="z", prediction=said, budget=0)
        for said, other in (("p", "q"), ("q", "p"))
    ]
    better = delivered(*pair, "mean_absolute_error")
    assert better.gain.low > 0
    classes = frame.assign(y=frame["region"], s=frame["region"].shift(1).fillna("x"), t=frame["region"]).drop(
        columns="region"
    )
    pair = [
        errata.diagnose(classes.drop(columns=other), label="y", prediction=said, budget=0)
        for said, other in (("s", "t"), ("t", "s"))
    ]
    assert gain(pairing(*pair), "f1_macro").value > 0.5


def test_two_runs_side_by_side(rows, models):
    """The new model is worse in region x, by planted decisions; flips are counted."""
    frame = rows[1000:].assign(p=models[1].predict(rows.loc[1000:, ["a", "b"]]))
    inside = (frame["region"] == "x").to_numpy()
    other = np.where(frame["p"] == "late", "on time", "late")
    frame["q"] = np.where(inside & (np.arange(len(frame)) % 3 > 0), other, frame["p"])
    pair = [
        errata.diagnose(frame.drop(columns=left), label="y", prediction=said, time="at", id="row", budget=0)
        for said, left in (("p", "q"), ("q", "p"))
    ]
    found = compared(*pair)
    assert found.change.high < 0
    assert found.slices.worse
    assert all("region == 'x'" in item.conditions for item in found.slices.worse)
    assert not found.slices.better
    was, now = frame["p"] != frame["y"], frame["q"] != frame["y"]
    assert found.flips.negative.value == pytest.approx((~was & now).mean())
    assert found.flips.positive.value == pytest.approx((was & ~now).mean())
    assert str(found).startswith("Worse than the earlier run. A gain of -")
    back = compared(pair[1], pair[0])
    assert [item.conditions for item in back.slices.better] == [item.conditions for item in found.slices.worse]


# -- the track record -------------------------------------------------------------------------------------------------


def outcome(promised, done, *, kind="resample", half=0.01, **others):
    ends = {
        name: Estimate(x, x - half, x + half, n=100, unit="f1", level=0.9) for name, x in (("p", promised), ("d", done))
    }
    told = {"follows": "r", "title": kind, "how": "same", "reason": "", "suggested": True} | others
    return Outcome(kind=kind, promised=ends["p"], delivered=ends["d"], **told)


def test_too_few_pairs_correct_nothing():
    track = tracks([outcome(0.1, 0.05)] * (FEWEST - 1))["resample"]
    assert track.factor is None
    assert track.expected(outcome(0.1, 0).promised) is None


def test_steps_that_delivered_half_are_expected_to():
    known = tracks([*[outcome(p, p / 2) for p in np.linspace(0.05, 0.2, 20)], outcome(0.1, 0.1, kind="relabel")])
    assert list(known) == ["resample", "relabel"]
    track = known["resample"]
    assert (track.n_taken, len(track.pairs), track.n_inside) == (20, 20, 0)
    assert track.factor.value == pytest.approx(0.5, abs=0.03)
    found = track.expected(outcome(0.2, 0).promised)
    assert found.value == pytest.approx(0.1, abs=0.01)
    assert found.low < 0.095
    assert found.high > 0.105


def test_a_noisy_record_says_little():
    """With intervals as wide as the gains the factor stays near 1."""
    track = tracks([outcome(0.1, 0.05, half=0.5)] * 5)["resample"]
    assert 0.9 < track.factor.value < 1
    assert track.factor.high - track.factor.low > 1


def test_ratios_that_differ_by_themselves_widen_the_promise():
    even = tracks([outcome(0.1, 0.1, half=0.001)] * 10)["resample"].factor
    wild = tracks([outcome(0.1, x, half=0.001) for x in (0.02, 0.18) * 5])["resample"].factor
    assert wild.high - wild.low > 10 * (even.high - even.low)


def test_missed_by():
    assert outcome(0.1, 0.105).missed_by == 0
    assert outcome(0.1, 0.05).missed_by == pytest.approx(-0.04)
    assert outcome(0.1, 0.15).missed_by == pytest.approx(0.04)
    assert replace(outcome(0.1, 0.1), delivered=None).missed_by is None


def test_regret_of_the_suggested_branch():
    better = outcome(0.1, 0.12, kind="relabel", suggested=False)
    (found,) = branchings([outcome(0.1, 0.05), better, outcome(0.1, 0.3, follows="other")])
    assert found.branches[0] == better
    assert found.regret == pytest.approx(0.07)
    assert branchings([outcome(0.1, 0.05)]) == ()


def test_tags_come_back_as_they_were():
    done = outcome(0.1, 0.2)
    assert Outcome.parsed(as_tag(done)) == done
    made = Choice("accept", "relabel", "t" * 5000, "ann", "w" * 9000, "2024", done.promised, None, "", True, False)
    text = as_tag(made)
    assert len(text) < 8000
    assert Choice.parsed(text) == replace(made, title="t" * 1000, why="w" * 1000)
    for spoiled in ("", "[]", "{}", text[:200], text.replace('"accept"', '"perhaps"'), text.replace("0.1,", '"x",')):
        assert Choice.parsed(spoiled) is None
