"""How numbers, intervals, moments and names read in a sentence."""

from __future__ import annotations

from datetime import datetime
from math import floor, log10
from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow_errata.diagnoses._named import NamedSlice
    from mlflow_errata.diagnoses.slice_errors import Slice
    from mlflow_errata.estimate import Estimate

LONGEST_NAME = 80
"""Characters of a name from the user's data that a sentence shows."""
SHARES = frozenset(
    {"error rate", "error_rate", "accuracy", "recall", "precision", "share of rows", "label rate", "prediction rate"}
)
"""Units that read as percent."""
_METRICS = {
    "roc_auc": "ROC AUC",
    "error_rate": "error rate",
    "log_loss": "log loss",
    "brier_score": "Brier score",
    "mean_absolute_error": "mean absolute error",
    "mean_squared_error": "mean squared error",
    "average_precision": "average precision",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "f1_macro": "macro F1",
    "f1_micro": "micro F1",
    "f1_weighted": "weighted F1",
    "hamming_loss": "Hamming loss",
    "subset_accuracy": "subset accuracy",
    "average_precision_macro": "macro average precision",
    "matthews_corrcoef": "Matthews correlation",
    "root_mean_squared_error": "root mean squared error",
    "mean_absolute_percentage_error": "mean absolute percentage error",
    "r2": "R2",
}
_FAMILIES = {
    "net_benefit_at_": "net benefit at",
    "pinball_loss_at_": "pinball loss at",
    "precision_at_": "precision at",
    "recall_at_": "recall at",
    "ndcg_at_": "NDCG at",
}
"""Metrics whose name ends in a number."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def is_share(unit: str) -> bool:
    """Whether a unit reads as percent."""
    return unit in SHARES or unit.startswith("share of ")


def count(n: float) -> str:
    """A whole number: 4,512."""
    return f"{round(n):,}"


def number(x: float) -> str:
    """Three significant digits, and never fewer digits than the whole part has: 0.703, 6.27, 4,512."""
    digits = 3 if x == 0 else max(0, 2 - floor(log10(abs(x))))
    if digits > 6:  # noqa: PLR2004 - more zeros than anyone counts
        return f"{x:.2e}"
    return f"{x:,.{digits}f}"


def percent(share: float) -> str:
    """A share in percent with one decimal, or two significant digits below one percent: 12.3 %, 0.045 %."""
    return f"{_percent(share)} %"


def _percent(share: float) -> str:
    x = 100 * share
    digits = 1 if x == 0 or abs(x) >= 1 else min(6, 1 - floor(log10(abs(x))))
    shown = f"{x:.{digits}f}"
    return "100" if shown == "100.0" else "0" if not shown.strip("-0.") else shown


def estimate(measured: Estimate, *, unit: str | None = None) -> str:
    """Value and interval: 32.3 % (29.4 to 35.1 %), or 0.703 (0.672 to 0.734)."""
    return f"{value(measured, unit=unit)} ({interval(measured, unit=unit)})"


def value(measured: Estimate, *, unit: str | None = None) -> str:
    """The value alone: 32.3 %, or 0.703."""
    return percent(measured.value) if is_share(unit or measured.unit) else number(measured.value)


def interval(measured: Estimate, *, unit: str | None = None) -> str:
    """The interval alone: 29.4 to 35.1 %, or 0.672 to 0.734 (with as many decimals as the value has)."""
    if is_share(unit or measured.unit):
        return f"{_percent(measured.low)} to {percent(measured.high)}"
    return f"{_like(measured.low, measured.value)} to {_like(measured.high, measured.value)}"


def change(measured: Estimate) -> str:
    """A difference with its interval: -0.050 (-0.092 to -0.007), or -3.2 points (-5.0 to -1.4)."""
    scale, word, digits = (100, " points", 1) if is_share(measured.unit) else (1, "", _digits(measured))
    middle, low, high = (f"{scale * x:+,.{digits}f}" for x in (measured.value, measured.low, measured.high))
    return f"{middle}{word} ({low} to {high})"


def amount(x: float, unit: str) -> str:
    """How large a difference is: 0.050, or 3.2 points."""
    return f"{number(100 * x)} points" if is_share(unit) else number(x)


def counted_in(unit: str) -> str:
    """What a difference is counted in: points of accuracy, or ROC AUC."""
    return f"points of {metric(unit)}" if is_share(unit) else metric(unit)


def _digits(measured: Estimate) -> int:
    """Decimals that show two significant digits of the interval's width."""
    width = measured.high - measured.low or abs(measured.value)
    return max(0, min(6, 1 - floor(log10(width)))) if width else 3


def _like(x: float, model: float) -> str:
    shown = number(model)
    digits = len(shown.partition(".")[2]) if "e" not in shown else 6
    return f"{x:,.{digits}f}"


def duration(length: float, *, dated: bool) -> str:
    """A length of time: 91 days, 6.0 hours; without dates a bare number in the column's own unit."""
    if not dated:
        return number(length)
    day, hour = 86400.0, 3600.0
    return f"{count(length / day)} days" if length >= 2 * day else f"{number(length / hour)} hours"


def plural(n: int, one: str, many: str | None = None) -> str:
    """A count with its noun: 1 row, 4,512 rows."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def listed(words: Sequence[str], most: int = 5) -> str:
    """Words in a row: a, b and c; the rest is counted."""
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def metric(name: str) -> str:
    """A metric's name in words; a name of the user's own stays as it is."""
    for start, said in _FAMILIES.items():
        if name.startswith(start):
            return f"{said} {shown(name.removeprefix(start))}"
    return _METRICS.get(name, shown(name))


def capital(sentence: str) -> str:
    """A sentence with a capital first letter, the rest as it is."""
    return sentence[:1].upper() + sentence[1:]


def shown(text: object) -> str:
    """A name from the user's data on one line, shortened in the middle."""
    line = " ".join(str(text).split()) or repr(str(text))
    if len(line) <= LONGEST_NAME:
        return line
    end = LONGEST_NAME // 3
    return f"{line[: LONGEST_NAME - 1 - end]}…{line[-end:]}"


def too_few(n: int, what: str = "judge") -> str:
    """What stands where an interval would say next to nothing."""
    return f"n = {n:,}, too few to {what}"


def in_lines(conditions: Sequence[str], length: int, start: str = "") -> list[str]:
    """Conditions beside a chart: one of them, or a part of a long one, a line."""
    parts = [shown(condition) for condition in conditions]
    joined = [f"{part} and" for part in parts[:-1]] + parts[-1:]
    return [line for at, part in enumerate(joined) for line in wrap(start + part if at == 0 else part, length)]


def quoted(label: object) -> str:
    """A label as code writes it: text in quotes, a number bare."""
    return shown(repr(label))


def distinct(names: Sequence[object]) -> list[str]:
    """Names as shown, numbered where shortening made two alike."""
    lines = [shown(name) for name in names]
    return [f"{line} ({lines[:at].count(line) + 1})" if line in lines[:at] else line for at, line in enumerate(lines)]


def conditions(item: Slice | NamedSlice) -> str:
    """The predicates of a slice on one line."""
    return " and ".join(shown(condition) for condition in item.conditions)


def moment(at: datetime | float, unit: str) -> str:
    """A point in time as precisely as its window needs: Nov 2013, Q4 2013, 4 Nov 2013, 4 Nov 2013 13:00."""
    if not isinstance(at, datetime):
        return f"{at:.6g}"
    month = f"{_MONTHS[at.month - 1]} {at.year}"
    if unit == "year":
        return str(at.year)
    if unit == "quarter":
        return f"Q{(at.month + 2) // 3} {at.year}"
    if unit == "month":
        return month
    midnight = (at.hour, at.minute, at.second) == (0, 0, 0)
    if unit in {"day", "week"} or midnight:
        return f"{at.day} {month}"
    return f"{at.day} {month} {at.hour:02d}:{at.minute:02d}"
