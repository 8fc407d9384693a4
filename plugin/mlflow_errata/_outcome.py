"""Outcomes: what a step delivered in the run that took it, beside what it had promised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from mlflow_errata._evaluated import Evaluated, evaluated, with_classes
from mlflow_errata.columns import row_hashes
from mlflow_errata.errors import ErrataError
from mlflow_errata.errors.stored import NotComparable
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import Metric, Outcomes, resolve_metric
from mlflow_errata.stats.blocks import block_interval, blocks
from mlflow_errata.stats.deletion import mean_without
from mlflow_errata.stats.intervals import difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlflow_errata.record.schema import Record

    Floats = NDArray[np.float64]

How = Literal["before", "same", "ids", "window"]
FEWEST = 50
"""Rows that a comparison needs."""
LEVEL = 0.9
"""Coverage of a delivered gain's interval, as that of a promised one."""
VALUE_UNIT = "value per row"
SAME = 1e-9
"""Relative difference of two amounts of value that are one amount."""
MOST_ODD = 0.01
"""Share of equal decisions whose value may differ (labels that were corrected) before two runs declare other values."""


@dataclass(frozen=True)
class Pairing:
    """Rows that two runs can both be judged on.

    Parameters
    ----------
    how : "before", the newer run asked the earlier model; "same", both were evaluated on the same data; "ids", rows
        that both hold; "window", other rows of the same time
    old, new : Evaluated; row by row the same rows unless `how` is "window"
    """

    how: How
    old: Evaluated
    new: Evaluated

    @property
    def is_paired(self) -> bool:
        """Whether old and new are the same rows."""
        return self.how != "window"


@dataclass(frozen=True)
class Delivered:
    """A delivered gain.

    Parameters
    ----------
    gain : Estimate, more is better
    how : as in `Pairing`
    """

    gain: Estimate
    how: How


def delivered(old: Record, new: Record, unit: str, *, trained_on_old: bool = False) -> Delivered:
    """The gain of a run over the one that it follows, on rows that both can be judged on.

    Parameters
    ----------
    old, new : Record, with their evaluated rows
    unit : str, name of the metric, or "value per row"
    trained_on_old : bool, True if the step fits on the evaluation rows of the old run: they judge nothing then

    Raises
    ------
    NotComparable
    """
    pair = pairing(old, new, trained_on_old=trained_on_old)
    return Delivered(gain(pair, unit, greater_is_better=_direction(old, unit)), pair.how)


def _direction(record: Record, unit: str) -> bool:
    return record.summary.greater_is_better or unit != record.summary.metric


# -- rows that both can be judged on ----------------------------------------------------------------------------------


def pairing(old: Record, new: Record, *, trained_on_old: bool = False) -> Pairing:
    """Rows that two runs can both be judged on, the best of four kinds.

    1. what the earlier model said of the newer run's rows, where it was asked (`diagnose(..., before=)`)
    2. the same evaluation data, by digest
    3. rows of the same id and the same content
    4. rows of the newest time that both cover

    Labels are those of the newer run: it may have corrected some.

    Raises
    ------
    NotComparable
    """
    now, asked = evaluated(new), evaluated(new, before=True)
    if now is None:
        raise NotComparable("the newer run keeps none of its rows (rows=False)")
    if asked is not None:
        return _alike("before", asked, now)
    was = evaluated(old)
    if was is None:
        raise NotComparable("the earlier run keeps none of its rows (rows=False)")
    if old.summary.task != new.summary.task:
        raise NotComparable(f"one is a {old.summary.task} task, the other {new.summary.task}")
    if trained_on_old:
        return _unseen(was, now, new)
    if old.dataset.digest == new.dataset.digest:
        return _alike("same", was, now)
    return _by_id(was, now) or _window(was, now)


def _unseen(was: Evaluated, now: Evaluated, new: Record) -> Pairing:
    """Rows of both that are newer than everything that the newer model was trained on."""
    trained = None if new.dataset.training is None else new.dataset.training.end
    if was.times is not None and now.times is not None and trained is not None:
        end: Any = np.datetime64(trained) if isinstance(trained, datetime) else trained
        later = [side.take(np.asarray(side.times > end)) for side in (was, now) if side.times is not None]
        if min(map(len, later)) >= FEWEST:
            return _by_id(*later) or _window(*later)
    raise NotComparable(
        "the step trains on the earlier run's evaluation rows, and the earlier model was not asked about newer ones: "
        "pass it as before= to errata.diagnose"
    )


def _by_id(was: Evaluated, now: Evaluated) -> Pairing | None:
    """Rows of the same id whose columns hold the same, as far as both runs have them."""
    common = [name for name in was.columns if name in now.columns]
    if not common or not (pd.Index(was.ids).is_unique and pd.Index(now.ids).is_unique):
        return None
    at = pd.Index(was.ids).get_indexer(pd.Index(now.ids))
    both = np.flatnonzero(at >= 0)
    if len(both) < FEWEST:
        return None
    old, new = was.take(at[both]), now.take(both)
    same = row_hashes(old.columns[common], {}) == row_hashes(new.columns[common], {})
    if int(same.sum()) < FEWEST:
        return None
    return _alike("ids", old.take(same), new.take(same))


def _window(was: Evaluated, now: Evaluated) -> Pairing:
    if was.times is None or now.times is None:
        raise NotComparable(
            "the two runs were evaluated on different rows that share no ids, and there is no time to find a common "
            "window by"
        )
    if was.times.dtype.kind != now.times.dtype.kind:
        raise NotComparable("the times of the two runs are of different kinds")
    start = max(np.nanmin(side.times) for side in (was, now) if side.times is not None)
    end = min(np.nanmax(side.times) for side in (was, now) if side.times is not None)
    inside = [
        side.take(np.asarray((side.times >= start) & (side.times <= end)))
        for side in (was, now)
        if side.times is not None
    ]
    if start > end or min(map(len, inside)) < FEWEST:
        raise NotComparable(
            "the newer run was evaluated on later rows, which the earlier model was not asked about: pass it as "
            "before= to errata.diagnose"
        )
    return Pairing("window", inside[0], _in_order(inside[1]))


def _alike(how: How, old: Evaluated, new: Evaluated) -> Pairing:
    """The same rows, under the labels of the newer run, in one order of classes."""
    if len(new) < FEWEST:
        raise NotComparable(f"only {len(new)} rows are common to both")
    classes = tuple(dict.fromkeys((*new.outcomes.classes, *old.outcomes.classes)))
    said, now = with_classes(old.outcomes, classes), with_classes(new.outcomes, classes)
    corrected = said.y != now.y
    was = replace(old, outcomes=replace(said, y=now.y, weight=now.weight), lost=_revalued(old, new, said, now))
    new = replace(new, outcomes=now)
    if how != "before" and old.lost is not None and new.lost is not None and was.lost is not None:
        equal = (said.prediction == now.prediction) & ~corrected
        odd = np.abs(old.lost - new.lost)[equal] > SAME * (1 + np.abs(new.lost[equal]))
        if odd.size and odd.mean() > MOST_ODD:
            was = replace(was, lost=None)
    if new.times is None:
        return Pairing(how, was, new)
    order = np.argsort(new.times, kind="stable")
    return Pairing(how, was.take(order), new.take(order))


def _revalued(old: Evaluated, new: Evaluated, said: Outcomes, now: Outcomes) -> Floats | None:
    """Value that the old decisions lose under the new labels: of rows whose label changed, the mean of their cell."""
    if old.lost is None or new.lost is None:
        return None
    corrected = said.y != now.y
    if not corrected.any() or now.task == "regression":
        return old.lost
    k = len(now.classes)
    cells = np.concatenate([now.y * k + now.prediction, (said.y * k + said.prediction)[~corrected]])
    amounts = np.concatenate([new.lost, old.lost[~corrected]])
    total, n = np.bincount(cells, amounts, minlength=k * k), np.bincount(cells, minlength=k * k)
    mean = np.divide(total, n, out=np.full(k * k, amounts.mean()), where=n > 0)
    return np.where(corrected, mean[now.y * k + said.prediction], old.lost)


def _in_order(side: Evaluated) -> Evaluated:
    return side if side.times is None else side.take(np.argsort(side.times, kind="stable"))


# -- the gain ---------------------------------------------------------------------------------------------------------


def gain(pair: Pairing, unit: str, *, greater_is_better: bool = True, noise: float = 0.0) -> Estimate:
    """Gain of new over old, more is better, with a 90 % interval by block bootstrap.

    Parameters
    ----------
    pair : Pairing
    unit : str, name of a metric, or "value per row"
    greater_is_better : bool, of the metric
    noise : float, standard error of other origin

    Raises
    ------
    NotComparable
    """
    old, new = pair.old, pair.new
    if unit == VALUE_UNIT:
        if old.lost is None or new.lost is None:
            raise NotComparable("the two runs declare different values, or one declares none")
        statistics: list[_Mean | _Measured] = [_Mean(-side.lost) for side in (old, new) if side.lost is not None]
    else:
        metric = metric_of(unit, new.outcomes)
        sign = 1.0 if greater_is_better else -1.0
        statistics = [_Measured(metric, sign, side.outcomes) for side in (old, new)]
    try:
        return _paired(statistics, pair, unit, noise) if pair.is_paired else _unpaired(statistics, pair, unit)
    except (ErrataError, ValueError, FloatingPointError) as cause:
        raise NotComparable(f"{unit} cannot be computed on the common rows: {cause}") from cause


def metric_of(name: str, outcomes: Outcomes) -> Metric:
    """A metric by the name that a record holds.

    Raises
    ------
    NotComparable
        For a function of the user's, which no record holds.
    """
    try:
        return resolve_metric(name, outcomes)
    except ErrataError as cause:
        raise NotComparable(f"the metric {name!r} cannot be computed from what is stored: {cause}") from cause


@dataclass(frozen=True)
class _Mean:
    """The mean of an amount per row."""

    amounts: Floats

    def without(self, groups: NDArray[np.intp]) -> tuple[float, Floats]:
        return mean_without(self.amounts, None, groups)


@dataclass(frozen=True)
class _Measured:
    """A metric, turned so that more is better."""

    metric: Metric
    sign: float
    outcomes: Outcomes

    def without(self, groups: NDArray[np.intp]) -> tuple[float, Floats]:
        metric, said = self.metric, self.outcomes
        if metric.rows is not None:
            value, parts = mean_without(metric.rows(said), said.weight, groups)
        elif metric.without is not None:
            value, parts = metric.without(said, groups)
        else:
            value = metric.compute(said)
            parts = np.array([metric.compute(said.take(groups != at)) for at in range(int(groups.max()) + 1)])
        return self.sign * value, self.sign * parts


def _paired(statistics: Sequence[_Mean | _Measured], pair: Pairing, unit: str, noise: float) -> Estimate:
    ordered = pair.new.times is not None
    n = len(pair.new)
    groups = blocks(n)
    (was, without_was), (now, without_now) = (item.without(groups) for item in statistics)
    found = _finite(now - was, without_now - without_was, unit)
    ends = block_interval(*found, in_time_order=ordered, level=LEVEL, noise=noise)
    return Estimate(*ends, n=n, unit=unit, level=LEVEL)


def _unpaired(statistics: Sequence[_Mean | _Measured], pair: Pairing, unit: str) -> Estimate:
    ends = []
    for item, side in zip(statistics, (pair.old, pair.new), strict=True):
        found = _finite(*item.without(blocks(len(side))), unit)
        ends.append(block_interval(*found, in_time_order=True, level=LEVEL))
    n = min(len(pair.old), len(pair.new))
    return Estimate(*difference(ends[0], ends[1]), n=n, unit=unit, level=LEVEL)


def _finite(value: float, parts: Floats, unit: str) -> tuple[float, Floats]:
    if not (np.isfinite(value) and np.isfinite(parts).all()):
        raise NotComparable(f"{unit} is not defined on some of the common rows")
    return float(value), parts
