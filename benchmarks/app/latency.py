"""How long a person waits for a page or a control, in a real Chromium.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/app/latency.py            the demo store (make demo-data)
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/app/latency.py --large    1,000 runs of 60 metrics and 500 slices

A page change counts from the click on its link until its title, and everything that Streamlit had to draw, stands
still; a control from the click until what it changes has changed. p50 and p95 in milliseconds, over `--turns` rounds
after one that warms the caches. The load of the machine is printed beside them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError, sync_playwright  # noqa: A004 - its own

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from serving import FLAGS, served

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
PAGES = ("Slices", "Labels", "Classes", "Over time", "Metric", "History", "Next step")
SETTLED = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    return app && app.getAttribute('data-test-script-state') === 'notRunning'
        && !document.querySelector('[data-stale=true]') && document.querySelector('h1');
}"""

LOOK = 600
"""Milliseconds that a person looks before using the next thing."""
WATCH = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    window.ran = false;
    new MutationObserver(() => {
        if (app.getAttribute('data-test-script-state') !== 'notRunning') window.ran = true;
    }).observe(app, {attributes: true});
}"""


def main() -> None:
    """Serve a store and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", default=f"sqlite:///{ROOT / '.demo' / 'mlflow.db'}")
    parser.add_argument("--large", action="store_true", help="make and use the large store")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--turns", type=int, default=15)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        uri = wanted.store
        if wanted.large:
            sys.path.insert(0, str(Path(__file__).parent))
            from large_store import make

            uri = make(Path(folder), wanted.store, runs=wanted.runs, slices=wanted.slices)
        with served(uri) as (address, _), sync_playwright() as tool:
            browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            measure(page, address, wanted.turns)
            browser.close()


def measure(page: Page, address: str, turns: int) -> None:
    """Every page change and every control, in turn."""
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_function(SETTLED, timeout=120_000)
    print(f"first page of a fresh server: {time.perf_counter() - started:.1f} s; load {os.getloadavg()[0]:.1f}")
    found: dict[str, list[float]] = {}
    lost = 0
    for turn in range(turns + 1):
        for name in PAGES:
            took = timed(page, lambda name=name: page.get_by_role("link", name=name, exact=True).click(), changes=True)
            if turn and took is not None:
                found.setdefault(f"page {name}", []).append(took)
            for control, use in controls(page).get(name, {}).items():
                took = timed(page, use)
                if turn and took is not None:
                    found.setdefault(f"control {control}", []).append(took)
                lost += took is None
    for name, times in found.items():
        print(line(name, times))
    for kind in ("page", "control"):
        print(line(f"all {kind}s", [took for name, times in found.items() if name.startswith(kind) for took in times]))
    print(f"clicks that came before the browser was ready: {lost}")
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")


def controls(page: Page) -> dict[str, dict[str, Callable[[], None]]]:
    """What is used on which page."""
    return {
        "Next step": {
            "another run": lambda: choose(page, "run"),
            "another run beside": lambda: choose(page, "against"),
            "select a step": lambda: row(page, "steps"),
        }
    }


def choose(page: Page, key: str) -> None:
    """Another option of a choice: the second, or the first where the second is chosen."""
    page.locator(f".st-key-{key} input").click()
    options = page.get_by_role("option")
    options.nth(1 if options.nth(0).get_attribute("aria-selected") == "true" else 0).click()


def row(page: Page, key: str) -> None:
    """The second row of a table, selected or not any more."""
    table = page.locator(f"[class*=st-key-{key}-] [data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    box = table.bounding_box() or {"x": 0, "y": 0}
    page.mouse.click(box["x"] + 16, box["y"] + 90)


def timed(page: Page, use: Callable[[], None], *, changes: bool = False) -> float | None:
    """Milliseconds from using something until the page stands still."""
    before = page.title()
    page.wait_for_timeout(LOOK)
    page.evaluate(WATCH)
    started = time.perf_counter()
    use()
    if changes:
        page.wait_for_function("before => document.title !== before", arg=before, timeout=30_000)
    else:
        try:
            page.wait_for_function("() => window.ran", timeout=5000)
        except TimeoutError:
            return None  # a click on a table that the browser had not drawn yet
    page.wait_for_function(SETTLED, timeout=60_000)
    return 1000 * (time.perf_counter() - started)


def line(name: str, times: list[float]) -> str:
    """p50, p95 and worst of one thing."""
    ordered = sorted(times)
    worst = ordered[-1]
    high = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    middle = statistics.median(times)
    return f"{name:32} p50 {middle:5.0f} ms   p95 {high:5.0f} ms   worst {worst:5.0f} ms   n {len(times)}"


if __name__ == "__main__":
    main()
