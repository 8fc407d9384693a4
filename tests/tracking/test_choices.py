"""Accepting, declining and following steps: whole or absent whatever happens, and nothing of anybody's is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import mlflow
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LogisticRegression

import mlflow_errata as errata
from mlflow_errata._choices import accepted_of, standing
from mlflow_errata.cli import main
from mlflow_errata.errors.stored import (
    ExperimentMissing,
    NoDiagnoses,
    NoRun,
    PersonMissing,
    ReadOnly,
    RunNotNamed,
    StepByHand,
    StepMissing,
    StepNotAccepted,
)
from mlflow_errata.sections import loop as words
from mlflow_errata.tracking import outcomes
from mlflow_errata.tracking.choices import with_labels
from mlflow_errata.tracking.search import load_evaluated

VALUE = {"tp": 0, "fp": -1, "fn": -4, "tn": 0}
N = 3000


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(0)
    x = pd.DataFrame(
        {"a": draw.normal(size=N), "b": draw.normal(size=N), "at": pd.date_range("2024", periods=N, freq="h")}
    )
    x["y"] = (x["a"] + x["b"] + 1.5 * draw.normal(size=N) > 1.5).astype(int)
    return x


@pytest.fixture(scope="module")
def made(rows):
    """train, evaluation, newest, the model, its record: the threshold is the first step."""
    train, evaluation, newest = rows[:1000], rows[1000:2200], rows[2200:]
    model = LogisticRegression().fit(train[["a", "b"]], train["y"])
    record = errata.diagnose(evaluation, label="y", model=model, time="at", value=VALUE, train=train, budget=8)
    return train, evaluation, newest, model, record


@pytest.fixture
def run(made, experiment):
    with mlflow.start_run() as active:
        errata.log(made[-1])
    return active.info.run_id


def kinds(record):
    return [step.kind for step in record.next_steps]


def test_an_accepted_step_stores_who_why_and_the_recipe(made, run):
    record = made[-1]
    first = record.next_steps[0]
    choice = errata.accept(run, first.kind, by="anna", why="it pays")
    assert (choice.verdict, choice.by, choice.why, choice.suggested) == ("accept", "anna", "it pays", True)
    assert choice.promised == first.gain_value
    assert errata.choices(run) == (choice,)
    assert errata.load_recipe(run) == errata.Recipe.of(record, first)
    assert mlflow.get_run(run).data.tags["errata.accepted"] == first.kind


def test_declined_steps_stay_and_a_later_word_counts(made, run):
    kind = made[-1].next_steps[0].kind
    errata.accept(run, kind, by="anna")
    errata.decline(run, kind, by="ben", why="not now")
    assert [item.verdict for item in errata.choices(run)] == ["accept", "decline"]
    assert standing(errata.choices(run))[kind].by == "ben"
    assert kinds(errata.load(run)) == kinds(made[-1])
    with pytest.raises(StepNotAccepted):
        errata.latest_accepted(mlflow.get_experiment(mlflow.get_run(run).info.experiment_id).name)
    assert errata.load_recipe(run).steps == tuple((step.kind, step.params) for step in made[-1].plan)


def test_the_latest_accepted_of_an_experiment(made, experiment):
    name = mlflow.get_experiment(experiment).name
    runs = []
    for _ in range(2):
        with mlflow.start_run() as active:
            errata.log(made[-1])
        runs.append(active.info.run_id)
    first, other = made[-1].next_steps[0].kind, "stop"
    errata.accept(runs[1], first, by="anna")
    errata.accept(runs[0], other, by="anna")
    assert errata.latest_accepted(name) == runs[0]
    assert errata.load_recipe(experiment=name).steps[0][0] == other
    errata.decline(runs[0], other, by="anna")
    assert errata.latest_accepted(name) == runs[1]
    with pytest.raises(ExperimentMissing):
        errata.load_recipe(experiment="no such")
    for ask in (errata.load_recipe, errata.follow):
        with pytest.raises(RunNotNamed, match="Pass run_id="):
            ask()


def test_what_is_refused(made, run, monkeypatch):
    with pytest.raises(StepMissing, match=r"proposes no step 'relable'\. It proposes: "):
        errata.accept(run, "relable", by="anna")
    with pytest.raises(PersonMissing):
        errata.accept(run, made[-1].next_steps[0].kind, by=" ")
    with pytest.raises(NoRun):
        errata.follow(run)
    with mlflow.start_run(), pytest.raises(StepNotAccepted):
        errata.follow(run)
    monkeypatch.setenv("ERRATA_READ_ONLY", "1")
    with pytest.raises(ReadOnly):
        errata.decline(run, made[-1].next_steps[0].kind, by="anna")
    assert errata.choices(run) == ()


@pytest.mark.parametrize("named_by", ["row", None])
def test_a_step_for_people_has_no_recipe_until_labels_were_checked(experiment, named_by):
    draw = np.random.default_rng(3)
    x = draw.normal(size=2000)
    truth = draw.random(2000) < 1 / (1 + np.exp(-4 * x))
    frame = pd.DataFrame(
        {"x": x, "score": 1 / (1 + np.exp(-4 * x)), "seen": np.where(truth & (draw.random(2000) < 0.3), np.nan, 1.0)}
    )
    frame["y"] = (truth & frame["seen"].notna()).astype(int)
    frame["row"] = np.arange(2000)
    record = errata.diagnose(frame, label="y", scores="score", features=["x"], id=named_by, budget=0)
    assert record.next_steps[0].kind == "relabel"
    with mlflow.start_run() as active:
        errata.log(record)
    run = active.info.run_id
    choice = errata.accept(run, "relabel", by="anna")
    assert choice.recipe is None
    assert words.by_hand(choice).startswith("The step 'relabel' has no decisions yet")
    with pytest.raises(StepByHand, match="labels have to be checked first"):
        errata.load_recipe(run)
    asked = errata.audit(record)["id"]
    errata.save_decisions(run, {asked[0]: "keep"}, by="anna")
    assert with_labels(record, run) == record, "one answer of forty takes no step away"
    errata.save_decisions(run, dict.fromkeys(asked, "accept"), by="anna")
    choice = errata.accept(run, "relabel", by="anna")
    if named_by is None:
        assert choice.recipe is None
        assert "Diagnose with id= naming a column" in words.by_hand(choice)
        return
    assert choice.recipe
    assert len(errata.load_recipe(run).steps[0][1]["decisions"]) >= 30


def test_the_code_runs_as_copied_and_the_outcome_is_measured(made, run):
    train, evaluation, newest, model, record = made
    refit = next(step for step in record.trials.tried if step.kind == "retrain_recent")
    assert refit
    for kind in (record.next_steps[0].kind, "retrain_recent"):
        choice = errata.accept(run, kind, by="anna")
        code = words.code(choice, record, run)
        known = {"train": train, "evaluation": evaluation, "newest": newest, "model": model, "value": VALUE}
        exec(compile(code, "copied", "exec"), known)  # noqa: S102 - it is shown to be copied
        item = outcomes.history(mlflow.get_run(run).info.experiment_id)[-1]
        assert item.follows == run
        assert item.outcome.kind == kind
        assert item.outcome.promised == choice.promised
        assert item.outcome.how == "before"
        frame = newest if choice.on_evaluation else evaluation
        assert item.outcome.delivered.n == len(frame)
        cost = [worth(frame, each) for each in (model, known["fitted"])]
        assert item.outcome.delivered.value == pytest.approx(cost[1] - cost[0])
    assert len(outcomes.outcomes()) >= 2


def worth(frame, model):
    said, y = model.predict(frame[["a", "b"]]), frame["y"]
    return -((said == 1) & (y == 0)).mean() - 4 * ((said == 0) & (y == 1)).mean()


def test_an_outcome_that_cannot_be_measured_says_why_and_breaks_nothing(made, run):
    *_, newest, model, record = made
    errata.accept(run, record.next_steps[0].kind, by="anna")
    with mlflow.start_run():
        errata.follow(run)
        errata.log(errata.diagnose(newest, label="y", model=model, time="at", value=VALUE, budget=0), strict=True)
    item = outcomes.history(mlflow.get_run(run).info.experiment_id)[-1]
    assert item.outcome.delivered is None
    assert "pass it as before= to errata.diagnose" in item.outcome.reason


def test_follow_after_the_log_measures_too(made, run):
    _, evaluation, _, model, record = made
    errata.accept(run, record.next_steps[0].kind, by="anna")
    with mlflow.start_run() as active:
        errata.log(errata.diagnose(evaluation, label="y", model=model, time="at", value=VALUE, budget=0))
        errata.follow(run)
    assert outcomes.history(active.info.experiment_id)[-1].outcome.delivered.value == 0


def test_from_the_command_line(made, run):
    kind, uri = made[-1].next_steps[0].kind, mlflow.get_tracking_uri()
    told = CliRunner().invoke(main, ["accept", run, kind, "--by", "anna", "--why", "it pays", "--tracking-uri", uri])
    assert told.exit_code == 0, told.output
    assert "Accepted by anna" in told.output
    assert f"errata.follow('{run}')" in told.output
    told = CliRunner().invoke(main, ["decline", run, "stop", "--by", "ben", "--tracking-uri", uri])
    assert "Declined by ben" in told.output
    assert CliRunner().invoke(main, ["accept", run, "x", "--by", "a", "--tracking-uri", uri]).exit_code == 2


# -- crashes ----------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """What a process that dies at this point would not survive."""


CALLS = ("log_artifact", "log_text", "log_batch", "log_inputs", "set_tag")


def killed_at(monkeypatch, n, *, after):
    """MLflow's client dies before or after its n-th write."""
    seen = {"n": 0}

    def dying(name):
        plain = getattr(MlflowClient, name)

        def call(self, *args, **kwargs):
            seen["n"] += 1
            mine = seen["n"]
            if mine == n and not after:
                raise Killed
            found = plain(self, *args, **kwargs)
            if mine == n:
                raise Killed
            return found

        return call

    for name in CALLS:
        monkeypatch.setattr(MlflowClient, name, dying(name))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("n", [1, 3, 6, 7, 8])
def test_a_log_that_is_killed_is_whole_or_absent(made, run, monkeypatch, n, after):
    """Logging the same data again, then other data: what was there stays readable at every point."""
    *_, newest, model, record = made
    monkeypatch.setattr("mlflow_errata.report.render", lambda _: "")
    other = errata.diagnose(newest, label="y", model=model, budget=0)
    for new in (record, other):
        known = errata.load(run)
        with monkeypatch.context() as patched:
            killed_at(patched, n, after=after)
            with suppress(Killed):
                errata.log(new, run_id=run)
        assert errata.load(run) in (known, new)
        assert len(load_evaluated(MlflowClient(), run).evaluated) > 0
    with mlflow.start_run() as fresh, monkeypatch.context() as patched:
        killed_at(patched, n, after=after)
        with suppress(Killed):
            errata.log(record)
    try:
        assert errata.load(fresh.info.run_id) == record
    except NoDiagnoses:
        assert "errata.record" not in MlflowClient().get_run(fresh.info.run_id).data.tags


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_choice_that_is_killed_is_whole_or_absent(made, run, monkeypatch, n, after):
    first = errata.accept(run, made[-1].next_steps[0].kind, by="anna")
    with monkeypatch.context() as patched:
        killed_at(patched, n, after=after)
        with pytest.raises(Killed):
            errata.accept(run, "stop", by="ben")
    found = errata.choices(run)
    assert found[0] == first
    whole = n == 3 and after  # log_text, the artifact that it logs, the batch of tags
    assert [item.by for item in found] == ["anna", *(["ben"] if whole else [])]
    assert errata.load_recipe(run).steps[0][0] == accepted_of(mlflow.get_run(run).data.tags).kind


def test_two_people_who_choose_at_once_lose_nothing(made, run):
    known = list(dict.fromkeys(kinds(made[-1])))

    def work(person):
        for kind in known[:4]:
            (errata.accept if person == "anna" else errata.decline)(run, kind, by=person)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ["anna", "ben"]))
    found = errata.choices(run)
    assert sorted((item.by, item.kind) for item in found) == sorted(
        (p, kind) for p in ("anna", "ben") for kind in known[:4]
    )


@pytest.mark.slow
def test_processes_that_are_killed_lose_nothing_that_was_told(made, run, tmp_path):
    """Children accept, decide on labels and log in an endless loop and are killed at random; what returned is there."""
    saved = made[-1].save(tmp_path / "record")
    script = textwrap.dedent(
        f"""
        import os, random, signal, sys, time
        import mlflow
        import mlflow_errata as errata
        from mlflow_errata.tracking import choices, decisions, store
        record = errata.Record.open({str(saved)!r})
        ranked = record.results["label_issues"].ranking["id"].tolist()
        acknowledged = os.open({str(tmp_path / "told")!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        def child(k):
            mlflow.set_tracking_uri({mlflow.get_tracking_uri()!r})
            for i in range(1000):
                errata.accept({run!r}, "stop", by=f"p{{k}}", why=str(i))
                os.write(acknowledged, f"accept p{{k}} {{i}}\\n".encode())
                errata.save_decisions({run!r}, {{ranked[i % len(ranked)]: "keep"}}, by=f"p{{k}}")
                os.write(acknowledged, f"label p{{k}} {{i}}\\n".encode())
                errata.log(record, run_id={run!r}, strict=True)
                os.write(acknowledged, f"log p{{k}} {{i}}\\n".encode())
        random.seed(0)
        for k in range(4):
            pid = os.fork()
            if pid == 0:
                child(k)
                os._exit(0)
            before, late = os.fstat(acknowledged).st_size, time.monotonic() + 60
            while os.fstat(acknowledged).st_size < before + 20 and time.monotonic() < late:
                time.sleep(0.02)
            time.sleep(1.5 * random.random())
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        """
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = [line.split() for line in (tmp_path / "told").read_text().splitlines()]
    assert len(told) >= 4
    accepted = {(item.by, item.why) for item in errata.choices(run)}
    assert {(person, i) for what, person, i in told if what == "accept"} <= accepted
    made_by = errata.load_decisions(run, every=True).groupby("by").size().to_dict()
    for person in {person for what, person, _ in told if what == "label"}:
        assert made_by[person] >= sum(what == "label" and by == person for what, by, _ in told)
    assert errata.load(run).results == made[-1].results
    assert errata.load_recipe(run).steps[0][0] == "stop"
