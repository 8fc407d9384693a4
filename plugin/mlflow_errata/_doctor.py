"""What `errata doctor` looks at: versions, the app and its settings, the store, records that wait to be sent."""

from __future__ import annotations

import platform
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from mlflow_errata.errors import ErrataError
from mlflow_errata.guard import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN = ("mlflow", "streamlit", "pandas", "numpy", "scikit-learn", "imbalanced-learn")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    what : str
    said : str
    well : bool
    """

    what: str
    said: str
    well: bool = True


def examined(tracking_uri: str, app: Path, spool: Path) -> Iterator[Finding]:
    """Look at everything, the quick things first.

    Parameters
    ----------
    tracking_uri : str
    app : Path, the app's script
    spool : Path, the folder in which records wait that could not be sent
    """
    yield Finding("errata", f"{version('mlflow-errata')} on Python {platform.python_version()}")
    yield from _versions()
    yield from _settings(app)
    yield _waiting(spool)
    yield _store(tracking_uri)


def _versions() -> Iterator[Finding]:
    wanted = [Requirement(line) for line in requires("mlflow-errata") or ()]
    for need in wanted:
        try:
            found = version(need.name)
        except PackageNotFoundError:
            yield Finding(need.name, f"not installed, needs {need.specifier}: pip install '{need}'", well=False)
            continue
        well = need.specifier.contains(found, prereleases=True)
        if not well or need.name in SHOWN:
            remedy = "" if well else f", needs {need.specifier}: pip install '{need}'"
            yield Finding(need.name, f"{found}{remedy}", well)


def _settings(app: Path) -> Iterator[Finding]:
    where = app.parent / ".streamlit" / "config.toml"
    try:
        told = tomllib.loads(where.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as cause:
        yield Finding("app", f"{where} cannot be read: {cause}", well=False)
        return
    yield Finding("app", str(app), app.is_file())
    off = told.get("browser", {}).get("gatherUsageStats") is False
    yield Finding("telemetry", "off" if off else f"on: gatherUsageStats is not false in {where}", off)
    server = told.get("server", {})
    safe = server.get("enableXsrfProtection", True) is True and server.get("address") in LOCAL
    yield Finding(
        "app's settings", "listens on this machine alone, requests are checked" if safe else f"changed: {where}", safe
    )


def _waiting(spool: Path) -> Finding:
    waiting = sorted(str(path.parent) for path in spool.glob("*/*/payload.json"))
    if not waiting:
        return Finding("waiting records", "none")
    return Finding("waiting records", f"{len(waiting)}; send them: errata push {waiting[0]}", well=False)


def _store(tracking_uri: str) -> Finding:
    from mlflow_errata.tracking.search import experiments  # noqa: PLC0415 - MLflow is slow to import

    path = Path(tracking_uri.removeprefix("sqlite:///"))
    if tracking_uri.startswith("sqlite:///") and not path.is_file():
        return Finding(
            "store", f"{tracking_uri} is not there yet; training code makes it, or name one: --tracking-uri", False
        )
    try:
        known = experiments(tracking_uri)
    except ErrataError as cause:
        return Finding("store", str(cause), well=False)
    return Finding("store", f"{shown(tracking_uri)} answers: {len(known)} experiment{'' if len(known) == 1 else 's'}")


def shown(tracking_uri: str) -> str:
    """The address of a store without its password."""
    scheme, mark, rest = tracking_uri.partition("://")
    login, at, place = rest.rpartition("@")
    if not (mark and at) or "/" in login:
        return tracking_uri
    return f"{scheme}{mark}{login.partition(':')[0]}:***@{place}"
