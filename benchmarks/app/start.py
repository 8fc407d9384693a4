"""From `errata ui` typed in a shell to the verdict on the screen, cold and warm, in a real Chromium.

    python benchmarks/app/start.py [--tracking-uri sqlite:///.demo/mlflow.db] [--times 5]

Cold: a new server and a new browser tab, the browser's own start not counted. Warm: the page opened once more on the
same server. The server's CPU time up to the first verdict depends less on how busy the machine is. What counts most is
whether the libraries are compiled: where nothing may write bytecode (PYTHONDONTWRITEBYTECODE, a read-only file system)
and the installer did not, every start compiles 2,300 modules. `--python` starts the errata of another environment.
Prints the median and the slowest.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

STORE = f"sqlite:///{Path(__file__).resolve().parents[2] / '.demo' / 'mlflow.db'}"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
MOST = 120
NAMES = ("server answers", "first verdict", "CPU of it", "opened again")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(address: str) -> bool:
    """Whether the app's server is up."""
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):  # noqa: S310 - our own server
            return True
    except OSError:
        return False


def until_the_verdict(browser: Browser, address: str) -> float:
    """The moment at which a new tab shows the title of the next step."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address, wait_until="commit")
    page.get_by_role("heading", level=1).wait_for(timeout=MOST * 1000)
    shown = time.perf_counter()
    page.close()
    return shown


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processors."""
    told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def once(browser: Browser, tracking_uri: str, python: str = sys.executable) -> tuple[float, float, float, float]:
    """Seconds to the first answer, to the first verdict, of CPU for it, and to the verdict when opened again."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [python, "-m", "mlflow_errata.cli", "ui", "--tracking-uri", tracking_uri, "--port", str(port)]
    began = time.perf_counter()
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers(address):
            if running.poll() is not None or time.perf_counter() - began > MOST:
                raise SystemExit("the app did not start")
            time.sleep(0.02)
        up = time.perf_counter() - began
        cold = until_the_verdict(browser, address) - began
        used = cpu_seconds(running.pid)
        again = time.perf_counter()
        warm = until_the_verdict(browser, address) - again
    finally:
        running.terminate()
        running.wait(30)
    return up, cold, used, warm


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracking-uri", default=STORE)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--python", default=sys.executable, help="interpreter of the environment that is started")
    wanted = parser.parse_args()
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        seen = [once(browser, wanted.tracking_uri, wanted.python) for _ in range(wanted.times)]
        browser.close()
    for name, values in zip(NAMES, zip(*seen, strict=True), strict=True):
        print(f"{name:>15}: median {statistics.median(values):5.2f} s, slowest {max(values):5.2f} s of {len(values)}")


if __name__ == "__main__":
    main()
