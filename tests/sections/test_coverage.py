"""Coverage of predicted quantiles in words and pictures."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from mlflow_errata.blocks import Chart, Table
from mlflow_errata.diagnoses._calibrated import CalibrationSlice
from mlflow_errata.diagnoses._calibrated_windows import CalibrationWindow
from mlflow_errata.diagnoses._coverage import Coverage, CoverageBin, Limit
from mlflow_errata.sections import _coverage

UNIT = "share of rows"


@pytest.fixture
def found(rate):
    def window(month, held, *, off):
        gap = rate(held - 0.9, held - 0.92, held - 0.88, unit="happened - said")
        return CalibrationWindow(datetime(2024, month, 1), datetime(2024, month + 1, 1), 500, 0.9, held, gap, off)

    return Coverage(
        limits=(
            Limit("low", 0.05, rate(0.1, 0.08, 0.12, unit=UNIT)),
            Limit("high", 0.95, rate(0.9, 0.88, 0.92, unit=UNIT)),
        ),
        nominal=0.9,
        covered=rate(0.8, 0.78, 0.82, n=1000, unit=UNIT),
        error=rate(0.1, 0.08, 0.12, n=1000, unit=UNIT),
        p_value=1e-6,
        shape="too narrow",
        width=3.25,
        n_crossed=0,
        bins=(
            CoverageBin(0.0, 5.0, 500, 2.5, rate(0.91, 0.88, 0.94, unit=UNIT)),
            CoverageBin(5.0, 9.0, 500, 7.0, rate(0.7, 0.66, 0.74, unit=UNIT)),
        ),
        windows=(window(1, 0.89, off=False), window(2, 0.7, off=True)),
        unit="month",
        slices=(CalibrationSlice("word == 'b'", 200, 0.9, 0.6, rate(-0.3, -0.35, -0.25, unit="happened - said")),),
    )


def of(blocks, kind):
    return [block for block in blocks if isinstance(block, kind)]


def test_every_verdict(found):
    held = "Intervals from low to high hold 80.0 % (78.0 to 82.0 %) of the labels and say 90.0 %"
    assert _coverage.verdict(found).sentence == f"Intervals are too narrow. {held}."
    uneven = _coverage.verdict(replace(found, shape="uneven"))
    assert uneven.sentence == f"Intervals are too narrow in places and too wide in others. {held}."
    window = _coverage.verdict(replace(found, shape=None))
    assert window.sentence == (
        "Intervals miss in 1 window of 2, most from Feb 2024 on, where 70.0 % of the labels lie within. "
        f"{held} over all rows."
    )
    inside = _coverage.verdict(replace(found, shape=None, windows=()))
    assert inside.sentence == (
        f"Intervals miss in 1 slice, most where word == 'b': 60.0 % of the labels lie within. {held} over all rows."
    )
    well = _coverage.verdict(replace(found, shape=None, windows=(), slices=()))
    assert (well.status, well.sentence) == ("good", f"Intervals hold what they say. {held}.")


def test_the_section_shows_quantiles_bins_windows_and_slices(found):
    blocks = _coverage.section(found)
    assert blocks[0].sentence.endswith("They are 3.25 wide on average.")
    quantiles, slices = of(blocks, Table)
    assert quantiles.rows[0] == ("low", 0.05, 0.1, "8.0 to 12.0 %")
    assert slices.rows == (("word == 'b'", 200, 0.6, "55.0 % to 65.0 %"),)
    over, windows = of(blocks, Chart)
    assert over.alt.endswith("2.50 said 91.0 % and 7.00 said 70.0 %.")
    assert windows.alt == "Labels within the predicted interval, per window: Jan 2024 89.0 % and Feb 2024 70.0 %."


def test_crossed_quantiles_and_one_alone(found):
    crossed = _coverage.section(replace(found, n_crossed=7))[0].sentence
    assert crossed.endswith("In 7 rows a quantile lies below one of a lower level.")
    alone = replace(found, limits=found.limits[1:], nominal=0.95, width=None)
    assert _coverage.verdict(alone).sentence.startswith("Intervals are too narrow. Intervals up to high hold 80.0 %")
