"""The framing examples end to end: what they promise, what they log, what they print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlflow_errata.tracking import search

EXAMPLES = Path(__file__).parents[2] / "examples"


def told(name, folder, *arguments):
    """The store after an example, and what it printed."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments, "--tracking-uri", uri]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    experiment = next(item for item in search.experiments(uri) if item.name == name)
    runs = {row.name: row.run_id for row in search.runs(experiment.id, tracking_uri=uri)}
    return {run: search.load(run_id, tracking_uri=uri) for run, run_id in runs.items()}, done.stdout


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    return told("portal", tmp_path_factory.mktemp("portal"), "--budget", "15")


def test_portal_names_the_species_that_came_after_training(portal):
    records, said = portal
    arrivals = records["1 flat"].results["framing"].arrivals
    first = arrivals.classes[0]
    assert (first.label, first.support, first.first.year) == ("PB", 296, 1995)
    assert {item.label for item in arrivals.classes} >= {"PB", "SO", "PL"}
    assert "'PB' (first seen 21 Dec 1995, 296 rows)" in said


def test_portal_proposes_the_hierarchy_with_its_measured_gain(portal):
    records, said = portal
    grouped = records["1 flat"].results["framing"].hierarchies
    assert [item.column for item in grouped] == ["genus", None]
    assert all(item.found for item in grouped)
    assert grouped[1].right.value > 0.85  # of the species 64.6 % are told right, of the groups nine in ten
    steps = [*records["1 flat"].next_steps, *records["1 flat"].trials.tried]
    tried = [step for step in steps if step.params.get("to") == "hierarchy" and step.gain is not None]
    assert tried
    assert all(abs(step.gain.value) < 0.05 for step in tried)
    right = dict(re.findall(r"^   (\d \w+): ([\d.]+)%", said, flags=re.MULTILINE))
    delivered = float(right["2 hierarchy"]) - float(right["1 flat"])
    assert abs(delivered) < 5  # as promised, next to nothing
    assert float(right["3 recent"]) > float(right["1 flat"]) + 30


def test_the_regression_of_fine_dust_is_not_worse_than_asking_for_bad_hours(tmp_path_factory):
    records, said = told("pm25", tmp_path_factory.mktemp("pm25"), "pm25", "hour_is", "--budget", "15")
    by_label = dict(re.findall(r"learned as (\w+): ([\d.]+)", said))
    assert float(by_label["pm25"]) >= float(by_label["hour_is"]) - 0.005
    questions = records["pm25"].results["framing"].questions
    assert [(item.column, item.asked) for item in questions] == [("hour_is", 150.0), ("grade", 150.0)]
    assert questions[0].told.value == pytest.approx(float(by_label["pm25"]), abs=0.0006)
    direct = [step for step in records["pm25"].next_steps if step.params.get("to") == "classes" and step.gain]
    assert direct
    assert not any(step.pays for step in direct)
    assert "the regression is not worse" in said
    assert records["hour_is"].results["framing"].behind.column == "pm25"
