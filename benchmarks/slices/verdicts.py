"""False alarms, power and coverage of the slice verdict, on generated tables.

    OMP_NUM_THREADS=1 python benchmarks/slices/verdicts.py [--null 400] [--planted 100] [--five 20] [--numeric 40]
                                                           [--coverage 40]

null       errors independent of everything: tables of 5,000 and 32,000 rows, numbers and text or levels alone
planted    20,000 rows, one slice of 5 % with error rate .25 against .10: a level, a range, or two predicates by turns
five       five slices of 1.2 to 6 % of 32,561 rows, one to three levels, .25 against .10; and on 30 correlated columns
numeric    20,000 rows, an interval of 12 to 30 % of a number and one of five levels, .30 against .10
coverage   confirmed slices of five planted ones at .15, .20, .25 and .35: does the interval of the error rate hold the
           mean error of the slice on 100,000 fresh rows
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.stats import beta
from tables import BASE, adult, correlated, diagnosed, jaccard, mixed, plant

import mlflow_errata as errata


def null(n_tables: int) -> None:
    """Share of tables with a confirmed (or any) slice where there is none."""
    for n, make in ((5_000, mixed), (5_000, adult), (32_000, mixed), (32_000, adult)):
        confirmed = suspected = 0
        for seed in range(n_tables):
            draw = np.random.default_rng(seed)
            result = diagnosed(make(draw, n), draw.random(n) < 0.14, draw)
            confirmed += result.found
            suspected += bool(result.suspected)
        upper = beta.ppf(0.95, confirmed + 1, n_tables - confirmed)
        print(
            f"null, {n:,} rows, {make.__name__}: confirmed in {confirmed} of {n_tables} tables "
            f"(upper 95 % bound {upper:.1%}), suspected in {suspected}",
            flush=True,
        )


def one(n_tables: int) -> None:
    """One slice of 5 % of 20,000 rows."""
    results = np.array([planted(seed) for seed in range(n_tables)])
    print(f"planted: found and ranked first in {results[:, 0].sum()} of {n_tables}")
    print(f"planted: exactly one slice reported in {results[:, 1].sum()}")
    print(f"planted: the interval holds the slice's true error rate in {results[:, 2].sum()}", flush=True)


def planted(seed: int) -> tuple[bool, bool, bool]:
    draw = np.random.default_rng(10_000 + seed)
    n = 20_000
    frame = mixed(draw, n)
    if seed % 3 == 0:
        frame["word_4"] = np.where(draw.random(n) < 0.05, "bad", frame["word_4"])
        inside = frame["word_4"] == "bad"
    elif seed % 3 == 1:
        inside = frame["number_0"].between(*np.quantile(frame["number_0"], [0.6, 0.65]))
    else:
        inside = (frame["word_1"] == "v1") & (frame["number_1"] > np.quantile(frame["number_1"], 0.65))
    rate = np.where(inside, 0.25, BASE)
    result = diagnosed(frame, draw.random(n) < rate, draw)
    if not result.slices:
        return False, False, False
    first = result.slices[0]
    found = first.mask(frame)
    truth = rate[found].mean()
    return jaccard(found, inside) >= 0.5, len(result.slices) == 1, first.error.low <= truth <= first.error.high


def five(n_tables: int) -> None:
    """Recall, precision and reports of five planted slices."""
    for make, n in ((adult, 32_561), (correlated, 20_000)):
        recall, precision, reports = [], [], []
        for seed in range(n_tables):
            draw = np.random.default_rng(20_000 + seed)
            frame = make(draw, n)
            masks = [item.mask(frame) for item in plant(draw, frame)]
            wrong = draw.random(n) < np.where(np.logical_or.reduce(masks), 0.25, BASE)
            slices = diagnosed(frame, wrong, draw).slices
            overlap = np.array([[jaccard(item.mask(frame), mask) for mask in masks] for item in slices]).reshape(-1, 5)
            recall.append((overlap.max(axis=0, initial=0) >= 0.8).mean())
            precision += (overlap.max(axis=1) >= 0.5).tolist()
            reports.append(len(slices))
        print(
            f"five planted, {make.__name__}, {n:,} rows: recall {np.mean(recall):.3f}, precision "
            f"{np.mean(precision):.3f}, reports {np.mean(reports):.2f} (most {max(reports)})",
            flush=True,
        )


def numeric(n_tables: int) -> None:
    """Intervals of a number beside a level."""
    n, hits, overlaps = 20_000, 0, []
    for seed in range(n_tables):
        draw = np.random.default_rng(30_000 + seed)
        frame = mixed(draw, n)[["number_0", "number_1", "number_2", "word_0"]]
        frame["word_0"] = draw.choice(list("abcde"), n)
        low = draw.random() * 0.7
        ends = np.quantile(frame["number_1"], [low, low + 0.12 + 0.18 * draw.random()])
        inside = (frame["number_1"].between(*ends) & (frame["word_0"] == "b")).to_numpy()
        slices = diagnosed(frame, draw.random(n) < np.where(inside, 0.30, BASE), draw).slices
        overlaps.append(jaccard(slices[0].mask(frame), inside) if slices else 0.0)
        hits += overlaps[-1] >= 0.8
    print(f"numeric intervals: Jaccard >= .8 in {hits} of {n_tables} (mean {np.mean(overlaps):.2f})", flush=True)


def coverage(n_tables: int) -> None:
    """Intervals of confirmed slices against their mean error on fresh rows."""
    for rate in (0.15, 0.20, 0.25, 0.35):
        held, bias = [], []
        for seed in range(n_tables):
            draw = np.random.default_rng([seed, int(1000 * rate)])
            frame, fresh = adult(draw, 32_561), adult(draw, 100_000)
            items = plant(draw, frame)
            chance, later = (
                np.where(np.logical_or.reduce([item.mask(rows) for item in items]), rate, BASE)
                for rows in (frame, fresh)
            )
            for item in diagnosed(frame, draw.random(len(frame)) < chance, draw).slices:
                truth = later[item.mask(fresh)].mean()
                held.append(item.error.low <= truth <= item.error.high)
                bias.append(item.error.value - truth)
        print(
            f"coverage at {rate:.2f}: {np.mean(held):.3f} of {len(held)} confirmed slices, bias {np.mean(bias):+.4f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, n in (("null", 400), ("planted", 100), ("five", 20), ("numeric", 40), ("coverage", 40)):
        parser.add_argument(f"--{name}", type=int, default=n)
    wanted = parser.parse_args()
    print(f"errata {errata.__version__}")
    for measure, n in (
        (null, wanted.null),
        (one, wanted.planted),
        (five, wanted.five),
        (numeric, wanted.numeric),
        (coverage, wanted.coverage),
    ):
        if n:
            measure(n)


if __name__ == "__main__":
    main()
