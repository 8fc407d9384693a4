"""Milliseconds from a click to the picked slice on the Slices page, in a real Chromium.

    OMP_NUM_THREADS=1 python benchmarks/app/slices.py [--slices 8 500] [--clicks 30]

A record of 20,000 rows is diagnosed, its slices are copied under other names until there are as many as asked for, and
the record is logged into a store of its own. Then rows of the table, dots of the chart and the next button are clicked
in turn; a click ends when the title of the picked slice has changed and no part of the page is stale.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

import mlflow_errata as errata
from mlflow_errata.predicates import Equals

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from serving import FLAGS, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHANGED = "before => { const found = document.querySelector('h3'); return found && found.innerText !== before; }"
SETTLED = "() => document.querySelectorAll('[data-stale=\"true\"]').length === 0"


def record_of(n_slices: int) -> errata.Record:
    """A record with slices that fail, as many as asked for."""
    draw, n = np.random.default_rng(0), 20_000
    rows = pd.DataFrame({f"word {at}": draw.choice(list("abcde"), n) for at in range(12)})
    chance = 0.05 + sum(0.1 * (rows[f"word {at}"] == "a") for at in range(8))
    y = draw.integers(0, 2, n)
    at = pd.date_range("2024-01-01", periods=n, freq="h")
    rows = rows.assign(at=at, y=y, p=np.where(draw.random(n) < chance, 1 - y, y))
    record = errata.diagnose(rows, label="y", prediction="p", time="at", budget=0)
    found = record.results["slice_errors"]
    slices = found.slices
    while len(slices) < n_slices:
        more = [
            replace(item, predicates=(*item.predicates, Equals("word 11", f"v{len(slices)}"))) for item in found.slices
        ]
        slices = (*slices, *(replace(item, support=item.support + len(slices) + at) for at, item in enumerate(more)))
        slices = tuple({item.id: item for item in slices}.values())
    changed = replace(found, slices=slices[:n_slices])
    return replace(record, results={**record.results, "slice_errors": changed})


def logged(record: errata.Record, folder: Path) -> str:
    """A store with one run; its URI."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    with mlflow.start_run(experiment_id=mlflow.create_experiment("speed", (folder / "a").as_uri())):
        errata.log(record, strict=True)
    return uri


def timed(page: Page, act: object) -> float:
    """Milliseconds until another slice is shown, whole."""
    before = page.locator("h3").first.inner_text()
    start = time.perf_counter()
    act()  # type: ignore[operator]
    page.wait_for_function(CHANGED, arg=before, polling=10)
    page.wait_for_function(SETTLED, polling=10)
    took = 1000 * (time.perf_counter() - start)
    page.wait_for_timeout(300)
    return took


def measure(address: str, clicks: int) -> dict[str, list[float]]:
    """Milliseconds of each kind of click."""
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.goto(f"{address}/slices")
        page.locator("h3").first.wait_for(timeout=120_000)
        page.wait_for_timeout(2000)
        found: dict[str, list[float]] = {"table row": [], "next": [], "chart dot": []}
        for at in range(clicks):
            row = 1 + at % 6
            box = page.get_by_test_id("stDataFrame").first.bounding_box() or {"x": 0, "y": 0}
            found["table row"].append(
                timed(page, lambda row=row, box=box: page.mouse.click(box["x"] + 16, box["y"] + 38 + 35 * row + 15))
            )
            found["next"].append(timed(page, lambda: page.keyboard.press("n")))
            dot = page.locator("[data-testid=stVegaLiteChart] svg .mark-symbol.role-mark path").nth(0)
            found["chart dot"].append(timed(page, lambda dot=dot: dot.click(force=True)))
        browser.close()
    return found


def main() -> None:
    """Print a line for each number of slices and kind of click."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--slices", type=int, nargs="+", default=[8, 500])
    parser.add_argument("--clicks", type=int, default=20)
    given = parser.parse_args()
    for n in given.slices:
        with tempfile.TemporaryDirectory() as folder, served(logged(record_of(n), Path(folder))) as (address, _):
            for kind, took in measure(address, given.clicks).items():
                ends = statistics.quantiles(took, n=20)
                print(f"{n:>4} slices, {kind:<10}: p50 {statistics.median(took):4.0f} ms, p95 {ends[-1]:4.0f} ms")


if __name__ == "__main__":
    main()
