import dataclasses

import pytest

from mlflow_errata import ErrataError, Estimate


def test_holds_what_it_is_told():
    estimate = Estimate(0.5, 0.4, 0.6, n=100, unit="error rate")
    assert (estimate.value, estimate.low, estimate.high, estimate.n, estimate.level) == (0.5, 0.4, 0.6, 100, 0.95)


@pytest.mark.parametrize("numbers", [(float("nan"), 0, 1), (0.5, float("-inf"), 1), (0.5, 0, float("inf"))])
def test_refuses_what_is_not_finite(numbers):
    with pytest.raises(ErrataError, match="not finite"):
        Estimate(*numbers, n=1, unit="rows")


def test_refuses_a_value_outside_its_interval():
    with pytest.raises(ValueError, match="lies outside its interval"):
        Estimate(0.7, 0.1, 0.6, n=1, unit="rows")


def test_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Estimate(0.5, 0.4, 0.6, 1, "rows").value = 1.0
