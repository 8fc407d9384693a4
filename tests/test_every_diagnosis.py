"""Conformance: what every diagnosis of the catalogue must be. A new one is tested here before it has a test."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from mlflow_errata import ErrataError, EvaluationTable, Objectives
from mlflow_errata.diagnoses import CATALOGUE
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import default_metric

TESTS = Path(__file__).parent


def frame(task="binary", n=2000, seed=0):
    """A table with something of everything: missing values, dates, text, a bad slice, a rare class, a newer worse half."""
    draw = np.random.default_rng(seed)
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(draw.random(n)) * 365, unit="D")
    region = draw.choice(["north", "south", "east"], n)
    bad = (region == "east") | (np.arange(n) > 0.7 * n)
    rows = pd.DataFrame(
        {
            "at": at,
            "region": pd.Series(region).astype("category"),
            "age": pd.Series(draw.normal(40, 9, n)).where(draw.random(n) > 0.1),
            "flag": draw.random(n) < 0.3,
            "w": draw.random(n) + 0.1,
        }
    )
    if task == "multilabel":
        for name, rate in (("y", 0.5), ("y_2", 0.2), ("y_3", 0.05)):
            holds = draw.random(n) < rate
            odds = 2.5 * holds - 1.5 + draw.normal(size=n) * np.where(bad, 3.0, 1.0)
            rows[name] = pd.Series(holds.astype(float)).where(draw.random(n) > 0.05)
            rows[f"p_{name}"] = 1 / (1 + np.exp(-odds))
        rows["y"] = rows["y"].fillna(0.0)
    elif task == "regression":
        rows["y"] = draw.normal(size=n)
        rows["p"] = rows["y"] + draw.normal(size=n) * np.where(bad, 2.0, 0.7)
    else:
        classes = ["a", "b"] if task == "binary" else ["a", "b", "c", "d"]
        shares = [0.9, 0.1] if task == "binary" else [0.5, 0.3, 0.15, 0.05]
        rows["y"] = draw.choice(classes, n, p=shares)
        rows["p"] = rows["y"].where(draw.random(n) > np.where(bad, 0.4, 0.1), draw.choice(classes, n))
        scores = draw.dirichlet(np.ones(len(classes)), n) + 3 * (rows["p"].to_numpy()[:, None] == np.array(classes))
        rows[[f"s_{name}" for name in classes]] = scores / scores.sum(axis=1, keepdims=True)
    rows["quality"], rows["engagement"] = draw.random((2, n)) + 0.1
    rows["liked"] = rows["quality"] * draw.random(n)
    rows["minutes"] = rows["engagement"] * draw.random(n)
    return rows


def table(task="binary", rows=None, **roles):
    rows = frame(task) if rows is None else rows
    if "y_2" in rows:
        labels = ["y", "y_2", "y_3"]
        roles = {"label": labels, "prediction": None, "scores": {name: f"p_{name}" for name in labels}, **roles}
    scores = {name[2:]: name for name in rows if name.startswith("s_")} or None
    told = {"outcomes": ["liked", "minutes"], "scores": ["quality", "engagement"], "current": "quality"}
    roles = {"objectives": Objectives(**told), **roles}
    return EvaluationTable.build(rows, **{"label": "y", "prediction": "p", "scores": scores, "time": "at", **roles})


def made(diagnosis, given):
    try:
        return diagnosis.diagnose(given, Options(default_metric(given.outcomes), budget=1.0))
    except NotApplicable:
        return None


CASES = [(name, task) for name in CATALOGUE for task in ("binary", "multiclass", "multilabel", "regression")]


@pytest.fixture(params=CASES, ids="-".join)
def case(request):
    name, task = request.param
    return CATALOGUE[name], task


def test_the_result_is_frozen_and_of_its_declared_type(case):
    diagnosis, task = case
    result = made(diagnosis, table(task))
    if result is None:
        return
    assert type(result) is diagnosis.RESULT
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(result, dataclasses.fields(result)[0].name, None)
    assert isinstance(result.found, bool)


def test_the_headline_lies_in_its_interval(case):
    diagnosis, task = case
    result = made(diagnosis, table(task))
    if result is not None and result.headline is not None:
        assert result.headline.low <= result.headline.value <= result.headline.high
        assert result.headline.n > 0
        assert result.headline.unit


def test_the_table_is_left_alone(case):
    diagnosis, task = case
    given = table(task)
    before = given.frame.copy(deep=True), given.outcomes.y.copy(), given.outcomes.prediction.copy()
    made(diagnosis, given)
    pd.testing.assert_frame_equal(given.frame, before[0])
    np.testing.assert_array_equal(given.outcomes.y, before[1])
    np.testing.assert_array_equal(given.outcomes.prediction, before[2])


def test_rows_in_another_order_change_nothing(case):
    diagnosis, task = case
    rows = frame(task)
    assert made(diagnosis, table(rows=rows)) == made(diagnosis, table(rows=rows.sample(frac=1, random_state=3)))


def test_survives_write_and_read(case):
    diagnosis, task = case
    result = made(diagnosis, table(task))
    if result is None:
        return
    adapter = TypeAdapter(diagnosis.RESULT)
    text = json.dumps(adapter.dump_python(result, mode="json"), allow_nan=False)
    assert adapter.validate_python(json.loads(text)) == result


def test_weights_and_few_rows_are_taken(case):
    diagnosis, task = case
    made(diagnosis, table(task, weight="w"))
    for n in (1, 2, 5, 40):
        made(diagnosis, table(rows=frame(task).head(n), task=task))


def test_weights_of_two_count_like_rows_twice_in_values(case):
    """Point estimates under weight 2 everywhere are those without weights."""
    diagnosis, task = case
    rows = frame(task)
    plain, heavy = (
        made(diagnosis, table(rows=rows)),
        made(diagnosis, table(rows=rows.assign(w=2.0), weight="w", slice_by=["region", "age", "flag"])),
    )
    if plain is not None and heavy is not None and plain.headline is not None and diagnosis.NAME != "slice_errors":
        assert heavy.headline.value == pytest.approx(plain.headline.value)


def test_no_global_state_is_touched(case):
    diagnosis, task = case
    np.random.seed(4)
    before = np.random.get_state()[1].copy()
    made(diagnosis, table(task))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("name", CATALOGUE)
def test_has_a_section_and_a_test_of_its_own(name):
    assert find_spec(f"mlflow_errata.sections.{name}") is not None
    assert (TESTS / "diagnoses" / f"test_{name}.py").is_file()


@pytest.mark.parametrize("name", CATALOGUE)
def test_says_in_its_docstring_what_it_raises(name):
    diagnosis = CATALOGUE[name]
    assert name == diagnosis.NAME
    source = ast.parse(Path(inspect.getfile(diagnosis.diagnose)).read_text())
    raises = any(isinstance(node, ast.Raise) for node in ast.walk(source))
    assert not raises or "NotApplicable" in (diagnosis.diagnose.__doc__ or "")


def test_an_empty_table_is_refused_before_any_diagnosis():
    with pytest.raises(ErrataError, match="nothing to diagnose"):
        table(rows=frame().head(0))
