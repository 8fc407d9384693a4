"""Roles: which column of an evaluation frame is what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlflow_errata.errors import ColumnMissing, KindRefused, LabelSeen, RoleTwice, ValuesRefused


@dataclass(frozen=True)
class Roles:
    """Names of columns; None where a role is not filled.

    Parameters
    ----------
    label : str, empty where there are several
    prediction, time, id, weight : str or None
    group : str or None, column that names what a row belongs to (a customer, a device, a patient)
    stakes : str or None, column of per-row business value
    scores : tuple of str, empty if scores are no columns
    score_classes : tuple of labels, the class of each score column, where a dict told
    labels : tuple of str, the columns of a multilabel task; else empty
    predictions : tuple of str, one for each of `labels`; empty if predictions are no columns
    objectives : tuple of str, columns of objectives (outcomes and scores) that have no other role
    mixed : tuple of str, those of them that models have written
    quantiles : tuple of str, columns of predicted quantiles of a number, by their levels
    levels : tuple of float, the share of labels that each of them says to lie below it, ascending
    """

    label: str
    prediction: str | None = None
    scores: tuple[str, ...] = ()
    score_classes: tuple[Any, ...] | None = None
    time: str | None = None
    id: str | None = None
    weight: str | None = None
    stakes: str | None = None
    labels: tuple[str, ...] = ()
    predictions: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()
    mixed: tuple[str, ...] = ()
    group: str | None = None
    quantiles: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()

    @classmethod
    def named(
        cls,
        label: str | Sequence[str],
        prediction: Columns,
        scores: Columns,
        value: object,
        *,
        time: str | None,
        id: str | None,  # noqa: A002 - the name of the role
        weight: str | None,
        group: str | None = None,
        quantiles: Mapping[float, str] | None = None,
    ) -> Roles:
        """Roles from the arguments of `diagnose`.

        Raises
        ------
        KindRefused
            For what is no name of a column.
        ValuesRefused
            For lists of columns that do not fit the labels, or quantiles that are none.
        """
        for role, given in (("time", time), ("id", id), ("weight", weight), ("group", group)):
            if given is not None:
                _name(role, given)
        levels, limits = _quantile_columns(quantiles)
        stakes = value if isinstance(value, str) else None
        if not isinstance(label, str):
            labels = _label_columns(label)
            return cls(
                "",
                None,
                _one_a_label("scores", scores, labels),
                None,
                time=time,
                id=id,
                weight=weight,
                stakes=stakes,
                labels=labels,
                predictions=_one_a_label("prediction", prediction, labels),
                group=group,
                quantiles=limits,
                levels=levels,
            )
        if isinstance(prediction, Mapping | list | tuple):
            named = list(_names("prediction", prediction))
            raise ValuesRefused("prediction", named, "is several columns", f"label={label!r} has one: name one.")
        said = None if prediction is None else _name("prediction", prediction)
        columns, classes = _score_columns(scores)
        return cls(
            label,
            said,
            columns,
            classes,
            time=time,
            id=id,
            weight=weight,
            stakes=stakes,
            group=group,
            quantiles=limits,
            levels=levels,
        )

    def beside(self, objectives: Sequence[str], mixed: Sequence[str]) -> Roles:
        """These roles, and the columns of objectives beside them."""
        free = tuple(name for name in objectives if name not in self.columns)
        return replace(self, objectives=free, mixed=tuple(name for name in mixed if name in free))

    @property
    def label_columns(self) -> tuple[str, ...]:
        """The column of the label, or of all of them."""
        return self.labels or (self.label,)

    @property
    def output(self) -> tuple[str, ...]:
        """Columns that hold what the model says."""
        said = () if self.prediction is None else (self.prediction,)
        return (*said, *self.predictions, *self.scores, *self.mixed, *self.quantiles)

    @property
    def filled(self) -> dict[str, str | list[str]]:
        """Role -> column(s), for every role that is filled."""
        singles = {
            "label": self.label or None,
            "prediction": self.prediction,
            "time": self.time,
            "id": self.id,
            "group": self.group,
            "weight": self.weight,
            "value": self.stakes,
        }
        found: dict[str, str | list[str]] = {role: column for role, column in singles.items() if column is not None}
        lists = {
            "label": self.labels,
            "prediction": self.predictions,
            "scores": self.scores,
            "objectives": self.objectives,
            "quantiles": self.quantiles,
        }
        return found | {role: list(columns) for role, columns in lists.items() if columns}

    @property
    def columns(self) -> frozenset[str]:
        """All columns that have a role."""
        lists = [[column] if isinstance(column, str) else column for column in self.filled.values()]
        return frozenset(column for listed in lists for column in listed)

    def check(self, present: Sequence[str]) -> None:
        """Raise ColumnMissing for a role whose column is not there, RoleTwice for a label in a second role."""
        for role, columns in self.filled.items():
            for column in [columns] if isinstance(columns, str) else columns:
                if column not in present:
                    raise ColumnMissing(role, column, present)
                if column in self.label_columns and role != "label":
                    raise RoleTwice(column, "label", role)

    def check_seen(self, features: Sequence[str]) -> None:
        """Raise LabelSeen for a label among the columns that the model sees."""
        for column in self.label_columns:
            if column in features:
                raise LabelSeen(column)


Columns = str | Sequence[str] | Mapping[Any, str] | None
"""How predictions and scores are named: a column, a list, or a dict class or label -> column."""


def _name(role: str, given: object) -> str:
    """The name of a column."""
    if isinstance(given, str):
        return given
    named = f"as text: {role}={str(given)!r}" if isinstance(given, int) else f'{role}="..."'
    raise KindRefused(role, given, "the name of a column", f"Name it {named}.")


def _names(role: str, given: Any) -> tuple[str, ...]:
    """Names of columns: a list of them, or the values of a dict."""
    if hasattr(given, "iloc") or not isinstance(given, Iterable):
        return (_name(role, given),)
    return tuple(_name(role, each) for each in (given.values() if isinstance(given, Mapping) else given))


def check_listed(option: str, columns: Sequence[str] | None, present: Sequence[str]) -> None:
    """Raise for an option that is no list of columns that are there."""
    if isinstance(columns, str):
        raise ValuesRefused(option, columns, "is one string", f"Pass a list: {option}=[{columns!r}].")
    if columns is not None and not isinstance(columns, Iterable):
        raise KindRefused(option, columns, "a list of names of columns", f'Pass {option}=["...", "..."].')
    for column in () if columns is None else columns:
        if column not in present:
            raise ColumnMissing(option, column, present)


def _label_columns(given: Sequence[str]) -> tuple[str, ...]:
    labels = _names("label", given)
    if not labels:
        raise ValuesRefused("label", list(labels), "names no column", "Name one 0/1 column for each label.")
    twice = [name for name in labels if labels.count(name) > 1]
    if twice:
        raise ValuesRefused("label", list(labels), f"names {twice[0]!r} twice", "Name every label once.")
    return labels


def _one_a_label(role: str, given: Columns, labels: tuple[str, ...]) -> tuple[str, ...]:
    """One column for each label, in the order of the labels."""
    if given is None:
        return ()
    if isinstance(given, Mapping):
        if set(given) != set(labels):
            odd = sorted(map(str, set(given) ^ set(labels)))
            raise ValuesRefused(role, given, f"and the labels differ in {odd[:5]}", "Give every label its column.")
        return _names(role, [given[name] for name in labels])
    named = (given,) if isinstance(given, str) else _names(role, given)
    if len(named) != len(labels):
        raise ValuesRefused(
            role,
            list(named),
            f"names {len(named)} of {len(labels)} columns",
            "Name one for each label, in the order of label=.",
        )
    return named


def _score_columns(
    scores: str | Sequence[str] | Mapping[Any, str] | None,
) -> tuple[tuple[str, ...], tuple[Any, ...] | None]:
    if scores is None:
        return (), None
    if isinstance(scores, str):
        return (scores,), None
    return _names("scores", scores), tuple(scores) if isinstance(scores, Mapping) else None


def _quantile_columns(given: Mapping[float, str] | None) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Levels, ascending, and their columns."""
    if given is None:
        return (), ()
    if not isinstance(given, Mapping) or not given:
        raise ValuesRefused(
            "quantiles", given, "is no mapping of levels to columns", 'Pass quantiles={0.05: "low", 0.95: "high"}.'
        )
    for level in given:
        if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1:
            raise ValuesRefused(
                "quantiles", dict(given), f"has the level {level!r}", "Levels are shares above 0 and below 1."
            )
    levels = tuple(sorted(given))
    return levels, _names("quantiles", [given[level] for level in levels])
