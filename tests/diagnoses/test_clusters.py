"""Embeddings: columns of vectors, sliced by their clusters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

import mlflow_errata as errata
from mlflow_errata.columns import vectors
from mlflow_errata.diagnoses._clusters import clusters_of
from mlflow_errata.diagnoses._contrasts import Contrast
from mlflow_errata.errors import ValuesRefused
from mlflow_errata.predicates import InCluster, nearest, packed_centres


@pytest.fixture(scope="module")
def frame():
    """4,000 rows around five points in 16 dimensions; the rows of one are wrong three times as often."""
    draw = np.random.default_rng(0)
    around = draw.integers(0, 5, 4000)
    points = draw.normal(size=(5, 16))[around] * 2 + draw.normal(size=(4000, 16))
    label = draw.integers(0, 2, 4000)
    wrong = draw.random(4000) < np.where(around == 3, 0.35, 0.10)
    shift = np.where((around == 3) & (draw.random(4000) < 0.7), "night", "day")
    told = {"around": around, "shift": shift, "text": list(points)}
    return pd.DataFrame({**told, "label": label, "prediction": np.where(wrong, 1 - label, label)})


def found_in(frame, **changes):
    given = frame.drop(columns="around").assign(**changes)
    return errata.diagnose(given, label="label", prediction="prediction", budget=0)


def test_the_cluster_is_named_and_set_apart(frame):
    record = found_in(frame)
    (item,) = record.results["slice_errors"].slices
    assert item.columns == ("text",)
    inside = item.mask(frame)
    truth = frame["around"] == 3
    assert (inside & truth).sum() / (inside | truth).sum() > 0.9
    (contrast,) = item.contrasts
    night = frame["shift"] == "night"
    assert contrast == Contrast("shift == 'night'", night[inside].mean(), night[~inside].mean())


def test_saved_and_opened_again_it_holds_the_same_rows(frame, tmp_path):
    record = found_in(frame)
    record.save(tmp_path / "record")
    (item,) = errata.Record.open(tmp_path / "record").results["slice_errors"].slices
    again = frame.sample(frac=1, random_state=1)
    expected = record.results["slice_errors"].slices[0].mask(frame)
    assert (item.mask(again) == expected[again.index]).all()


def test_missing_vectors_belong_to_no_cluster(frame):
    given = frame["text"].where(np.arange(4000) % 10 > 0)
    found = clusters_of(vectors(given))
    assert ((found.codes == -1) == given.isna()).all()
    assert (np.diff(np.bincount(found.codes[found.codes >= 0])) <= 0).all()


def test_nearest_is_the_nearest():
    draw = np.random.default_rng(0)
    given, centres = draw.normal(size=(500, 8)).astype(np.float32), draw.normal(size=(7, 8)).astype(np.float16)
    expected = cdist(given, centres.astype(float)).argmin(axis=1)
    assert (nearest(given, packed_centres(centres)) == expected).all()


def test_words():
    assert str(InCluster("text", (2,), 12, "")) == "text in cluster 3 of 12"
    assert str(InCluster("text", (0, 4), 12, "")) == "text in clusters 1, 5 of 12"


@pytest.mark.parametrize(
    "values",
    [
        [[1.0, 2.0], [1.0]],
        [[1.0], [2.0]],
        [[1.0, np.nan], [1.0, 2.0]],
        [["a", "b"], ["c", "d"]],
        [[1.0, 2.0], "text"],
        [[1e6, 1.0], [1.0, 2.0]],
        ["a", "b"],
    ],
)
def test_what_is_no_column_of_vectors(values):
    assert vectors(pd.Series(values, dtype=object)) is None


def test_an_embedding_of_another_size_is_refused(frame):
    (item,) = found_in(frame).results["slice_errors"].slices
    with pytest.raises(ValuesRefused, match="holds no vectors of 16 numbers"):
        item.mask(frame.assign(text=[[1.0, 2.0]] * len(frame)))


@pytest.mark.parametrize("value", [[0.5, 1.0], None])
def test_all_alike_makes_no_cluster(frame, value):
    skipped = found_in(frame, text=[value] * 4000).results["slice_errors"].skipped
    assert [column for column, _ in skipped] == ["text"]


def test_long_vectors_that_differ_in_one_number_are_told_apart(frame):
    """Arrays of more than 1,000 numbers print with dots in the middle; their digest must not."""
    one = np.zeros((60, 1500))
    other = one.copy()
    other[:, 700] = 1.0
    digests = {found_in(frame[:60], text=list(values)).dataset.digest for values in (one, other, one.copy())}
    assert len(digests) == 2
