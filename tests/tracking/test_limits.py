"""Artifacts and tags that errata never wrote: refused in one sentence before they cost anything."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import mlflow
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient

import mlflow_errata as errata
from mlflow_errata.errors import ErrataError
from mlflow_errata.errors.stored import RecordBroken, RecordMissing
from mlflow_errata.tracking import search
from mlflow_errata.tracking.payload import RECORD_TAG, SUMMARY_TAG


@pytest.fixture(scope="module")
def logged(store, tmp_path_factory, record):
    """One run with a record for all tests: its id, the folder of its files, and a copy of that."""
    place = tmp_path_factory.mktemp("limits")
    mlflow.set_tracking_uri(store)
    made = mlflow.create_experiment("limits", artifact_location=place.as_uri())
    with mlflow.start_run(experiment_id=made) as run:
        folder = errata.log(record, strict=True)
    own = Path(run.info.artifact_uri.removeprefix("file://"), folder)
    return run, own, shutil.copytree(own, place / "kept")


@pytest.fixture
def stored(logged, store):
    """The run's id and the folder of its files, which a test may spoil."""
    run, folder, kept = logged
    mlflow.set_tracking_uri(store)
    tags = {name: MlflowClient().get_run(run.info.run_id).data.tags[name] for name in (RECORD_TAG, SUMMARY_TAG)}
    yield run.info.run_id, folder
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)
    for name, value in tags.items():
        MlflowClient().set_tag(run.info.run_id, name, value)


@pytest.mark.parametrize("name", ["record.json", "rows.parquet"])
def test_a_file_of_500_mb_is_refused_unread(stored, name, monkeypatch):
    run, folder = stored
    with (folder / name).open("r+b") as file:
        file.truncate(500 * 2**20)
    assert (folder / name).stat().st_blocks * 512 < 2**20, "a sparse file"
    monkeypatch.setattr(MlflowClient, "download_artifacts", lambda *_: pytest.fail("it was read"))
    with pytest.raises(RecordBroken, match=r"524,288,000 bytes, and errata writes 104,857,600 at most"):
        errata.load(run)


def deep(depth=100_000):
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "{}", '{"schema": "one"}', '{"schema": 1}', '{"schema": 1e999}', "\x00\xff", deep()],
    ids=["empty", "half", "null", "list", "nothing", "word", "bare", "infinite", "bytes", "deep"],
)
def test_a_malformed_record_is_one_error(stored, text):
    run, folder = stored
    (folder / "record.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(RecordBroken) as said:
        errata.load(run)
    assert len(str(said.value)) < 2000


def test_every_field_may_be_wrong(stored):
    """Each value of the record in turn is something else: never anything but one of errata's errors."""
    run, folder = stored
    whole = json.loads((folder / "record.json").read_text())
    kept = dict(whole)
    for name in kept:
        for wrong in (None, 7, "word", [], {}, [[]], {"a": {}}):
            (folder / "record.json").write_text(json.dumps(kept | {name: wrong}))
            try:
                errata.load(run)
            except ErrataError:
                continue


def test_rows_that_are_none(stored):
    run, folder = stored
    (folder / "rows.parquet").write_bytes(b"PAR1" + os.urandom(200) + b"PAR1")
    with pytest.raises(RecordBroken):
        errata.load(run)


def test_rows_that_would_unfold_are_refused(stored):
    """100 million equal values take a few kilobytes as Parquet, and gigabytes as a frame."""
    run, folder = stored
    table = pa.table({"a": pa.array([1]).dictionary_encode().take(pa.array([0] * 1000))})
    with pq.ParquetWriter(folder / "rows.parquet", table.schema, compression="zstd") as writer:
        chunk = pa.table({"a": pa.DictionaryArray.from_arrays(pa.array([0] * 10_000_000, pa.int64()), [1])})
        for _ in range(6):
            writer.write_table(chunk.cast(table.schema))
    assert (folder / "rows.parquet").stat().st_size < 2**20
    with pytest.raises(RecordBroken, match="60,000,000 rows of 1 columns"):
        errata.load(run)


def test_a_record_without_its_file_says_so(stored):
    run, folder = stored
    (folder / "record.json").unlink()
    with pytest.raises(RecordMissing):
        errata.load(run)


@pytest.mark.parametrize("place", ["../../etc", "/etc", "errata/../../..", "errata/../../../etc/passwd", "models", ""])
def test_a_tag_leads_nowhere_else(stored, place):
    run, _ = stored
    MlflowClient().set_tag(run, RECORD_TAG, place)
    with pytest.raises(ErrataError):
        errata.load(run)


@pytest.mark.parametrize("run", ["../../etc/passwd", "a" * 5000, "' OR 1=1 --", "..%2f..%2fetc", "\x00", "😀", ""])
def test_a_run_id_that_is_none(stored, run):
    with pytest.raises(ErrataError):
        errata.load(run)


@pytest.mark.parametrize(
    "summary",
    ["{", "[]", "null", "7", '{"value": 3}', '{"value": ["a"]}', '{"verdicts": {"x": {}}}', '{"verdicts": 5}'],
)
def test_a_malformed_summary_is_a_row_that_says_so(stored, logged, summary):
    run, _ = stored
    MlflowClient().set_tag(run, SUMMARY_TAG, summary)
    (row,) = search.runs(logged[0].info.experiment_id)
    assert row.failed == f"its tag {SUMMARY_TAG} cannot be read: {row.failed.split(': ')[1]}"
    assert row.run_id == run


def test_decisions_that_errata_never_wrote_are_skipped_and_large_ones_refused(stored):
    run, folder = stored
    place = folder / "decisions"
    place.mkdir()
    (place / "x.jsonl").write_text(f'null\n7\n{{"id": []}}\n{deep()}\n{{"id": 1, "given": 0}}\n\x00')
    assert len(errata.load_decisions(run)) == 0
    with (place / "y.jsonl").open("wb") as file:
        file.truncate(500 * 2**20)
    with pytest.raises(RecordBroken, match=r"y\.jsonl"):
        errata.load_decisions(run)


def test_a_row_of_a_whole_summary_is_as_before(stored, logged, record):
    (row,) = search.runs(logged[0].info.experiment_id)
    assert row.failed is None
    assert row.value == pytest.approx(record.summary.value.value, rel=1e-5)
    assert {name: said.found for name, said in row.verdicts.items()} == {
        name: result.found for name, result in record.results.items()
    }
    assert isinstance(pd.Timestamp(row.started), pd.Timestamp)
