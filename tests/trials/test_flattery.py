"""A random split flatters where the rows that come differ from those before, and only there."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.tree import DecisionTreeClassifier

import mlflow_errata as errata
from mlflow_errata.errors import NotTried
from mlflow_errata.metric import resolve_metric
from mlflow_errata.sections import _splits, sections
from mlflow_errata.table import EvaluationTable
from mlflow_errata.trials import flattery
from mlflow_errata.trials.flattery import flattery_of

FEATURES = ["a", "b"]


def rows(n, seed, *, turns=False):
    """The label follows `a`; with `turns` its direction turns by half a circle over time."""
    draw = np.random.default_rng(seed)
    a, b, at = draw.normal(size=n), draw.normal(size=n), np.sort(draw.random(n))
    angle = np.pi * at if turns else np.zeros(n)
    y = draw.random(n) < 1 / (1 + np.exp(-3 * (np.cos(angle) * a + np.sin(angle) * b)))
    return pd.DataFrame({"a": a, "b": b, "at": at, "y": y.astype(int)})


def bench_of(table, model):
    return SimpleNamespace(table=table, train=table.train, estimator=model)


def measured(train, model, metric="accuracy", **options):
    fitted = model.fit(train[FEATURES], train["y"])
    table = EvaluationTable.build(rows(300, 9), label="y", model=fitted, train=train, time="at", **options)
    return flattery_of(bench_of(table, model), resolve_metric(metric, table.outcomes), random_state=3)


def test_both_figures_are_those_of_a_fit_by_hand():
    train = rows(1000, 0, turns=True)
    found = measured(train, LogisticRegression())
    first = 800
    assert found.n_fitted == first
    shuffled = np.random.default_rng(3).permutation(1000)
    for told, chosen in ((found.ahead, np.arange(1000)), (found.at_random, shuffled)):
        old, new = train.iloc[chosen[:first]], train.iloc[chosen[first:]]
        model = LogisticRegression().fit(old[FEATURES], old["y"])
        assert told.value == pytest.approx(accuracy_score(new["y"], model.predict(new[FEATURES])))
        assert told.n == 200
    assert found.gap.value == pytest.approx(found.at_random.value - found.ahead.value)


def test_a_turning_concept_flatters_and_a_standing_one_does_not():
    turning = [measured(rows(2000, seed, turns=True), LogisticRegression()).gap for seed in range(10)]
    standing = [measured(rows(2000, seed), LogisticRegression()).gap for seed in range(40)]
    assert all(gap.low > 0 for gap in turning)
    assert sum(gap.low > 0 for gap in standing) <= 4


def test_numbers_and_many_classes():
    train = rows(1000, 1).assign(y=lambda f: f["a"] + f["at"])
    fitted = LinearRegression().fit(train[FEATURES], train["y"])
    table = EvaluationTable.build(train, label="y", model=fitted, train=train, time="at", task="regression")
    found = flattery_of(bench_of(table, fitted), resolve_metric("mean_absolute_error", table.outcomes))
    assert found.gap.high < 0  # smaller is better
    several = rows(1000, 1).assign(y=lambda f: pd.cut(f["a"], 3, labels=["x", "y", "z"]).astype(str))
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(several[FEATURES], several["y"])
    kept = several[several["y"] != "z"]  # a class that no evaluation row has is left out
    table = EvaluationTable.build(kept, label="y", model=tree, train=several, time="at", task="multiclass")
    found = flattery_of(bench_of(table, tree), resolve_metric("f1_macro", table.outcomes))
    assert found.at_random.value > 0.9
    assert found.gap.low <= 0 <= found.gap.high


def test_without_times_or_with_few_rows_there_is_nothing_to_compare():
    train = rows(300, 0)
    assert measured(train.drop(columns="at"), LogisticRegression()) is None
    with pytest.raises(NotTried, match="needs 100 training rows"):
        measured(train, LogisticRegression())


def test_the_data_faults_tell_it_and_without_a_budget_they_tell_why_not(monkeypatch):
    train, evaluation = rows(1500, 0, turns=True), rows(800, 1)
    model = LogisticRegression().fit(train[FEATURES], train["y"])
    given = {"label": "y", "model": model, "train": train, "time": "at", "metric": "accuracy"}
    record = errata.diagnose(evaluation, **given, budget=30)
    assert record.trials.flattery.gap.low > 0
    told = _splits.flattered(record)[0]
    assert told.startswith(
        "A random split would flatter: judge by a split in time. Fitted again on 1,200 training rows"
    )
    assert told in [getattr(block, "sentence", "") for section in sections(record) for block in section.blocks]
    monkeypatch.setattr(flattery, "_judged", None)  # nothing is fitted
    assert _splits.flattered(errata.diagnose(evaluation, **given, budget=0)) == [
        "How much a random split would flatter was not measured: it takes two refits, and nothing was refitted."
    ]


def visits(n, seed, *, own=4.0, groups=150):
    """Patients come several times; the label follows who they are, which `a` gives away to whoever knows them."""
    draw = np.random.default_rng(seed)
    who = draw.integers(0, groups, n)
    of_patient, code = own * draw.normal(size=groups), draw.normal(size=groups)
    x = draw.normal(size=n)
    y = draw.random(n) < 1 / (1 + np.exp(-of_patient[who] - x))
    return pd.DataFrame({"a": code[who], "b": x, "who": who, "y": y.astype(int)})


def by_group(train, model=None, **options):
    model = model or DecisionTreeClassifier(min_samples_leaf=8, random_state=0)
    fitted = model.fit(train[FEATURES], train["y"])
    given = {"label": "y", "model": fitted, "train": train, "group": "who", **options}
    table = EvaluationTable.build(visits(300, 9), **given)
    found = flattery_of(bench_of(table, model), resolve_metric("accuracy", table.outcomes), by="group", random_state=3)
    return found, table


def test_a_split_by_groups_holds_them_out_whole_and_is_that_of_a_fit_by_hand():
    train = visits(2000, 0)
    found, table = by_group(train)
    older, newer = flattery._by_group(table.train.group, np.arange(2000), np.random.default_rng(3))
    apart = set(train["who"].iloc[newer])
    assert not apart & set(train["who"].iloc[older])
    assert 0.2 * 2000 <= len(newer) < 0.2 * 2000 + train["who"].value_counts().max()
    model = DecisionTreeClassifier(min_samples_leaf=8, random_state=0)
    model.fit(train[FEATURES].iloc[np.sort(older)], train["y"].iloc[np.sort(older)])
    held_out = train.iloc[newer]
    assert found.ahead.value == pytest.approx(
        accuracy_score(held_out["y"], model.predict(held_out[FEATURES])), abs=0.02
    )
    assert (found.n_fitted, found.ahead.n, found.at_random.n) == (len(older), len(newer), len(newer))


def test_patients_learned_by_heart_flatter_and_a_model_that_does_not_know_them_is_not_flattered():
    learned = [by_group(visits(3000, seed))[0].gap for seed in range(10)]
    blind = [by_group(visits(2000, seed, own=0.0), LogisticRegression())[0].gap for seed in range(40)]
    assert sum(gap.low > 0 for gap in learned) >= 9
    assert sum(gap.low > 0 for gap in blind) <= 4


def test_without_groups_or_with_few_there_is_nothing_to_compare():
    assert by_group(visits(2000, 0).drop(columns="who"))[0] is None
    with pytest.raises(NotTried, match="needs 20 groups and 100 training rows or more on either side"):
        by_group(visits(2000, 0, groups=30))


def test_the_record_holds_both_splits_and_says_them():
    train = visits(3000, 0).assign(at=np.arange(3000))
    evaluation = visits(800, 0).assign(at=np.arange(3000, 3800))
    tree = DecisionTreeClassifier(min_samples_leaf=8, random_state=0).fit(train[FEATURES], train["y"])
    given = {"label": "y", "model": tree, "train": train, "time": "at", "group": "who", "metric": "accuracy"}
    record = errata.diagnose(evaluation, **given, budget=30)
    assert record.trials.group_flattery.gap.low > 0
    in_time, grouped = _splits.flattered(record)
    assert "on the newest: a difference of" in in_time
    assert grouped.startswith("A random split would flatter: judge by a split by groups. Fitted again on ")
    assert "on rows of groups held out whole: a difference of" in grouped
    assert _splits.flattered(errata.diagnose(evaluation, **given, budget=0))[1] == (
        "How much a random split would flatter beside one by groups was not measured: it takes two refits, and nothing "
        "was refitted."
    )
