"""Calibration in words: hand-made results, every verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from mlflow_errata.blocks import Chart, NotMade, Table
from mlflow_errata.diagnoses.calibration import (
    Brier,
    Calibration,
    CalibrationSlice,
    CalibrationWindow,
    ReliabilityBin,
)
from mlflow_errata.sections import calibration


@pytest.fixture
def result(rate):
    def window(month, gap, *, off):
        return CalibrationWindow(
            start=datetime(2024, month, 1),
            end=datetime(2024, month + 1, 1),
            support=500,
            said=0.3,
            happened=0.3 + gap,
            gap=rate(gap, gap - 0.02, gap + 0.02, unit="happened - said"),
            off=off,
        )

    return Calibration(
        of=1,
        bins=(
            ReliabilityBin(0.0, 0.2, 500, 0.1, rate(0.11, 0.09, 0.13, unit="happened")),
            ReliabilityBin(0.2, 0.9, 500, 0.5, rate(0.4, 0.36, 0.44, unit="happened")),
        ),
        error=rate(0.05, 0.03, 0.07, n=1000, unit="calibration error"),
        plain_error=0.055,
        said=0.3,
        gap=rate(-0.045, -0.07, -0.02, n=1000, unit="happened - said"),
        p_value=0.001,
        scale=0.25,
        shape="too high",
        brier=Brier(rate(0.15, 0.14, 0.16, unit="brier_score"), 0.003, 0.04, 0.187),
        windows=(window(1, -0.01, off=False), window(2, -0.09, off=True)),
        unit="month",
    )


def of(blocks, kind):
    return [block for block in blocks if isinstance(block, kind)]


def test_slices_are_said_to_differ_not_to_be_worse(result, record_of, rate):
    right = CalibrationSlice("district == 'North'", 500, 0.3, 0.299, rate(-0.001, -0.02, 0.02, unit="happened - said"))
    table = of(calibration.section(replace(result, slices=(right,)), record_of()), Table)[-1]
    assert "differs from that of all rows (-4.5 %)" in table.caption


def test_a_shape_is_named_with_the_means_and_the_error(result, record_of):
    said = calibration.verdict(result, record_of())
    assert said.status == "bad"
    assert said.sentence == (
        "Probabilities of 1 are too high. On average 30.0 % is said and 25.5 % happens. The calibration error is 5.0 % "
        "(3.0 to 7.0 %). It is off in 1 window by itself."
    )


def test_a_window_alone_is_named(result, record_of):
    said = calibration.verdict(replace(result, shape=None), record_of())
    assert said.status == "bad"
    assert "off in 1 window of 2, most from Feb 2024 on: 30.0 % said, 21.0 % happened" in said.sentence


def test_agreement_says_from_where_it_would_count(result, record_of):
    said = calibration.verdict(replace(result, shape=None, windows=()), record_of())
    assert (said.status, said.sentence) == (
        "good",
        "Probabilities of 1 agree with what happens. The calibration error is 5.0 % (3.0 to 7.0 %); it would count "
        "from 2.5 %.",
    )


def test_numbers_are_no_percent(result, record_of):
    blocks = calibration.section(replace(result, of=None, brier=None), record_of(task="regression"))
    assert blocks[0].sentence.startswith("Predictions are too high. On average 0.300 is said and 0.255 happens.")
    assert of(blocks, Table)[0].columns[0].kind == "number"


def test_bins_are_told_by_whether_the_interval_holds_what_was_said(result, record_of):
    curve, over_time = of(calibration.section(result, record_of()), Chart)
    assert [row["series"] for row in curve.spec["data"]["values"]] == [
        calibration.AGREES.words,
        calibration.DIFFERS.words,
    ]
    assert [row["series"] for row in over_time.spec["data"]["values"]] == [calibration.ON.words, calibration.OFF.words]


def test_not_made_says_what_to_add(record_of):
    reason = "needs scores; only predicted labels were given"
    assert calibration.not_made(reason, record_of()) == NotMade(
        "Without scores, calibration is not judged.", "Add scores=..., the column(s) with the probabilities."
    )
    assert calibration.not_made("needs 50 rows; there are 3", record_of()).reason == (
        "Calibration was not judged: it needs 50 rows; there are 3."
    )


def test_slices_are_listed_and_named_where_they_alone_are_off(result, record_of, rate):
    told = CalibrationSlice("carrier == 'EV'", 400, 0.3, 0.42, rate(0.12, 0.08, 0.16, unit="happened - said"))
    result = replace(result, shape=None, windows=(), slices=(told,))
    said = calibration.verdict(result, record_of())
    assert said.status == "bad"
    assert "are off in 1 slice, most where carrier == 'EV': 30.0 % said, 42.0 % happened." in said.sentence
    table = of(calibration.section(result, record_of()), Table)[-1]
    assert table.rows == (("carrier == 'EV'", 400, 0.3, 0.42, 0.12, "8.0 to 16.0 %"),)
