"""Rebuild yeast_multilabel.parquet from river==0.26.1, and say whether the result equals the file here.

pip install --no-deps --target FOLDER river==0.26.1
python examples/data/yeast/rebuild.py FOLDER [--write]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

SAMPLE = Path(__file__).with_name("yeast_multilabel.parquet")


def rebuilt(folder: Path) -> pd.DataFrame:
    """The table from the package."""
    rows = pd.read_csv(folder / "river" / "datasets" / "yeast.csv.gz")
    labels = [name for name in rows if name.startswith("Class")]
    numbers = [name for name in rows if name not in labels]
    return rows[[*numbers, *labels]].astype(dict.fromkeys(numbers, "float32") | dict.fromkeys(labels, "int64"))


def main() -> None:
    """Compare, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="replace yeast_multilabel.parquet")
    wanted = parser.parse_args()
    rows = rebuilt(wanted.folder)
    if wanted.write:
        rows.to_parquet(SAMPLE, compression="zstd", index=False)
    pd.testing.assert_frame_equal(rows, pd.read_parquet(SAMPLE), check_exact=True)
    print(f"{SAMPLE.name}: {len(rows):,} rows, equal to the rebuilt table in every value")


if __name__ == "__main__":
    main()
