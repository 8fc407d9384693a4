"""Data faults: columns that give the label away, feeds that went dark, rows that stand where they should not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlflow_errata.columns import without_categories
from mlflow_errata.diagnoses._copies import COINCIDENCE, alike, expected_coincidences, n_contradicted, n_known
from mlflow_errata.diagnoses._gaps import newly_missing, outages, share_missing
from mlflow_errata.diagnoses._leaks import given_away, skill_alone
from mlflow_errata.diagnoses._shared_groups import SharedGroups, shared_groups
from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import UNKNOWN, Label
from mlflow_errata.stats.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow_errata.diagnoses._shape import Options
    from mlflow_errata.table import EvaluationTable

NAME = "data_faults"
FEWEST = 50
"""Rows below which nothing is looked for."""
CHANCE = 0.02
"""Chance of a verdict on data without a fault, over all columns."""
SAMPLED = 2_000
"""Rows that are looked at before all are; rows stand in no meaningful order, so the first are a fair draw."""
CURRENT = 0.25
"""Share of the newest rows among which a column may have come to a standstill."""
MANY = 10
"""Distinct values that a column had before a standstill is a fault: flags may rest for a season."""
NEARLY_ALL = 0.95
"""Share of distinct values from which text is an id."""
WORDS = 2
"""Mean number of spaces from which text is language and no id."""
WORTH_A_LOOK = 0.01
"""Share of the rows from which copies change a metric."""
AT_THE_END = 0.05
"""Share of the rows from which a gap that lasts to the newest row is a column that went missing, not an outage."""

Kind = Literal[
    "leak",
    "missingness",
    "in_train",
    "contradicted",
    "id_like",
    "constant",
    "newly_missing",
    "outage",
    "group_in_train",
]
CODES: dict[Kind, str] = {
    "leak": "ERR101",
    "missingness": "ERR102",
    "in_train": "ERR103",
    "contradicted": "ERR104",
    "id_like": "ERR105",
    "constant": "ERR106",
    "newly_missing": "ERR107",
    "outage": "ERR108",
    "group_in_train": "ERR109",
}
"""The stable code of every kind of fault, in the order in which they are shown."""
Moment = datetime | float


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the data.

    Parameters
    ----------
    kind : what it is:
        "leak" - the column alone predicts the label near-perfectly
        "missingness" - nearly all rows in which the column is missing carry one label
        "in_train" - rows stand in the training data, too
        "contradicted" - rows are alike in every column that the model sees, and differ in the label
        "id_like" - text or counters with a value of their own in (nearly) every row
        "constant" - one value only, in all rows or since `start`
        "newly_missing" - missing far more often than in the training data, or than before `start`
        "outage" - missing from `start` to `end`
        "group_in_train" - rows belong to groups that stand in the training data, too
    column : str or None, None for faults of rows
    rows : int, rows affected
    measure : Estimate or None: skill of the column alone, share of one label or share missing among the rows affected,
        share of all rows for faults of rows and groups
    alarm : bool, False where the fault is there but does not reach the model
    label : Label or None, the label that a missing value gives away
    of : str or None, the label column that is given away, of several
    start, end : Moment or None, first and last moment; None where the fault has none
    """

    kind: Kind
    column: str | None
    rows: int
    measure: Estimate | None
    alarm: bool
    label: Label | None = None
    start: Moment | None = None
    end: Moment | None = None
    of: str | None = None

    @property
    def code(self) -> str:
        """The stable code: ERR101 ..."""
        return CODES[self.kind]


@dataclass(frozen=True)
class DataFaults:
    """What is wrong with the data.

    Parameters
    ----------
    faults : tuple of Fault: those that reach the model first, then in the order of CODES, by rows and by column
    n_columns : int, columns looked at
    compared_with_train, followed_over_time : bool, whether there were training rows and times to compare with
    groups : SharedGroups or None, where rows and training rows have groups
    """

    faults: tuple[Fault, ...]
    n_columns: int
    compared_with_train: bool
    followed_over_time: bool
    groups: SharedGroups | None = None

    @property
    def found(self) -> bool:
        """A fault reaches the model."""
        return any(fault.alarm for fault in self.faults)

    @property
    def headline(self) -> Estimate | None:
        """How bad the first fault is; None where there is none, or it has no number."""
        return self.faults[0].measure if self.faults else None


RESULT = DataFaults


def diagnose(table: EvaluationTable, options: Options) -> DataFaults:
    """Look for faults in the columns that the model sees or that are sliced on, and in the rows.

    What each kind of fault is stands at `Fault`; how each is told from chance, in `_leaks`, `_gaps` and `_copies`. A
    fault in a column that the model does not see is listed and raises no alarm; neither does a leak which the model's
    errors show that it does not lean on, nor groups of the training rows that are served no better than new ones.

    Raises
    ------
    NotApplicable
        With fewer than 50 rows, or without a column beside the roles.
    """
    if len(table) < FEWEST:
        raise NotApplicable(f"needs {FEWEST} rows; there are {len(table)}")
    columns = list(dict.fromkeys([*table.features, *table.slice_columns]))
    columns = [name for name in columns if name not in table.roles.label_columns]
    if not columns:
        raise NotApplicable("needs a column beside the roles")
    clock = _Clock.of(table)
    faults = [fault for name in columns for fault in _of_column(table, name, clock, CHANCE / len(columns))]
    groups = shared_groups(table, options.metric)
    faults += [*_of_rows(table), *_of_groups(groups)]
    order = list(CODES)
    faults.sort(
        key=lambda fault: (not fault.alarm, order.index(fault.kind), -fault.rows, fault.column or "", fault.of or "")
    )
    return DataFaults(tuple(faults), len(columns), table.train is not None, clock is not None, groups)


@dataclass(frozen=True)
class _Clock:
    """Rows in time order, and their times."""

    rows: NDArray[np.intp]
    times: NDArray[Any]

    @classmethod
    def of(cls, table: EvaluationTable) -> _Clock | None:
        if table.times is None:
            return None
        rows = table.in_time_order
        times = table.times[rows]
        return cls(rows, times) if len(rows) >= FEWEST and times[0] != times[-1] else None

    def at(self, position: int) -> Moment:
        moment: Moment = self.times[position].item()
        return moment


# -- columns ----------------------------------------------------------------------------------------------------------


def _of_column(table: EvaluationTable, name: str, clock: _Clock | None, chance: float) -> Iterator[Fault]:
    column, seen = table.frame[name], name in table.features
    missing = column.isna().to_numpy()
    n_missing = int(missing.sum())
    told = list(_given_away(table, name, chance))
    yield from told
    if seen and not any(fault.kind == "leak" for fault in told) and _is_id(column):
        yield Fault("id_like", name, len(table), None, table.features_told)
    yield from _standstill(table, name, clock)
    gap = _gap(table, name, missing, clock, chance) if n_missing and clock is not None else []
    yield from gap
    if seen and n_missing and table.train is not None and not any(fault.kind == "newly_missing" for fault in gap):
        before = table.train.X[name]
        share = newly_missing(int(before.isna().sum()), len(before), n_missing, len(table), chance)
        if share is not None:
            yield Fault("newly_missing", name, n_missing, share, alarm=True)


def _given_away(table: EvaluationTable, name: str, chance: float) -> Iterator[Fault]:
    """A column that gives the label away, by its values or where it is missing; of several labels, each of them."""
    if table.task == "multilabel":
        for label, alone in table.per_label():
            for fault in _given_away(alone, name, chance / len(table.roles.labels)):
                yield replace(fault, of=label)
        return
    leak = skill_alone(table.frame[name], table.outcomes)
    if leak is not None:
        alarm = name in table.features and _leans_on(table, np.arange(len(table)), leak)
        yield Fault("leak", name, len(table), leak, alarm)
        return
    missing = table.frame[name].isna().to_numpy()
    if missing.any():
        yield from _missingness(table, name, missing, chance)


def _missingness(table: EvaluationTable, name: str, missing: NDArray[np.bool_], chance: float) -> Iterator[Fault]:
    told = given_away(missing, table.outcomes.y, chance)
    if told is not None:
        value, share = told
        rows = np.flatnonzero(missing)
        label = table.outcomes.classes[value] if table.outcomes.classes else value
        alarm = name in table.features and _leans_on(table, rows, share)
        yield Fault("missingness", name, len(rows), share, alarm, label=label)


def _leans_on(table: EvaluationTable, rows: NDArray[np.intp], leak: Estimate) -> bool:
    """Whether the model is about as right on some rows as a leak makes it.

    Its errors there are no more than the leak's own, or a tenth of those of the best constant guess over all rows.
    """
    y, errors = table.outcomes.y, float(table.errors[rows].mean())
    if table.task == "regression":
        return errors <= float(np.abs(y[rows] - np.median(y)).mean()) / 10
    constant = float((y[rows] != np.bincount(y).argmax()).mean())
    return errors <= max(constant / 10, 1 - leak.low if leak.unit == "share of rows" else 0.0)


def _is_id(column: pd.Series[Any]) -> bool:
    """Text with a value of its own in nearly every row, or whole numbers that count the rows."""
    values = without_categories(column)
    known = values.head(SAMPLED).dropna()
    if len(known) < FEWEST or _n_distinct(known) < NEARLY_ALL * len(known):
        return False
    if pd.api.types.is_integer_dtype(values.dtype):
        return bool(values.is_unique and int(values.max()) - int(values.min()) < 2 * len(values))
    if not (pd.api.types.is_string_dtype(values.dtype) and not pd.api.types.is_numeric_dtype(values.dtype)):
        return False
    text = known.astype(str)
    return bool(text.str.count(" ").mean() < WORDS and _n_distinct(values) >= NEARLY_ALL * int(values.notna().sum()))


def _standstill(table: EvaluationTable, name: str, clock: _Clock | None) -> Iterator[Fault]:
    """One value in all rows, or in all the newest rows where there were many before."""
    column, seen = table.frame[name], name in table.features
    if _n_distinct(column.head(SAMPLED)) == 1 and _n_distinct(column) == 1:
        if seen:
            varied = table.train is not None and _n_distinct(table.train.X[name]) >= MANY
            yield Fault("constant", name, len(table), None, varied)
        return
    if clock is None:
        return
    n, split = len(clock.rows), int((1 - CURRENT) * len(clock.rows))
    newest = column.iloc[clock.rows[split :: max(1, (n - split) // SAMPLED)]]
    if len(newest) < FEWEST or newest.isna().any() or _n_distinct(newest) != 1:
        return
    ordered = column.iloc[clock.rows]
    moving = np.flatnonzero((ordered != newest.iloc[0]).to_numpy(dtype=bool, na_value=True))
    last = int(moving.max(initial=-1))
    before = ordered.iloc[: last + 1]
    if last < split and _n_distinct(before) >= MANY and len(moving) >= len(before) / 2:
        yield Fault("constant", name, n - last - 1, None, seen, start=clock.at(last + 1), end=clock.at(n - 1))


def _n_distinct(values: pd.Series[Any]) -> int:
    """Distinct values, missing as one of them; 0 where values cannot be compared (lists, dicts)."""
    try:
        return len(pd.unique(values))
    except TypeError:
        return 0


def _gap(table: EvaluationTable, name: str, missing: NDArray[np.bool_], clock: _Clock, chance: float) -> list[Fault]:
    n = len(clock.rows)
    found = []
    for run in outages(np.flatnonzero(missing[clock.rows]), n, chance):
        length = run.end - run.start + 1
        stays = n - 1 - run.end <= AT_THE_END * length and length >= AT_THE_END * n
        found.append(
            Fault(
                "newly_missing" if stays else "outage",
                name,
                run.n_events,
                share_missing(run),
                name in table.features,
                start=clock.at(run.start),
                end=clock.at(run.end),
            )
        )
    return found


# -- rows -------------------------------------------------------------------------------------------------------------


def _of_rows(table: EvaluationTable) -> Iterator[Fault]:
    """Copies of training rows, and rows alike with other labels, where alike cannot be a coincidence."""
    seen = list(table.features)
    n, train = len(table), table.train
    if not seen:
        return
    frame = table.frame
    if expected_coincidences(frame, seen, float(n) * max(n, 0 if train is None else len(train.y))) > COINCIDENCE:
        return
    if train is not None:
        copies = n_known(frame, table.given, train.X, train.y, seen)
        if copies:
            yield Fault("in_train", None, copies, _share(copies, n), copies >= WORTH_A_LOOK * n)
    if table.task != "regression":
        twins, key = alike(frame, seen)
        y = table.outcomes.y[twins]
        if table.task == "multilabel" and len(twins):
            known, y = (y != UNKNOWN).all(axis=1), np.unique(y, axis=0, return_inverse=True)[1]
            key, y = key[known], y[known]
        rows = n_contradicted(key, y) if len(key) else 0
        if rows:
            yield Fault("contradicted", None, rows, _share(rows, n), rows >= WORTH_A_LOOK * n)


def _of_groups(groups: SharedGroups | None) -> Iterator[Fault]:
    """Groups of the training rows, an alarm where new ones are served worse."""
    if groups is not None and groups.n_shared:
        yield Fault("group_in_train", groups.column, groups.rows, groups.share, groups.flatters)


def _share(rows: int, n: int) -> Estimate:
    return Estimate(*wilson(rows, n), n=n, unit="share of rows")
