"""The command line. Every command imports what it needs when it runs, so that `errata --version` answers at once."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlflow_errata import __version__

if TYPE_CHECKING:
    from mlflow_errata.record import Record

STORE = "sqlite:///mlflow.db"
TRACKING_URI = "ERRATA_TRACKING_URI"

tracking_uri_option = click.option(
    "--tracking-uri",
    envvar=[TRACKING_URI, "MLFLOW_TRACKING_URI"],
    default=STORE,
    show_default=True,
    help="MLflow store.",
)


class _Commands(click.Group):
    """A group whose commands turn an errata error into one sentence and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        from mlflow_errata.errors import ErrataError

        try:
            return super().invoke(ctx)
        except ErrataError as cause:
            click.echo(f"errata: {cause}", err=True)
            ctx.exit(2)


@click.group(cls=_Commands, context_settings={"auto_envvar_prefix": "ERRATA", "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="errata", message="%(prog)s %(version)s")
def main() -> None:
    """What is wrong with a run, and what to do next."""


@main.command()
@tracking_uri_option
@click.option("--experiment", help="Experiment to open, by name.")
@click.option("--run", help="Run to open, by id.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8501, show_default=True, help="Port to listen on.")
@click.option("--base-url", default="", help="Path under which a proxy serves the app.")
@click.option("--open/--no-open", "opens", default=False, help="Open a browser.")
def ui(
    *, tracking_uri: str, experiment: str | None, run: str | None, host: str, port: int, base_url: str, opens: bool
) -> None:
    """Start the app on a tracking store."""
    from urllib.parse import urlencode

    query = urlencode({key: value for key, value in (("experiment", experiment), ("run", run)) if value})
    path = f"/{base_url.strip('/')}" if base_url.strip("/") else ""
    click.echo(f"errata: http://{host}:{port}{path}/{'?' + query if query else ''}  ({tracking_uri})", err=True)
    os.environ[TRACKING_URI] = tracking_uri
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": str(not opens).lower(),
    } | ({"server.baseUrlPath": base_url.strip("/")} if path else {})
    flags = [f"--{name}={value}" for name, value in options.items()]
    flags += [f"--server.allowedHosts={name}" for name in sorted({host, "localhost", "127.0.0.1"})]
    command = [sys.executable, "-m", "streamlit", "run", str(app_path()), *flags]
    sys.stderr.flush()
    os.execv(sys.executable, command)  # noqa: S606 - the app takes over this process, so Ctrl-C and exit codes are its own


@main.command()
@click.argument("run_or_folder")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"))
@tracking_uri_option
def report(*, run_or_folder: str, output: Path, tracking_uri: str) -> None:
    """Write the HTML report of a run or of a saved record."""
    from mlflow_errata.report import render

    output.write_text(render(_record(run_or_folder, tracking_uri)), encoding="utf-8")
    click.echo(str(output))


@main.command("next")
@click.argument("run_or_folder")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@tracking_uri_option
def next_steps(*, run_or_folder: str, as_json: bool, tracking_uri: str) -> None:
    """Print the next steps of a run or of a saved record."""
    record = _record(run_or_folder, tracking_uri)
    if as_json:
        import json

        from mlflow_errata.record.write import as_document

        click.echo(json.dumps(as_document(record)["next_steps"], indent=1, allow_nan=False))
    else:
        click.echo(str(record))


@main.command()
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--label", required=True, help="Column of the truth.")
@click.option("--prediction", help="Column of predictions.")
@click.option("--scores", multiple=True, help="Column of scores; repeat in class order.")
@click.option("--time", help="Column of dates.")
@click.option("--id", "row_id", help="Column that names each row.")
@click.option("--weight", help="Column of row weights.")
@click.option("--slice-by", multiple=True, help="Column to slice on; repeat. Default: every column without a role.")
@click.option("--metric", help="Metric; default by task.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to save the record in.")
def diagnose(*, data: Path, scores: tuple[str, ...], row_id: str | None, out: Path | None, **roles: Any) -> None:
    """Diagnose a CSV or Parquet file of labels and model output."""
    import pandas as pd

    from mlflow_errata import diagnose as make

    frame = pd.read_parquet(data) if data.suffix == ".parquet" else pd.read_csv(data)
    slice_by = list(roles.pop("slice_by")) or None
    listed = (scores[0] if len(scores) == 1 else list(scores)) if scores else None
    record = make(frame, scores=listed, id=row_id, slice_by=slice_by, **roles)
    click.echo(str(record))
    if out is not None:
        click.echo(f"saved: {record.save(out)}")


@main.command()
@click.argument("run")
@tracking_uri_option
def check(*, run: str, tracking_uri: str) -> None:
    """Exit with 1 if a named slice of a run (or a record's folder) breaks its acceptance bar."""
    from mlflow_errata.sections.slice_errors import acceptance

    lines, kept = acceptance(_record(run, tracking_uri))
    click.echo("\n".join(lines))
    if not kept:
        raise SystemExit(1)


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@tracking_uri_option
def push(*, folder: Path, tracking_uri: str) -> None:
    """Send a record that could not be logged to its run."""
    import mlflow

    from mlflow_errata.tracking.store import push as send

    mlflow.set_tracking_uri(tracking_uri)
    click.echo(f"logged into run {send(folder)}")


def app_path() -> Path:
    """The app's entry script, wherever it is installed."""
    found = find_spec("errata_app")
    if found is None or found.origin is None:
        from mlflow_errata.errors import AppMissing

        raise AppMissing
    return Path(found.origin).parent / "app.py"


def _record(run_or_folder: str, tracking_uri: str) -> Record:
    from mlflow_errata.record import Record

    if Path(run_or_folder).is_dir():
        return Record.open(run_or_folder)
    from mlflow_errata.tracking.search import load

    return load(run_or_folder, tracking_uri=tracking_uri)


if __name__ == "__main__":
    main()
