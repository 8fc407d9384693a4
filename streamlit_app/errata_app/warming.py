"""Imports that take seconds, made beside the first page, which shows a skeleton meanwhile."""

from __future__ import annotations

import gc
from threading import Lock, Thread

_LOCK = Lock()
_THREADS: list[Thread] = []


def start(uri: str) -> Thread:
    """Load MLflow and look into the store in a thread of its own; only once in a process.

    A server may call it before the first browser comes.
    """
    with _LOCK:
        if not _THREADS:
            _THREADS.append(Thread(target=_load, args=(uri,), daemon=True, name="errata-warming"))
            _THREADS[0].start()
    return _THREADS[0]


def is_warm(uri: str) -> bool:
    """Whether all is loaded."""
    return not start(uri).is_alive()


def _load(uri: str) -> None:
    """Nothing that loads is garbage: looking for it among all of it would take a fifth of the time."""
    gc.disable()
    try:
        _import_and_look(uri)
    finally:
        gc.freeze()
        gc.enable()


def _import_and_look(uri: str) -> None:
    from errata_app import draw, source  # noqa: F401, PLC0415 - slow to import: that is what this thread is for
    from mlflow_errata.errors import ErrataError  # noqa: PLC0415

    source.look(uri, ErrataError)
