"""Recency drift: windows that a reader can count, planted drops, and quiet data."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import recency_drift
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.diagnoses._windows import windows_of
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import resolve_metric


def diagnose(rows, metric=None, **roles):
    table = EvaluationTable.build(rows, **{"label": "y", "prediction": "p", "time": "at", **roles})
    return recency_drift.diagnose(table, Options(resolve_metric(metric, table.outcomes)))


def rows(n=3000, drop=0.0, since=0.75, seed=0, freq="h"):
    """A classifier that is right in 90 %, and `drop` less after a share `since` of the rows."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 2, n)
    right = draw.random(n) < 0.9 - drop * (np.arange(n) >= since * n)
    at = pd.date_range("2024-01-01", periods=n, freq=freq)
    return pd.DataFrame({"y": y, "p": np.where(right, y, 1 - y), "at": at, "x": draw.normal(size=n)})


@pytest.mark.parametrize(
    ("start", "n", "freq", "unit", "count"),
    [
        ("2024-01-01", 366, "D", "quarter", 4),
        ("2024-01-01", 300, "s", "equal count", 10),
        ("2024-01-01", 366 * 24, "h", "month", 12),
        ("2024-01-01", 91 * 24, "h", "week", 13),
        ("2024-01-01", 24 * 7 * 3, "10min", "day", 4),
        ("2015-01-01", 10 * 365, "D", "year", 10),
        ("2022-01-01", 2 * 365 * 4, "6h", "quarter", 8),
    ],
)
def test_the_calendar_unit_nearest_to_ten_windows(start, n, freq, unit, count):
    found = windows_of(pd.date_range(start, periods=n, freq=freq).to_numpy().astype("datetime64[us]"))
    assert (found.unit, len(found.starts)) == (unit, count)
    assert found.bounds[-1] == n


def test_windows_by_hand():
    times = pd.to_datetime(["2024-01-31", "2024-02-01", "2024-02-29", "2024-04-30"]).repeat(60)
    found = windows_of(times.to_numpy().astype("datetime64[us]"))
    assert (found.unit, list(found.bounds)) == ("day", [0, 60, 120, 180, 240])
    many = windows_of(pd.date_range("2024-01-15", "2024-06-10", freq="h").to_numpy().astype("datetime64[us]"))
    assert many.unit == "month"
    assert many.starts[0] == datetime(2024, 1, 1)
    assert many.ends[-1] == datetime(2024, 7, 1)
    assert list(np.diff(many.bounds))[1:3] == [29 * 24, 31 * 24]


def test_weeks_start_on_monday():
    found = windows_of(pd.date_range("2024-05-01", periods=70 * 24, freq="h").to_numpy().astype("datetime64[us]"))
    assert found.unit == "week"
    assert all(start.weekday() == 0 for start in found.starts)


def test_numbers_as_times_are_never_parted():
    years = np.repeat(np.arange(1977.0, 2003.0), 30)
    found = windows_of(years)
    assert found.unit == "equal count"
    assert set(years[found.bounds[:-1]]) == set(found.starts)


def test_a_window_holds_what_a_reader_counts():
    frame = rows(24 * 200)
    result = diagnose(frame)
    first = result.windows[0]
    inside = frame[(frame["at"] >= first.start) & (frame["at"] < first.end)]
    assert first.support == len(inside)
    assert first.metric.value == pytest.approx((inside["y"] == inside["p"]).mean())
    assert first.error.value == pytest.approx((inside["y"] != inside["p"]).mean())
    assert first.label_rate.value == pytest.approx(inside["y"].mean())
    assert first.prediction_rate.value == pytest.approx(inside["p"].mean())
    assert sum(window.support for window in result.windows) == len(frame)
    assert result.cut == next(window.start for window in result.windows if window.current)


def test_a_planted_drop_is_found_and_dated():
    result = diagnose(rows(24 * 300, drop=0.15))
    assert result.found
    assert result.change.high < 0
    first, last = result.onset_range
    assert first <= datetime(2024, 8, 13) <= last
    assert first <= result.onset <= last
    assert (last - first).days <= 20


def test_the_sign_follows_the_metric():
    worse = diagnose(rows(24 * 300, drop=0.15), metric="error_rate")
    assert worse.found
    assert worse.change.low > 0
    assert not diagnose(rows(24 * 300, drop=-0.09)).found


def test_false_alarms_and_power():
    """No drift: found in at most 2 % of 200 draws; ten points lower: found in at least 95 % of 100."""
    assert sum(diagnose(rows(2000, seed=seed)).found for seed in range(200)) <= 4
    assert sum(diagnose(rows(4000, drop=0.1, seed=seed)).found for seed in range(100)) >= 95


def test_a_moved_column_without_harm_is_shown_and_not_alarmed():
    frame = rows()
    frame["x"] += np.where(np.arange(len(frame)) > 0.75 * len(frame), 1.0, 0.0)
    result = diagnose(frame)
    assert not result.found
    shift = result.shifts[0]
    assert (shift.column, shift.found) == ("x", True)
    assert shift.floor == pytest.approx(9 * (1 / result.reference.n + 1 / result.current.n))


def test_small_shifts_of_many_rows_are_no_alarm():
    draw = np.random.default_rng(0)
    n = 100_000
    frame = pd.DataFrame({"y": draw.integers(0, 2, n), "at": pd.date_range("2024", periods=n, freq="min")})
    frame["p"] = np.where(draw.random(n) < 0.9, frame["y"], 1 - frame["y"])
    frame["x"] = draw.normal(size=n) + 0.02 * (np.arange(n) > 0.75 * n)
    result = diagnose(frame)
    assert not result.found
    assert not any(shift.found for shift in result.shifts)


def test_what_is_typical_of_large_numbers_has_no_exponent():
    frame = rows()
    frame["income"], frame["share"] = 33_440 + np.arange(len(frame)) % 3, 0.25
    typical = {shift.column: shift.reference for shift in diagnose(frame).shifts}
    assert (typical["income"], typical["share"]) == ("33,441", "0.25")


def test_new_levels_and_newly_missing_values_are_shifts():
    frame = rows()
    newer = np.arange(len(frame)) > 0.75 * len(frame)
    draw = np.random.default_rng(1)
    frame["place"] = np.where(newer & (draw.random(len(frame)) < 0.3), "new", draw.choice(["a", "b"], len(frame)))
    frame["gap"] = pd.Series(draw.normal(size=len(frame))).mask(newer & (draw.random(len(frame)) < 0.9))
    found = {shift.column: shift.found for shift in diagnose(frame).shifts}
    assert found == {"place": True, "gap": True, "x": False}


def test_columns_without_drift_are_seldom_found():
    """5 columns in 60 draws under false-discovery control: at most 3 draws name any."""
    draws = 0
    for seed in range(60):
        frame = rows(1000, seed=seed)
        draw = np.random.default_rng(seed)
        for name in "abcd":
            frame[name] = draw.choice(list("uvwxyz"), len(frame))
        draws += any(shift.found for shift in diagnose(frame).shifts)
    assert draws <= 3


# -- why --------------------------------------------------------------------------------------------------------------


def planted(kind, seed=0, n=5000, days=365):
    """Scores of a logistic model of three columns; the newest quarter (or every second half-year) differs by kind."""
    draw = np.random.default_rng(seed)
    at = pd.Timestamp("2023-01-01") + pd.to_timedelta(np.sort(draw.random(n)) * days, unit="D")
    newer, x = np.arange(n) >= 0.75 * n, draw.normal(size=(n, 3))
    place = draw.choice(["a", "b", "c"], n)
    if kind == "covariate":  # more rows near the boundary
        x[newer, 0] *= 0.35
    level = -2.0 if kind == "prior" else 0.0
    logit = x @ [2.0, -1.3, 0.6] + level
    true = logit.copy()
    if kind == "concept":
        true = np.where(newer, x @ [0.4, -1.3, -0.6], logit)
    if kind == "unseen":
        place = np.where(newer & (draw.random(n) < 0.4), "d", place)
        true = np.where(place == "d", -logit, logit)
    if kind == "season":
        true = np.where(at.day_of_year > 183, 0.3 * logit, logit)
    frame = pd.DataFrame(x, columns=list("uvw")).assign(place=place, at=at)
    frame["score"], frame["y"] = 1 / (1 + np.exp(-logit)), (draw.random(n) < 1 / (1 + np.exp(-true))).astype(int)
    if kind == "prior":  # half of the newer rows positive, each like the positive rows of before
        sides = [np.flatnonzero(frame["y"] == side) for side in (0, 1)]
        drawn = np.where(draw.random(n) < 0.5, draw.choice(sides[0], n), draw.choice(sides[1], n))
        frame = frame.iloc[np.where(newer, drawn, np.arange(n))].assign(at=at)
    return frame.reset_index(drop=True)


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
@pytest.mark.parametrize("kind", ["concept", "covariate", "prior", "unseen"])
def test_a_planted_cause_is_named(kind, metric):
    found = [diagnose(planted(kind, seed), metric, prediction=None, scores="score").cause for seed in range(8)]
    assert found.count(kind) >= 7


def test_a_season_is_named_and_no_alarm():
    results = [
        diagnose(planted("season", seed, 9000, 730), "log_loss", prediction=None, scores="score") for seed in range(8)
    ]
    assert all(result.worse for result in results)
    assert sum(result.cause == "season" and not result.found for result in results) >= 7
    assert all(result.onset is None for result in results if result.cause == "season")
    first_year = diagnose(planted("season", 0, 5000, 365), "log_loss", prediction=None, scores="score")
    assert first_year.season is None
    assert first_year.found


def test_the_parts_add_up_to_the_change():
    result = diagnose(planted("concept"), "log_loss", prediction=None, scores="score")
    split = result.split
    assert split.covariate.value + split.concept.value + split.unseen.value == pytest.approx(result.change.value)
    assert split.concept.low > 0
    assert split.prior is None or abs(split.prior.value - result.change.value) < 0.1


def test_new_classes_are_named_and_blamed():
    frame = rows(4000, freq="2h").replace({"y": {0: "no", 1: "yes"}, "p": {0: "no", 1: "yes"}})
    late = (np.arange(4000) >= 2900) & (np.random.default_rng(0).random(4000) < 0.3)
    result = diagnose(frame.assign(y=frame["y"].where(~late, "maybe")))
    assert [(item.label, item.support) for item in result.new_classes] == [("maybe", int(late.sum()))]
    assert (result.found, result.cause) == (True, "unseen")
    assert not diagnose(frame).new_classes
    known = frame.assign(y=frame["y"].where(~late, "maybe"))
    assert not diagnose(known, train=known).new_classes


def test_new_levels_and_numbers_out_of_range_are_counted():
    frame = rows(2000)
    newer = np.arange(2000) >= 1800
    frame = frame.assign(place=np.where(newer, "new", "old"), size=np.where(newer, 9.0, frame["x"]))
    shifts = {shift.column: shift for shift in diagnose(frame).shifts}
    n = diagnose(frame).current.n
    assert (shifts["place"].new_levels, shifts["place"].unseen) == (("new",), pytest.approx(200 / n))
    assert shifts["size"].unseen >= 200 / n
    assert shifts["x"].unseen < 0.01


def test_rows_without_a_time_are_left_out_and_counted():
    frame = rows()
    frame.loc[::10, "at"] = pd.NaT
    result = diagnose(frame)
    assert result.n_untimed == 300
    assert sum(window.support for window in result.windows) == 2700


def test_not_applicable():
    frame = rows()
    with pytest.raises(NotApplicable, match="needs a time column"):
        diagnose(frame, time=None)
    with pytest.raises(NotApplicable, match="needs 100 rows with a time; there are 99"):
        diagnose(frame.head(99))
    with pytest.raises(NotApplicable, match="all rows have the same time"):
        diagnose(frame.assign(at=pd.Timestamp("2024-01-01")))


def test_distances_of_a_column_against_scipy():
    frame = rows(2000)
    frame.loc[1500:, "x"] += 0.5
    frame.loc[1900:, "x"] = np.nan
    frame["word"] = np.where(np.arange(2000) % 4, "a", "b")
    result = diagnose(frame)
    shifts = {shift.column: shift for shift in result.shifts}
    since = frame["at"] >= result.cut
    old, new = frame["x"][~since], frame["x"][since]
    assert (shifts["x"].missing_before, shifts["x"].missing_now) == (0, pytest.approx(new.isna().mean(), abs=1e-9))
    wanted = ks_2samp(old, new.dropna()).statistic
    assert shifts["x"].kolmogorov_smirnov == pytest.approx(wanted, abs=1e-9)
    wanted = wasserstein_distance(old, new.dropna()) / old.std(ddof=0)
    assert shifts["x"].wasserstein == pytest.approx(wanted, abs=1e-9)
    counts = [part["word"].value_counts().sort_index() for part in (frame[~since], frame[since])]
    assert shifts["word"].jensen_shannon == pytest.approx(jensenshannon(*counts, base=2), abs=1e-9)
    assert shifts["word"].wasserstein is None


def worse_in_b(seed=0, drop=0.3):
    """Accuracy .9, and `drop` less on the newest quarter of level b."""
    draw = np.random.default_rng(seed)
    frame = rows(4000, seed=seed)
    frame["word"] = draw.choice(list("abcd"), 4000)
    bad = (frame["word"] == "b") & (np.arange(4000) >= 3000) & (draw.random(4000) < drop)
    return frame.assign(p=np.where(bad, 1 - frame["y"], frame["p"]))


def test_the_slice_that_worsened_most():
    frame = worse_in_b(drop=0.5)
    result = diagnose(frame)
    assert [item.condition for item in result.worsened] == ["word == 'b'"]
    told, since = result.worsened[0], frame["at"] >= result.cut
    for side, measured in ((~since, told.before), (since, told.now)):
        inside = frame[side & (frame["word"] == "b")]
        assert measured.n == len(inside)
        assert measured.value == pytest.approx((inside["y"] != inside["p"]).mean(), abs=1e-9)
    assert told.change.value == pytest.approx(told.now.value - told.before.value)


def test_slices_that_worsened_as_all_did_are_not_named():
    draw = np.random.default_rng(0)
    found = []
    for seed in range(40):
        frame = rows(3000, drop=0.2, seed=seed).assign(word=draw.choice(list("abcd"), 3000))
        result = diagnose(frame)
        found.append(bool(result.worsened))
        assert result.worse
    assert sum(found) <= 4


# -- many classes -----------------------------------------------------------------------------------------------------


def classes(seed=0, n=4000, now=(0.5, 0.3, 0.2)):
    draw = np.random.default_rng(seed)
    newer = np.arange(n) >= 0.75 * n
    y = np.where(newer, draw.choice(list("abc"), n, p=now), draw.choice(list("abc"), n, p=[0.5, 0.3, 0.2]))
    p = np.where(draw.random(n) < 0.8, y, draw.choice(list("abc"), n))
    return pd.DataFrame({"x": draw.normal(size=n), "y": y, "p": p, "at": pd.date_range("2024", periods=n, freq="h")})


def test_shares_of_many_classes_before_and_now():
    frame = classes(now=(0.3, 0.3, 0.4))
    result = diagnose(frame)
    newer = frame["at"] >= result.cut
    assert {item.label for item in result.classes} == {"a", "b", "c"}
    for item in result.classes:
        assert item.before.value == pytest.approx((frame["y"][~newer] == item.label).mean(), abs=1e-9)
        assert item.now.value == pytest.approx((frame["y"][newer] == item.label).mean(), abs=1e-9)
        assert item.change.value == pytest.approx(item.now.value - item.before.value, abs=1e-9)
        assert item.said_before == pytest.approx((frame["p"][~newer] == item.label).mean(), abs=1e-9)
        assert item.said_now == pytest.approx((frame["p"][newer] == item.label).mean(), abs=1e-9)
    assert {item.label: item.moved for item in result.classes} == {"a": True, "c": True, "b": False}
    assert [item.moved for item in result.classes] == [True, True, False]


def test_shares_that_stay_move_in_one_draw_of_twenty():
    assert sum(any(item.moved for item in diagnose(classes(seed)).classes) for seed in range(100)) <= 8
    assert diagnose(rows()).classes == ()  # of two classes the label rate says it
    weighted = diagnose(classes().assign(w=np.where(np.arange(4000) % 2, 3.0, 1.0)), weight="w")
    assert sum(item.before.value for item in weighted.classes) == pytest.approx(1)
