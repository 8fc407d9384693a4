"""The command line. Every command imports what it needs when it runs, so that `errata --version` answers at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlflow_errata import __version__
from mlflow_errata._making import diagnose, try_steps
from mlflow_errata._options import TRACKING_URI, tracking_uri_option

if TYPE_CHECKING:
    from mlflow_errata._gate import Gate
    from mlflow_errata.record import Record

ALLOWED_HOSTS = "ERRATA_ALLOWED_HOSTS"

OWN_PACE = {"ui", "demo", "push"}
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
"""A command says that a server does not answer in seconds, not in MLflow's four minutes; your own setting stands."""


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
@click.pass_context
def main(context: click.Context) -> None:
    """What is wrong with a run, and what to do next."""
    patience = {} if context.invoked_subcommand in OWN_PACE else PATIENCE
    for name, value in {"MLFLOW_DISABLE_TELEMETRY": "true", **patience}.items():
        os.environ.setdefault(name, value)


@main.command()
@tracking_uri_option
@click.option("--experiment", help="Experiment to open, by name.")
@click.option("--run", help="Run to open, by id.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8501, show_default=True, help="Port to listen on.")
@click.option("--base-url", default="", help="Path under which a proxy serves the app.")
@click.option(
    "--allow-host", multiple=True, metavar="NAME", help="Further name to answer to, such as a proxy's; repeat."
)
@click.option("--open/--no-open", "opens", default=False, help="Open a browser.")
def ui(
    *,
    tracking_uri: str,
    experiment: str | None,
    run: str | None,
    host: str,
    port: int,
    base_url: str,
    allow_host: tuple[str, ...],
    opens: bool,
) -> None:
    """Start the app on a tracking store."""
    _serve(tracking_uri, host, port, experiment=experiment, run=run, base_url=base_url, more=allow_host, opens=opens)


def _serve(
    tracking_uri: str,
    host: str,
    port: int,
    *,
    experiment: str | None = None,
    run: str | None = None,
    base_url: str = "",
    more: tuple[str, ...] = (),
    opens: bool = False,
) -> None:
    """Become the app's server: Ctrl-C and exit codes are its own.

    In this process, which has half of what the server needs already; another one would begin at nothing.
    """
    import runpy
    from urllib.parse import urlencode

    from mlflow_errata.errors.stored import without_password
    from mlflow_errata.guard import Names
    from mlflow_errata.server import app_path

    query = urlencode({key: value for key, value in (("experiment", experiment), ("run", run)) if value})
    path = f"/{base_url.strip('/')}" if base_url.strip("/") else ""
    click.echo(
        f"errata: http://{host}:{port}{path}/{'?' + query if query else ''}  ({without_password(tracking_uri)})",
        err=True,
    )
    known = Names.of(host, more)
    os.environ |= {TRACKING_URI: tracking_uri, ALLOWED_HOSTS: ",".join(known.names)}
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": str(not opens).lower(),
    } | ({"server.baseUrlPath": path.strip("/")} if path else {})
    if more:  # asked first of an origin; Streamlit asks the internet who it is before it looks at the list below
        options["browser.serverAddress"] = more[0]
    flags = [f"--{name}={value}" for name, value in options.items()]
    flags += [f"--server.allowedHosts={name}" for name in (("*",) if known.addresses else known.names)]
    flags += [f"--server.corsAllowedOrigins={scheme}://{name}" for name in more for scheme in ("https", "http")]
    sys.argv = ["streamlit", "run", str(app_path().with_name("served.py")), *flags]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


@main.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("errata-demo"),
    show_default=True,
    help="Where its store is kept; made once.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8501, show_default=True, help="Port to listen on.")
@click.option("--serve/--no-serve", default=True, help="Start the app on it.")
@click.option("--open/--no-open", "opens", default=False, help="Open a browser.")
def demo(*, folder: Path, host: str, port: int, serve: bool, opens: bool) -> None:
    """Log runs on real flights, which takes a minute or two, and start the app on them."""
    from mlflow_errata import _demo

    if not _demo.is_made(folder):
        click.echo(f"errata: logging the runs of the demo into {folder} ...", err=True)
        _demo.make(folder)
    if serve:
        _serve(_demo.store_of(folder), host, port, experiment=_demo.EXPERIMENT, opens=opens)
    click.echo(f"errata ui --tracking-uri {_demo.store_of(folder)} --experiment {_demo.EXPERIMENT}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@tracking_uri_option
def doctor(*, as_json: bool, tracking_uri: str) -> None:
    """Look at the installation and the store: exit code 0 all well, 1 something to do."""
    from mlflow_errata._doctor import examined
    from mlflow_errata.server import app_path

    findings = []
    for found in examined(tracking_uri, app_path(), Path("errata_out")):
        findings.append(found)
        if not as_json:
            click.echo(f"{'ok  ' if found.well else 'LOOK'}  {found.what}: {found.said}")
    if as_json:
        import json

        click.echo(json.dumps([vars(found) for found in findings], indent=1))
    raise SystemExit(0 if all(found.well for found in findings) else 1)


@main.command()
@click.argument("run_or_folder")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"))
@tracking_uri_option
def report(*, run_or_folder: str, output: Path, tracking_uri: str) -> None:
    """Write the HTML report of a run or of a saved record."""
    from mlflow_errata.report import render

    reviews = {}
    if not Path(run_or_folder).is_dir():
        from mlflow_errata.tracking.reviews import of_run

        reviews = of_run(run_or_folder, tracking_uri=tracking_uri)
    output.write_text(render(_record(run_or_folder, tracking_uri), reviews=reviews), encoding="utf-8")
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
@click.argument("run_or_folder")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: print.")
@tracking_uri_option
def recipe(*, run_or_folder: str, output: Path | None, tracking_uri: str) -> None:
    """Print the recipe of a run (of the step accepted last, else of its plan), or of a saved record, as JSON."""
    if Path(run_or_folder).is_dir():
        from mlflow_errata.recipe import Recipe

        made = Recipe.of(_record(run_or_folder, tracking_uri))
    else:
        from mlflow_errata.tracking.choices import load_recipe

        made = load_recipe(run_or_folder, tracking_uri=tracking_uri)
    if output is None:
        click.echo(made.to_json())
    else:
        output.write_text(made.to_json(), encoding="utf-8")
        click.echo(str(output))


main.add_command(diagnose)
main.add_command(try_steps)


@main.command()
@click.argument("run")
@click.option("--against", help="Run, or models:/name@alias, to compare with.")
@click.option("--rules", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file of bars.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON.")
@click.option("--junit", "junit_path", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML.")
@tracking_uri_option
def check(
    *,
    run: str,
    against: str | None,
    rules: Path | None,
    json_path: Path | None,
    junit_path: Path | None,
    tracking_uri: str,
) -> None:
    """Judge a run by bars: exit code 0 passed, 1 failed, 2 cannot be judged.

    RUN is a run id, models:/name@alias, or the folder of a saved record. Bars are those of --rules, and those of the
    run's named slices.
    """
    from mlflow_errata.sections import gate as words

    gate = _gate(run, against, rules, tracking_uri)
    for path, render in ((json_path, words.as_json), (junit_path, words.as_junit)):
        if path is not None:
            path.write_text(render(gate), encoding="utf-8")
    click.echo(str(gate))
    raise SystemExit(gate.exit_code)


def _gate(run: str, against: str | None, rules: Path | None, tracking_uri: str) -> Gate:
    if Path(run).is_dir():
        from mlflow_errata._gate import Rules, judged

        earlier = None if against is None else _record(against, tracking_uri)
        wanted = Rules.read({} if rules is None else rules)
        return judged(_record(run, tracking_uri), wanted, against=earlier, run=run, against_run=against)
    from mlflow_errata.tracking.gate import check as judge

    return judge(run, rules=rules, against=against, tracking_uri=tracking_uri)


@main.command()
@click.argument("old")
@click.argument("new")
@tracking_uri_option
def compare(*, old: str, new: str, tracking_uri: str) -> None:
    """Compare two runs (or folders of saved records) on the rows that both can be judged on."""
    if Path(old).is_dir() and Path(new).is_dir():
        from mlflow_errata._run_comparison import compared

        click.echo(str(compared(_record(old, tracking_uri), _record(new, tracking_uri))))
        return
    from mlflow_errata.tracking.outcomes import compare_runs

    click.echo(str(compare_runs(old, new, tracking_uri=tracking_uri)))


@main.command()
@click.argument("run")
@click.argument("kind")
@click.option("--by", envvar=["ERRATA_USER", "USER"], default="", help="Who accepts; default: the user.")
@click.option("--why", default="", help="The reason.")
@tracking_uri_option
def accept(*, run: str, kind: str, by: str, why: str, tracking_uri: str) -> None:
    """Accept a proposed step of a run, and store its recipe."""
    from mlflow_errata.sections import loop
    from mlflow_errata.tracking.choices import accept as take
    from mlflow_errata.tracking.search import load_shown

    choice = take(run, kind, by=by, why=why, tracking_uri=tracking_uri)
    click.echo(f"{choice.title}. {loop.decided(choice)}.")
    click.echo(loop.code(choice, load_shown(run, tracking_uri=tracking_uri), run) or loop.by_hand(choice))


@main.command()
@click.argument("run")
@click.argument("kind")
@click.option("--by", envvar=["ERRATA_USER", "USER"], default="", help="Who declines; default: the user.")
@click.option("--why", default="", help="The reason.")
@tracking_uri_option
def decline(*, run: str, kind: str, by: str, why: str, tracking_uri: str) -> None:
    """Decline a proposed step of a run; it stays visible."""
    from mlflow_errata.sections import loop
    from mlflow_errata.tracking.choices import decline as refuse

    choice = refuse(run, kind, by=by, why=why, tracking_uri=tracking_uri)
    click.echo(f"{choice.title}. {loop.decided(choice)}.")


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@tracking_uri_option
def push(*, folder: Path, tracking_uri: str) -> None:
    """Send a record that could not be logged to its run."""
    import mlflow

    from mlflow_errata.tracking.store import push as send

    mlflow.set_tracking_uri(tracking_uri)
    click.echo(f"logged into run {send(folder)}")


def _record(run_or_folder: str, tracking_uri: str) -> Record:
    from mlflow_errata.record import Record

    if Path(run_or_folder).is_dir():
        return Record.open(run_or_folder)
    from mlflow_errata.tracking.search import load_shown

    return load_shown(run_or_folder, tracking_uri=tracking_uri)


if __name__ == "__main__":
    main()
