"""The app as `errata ui` serves it, for the benchmarks that drive it in a browser."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
"""What Chromium is started with."""


@contextmanager
def served(uri: str) -> Iterator[tuple[str, int]]:
    """The address of the app on a store, and the id of its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "mlflow_errata.cli", "ui", "--tracking-uri", uri, "--port", str(port)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):  # noqa: S310 - our own server
                    break
            except OSError:
                time.sleep(0.1)
        yield address, running.pid
    finally:
        running.terminate()
        running.wait(30)
