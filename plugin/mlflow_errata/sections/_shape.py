"""The shape that every section has.

A section is a module named as its diagnosis with

    TITLE: str
    verdict(result, record) -> Verdict            the finding in one sentence, with its interval
    section(result, record) -> list[Block]        the verdict first, then what it rests on
    not_made(reason, record) -> NotMade           why the diagnosis was not made, and what to add
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from mlflow_errata.blocks import Block, NotMade, Verdict
    from mlflow_errata.record.schema import Record


class Section(NamedTuple):
    """A part of a page or a report: the name of its diagnosis, its title and its blocks."""

    name: str
    title: str
    blocks: list[Block]


class SectionModule(Protocol):
    """A module of this room."""

    TITLE: str

    def verdict(self, result: Any, record: Record) -> Verdict:
        """The finding in one sentence."""

    def section(self, result: Any, record: Record) -> list[Block]:
        """The verdict and what it rests on."""

    def not_made(self, reason: str, record: Record) -> NotMade:
        """Why the diagnosis was not made, and what to add."""
