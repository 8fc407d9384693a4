"""Roles: which column of an evaluation frame is what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlflow_errata.errors import ColumnMissing, RoleTwice, ValuesRefused

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Roles:
    """Names of columns; None where a role is not filled.

    Parameters
    ----------
    label, prediction, time, id, weight : str or None
    stakes : str or None, column of per-row business value
    scores : tuple of str, empty if scores are no columns
    score_classes : tuple of labels, the class of each score column, where a dict told
    """

    label: str
    prediction: str | None = None
    scores: tuple[str, ...] = ()
    score_classes: tuple[Any, ...] | None = None
    time: str | None = None
    id: str | None = None
    weight: str | None = None
    stakes: str | None = None

    @classmethod
    def named(
        cls, label: str, scores: str | Sequence[str] | Mapping[Any, str] | None, value: object, **others: str | None
    ) -> Roles:
        """Roles from the arguments of `diagnose`."""
        columns, classes = _score_columns(scores)
        return cls(
            label, scores=columns, score_classes=classes, stakes=value if isinstance(value, str) else None, **others
        )

    @property
    def filled(self) -> dict[str, str | list[str]]:
        """Role -> column(s), for every role that is filled."""
        singles = {
            "label": self.label,
            "prediction": self.prediction,
            "time": self.time,
            "id": self.id,
            "weight": self.weight,
            "value": self.stakes,
        }
        found: dict[str, str | list[str]] = {role: column for role, column in singles.items() if column is not None}
        return found | ({"scores": list(self.scores)} if self.scores else {})

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
                if column == self.label and role != "label":
                    raise RoleTwice(column, "label", role)


def check_listed(option: str, columns: Sequence[str] | None, present: Sequence[str]) -> None:
    """Raise for an option that is no list of columns that are there."""
    if isinstance(columns, str):
        raise ValuesRefused(option, columns, "is one string", f"Pass a list: {option}=[{columns!r}].")
    for column in columns or ():
        if column not in present:
            raise ColumnMissing(option, column, present)


def _score_columns(
    scores: str | Sequence[str] | Mapping[Any, str] | None,
) -> tuple[tuple[str, ...], tuple[Any, ...] | None]:
    if scores is None:
        return (), None
    if isinstance(scores, str):
        return (scores,), None
    if isinstance(scores, Mapping):
        return tuple(scores.values()), tuple(scores)
    return tuple(scores), None
