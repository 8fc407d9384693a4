"""Blocks: what a section says, as data. Streamlit and the HTML report draw the same blocks.

Text in blocks may hold names from a user's data; whoever draws a block escapes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Cell = str | int | float | bool | None
Status = Literal["good", "likely", "bad", "unsure", "ignored"]
Kind = Literal["text", "integer", "number", "percent"]


@dataclass(frozen=True)
class Verdict:
    """The finding in one sentence. "bad": found; "good": looked for and not there; "unsure": cannot be told.

    "ignored": found, and the experiment takes it for settled.
    """

    status: Status
    sentence: str


@dataclass(frozen=True)
class Text:
    """A plain paragraph."""

    sentence: str


@dataclass(frozen=True)
class Codes:
    """The codes of what was found, each with a page of the documentation, and a sentence on them."""

    codes: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class Fact:
    """A number with its name: `value` is formatted, `note` says the interval or the basis."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """A row of numbers."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Column:
    """A column of a table: its title and how its cells read; a "percent" cell holds a share in [0, 1]."""

    title: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """Rows under titled columns. `keys`, one a row, are stable names of the rows for selection and links."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite specification with its data inside. `alt` says in words what it shows."""

    spec: dict[str, Any] = field(repr=False)
    alt: str
    title: str = ""


@dataclass(frozen=True)
class StepCard:
    """A next step: what to do, what it would give, what it costs, why, and the code that takes it.

    `status` says of the gain: "good", it pays; "likely", it pays on the rows that judged, and may not on those to come;
    "bad", it is a loss; "unsure", neither can be told, or it is not known.
    """

    kind: str
    title: str
    gain: str
    cost: str
    because: tuple[str, ...]
    code: str = ""
    status: Status = "unsure"


@dataclass(frozen=True)
class NotMade:
    """A diagnosis that was not made, why, and what would make it possible."""

    reason: str
    remedy: str = ""


Block = Verdict | Text | Codes | Facts | Table | Chart | StepCard | NotMade
