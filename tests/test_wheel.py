"""What a user gets from the wheel: the app with its settings, the demo, nothing else; run by hand it keeps them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sockets = pytest.importorskip("websockets.sync.client")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The unpacked wheel, as an installer lays it out."""
    pytest.importorskip("hatchling")
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place / "dist")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (place / "dist").glob("*.whl")
    assert wheel.stat().st_size < 2 * 2**20
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(place / "site")
    return place / "site"


def test_everything_is_in_it(installed):
    for name in (
        *("errata_app/.streamlit/config.toml", "errata_app/favicon.svg", "errata_app/served.py", "errata_app/app.py"),
        *("mlflow_errata/py.typed", "mlflow_errata/report.css", "mlflow_errata/server.py"),
        *("mlflow_errata/pages/ERR101.md", "mlflow_errata/pages/ERR502.md"),
        *("mlflow_errata/demo/flights.py", "mlflow_errata/demo/data/flights/flights.parquet"),
    ):
        assert (installed / name).is_file(), name
    tops = {path.name.split("-")[0] for path in installed.iterdir()}
    assert tops == {"errata_app", "mlflow_errata"}
    (points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "[mlflow.app]\nerrata = mlflow_errata.server:create_app" in points.read_text()


def test_the_settings_are_safe(installed):
    told = tomllib.loads((installed / "errata_app" / ".streamlit" / "config.toml").read_text())
    assert told["browser"]["gatherUsageStats"] is False
    assert told["runner"]["magicEnabled"] is False
    wanted = {"showErrorDetails": "type", "showErrorLinks": False, "toolbarMode": "viewer"}
    assert told["client"] | wanted == told["client"]
    wanted = {
        "address": "127.0.0.1",
        "allowedHosts": ["localhost", "127.0.0.1", "::1"],
        "enableXsrfProtection": True,
        "enableCORS": True,
        "enableStaticServing": False,
        "fileWatcherType": "none",
        "headless": True,
    }
    assert told["server"] | wanted == told["server"]


@pytest.fixture(scope="module")
def by_hand(installed, tmp_path_factory):
    """The app as `streamlit run` serves it from somewhere else without a single flag but the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("elsewhere")
    command = [sys.executable, "-m", "streamlit", "run", str(installed / "errata_app" / "app.py")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("STREAMLIT_", "ERRATA_"))}
    environment |= {"PYTHONPATH": str(installed), "HOME": str(folder)}
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(
            [*command, f"--server.port={port}"], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                    break
            except OSError:
                time.sleep(0.2)
        yield port, folder / "log"
    finally:
        running.terminate()
        running.wait(30)


def opened(port, host):
    way = socket.create_connection(("127.0.0.1", port), timeout=20)
    return sockets.connect(f"ws://{host}:{port}/_stcore/stream", sock=way, origin=f"http://{host}:{port}")


def test_run_by_hand_it_listens_here_alone_and_to_its_own_name(by_hand):
    port, log = by_hand
    with opened(port, "localhost"):
        pass
    with pytest.raises(Exception, match="403"), opened(port, "evil.example"):
        pass
    assert f"http://127.0.0.1:{port}" in log.read_text()
    assert "Collecting usage statistics" not in log.read_text()
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line]
    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening
