"""The tag errata.version on every run, and ERRATA_AUTOLOG=1. Part of every `import mlflow`, so it imports no more."""

from __future__ import annotations

import os
from functools import cache

from mlflow.tracking.context.abstract_context import RunContextProvider

AUTOLOG = "ERRATA_AUTOLOG"


class ErrataContext(RunContextProvider):
    """Tells MLflow which version of errata is installed beside a run; ERRATA_AUTOLOG=1 diagnoses without any code."""

    def in_context(self) -> bool:
        """Always."""
        return True

    def tags(self) -> dict[str, str]:
        """The version, as a tag. The first run of a process turns on what ERRATA_AUTOLOG asks for."""
        from mlflow_errata import __version__  # noqa: PLC0415 - nothing is imported before a run starts

        if os.environ.get(AUTOLOG) == "1":
            _autolog_once()

        return {"errata.version": __version__}


@cache
def _autolog_once() -> None:
    from mlflow_errata.tracking.autologging import autolog  # noqa: PLC0415 - for those who ask for it

    autolog()
