"""Every error and its sentence: what, where, the value, what to do."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def first_few(values: Collection[object], most: int = 8) -> str:
    """The first few values, and how many more there are."""
    listed = list(values)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(repr(value) for value in listed[:most]) + more


class ErrataError(Exception):
    """Anything that errata refuses; the message says what, where, the value and what to do."""


class NotApplicable(ErrataError):
    """A diagnosis that has nothing to work on; the message is the reason."""


class NotTried(ErrataError):
    """A what-if trial that cannot be made; the message is the reason."""


class ClassHasNoPlace(ErrataError):
    """A class that an order of classes does not hold."""

    def __init__(self, label: object, order: Sequence[object]) -> None:
        super().__init__(
            f"the class {label!r} has no place in the order {first_few(order)}, by which an ordinal model is fitted. "
            "Diagnose again on rows that hold the class, or leave its rows out."
        )


class NoSuchName(AttributeError):
    """A public name that errata does not have."""

    def __init__(self, name: str, present: Collection[str]) -> None:
        near = get_close_matches(name, present, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"module 'mlflow_errata' has no attribute {name!r}.{hint}")


class NotAnEstimate(ErrataError, ValueError):
    """Numbers that do not make an estimate."""

    def __init__(self, value: float, low: float, high: float, why: str) -> None:
        super().__init__(f"Estimate(value={value}, low={low}, high={high}): the value {why}.")


# -- the evaluation frame ---------------------------------------------------------------------------------------------


class InputError(ErrataError, ValueError):
    """An evaluation frame, a role or an option that cannot be used."""


class FrameTypeUnknown(InputError):
    """Something that is not a table."""

    def __init__(self, what: str, got: object) -> None:
        super().__init__(
            f"{what} is a {type(got).__module__}.{type(got).__name__}, not a table. "
            "Pass a pandas, polars or Spark DataFrame or a pyarrow Table."
        )


class FrameTooLong(InputError):
    """A Spark DataFrame with more rows than are brought into memory."""

    def __init__(self, what: str, rows: int, most: int) -> None:
        share = most / rows
        digits = f"{share * 0.9:.1g}"
        super().__init__(
            f"{what} has {rows:,} rows in Spark, and at most {most:,} are brought into memory. "
            f"Pass a sample, .sample(fraction={digits}, seed=0), or the rows of fewer days."
        )


class FrameEmpty(InputError):
    """A frame without rows, or without any labelled row."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} {why}, so there is nothing to diagnose. Pass at least one labelled row.")


class ColumnsDuplicated(InputError):
    """Two columns of one name."""

    def __init__(self, what: str, names: Collection[str]) -> None:
        super().__init__(f"{what} has several columns named {first_few(names)}. Rename or drop the copies.")


class ColumnMissing(InputError):
    """A role that names a column which is not there."""

    def __init__(self, role: str, column: object, present: Collection[str]) -> None:
        near = get_close_matches(str(column), [str(name) for name in present], n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Columns: {first_few(sorted(map(str, present)))}."
        super().__init__(f"{role}={column!r} is not a column of the table. {hint}")


class TrainColumnMissing(InputError):
    """A training frame without a column that the evaluation frame has."""

    def __init__(self, role: str, column: object, present: Collection[str]) -> None:
        near = get_close_matches(str(column), [str(name) for name in present], n=1)
        hint = f" Did it become {near[0]!r}?" if near else ""
        super().__init__(
            f"train has no column {column!r}, which is {role} in the evaluation frame.{hint} "
            "Pass a training frame with the same columns."
        )


class NumberRefused(InputError):
    """An option that is not the number that it should be."""

    def __init__(self, option: str, given: object, wanted: str) -> None:
        super().__init__(f"{option}={given!r} is not {wanted}.")


class KindRefused(InputError):
    """An option of a type that it cannot have; the value itself may be long, so only its type is told."""

    def __init__(self, option: str, given: object, wanted: str, remedy: str) -> None:
        super().__init__(f"{option}= is given as {type(given).__name__}, where {wanted} is expected. {remedy}")


class RoleTwice(InputError):
    """One column in two roles that exclude each other."""

    def __init__(self, column: str, first: str, second: str) -> None:
        super().__init__(f"column {column!r} is given as {first}= and as {second}=. Give it one role.")


class LabelSeen(InputError):
    """A label among the columns that the model sees."""

    def __init__(self, column: str) -> None:
        super().__init__(
            f"the label {column!r} is among the columns that the model sees, so whatever is measured is too good. "
            "Fit the model without it, or name the columns that it sees with features=[...]."
        )


class OutputMissing(InputError):
    """Neither a model nor columns with its output."""

    def __init__(self) -> None:
        super().__init__(
            "there is nothing to compare the label with: pass model=, or name columns with prediction= or scores=."
        )


class ValuesRefused(InputError):
    """A column whose values cannot play their role."""

    def __init__(self, role: str, column: object, why: str, remedy: str) -> None:
        super().__init__(f"{role}={column!r} {why}. {remedy}")


class TimesDiffer(InputError):
    """Times that are dates in one frame and numbers in another: none comes before the other."""

    def __init__(self, newer: str, *, dates: bool) -> None:
        first, second = ("numbers", "dates") if dates else ("dates", "numbers")
        super().__init__(f"times are {first} in train and {second} in {newer}. Give both frames the same kind.")


class OptionUnknown(InputError):
    """An option with a value outside its list."""

    def __init__(self, option: str, value: object, allowed: Collection[str]) -> None:
        plain = "_".join(str(value).lower().replace("-", " ").split())
        near = get_close_matches(str(value), allowed, n=1) or get_close_matches(plain, allowed, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Allowed: {first_few(allowed, 40)}."
        super().__init__(f"{option}={value!r} is not known. {hint}")


class ModelFailed(InputError):
    """A model that could not predict the evaluation rows."""

    def __init__(self, columns: Sequence[str], cause: Exception) -> None:
        said = " ".join(str(cause).split())
        super().__init__(
            f"the model failed on the columns {first_few(columns)}: {type(cause).__name__}: {said} "
            "Name the columns it was trained on with features=[...]."
        )


class ModelUnusable(InputError):
    """Something that cannot predict."""

    def __init__(self, model: object) -> None:
        super().__init__(
            f"model is a {type(model).__name__}, which has no predict method and cannot be called. "
            "Pass a fitted estimator, a pyfunc or a function from a DataFrame to predictions."
        )


class OutputShapeWrong(InputError):
    """Model output whose shape does not fit the rows or the classes."""

    def __init__(self, what: str, shape: tuple[int, ...], wanted: str) -> None:
        super().__init__(f"{what} has shape {shape}; expected {wanted}.")


class MetricNeedsScores(InputError):
    """A metric of scores where only labels are at hand."""

    def __init__(self, metric: str) -> None:
        super().__init__(
            f"metric={metric!r} needs scores, but only predicted labels were given. "
            "Pass scores= (one column, a list in class order, or a dict class -> column) or choose a metric of labels."
        )


class MetricWrongTask(InputError):
    """A metric that does not fit the task."""

    def __init__(self, metric: str, task: str, cause: object) -> None:
        super().__init__(f"metric={metric!r} cannot be computed for a {task} task: {cause}. Choose another metric.")


class LabelsAndTask(InputError):
    """A task that does not fit the number of label columns."""

    def __init__(self, task: str, label: object) -> None:
        remedy = (
            "Pass the list of 0/1 columns: label=[...]"
            if task == "multilabel"
            else "Leave task= out, or name one column"
        )
        super().__init__(f"task={task!r} does not fit label={label!r}. {remedy}.")


class LabelsUnknown(InputError):
    """A metric that cannot leave out labels that are not known."""

    def __init__(self, able: Collection[str]) -> None:
        super().__init__(
            "some rows have labels that are not known (missing), and this metric cannot leave them out; "
            f"these can: {first_few(able)}, 'hamming_loss', 'subset_accuracy'"
        )


# -- labels -----------------------------------------------------------------------------------------------------------


class IdsNotFound(UserWarning):
    """Decided rows that a training set does not hold."""

    def __init__(self, missing: Sequence[object], decided: int) -> None:
        super().__init__(
            f"relabel: {len(missing)} of {decided} decided ids are not in the training set and change nothing: "
            f"{first_few(missing)}. Pass the rows they belong to, under the same id column."
        )


class NothingToAudit(ErrataError):
    """A record without ranked labels."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"there are no labels to check: {reason}. Diagnose a table with scores= or a model.")


class NotRefitted(ErrataError):
    """A model that could not be fitted again on other labels."""

    def __init__(self, why: object) -> None:
        said = " ".join(str(why).split())
        super().__init__(f"the gain of relabelling is not known: {said} Pass an estimator that scikit-learn can clone.")


class DecisionsRefused(InputError):
    """Decisions that cannot be read or do not belong to the record."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"decisions {what}. {remedy}")


class AppMissing(ErrataError):
    """The Streamlit app is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "the app (errata_app) is not installed. Install it again: pip install --upgrade mlflow-errata."
        )


class ExpressionUnreadable(InputError):
    """A named slice that is not written as slices are."""

    def __init__(self, part: str, expression: str) -> None:
        super().__init__(
            f"the slice {expression!r}: cannot read {part!r}. Write conditions as slices print them, joined by "
            "' and ': carrier == 'EV', carrier in {'EV', 'FL'}, hour >= 19, 7 <= hour < 19, arr_delay is missing. "
            "A range holds its lower end and not its upper one, so hour > 19 and hour <= 19 are not read."
        )
