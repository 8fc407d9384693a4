"""Every Python block of the README and the docs runs as written; every command and file that they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression

import mlflow_errata as errata
from mlflow_errata.cli import main
from mlflow_errata.diagnoses import CATALOGUE
from mlflow_errata.diagnoses._codes import CODES, OF_DIAGNOSIS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def ids(path):
    return path.name


@pytest.fixture
def reader(experiment):
    """What a reader has at hand: train, test, a model, scored rows, a record."""
    draw = np.random.default_rng(0)
    n = 2000
    rows = pd.DataFrame({"x": draw.normal(size=n), "airport": draw.choice(["EWR", "JFK"], n)})
    rows["hour"] = draw.integers(5, 24, n)
    rows["scheduled_at"] = pd.date_range("2024-01-01", periods=n, freq="4h")
    rows["flight"] = np.arange(n)
    rows["late"] = (rows["x"] + draw.normal(size=n) > 0.5).astype(int)
    train, test = rows.head(1000), rows.tail(1000)
    model = LogisticRegression().fit(train[["x"]], train["late"])
    return {
        "mlflow": mlflow,
        "errata": errata,
        "train": train,
        "test": test,
        "model": model,
        "other": lambda frame: (frame["x"] > 1).astype(int),
        "predict": lambda frame: model.predict(frame[["x"]]),
        "scored": test.assign(said=model.predict(test[["x"]])).drop(columns="airport"),
        "record": errata.diagnose(test, label="late", model=model, time="scheduled_at"),
    }


@pytest.mark.parametrize("path", PAGES, ids=ids)
@pytest.mark.filterwarnings("ignore")
def test_every_block_runs_as_written(path, reader):
    for block in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL):
        exec(compile(block, path.name, "exec"), reader)  # noqa: S102 - the project's own documentation


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_every_file_that_is_linked_exists(path):
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_every_command_exists(path):
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(re.findall(r"\bmake (demo-data|[a-z]+)(?=\s|`)", text)) <= targets
    known = CliRunner().invoke(main, ["--help"]).output
    for command in re.findall(r"`errata ([a-z]+)", text):
        assert f"  {command} " in known
    for script in re.findall(r"(?:python|bin/python) ((?:benchmarks|examples|docs)/\S+\.py)", text):
        assert (ROOT / script).is_file()


def test_the_readme_shows_the_commands_in_its_first_screen():
    first = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20]
    assert any("make demo" in line for line in first)
    assert any("make test" in line for line in first)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_its_page(code):
    text = (ROOT / "docs" / "errors" / f"{code}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {code}: ")
    headings = ("How it is detected", "Why it matters", "What to do")
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == list(headings)


def test_every_diagnosis_has_a_code():
    assert {*CATALOGUE} <= {*OF_DIAGNOSIS, "data_faults", "framing"}
    assert len(set(CODES)) == len(CODES)
