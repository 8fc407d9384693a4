"""Records: what is written is what is read; what is not whole, not finite or too new is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata.diagnoses.slice_errors import SliceErrors
from mlflow_errata.errors.stored import NotANumber, RecordBroken, RecordMissing, RecordTooNew
from mlflow_errata.record import SCHEMA, Record
from mlflow_errata.record.write import EVALUATED


@pytest.fixture(scope="module")
def frame():
    draw = np.random.default_rng(0)
    n = 3000
    carrier = draw.choice(["EV", "UA", "DL"], n)
    y = draw.integers(0, 2, n)
    wrong = draw.random(n) < np.where(carrier == "EV", 0.4, 0.1)
    return pd.DataFrame(
        {
            "y": y,
            "p": np.where(wrong, 1 - y, y),
            "carrier": carrier,
            "hour": draw.integers(0, 24, n).astype("int16"),
            "mixed": [1, "two", None] * (n // 3),
            "at": pd.date_range("2013-01-01", periods=n, freq="h", tz="UTC"),
        }
    )


@pytest.fixture(scope="module")
def record(frame):
    return errata.diagnose(frame, label="y", prediction="p", time="at", train=frame.head(100), budget=0)


def test_what_is_written_is_what_is_read(record, tmp_path):
    again = Record.open(record.save(tmp_path / "record"))
    assert again == record
    assert again.results.keys() == record.results.keys()
    for name, result in record.results.items():
        assert type(again.results[name]) is type(result)
    pd.testing.assert_frame_equal(
        again.rows.drop(columns="mixed"), record.rows.drop(columns="mixed"), check_dtype=False, check_index_type=False
    )


def test_files_are_strict_json_and_parquet(record, tmp_path):
    folder = record.save(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [
        "evaluated.parquet",
        "record.json",
        "rows.parquet",
        "slices.json",
    ]
    document = json.loads((folder / "record.json").read_text(), parse_constant=pytest.fail)
    assert document["schema"] == SCHEMA
    table = json.loads((folder / "slices.json").read_text())
    assert len(table["data"]) == len(record.results["slice_errors"].slices)


def test_a_number_that_is_not_finite_is_refused_by_name(record, tmp_path):
    found = record.results["slice_errors"]
    assert isinstance(found, SliceErrors)
    broken = replace(record, results={"slice_errors": replace(found, detectable_excess=float("nan"))})
    with pytest.raises(NotANumber, match=r"record\.results\.slice_errors\.detectable_excess is nan"):
        broken.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_newer_schema_is_refused_with_the_remedy(record, tmp_path):
    path = record.save(tmp_path) / "record.json"
    document = json.loads(path.read_text()) | {"schema": SCHEMA + 1}
    path.write_text(json.dumps(document))
    with pytest.raises(RecordTooNew, match=r"has schema 2; .* up to 1\. Upgrade it: pip install --upgrade"):
        Record.open(tmp_path)


def test_a_record_from_before_slices_had_a_course_is_read(record, tmp_path):
    path = record.save(tmp_path) / "record.json"
    document = json.loads(path.read_text())
    told = document["results"]["slice_errors"]
    assert told.pop("window")
    for item in told["slices"]:
        assert item.pop("course")
        item.pop("overlaps")
    path.write_text(json.dumps(document))
    found = Record.open(tmp_path).results["slice_errors"]
    assert (found.window, found.slices[0].course, found.slices[0].overlaps) == ("", (), ())
    assert [item.id for item in found.slices] == [item.id for item in record.results["slice_errors"].slices]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "x"}', '{"schema": 1}', '{"schema": 1, "dataset": {}}'])
def test_a_broken_file_is_refused(text, record, tmp_path):
    (record.save(tmp_path) / "record.json").write_text(text)
    with pytest.raises(RecordBroken, match="not a readable errata record"):
        Record.open(tmp_path)


def test_no_record_is_refused(tmp_path):
    with pytest.raises(RecordMissing, match=r"Write one with record\.save"):
        Record.open(tmp_path / "nowhere")


def test_nothing_is_pickled(record, tmp_path):
    for path in record.save(tmp_path).iterdir():
        assert b"\x80\x04" not in path.read_bytes()[:2]


def test_rows_are_a_bounded_sample_with_ids_labels_and_errors(record, frame):
    rows = record.rows
    assert len(rows) == 2000
    assert rows["errata.id"].is_unique
    picked = frame.loc[rows["errata.id"]]
    np.testing.assert_array_equal(rows["errata.label"], picked["y"])
    np.testing.assert_array_equal(rows["errata.error"], picked["y"] != picked["p"])


def test_rows_hold_the_wrong_rows_of_every_slice(record):
    for item in record.results["slice_errors"].slices:
        inside = record.rows[item.mask(record.rows)]
        assert inside["errata.error"].sum() >= min(100, round(item.error.value * item.support))


EXOTIC = {
    "intervals": pd.cut(pd.Series(range(8)), 2),
    "sparse": pd.Series(pd.arrays.SparseArray([0.0, 1.0] * 4)),
    "complex": pd.Series([1j, 2.0] * 4),
    "mixed categories": pd.Series(pd.Categorical([1.0, "x"] * 4)),
    "booleans with gaps": pd.Series([True, None] * 4, dtype=object),
    "lists": pd.Series([[1], [2]] * 4),
}


@pytest.mark.parametrize("kind", EXOTIC)
def test_rows_of_exotic_values_are_stored(kind, tmp_path):
    frame = pd.DataFrame({"x": EXOTIC[kind], "y": [0, 1] * 4, "p": [0, 1] * 4})
    made = errata.diagnose(frame, label="y", prediction="p")
    back = Record.open(made.save(tmp_path / "record"))
    assert list(back.rows["x"].isna()) == list(made.rows["x"].isna())
    assert back.results == made.results


def test_the_training_window_is_known(record, frame):
    training = record.dataset.training
    assert training.n_rows == 100
    assert training.start == datetime(2013, 1, 1)
    assert training.end == frame["at"].iloc[99].to_pydatetime().replace(tzinfo=None)


def test_the_size_does_not_grow_with_the_rows(frame, tmp_path):
    many = pd.concat([frame] * 5, ignore_index=True)
    sizes = [
        sum(
            path.stat().st_size
            for path in errata.diagnose(given, label="y", prediction="p").save(folder).iterdir()
            if path.name != EVALUATED
        )
        for given, folder in ((frame, tmp_path / "a"), (many, tmp_path / "b"))
    ]
    assert sizes[1] < 1.3 * sizes[0]
