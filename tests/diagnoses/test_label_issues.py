"""Label issues on tables that a reader can count, on planted errors, and on clean, hard and drifted rows."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score
from sklearn.tree import DecisionTreeClassifier

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import label_issues
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import default_metric


def diagnose(rows, *, budget=60.0, **roles):
    table = EvaluationTable.build(rows, **{"label": "y", **roles})
    return label_issues.diagnose(table, Options(default_metric(table.outcomes), 0, budget))


def scored(n=60, k=3):
    """Rows whose scores are sure of the class i % k, labelled so."""
    of = np.arange(n) % k
    scores = np.full((n, k), 0.1 / (k - 1))
    scores[np.arange(n), of] = 0.9
    return pd.DataFrame(scores, columns=list("abc")[:k]).assign(y=np.array(list("abc"))[of])


def test_by_hand():
    """Row 4 is given 'a' where the scores say 'b': it comes first, is flagged, and is all of the noise."""
    rows = scored()
    rows.loc[4, "y"] = "a"
    result = diagnose(rows, scores=["a", "b", "c"])
    first = result.ranking.iloc[0]
    assert (first["id"], first["given"], first["suggested"]) == (4, "a", "b")
    assert list(result.ranking.columns) == ["id", "given", "suggested", "score"]
    assert len(result.ranking) == 60
    assert sorted(result.ranking["id"]) == list(range(60))
    assert result.ranking["score"].is_monotonic_decreasing
    assert result.n_flagged == result.n_errors == result.n_flagged_errors == 1
    assert result.noise_rate.value == pytest.approx(1 / 60)
    assert result.noise_rate.low == 0
    assert [(pair.given, pair.suggested, pair.support) for pair in result.pairs] == [("a", "b", 1)]
    assert next((item.label, item.support) for item in result.classes) == ("a", 21)
    assert not result.found


def test_a_class_that_the_scores_do_not_know_is_not_blamed():
    rows = scored(k=2).assign(c=0.0)
    rows.loc[:9, "y"] = "c"
    result = diagnose(rows, scores=["a", "b", "c"])
    assert set(result.ranking["given"].tail(10)) == {"c"}
    assert result.n_flagged == 0


# -- planted errors ---------------------------------------------------------------------------------------------------


def planted(seed, kind, n=8000):
    """Half the rows teach a model, which scores the others; 40 % of one class flipped in one slice, or no error."""
    draw = np.random.default_rng(seed)
    x = pd.DataFrame(draw.normal(size=(n, 6)), columns=[f"x{i}" for i in range(6)])
    x["source"] = pd.Categorical(draw.choice(["north", "south", "east", "west"], n, p=[0.4, 0.3, 0.18, 0.12]))
    signal = 3 * x["x0"] + 2 * x["x1"] + 2 * x["x2"] * x["x3"] + 0.3 * x["source"].cat.codes
    if kind == "drift":
        signal = signal.where(np.arange(n) < n / 2, 3 * x["x0"] - 2 * x["x1"] - 2 * x["x4"])
    truth = (draw.random(n) < 1 / (1 + np.exp(-signal * (0.3 if kind == "overlap" else 1)))).to_numpy().astype(int)
    inside = (x["source"] == "west").to_numpy()
    if kind == "hard":
        truth[inside] = draw.random(inside.sum()) < 0.5
    y = truth.copy()
    if kind == "slice":
        y[inside & (truth == 1) & (draw.random(n) < 0.4)] = 0
    if kind == "uniform":
        y = np.where(draw.random(n) < 0.2, 1 - y, y)
    x["y"], half = y, n // 2
    seen = x.drop(columns="y").assign(source=x["source"].cat.codes)
    model = DecisionTreeClassifier(max_depth=2) if kind == "underfit" else HistGradientBoostingClassifier(max_iter=60)
    model.fit(seen[:half], y[:half])
    rows = x[half:].assign(score=model.predict_proba(seen[half:])[:, 1])
    return rows, pd.Series(y != truth)


def precision(result, wrong):
    by_rank = wrong[result.ranking["id"]].to_numpy()
    return average_precision_score(by_rank, result.ranking["score"]), by_rank[: by_rank.sum()].mean()


@pytest.mark.parametrize("seed", range(3))
def test_errors_in_a_slice_are_seen_from_outside(seed):
    rows, wrong = planted(seed, "slice")
    result = diagnose(rows, scores="score")
    assert result.found
    assert result.slices[0].conditions == ("source == 'west'",)
    assert (result.slices[0].given, result.slices[0].suggested) == (0, 1)
    average, at_budget = precision(result, wrong)
    assert average > 0.65
    assert at_budget > 0.55
    share = wrong[rows.index].mean()
    assert result.noise_rate.low < share < result.noise_rate.high
    inside = wrong[rows.index][rows["source"] == "west"].mean()
    assert result.slices[0].noise_rate.low < inside < result.slices[0].noise_rate.high + 0.05
    assert precision(diagnose(rows, scores="score", budget=0), wrong)[0] < average / 2


def test_even_noise_ranks_by_self_confidence():
    rows, wrong = planted(0, "uniform")
    result = diagnose(rows, scores="score")
    given = np.where(rows["y"] == 1, rows["score"], 1 - rows["score"])
    assert precision(result, wrong)[0] == pytest.approx(
        average_precision_score(wrong[rows.index], 1 - given), abs=0.005
    )
    assert result.noise_rate.high > wrong[rows.index].mean()


@pytest.mark.parametrize("kind", ["clean", "overlap", "hard", "drift", "underfit"])
def test_right_labels_are_not_found_wrong(kind):
    for seed in range(3):
        result = diagnose(planted(seed, kind)[0], scores="score")
        assert not result.found
        assert result.noise_rate.low == 0


# -- labels that were never observed ----------------------------------------------------------------------------------


def flights(n=4000, *, bug=True):
    """`delay > 15` of delays that are missing in 5 % of the rows, which the model does not see."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=n)
    delay = pd.Series(20 * x + draw.normal(0, 20, n)).where(draw.random(n) > 0.05)
    late = ((delay > 15) | (delay.isna() & (not bug))).astype(int)
    score = 1 / (1 + np.exp(-(x - 0.75) * 1.7))
    return pd.DataFrame({"x": x, "delay": delay, "y": late, "score": score})


def test_labels_computed_from_missing_values_come_first():
    rows = flights()
    result = diagnose(rows, scores="score", features=["x"], budget=0)
    n = int(rows["delay"].isna().sum())
    assert result.found
    assert result.slices[0].conditions == ("delay is missing",)
    assert result.slices[0].kind == "unobserved"
    assert set(result.ranking["id"].head(n)) == set(np.flatnonzero(rows["delay"].isna()))
    assert (result.ranking["score"].head(n) == 1).all()
    np.testing.assert_array_equal(result.slices[0].mask(rows), rows["delay"].isna())


@pytest.mark.parametrize("names", [("on time", "late"), ("a: on time", "b: late"), (False, True)])
def test_labels_computed_from_missing_values_are_found_whatever_the_classes_are_called(names):
    rows = flights()
    rows["y"] = rows["y"].map(dict(enumerate(names)))
    scores = rows.assign(not_late=1 - rows["score"])
    columns = {names[0]: "not_late", names[1]: "score"}
    ordered = [columns[name] for name in sorted(names)]
    result = diagnose(scores, scores=ordered, features=["x"], budget=0)
    first = result.slices[0]
    assert (first.conditions, first.kind, first.given) == (("delay is missing",), "unobserved", names[0])
    n = int(rows["delay"].isna().sum())
    assert set(result.ranking["id"].head(n)) == set(np.flatnonzero(rows["delay"].isna()))
    assert set(result.ranking["suggested"].head(n)) == {names[1]}


def test_a_missing_value_that_counts_as_the_event_is_no_error():
    assert not diagnose(flights(bug=False), scores="score", features=["x"]).found


def test_a_column_that_restates_the_label_on_both_sides_is_not_its_source():
    rows = flights()
    rows["delay"] = rows["delay"].where(rows["y"] == 1)
    assert not diagnose(rows, scores="score", features=["x"]).found


# -- the rest ---------------------------------------------------------------------------------------------------------


def test_numbers_are_ranked_by_residual():
    draw = np.random.default_rng(0)
    y = draw.normal(size=500)
    rows = pd.DataFrame({"y": y, "p": y + draw.normal(0, 0.1, 500)})
    rows.loc[[7, 90], "y"] += 3
    result = diagnose(rows, prediction="p")
    assert set(result.ranking["id"].head(2)) == {7, 90}
    assert result.n_flagged == 2
    assert result.ranking["suggested"].iloc[0] == rows.loc[result.ranking["id"].iloc[0], "p"]
    assert not result.found


def test_twins_with_different_labels():
    rows = scored().assign(x=np.arange(60.0), z="same")
    rows.loc[3, "x"] = 1.0  # 1 is a 'b', 3 an 'a'
    result = diagnose(rows, scores=["a", "b", "c"])
    assert result.n_conflicts == 2
    assert set(zip(result.conflicts[0].ids, result.conflicts[0].labels, strict=True)) == {(1, "b"), (3, "a")}
    rows.loc[3, "z"] = "other"
    assert diagnose(rows, scores=["a", "b", "c"]).n_conflicts == 0


def test_flags_that_pile_up_in_recent_rows_and_rare_classes_are_told():
    draw = np.random.default_rng(1)
    rows, _ = planted(0, "clean")
    n = len(rows)
    rows["at"] = pd.date_range("2024-01-01", periods=n, freq="h")
    new = np.arange(n) > 0.75 * n
    rows["y"] = np.where(new & (draw.random(n) < 0.4), 1 - rows["y"], rows["y"])
    assert "recent" in {item.kind for item in diagnose(rows, scores="score", time="at").strata}
    assert "recent" not in {item.kind for item in diagnose(rows[~new], scores="score", time="at").strata}


def test_a_record_stores_the_first_rows_and_a_draw_of_the_flagged():
    rows, _ = planted(0, "uniform")
    result = diagnose(rows, scores="score")
    adapter = TypeAdapter(label_issues.RESULT)
    again = adapter.validate_python(json.loads(json.dumps(adapter.dump_python(result, mode="json"), allow_nan=False)))
    assert again == result
    assert len(result.ranking) == 4000
    pd.testing.assert_frame_equal(again.ranking.head(500), result.ranking.head(500), check_dtype=False)
    assert sum(result.worklist.drawn) == 200
    ranks = [rank for rank, drawn in zip(result.worklist.rank, result.worklist.drawn, strict=True) if drawn]
    assert max(ranks) > 0.8 * result.n_flagged


@pytest.mark.parametrize(
    ("rows", "roles", "reason"),
    [
        (scored(), {"prediction": "y2"}, "needs scores"),
        (scored(30), {"scores": ["a", "b", "c"]}, "needs 50 rows or more; there are 30"),
        (scored().assign(y="a"), {"scores": {name: name for name in "abc"}}, "every label is 'a'"),
        (scored().assign(a=7.0), {"scores": ["a", "b", "c"], "prediction": "y2"}, "the scores lie in"),
    ],
)
def test_not_applicable(rows, roles, reason):
    with pytest.raises(NotApplicable, match=reason):
        diagnose(rows.assign(y2=rows["y"].to_numpy()[::-1]) if "prediction" in roles else rows, **roles)
