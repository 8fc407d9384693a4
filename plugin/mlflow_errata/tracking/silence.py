"""MLflow's autologging off while trials refit a model."""

from __future__ import annotations

from contextlib import AbstractContextManager

from mlflow.utils.autologging_utils import disable_autologging


def without_autologging() -> AbstractContextManager[None]:
    """A context in which no fit is logged."""
    found: AbstractContextManager[None] = disable_autologging()
    return found
