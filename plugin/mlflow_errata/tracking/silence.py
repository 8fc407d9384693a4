"""MLflow's autologging off while trials refit a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow.utils.autologging_utils import disable_autologging

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def without_autologging() -> AbstractContextManager[None]:
    """A context in which no fit is logged."""
    found: AbstractContextManager[None] = disable_autologging()
    return found
