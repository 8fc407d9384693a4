"""Statistics without each group, against computing them on the rows that are left."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mlflow_errata.stats.deletion import auc_without, mean_without


@pytest.mark.parametrize("weighted", [False, True])
def test_against_the_rows_that_are_left(weighted):
    draw = np.random.default_rng(0)
    groups = np.arange(200) % 7
    scores, positive = draw.integers(0, 12, 200) / 12, draw.random(200) < 0.3
    weight = draw.random(200) if weighted else None
    value, parts = auc_without(scores, positive, weight, groups)
    assert value == pytest.approx(roc_auc_score(positive, scores, sample_weight=weight), abs=1e-12)
    mean, means = mean_without(scores, weight, groups)
    assert mean == pytest.approx(np.average(scores, weights=weight))
    for j in range(7):
        rest = groups != j
        left = None if weight is None else weight[rest]
        assert parts[j] == pytest.approx(roc_auc_score(positive[rest], scores[rest], sample_weight=left), abs=1e-12)
        assert means[j] == pytest.approx(np.average(scores[rest], weights=left))


def test_a_class_that_is_not_there_has_no_area():
    value, parts = auc_without(np.arange(6.0), np.arange(6) == 0, None, np.arange(6) % 2)
    assert np.isfinite(value)
    assert list(np.isnan(parts)) == [True, False]
