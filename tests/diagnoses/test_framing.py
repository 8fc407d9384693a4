"""Framing: by hand, planted structure found, tables without it silent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import framing
from mlflow_errata.diagnoses._functions import cut_into
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import default_metric

LETTERS = np.array(list("abcdefghijkl"))
FAMILY = dict(zip(LETTERS, np.repeat(["x", "y", "z"], 4), strict=True))


def diagnose(rows, **roles):
    table = EvaluationTable.build(rows, **{"label": "y", "prediction": "p", **roles})
    return framing.diagnose(table, Options(default_metric(table.outcomes)))


def confused(n=1500, seed=0, *, kin=0.0, wrong=0.3):
    """Twelve letters in three families; a wrong row stays in its family with a chance of `kin`, else goes anywhere."""
    draw = np.random.default_rng(seed)
    shares, said = draw.dirichlet(np.full(12, 5.0)), draw.dirichlet(np.full(12, 5.0))
    y = draw.choice(12, n, p=shares)
    p = y.copy()
    for at in np.flatnonzero(draw.random(n) < wrong):
        allowed = np.arange(12) != y[at]
        if draw.random() < kin:
            allowed &= np.arange(12) // 4 == y[at] // 4
        chance = said * allowed
        p[at] = draw.choice(12, p=chance / chance.sum())
    return pd.DataFrame({"y": LETTERS[y], "p": LETTERS[p], "a": draw.normal(size=n)})


def test_families_by_a_column_and_by_the_confusions():
    rows = confused(kin=0.6)
    result = diagnose(rows.assign(family=rows["y"].map(FAMILY)), features=["a"])
    assert result.alarms == ("groups",)
    told, sought = result.hierarchies
    assert (told.column, sought.column) == ("family", None)
    assert told.groups == sought.groups == (tuple("abcd"), tuple("efgh"), tuple("ijkl"))
    assert told.within.low > told.chance
    right = (rows["y"].map(FAMILY) == rows["p"].map(FAMILY)).mean()
    assert told.right.value == pytest.approx(right)
    wrong = rows[rows["y"] != rows["p"]]
    assert told.within.value == pytest.approx((wrong["y"].map(FAMILY) == wrong["p"].map(FAMILY)).mean())
    assert result.headline == told.within


def test_popular_classes_alone_make_no_groups():
    found = 0
    for seed in range(60):
        rows = confused(800, seed)
        found += diagnose(rows.assign(family=rows["y"].map(FAMILY)), features=["a"]).found
    assert found <= 2


def test_planted_groups_are_found():
    assert sum(diagnose(confused(600, seed, kin=0.6)).found for seed in range(30)) >= 29


def test_a_column_that_the_model_sees_or_that_is_no_function_tells_no_groups():
    rows = confused(kin=0.6)
    family = rows["y"].map(FAMILY)
    draw = np.random.default_rng(0)
    noisy = family.where(draw.random(len(rows)) > 0.01, "x")
    found = diagnose(rows.assign(family=family, noisy=noisy), features=["a", "family"])
    assert [item.column for item in found.hierarchies] == [None]


# -- classes that came ------------------------------------------------------------------------------------------------


def labelled(n, seed, shares, start=0):
    draw = np.random.default_rng(seed)
    y = draw.choice(LETTERS[: len(shares)], n, p=shares)
    rows = pd.DataFrame({"y": y, "p": y, "a": draw.normal(size=n), "at": start + np.arange(n)})
    return rows.assign(p=rows["y"].where(draw.random(n) > 0.1, "a"))


def test_classes_that_came_are_named_with_their_first_moment():
    train = labelled(1000, 0, [0.5, 0.3, 0.2])
    rows = labelled(500, 1, [0.4, 0.3, 0.2, 0.1], start=1000).assign(p=lambda given: given["y"].replace("d", "c"))
    result = diagnose(rows, train=train, time="at")
    assert result.alarms == ("arrivals",)
    (came,) = result.arrivals.classes
    assert (came.label, came.taken_for, came.beyond_chance) == ("d", "c", True)
    assert came.support == (rows["y"] == "d").sum()
    assert came.first == rows.loc[rows["y"] == "d", "at"].min()
    assert not result.arrivals.growing


def test_rare_classes_that_chance_leaves_out_are_no_alarm():
    shares = np.r_[0.4, 0.3, 0.2, 0.09, np.full(8, 0.01 / 8)]
    alarms = 0
    for seed in range(100):
        result = diagnose(labelled(1500, 2 * seed, shares), train=labelled(1500, 2 * seed + 1, shares), time="at")
        alarms += "arrivals" in result.alarms
    assert alarms <= 5


def test_classes_that_keep_coming_grow():
    train = labelled(2000, 0, [0.6, 0.4])
    rows = labelled(2000, 1, [0.6, 0.4], start=2000)
    names = [f"new {at}" for at in range(10)]
    for at, name in enumerate(names):
        rows.loc[200 * at + 100 : 200 * at + 102, "y"] = name
    result = diagnose(rows, train=train, time="at")
    assert result.arrivals.growing
    assert len(result.arrivals.classes) == 10
    assert not diagnose(rows, train=train).arrivals.growing  # without times nobody knows that they keep coming


# -- rare classes -----------------------------------------------------------------------------------------------------


def test_rare_classes_that_are_not_learned_by_hand():
    train = pd.DataFrame({"y": ["a"] * 100 + ["b"] * 80 + ["c"] * 5 + ["d"] * 3, "a": 0.0})
    rows = pd.DataFrame({"y": list("a" * 40 + "b" * 30 + "c" * 10 + "d" * 6), "a": np.arange(86.0)})
    rows["p"] = rows["y"].replace({"c": "a", "d": "a"})
    rows.loc[70, "p"] = "c"
    result = diagnose(rows, train=train)
    assert result.alarms == ("rare",)
    assert [(item.label, item.trained, item.support, item.right) for item in result.rare.classes] == [
        ("d", 3, 6, 0),
        ("c", 5, 10, 1),
    ]
    assert result.rare.recall.value == 1 / 16
    assert result.rare.others.value == 1.0
    assert result.rare.missing == 27 + 25


def test_rare_classes_that_are_learned_are_no_alarm():
    train = pd.DataFrame({"y": ["a"] * 200 + ["b"] * 150 + ["c"] * 20, "a": 0.0})
    alarms = 0
    for seed in range(100):
        draw = np.random.default_rng(seed)
        y = draw.choice(list("abc"), 400, p=[0.5, 0.4, 0.1])
        rows = pd.DataFrame({"y": y, "a": draw.normal(size=400)})
        rows["p"] = rows["y"].where(draw.random(400) < 0.8, "a")
        rows.loc[rows["y"] == "a", "p"] = np.where(draw.random((rows["y"] == "a").sum()) < 0.8, "a", "b")
        alarms += "rare" in diagnose(rows, train=train).alarms
    assert alarms <= 4


# -- order ------------------------------------------------------------------------------------------------------------


def graded(n=600, seed=0, *, near=True):
    """Five grades: wrong by one place mostly, or anywhere."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 5, n)
    moved = np.clip(y + draw.choice([-1, 1], n), 0, 4) if near else draw.integers(0, 5, n)
    return pd.DataFrame({"y": y, "p": np.where(draw.random(n) < 0.4, moved, y), "a": draw.normal(size=n)})


@pytest.mark.parametrize("told_by", ["numbers", "categories", "amount"])
def test_neighbours_taken_for_each_other(told_by):
    rows = graded()
    if told_by == "amount":
        rows["amount"] = rows["y"] + np.random.default_rng(1).random(len(rows)) * 0.9
    if told_by != "numbers":
        grades = ["low", "fair", "good", "high", "top"]
        rows = rows.assign(**{name: rows[name].map(dict(enumerate(grades))) for name in ("y", "p")})
        if told_by == "categories":
            rows["y"] = pd.Categorical(rows["y"], grades, ordered=True)
    result = diagnose(rows, features=["a"], task="multiclass")
    assert "order" in result.alarms
    assert result.order.told_by == told_by
    assert result.order.apart.value == 1.0
    assert result.order.apart.high < result.order.chance


def test_numbers_without_an_order_are_no_alarm():
    assert sum("order" in diagnose(graded(400, seed, near=False)).alarms for seed in range(60)) <= 2
    digits = load_digits(as_frame=True)
    model = LogisticRegression(C=1e-4, max_iter=300).fit(digits.data[:900], digits.target[:900])
    rows = pd.DataFrame({"y": digits.target[900:], "p": model.predict(digits.data[900:])})
    assert "order" not in diagnose(rows, task="multiclass").alarms


# -- numbers ----------------------------------------------------------------------------------------------------------


def delays(n=800, seed=0):
    draw = np.random.default_rng(seed)
    number = draw.exponential(20, n).round()
    return pd.DataFrame({"delay": number, "y": (number > 15).astype(int), "a": draw.normal(size=n)})


def test_the_number_behind_the_label():
    rows = delays().assign(p=lambda given: given["y"])
    rows.loc[:99, "delay"] = np.nan
    result = diagnose(rows, features=["a"])
    assert (result.behind.column, result.behind.cuts, result.behind.classes) == ("delay", (15.0,), (0, 1))
    assert result.behind.known == pytest.approx(0.875)
    assert not result.found


def test_a_number_that_the_label_does_not_follow_is_not_behind_it():
    rows = delays().assign(p=lambda given: given["y"])
    rows.loc[0, "y"] = 1 - rows.loc[0, "y"]
    with pytest.raises(NotApplicable, match="three classes"):
        diagnose(rows, features=["a"])


def test_cuts_by_hand_and_by_chance():
    number = np.array([1.0, 2, 3, 10, 11, 12, 30, 31, 32] * 3)
    codes = np.array([2, 2, 2, 0, 0, 0, 1, 1, 1] * 3)
    found = cut_into(number + np.linspace(0, 0.5, 27), codes, 1)
    assert found.order == (2, 0, 1)
    assert 3 < found.cuts[0] < 10
    assert 12 < found.cuts[1] < 30
    assert cut_into(np.arange(8.0), np.array([0, 0, 0, 0, 1, 1, 1, 1]), 1) is None  # one in 35: a coincidence
    assert cut_into(number, number, 1) is None  # a code of the class


def test_the_question_that_a_regression_answers_too():
    rows = delays().assign(p=lambda given: given["delay"] + np.random.default_rng(1).normal(0, 20, len(given)))
    rows["late"] = np.where(rows["delay"] > 15, "yes", "no")
    rows["grade"] = np.digitize(rows["delay"], [5, 15, 40], right=True)
    result = diagnose(rows.drop(columns="y"), label="delay", features=["a"], task="regression")
    late, grade = result.questions
    assert (late.column, late.cuts, late.classes) == ("late", (15.0,), ("no", "yes"))
    assert (grade.cuts, grade.asked) == ((5.0, 15.0, 40.0), 15.0)
    from sklearn.metrics import roc_auc_score

    assert late.told.value == grade.told.value == pytest.approx(roc_auc_score(rows["delay"] > 15, rows["p"]))
    with pytest.raises(NotApplicable, match="cuts the label"):
        diagnose(rows[["delay", "a", "p"]], label="delay", task="regression")
