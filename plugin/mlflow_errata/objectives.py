"""Objectives: what a ranking is meant to bring, and the scores that it can be made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, cast

from mlflow_errata.columns import finite, numbers
from mlflow_errata.errors import ColumnMissing, NumberRefused, OptionUnknown, ValuesRefused

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

Combine = Literal["sum", "product"]
Measure = Literal["share", "mean", "ndcg"]
COMBINE: tuple[Combine, ...] = ("sum", "product")
MEASURES: tuple[Measure, ...] = ("share", "mean", "ndcg")
FEWEST_SCORES, MOST_SCORES = 2, 4
ROLE = "objectives"


@dataclass(frozen=True)
class Objectives:
    """Several outcomes of every row, and the logged scores whose weights are swept; nothing is trained.

    Parameters
    ----------
    outcomes : list of str, or dict str -> float
        Columns of what happened: clicks, minutes watched, money. A dict says what one unit of each is worth (below 0
        for what should not happen: {"spend": 1, "returned": -20}). A list counts all alike: each by its own mean.
    scores : list of 2 to 4 str
        Columns of scores, each of its own model or head: predicted quality and predicted engagement, P(buy) and
        E[spend | buy].
    combine : "sum" or "product"
        a * quality + b * engagement, or P(buy)^a * E[spend]^b for scores of 0 or more.
    current : str
        Column of the score in use, which has to be beaten. Default: the score of the run (of two classes, or the
        predicted number).
    group : str
        Column of the list that a row belongs to: a query, a month. Without it all rows are one list.
    top : int or float
        How many rows of each list are taken (1 or more), or which share of them (below 1).
    metric : "share", "mean" or "ndcg"
        Share of an outcome's total that the rows taken hold; mean outcome per row taken (precision at k for 0 and 1);
        or discounted gain over that of the best order, NDCG at k, averaged over lists.
    rule : str
        Column of a simple rule that needs no model (revenue of the last 6 months), to be shown beside.
    combined : str
        Column of the score of one model that was trained on a combined loss, to be shown beside.
    unit : str
        Column of what is drawn independently (customers). Default: lists where there are 20 or more, else rows.

    Raises
    ------
    InputError
        One clear error for the first thing that cannot be used.
    """

    outcomes: Mapping[str, float] | Sequence[str]
    scores: Sequence[str]
    combine: Combine = "sum"
    current: str | None = None
    group: str | None = None
    top: float = 0.1
    metric: Measure = "share"
    rule: str | None = None
    combined: str | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "outcomes", _outcomes(self.outcomes))
        object.__setattr__(self, "scores", _names("scores", self.scores))
        if not FEWEST_SCORES <= len(self.scores) <= MOST_SCORES:
            why = f"names {len(self.scores)} column{'' if len(self.scores) == 1 else 's'}"
            raise ValuesRefused(f"{ROLE}.scores", list(self.scores), why, "Name 2 to 4 score columns.")
        for option, given, allowed in (("combine", self.combine, COMBINE), ("metric", self.metric, MEASURES)):
            if given not in allowed:
                raise OptionUnknown(f"{ROLE}.{option}", given, allowed)
        if not _is_top(self.top):
            raise NumberRefused(f"{ROLE}.top", self.top, "a whole number from 1 up, nor a share between 0 and 1")
        for option in ("current", "group", "rule", "combined", "unit"):
            given = getattr(self, option)
            if given is not None and not isinstance(given, str):
                raise ValuesRefused(f"{ROLE}.{option}", given, "is no name of a column", "Name one column.")

    @classmethod
    def given(cls, objectives: object) -> Objectives:
        """Objectives as given: themselves, or a mapping of their parameters.

        Raises
        ------
        InputError
        """
        if isinstance(objectives, cls):
            return objectives
        if not isinstance(objectives, Mapping):
            why = f"is a {type(objectives).__name__}"
            raise ValuesRefused(ROLE, objectives, why, "Pass errata.Objectives(outcomes=[...], scores=[...]).")
        for name in objectives:
            if name not in cls.__dataclass_fields__:
                raise OptionUnknown(ROLE, name, tuple(cls.__dataclass_fields__))
        for name in ("outcomes", "scores"):
            if name not in objectives:
                raise ValuesRefused(ROLE, dict(objectives), f"names no {name}", f'Add "{name}": [...].')
        return cls(**cast("dict[str, Any]", dict(objectives)))

    @property
    def worth(self) -> Mapping[str, float | None]:
        """Outcome -> what one unit of it is worth; None where outcomes count alike."""
        return cast("Mapping[str, float | None]", self.outcomes)

    @property
    def only(self) -> str | None:
        """The outcome that alone counts, as no unit of the others is worth anything; None where several count."""
        counted = [name for name, by in self.worth.items() if by is None or by > 0]
        harmful = any(by is not None and by < 0 for by in self.worth.values())
        return counted[0] if len(counted) == 1 and not harmful else None

    @property
    def said(self) -> tuple[str, ...]:
        """Columns that models have written: scores."""
        beside = (self.current, self.combined)
        return tuple(dict.fromkeys((*self.scores, *(name for name in beside if name is not None))))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that are no features: outcomes and scores."""
        return tuple(dict.fromkeys((*self.worth, *self.said)))

    def numbers(self, frame: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
        """All columns of numbers, checked; column -> array of shape (n_rows,).

        Raises
        ------
        ColumnMissing, ValuesRefused
        """
        named = [("outcomes", name) for name in self.worth] + [("scores", name) for name in self.scores]
        named += [(role, name) for role in ("current", "combined", "rule") if (name := getattr(self, role)) is not None]
        for role, name in [*named, ("group", self.group), ("unit", self.unit)]:
            if name is not None and name not in frame.columns:
                raise ColumnMissing(f"{ROLE}.{role}", name, list(frame.columns))
        found = {}
        for role, name in named:
            found[name] = finite(numbers(frame, f"{ROLE}.{role}", name), f"{ROLE}.{role}", name)
        for name in self.scores:
            self._check_score(name, found[name])
        for name, worth in self.worth.items():
            if worth is None and not found[name].mean() > 0:
                why = f"has the mean {found[name].mean():.4g}, by which it cannot be counted"
                raise ValuesRefused(f"{ROLE}.outcomes", name, why, f"Say what a unit is worth: {{{name!r}: 1.0, ...}}.")
        self._check_totals(found)
        return found

    def goal(self, found: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """What each row is worth: the sum of its outcomes by their worth, or each by its own mean; shape (n_rows,)."""
        if self.only is not None:
            return found[self.only]
        parts = [
            found[name] / found[name].mean() if by is None else found[name] * by for name, by in self.worth.items()
        ]
        return sum(parts[1:], start=parts[0])

    def _check_totals(self, found: Mapping[str, NDArray[np.float64]]) -> None:
        """Shares need totals above 0, and discounted gains need rows of 0 or more."""
        goal = [("their worth", self.goal(found))] if len(self.worth) > 1 else []
        for name, values in [*((name, found[name]) for name in self.worth), *goal]:
            if self.metric == "share" and not values.sum() > 0:
                why = f"sums up to {values.sum():.4g}, of which there are no shares"
                raise ValuesRefused(f"{ROLE}.outcomes", name, why, 'Pass metric="mean".')
            if self.metric == "ndcg" and ((values < 0).any() or not values.any()):
                why = f"goes from {values.min():.4g} to {values.max():.4g}, and NDCG needs gains of 0 or more"
                raise ValuesRefused(f"{ROLE}.outcomes", name, why, 'Pass metric="mean".')

    def _check_score(self, name: str, values: NDArray[np.float64]) -> None:
        if (values == values[0]).all() and len(values) > 1:
            raise ValuesRefused(f"{ROLE}.scores", name, "is the same in every row", "Name a score that ranks rows.")
        if self.combine == "product" and (values < 0).any():
            why = f"goes down to {values.min():.4g}, and a product needs 0 or more"
            raise ValuesRefused(f"{ROLE}.scores", name, why, 'Pass combine="sum".')


def _outcomes(given: object) -> dict[str, float | None]:
    if not isinstance(given, Mapping):
        return dict.fromkeys(_names("outcomes", given))
    for name, worth in given.items():
        if isinstance(worth, bool) or not isinstance(worth, (int, float)) or not isfinite(worth):
            if worth is None:
                continue
            raise NumberRefused(f"{ROLE}.outcomes[{name!r}]", worth, "what one unit is worth, a finite number")
    found = {str(name): None if worth is None else float(worth) for name, worth in given.items()}
    if not any(worth is None or worth for worth in found.values()):
        raise ValuesRefused(f"{ROLE}.outcomes", dict(given), "is worth nothing", "Name outcomes and their worth.")
    return found


def _names(option: str, given: object) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Sequence) or not given:
        raise ValuesRefused(f"{ROLE}.{option}", given, "is no list of columns", f'Pass {option}=["...", "..."].')
    names = tuple(str(name) for name in given)
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValuesRefused(f"{ROLE}.{option}", list(names), f"names {twice[0]!r} twice", "Name every column once.")
    return names


def _is_top(given: object) -> bool:
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        return False
    return 0 < given < 1 or (given >= 1 and given == int(given))
