"""Slice errors on tables that a reader can count, and on planted and null data."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import _sliced, slice_errors
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import default_metric


def diagnose(rows, **roles):
    table = EvaluationTable.build(rows, **{"label": "y", "prediction": "p", **roles})
    return slice_errors.diagnose(table, Options(default_metric(table.outcomes)))


def rows(n=6000, seed=0, inside=None, rate=0.4, base=0.1):
    """Columns of every kind, and errors that are commoner where `inside` says."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "word": pd.Series(draw.choice(list("abcde"), n)).astype("category"),
            "text": pd.Series(draw.choice(["north", "south"], n), dtype="str"),
            "number": draw.normal(size=n).astype("float32"),
            "whole": pd.Series(draw.integers(0, 24, n)).astype("Int64"),
            "flag": draw.random(n) < 0.2,
            "gap": pd.Series(draw.normal(size=n)).mask(draw.random(n) < 0.08),
            "day": pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(draw.integers(0, 300, n), unit="D"),
        }
    )
    where = np.zeros(n, dtype=bool) if inside is None else inside(frame).to_numpy(dtype=bool)
    y = draw.integers(0, 2, n)
    wrong = draw.random(n) < np.where(where, rate, base)
    return frame.assign(y=y, p=np.where(wrong, 1 - y, y))


PLANTED = {
    "level": (lambda f: f["word"] == "c", ("word == 'c'",)),
    "text": (lambda f: (f["text"] == "north") & f["flag"], None),
    "flag": (lambda f: f["flag"], ("flag == True",)),
    "missing": (lambda f: f["gap"].isna(), ("gap is missing",)),
    "whole": (lambda f: f["whole"] >= 21, ("whole >= 21",)),
    "range": (lambda f: f["number"].between(0.2, 0.6), None),
    "date": (lambda f: f["day"] >= pd.Timestamp("2024-09-15", tz="UTC"), None),
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_slice_is_the_first_and_only_one(case):
    inside, conditions = PLANTED[case]
    frame = rows(inside=inside)
    result = diagnose(frame)
    assert len(result.slices) == 1
    found, wanted = result.slices[0].mask(frame), inside(frame).to_numpy(dtype=bool)
    assert (found & wanted).sum() / (found | wanted).sum() > 0.8
    assert conditions is None or result.slices[0].conditions == conditions
    assert result.slices[0].excess.low > 0


@pytest.mark.parametrize("case", PLANTED)
def test_mask_holds_exactly_the_rows_that_were_counted(case):
    frame = rows(inside=PLANTED[case][0], rate=0.6)
    for item in diagnose(frame).slices:
        assert item.mask(frame).sum() == item.support


def draws(seed=0, n=400):
    """The same 400 positions in 0 .. 5, some of them missing, in every container that holds such things."""
    draw = np.random.default_rng(seed)
    at, gap = draw.integers(0, 6, n), draw.random(n) < 0.15
    normal, steps = draw.normal(size=n), draw.integers(0, 10**10, n)
    gappy = np.where(gap, -1, at)

    def objects(*values):
        return pd.Series([values[i] for i in at], dtype=object)

    def category(values):
        return pd.Series(pd.Categorical.from_codes(gappy, categories=values))

    nanoseconds = pd.Timestamp("2024-01-01") + pd.to_timedelta(steps, unit="ns")
    days = pd.date_range("2024-01-01", periods=6)
    return {
        "category of whole numbers": category([10, 20, 30, 40, 50, 60]),
        "category of numbers": category([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        "category of text": category(list("abcdef")),
        "category of dates": category(days),
        "category of intervals": pd.cut(pd.Series(normal), 4),
        "numbers and text": objects(1.0, "1.0", "b", None, 2, 1),
        "booleans and text": objects(True, 1, "True", None, False, "x"),
        "booleans": objects(True, False, None, True, False, True),
        "text of missing": objects("nan", "None", None, np.nan, "<NA>", "a"),
        "bytes": objects(b"a", b"b", b"a", None, b"c", b"c"),
        "nanoseconds": pd.Series(nanoseconds).mask(gap),
        "microseconds of 1815": pd.Series(np.datetime64("1815-06-18T11:35", "us") + steps.astype("timedelta64[us]")),
        "summer time ends": pd.Series(
            pd.Timestamp("2024-10-27", tz="Europe/Paris") + pd.to_timedelta(steps, unit="us")
        ),
        "Arrow times": pd.Series(nanoseconds).mask(gap).astype("timestamp[ns][pyarrow]"),
        "Arrow booleans": pd.Series(at > 2).astype("boolean").mask(gap).astype("bool[pyarrow]"),
        "Arrow text": pd.Series(list("abcdef")).take(at).reset_index(drop=True).mask(gap).astype("string[pyarrow]"),
        "Int64": pd.Series(at).astype("Int64").mask(gap),
        "far beyond 2**53": pd.Series(2**62 + at * 1000),
        "unsigned": pd.Series(2**64 - 1 - 4096 * at.astype("uint64")),
        "float16": pd.Series(normal.astype("float16")),
        "float32": pd.Series(normal.astype("float32")),
        "of every size": pd.Series(normal * 10.0 ** draw.integers(-300, 300, n)),
        "denormal": pd.Series(normal * 5e-320),
        "tenths": pd.Series(np.round(normal, 1)).mask(gap),
        "sparse": pd.Series(pd.arrays.SparseArray(np.where(gap, 1.0, 0.0))),
        "periods": pd.Series(pd.period_range("2024-01", periods=6, freq="M").take(at)),
        "tuples": objects((1, 0), (1, 1), (1, 2), None, (1, 0), (1, 1)),
    }


def columns_of(values):
    """What the search makes of a column."""
    return list(_sliced._columns(SimpleNamespace(frame=pd.DataFrame({"x": values}), read={}), "x", 30))


@pytest.mark.parametrize("kind", draws())
def test_every_predicate_of_a_column_holds_exactly_the_rows_that_were_counted(kind):
    frame = pd.DataFrame({"x": draws()[kind]})
    columns = columns_of(frame["x"])
    assert len(columns[0].encoded.fine.atoms) >= 2
    for column in columns:
        for cut in (column.encoded.fine, column.encoded.coarse, column.encoded.rough):
            for at, atom in enumerate(cut.atoms):
                predicate = column.predicate(atom)
                np.testing.assert_array_equal(predicate.mask(frame), cut.mask(at), err_msg=str(predicate))


@pytest.mark.parametrize("unreadable", [np.arange(400) * 1j, [[1]] * 400, pd.to_timedelta(np.arange(400), unit="D")])
def test_values_that_cannot_be_compared_are_not_sliced_on(unreadable):
    assert columns_of(pd.Series(unreadable)) == ["holds values that cannot be compared"]


def test_infinite_values_are_named():
    assert columns_of(pd.Series([0.0, np.inf] * 200)) == ["holds infinite values"]


def test_the_order_of_columns_changes_nothing():
    frame = rows(inside=PLANTED["whole"][0])
    assert diagnose(frame[list(frame)[::-1]]) == diagnose(frame)


def test_two_problems_are_two_slices_and_the_worse_comes_first():
    frame = rows(inside=lambda f: f["word"] == "c", rate=0.5)
    also = (frame["whole"] >= 21) & (np.random.default_rng(1).random(len(frame)) < 0.2)
    frame["p"] = frame["p"].mask(also, 1 - frame["y"])
    assert [item.conditions for item in diagnose(frame).slices] == [("word == 'c'",), ("whole >= 21",)]


def test_by_hand():
    """200 rows: 50 'bad' with 30 errors, 150 'good' with 15."""
    frame = pd.DataFrame({"kind": ["bad"] * 50 + ["good"] * 150, "y": [1] * 200})
    frame["p"] = [0] * 30 + [1] * 20 + [0] * 15 + [1] * 135
    result = diagnose(frame)
    found = result.slices[0]
    assert found.conditions == ("kind == 'bad'",)
    assert found.support == 50
    assert found.error.value == pytest.approx(0.6, abs=1e-3)
    assert found.excess.value == pytest.approx(50 * (0.6 - 0.1), abs=0.1)
    assert found.unexplained == pytest.approx(30 - 50 * 45 / 200)
    assert found.lift == pytest.approx(found.error.value / 0.225)
    assert found.share_of_errors == pytest.approx(30 / 45)
    assert found.only_label == 1
    assert result.n_examined == 2


def numbers(seed, n=1000):
    """Labels whose errors have a heavy tail, and larger ones in a tenth of the rows."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"p": draw.normal(size=n), "b": draw.normal(size=n), "c": draw.choice(list("uvw"), n)})
    worse = (frame["c"] == "u") & (frame["b"] > 0)
    return frame.assign(a=frame["p"], y=frame["p"] + draw.standard_t(2, size=n) * (1 + worse))


def test_a_slice_whose_shrunk_error_is_not_above_that_of_all_rows_is_suspected():
    results = [diagnose(numbers(seed)) for seed in range(12)]
    for result in results:
        assert all(item.error.value > result.overall.value and item.lift > 1 for item in result.slices)
        assert all(
            item.lift == pytest.approx(item.error.value / result.overall.value)
            for item in (*result.slices, *result.suspected)
        )
    assert sum(result.found for result in results) >= 6
    doubted = results[1]
    assert not doubted.found
    assert [item.conditions for item in doubted.suspected] == [("-1.19 <= a < 0.32",)]
    assert doubted.suspected[0].lift < 1


def test_null_tables_seldom_alarm():
    assert sum(diagnose(rows(n=1500, seed=seed)).found for seed in range(40)) <= 5


def test_a_copy_of_a_column_is_not_a_second_slice():
    frame = rows(inside=PLANTED["level"][0])
    assert len(diagnose(frame.assign(copy=frame["word"], another=frame["word"].astype(str))).slices) == 1


def test_real_errors_and_their_null():
    draw = np.random.default_rng(0)

    def regression(spread):
        frame = rows(seed=int(draw.integers(1000)))
        frame["y"] = draw.normal(size=len(frame))
        scale = np.where(frame["word"] == "c", spread, 1.0)
        return diagnose(frame.assign(p=frame["y"] + scale * draw.standard_t(4, len(frame))))

    found = regression(2.0)
    assert found.slices[0].conditions == ("word == 'c'",)
    assert found.overall.unit == "mean absolute error"
    assert sum(regression(1.0).found for _ in range(20)) <= 3


def test_weights_decide_what_counts():
    frame = rows(inside=PLANTED["level"][0])
    heavy = diagnose(frame.assign(w=1.0), weight="w", slice_by=["word", "text"])
    assert heavy.slices[0].conditions == ("word == 'c'",)
    ignored = frame.assign(w=np.where(frame["word"] == "c", 0.0, 1.0))
    assert not diagnose(ignored, weight="w", slice_by=["word", "text"]).found


def test_value_lost():
    frame = rows(inside=PLANTED["level"][0])
    item = diagnose(frame, value={"tp": 0, "fp": -1, "fn": -20, "tn": 0}).slices[0]
    inside = frame[item.mask(frame)]
    lost = (20 * ((inside["y"] == 1) & (inside["p"] == 0)) + ((inside["y"] == 0) & (inside["p"] == 1))).sum()
    assert item.value_lost.value == pytest.approx(lost)


def test_columns_that_cannot_be_sliced_on_are_named_with_the_reason():
    frame = rows(n=400).assign(same=1, key=[f"k{i}" for i in range(400)], rare=[f"v{i % 150}" for i in range(400)])
    said = dict(diagnose(frame).skipped)
    assert said["same"] == "is constant"
    assert "id-like" in said["key"]
    assert "no level of 30 rows" in said["rare"]


def test_how_far_it_looked_and_what_it_could_have_seen():
    result = diagnose(rows())
    assert not result.found
    assert result.n_examined > 1000
    assert result.headline == result.overall
    assert 0 < result.detectable_excess < 600


def test_where_a_column_that_tells_the_label_is_missing():
    """The label is delay > 0, so rows without a delay are all 0; the model errs there more than on other zeros."""
    draw = np.random.default_rng(0)
    frame = rows(n=6000)
    delay = draw.normal(size=6000) - 0.8
    frame["delay"] = np.where(draw.random(6000) < 0.03, np.nan, delay)
    frame["y"] = (frame["delay"] > 0).astype(int)
    wrong = draw.random(6000) < np.select([frame["delay"].isna(), frame["y"] == 1], [0.3, 0.6], 0.05)
    frame["p"] = np.where(wrong, 1 - frame["y"], frame["y"])
    seen = [name for name in frame if name not in {"delay", "y", "p"}]
    result = diagnose(frame, features=seen)
    assert result.restating == ("delay",)
    assert [item.conditions for item in result.slices] == [("delay is missing",)]
    assert result.slices[0].only_label == 0
    assert diagnose(frame).restating == ()  # a model may see it: then its ranges are slices like others


def test_the_same_data_are_cut_into_slices_once():
    frame = rows()
    tables = [
        EvaluationTable.build(each, label="y", prediction="p")
        for each in (frame, frame.sample(frac=1, random_state=0), frame.assign(p=1 - frame["p"]), frame[1:])
    ]
    first, again, other, fewer = (_sliced.slices_of(table, 60) for table in tables)
    assert first is again is other
    assert fewer is not first


def test_parts_of_dates_are_slices():
    draw = np.random.default_rng(0)
    at = pd.Timestamp("2024-01-01", tz="America/New_York") + pd.to_timedelta(draw.integers(0, 60 * 24, 8000), unit="h")
    frame = pd.DataFrame({"at": at, "y": 1})
    for name, inside in {
        "hour(at) >= 21": frame["at"].dt.hour >= 21,
        "weekday(at) == 'Sun'": frame["at"].dt.day_of_week == 6,
    }.items():
        frame["p"] = np.where(draw.random(8000) < np.where(inside, 0.4, 0.1), 0, 1)
        (found,) = diagnose(frame).slices
        assert found.conditions == (name,)
        np.testing.assert_array_equal(found.mask(frame), inside)


def test_a_set_of_levels_is_one_slice():
    frame = rows(inside=lambda f: f["word"].isin(["b", "d"]), rate=0.3)
    (found,) = diagnose(frame).slices
    assert set(found.predicates[0].values) == {"b", "d"}
    np.testing.assert_array_equal(found.mask(frame), frame["word"].isin(["b", "d"]))


def test_rare_levels_are_one_slice_together():
    frame = rows()
    draw = np.random.default_rng(0)
    rare = draw.random(6000) < 0.05
    frame["word"] = np.where(rare, [f"r{i}" for i in draw.integers(0, 60, 6000)], frame["word"])
    frame["p"] = np.where(rare & (draw.random(6000) < 0.4), 1 - frame["y"], frame["p"])
    (found,) = diagnose(frame).slices
    assert found.conditions[0].startswith("word not in {'")
    np.testing.assert_array_equal(found.mask(frame), rare)


def test_metric_and_bias_inside():
    frame = rows(inside=PLANTED["level"][0])
    draw = np.random.default_rng(0)
    frame["s"] = np.clip(0.8 * frame["p"] + 0.2 * draw.random(len(frame)), 0, 1)
    item = diagnose(frame, scores="s", prediction=None).slices[0]
    inside = frame[item.mask(frame)]
    assert item.metric.unit == "roc_auc"
    assert item.metric.value == pytest.approx(roc_auc_score(inside["y"], inside["s"]))
    assert item.bias.value == pytest.approx((inside["s"] - inside["y"]).mean())


def test_not_applicable():
    with pytest.raises(NotApplicable, match="needs 60 rows or more; there are 59"):
        diagnose(rows(n=59))
    with pytest.raises(NotApplicable, match="every column has a role"):
        diagnose(rows()[["y", "p"]])
