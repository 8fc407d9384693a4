"""The command line as a user types it."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys

import mlflow
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression

import mlflow_errata as errata
from mlflow_errata.cli import main
from mlflow_errata.errors.stored import without_password
from mlflow_errata.server import app_path


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def data(frame, tmp_path):
    path = tmp_path / "scored.parquet"
    frame.to_parquet(path)
    return path


def test_version():
    done = run("--version")
    assert (done.exit_code, done.output.strip()) == (0, f"errata {errata.__version__}")


def test_help_names_every_command():
    text = run("--help").output
    commands = ["accept", "check", "compare", "decline", "demo", "diagnose", "doctor"]
    commands += ["next", "push", "recipe", "report", "try", "ui"]
    assert commands == sorted(main.commands)
    assert all(f"\n  {name} " in text for name in commands)


def test_windows_and_groups_of_a_file(data, tmp_path):
    words = ("diagnose", data, "--label", "y", "--scores", "score", "--time", "at", "--group", "region")
    for cut, unit, n in (("3", "equal count", 3), ("week", "week", None)):
        done = run(*words, "--windows", cut, "--out", tmp_path / cut)
        assert done.exit_code == 0, done.output
        found = errata.Record.open(tmp_path / cut)
        assert found.dataset.roles["group"] == "region"
        assert found.results["recency_drift"].unit == unit
        assert n in {None, len(found.results["recency_drift"].windows)}
    refused = run(*words, "--windows", "weeks")
    assert refused.exit_code != 0
    assert "Did you mean 'week'?" in str(refused.output) + str(refused.exception)


def test_diagnose_a_file_and_save_the_record(data, tmp_path):
    done = run("diagnose", data, "--label", "y", "--scores", "score", "--time", "at", "--out", tmp_path / "record")
    assert done.exit_code == 0, done.output
    assert "region == 'east'" in done.output
    assert "not tried" in done.output
    assert errata.Record.open(tmp_path / "record").results["slice_errors"].found


def test_a_csv_gives_the_same_slices(frame, tmp_path):
    frame.to_csv(tmp_path / "scored.csv", index=False)
    done = run("diagnose", tmp_path / "scored.csv", "--label", "y", "--scores", "score", "--slice-by", "region")
    assert "region == 'east'" in done.output


def test_report_and_next_of_a_saved_record(record, tmp_path):
    folder = record.save(tmp_path / "record")
    assert run("report", folder, "-o", tmp_path / "r.html").exit_code == 0
    assert "<html" in (tmp_path / "r.html").read_text()[:200].lower()
    steps = json.loads(run("next", folder, "--json").output)
    assert [step["kind"] for step in steps] == [step.kind for step in record.next_steps]
    assert "Next steps" in run("next", folder).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("diagnose", "DATA", "--label", "why", "--scores", "score"), "label='why' is not a column of the table."),
        (("diagnose", "DATA", "--label", "y"), "pass model=, or name columns"),
        (("next", "FOLDER"), "holds no errata record"),
        (("push", "FOLDER"), "is not a spooled record"),
    ],
)
def test_an_error_is_one_sentence_and_exit_code_2(words, said, data, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run(*[{"DATA": data, "FOLDER": empty}.get(word, word) for word in words])
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output


# -- ui ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch):
    """What `errata ui` would become: the command line; nothing is started, and the environment is put back."""
    seen = []
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(runpy, "run_module", lambda name, **how: seen.append([name, *sys.argv[1:]]))
    for name in ("ERRATA_TRACKING_URI", "ERRATA_ALLOWED_HOSTS", "MLFLOW_DISABLE_TELEMETRY", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "put back")
        monkeypatch.delenv(name)
    return seen


def flags(command):
    found = {}
    for flag in command[3:]:
        name, _, value = flag.removeprefix("--").partition("=")
        found.setdefault(name, []).append(value)
    return found


def test_ui_listens_here_alone_and_names_itself(started):
    done = run("ui", "--tracking-uri", "http://anna:secret@host:5000", "--experiment", "a b", "--port", 8600)
    assert done.exit_code == 0
    assert "errata: http://127.0.0.1:8600/?experiment=a+b  (http://anna:***@host:5000)" in done.output
    (command,) = started
    assert command[:3] == ["streamlit", "run", str(app_path().with_name("served.py"))]
    said = flags(command)
    assert said["server.address"] == ["127.0.0.1"]
    assert said["server.headless"] == ["true"]
    assert said["server.allowedHosts"] == ["localhost", "127.0.0.1", "::1"]
    assert os.environ["ERRATA_TRACKING_URI"] == "http://anna:secret@host:5000"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_ui_behind_a_proxy(started):
    assert run("ui", "--base-url", "/team/errata/", "--allow-host", "errata.example.org").exit_code == 0
    said = flags(started[0])
    assert said["server.baseUrlPath"] == ["team/errata"]
    assert said["server.allowedHosts"][-1] == "errata.example.org"
    assert os.environ["ERRATA_ALLOWED_HOSTS"].endswith(",errata.example.org")


def test_ui_on_every_address_leaves_names_to_the_guard(started):
    assert run("ui", "--host", "0.0.0.0").exit_code == 0
    assert flags(started[0])["server.allowedHosts"] == ["*"]
    assert "*" not in os.environ["ERRATA_ALLOWED_HOSTS"]


# -- demo, doctor, recipe, try ----------------------------------------------------------------------------------------


@pytest.fixture
def story(tmp_path, monkeypatch):
    """A quick example in the place of the flights: it says where it was told to log."""
    from mlflow_errata import _demo

    place = tmp_path / "story.py"
    place.write_text("import sys, pathlib; pathlib.Path('told').write_text(' '.join(sys.argv[1:])); sys.exit(0)")
    monkeypatch.setattr(_demo, "script", lambda: place)
    return place


def test_demo_is_made_once_and_served(story, started, tmp_path):
    folder = tmp_path / "demo"
    assert run("demo", "--folder", folder).exit_code == 0
    assert (folder / "told").read_text() == (
        f"--tracking-uri sqlite:///{folder}/mlflow.db --artifacts {folder}/artifacts"
    )
    assert os.environ["ERRATA_TRACKING_URI"] == f"sqlite:///{folder}/mlflow.db"
    (folder / "told").unlink()
    assert run("demo", "--folder", folder, "--no-serve").output.startswith("errata ui --tracking-uri sqlite:///")
    assert not (folder / "told").exists(), "it was made before"
    assert len(started) == 1


def test_a_demo_that_broke_off_is_begun_again(story, started, tmp_path):
    text = story.read_text()
    story.write_text(text.replace("sys.exit(0)", "sys.exit(3)"))
    done = run("demo", "--folder", tmp_path / "demo", "--no-serve")
    assert (done.exit_code, "exit code 3" in done.output) == (2, True)
    story.write_text(text)
    assert run("demo", "--folder", tmp_path / "demo", "--no-serve").exit_code == 0


def test_a_demo_touches_no_folder_of_others(story, tmp_path):
    (tmp_path / "mine").write_text("dear to me")
    done = run("demo", "--folder", tmp_path)
    assert done.exit_code == 2
    assert "it holds other files. Name an empty or a new folder with --folder." in done.output
    assert run("demo", "--folder", tmp_path / "mine").exit_code == 2
    assert (tmp_path / "mine").read_text() == "dear to me"


def test_the_example_of_the_demo_is_there():
    from mlflow_errata import _demo

    assert _demo.script().is_file()
    assert (_demo.script().parent / "data" / "flights" / "flights.parquet").is_file()


def test_doctor_of_a_store_that_answers(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(store)
    mlflow.search_experiments()
    done = run("doctor", "--tracking-uri", store)
    assert done.exit_code == 0, done.output
    for said in ("ok    mlflow: ", "ok    streamlit: ", "ok    telemetry: off", "ok    store: sqlite:///"):
        assert said in done.output


def test_doctor_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spool = tmp_path / "errata_out" / "run1" / "evaluation-1"
    spool.mkdir(parents=True)
    (spool / "payload.json").write_text("{}")
    done = run("doctor", "--json", "--tracking-uri", "sqlite:///nowhere.db")
    assert done.exit_code == 1
    findings = {item["what"]: item for item in json.loads(done.output)}
    assert findings["waiting records"]["said"] == "1; send them: errata push errata_out/run1/evaluation-1"
    assert not findings["store"]["well"]
    assert not (tmp_path / "nowhere.db").exists(), "looking makes no store"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://anna:secret@host:5000/x", "http://anna:***@host:5000/x"),
        ("postgresql://u:p@ss@host/db", "postgresql://u:***@host/db"),
        ("sqlite:///a@b.db", "sqlite:///a@b.db"),
        ("http://host:5000", "http://host:5000"),
        ("databricks", "databricks"),
    ],
)
def test_a_password_is_not_shown(uri, said):
    assert without_password(uri) == said


def test_recipe_of_a_saved_record(record, tmp_path):
    folder = record.save(tmp_path / "record")
    assert run("recipe", folder, "-o", tmp_path / "recipe.json").exit_code == 0
    assert errata.Recipe.from_json((tmp_path / "recipe.json").read_text()) == errata.Recipe.of(record)
    assert run("recipe", folder).output.strip() == (tmp_path / "recipe.json").read_text().strip()


def test_try_measures_a_gain_on_files(frame, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = LogisticRegression().fit(frame[["a", "b"]], frame["y"])
    mlflow.sklearn.save_model(model, str(tmp_path / "model"), pip_requirements=["scikit-learn"])
    frame[:1500].drop(columns="score").to_parquet(tmp_path / "train.parquet")
    frame[1500:].drop(columns="score").to_csv(tmp_path / "test.csv", index=False)
    words = ["try", tmp_path / "test.csv", "--train", tmp_path / "train.parquet", "--label", "y", "--budget", 3]
    done = run(*words, "--model", tmp_path / "model", "--out", tmp_path / "record")
    assert done.exit_code == 0, done.output
    assert errata.Record.open(tmp_path / "record").trials is not None
    done = run(*words, "--model", tmp_path / "none")
    assert (done.exit_code, "cannot be read as an MLflow model" in done.output) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ["report", "RECORD", "-o", "none/x"],
        ["recipe", "RECORD", "-o", "none/x"],
        ["check", "RECORD", "--json", "none/x"],
        ["check", "RECORD", "--junit", "none/x"],
        ["diagnose", "DATA", "--label", "y", "--scores", "score", "--out", "DATA/x"],
        ["demo", "--folder", "DATA/x", "--no-serve"],
    ],
)
def test_a_file_that_cannot_be_written(record, frame, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    record.save("RECORD")
    frame.to_csv("DATA", index=False)
    done = run(*words)
    assert done.exit_code == 2
    assert done.output.endswith(" Name a file in a folder that can be written.\n")


@pytest.mark.parametrize("command", ["accept", "decline"])
def test_who_decides_has_a_name(monkeypatch, command):
    for name in ("USER", "ERRATA_USER"):
        monkeypatch.delenv(name, raising=False)
    done = run(command, "a" * 32, "relabel")
    assert (done.exit_code, "Say who decides: --by anna." in done.output) == (2, True)


def test_a_port_that_is_none():
    assert "99999 is not in the range" in run("ui", "--port", 99999).output


def test_a_file_that_is_no_table(tmp_path):
    (tmp_path / "x.parquet").write_text("no")
    done = run("diagnose", tmp_path / "x.parquet", "--label", "y")
    assert done.exit_code == 2
    assert "cannot be read as Parquet" in done.output


def test_a_server_that_is_not_there_is_said_in_seconds(free_port, monkeypatch):
    for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.setenv(name, "put back")
        monkeypatch.delenv(name)
    done = run("next", "a" * 32, "--tracking-uri", f"http://127.0.0.1:{free_port}")
    assert done.exit_code == 2
    assert "cannot be read" in done.output
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "1"


def test_the_app_is_where_ui_looks_for_it():
    assert app_path().is_file()


def test_the_entry_point_is_installed():
    command = [sys.executable, "-c", "from importlib.metadata import entry_points as e;print(*e(name='errata'))"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for group in ("console_scripts", "mlflow.app", "mlflow.model_evaluator", "mlflow.run_context_provider"):
        assert group in text
