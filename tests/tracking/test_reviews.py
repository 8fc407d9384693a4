"""Reviews of slices: stored as tags of a run, counted in the whole experiment."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import mlflow
import numpy as np
import pytest

import mlflow_errata as errata
from mlflow_errata._reviews import LONGEST_TAG, REVIEW_TAG, Review, as_tag, review_of, standing
from mlflow_errata._slice_measured import measured
from mlflow_errata.diagnoses.slice_errors import slice_id
from mlflow_errata.errors import ColumnMissing, ExpressionUnreadable, OptionUnknown, ValuesRefused
from mlflow_errata.errors.stored import NoteTooLong, NotMeasured, PersonMissing, ReadOnly
from mlflow_errata.predicates import parse
from mlflow_errata.stats.intervals import wilson
from mlflow_errata.tracking.reviews import keep_slice, reviews, slices_found, with_rows

EAST = "region == 'east'"


@pytest.fixture
def run(experiment):
    with mlflow.start_run(experiment_id=experiment, run_name="first") as made:
        return made.info.run_id


def test_a_review_is_read_back_in_the_whole_experiment(experiment, run):
    errata.review_slice(run, f"{EAST} and a >= 0.5", "accepted", by=" anna ", note="known: no radar there")
    with mlflow.start_run(experiment_id=experiment):
        mlflow.set_tag("errata.status", "complete")
    (found,) = reviews(experiment)
    assert (found.status, found.by, found.note) == ("accepted", "anna", "known: no radar there")
    assert (found.run_id, found.run_name) == (run, "first")
    assert found.slice_id == slice_id(["a >= 0.5", EAST])
    assert datetime.now(UTC) - datetime.fromisoformat(found.at) < timedelta(minutes=1)


def test_the_newest_counts_and_none_is_lost(experiment, run):
    for status in ("accepted", "fixed", "open"):
        errata.review_slice(run, [EAST], status, by="anna")
    found = reviews(experiment)
    assert len(found) == 3
    assert standing(found)[slice_id([EAST])].status == "open"
    assert standing(reversed(found)) == standing(found)


def test_a_fixed_slice_that_a_later_run_finds_came_back():
    said = review_of([EAST], "fixed", by="anna", note="")
    later, earlier = (datetime.now(UTC) + timedelta(hours=hours) for hours in (1, -1))
    assert said.came_back(later)
    assert not said.came_back(earlier)
    assert not review_of([EAST], "accepted", by="anna", note="").came_back(later)


def test_what_cannot_be_stored_is_refused(run, monkeypatch):
    with pytest.raises(OptionUnknown, match=r"status='fixd' is not known. Did you mean 'fixed'"):
        errata.review_slice(run, EAST, "fixd", by="anna")
    with pytest.raises(PersonMissing):
        errata.review_slice(run, EAST, "fixed", by=" ")
    with pytest.raises(NoteTooLong, match="2,001 characters"):
        errata.review_slice(run, EAST, "fixed", by="anna", note="x" * 2001)
    with pytest.raises(NoteTooLong, match=r"a tag holds 8,000"):
        errata.review_slice(run, EAST, "fixed", by="anna", note="\x01" * 2000)
    with pytest.raises(ExpressionUnreadable):
        errata.review_slice(run, "region > 3", "fixed", by="anna")
    monkeypatch.setenv("ERRATA_READ_ONLY", "1")
    with pytest.raises(ReadOnly):
        errata.review_slice(run, EAST, "fixed", by="anna")


@pytest.mark.parametrize("text", ["\u202e gnirts", "🚲" * 300, '"' * 1000, "<img src=x>", "[a](b)", "a\nb"])
def test_hostile_words_survive_and_fit_a_tag(text, experiment, run):
    name = f"{text} == 'x'"
    errata.review_slice(run, [name], "accepted", by=text, note=text)
    tags = mlflow.get_run(run).data.tags
    assert all(len(value) <= LONGEST_TAG for value in tags.values())
    (found,) = reviews(experiment)
    assert (found.slice_id, found.note) == (slice_id([name]), text.strip())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"slice_id": "a"}', '{"slice_id": 1, "x": 2}'])
def test_tags_that_are_no_reviews_are_passed_over(text, experiment, run):
    mlflow.MlflowClient().set_tag(run, f"{REVIEW_TAG}x", text or " ")
    mlflow.MlflowClient().set_tag(run, "errata.reviewed", "2026")
    assert reviews(experiment) == ()
    assert Review.parsed(as_tag(review_of([EAST], "open", by="a", note=""))) is not None
    odd = json.loads(as_tag(review_of([EAST], "open", by="a", note=""))) | {"status": "closed"}
    assert Review.parsed(json.dumps(odd)) is None


# -- the same slice in other runs -------------------------------------------------------------------------------------


@pytest.fixture
def logged(experiment, record):
    with mlflow.start_run(experiment_id=experiment) as made:
        errata.log(record, strict=True)
        return made.info.run_id


def test_slices_found_are_read_from_the_table_of_slices(logged, record):
    found = slices_found(logged)
    slices = record.results["slice_errors"].slices
    assert list(found) == [" and ".join(item.conditions) for item in slices]
    assert found[EAST]["support"] == slices[0].support
    assert found[EAST]["error_low"] == slices[0].error.low


def test_a_table_that_is_none_is_empty(logged):
    folder = mlflow.get_run(logged).data.tags["errata.record"]
    mlflow.MlflowClient().log_text(logged, "[1", f"{folder}/slices.json")
    assert slices_found(logged) == {}


def test_any_slice_is_measured_on_the_rows_that_a_run_keeps(logged, frame):
    said = measured(with_rows(logged), parse(f"{EAST} and a >= 0.5"))
    inside = (frame["region"] == "east") & (frame["a"] >= 0.5)
    wrong = (frame["score"] >= 0.5) != frame["y"]
    assert (said.n_looked_at, said.n_rows) == (3000, 3000)
    assert said.found.support == inside.sum()
    np.testing.assert_allclose(
        (said.found.error.value, said.found.error.low, said.found.error.high), wilson(wrong[inside].sum(), inside.sum())
    )
    assert said.found.outside.value == pytest.approx(wrong[~inside].mean())
    assert said.found.metric.unit == "roc_auc"


def test_what_cannot_be_measured_says_why(logged, experiment, record):
    with pytest.raises(ColumnMissing, match="Did you mean 'region'"):
        measured(with_rows(logged), parse("regio == 'east'"))
    with pytest.raises(ValuesRefused, match="'region >= 3' cannot compare"):
        measured(with_rows(logged), parse("region >= 3"))
    assert measured(with_rows(logged), parse("region == 'west'")).found.error is None
    with mlflow.start_run(experiment_id=experiment) as bare:
        errata.log(record, rows=False, strict=True)
    with pytest.raises(NotMeasured, match="none of its rows"):
        measured(with_rows(bare.info.run_id), parse(EAST))


def test_a_kept_slice_joins_those_of_the_experiment(experiment):
    name = mlflow.get_experiment(experiment).name
    errata.save_slices(name, {"a": ("a >= 0.5", 0.1)})
    keep_slice(name, "east", EAST)
    assert errata.load_slices(name) == {"a": ("a >= 0.5", 0.1), "east": EAST}
