"""Generated tables with slices whose error rate is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import slice_errors
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.metric import default_metric

BASE = 0.10
LEVELS = (10, 9, 10, 16, 16, 7, 15, 6, 5, 2, 10, 10, 10, 36)
"""Levels of 14 columns: the shape of the Adult data, 162 in all."""


def adult(draw: np.random.Generator, n: int) -> pd.DataFrame:
    """14 columns of levels, the first the commonest, that hang together through a hidden group."""
    group = draw.integers(0, 4, n)
    columns = {}
    for at, m in enumerate(LEVELS):
        share = 1 / np.arange(1, m + 1)
        level = draw.choice(m, n, p=share / share.sum())
        columns[f"c{at}"] = np.where(draw.random(n) < 0.2, (group * 3 + at) % m, level).astype(str)
    return pd.DataFrame(columns)


def mixed(draw: np.random.Generator, n: int) -> pd.DataFrame:
    """10 numbers, one with gaps, and 5 columns of text."""
    numbers = {f"number_{i}": draw.normal(size=n) for i in range(10)}
    numbers["number_9"][draw.random(n) < 0.1] = np.nan
    words = {f"word_{i}": draw.choice([f"v{j}" for j in range(3 + 4 * i)], n) for i in range(5)}
    return pd.DataFrame(numbers | words)


def correlated(draw: np.random.Generator, n: int, n_columns: int = 30) -> pd.DataFrame:
    """Columns of 2 to 8 levels, half of whose values follow one of six hidden groups."""
    group = draw.integers(0, 6, n)
    columns = {}
    for at in range(n_columns):
        m = 2 + at % 7
        share = 1 / np.arange(1, m + 1)
        level = draw.choice(m, n, p=share / share.sum())
        columns[f"c{at}"] = np.where(draw.random(n) < 0.5, (group * (at + 1)) % m, level).astype(str)
    return pd.DataFrame(columns)


@dataclass(frozen=True)
class Planted:
    """A slice of one to three levels."""

    items: tuple[tuple[str, str], ...]

    def mask(self, frame: pd.DataFrame) -> np.ndarray:
        """Rows inside."""
        return np.logical_and.reduce([(frame[column] == level).to_numpy() for column, level in self.items])


def plant(draw: np.random.Generator, frame: pd.DataFrame, depths: tuple[int, ...] = (1, 2, 2, 3, 3)) -> list[Planted]:
    """Slices of 1.2 to 6 % of the rows that hardly overlap, each predicate of which halves its parent at least."""
    found: list[Planted] = []
    used = np.zeros(len(frame), dtype=bool)
    for depth in depths:
        while True:
            names = draw.choice(frame.columns, depth, replace=False)
            item = Planted(tuple((name, draw.choice(frame[name].unique())) for name in names))
            inside = item.mask(frame)
            parents = [Planted(tuple(kept for kept in item.items if kept != out)) for out in item.items]
            halved = depth == 1 or all(2 * inside.sum() <= parent.mask(frame).sum() for parent in parents)
            if 0.012 <= inside.mean() <= 0.06 and halved and (inside & used).sum() <= 0.1 * inside.sum():
                found.append(item)
                used |= inside
                break
    return found


def diagnosed(frame: pd.DataFrame, wrong: np.ndarray, draw: np.random.Generator) -> slice_errors.SliceErrors:
    """Slice errors of a model that is wrong where `wrong` says."""
    y = draw.integers(0, 2, len(frame))
    rows = frame.assign(label=y, said=np.where(wrong, 1 - y, y))
    table = EvaluationTable.build(rows, label="label", prediction="said")
    return slice_errors.diagnose(table, Options(default_metric(table.outcomes)))


def jaccard(one: np.ndarray, two: np.ndarray) -> float:
    """Rows in both over rows in either."""
    return float((one & two).sum() / max((one | two).sum(), 1))
