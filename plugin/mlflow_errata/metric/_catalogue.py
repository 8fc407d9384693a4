"""The catalogue: every metric that errata knows by name, its unit, and when it misleads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlflow_errata.metric._forms import (
    average_precisions,
    brier_losses,
    explained,
    hits,
    log_losses,
    mean_metric,
    net_benefit,
    of_cells,
    of_first,
    of_matrix,
    pinball,
    relative_errors,
    roc_auc,
    root_mean_squared,
    squared_errors,
)
from mlflow_errata.stats import confusion
from mlflow_errata.stats.ranking import ndcg_at, precision_at, recall_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow_errata.metric._outcomes import Metric, Task


class Entry(NamedTuple):
    """A line of the catalogue.

    Parameters
    ----------
    tasks : tuple of Task
    metric : Metric; of a family (a name that ends in a number) the example that the table shows
    unit : str, what one unit of it is
    misleads : str, when it says something else than a reader takes it to say
    source : str
    make : callable from a name and its number to a Metric, for a family; the number is a share for names that end in
        `_t` or `_q`, and a number of rows for names that end in `_k`
    """

    tasks: tuple[Task, ...]
    metric: Metric
    unit: str
    misleads: str
    source: str
    make: Callable[[str, float], Metric] | None = None


BOTH: tuple[Task, ...] = ("binary", "multiclass")
BINARY: tuple[Task, ...] = ("binary",)
NUMBERS: tuple[Task, ...] = ("regression",)
SKLEARN = "scikit-learn"


def _first(statistic: Callable[..., float]) -> Callable[[str, float], Metric]:
    return lambda name, k: of_first(name, statistic, int(k))


CATALOGUE: dict[str, Entry] = {
    "accuracy": Entry(
        BOTH,
        mean_metric("accuracy", hits, greater=True),
        "share of rows",
        "One class is common: always saying it is nearly as accurate. Mistakes cost differently.",
        SKLEARN,
    ),
    "error_rate": Entry(
        BOTH,
        mean_metric("error_rate", lambda outcomes: outcomes.errors, greater=False),
        "share of rows",
        "As accuracy.",
        "1 - accuracy",
    ),
    "balanced_accuracy": Entry(
        BOTH,
        of_matrix("balanced_accuracy", confusion.balanced_accuracy),
        "mean recall",
        "False alarms on a common class cost much: it counts them by their share of that class alone.",
        "Brodersen et al. 2010, doi:10.1109/ICPR.2010.764",
    ),
    "f1": Entry(
        BINARY,
        of_cells("f1"),
        "harmonic mean of precision and recall",
        "Missed and false alarms cost differently, or right rows of the negative class count: it sees neither.",
        "van Rijsbergen 1979",
    ),
    "f1_macro": Entry(
        BOTH,
        of_matrix("f1_macro", confusion.f1_macro),
        "mean F1 of the classes",
        "A class of a few rows weighs as much as one of thousands, so chance moves it.",
        SKLEARN,
    ),
    "f1_micro": Entry(
        BOTH,
        of_matrix("f1_micro", confusion.accuracy),
        "share of rows",
        "With one label a row it is the accuracy.",
        SKLEARN,
    ),
    "f1_weighted": Entry(
        BOTH,
        of_matrix("f1_weighted", confusion.f1_weighted),
        "mean F1 of the classes by support",
        "Rare classes hardly count.",
        SKLEARN,
    ),
    "precision": Entry(
        BINARY,
        of_cells("precision"),
        "share of the alarms",
        "Fewer and fewer alarms raise it.",
        SKLEARN,
    ),
    "recall": Entry(
        BINARY, of_cells("recall"), "share of the positive rows", "More and more alarms raise it.", SKLEARN
    ),
    "matthews_corrcoef": Entry(
        BOTH,
        of_matrix("matthews_corrcoef", confusion.matthews),
        "correlation",
        "Mistakes cost differently: it is fair to the classes, not to the costs.",
        "Matthews 1975, doi:10.1016/0005-2795(75)90109-9",
    ),
    "roc_auc": Entry(
        BINARY,
        roc_auc(),
        "chance that a positive row scores higher",
        "Positives are rare: most of the area speaks of alarm rates that nobody would use. No threshold plays a part.",
        "DeLong et al. 1988, doi:10.2307/2531595",
    ),
    "average_precision": Entry(
        BOTH,
        average_precisions(),
        "mean precision over the positive rows",
        "Test sets differ in their share of positives, which moves it by itself. No threshold plays a part.",
        "Saito & Rehmsmeier 2015, doi:10.1371/journal.pone.0118432",
    ),
    "log_loss": Entry(
        BOTH,
        mean_metric("log_loss", log_losses, greater=False, scores=True),
        "nats per row",
        "A few rows with a label of probability near 0 outweigh all others. No decision plays a part.",
        "Good 1952, doi:10.1111/j.2517-6161.1952.tb00104.x",
    ),
    "brier_score": Entry(
        BINARY,
        mean_metric("brier_score", brier_losses, greater=False, scores=True),
        "squared probability per row",
        "Positives are rare: always saying their share is nearly as good.",
        "Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2",
    ),
    "net_benefit_at_t": Entry(
        BINARY,
        net_benefit("net_benefit_at_0.2", 0.2),
        "true alarms per row",
        "A threshold other than t is used, or costs differ from row to row.",
        "Vickers & Elkin 2006, doi:10.1177/0272989X06295361",
        net_benefit,
    ),
    "precision_at_k": Entry(
        BINARY,
        of_first("precision_at_100", precision_at, 100),
        "share of the first k rows",
        "Test sets differ in their number of rows: k is then another share of them.",
        "Manning, Raghavan & Schutze 2008, chapter 8",
        _first(precision_at),
    ),
    "recall_at_k": Entry(
        BINARY,
        of_first("recall_at_100", recall_at, 100),
        "share of the positive rows",
        "There are more positive rows than k: it cannot reach 1.",
        "Manning, Raghavan & Schutze 2008, chapter 8",
        _first(recall_at),
    ),
    "ndcg_at_k": Entry(
        BINARY,
        of_first("ndcg_at_100", ndcg_at, 100),
        "share of the best discounted gain",
        "All rows are one list here; where every query has its own list, means over queries say more.",
        "Jarvelin & Kekalainen 2002, doi:10.1145/582415.582418",
        _first(ndcg_at),
    ),
    "mean_absolute_error": Entry(
        NUMBERS,
        mean_metric("mean_absolute_error", lambda outcomes: outcomes.errors, greater=False),
        "the label's own unit",
        "Too high and too low cost differently, or one large mistake costs more than many small ones.",
        SKLEARN,
    ),
    "mean_squared_error": Entry(
        NUMBERS,
        mean_metric("mean_squared_error", squared_errors, greater=False),
        "the label's unit, squared",
        "A few extreme labels decide it.",
        SKLEARN,
    ),
    "root_mean_squared_error": Entry(
        NUMBERS, root_mean_squared(), "the label's own unit", "A few extreme labels decide it.", SKLEARN
    ),
    "mean_absolute_percentage_error": Entry(
        NUMBERS,
        mean_metric("mean_absolute_percentage_error", relative_errors, greater=False),
        "share of the label",
        "Labels come near 0: these rows outweigh all others. Predictions that are too low are favoured.",
        SKLEARN,
    ),
    "pinball_loss_at_q": Entry(
        NUMBERS,
        pinball("pinball_loss_at_0.9", 0.9),
        "the label's own unit",
        "The model was not asked for the quantile q.",
        "Koenker & Bassett 1978, doi:10.2307/1913643",
        pinball,
    ),
    "r2": Entry(
        NUMBERS,
        explained(),
        "share of the variance",
        "Test sets differ in how far their labels spread, which moves it by itself.",
        SKLEARN,
    ),
}
"""Every metric with a path of its own, one line each; every other name is looked up among scikit-learn's scorers."""


def catalogued(name: str) -> Entry | None:
    """The line of a name, the number at its end read where it is one of a family; None if unknown."""
    for family, entry in CATALOGUE.items():
        if entry.make is None:
            if family == name:
                return entry
        elif (number := _number(name, family)) is not None:
            return entry._replace(metric=entry.make(name, number))
    return None


def _number(name: str, family: str) -> float | None:
    """The number at the end of a name of a family: a share strictly inside 0 and 1, or a number of rows from 1 up."""
    if not name.startswith(family[:-1]):
        return None
    said = name.removeprefix(family[:-1])
    if family.endswith("_k"):
        return int(said) if said.isdecimal() and int(said) > 0 else None
    try:
        share = float(said)
    except ValueError:
        return None
    return share if 0.0 < share < 1.0 else None


def known_names() -> list[str]:
    """Names as a user writes them, families by an example."""
    return [entry.metric.name for entry in CATALOGUE.values()]
