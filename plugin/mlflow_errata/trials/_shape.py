"""What a record holds of its trials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mlflow_errata.estimate import Estimate
from mlflow_errata.steps._shape import NextStep


@dataclass(frozen=True)
class Flattery:
    """What a random split of the training rows says of the model, and what a split in time, or by groups, says.

    Parameters
    ----------
    at_random, ahead : Estimate, the metric on rows held out at random, and on the newest rows, or on all rows of some
        groups
    gap : Estimate, at_random - ahead
    n_fitted : int, rows that either model was fitted on
    """

    at_random: Estimate
    ahead: Estimate
    gap: Estimate
    n_fitted: int


@dataclass(frozen=True)
class LearningCurve:
    """What more training rows gained so far, and what as many again would.

    Parameters
    ----------
    sizes : tuple of int, training rows, fewest first; each size is twice the one before
    gains : tuple of Estimate, what each doubling gained, one fewer than sizes
    doubled : Estimate, what twice as many rows as there are would gain: from half of what the last doubling gained to
        all of it, for each doubling that lies between
    confirmed : bool, the curve still rises beyond chance, by the metric and by Brier, which sees every score move; by
        the metric alone, of which more is asked then, without scores
    chance : float or None, chance that twice as many rows gain
    """

    sizes: tuple[int, ...]
    gains: tuple[Estimate, ...]
    doubled: Estimate
    confirmed: bool = True
    chance: float | None = None


@dataclass(frozen=True)
class Choice:
    """What choosing the model and the threshold by the declared value is worth, against choosing them by the metric.

    Parameters
    ----------
    metric : str
    n_models : int, models to choose from, the one in use among them
    by_value, by_metric : (name of the model, threshold) that each prefers on all known rows; the name is None for the
        model in use, the threshold None where the model decides by itself
    gain : Estimate, value per row; the rows that choose are not those that judge
    """

    metric: str
    n_models: int
    by_value: tuple[str | None, float | None]
    by_metric: tuple[str | None, float | None]
    gain: Estimate


@dataclass(frozen=True)
class Trials:
    """What was tried, on which rows, and what came of it.

    Parameters
    ----------
    unit : str, what steps are ranked by: the declared value ("value per row") or the metric
    judged : "forward", later rows judged what earlier ones chose; "folds", every fold judged what the others chose
    n_judging : int, rows that judged
    n_periods : int, periods that they fall into; 0 for folds
    n_origins : int, moments at which models were refitted on everything up to then; 0 for folds
    n_train : int, training rows that trials were fitted on
    n_train_given : int, training rows given; more than `n_train` where the budget asked for fewer
    budget : float, seconds allowed
    seconds : float, seconds spent
    noise : Estimate or None, gain of the unchanged model refitted with another seed; None if nothing was refitted
    reliable : bool, False where `noise` lies beyond its interval: refits differ by more than the rows can tell
    interrupted : bool, True if a person stopped the trials
    detectable : float or None, the smallest gain that could have been told from zero, over the steps tried (median)
    chance_none : float, chance that no step tried gains, each drawn by its interval: the more are tried, the smaller
    tried : tuple of NextStep, every single step tried, best first
    not_tried : mapping of what was not tried -> why
    plan : tuple of NextStep: steps that pay together; the gain of each is what it adds to those before it
    flattery : Flattery or None, how much a random split would flatter; None without training times or time to measure
    group_flattery : Flattery or None, how much it would flatter against a split by groups; None without training groups
    tied : positions in `tried` of the steps that pay and cannot be told from the first of the plan
    n_earlier : int, training rows of earlier periods that judged thresholds too; 0 where there are none
    choice : Choice or None, by the declared value instead of the metric; None without a value or another model
    curve : LearningCurve or None, of all training rows; None where there are too few or no time to follow it
    """

    unit: str
    judged: Literal["forward", "folds"]
    n_judging: int
    n_periods: int
    n_origins: int
    n_train: int
    n_train_given: int
    budget: float
    seconds: float = field(compare=False)
    noise: Estimate | None
    reliable: bool
    interrupted: bool
    detectable: float | None
    chance_none: float
    tried: tuple[NextStep, ...]
    not_tried: dict[str, str]
    plan: tuple[NextStep, ...]
    flattery: Flattery | None = None
    tied: tuple[int, ...] = ()
    n_earlier: int = 0
    group_flattery: Flattery | None = None
    choice: Choice | None = None
    curve: LearningCurve | None = None
