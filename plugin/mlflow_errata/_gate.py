"""A gate: bars that a run has to keep, each judged by an interval."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlflow_errata._evaluated import evaluated
from mlflow_errata._outcome import gain, metric_of, pairing
from mlflow_errata._run_comparison import flips_between, slices_between
from mlflow_errata.diagnoses.calibration import Calibration
from mlflow_errata.diagnoses.recency_drift import RecencyDrift
from mlflow_errata.diagnoses.slice_errors import SliceErrors
from mlflow_errata.errors import ErrataError
from mlflow_errata.errors.stored import NotComparable, RulesBroken
from mlflow_errata.estimate import Estimate
from mlflow_errata.predicates import parse
from mlflow_errata.stats.intervals import mean_or_share

if TYPE_CHECKING:
    from mlflow_errata._evaluated import Evaluated
    from mlflow_errata._outcome import Pairing
    from mlflow_errata.metric import Metric
    from mlflow_errata.record.schema import Record

Bound = Literal["at least", "at most"]
Unsure = Literal["pass", "fail"]
KEYS: Mapping[str, frozenset[str]] = {
    "metric": frozenset({"at_least", "at_most", "drop_at_most"}),
    "slice": frozenset({"where", "error_at_most"}),
    "worst_slice": frozenset({"error_at_most"}),
    "negative_flips": frozenset({"at_most"}),
    "slices_worse": frozenset({"at_most"}),
    "calibration": frozenset({"error_at_most"}),
    "drift": frozenset({"drop_at_most"}),
}
"""Tables of the rules, and what each may hold; those of "metric" and "slice" hold tables by name."""
NAMED = frozenset({"metric", "slice"})


@dataclass(frozen=True)
class Bar:
    """A bar and how the run stands to it.

    Parameters
    ----------
    name : str, what is judged: "roc_auc", "slice late JFK", "negative flips" ...
    bound : "at least" or "at most"
    limit : float
    measured : Estimate or None
    reason : str, why it could not be measured; empty where it was
    """

    name: str
    bound: Bound
    limit: float
    measured: Estimate | None
    reason: str = ""

    @property
    def kept(self) -> bool | None:
        """True if the whole interval keeps the bar, False if all of it breaks it, None otherwise."""
        if self.measured is None:
            return None
        low, high = self.measured.low, self.measured.high
        if self.bound == "at least":
            return True if low >= self.limit else False if high < self.limit else None
        return True if high <= self.limit else False if low > self.limit else None


@dataclass(frozen=True)
class Gate:
    """Every bar of some rules, judged.

    Parameters
    ----------
    run : str, what was judged
    against : str or None, the run that it was compared with
    bars : tuple of Bar
    unsure : "pass" or "fail", what a bar counts as that lies within the interval
    """

    run: str
    against: str | None
    bars: tuple[Bar, ...]
    unsure: Unsure = "pass"

    def verdict(self, bar: Bar) -> Literal["pass", "fail", "cannot be judged"]:
        """What a bar counts as."""
        if bar.measured is None:
            return "cannot be judged"
        if bar.kept is None:
            return self.unsure
        return "pass" if bar.kept else "fail"

    @property
    def exit_code(self) -> int:
        """0 if every bar passes, 1 if one fails, 2 if none fails and one cannot be judged."""
        said = {self.verdict(bar) for bar in self.bars}
        return 1 if "fail" in said else 2 if "cannot be judged" in said else 0

    def __str__(self) -> str:
        from mlflow_errata.sections.gate import summary  # noqa: PLC0415 - words live in sections

        return summary(self)


@dataclass(frozen=True)
class Rules:
    """Rules of a gate, read and checked.

    Parameters
    ----------
    tables : mapping of the tables of the file
    unsure : "pass" or "fail"
    """

    tables: Mapping[str, Any]
    unsure: Unsure = "pass"

    @classmethod
    def read(cls, given: str | Path | Mapping[str, Any]) -> Rules:
        """Rules from a TOML file, or from the same as a mapping.

        Raises
        ------
        RulesBroken
        """
        if isinstance(given, Mapping):
            return cls._checked(dict(given), "given")
        try:
            return cls._checked(tomllib.loads(Path(given).read_text(encoding="utf-8")), given)
        except (OSError, ValueError) as cause:
            raise RulesBroken(given, cause) from cause

    @classmethod
    def _checked(cls, told: dict[str, Any], where: object) -> Rules:
        unsure = told.pop("unsure", "pass")
        if unsure not in {"pass", "fail"}:
            raise RulesBroken(where, f'unsure = {unsure!r}; write "pass" or "fail"')
        for name, table in told.items():
            if name not in KEYS:
                raise RulesBroken(where, f"[{name}] is not known; there are {sorted(KEYS)}")
            if not isinstance(table, dict):
                raise RulesBroken(where, f"{name} = {table!r} is no table")
            for title, bars in table.items() if name in NAMED else [(name, table)]:
                _check(name, title, bars, where)
        return cls(told, unsure)


def _check(name: str, title: str, bars: object, where: object) -> None:
    if not isinstance(bars, dict) or not bars:
        raise RulesBroken(where, f"[{name}.{title}] holds no bar; it may hold {sorted(KEYS[name])}")
    for key, value in bars.items():
        if key not in KEYS[name]:
            raise RulesBroken(where, f"{key} in [{name}] is not known; there are {sorted(KEYS[name])}")
        if key != "where" and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise RulesBroken(where, f"{key} = {value!r} in [{name}] is no number")


def judged(record: Record, rules: Rules, *, against: Record | None, run: str, against_run: str | None) -> Gate:
    """Judge a record by rules; acceptance bars of its named slices count besides."""
    judge = _Judge(record, against)
    bars: list[Bar] = []
    for name, table in rules.tables.items():
        for title, told in table.items() if name in NAMED else [(name, table)]:
            bars += judge.bars(name, str(title), told)
    asked = {bar.name for bar in bars}
    bars += [bar for bar in judge.kept_with_record() if bar.name not in asked]
    return Gate(run, against_run, tuple(bars), rules.unsure)


class _Judge:
    """Measures what bars ask for, each thing once."""

    def __init__(self, record: Record, against: Record | None) -> None:
        self.record, self.against = record, against
        self.said: Evaluated | None = evaluated(record)
        self._pair: Pairing | None = None

    def bars(self, name: str, title: str, told: Mapping[str, Any]) -> list[Bar]:
        measures: dict[tuple[str, str], tuple[str, Bound, Callable[[], Estimate]]] = {
            ("metric", "at_least"): (title, "at least", lambda: self._metric(title)),
            ("metric", "at_most"): (title, "at most", lambda: self._metric(title)),
            ("metric", "drop_at_most"): (f"drop of {title}", "at most", lambda: self._drop(title)),
            ("slice", "error_at_most"): (
                f"slice {title}",
                "at most",
                lambda: self._slice(title, told.get("where")),
            ),
            ("worst_slice", "error_at_most"): ("worst slice", "at most", self._worst),
            ("negative_flips", "at_most"): ("negative flips", "at most", self._flips),
            ("slices_worse", "at_most"): ("slices that got worse", "at most", self._worse),
            ("calibration", "error_at_most"): ("calibration error", "at most", self._calibration),
            ("drift", "drop_at_most"): ("drop on the newest rows", "at most", self._drift),
        }
        return [
            _bar(*measures[name, key][:2], float(limit), measures[name, key][2])
            for key, limit in told.items()
            if key != "where"
        ]

    def kept_with_record(self) -> list[Bar]:
        """The acceptance bars that the run's named slices carry."""
        named = getattr(self.record.results.get("slice_errors"), "named", ())
        return [
            Bar(f"slice {item.name}", "at most", item.at_most, item.error, "" if item.error else "too few rows")
            for item in named
            if item.at_most is not None
        ]

    def _rows(self) -> Evaluated:
        if self.said is None:
            raise NotComparable("the run keeps none of its rows (rows=False)")
        return self.said

    def _metric(self, name: str) -> Estimate:
        summary = self.record.summary
        if name == summary.metric and summary.value is not None:
            return summary.value
        rows = self._rows()
        found = metric_of(name, rows.outcomes).estimate(rows.outcomes)
        if found is None:
            raise NotComparable(f"{name} is not defined on the rows of the run")
        return found

    def _drop(self, name: str) -> Estimate:
        pair = self._pairing()
        metric = metric_of(name, pair.new.outcomes)
        return _negated(gain(pair, name, greater_is_better=_grows(metric, self.record)))

    def _slice(self, name: str, where: str | None) -> Estimate:
        if where is None:
            named = getattr(self.record.results.get("slice_errors"), "named", ())
            for item in named:
                if item.name == name and item.error is not None:
                    return item.error  # type: ignore[no-any-return]
            raise NotComparable('the run measured no slice of this name; write where = "..." or name it in the run')
        rows = self._rows()
        frame = rows.columns.reset_index(drop=True)
        inside = np.logical_and.reduce([predicate.mask(frame) for predicate in parse(where)])
        if inside.sum() < 2:  # noqa: PLR2004 - an interval needs two
            raise NotComparable("the slice has too few rows")
        weight = rows.outcomes.weight
        ends = mean_or_share(rows.outcomes.errors[inside], None if weight is None else weight[inside])
        return Estimate(
            *ends, n=int(inside.sum()), unit="error rate" if rows.outcomes.classes else "mean absolute error"
        )

    def _worst(self) -> Estimate:
        result = self._result("slice_errors")
        if not isinstance(result, SliceErrors):
            raise NotComparable("slice errors were not diagnosed")
        confirmed = [item.error for item in result.slices]
        whole = self._error()
        return max(confirmed, key=lambda error: error.value, default=whole)

    def _error(self) -> Estimate:
        rows = self._rows()
        ends = mean_or_share(rows.outcomes.errors, rows.outcomes.weight)
        return Estimate(*ends, n=len(rows), unit="error rate" if rows.outcomes.classes else "mean absolute error")

    def _flips(self) -> Estimate:
        found = flips_between(self._pairing())
        if found is None:
            raise NotComparable("flips need classes, and the same rows in both runs")
        return found.negative

    def _worse(self) -> Estimate:
        found = slices_between(self._pairing(), self.record)
        if found is None:
            raise NotComparable("slices are compared where both runs were judged on the same rows")
        n = float(len(found.worse))
        return Estimate(n, n, n, n=found.n_examined, unit="slices")

    def _calibration(self) -> Estimate:
        result = self._result("calibration")
        if not isinstance(result, Calibration) or result.headline is None:
            raise NotComparable("calibration was not diagnosed")
        return result.headline

    def _drift(self) -> Estimate:
        result = self._result("recency_drift")
        if not isinstance(result, RecencyDrift) or result.headline is None:
            raise NotComparable("recency drift was not diagnosed")
        return _negated(result.headline) if self.record.summary.greater_is_better else result.headline

    def _result(self, name: str) -> object:
        if name not in self.record.results:
            raise NotComparable(self.record.not_applicable.get(name, "it is not part of the record"))
        return self.record.results[name]

    def _pairing(self) -> Pairing:
        if self.against is None:
            raise NotComparable("there is no run to compare with: name one with --against")
        if self._pair is None:
            self._pair = pairing(self.against, self.record)
        return self._pair


def _bar(name: str, bound: Bound, limit: float, measure: Callable[[], Estimate]) -> Bar:
    try:
        return Bar(name, bound, limit, measure())
    except ErrataError as reason:
        return Bar(name, bound, limit, None, str(reason))


def _grows(metric: Metric, record: Record) -> bool:
    same = metric.name == record.summary.metric
    return record.summary.greater_is_better if same else metric.greater_is_better


def _negated(measured: Estimate) -> Estimate:
    value, low, high = (0.0 - end for end in (measured.value, measured.high, measured.low))
    return Estimate(value, low, high, n=measured.n, unit=measured.unit, level=measured.level)
