"""The weight slider of the Metric page in a real Chromium: time from a key to the charts of the next mix.

    python benchmarks/objectives/slider.py [--moves 60] [--gap 400] [--rows 100000] [--chromium /usr/bin/chromium]

Serves the app on a run of its own, moves the slider by keyboard, and measures in the page itself: from the key down to
the frame in which the sentence of the mix has changed, and to the last change of the page that follows (charts drawn).
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

WATCH = """() => {
  window.took = []; window.drawn = []; let pressed = null, said = false, before = null
  const mix = () => [...document.querySelectorAll('[data-testid=stMarkdown]')]
    .map(node => node.innerText).find(text => text.includes('% engagement'))
  window.press = () => { pressed = performance.now(); said = false; before = mix(); window.drawn.push(0) }
  addEventListener('keydown', window.press, true)
  new MutationObserver(() => {
    if (pressed === null) return
    const at = performance.now() - pressed
    if (!said && mix() && mix() !== before) { said = true; requestAnimationFrame(() =>
      window.took.push(performance.now() - pressed)) }
    if (said) window.drawn[window.drawn.length - 1] = at
  }).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true})
}"""


def logged(folder: Path, n: int) -> str:
    """A store with one run: its URI."""
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(2, n))
    rows = pd.DataFrame({"x": a, "quality": 1 / (1 + np.exp(-a)), "engagement": np.exp(b)})
    rows["liked"] = (draw.random(n) < rows["quality"]).astype(int)
    rows["minutes"] = np.exp(b + draw.normal(size=n))
    told = errata.Objectives(outcomes=["liked", "minutes"], scores=["quality", "engagement"], combine="product")
    record = errata.diagnose(rows, label="liked", scores="quality", features=["x"], objectives=told, budget=0)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    made = mlflow.create_experiment("weights", (folder / "artifacts").as_uri())
    with mlflow.start_run(experiment_id=made):
        errata.log(record)
    return uri


def moves(address: str, n: int, gap: int, chromium: str) -> tuple[list[float], list[float]]:
    """Milliseconds to the new sentence, and to the last change of the page, of every move."""
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.goto(f"{address}/metric")
        slider = page.get_by_role("slider")
        slider.wait_for(timeout=90_000)
        page.wait_for_timeout(3000)
        slider.focus()
        page.evaluate(WATCH)
        for at in range(n):
            known = page.evaluate("window.took.length")
            page.keyboard.press("ArrowLeft" if at % 20 < 10 else "ArrowRight")
            page.wait_for_function(f"window.took.length > {known}", timeout=10_000, polling=50)
            page.wait_for_timeout(gap)
        found = page.evaluate("[window.took, window.drawn]")
        browser.close()
    return found[0], found[1]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--moves", type=int, default=60)
    parser.add_argument("--gap", type=int, default=400, help="milliseconds of looking at a mix")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with served(logged(Path(folder), told.rows)) as (address, _):
            took, drawn = moves(address, told.moves, told.gap, told.chromium)
        os.chdir("/")
    for name, each in (("the new sentence", took), ("the last change of the page, charts drawn", drawn)):
        middle, most, worst = np.quantile(each, [0.5, 0.95, 1])
        print(f"{told.moves} moves, key to {name}: {middle:.0f} ms median, {most:.0f} ms 95th, {worst:.0f} ms at most")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
