"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

STORE = "sqlite:///mlflow.db"
TRACKING_URI = "ERRATA_TRACKING_URI"

tracking_uri_option = click.option(
    "--tracking-uri",
    envvar=[TRACKING_URI, "MLFLOW_TRACKING_URI"],
    default=STORE,
    show_default=True,
    help="MLflow store.",
)


def roles(command: Any) -> Any:
    """The options that name columns, shared by the commands that diagnose."""
    for option in (
        click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to save the record in."),
        click.option("--metric", help="Metric; default by task."),
        click.option("--slice-by", multiple=True, help="Column to slice on; repeat. Default: every without a role."),
        click.option("--windows", help="hour, day, week, month, quarter, year, or how many. Default: by the span."),
        click.option("--group", help="Column that names what a row belongs to: a customer, a device."),
        click.option("--weight", help="Column of row weights."),
        click.option("--id", "id", help="Column that names each row."),
        click.option("--time", help="Column of dates."),
        click.option("--label", required=True, help="Column of the truth."),
        click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    ):
        command = option(command)
    return command
