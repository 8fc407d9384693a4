"""Verdicts on labels, before and after an audit: false alarms where all are right, findings where some are wrong.

    python benchmarks/labels/verdicts.py [--seeds 10]

An audit is 40 rows that errata.audit draws, answered with the truth.
"""

from __future__ import annotations

import argparse

from scipy.stats import beta
from sets import NOISY, RIGHT, planted

import mlflow_errata as errata


def looked(kind: str, seed: int) -> tuple[bool, bool, bool, bool]:
    """Found before, found after the audit, and whether the interval of the noise rate held the truth, twice."""
    given = planted(kind, seed)
    scores = {int(name[2:]): name for name in given.scores}
    record = errata.diagnose(given.rows, label="y", scores=scores, features=given.features, budget=60)
    after = errata.audited(record, lambda row: given.truth[row["id"]])
    relabels = "relabel" in [step.kind for step in after.next_steps]
    before, audited = (item.results["label_issues"] for item in (record, after))
    share = float(given.wrong.mean())
    flagged = before.ranking.head(before.n_flagged)["id"]
    held = audited.noise_rate.low <= float(given.wrong[flagged].sum()) / len(given.rows) <= audited.noise_rate.high
    return before.found, relabels, before.noise_rate.low <= share <= before.noise_rate.high, held


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args().seeds
    alarms = [0, 0]
    for kind in (*RIGHT, *NOISY):
        found, relabels, held, held_after = (
            sum(column) for column in zip(*(looked(kind, s) for s in range(seeds)), strict=True)
        )
        print(
            f"{kind:22} found {found}, relabel after the audit {relabels}, interval held the noise rate {held}, "
            f"after the audit that of the flags {held_after}, of {seeds}"
        )
        if kind in RIGHT:
            alarms = [alarms[0] + found, alarms[1] + relabels]
    n = seeds * len(RIGHT)
    for when, count in zip(("before", "after"), alarms, strict=True):
        upper = beta.ppf(0.95, count + 1, n - count)
        print(f"right labels: found {when} the audit in {count} of {n} (upper 95 % bound {upper:.1%})")


if __name__ == "__main__":
    main()
