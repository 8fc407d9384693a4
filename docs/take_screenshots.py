"""Screenshots of every page, light and dark, on the demo store.

    make demo-data && .venv/bin/python docs/take_screenshots.py

Needs Debian's chromium. Writes docs/screenshots/<page>_<theme>.png.
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
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from mlflow_errata.tracking import search

HERE = Path(__file__).parent
PAGES = {"next_step": ""} | {
    name: name for name in ("slices", "labels", "over_time", "classes", "metric", "compare", "history")
}
BROWSER_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main() -> None:
    """Serve the store, open every page in both themes, and save what is seen."""
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
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        with sync_playwright() as tool:
            browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_FLAGS)
            for theme in ("light", "dark"):
                size = {"width": wanted.width, "height": wanted.height}
                page = browser.new_page(viewport=size, color_scheme=theme)
                for name, path in PAGES.items():
                    shoot(
                        page,
                        f"http://127.0.0.1:{port}/{path}{link}",
                        wanted.out / f"{name}_{theme}.png",
                        full=wanted.full,
                    )
            browser.close()
    finally:
        server.terminate()
        server.wait()


def address_of(store: str, name: str) -> str:
    """The query that opens a run by its name."""
    for experiment in search.experiments(store):
        for row in search.runs(experiment.id, tracking_uri=store):
            if row.name == name:
                return "?" + urlencode({"experiment": experiment.name, "run": row.run_id})
    return ""


def shoot(page: Page, url: str, path: Path, *, full: bool) -> None:
    """One page, once it has stopped moving."""
    page.goto(url)
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton]')")
    page.wait_for_timeout(1500)
    if full:
        inner = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        size = page.viewport_size or {"width": 1280, "height": 800}
        page.set_viewport_size({"width": size["width"], "height": max(size["height"], inner + 80)})
        page.wait_for_timeout(700)
    page.screenshot(path=path)
    if full:
        page.set_viewport_size(size)
    print(path)


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
