"""Framing verdicts: found where structure was planted, silent where there is none.

    OMP_NUM_THREADS=1 python benchmarks/framing/verdicts.py [--draws 200] [--rows 1000]

Null: wrong rows fall on other classes by these classes' popularity, rare classes are recalled as the others, training
and evaluation rows are one draw, numbers as labels have no order. Popularity itself is as uneven as can be (Dirichlet).
Planted: groups (half of the wrong rows stay within their group; with a column that tells the group, and without), a
class of 3 % that came, classes that keep coming, rare classes at half the recall, an order (wrong rows are one place
off in half of the cases), a number behind the label, classes of a number.
"""

from __future__ import annotations

import argparse
from collections import Counter
from time import process_time

import numpy as np
import pandas as pd

from mlflow_errata import EvaluationTable
from mlflow_errata.diagnoses import framing
from mlflow_errata.diagnoses._shape import Options
from mlflow_errata.errors import NotApplicable
from mlflow_errata.metric import default_metric

K = 12
NAMES = np.array([f"class {at:02d}" for at in range(K)])
GROUP = np.arange(K) // 4


def diagnosed(rows: pd.DataFrame, **roles: object) -> framing.Framing:
    """The framing of stored predictions."""
    table = EvaluationTable.build(rows, **{"label": "y", "prediction": "p", "features": ["x"], **roles})
    try:
        return framing.diagnose(table, Options(default_metric(table.outcomes)))
    except NotApplicable:
        return framing.Framing()


def classes(
    draw: np.random.Generator, n: int, shares: np.ndarray, *, wrong: np.ndarray, kin: float = 0.0, near: float = 0.0
) -> pd.DataFrame:
    """Labels, and predictions that err by popularity, within the group (`kin`) or by one place (`near`)."""
    k = len(shares)
    popular = draw.dirichlet(np.full(k, 2.0))
    y = draw.choice(k, n, p=shares)
    p = y.copy()
    for at in np.flatnonzero(draw.random(n) < wrong[y]):
        allowed = np.arange(k) != y[at]
        luck = draw.random()
        if luck < kin:
            allowed &= np.arange(k) // 4 == y[at] // 4
        elif luck < near:
            allowed &= np.abs(np.arange(k) - y[at]) == 1
        chance = popular * allowed
        p[at] = draw.choice(k, p=chance / chance.sum())
    return pd.DataFrame({"y": y, "p": p, "x": draw.normal(size=n), "at": np.arange(n)})


def named(rows: pd.DataFrame) -> pd.DataFrame:
    """Classes by name, which have no order."""
    return rows.assign(y=NAMES[rows["y"]], p=NAMES[rows["p"]], group=GROUP[rows["y"]].astype(str))


def null(seed: int, n: int) -> tuple[str, ...]:
    """What is found where nothing is."""
    draw = np.random.default_rng(seed)
    shares, wrong = draw.dirichlet(np.full(K, 0.7)), np.full(K, 0.3)
    rows, train = (classes(draw, n, shares, wrong=wrong) for _ in range(2))
    return diagnosed(named(rows), train=named(train).assign(at=train["at"] - n), time="at").alarms


def null_numbers(seed: int, n: int) -> tuple[str, ...]:
    """Numbers as labels, without an order; a number beside them that says nothing."""
    draw = np.random.default_rng(seed)
    rows = classes(draw, n, draw.dirichlet(np.full(7, 2.0)), wrong=np.full(7, 0.3))
    found = diagnosed(rows.assign(number=draw.normal(size=n)), task="multiclass")
    return (*found.alarms, *(["behind"] if found.behind else []))


def groups(seed: int, n: int, *, column: bool) -> bool:
    """Groups told by a column, or by the confusions alone."""
    draw = np.random.default_rng(seed)
    rows = named(classes(draw, n, draw.dirichlet(np.full(K, 2.0)), wrong=np.full(K, 0.3), kin=0.5))
    found = diagnosed(rows if column else rows.drop(columns="group"))
    wanted = "group" if column else None
    return any(item.found and item.column == wanted for item in found.hierarchies)


def came(seed: int, n: int) -> bool:
    """A class of 3 % that no training row has."""
    draw = np.random.default_rng(seed)
    before, now = draw.dirichlet(np.full(5, 2.0)), draw.dirichlet(np.full(5, 2.0))
    train = classes(draw, n, np.r_[before, 0.0], wrong=np.full(6, 0.1))
    rows = classes(draw, n, np.r_[0.97 * now, 0.03], wrong=np.r_[np.full(5, 0.1), 1.0])
    found = diagnosed(named(rows), train=named(train))
    return any(item.beyond_chance and item.label == NAMES[5] for item in found.arrivals.classes)


def keep_coming(seed: int, n: int) -> bool:
    """Ten classes of two rows each, one after the other."""
    draw = np.random.default_rng(seed)
    shares = draw.dirichlet(np.full(5, 2.0))
    rows, train = (named(classes(draw, n, shares, wrong=np.full(5, 0.1))) for _ in range(2))
    for at in range(10):
        rows.loc[draw.integers(at * n // 10, (at + 1) * n // 10, 2), "y"] = f"new {at}"
    return diagnosed(rows, train=train.assign(at=train["at"] - n), time="at").arrivals.growing


def rare(seed: int, n: int) -> bool:
    """Three classes of 2 % with 10 training rows each, recalled 40 % where the others are recalled 80 %."""
    draw = np.random.default_rng(seed)
    shares = np.r_[0.94 * draw.dirichlet(np.full(4, 5.0)), np.full(3, 0.02)]
    rows = classes(draw, n, shares, wrong=np.r_[np.full(4, 0.2), np.full(3, 0.6)])
    train = pd.concat([rows[rows["y"] < 4], *(rows[rows["y"] == code].head(10) for code in (4, 5, 6))])
    return "rare" in diagnosed(named(rows), train=named(train)).alarms


def order(seed: int, n: int) -> bool:
    """Seven grades by number: half of the wrong rows are one place off."""
    draw = np.random.default_rng(seed)
    rows = classes(draw, n, draw.dirichlet(np.full(7, 5.0)), wrong=np.full(7, 0.3), near=0.5)
    return "order" in diagnosed(rows, task="multiclass").alarms


def numbers(seed: int, n: int) -> tuple[bool, bool]:
    """A number behind a label of two classes, and two classes of a number that is the label."""
    draw = np.random.default_rng(seed)
    number, cut = draw.lognormal(3, 1, n), draw.uniform(10, 40)
    rows = pd.DataFrame({"number": number, "over": np.where(number > cut, "over", "under"), "x": draw.normal(size=n)})
    behind = diagnosed(rows.assign(y=rows["over"], p=rows["over"])[["y", "p", "x", "number"]]).behind
    asked = diagnosed(rows.assign(y=number, p=number * draw.lognormal(0, 0.5, n))[["y", "p", "x", "over"]]).questions
    return behind is not None and behind.column == "number", bool(asked) and asked[0].column == "over"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--rows", type=int, default=1000)
    wanted = parser.parse_args()
    start, n, draws = process_time(), wanted.rows, range(wanted.draws)
    for name, silent in (("null, classes", null), ("null, numbers as labels", null_numbers)):
        alarms = [silent(seed, n) for seed in draws]
        parts = Counter(alarm for found in alarms for alarm in found)
        print(f"{name}: alarms in {sum(map(bool, alarms))} of {len(draws)} tables {dict(parts) or ''}")
    planted = {
        "groups told by a column": lambda seed: groups(seed, n, column=True),
        "groups in the confusions": lambda seed: groups(seed, n, column=False),
        "a class that came": lambda seed: came(seed, n),
        "classes that keep coming": lambda seed: keep_coming(seed, n),
        "classes too rare": lambda seed: rare(seed, n),
        "an order": lambda seed: order(seed, n),
        "a number behind the label": lambda seed: numbers(seed, n)[0],
        "classes of a number": lambda seed: numbers(seed, n)[1],
    }
    for name, found in planted.items():
        print(f"planted, {name}: found in {sum(found(seed) for seed in draws)} of {len(draws)}")
    print(f"CPU seconds: {process_time() - start:.0f}")


if __name__ == "__main__":
    main()
