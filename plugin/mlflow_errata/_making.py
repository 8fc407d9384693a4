"""The commands that make a record: `errata diagnose` and `errata try`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mlflow_errata._options import roles, tracking_uri_option


@click.command()
@roles
@click.option("--prediction", help="Column of predictions.")
@click.option("--scores", multiple=True, help="Column of scores; repeat in class order.")
def diagnose(*, scores: tuple[str, ...], **asked: Any) -> None:
    """Diagnose a CSV or Parquet file of labels and model output."""
    listed = (scores[0] if len(scores) == 1 else list(scores)) if scores else None
    _diagnosed(scores=listed, **asked)


@click.command("try")
@roles
@click.option(
    "--train",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV or Parquet file of the training rows.",
)
@click.option(
    "--model", required=True, help="MLflow model (runs:/..., models:/..., a folder); loading it runs its code."
)
@click.option("--budget", default=60.0, show_default=True, help="Seconds for the trials.")
@tracking_uri_option
def try_steps(*, train: Path, model: str, tracking_uri: str, **asked: Any) -> None:
    """Diagnose a CSV or Parquet file of evaluation rows, and try the next steps on the training rows."""
    import mlflow

    mlflow.set_tracking_uri(tracking_uri)
    _diagnosed(train=_frame(train), model=_model(model), **asked)


def _diagnosed(*, data: Path, slice_by: tuple[str, ...], windows: str | None, out: Path | None, **asked: Any) -> None:
    from mlflow_errata import diagnose as make

    cut = int(windows) if windows is not None and windows.isdigit() else windows
    record = make(_frame(data), slice_by=list(slice_by) or None, windows=cut, **asked)
    click.echo(str(record))
    if out is not None:
        click.echo(f"saved: {record.save(out)}")


def _frame(path: Path) -> Any:
    import pandas as pd

    from mlflow_errata.errors.stored import FileUnreadable

    parquet = path.suffix == ".parquet"
    try:
        return pd.read_parquet(path) if parquet else pd.read_csv(path)
    except (ValueError, OSError) as cause:
        raise FileUnreadable(path, "Parquet" if parquet else "CSV", cause) from cause


def _model(uri: str) -> Any:
    """A fitted estimator from MLflow, which errata can fit once more; else whatever the model says."""
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc import load_model

    from mlflow_errata.errors.stored import FileUnreadable

    try:
        found = load_model(uri)
    except (MlflowException, OSError) as cause:
        raise FileUnreadable(uri, "an MLflow model", cause) from cause
    try:
        return found.get_raw_model()  # type: ignore[no-untyped-call]
    except NotImplementedError:
        return found
