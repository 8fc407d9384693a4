"""The queue of labels in a real Chromium: time from a key to the next row.

    python benchmarks/labels/keys.py [--labels 100] [--gap 300] [--columns 20] [--chromium /usr/bin/chromium]

Serves the app on a run of its own (20,000 rows), decides by keyboard, and measures in the page itself: from the key
down to the frame in which the next row stands there. A key that no row answers within three seconds counts as lost.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

import mlflow_errata as errata

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from serving import FLAGS, served

N = 20_000
WATCH = """() => {
  window.took = []; let pressed = null, before = null
  const row = () => document.querySelector('h5')?.innerText
  addEventListener('keydown', () => { pressed = performance.now(); before = row() }, true)
  new MutationObserver(() => {
    const now = row()
    if (pressed === null || !now || now === before) return
    const from = pressed; pressed = null
    requestAnimationFrame(() => window.took.push(performance.now() - from))
  }).observe(document.body, {subtree: true, childList: true, characterData: true})
}"""


def logged(folder: Path, columns: int) -> tuple[str, str]:
    """A store with one run: its URI and the run id."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(N, columns))
    truth = draw.random(N) < 1 / (1 + np.exp(-4 * x[:, 0]))
    y = np.where(draw.random(N) < 0.1, ~truth, truth)
    frame = pd.DataFrame(x, columns=[f"x{at}" for at in range(columns)]).assign(row=[f"r{at}" for at in range(N)])
    frame = frame.assign(score=1 / (1 + np.exp(-3 * x[:, 0])), y=np.where(y, "yes", "no"))
    record = errata.diagnose(frame, label="y", scores="score", id="row", budget=0)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    made = mlflow.create_experiment("queue", (folder / "artifacts").as_uri())
    with mlflow.start_run(experiment_id=made) as run:
        errata.log(record)
    return uri, run.info.run_id


def cpu_seconds(pid: int) -> float:
    """CPU that the app has used (Linux)."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def presses(address: str, labels: int, gap: int, chromium: str, pid: int) -> tuple[list[float], int, float]:
    """Milliseconds of every answered key, the keys that were lost, and the app's CPU seconds."""
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}/labels?by=bench")
        page.get_by_role("button", name="Keep").wait_for(timeout=90_000)
        page.wait_for_timeout(1500)
        page.evaluate(WATCH)
        lost, before = 0, cpu_seconds(pid)
        for at in range(labels):
            known = page.evaluate("window.took.length")
            page.keyboard.press("kaeu12"[at % 6])
            try:
                page.wait_for_function(f"window.took.length > {known}", timeout=3000, polling=100)
            except Exception:  # noqa: BLE001 - a lost key is a figure, not an end
                lost += 1
            page.wait_for_timeout(gap)
        took, used = page.evaluate("window.took"), cpu_seconds(pid) - before
        browser.close()
    return took, lost, used


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--gap", type=int, default=300, help="milliseconds of looking at a row")
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        uri, run = logged(Path(folder), told.columns)
        with served(uri) as (address, pid):
            took, lost, used = presses(address, told.labels, told.gap, told.chromium, pid)
        stored = len(errata.load_decisions(run, tracking_uri=uri))
        os.chdir("/")
    middle, most, worst = np.quantile(took, [0.5, 0.95, 1])
    load = os.getloadavg()[0]
    print(
        f"{told.labels} labels, load {load:.1f} on {os.cpu_count()} cores: key to next row {middle:.0f} ms (median), "
        f"{most:.0f} ms (95th percentile), {worst:.0f} ms at most; {lost} keys lost; {stored} decisions stored; "
        f"{1000 * used / told.labels:.0f} ms of CPU per key in the app"
    )


if __name__ == "__main__":
    main()
