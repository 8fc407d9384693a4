"""`compare_metrics`: which metric would have chosen the run that is worth most."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlflow_errata.diagnoses._shape import ALPHA
from mlflow_errata.diagnoses.metric_mismatch import MetricMismatch
from mlflow_errata.errors import NotApplicable
from mlflow_errata.estimate import Estimate
from mlflow_errata.metric import catalogued
from mlflow_errata.stats.agreement import drawn, pairs_needed, tau_b, tau_interval, tau_p_value
from mlflow_errata.stats.intervals import jackknife_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlflow_errata.diagnoses.metric_mismatch import Measured
    from mlflow_errata.record import Record

    Floats = NDArray[np.float64]

FEWEST_RUNS = 3
N_DRAWS = 1000
TAU = "Kendall tau over runs"


@dataclass(frozen=True)
class MetricChoice:
    """A metric as a judge of runs.

    Parameters
    ----------
    metric : str
    greater_is_better : bool
    figures : tuple of float, the metric of each run, in the order of `MetricComparison.runs`
    run : str, the run that it would choose
    rank_agreement : Estimate, Kendall's tau-b with the value over runs; its interval is over the rows they were
        measured on
    regret : Estimate, value per row that its run loses against the best run
    """

    metric: str
    greater_is_better: bool
    figures: tuple[float, ...]
    run: str
    rank_agreement: Estimate
    regret: Estimate


@dataclass(frozen=True)
class MetricComparison:
    """Runs on the same rows, ranked by metrics and by the declared value.

    Parameters
    ----------
    runs : tuple of str
    lost : tuple of Estimate, value lost per row by each run
    best_run : str, the run that loses least
    choices : tuple of MetricChoice, the one in use first, then by regret and agreement
    misled : bool, the metric in use chooses a run that loses more than another, beyond chance over all runs; or it
        orders runs the other way round
    better : str or None, where misled: the metric whose run loses least (of equals within chance, the one that orders
        runs most as the value does), if that is less beyond chance
    n_left_out : int, runs that were measured on other rows or without a value
    """

    runs: tuple[str, ...]
    lost: tuple[Estimate, ...]
    best_run: str
    choices: tuple[MetricChoice, ...]
    misled: bool
    better: str | None
    n_left_out: int

    @property
    def found(self) -> bool:
        """The metric in use misleads."""
        return self.misled

    @property
    def headline(self) -> Estimate:
        """Value per row lost by the run that the metric in use chooses."""
        return self.choices[0].regret

    @property
    def rank_agreement(self) -> Estimate:
        """Kendall's tau-b between the metric in use and the value."""
        return self.choices[0].rank_agreement

    @property
    def metric(self) -> str:
        """The metric in use."""
        return self.choices[0].metric

    def choice(self, metric: str) -> MetricChoice:
        """A metric's choice, by name; KeyError if it was not measured in all runs."""
        return {item.metric: item for item in self.choices}[metric]

    def __str__(self) -> str:
        from mlflow_errata.sections.metric_comparison import verdict  # noqa: PLC0415 - words live in sections

        return verdict(self).sentence


def compare_metrics(records: Mapping[str, Record]) -> MetricComparison:
    """Rank runs by the metric in use, by others and by the declared value, and say which metric to choose by.

    Every record measured with `value=` holds its metrics and its value lost, and both without each of 20 groups of
    rows. Runs on the same rows share these groups, so differences between runs, and how they go together, have an
    exact paired jackknife without any row at hand.

    Parameters
    ----------
    records : mapping of a run's name to its Record, each diagnosed with the same value=

    Returns
    -------
    MetricComparison
        Of the runs on the evaluation rows that most runs share.

    Raises
    ------
    NotApplicable
        With fewer than three such runs, or where they have no metric in common.
    """
    kept, metric = _comparable(records)
    names = tuple(kept)
    shared = _shared(tuple(kept.values()), metric)
    if metric not in shared:
        raise NotApplicable(f"needs runs that were all measured by {metric!r}")
    losses = _stacked([found.measured[0] for found in kept.values()])
    choices = [_choice(name, _stacked(each), each[0].greater_is_better, losses, names) for name, each in shared.items()]
    own = choices[0]
    rest = sorted(choices[1:], key=lambda item: (item.regret.value, -item.rank_agreement.value, item.metric))
    best = _best(losses[0], greater=False)
    misled = _is_more(losses, names.index(own.run), best, len(names) - 1) or own.rank_agreement.high < 0
    first = _closest(rest, losses, names) if rest else own
    clear = _is_more(losses, names.index(own.run), names.index(first.run), len(rest)) or own.rank_agreement.high < 0
    return MetricComparison(
        runs=names,
        lost=tuple(found.lost for found in kept.values() if found.lost is not None),
        best_run=names[best],
        choices=(own, *rest),
        misled=misled,
        better=first.metric if misled and clear and first.regret.value < own.regret.value else None,
        n_left_out=len(records) - len(kept),
    )


def _comparable(records: Mapping[str, Record]) -> tuple[dict[str, MetricMismatch], str]:
    """Results of the runs on the rows, and with the number of groups, that most share; and the metric most use."""
    found = {
        name: (record.dataset.digest, result)
        for name, record in records.items()
        if isinstance(result := record.results.get("metric_mismatch"), MetricMismatch) and result.measured
    }
    if not found:
        raise NotApplicable("needs runs that were diagnosed with value=...; there is none")
    digest = Counter(digest for digest, _ in found.values()).most_common(1)[0][0]
    kept = {name: result for name, (each, result) in found.items() if each == digest}
    if len(kept) < FEWEST_RUNS:
        raise NotApplicable(f"needs {FEWEST_RUNS} runs with a value on the same rows; there are {len(kept)}")
    return kept, Counter(result.metric for result in kept.values()).most_common(1)[0][0]


def _shared(results: Sequence[MetricMismatch], metric: str) -> dict[str, list[Measured]]:
    """What was measured in every run, the metric in use first."""
    by_run = [{item.name: item for item in result.measured[1:]} for result in results]
    names = [name for name in by_run[0] if all(name in each for each in by_run)]
    names.sort(key=lambda name: name != metric)
    return {name: [each[name] for each in by_run] for name in names}


def _stacked(measured: Sequence[Measured]) -> tuple[Floats, Floats]:
    return np.array([item.value for item in measured]), np.array([item.parts for item in measured])


def _best(figures: Floats, *, greater: bool) -> int:
    return int(np.argmax(figures if greater else -figures))


def _choice(
    name: str, figures: tuple[Floats, Floats], greater: bool, losses: tuple[Floats, Floats], runs: Sequence[str]
) -> MetricChoice:
    sign, n = 1.0 if greater else -1.0, len(runs)
    values, parts = (np.stack([sign * figures[at], -losses[at]]) for at in (0, 1))
    tau = float(tau_b(values[0], values[1]))
    draws = drawn(values, parts, N_DRAWS, random_state=0)
    low, high = np.quantile(tau_b(draws[:, 0], draws[:, 1]), [ALPHA / 2, 1 - ALPHA / 2]).tolist()
    run, best = _best(figures[0], greater=greater), _best(losses[0], greater=False)
    return MetricChoice(
        metric=name,
        greater_is_better=greater,
        figures=tuple(figures[0].tolist()),
        run=runs[run],
        rank_agreement=Estimate(tau, min(tau, low), max(tau, high), n=n, unit=TAU),
        regret=_more(losses, run, best, n),
    )


def _difference(losses: tuple[Floats, Floats], run: int, other: int, level: float) -> tuple[float, float, float]:
    """What one run loses more than another, paired by groups of rows."""
    value, parts = float(losses[0][run] - losses[0][other]), losses[1][run] - losses[1][other]
    return jackknife_of(value, parts, level=level) or (value, value, value)


def _closest(choices: Sequence[MetricChoice], losses: tuple[Floats, Floats], names: Sequence[str]) -> MetricChoice:
    """Of the metrics whose run loses as little as the best choice within chance, the one that orders most alike."""
    least = names.index(choices[0].run)
    equals = [item for item in choices if not _is_more(losses, names.index(item.run), least, 1)]
    return max(equals, key=lambda item: item.rank_agreement.value)


def _more(losses: tuple[Floats, Floats], run: int, other: int, n: int) -> Estimate:
    return Estimate(*_difference(losses, run, other, 1 - ALPHA), n=n, unit="value per row")


def _is_more(losses: tuple[Floats, Floats], run: int, other: int, n_looked_at: int) -> bool:
    """Whether a run loses more than another that was picked among several."""
    return run != other and _difference(losses, run, other, 1 - ALPHA / max(n_looked_at, 1))[1] > 0


# -- business figures -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BusinessAgreement:
    """Whether runs with a better metric had a better business figure.

    Parameters
    ----------
    metric : str
    runs : tuple of str
    figures, business : tuples of float, one a run
    greater_is_better : bool, of the metric
    rank_agreement : Estimate or None, Kendall's tau-b, positive where better goes with better; its interval is over
        runs. None for fewer than 5 runs, or where one of them never changes
    p_value : float or None, that they have nothing to do with each other
    n_needed : int or None, runs from which on an agreement of this size is told from none; None for more than 10,000
    """

    metric: str
    runs: tuple[str, ...]
    figures: tuple[float, ...]
    business: tuple[float, ...]
    greater_is_better: bool
    rank_agreement: Estimate | None
    p_value: float | None
    n_needed: int | None

    @property
    def agrees(self) -> bool | None:
        """True: better went with better; False: better went with worse; None: cannot be told."""
        tau, p = self.rank_agreement, self.p_value
        if tau is None or p is None or p >= ALPHA:
            return None
        return tau.value > 0


def agreement_with_business(
    figures: Mapping[str, Mapping[str, float]], business: str, *, greater_is_better: bool = True
) -> tuple[BusinessAgreement, ...]:
    """Hold every metric of the catalogue that was logged against a business figure, over runs.

    Parameters
    ----------
    figures : mapping of a run's name to what it logged, by name
    business : str, the business figure
    greater_is_better : bool, of the business figure

    Returns
    -------
    tuple of BusinessAgreement, closest first; runs that lack one of the two are left out
    """
    names = sorted({name for logged in figures.values() for name in logged if name != business})
    entries = {name: entry for name in names if (entry := catalogued(name)) is not None}
    found = [
        _with_business(name, entry.metric.greater_is_better, figures, business, greater_is_better)
        for name, entry in entries.items()
    ]
    return tuple(sorted(found, key=lambda item: (-_size(item), item.metric)))


def _size(item: BusinessAgreement) -> float:
    return -2.0 if item.rank_agreement is None else item.rank_agreement.value


def _with_business(
    metric: str, greater: bool, figures: Mapping[str, Mapping[str, float]], business: str, business_greater: bool
) -> BusinessAgreement:
    runs = [name for name, logged in figures.items() if {metric, business} <= logged.keys()]
    x, y = (np.array([figures[name][key] for name in runs], dtype=np.float64) for key in (metric, business))
    sign = 1.0 if greater == business_greater else -1.0
    found = tau_interval(sign * x, y)
    return BusinessAgreement(
        metric=metric,
        runs=tuple(runs),
        figures=tuple(x.tolist()),
        business=tuple(y.tolist()),
        greater_is_better=greater,
        rank_agreement=None if found is None else Estimate(*found, n=len(runs), unit=TAU),
        p_value=None if found is None else tau_p_value(sign * x, y),
        n_needed=None if found is None else pairs_needed(found[0]),
    )
