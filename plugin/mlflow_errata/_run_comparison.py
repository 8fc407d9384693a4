"""Two runs side by side: on the rows that both can be judged on, and what each of them found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata._compare import Comparison, compare
from mlflow_errata._outcome import VALUE_UNIT, gain, pairing
from mlflow_errata.errors import InputError
from mlflow_errata.errors.stored import NotComparable
from mlflow_errata.estimate import Estimate
from mlflow_errata.record.schema import LABEL, PREDICTION, WEIGHT, Record
from mlflow_errata.stats.intervals import wilson

if TYPE_CHECKING:
    from mlflow_errata._outcome import Pairing

OLD = f"{PREDICTION}.old"


@dataclass(frozen=True)
class Flips:
    """Rows on which the two models differ in being right.

    Parameters
    ----------
    negative : Estimate, share of rows that were right before and are wrong now
    positive : Estimate, share of rows that were wrong before and are right now
    """

    negative: Estimate
    positive: Estimate


@dataclass(frozen=True)
class RunComparison:
    """What differs between two runs.

    Parameters
    ----------
    old, new : Record
    how : str, which rows were compared ("before", "same", "ids", "window"); empty where there are none
    reason : str, why there are none
    change : Estimate or None, gain of the new run in the metric, more is better
    change_value : Estimate or None, the same in the declared value
    slices : Comparison or None, slices that got worse and better; None where rows are not paired
    flips : Flips or None; None for regression, and where rows are not paired
    """

    old: Record
    new: Record
    how: str
    reason: str
    change: Estimate | None
    change_value: Estimate | None
    slices: Comparison | None
    flips: Flips | None

    def __str__(self) -> str:
        from mlflow_errata.sections.run_comparison import summary  # noqa: PLC0415 - words live in sections

        return summary(self)


def compared(old: Record, new: Record) -> RunComparison:
    """Compare two runs by their records, read with their evaluated rows."""
    try:
        pair = pairing(old, new)
        change = gain(pair, new.summary.metric, greater_is_better=new.summary.greater_is_better)
    except NotComparable as reason:
        return RunComparison(old, new, "", str(reason), None, None, None, None)
    both = pair.old.lost is not None and pair.new.lost is not None
    return RunComparison(
        old,
        new,
        pair.how,
        "",
        change,
        gain(pair, VALUE_UNIT) if both else None,
        slices_between(pair, new),
        flips_between(pair),
    )


def flips_between(pair: Pairing) -> Flips | None:
    """Shares of rows that turned wrong, and right; None for regression and for rows that are not paired."""
    if not pair.is_paired or pair.new.outcomes.task == "regression":
        return None
    was, now = pair.old.outcomes.errors > 0, pair.new.outcomes.errors > 0
    n = len(pair.new)
    shares = [Estimate(*wilson(int(rows.sum()), n), n=n, unit="share of rows") for rows in (~was & now, was & ~now)]
    return Flips(*shares)


def slices_between(pair: Pairing, new: Record) -> Comparison | None:
    """Slices that got worse and better as they stand, and by more than other rows; None where rows are not paired.

    Columns that tell the label by themselves are left out. Multiplicity is controlled family-wise, and both ends of a
    change allow for the slice having been picked.
    """
    if not pair.is_paired or not len(pair.new.columns.columns):
        return None
    now, was = pair.new.outcomes, pair.old.outcomes
    columns: dict[str, Any] = {
        LABEL: now.named(now.y),
        OLD: was.named(was.prediction),
        PREDICTION: now.named(now.prediction),
    }
    roles: dict[str, Any] = {"label": LABEL, "old": OLD, "new": PREDICTION, "task": now.task}
    if now.weight is not None and np.ptp(now.weight) > 0:
        columns[WEIGHT], roles["weight"] = now.weight, WEIGHT
    telling = getattr(new.results.get("slice_errors"), "restating", ())
    shown = [name for name in pair.new.columns.columns if name not in telling]
    frame = pair.new.columns.reset_index(drop=True).assign(**columns)
    try:
        found = compare(frame, slice_by=shown, **roles)
    except InputError:
        return None
    worse = tuple(item for item in found.worse if item.change.low > 0)
    return replace(found, worse=worse, better=tuple(item for item in found.better if item.change.high < 0))
