"""Metric mismatch in words: what is said of a threshold is what its interval says."""

from __future__ import annotations

import pytest

from mlflow_errata.diagnoses._thresholds import ThresholdChoice
from mlflow_errata.diagnoses.metric_mismatch import MetricMismatch
from mlflow_errata.estimate import Estimate
from mlflow_errata.sections import metric_mismatch


def found(value, low, high, *, counts=False, used=0.5, lost=0.6):
    gain = Estimate(value, low, high, n=1000, unit="value per row")
    choice = ThresholdChoice(used, 0.264, (0.2, 0.3), gain, counts, (), ())
    whole = Estimate(lost, lost - 0.02, lost + 0.02, n=1000, unit="value lost per row")
    return MetricMismatch("roc_auc", whole, (), choice, None, (), None, (), None)


@pytest.mark.parametrize(
    ("result", "status", "said"),
    [
        (
            found(0.0709, 0.0157, 0.126),
            "unsure",
            "The value may ask for another threshold: decisions at 0.500 lose 0.600 (0.580 to 0.620) of value per row "
            "against the best decision for each, and 0.264 saves 0.0709 (0.0157 to 0.1260) per row, above 0 at 95 % "
            "but not at the 99 % that a finding takes.",
        ),
        (
            found(0.01, -0.002, 0.022),
            "good",
            "Decisions at 0.500 are not known to lose more than any other threshold would: the best one, 0.264, saves "
            "0.0100 (-0.0020 to 0.0220) per row, which includes 0.",
        ),
        (
            found(0.02, 0.015, 0.025, used=None),
            "good",
            "Decisions as they are lose little against the best threshold, 0.264: it saves 0.0200 (0.0150 to 0.0250) "
            "per row, less than 5 % of the value lost.",
        ),
        (
            found(0.2, 0.15, 0.25, counts=True),
            "bad",
            "Decisions at 0.500 lose 0.600 (0.580 to 0.620) of value per row against the best decision for each; at "
            "0.264 they would save 0.200 (0.150 to 0.250) of it. ROC AUC would choose that threshold too: the decision "
            "alone has to move.",
        ),
    ],
)
def test_what_is_said_of_the_threshold_holds(result, status, said, record_of):
    verdict = metric_mismatch.verdict(result, record_of({"metric_mismatch": result}))
    assert (verdict.status, verdict.sentence) == (status, said)
