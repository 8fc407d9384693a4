"""Groups on both sides in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlflow_errata.diagnoses._shared_groups import SharedGroups
from mlflow_errata.diagnoses.data_faults import DataFaults, Fault
from mlflow_errata.estimate import Estimate
from mlflow_errata.sections import _splits, data_faults


@pytest.fixture
def groups(rate):
    return SharedGroups(
        column="customer",
        metric="accuracy",
        n_groups=200,
        n_shared=120,
        share=rate(0.6, 0.58, 0.62, n=2000, unit="share of rows"),
        known=rate(0.92, 0.9, 0.94, unit="accuracy"),
        new=rate(0.8, 0.77, 0.83, unit="accuracy"),
        gap=Estimate(0.12, 0.08, 0.16, n=2000, unit="accuracy"),
        flatters=True,
    )


def test_known_groups_beside_new_ones(groups, record_of):
    assert _splits.of_groups(groups, record_of()) == [
        "120 of 200 groups (customer) stand in the training data, too. Known groups are served better than new ones: "
        "accuracy 92.0 % (90.0 to 94.0 %) against 80.0 % (77.0 to 83.0 %), a difference of +12.0 points "
        "(+8.0 to +16.0)."
    ]
    (unsure,) = _splits.of_groups(replace(groups, flatters=False), record_of())
    assert "Known groups may be served better than new ones:" in unsure
    alike = replace(groups, flatters=False, gap=Estimate(0.0, -0.04, 0.04, n=2000, unit="accuracy"))
    assert "served no better than new ones beyond chance:" in _splits.of_groups(alike, record_of())[0]


def test_what_cannot_be_compared(groups, record_of):
    assert _splits.of_groups(None, record_of()) == []
    few = replace(groups, known=None, new=None, gap=None, flatters=False)
    assert _splits.of_groups(few, record_of())[0].endswith("The rows of known or of new groups are too few to compare.")
    none = replace(few, n_shared=0)
    assert _splits.of_groups(none, record_of()) == ["None of 200 groups (customer) stands in the training data, too."]


@pytest.mark.parametrize(("alarm", "status"), [(True, "bad"), (False, "good")])
def test_the_fault_reads(groups, record_of, alarm, status):
    fault = Fault("group_in_train", "customer", 1200, groups.share, alarm)
    said = data_faults.verdict(DataFaults((fault,), 12, True, False, groups), record_of())
    assert said.status == status
    blocks = data_faults.section(DataFaults((fault,), 12, True, False, groups), record_of())
    texts = [getattr(block, "sentence", "") for block in blocks]
    assert any(
        "1,200 rows (60.0 %) belong to a customer that stands in the training data, too." in text for text in texts
    )
    assert not any("does not lean on it" in text for text in texts)
