"""The tag errata.version on every run. Loaded by every `import mlflow`, so it imports nothing else."""

from __future__ import annotations

from mlflow.tracking.context.abstract_context import RunContextProvider


class ErrataContext(RunContextProvider):
    """Tells MLflow which version of errata is installed beside a run."""

    def in_context(self) -> bool:
        """Always."""
        return True

    def tags(self) -> dict[str, str]:
        """The version, as a tag."""
        from mlflow_errata import __version__  # noqa: PLC0415 - nothing is imported before a run starts

        return {"errata.version": __version__}
