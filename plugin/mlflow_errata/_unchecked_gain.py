"""What right labels may gain while nobody has checked one: from nothing to all flags of the suspect slices."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from mlflow_errata._relabel_gain import Flags, KnownRows, asked, flags, known_rows
from mlflow_errata.diagnoses._worklist import ELSEWHERE
from mlflow_errata.diagnoses.label_issues import NAME, LabelIssues
from mlflow_errata.errors import NotRefitted
from mlflow_errata.estimate import Estimate
from mlflow_errata.model import unwrap
from mlflow_errata.stats.labels import chances_of_mean
from mlflow_errata.steps import relabel
from mlflow_errata.trials.gains import LEVEL, Gain, Scale
from mlflow_errata.trials.objective import objective_of_metric, objective_of_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlflow_errata.diagnoses._shape import Options, Result
    from mlflow_errata.diagnoses._suspicion import SuspectSlice
    from mlflow_errata.metric import Outcomes
    from mlflow_errata.steps._shape import NextStep
    from mlflow_errata.table import EvaluationTable, Value
    from mlflow_errata.trials.objective import Objective

SHARES = (0.5, 1.0)
"""Shares of true errors at which the model is fitted; at a share of 0 nothing changes and nothing is gained."""
ANY_SHARE = np.sin(np.pi * (np.arange(50) + 0.5) / 100) ** 2
"""Evenly spaced quantiles of Beta(1/2, 1/2), Jeffreys' prior of a share of which nothing is known."""
N_GROUPS = 20
MOST_SLICES = 3
CAUTION = 1.5
"""How much longer than the first a fit may take."""
OF_THE_BUDGET = 0.4
"""Share of the budget of trials that may go to this gain."""
Z_POINTS = np.linspace(-2.5, 2.5, 51)


def with_unchecked_gain(
    steps: tuple[NextStep, ...],
    results: Mapping[str, Result],
    table: EvaluationTable,
    *,
    train: object,
    model: object,
    value: Value | None,
    options: Options,
) -> tuple[NextStep, ...]:
    """The steps, of which the one that checks suspect labels carries what it may gain, or why that is not known."""
    issues = results.get(NAME)
    wanted = next((step for step in steps if step.kind == relabel.KIND and NAME in step.because), None)
    if wanted is None or not isinstance(issues, LabelIssues) or train is None:
        return steps
    objectives = [objective_of_metric(options.metric, table.outcomes)]
    objectives += [] if value is None else [objective_of_value(value)]
    seconds = OF_THE_BUDGET * options.budget
    try:
        gains = unchecked_gains(
            table, issues, train, model, objectives, seconds=seconds, random_state=options.random_state
        )
    except NotRefitted as reason:
        told = replace(wanted, gain_reason=f"not tried: {reason}")
    else:
        told = replace(wanted, gain=gains[0], gain_value=None if value is None else gains[1], gain_reason="")
    return tuple(told if step is wanted else step for step in steps)


def unchecked_gains(
    table: EvaluationTable,
    issues: LabelIssues,
    train: object,
    model: object,
    objectives: Sequence[Objective],
    *,
    seconds: float,
    random_state: int = 0,
    clock: Callable[[], float] = monotonic,
) -> tuple[Estimate, ...]:
    """Gain in each objective if the flagged labels of the suspect slices were checked and the model fitted again.

    The share q of true errors among these flags is not known before 40 were checked, so it may be anything: it follows
    Beta(1/2, 1/2). At q = 1/2 and q = 1 flagged training and evaluation labels become their suggestion with the chance
    of an error that has the mean q, a clone of the model is fitted on the former, and both models are judged by the
    latter; at q = 0 the gain is 0, and between the three it is taken to be linear. Training labels are flagged as those
    of the slice are: all that are given the label where it was never observed, else those that a clone fitted outside
    the slice contradicts.

    Parameters
    ----------
    table : EvaluationTable with classes and the output of the model as it is
    issues : LabelIssues of the table, with suspect slices
    train : DataFrame with the columns of the table; rows without a label, or of a class that is not in the table, are
        left out
    model : estimator that can be cloned
    objectives : what the gain is stated in
    seconds : float, how long it may take, told by the first fit
    random_state : int
    clock : callable () -> seconds

    Returns
    -------
    tuple of Estimate, one for each objective: the mean over q, and the 90 % interval over q and rows

    Raises
    ------
    NotRefitted
        If no slice is suspect, the time is too short, no training row has a class of the table, or the model cannot be
        fitted.

    Notes
    -----
    The labels that judge are drawn by the same suspicion as those that teach, which favours the corrected model; that
    is why steps are never ranked by this number. After `mlflow_errata.audit` the gain is measured without it.
    """
    slices = [item for item in issues.slices[:MOST_SLICES] if item.evident]
    if not slices:
        raise NotRefitted("no slice of labels is suspect.")
    base, estimator, start = table.outcomes, unwrap(model), clock()
    known = known_rows(table, train)
    judged, taught = flags(table, issues, issues), _training_flags(known, slices, estimator)
    if (clock() - start) / len(slices) * (len(slices) + len(SHARES)) * CAUTION > seconds:
        raise NotRefitted(f"it takes longer than {seconds:.0f} s.")
    draw, found = np.random.default_rng(random_state), list[list[Gain]]()
    groups = draw.permutation(np.arange(len(table)) % N_GROUPS)
    for share in SHARES:
        after = asked(table, known.fitted(estimator, _drawn(taught, share, draw)))
        y = _drawn(judged, share, draw)
        found.append(
            [
                _gain(Scale(item, False, groups, table.frame, y, random_state), replace(base, y=y), replace(after, y=y))
                for item in objectives
            ]
        )
    by_objective = zip(objectives, zip(*found, strict=True), strict=True)
    return tuple(_over_shares(gains, item.unit, len(table)) for item, gains in by_objective)


def _training_flags(known: KnownRows, slices: Sequence[SuspectSlice], model: Any) -> Flags:
    """Training labels in doubt, by clones of the model that did not see their slice."""
    classes, y, n = known.outcomes.classes, known.y, len(known.y)
    stratum, score, suggested = np.full(n, ELSEWHERE), np.zeros(n), np.zeros(n, dtype=np.intp)
    for at, item in enumerate(slices):
        if not {predicate.column for predicate in item.predicates} <= set(known.frame.columns):
            continue
        inside = item.mask(known.frame)
        rows = np.flatnonzero(inside & (y == classes.index(item.given)) & (stratum == ELSEWHERE))
        outside = known.fitted(model, y, np.flatnonzero(~inside))
        if not len(rows):
            continue
        try:
            said = known.scores(outside, rows)
        except NotRefitted as cause:  # an encoder may refuse a level that only the slice has
            where, why = " and ".join(item.conditions), " ".join(str(cause.__cause__).split())
            raise NotRefitted(f"a model fitted without {where} cannot answer it: {why}") from cause
        right = classes.index(item.suggested)
        stratum[rows], suggested[rows] = at, right
        score[rows] = 1.0 if item.kind == "unobserved" else said[:, right]
    rows = np.flatnonzero(score > 1 / 2)
    return Flags(y, stratum, rows, suggested[rows], score[rows])


def _drawn(given: Flags, share: float, draw: np.random.Generator) -> NDArray[np.intp]:
    """Labels of which flagged ones in suspect slices are corrected, each with its chance."""
    y, stratum = given.y.copy(), given.everywhere[given.rows]
    for at in range(MOST_SLICES):
        inside = np.flatnonzero(stratum == at)
        wrong = inside[draw.random(len(inside)) < chances_of_mean(given.score[inside], share)]
        y[given.rows[wrong]] = given.suggested[wrong]
    return y


def _gain(scale: Scale, before: Outcomes, after: Outcomes) -> Gain:
    gain = scale.gain(scale.profile(after), scale.profile(before))
    if gain is None:
        raise NotRefitted(f"{scale.objective.unit} is not defined on these rows.")
    return gain


def _over_shares(gains: Sequence[Gain], unit: str, n: int) -> Estimate:
    """The mean over shares, and the ends of the mixture of the normal gains at each."""
    at = (0.0, *SHARES)
    value, error = (
        np.interp(ANY_SHARE, at, (0.0, *ends)) for ends in zip(*((g.value, g.error) for g in gains), strict=True)
    )
    points = (value[:, None] + error[:, None] * Z_POINTS).ravel()
    order = np.argsort(points, kind="stable")
    below = np.cumsum(np.tile(np.exp(-(Z_POINTS**2) / 2), len(ANY_SHARE))[order])
    ends = [float(points[order][np.searchsorted(below, p * below[-1])]) for p in ((1 - LEVEL) / 2, (1 + LEVEL) / 2)]
    middle = float(value.mean())
    return Estimate(middle, min(ends[0], middle), max(ends[1], middle), n=n, unit=unit, level=LEVEL)
