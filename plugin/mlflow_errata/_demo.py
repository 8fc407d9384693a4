"""The demo: runs on real flights in a folder of their own, from the example that the package carries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mlflow_errata.errors.stored import DemoRefused

EXPERIMENT = "flights"
UNFINISHED, READY = ".errata-demo-unfinished", ".errata-demo"


def script() -> Path:
    """The example, wherever it is: inside the installed package, or beside it in a checkout.

    Raises
    ------
    DemoRefused
    """
    here = Path(__file__).resolve().parent
    for place in (here / "demo" / "flights.py", here.parents[1] / "examples" / "flights.py"):
        if place.is_file():
            return place
    raise DemoRefused(
        here / "demo", "the example is not installed. Install it again: pip install --upgrade mlflow-errata"
    )


def store_of(folder: Path) -> str:
    """Tracking URI of the demo in a folder."""
    return f"sqlite:///{folder.resolve() / 'mlflow.db'}"


def is_made(folder: Path) -> bool:
    """Whether the folder holds a whole demo."""
    return (folder / READY).is_file()


def make(folder: Path) -> None:
    """Log the demo's runs into a folder; one that broke off is begun again, anything else is left alone.

    Raises
    ------
    DemoRefused
    """
    if is_made(folder):
        return
    if folder.exists() and not folder.is_dir():
        raise DemoRefused(folder, "it is a file. Name a folder with --folder")
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / UNFINISHED).is_file():
            raise DemoRefused(folder, "it holds other files. Name an empty or a new folder with --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / UNFINISHED).touch()
    _log(store_of(folder), folder)
    (folder / UNFINISHED).rename(folder / READY)


def fill(database: Path) -> None:
    """Log the demo's runs into an empty store, whose file is made where there is none; artifacts go beside it.

    Raises
    ------
    DemoRefused
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    _log(f"sqlite:///{database.resolve()}", database.resolve().parent / "errata-demo")


def _log(tracking_uri: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, str(script())]
    command += ["--tracking-uri", tracking_uri, "--artifacts", str(folder / "artifacts")]
    settings = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(command, cwd=folder, env=os.environ | settings, check=False)  # noqa: S603 - our own example
    if done.returncode:
        raise DemoRefused(folder, f"the example ended with exit code {done.returncode}; what it said stands above")
