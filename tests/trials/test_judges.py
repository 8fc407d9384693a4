"""Who judges: later rows what earlier rows chose, or every fold what the others chose."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from mlflow_errata import EvaluationTable
from mlflow_errata.trials.judges import BLOCKS, judges_of


def table(n, **columns):
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"y": draw.integers(0, 2, n), "p": draw.integers(0, 2, n), "x": draw.normal(size=n), **columns}
    )
    return EvaluationTable.build(frame, label="y", prediction="p", time="at" if "at" in columns else None)


@pytest.mark.parametrize("n_refits", [1, 4])
def test_nothing_that_chooses_is_newer_than_what_it_judges(n_refits):
    rows = table(4000, at=np.random.default_rng(1).permutation(4000).astype(float))
    judges = judges_of(rows, n_refits)
    assert len(judges.refits.splits) == n_refits
    for judge in (judges.decisions, judges.refits):
        assert judge.kind == "forward"
        for split in judge.splits:
            assert rows.times[split.choose].max() < rows.times[split.judge].min()
        assert len(np.unique(judge.rows)) == len(judge.rows)
        assert judge.n_groups >= 4
        periods = [rows.times[judge.rows[judge.groups == group]] for group in range(judge.n_groups)]
        assert all(a.max() < b.min() for a, b in itertools.pairwise(periods))
    assert len(judges.refits.rows) == pytest.approx(2000, abs=4000 / BLOCKS)


def test_rows_of_one_moment_stay_together():
    rows = table(4000, at=np.repeat(np.arange(100.0), 40))
    judge = judges_of(rows, 4).decisions
    for split in judge.splits:
        assert not set(rows.times[split.choose]) & set(rows.times[split.judge])


def test_without_a_time_every_row_is_judged_by_the_others():
    judge = judges_of(table(1003), 4).refits
    assert judge.kind == "folds"
    assert sorted(judge.rows) == list(range(1003))
    assert all(not set(split.choose) & set(split.judge) for split in judge.splits)
    assert len(judge.groups) == 1003


def test_few_rows_or_few_moments_are_judged_by_folds_or_not_at_all():
    assert judges_of(table(120, at=np.arange(120.0)), 4).decisions.kind == "folds"
    assert judges_of(table(4000, at=np.repeat([1.0, 2.0], 2000)), 4).decisions.kind == "folds"
    assert judges_of(table(40), 4) is None
