"""The command line as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

import mlflow_errata as errata
from mlflow_errata.cli import app_path, main


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
    assert all(name in text for name in ("ui", "report", "next", "diagnose", "push"))


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


def test_the_app_is_where_ui_looks_for_it():
    assert app_path().is_file()


def test_the_entry_point_is_installed():
    command = [sys.executable, "-c", "from importlib.metadata import entry_points as e;print(*e(name='errata'))"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for group in ("console_scripts", "mlflow.model_evaluator", "mlflow.run_context_provider"):
        assert group in text
