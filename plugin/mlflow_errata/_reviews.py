"""What people said about slices: open, fixed or accepted, with a note; as JSON of a tag's length."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, get_args

from mlflow_errata.diagnoses.slice_errors import slice_id
from mlflow_errata.errors import OptionUnknown
from mlflow_errata.errors.stored import NoteTooLong, PersonMissing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SliceStatus = Literal["open", "fixed", "accepted"]
STATUSES: tuple[SliceStatus, ...] = get_args(SliceStatus)
REVIEW_TAG = "errata.slice."
"""Followed by a name of its own for every review."""
LONGEST_NOTE, LONGEST_CONDITIONS, LONGEST_NAME = 2000, 1000, 200
LONGEST_TAG = 8000


@dataclass(frozen=True)
class Review:
    """What one person said about one slice.

    Parameters
    ----------
    slice_id : str
    conditions : str, the slice in words, shortened at 1,000 characters
    status : "open", "fixed" or "accepted"
    note, by : str
    at : str, when: ISO 8601, UTC
    run_id, run_name : str, the run on whose page it was said; not part of the tag
    """

    slice_id: str
    conditions: str
    status: SliceStatus
    note: str
    by: str
    at: str
    run_id: str = ""
    run_name: str = ""

    @classmethod
    def parsed(cls, text: str) -> Review | None:
        """A review from a tag; None if it is none."""
        try:
            told = json.loads(text)
            review = cls(**{name: str(value) for name, value in told.items()})  # type: ignore[arg-type]
            datetime.fromisoformat(review.at)
        except (ValueError, TypeError, AttributeError):
            return None
        return review if review.status in STATUSES else None

    def came_back(self, started: datetime) -> bool:
        """Whether a run that began after the slice was called fixed finds it again."""
        return self.status == "fixed" and datetime.fromisoformat(self.at) < started


def review_of(conditions: Sequence[str], status: str, *, by: str, note: str) -> Review:
    """A review made now.

    Raises
    ------
    OptionUnknown, PersonMissing, NoteTooLong
    """
    known = {name: name for name in STATUSES}
    if status not in known:
        raise OptionUnknown("status", status, STATUSES)
    if not by.strip():
        raise PersonMissing
    if len(note.strip()) > LONGEST_NOTE:
        raise NoteTooLong(len(note.strip()), LONGEST_NOTE)
    return Review(
        slice_id(conditions),
        " and ".join(conditions)[:LONGEST_CONDITIONS],
        known[status],
        note.strip(),
        by.strip()[:LONGEST_NAME],
        datetime.now(UTC).isoformat(timespec="microseconds"),
    )


def as_tag(review: Review) -> str:
    """Strict JSON of at most 8,000 characters.

    Raises
    ------
    NoteTooLong
    """
    values = {name: value for name, value in asdict(review).items() if not name.startswith("run")}
    text = json.dumps(values, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    if len(text) > LONGEST_TAG:  # characters that JSON writes as six
        raise NoteTooLong(len(text), LONGEST_TAG)
    return text


def reviews_of(tags: Mapping[str, str], *, run_id: str, run_name: str) -> tuple[Review, ...]:
    """The reviews in the tags of a run, oldest first."""
    found = (Review.parsed(text) for name, text in tags.items() if name.startswith(REVIEW_TAG))
    whole = (replace(item, run_id=run_id, run_name=run_name) for item in found if item is not None)
    return tuple(sorted(whole, key=_by_time))


def standing(made: Iterable[Review]) -> dict[str, Review]:
    """The newest review of each slice, by its id."""
    return {item.slice_id: item for item in sorted(made, key=_by_time)}


def _by_time(review: Review) -> tuple[str, str]:
    return review.at, review.slice_id
