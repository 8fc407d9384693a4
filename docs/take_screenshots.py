"""The walk-through: screenshots of every page, light and dark, and what each page says, from the demo store.

    make demo-data && .venv/bin/python docs/take_screenshots.py

Needs Debian's chromium. Writes docs/screenshots/<page>_<theme>.png and docs/walkthrough.md, which quotes the titles
that the pages had when they were taken.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from mlflow_errata.tracking import search

HERE = Path(__file__).parent
NEXT_STEP = """What to do now is the title; the sentence below it says what that gives and costs. The chart holds
every step that was tried beside doing nothing, each with its interval; the table adds the chance of being the best.
Select a step to read why and to copy its code. Mark a step as taken, or say why not: the next run, which calls
`errata.follow`, is measured against the promise. On the right, the findings behind it lead to their pages."""
LABELS = """The queue of labels that may be wrong. Keys decide: k keep, a accept, e exclude, u unsure, b back. Every
answer is stored at once, and the page says when there are enough of them to tell whether relabelling pays."""
PAGES = {
    "next_step": ("Next step", NEXT_STEP),
    "slices": (
        "Slices",
        "Where errors gather beyond chance, by what they cost. A selected slice shows its rows.",
    ),
    "labels": ("Labels", LABELS),
    "classes": ("Classes", "How often each class is seen and recognised, and whether predicted chances come true."),
    "over_time": ("Over time", "The metric window by window, when it changed, and which columns moved."),
    "metric": ("Metric", "Whether the metric serves the declared value, in this run and over runs."),
    "history": ("History", "Steps that were taken, what they promised and what they delivered; then every run."),
    "compare": ("Compare", "From the header: two runs on the rows that both can be judged on, and what changed."),
}
INTRODUCTION = """# A walk through the app

Written and photographed by `docs/take_screenshots.py` from the demo store.

## From nothing to the next step

1. `make demo` logs four runs on real flights and prints the address of the app.
2. Open it. A skeleton stands while MLflow loads; then the title says what to do in the newest run, and the sentence
   below it what that gives and costs. Nothing was clicked, nothing was read before.
3. *Why* on the right gives the findings, *Copy the code* the lines that take the step. That is the whole path; all
   other pages answer "show me".

Choose the run "1 buggy labels" to see a run whose labels have to be checked first; it is the one below.

## Above every page

The experiment, the run and the run beside it; the metric, behind which stand the age of the run and the mark of the
evaluation rows (runs of one mark were measured on the same rows); how many newer runs there are. *Share* copies a link
to exactly this view, downloads its tables (CSV) or its report (HTML), and opens the run in MLflow. Every choice stands
in the address.
"""
BROWSER_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
COLOURS = 256
STANDS = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"


def main() -> None:
    """Serve the store, open every page in both themes, save what is seen, and write the walk-through."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", default=f"sqlite:///{HERE.parent / '.demo' / 'mlflow.db'}")
    parser.add_argument("--out", type=Path, default=HERE / "screenshots")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=800)
    parser.add_argument("--run", default="1 buggy labels", help="name of the run to show")
    parser.add_argument("--full", action="store_true", help="the whole page, not the first screen")
    wanted = parser.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    link = address_of(wanted.store, wanted.run)
    port = free_port()
    command = [sys.executable, "-m", "mlflow_errata.cli", "ui", "--tracking-uri", wanted.store, "--port", str(port)]
    server = subprocess.Popen(command)
    titles: dict[str, str] = {}
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        with sync_playwright() as tool:
            browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_FLAGS)
            for theme in ("light", "dark"):
                size = {"width": wanted.width, "height": wanted.height}
                page = browser.new_page(viewport=size, color_scheme=theme)
                for name in PAGES:
                    address = f"http://127.0.0.1:{port}/{'' if name == 'next_step' else name}{link}"
                    titles[name] = shoot(page, address, wanted.out / f"{name}_{theme}.png", full=wanted.full)
            browser.close()
    finally:
        server.terminate()
        server.wait()
    if wanted.out == HERE / "screenshots":
        (HERE / "walkthrough.md").write_text(walkthrough(titles), encoding="utf-8")


def walkthrough(titles: dict[str, str]) -> str:
    """The walk-through as Markdown: each page, the title that it had, its picture in the reader's theme."""
    parts = [INTRODUCTION]
    for name, (page, said) in PAGES.items():
        picture = (
            f'<picture><source media="(prefers-color-scheme: dark)" srcset="screenshots/{name}_dark.png">'
            f'<img src="screenshots/{name}_light.png" alt="The page {page} of the demo" width="800"></picture>'
        )
        parts.append(f"## {page}: {titles[name]}\n\n{said}\n\n{picture}\n")
    return "\n".join(parts)


def address_of(store: str, name: str) -> str:
    """The query that opens a run by its name."""
    for experiment in search.experiments(store):
        for row in search.runs(experiment.id, tracking_uri=store):
            if row.name == name:
                return "?" + urlencode({"experiment": experiment.name, "run": row.run_id})
    return ""


def shoot(page: Page, url: str, path: Path, *, full: bool) -> str:
    """One page, once it has stopped moving, as a small picture; its title."""
    page.goto(url)
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_function(STANDS, timeout=60_000)
    page.wait_for_timeout(1500)
    size = page.viewport_size or {"width": 1280, "height": 800}
    if full:
        inner = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": size["width"], "height": max(size["height"], inner + 80)})
        page.wait_for_timeout(700)
    seen = Image.open(BytesIO(page.screenshot())).convert("RGB")
    seen.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    page.set_viewport_size(size)
    print(f"{path} {path.stat().st_size // 1024} KB")
    return page.get_by_role("heading", level=1).inner_text()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, seconds: float = 60) -> None:
    """Until a server answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit(f"no answer from {url}")


if __name__ == "__main__":
    main()
