"""Data faults in words: every kind, and what comes from one feed said once."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

import pytest

from mlflow_errata.blocks import NotMade, Table, Text
from mlflow_errata.diagnoses.data_faults import CODES, DataFaults, Fault, Kind
from mlflow_errata.sections import data_faults

FIRST, LAST = datetime(2024, 12, 30, 6), datetime(2025, 1, 1, 4, 30)


@pytest.fixture
def fault(rate):
    def build(kind, column="temp", *, alarm=True, **fields):
        return Fault(kind, column, 120, rate(0.99, 0.95, 1.0, unit="share of rows"), alarm, **fields)

    return build


def result(*faults):
    return DataFaults(faults, 12, True, True)


def said(record_of, *faults):
    return data_faults.verdict(result(*faults), record_of())


@pytest.mark.parametrize(
    ("kind", "fields", "sentence"),
    [
        ("leak", {}, "Column temp is by itself a near-perfect predictor of late (skill 99.0 % (95.0 to 100 %), 1 is"),
        (
            "missingness",
            {"label": 1},
            "Column temp is missing in 120 rows, and that gives the label away: late is 1 in",
        ),
        ("in_train", {"column": None}, "120 rows (99.0 %) stand in the training data, too."),
        ("contradicted", {"column": None}, "120 rows (99.0 %) are alike in every column that the model sees, with"),
        ("id_like", {}, "Column temp is like an id: nearly every row has a value of its own."),
        ("constant", {}, "Column temp is constant, and was not in the training data."),
        ("constant", {"start": FIRST, "end": LAST}, "Column temp is at a standstill: one value from 30 Dec 2024 06:00"),
        ("newly_missing", {}, "Column temp is missing far more often than in the training data: in 99.0 % of the rows"),
        ("newly_missing", {"start": FIRST}, "Column temp is missing far more often since 30 Dec 2024 06:00 than befo"),
        ("outage", {"start": FIRST, "end": LAST}, "Column temp is missing from 30 Dec 2024 06:00 to 1 Jan 2025 04:30"),
    ],
)
def test_every_kind_reads(fault, record_of, kind, fields, sentence):
    found = said(record_of, fault(kind, **fields))
    assert found.status == "bad"
    assert found.sentence.startswith(sentence)


def test_every_kind_has_its_words():
    for table in (CODES, data_faults.SENTENCES, data_faults.WHAT, data_faults.WHY):
        assert list(table) == list(get_args(Kind))


def test_columns_of_one_feed_are_said_once(fault, record_of):
    dark = [fault("outage", name, start=FIRST, end=LAST) for name in ("humid", "temp", "wind")]
    found = said(record_of, fault("leak"), *dark)
    assert found.sentence.endswith("1 more fault below.")
    blocks = data_faults.section(result(fault("leak"), *dark), record_of())
    texts = [block.sentence for block in blocks if isinstance(block, Text)]
    assert sum(text.startswith("Columns humid, temp and wind are missing from") for text in texts) == 1
    assert [row[0] for row in blocks[-1].rows] == ["ERR101", "ERR108", "ERR108", "ERR108"]


def test_what_does_not_reach_the_model_is_no_alarm(fault, record_of):
    aside = fault("leak", alarm=False)
    found = said(record_of, aside)
    assert found.status == "good"
    assert found.sentence == "No fault that reaches the model, in 12 columns. 1 oddity that the model does not lean on."
    blocks = data_faults.section(result(aside), record_of())
    assert any("The model does not lean on it." in getattr(block, "sentence", "") for block in blocks)


def test_nothing_found_is_one_sentence_and_no_table(record_of):
    quiet = DataFaults((), 12, False, False)
    blocks = data_faults.section(quiet, record_of())
    assert blocks[0].sentence == "No fault that reaches the model, in 12 columns."
    assert "Without training rows (train=) and times (time=) there was less to compare with." in blocks[1].sentence
    assert not any(isinstance(block, Table) for block in blocks)


def test_not_made(record_of):
    assert data_faults.not_made("needs 50 rows; there are 3", record_of()) == NotMade(
        "Data faults were not looked for: the search needs 50 rows; there are 3."
    )
