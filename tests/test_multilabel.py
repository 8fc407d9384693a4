"""Several labels a row: figures against scikit-learn, planted and null tables, clear refusals, a record read back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, hamming_loss, recall_score
from sklearn.multioutput import MultiOutputClassifier

import mlflow_errata as errata
from mlflow_errata.sections import sections

LABELS = ["rain", "snow", "wind"]
SCORES = {name: f"p_{name}" for name in LABELS}
CUTS = np.array([0.0, 1.0, 1.8])


def days(n=3000, seed=0, missing=0.0):
    """Three labels with calibrated scores; of some labels nobody knows whether they hold."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 3))
    score = 1 / (1 + np.exp(-2 * (x - CUTS)))
    rows = pd.DataFrame(
        {"at": pd.date_range("2023-01-01", periods=n, freq="3h"), "region": draw.choice(list("nesw"), n)}
    )
    rows[["x0", "x1", "x2"]] = x
    rows[list(SCORES.values())] = score
    rows[LABELS] = (draw.random((n, 3)) < score).astype(float)
    if missing:
        rows[LABELS[1:]] = rows[LABELS[1:]].where(draw.random((n, 2)) > missing)
    return rows


def diagnose(rows, **roles):
    return errata.diagnose(rows, **{"label": LABELS, "scores": SCORES, "time": "at", **roles})


def test_figures_against_scikit_learn():
    rows = days()
    result = diagnose(rows).results["class_imbalance"]
    y, score = rows[LABELS].to_numpy(), rows[list(SCORES.values())].to_numpy()
    said = score >= 0.5
    told = {item.unit: item.value for item in result.together.metrics}
    assert told == pytest.approx(
        {
            "hamming_loss": hamming_loss(y, said),
            "subset_accuracy": (y == said).all(axis=1).mean(),
            "f1_micro": f1_score(y, said, average="micro"),
            "f1_macro": f1_score(y, said, average="macro"),
            "average_precision_macro": average_precision_score(y, score, average="macro"),
        }
    )
    assert result.together.cardinality == pytest.approx(y.sum(axis=1).mean())
    for item in result.classes:
        at = LABELS.index(item.label)
        assert item.recall.value == pytest.approx(recall_score(y[:, at], said[:, at]))
        assert item.specificity.value == pytest.approx(recall_score(1 - y[:, at], 1 - said[:, at]))


@pytest.mark.parametrize("metric", ["f1_micro", "hamming_loss", "average_precision_macro", "roc_auc_ovr"])
def test_any_metric_that_takes_a_matrix(metric):
    record = diagnose(days(600), metric=metric)
    assert record.summary.value.low <= record.summary.value.value <= record.summary.value.high


def test_labels_that_are_not_known_are_no_negatives():
    rows = days(missing=0.4)
    result = diagnose(rows).results["class_imbalance"]
    assert result.together.unknown == pytest.approx(rows[LABELS].isna().to_numpy().mean())
    for item in result.classes:
        known = rows[item.label].notna()
        said = rows.loc[known, SCORES[item.label]] >= 0.5
        assert item.recall.value == pytest.approx(recall_score(rows.loc[known, item.label], said))
        assert item.share.n == known.sum()


def test_labels_never_seen_and_never_predicted():
    rows = days().assign(rain=0.0, p_wind=0.1)
    result = diagnose(rows).results["class_imbalance"].together
    assert result.never_seen == ("rain",)
    assert result.never_predicted == ("wind",)


def test_one_label_that_is_wrong_in_one_slice():
    rows = days()
    west = rows["region"] == "w"
    rows.loc[west, "p_snow"] = 1 - rows.loc[west, "p_snow"]
    result = diagnose(rows).results["slice_errors"]
    assert "snow" in {item.label for item in result.labels}
    own = next(item for item in result.labels if item.label == "snow")
    assert own.slices[0].conditions == ("region == 'w'",)
    assert result.slices[0].conditions == ("region == 'w'",)


def test_one_label_that_is_served_worse_and_is_more_frequent():
    rows = days(4000)
    new = np.arange(4000) >= 3000
    draw = np.random.default_rng(1)
    rows.loc[new, "wind"] = (draw.random(1000) < 0.5).astype(float)
    result = diagnose(rows).results["recency_drift"]
    assert result.found
    assert result.labels[0].label == "wind"
    assert result.labels[0].worse
    assert result.labels[0].moved
    assert not any(item.worse for item in result.labels[1:])


def test_one_label_whose_scores_are_off():
    rows = days()
    rows["p_rain"] = rows["p_rain"] ** 3
    result = diagnose(rows).results["calibration"]
    assert result.of == "rain"
    assert result.shape is not None
    assert [item.label for item in result.labels if item.off] == ["rain"]


def test_nothing_wrong_is_silent():
    """Verdicts over 20 null tables, four diagnoses each at 5 % or less; errors do not depend on the columns shown."""
    found = [diagnose(days(1500, seed).drop(columns=["x0", "x1", "x2"])).results for seed in range(20)]
    for name in ("slice_errors", "recency_drift", "calibration", "data_faults"):
        assert sum(item[name].found for item in found) <= 3, name


def test_a_model_and_a_training_set():
    rows = days()
    train, test = rows.head(1500), rows.tail(1500)
    features = ["x0", "x1", "x2"]
    model = MultiOutputClassifier(LogisticRegression()).fit(train[features], train[LABELS].astype(int))
    record = errata.diagnose(
        test[[*features, *LABELS, "at"]], label=LABELS, model=model, train=train, features=features
    )
    assert record.summary.task == "multilabel"
    assert record.trials is not None
    assert "stop" in {step.kind for step in record.next_steps}


def test_read_back_and_shown(tmp_path):
    record = diagnose(days(missing=0.2))
    record.save(tmp_path / "record")
    assert errata.Record.open(tmp_path / "record") == record
    assert {item.name for item in sections(record)} == {*record.results, *record.not_applicable}
    assert "several labels" in record.not_applicable["label_issues"]


def test_value_of_the_whole_row():
    record = diagnose(days(), value=lambda y, said: (y * said).sum(axis=1) - 0.5 * ((y == 0) * said).sum(axis=1))
    assert record.results["metric_mismatch"].lost.value > 0


@pytest.mark.parametrize(
    ("change", "roles", "words"),
    [
        ({"snow": "yes"}, {}, "snow"),
        ({}, {"scores": {"rain": "p_rain"}}, "scores"),
        ({}, {"label": ["rain", "hail"]}, "hail"),
        ({}, {"label": ["rain", "rain"]}, "rain"),
        ({}, {"task": "binary"}, "task='binary'"),
        ({"p_rain": np.nan}, {}, "p_rain"),
        ({"p_rain": 7.0}, {}, "probabilities"),
    ],
)
def test_what_does_not_fit_is_one_clear_error(change, roles, words):
    with pytest.raises(errata.ErrataError, match=words):
        diagnose(days(200).assign(**change), **roles)
