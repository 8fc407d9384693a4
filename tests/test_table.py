"""The evaluation table: every container, dtype and order in; one clear error for what cannot be used."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mlflow_errata import ErrataError, EvaluationTable
from mlflow_errata.columns import ordered
from mlflow_errata.errors import InputError

N = 60


@pytest.fixture
def frame():
    draw = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "late": draw.integers(0, 2, N),
            "said": draw.integers(0, 2, N),
            "p": draw.random(N).round(3),
            "carrier": draw.choice(["EV", "UA", "DL"], N),
            "hour": draw.integers(0, 24, N),
            "at": pd.date_range("2013-01-01", periods=N, freq="D"),
            "w": draw.random(N),
        }
    )


def build(frame, **roles):
    return EvaluationTable.build(frame, **{"label": "late", "prediction": "said", **roles})


# -- containers -------------------------------------------------------------------------------------------------------


def test_containers_give_the_same_table(frame):
    frame = frame.drop(columns="at")
    tables = [build(given) for given in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame))]
    assert len({table.digest for table in tables}) == 1
    for table in tables[1:]:
        np.testing.assert_array_equal(table.outcomes.y, tables[0].outcomes.y)
        np.testing.assert_array_equal(table.errors, tables[0].errors)


@pytest.mark.parametrize("given", [[1, 2], {"late": [1]}, np.zeros((3, 2)), None, "data.csv"])
def test_what_is_no_table_is_refused(given):
    with pytest.raises(ErrataError, match="not a table"):
        build(given)


def test_the_frame_given_is_never_changed(frame):
    frame["carrier"] = frame["carrier"].astype("category")
    before = frame.copy(deep=True)
    build(frame, time="at", weight="w", scores="p")
    pd.testing.assert_frame_equal(frame, before)


def test_columns_that_are_numbers_become_text(frame):
    table = EvaluationTable.build(frame.rename(columns={"hour": 7}), label="late", prediction="said")
    assert "7" in table.slice_columns


# -- order of rows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", ["unordered", "repeated", "text"])
def test_order_and_index_change_nothing(frame, index):
    first = build(frame, time="at", scores="p")
    shuffled = frame.sample(frac=1, random_state=1)
    if index == "repeated":
        shuffled.index = [0] * N
    if index == "text":
        shuffled.index = [f"row {i}" for i in range(N)]
    second = build(shuffled, time="at", scores="p")
    assert first.digest == second.digest
    np.testing.assert_array_equal(first.errors, second.errors)
    pd.testing.assert_frame_equal(first.frame, second.frame)


def test_any_changed_cell_changes_the_digest(frame):
    digests = {build(frame).digest}
    for column, value in (("hour", 99), ("carrier", "XX"), ("late", 1 - frame.loc[3, "late"]), ("w", np.nan)):
        changed = frame.copy()
        changed.loc[3, column] = value
        digests.add(build(changed).digest)
    assert len(digests) == 5


def test_the_models_output_is_no_part_of_the_digest(frame):
    assert build(frame, scores="p").digest == build(frame.assign(said=0, p=0.1), scores="p").digest


def test_rows_stand_in_no_meaningful_order(frame):
    """The first half by position is a fair draw of the times: its mean lies within four standard errors."""
    big = pd.concat([frame] * 40, ignore_index=True).assign(at=pd.date_range("2013-01-01", periods=40 * N, freq="h"))
    at = build(big, time="at").times.astype("int64")
    ranks = at.argsort().argsort()
    assert abs(ranks[: len(ranks) // 2].mean() / len(ranks) - 0.5) < 4 * 0.29 / np.sqrt(len(ranks) / 2)


def test_ids(frame):
    assert set(build(frame.set_index(pd.Index(range(100, 100 + N)))).ids) == set(range(100, 100 + N))
    assert set(build(frame.set_index(pd.Index([5] * N))).ids) == set(range(N))
    named = frame.assign(key=[f"k{i}" for i in range(N)])
    assert set(build(named, id="key").ids) == set(named["key"])


# -- labels, predictions, scores --------------------------------------------------------------------------------------

LABELS = {
    "bool": (lambda y: y.astype(bool), (False, True)),
    "int": (lambda y: y, (0, 1)),
    "int8": (lambda y: y.astype("int8"), (0, 1)),
    "float": (lambda y: y.astype(float), (0, 1)),
    "str": (lambda y: y.map({0: "no", 1: "yes"}).astype("str"), ("no", "yes")),
    "object": (lambda y: y.map({0: "no", 1: "yes"}).astype(object), ("no", "yes")),
    "category": (lambda y: y.map({0: "no", 1: "yes"}).astype("category"), ("no", "yes")),
    "category of int": (lambda y: y.astype("category"), (0, 1)),
    "Int64": (lambda y: y.astype("Int64"), (0, 1)),
    "boolean": (lambda y: y.astype("boolean"), (False, True)),
    "arrow": (lambda y: y.astype("int64[pyarrow]"), (0, 1)),
}


@pytest.mark.parametrize("dtype", LABELS)
def test_label_dtypes(frame, dtype):
    cast, classes = LABELS[dtype]
    table = build(frame.assign(late=cast(frame["late"]), said=cast(frame["said"])))
    assert table.task == "binary"
    assert table.outcomes.classes == classes
    assert all(type(given) is type(wanted) for given, wanted in zip(table.outcomes.classes, classes, strict=True))
    assert table.errors.mean() == (frame["late"] != frame["said"]).mean()


def test_bool_label_and_int_prediction_are_the_same_classes(frame):
    table = build(frame.assign(late=frame["late"].astype(bool)))
    assert table.errors.mean() == (frame["late"] != frame["said"]).mean()


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "float64", "str", "category"])
def test_rows_without_a_label_are_set_aside(frame, dtype):
    label = frame["late"].astype("Int64" if dtype == "category" else dtype).copy()
    label = label.astype("category") if dtype == "category" else label
    label[[1, 4, 9]] = None
    said = frame["said"].astype(str) if dtype == "str" else frame["said"]
    table = build(frame.assign(late=label, said=said))
    assert table.n_unlabelled == 3
    assert len(table) == N - 3


def test_scores_alone_decide_at_one_half(frame):
    table = build(frame, prediction=None, scores="p")
    assert table.outcomes.prediction.sum() == (frame["p"] >= 0.5).sum()
    np.testing.assert_allclose(table.outcomes.scores.sum(axis=1), 1)


def test_scores_by_class_in_any_order(frame):
    scored = frame.assign(kind=frame["carrier"], a=0.2, b=0.7, c=0.1)
    named = {"UA": "a", "EV": "b", "DL": "c"}
    tables = [EvaluationTable.build(scored, label="kind", scores=dict(order)) for order in permutations(named.items())]
    for table in tables:
        assert table.task == "multiclass"
        assert table.outcomes.classes == ("DL", "EV", "UA")
        np.testing.assert_allclose(table.outcomes.scores, [[0.1, 0.7, 0.2]] * N)
        assert set(table.outcomes.named(table.outcomes.prediction)) == {"EV"}


@pytest.mark.parametrize("by", [{1: "p"}, {True: "p"}, {0: "q"}, {0: "q", 1: "p"}, {1: "p", 0: "q"}])
def test_scores_of_two_classes_by_class(frame, by):
    """The greater class is the positive one, whichever is named, and first."""
    table = build(frame.assign(q=1 - frame["p"]), prediction=None, scores=by)
    assert table.outcomes.classes == (0, 1)
    np.testing.assert_allclose(table.outcomes.scores[:, 1], table.frame["p"])


def test_a_dict_of_one_class_of_text(frame):
    table = build(frame.assign(late=frame["late"].map({0: "no", 1: "yes"})), prediction=None, scores={"no": "p"})
    assert table.outcomes.classes == ("no", "yes")
    assert (table.outcomes.prediction == 0).sum() == (frame["p"] > 0.5).sum()


def test_scores_of_many_classes_in_list_order_are_sorted_classes(frame):
    scored = frame.assign(kind=frame["carrier"], a=0.2, b=0.7, c=0.1)
    table = EvaluationTable.build(scored, label="kind", scores=["a", "b", "c"])
    assert set(table.outcomes.named(table.outcomes.prediction)) == {"EV"}


def test_rows_of_weight_0_are_left_out(frame):
    weighed = frame.assign(w=np.arange(N) % 3, late=frame["late"].astype(float).where(frame.index != 4))
    table = build(weighed, weight="w")
    assert len(table) + table.n_unlabelled == 2 * N // 3
    assert table.n_unlabelled == 1
    assert set(table.ids) == {at for at in range(N) if at % 3 and at != 4}


def test_features_by_any_list(frame):
    for named in (["hour"], ("hour",), np.array(["hour"]), frame.columns[4:5]):
        assert build(frame, features=named, slice_by=named).features == ("hour",)


def test_dates_as_classes(frame):
    days = pd.to_datetime(frame["late"].map({0: "2024-01-01", 1: "2024-02-01"}))
    table = build(frame.assign(late=days, said=days))
    assert len(table.outcomes.classes) == 2
    assert table.errors.sum() == 0


def test_one_class_only_is_allowed(frame):
    table = build(frame.assign(late=1, said=1))
    assert table.outcomes.classes == (0, 1)
    assert table.errors.sum() == 0


@pytest.mark.parametrize(
    ("label", "prediction", "task"),
    [
        ([0, 1, 1], [0, 1, 0], "binary"),
        ([1, 2, 3], [1, 2, 2], "multiclass"),
        (["a", "b", "c"], ["a", "b", "b"], "multiclass"),
        ([1.5, 2.5, 3.5], [1.0, 2.0, 3.0], "regression"),
        ([0.5, 2.0], [1, 2], "regression"),
        ([1, 2, 3], [1.2, 2.1, 2.9], "regression"),
        (list(range(30)), list(range(30)), "regression"),
    ],
)
def test_the_task_is_told_from_the_label(label, prediction, task):
    table = EvaluationTable.build(pd.DataFrame({"y": label, "p": prediction}), label="y", prediction="p")
    assert (table.task, table.task_inferred) == (task, True)


def test_a_given_task_wins():
    rows = pd.DataFrame({"y": [1, 2, 3], "p": [1, 2, 2]})
    table = EvaluationTable.build(rows, label="y", prediction="p", task="regression")
    assert (table.task, table.task_inferred) == ("regression", False)
    assert sorted(table.errors) == [0, 0, 1]


# -- time, weight, value ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2013-01-01", periods=N, freq="h"),
        pd.date_range("2013-01-01 05:00", periods=N, freq="h", tz="Asia/Tokyo"),
        pd.Series(pd.date_range("2013-01-01", periods=N, freq="h")).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        pd.Series(pd.date_range("2013-01-01", periods=N, freq="D")).dt.date,
        pd.Series(pd.date_range("2013-01-01", periods=N, freq="h")).astype("datetime64[ns]"),
    ],
    ids=["naive", "zone", "text", "date", "ns"],
)
def test_times_of_any_kind(frame, times):
    found = build(frame.assign(at=list(times) if isinstance(times, pd.DatetimeIndex) else times), time="at").times
    assert found.dtype == "datetime64[us]"
    assert len(np.unique(found)) == N


def test_a_time_zone_becomes_utc(frame):
    zoned = frame.assign(at=pd.date_range("2013-01-01 09:00", periods=N, freq="h", tz="Asia/Tokyo"))
    assert build(zoned, time="at").times.min() == np.datetime64("2013-01-01T00:00")


def test_numbers_can_be_times(frame):
    assert build(frame.assign(at=np.arange(N) + 1977), time="at").times.min() == 1977.0


def test_missing_times_stay_missing(frame):
    frame.loc[3, "at"] = pd.NaT
    assert np.isnat(build(frame, time="at").times).sum() == 1


def test_value_of_a_confusion_matrix():
    rows = pd.DataFrame({"y": [1, 1, 0, 0], "p": [1, 0, 1, 0]})
    table = EvaluationTable.build(rows, label="y", prediction="p", value={"tp": 5, "fp": -1, "fn": -20, "tn": 0})
    lost = dict(zip(zip(table.outcomes.y, table.outcomes.prediction, strict=True), table.value_lost, strict=True))
    assert lost == {(1, 1): 0, (1, 0): 25, (0, 1): 1, (0, 0): 0}


def test_value_of_stakes_and_of_a_function():
    rows = pd.DataFrame({"y": ["a", "b"], "p": ["a", "a"], "stake": [10.0, 7.0]})
    stakes = EvaluationTable.build(rows, label="y", prediction="p", value="stake")
    assert sorted(stakes.value_lost) == [0.0, 7.0]
    assert "stake" not in stakes.slice_columns
    called = EvaluationTable.build(rows, label="y", prediction="p", value=lambda y, d: (y == d) * 3.0)
    assert sorted(called.value_lost) == [0.0, 3.0]


def test_columns_with_a_role_are_not_sliced_on(frame):
    table = build(frame, scores="p", time="at", weight="w")
    assert table.slice_columns == table.features == ("carrier", "hour")


# -- refusals: what, where, the value, what to do ---------------------------------------------------------------------

REFUSED = {
    "label not there": (lambda f: f, {"label": "lat"}, "label='lat' is not a column .* Did you mean 'late'"),
    "prediction not there": (lambda f: f, {"prediction": "zzz"}, "prediction='zzz' is not a column .* Columns: "),
    "slice_by not there": (lambda f: f, {"slice_by": ["hours"]}, "slice_by='hours' .* Did you mean 'hour'"),
    "slice_by a string": (lambda f: f, {"slice_by": "hour"}, r"Pass a list: slice_by=\['hour'\]"),
    "features not there": (lambda f: f, {"features": ["nope"]}, "features='nope' is not a column"),
    "no output": (lambda f: f, {"prediction": None}, "pass model=, or name columns with prediction= or scores="),
    "label twice": (lambda f: f, {"prediction": "late"}, "column 'late' is given as label= and as prediction="),
    "label as a feature": (
        lambda f: f,
        {"features": ["hour", "late"]},
        "the label 'late' is among the columns that the",
    ),
    "unknown task": (lambda f: f, {"task": "binari"}, "task='binari' is not known. Did you mean 'binary'"),
    "no rows": (lambda f: f.iloc[:0], {}, "has no rows"),
    "no labelled row": (lambda f: f.assign(late=np.nan), {}, "'late' is always missing"),
    "two columns of a name": (
        lambda f: pd.concat([f, f[["hour"]]], axis=1),
        {},
        "several columns named 'hour'. Rename or drop",
    ),
    "infinite label": (lambda f: f.assign(late=np.inf), {}, "label='late' .* infinite in 60 rows"),
    "prediction missing": (
        lambda f: f.assign(said=f["said"].astype("Int64").mask(f.index == 3)),
        {},
        "prediction='said' is missing in 1 rows",
    ),
    "prediction of fractions": (
        lambda f: f,
        {"prediction": "p"},
        "prediction='p' holds fractions .* Pass probabilities as scores=",
    ),
    "text against numbers": (
        lambda f: f.assign(said=f["said"].astype(str)),
        {},
        r"prediction='said' has classes \['\d', '\d'\] where label='late' has \[\d, \d\]",
    ),
    "score missing": (lambda f: f.assign(p=f["p"].mask(f.index == 3)), {"scores": "p"}, "missing or infinite in 1 row"),
    "score infinite": (lambda f: f.assign(p=np.inf), {"scores": "p"}, "missing or infinite in 60 rows"),
    "score of text": (lambda f: f, {"scores": "carrier"}, "scores='carrier' has dtype .* Make it numeric"),
    "scores that are no probabilities": (
        lambda f: f.assign(p=f["p"] * 9 - 3),
        {"scores": "p", "prediction": None},
        r"lies in \[-2.*\], which are no probabilities",
    ),
    "one score for three classes": (
        lambda f: f.assign(late=f["carrier"], said=f["carrier"]),
        {"scores": "p"},
        r"shape \(60, 1\); expected one column for each of 3 classes",
    ),
    "two scores for three classes": (
        lambda f: f.assign(late=f["carrier"], said=f["carrier"]),
        {"scores": ["p", "w"]},
        r"shape \(60, 2\); expected one column for each of 3 classes",
    ),
    "a class without a score": (
        lambda f: f.assign(late=f["carrier"], said=f["carrier"]),
        {"scores": {"UA": "p", "DL": "w"}},
        r"scores=\['p', 'w'\] names no column for the class 'EV'. Name one for every class",
    ),
    "one class alone": (
        lambda f: f.assign(late="yes", said="yes"),
        {"scores": {"yes": "p"}},
        "names the class 'yes' alone",
    ),
    "three classes as binary": (
        lambda f: f.assign(late=f["carrier"], said=f["carrier"]),
        {"task": "binary"},
        'have 3 classes: .* Pass task="multiclass"',
    ),
    "time of text": (
        lambda f: f,
        {"time": "carrier"},
        "time='carrier' holds values such as '.*', which are no ISO dates",
    ),
    "time missing": (lambda f: f.assign(at=pd.NaT), {"time": "at"}, "time='at' is missing in every row"),
    "time infinite": (lambda f: f.assign(at=np.inf), {"time": "at"}, "time='at' is infinite"),
    "weight negative": (lambda f: f.assign(w=-1.0), {"weight": "w"}, "weight='w' goes down to -1"),
    "weight zero": (lambda f: f.assign(w=0), {"weight": "w"}, "weight='w' is 0 in every row"),
    "weight missing": (lambda f: f.assign(w=np.nan), {"weight": "w"}, "weight='w' is missing or infinite in 60 rows"),
    "weight of text": (lambda f: f, {"weight": "carrier"}, "weight='carrier' has dtype"),
    "id repeated": (lambda f: f, {"id": "hour"}, "id='hour' is not unique"),
    "id missing": (lambda f: f.assign(key=None), {"id": "key"}, "id='key' is missing in 60 rows"),
    "value cell unknown": (lambda f: f, {"value": {"tpp": 1}}, "value='tpp' is not known. Did you mean 'tp'"),
    "value column not there": (lambda f: f, {"value": "stake"}, "value='stake' is not a column"),
    "label a number": (lambda f: f, {"label": 4}, "label= is given as int, .* Name it as text: label='4'"),
    "label a Series": (lambda f: f, {"label": pd.Series([0, 1])}, "label= is given as Series, where the name"),
    "label none": (lambda f: f, {"label": None}, "label= is given as NoneType, where the name of a column is expected"),
    "labels of numbers": (lambda f: f, {"label": [0, 1] * 500}, "label= is given as int, where the name"),
    "prediction an array": (
        lambda f: f,
        {"prediction": np.zeros(60)},
        "prediction= is given as ndarray, where the name",
    ),
    "prediction two columns": (lambda f: f, {"prediction": ["said", "p"]}, r"prediction=\['said', 'p'\] is several"),
    "scores a number": (lambda f: f, {"scores": 3}, "scores= is given as int, where the name"),
    "scores of numbers": (lambda f: f, {"scores": [3, 4]}, "scores= is given as int, where the name"),
    "scores a Series": (lambda f: f, {"scores": pd.Series([0.5])}, "scores= is given as Series, where"),
    "time a list": (lambda f: f, {"time": ["at"]}, 'time= is given as list, where .* Name it time="..."'),
    "features a number": (lambda f: f, {"features": 5}, "features= is given as int, where a list of names"),
    "value a number": (lambda f: f, {"value": 5}, "value= is given as int, where a dict, the name of a column or a"),
    "value cell of text": (lambda f: f, {"value": {"tp": "a"}}, "value={'tp': 'a'} gives tp the value 'a'. Give it a"),
    "value cell missing": (lambda f: f, {"value": {"tp": np.nan}}, "gives tp the value nan"),
    "value of one argument": (lambda f: f, {"value": lambda y: y}, "value='<lambda>' fails: TypeError: .* takes two"),
    "value of text": (lambda f: f, {"value": lambda y, said: ["a"] * len(y)}, "holds <U1 values. Make it numeric.$"),
    "train without a feature": (
        lambda f: f,
        {"train": pd.DataFrame({"late": [1], "hours": [3]}), "features": ["hour"]},
        "train has no column 'hour', .* Did it become 'hours'",
    ),
    "train of numbers as times": (
        lambda f: f,
        {"train": pd.DataFrame({"late": [1], "hour": [3], "at": [5]}), "features": ["hour"], "time": "at"},
        "times are numbers in train and dates in the evaluation frame. Give both frames the same kind",
    ),
    "train no table": (lambda f: f, {"train": [1, 2]}, "the training frame is a builtins.list, not a table"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(frame, case):
    change, roles, sentence = REFUSED[case]
    with pytest.raises(InputError, match=sentence):
        build(change(frame), **roles)


def test_regression_refuses_scores():
    rows = pd.DataFrame({"y": [1.5, 2.5, 3.5], "p": [0.1, 0.2, 0.3]})
    with pytest.raises(InputError, match="Name the column with prediction="):
        EvaluationTable.build(rows, label="y", scores="p", task="regression")


# -- order ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [3, 10**9])
def test_ordered_is_lexsort(most):
    draw = np.random.default_rng(0)
    first, second = draw.integers(0, most, 500), draw.integers(0, 4, 500)
    np.testing.assert_array_equal(ordered(first), np.argsort(first, kind="stable"))
    np.testing.assert_array_equal(ordered(first, second), np.lexsort((second, first)))


def test_rows_in_time_order_are_those_that_have_a_time(frame):
    frame.loc[3, "at"] = pd.NaT
    table = build(frame, time="at")
    rows = table.in_time_order
    assert len(rows) == N - 1
    assert (np.diff(table.times[rows]) >= np.timedelta64(0)).all()
    assert len(build(frame).in_time_order) == 0


class LikeSpark:
    """A stand-in for a Spark DataFrame, which is too heavy to install here: the three members that errata uses."""

    def __init__(self, rows, n=None):
        self.rows, self.n, self.calls = rows, len(rows) if n is None else n, []
        self.columns = list(rows.columns)

    def count(self):
        self.calls.append("count")
        return self.n

    def toPandas(self):  # noqa: N802 - Spark's name
        self.calls.append("toPandas")
        return self.rows.copy()


def test_a_spark_frame_is_counted_and_then_brought_whole(frame):
    given = LikeSpark(frame)
    table, plain = build(given), build(frame)
    pd.testing.assert_frame_equal(table.frame, plain.frame)
    assert table.digest == plain.digest
    assert given.calls == ["count", "toPandas"]


def test_a_spark_frame_that_is_too_long_is_refused_before_it_is_brought(frame):
    given = LikeSpark(frame, n=50_000_000)
    with pytest.raises(
        ErrataError,
        match=r"the evaluation frame has 50,000,000 rows in Spark, and at most 5,000,000 .*fraction=0\.09, seed=0",
    ):
        build(given)
    assert given.calls == ["count"]
    twice = LikeSpark(frame)
    twice.columns = ["a", "a"]
    with pytest.raises(ErrataError, match="several columns named 'a'"):
        build(twice)
