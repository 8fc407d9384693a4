"""Label issues in words: hand-made results, every verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlflow_errata.blocks import Chart, Fact, Facts, Table, Text
from mlflow_errata.diagnoses._pitfalls import Conflict, Stratum
from mlflow_errata.diagnoses._suspicion import SuspectSlice
from mlflow_errata.diagnoses._worklist import Audit, StratumAudit, Worklist
from mlflow_errata.diagnoses.label_issues import ClassNoise, ClassPair, LabelIssues
from mlflow_errata.predicates import Equals, IsMissing
from mlflow_errata.sections import label_issues


@pytest.fixture
def unsure(rate):
    """80 flags in 1,000 rows, and no evidence."""
    return LabelIssues(
        noise_rate=rate(0.08, 0.0, 0.1, n=1000, unit="share of labels"),
        n_flagged=80,
        n_flagged_errors=60,
        n_errors=120,
        worklist=Worklist((0, 1), ("r7", "r9"), (0, 1), (1, 0), (0.9, 0.8), (-1, -1), (True, True), (80,)),
        classes=(ClassNoise(0, 700, rate(0.1, 0.0, 0.12)), ClassNoise(1, 300, rate(0.03, 0.0, 0.06))),
        pairs=(ClassPair(0, 1, 70, 0.1), ClassPair(1, 0, 10, 0.03)),
    )


@pytest.fixture
def slices(rate):
    missing = SuspectSlice((IsMissing("arr_delay"),), 50, "unobserved", 0, 1, rate(0.4, 0.3, 1.0), evident=True)
    west = SuspectSlice((Equals("source", "west"),), 90, "contradicted", 0, 1, rate(0.2, 0.15, 0.25), evident=True)
    return missing, west, replace(west, predicates=(Equals("source", "east"),), evident=False)


def audited(result, rate, *, wrong, low):
    precision = rate(max(wrong / 40, low), low, 0.6, n=40)
    parts = (StratumAudit(-1, 60, 20, 0, precision), StratumAudit(0, 20, 20, wrong, precision))
    audit = Audit((("r7", 1),), 40, wrong, 0, precision, parts, rate(0.2, 0.1, 0.3))
    return replace(result, audit=audit, noise_rate=rate(0.03, 0.02, 0.05))


def said(result, record):
    verdict = label_issues.verdict(result, record)
    return verdict.status, verdict.sentence


def test_flags_without_evidence_are_no_finding(unsure, record_of):
    assert said(unsure, record_of()) == (
        "unsure",
        "The scores contradict 80 labels (8.0 %), as hard rows, rare classes and drift do too: at most 10.0 % of the "
        "labels may be wrong, and none has to be. Checking 40 of them tells.",
    )
    few = [said(replace(unsure, n_flagged=n), record_of())[1].rpartition(". ")[2] for n in (41, 40, 5, 1)]
    assert few == ["Checking 40 of them tells.", "Checking them tells.", "Checking them tells.", "Checking it tells."]
    assert said(unsure, record_of(task="regression"))[1].startswith("Large residuals stand at 80 labels")
    assert said(replace(unsure, n_flagged=0), record_of()) == (
        "good",
        "No label is confidently contradicted: at most 10.0 % of the labels may be wrong.",
    )


def test_evidence_is_named_with_its_slice(unsure, slices, rate, record_of):
    found = replace(unsure, slices=slices, noise_rate=rate(0.08, 0.02, 0.1))
    assert said(found, record_of()) == (
        "bad",
        "Where arr_delay is missing (50 rows) the label is always 0, although the scores expect 1 in 40.0 %: it was "
        "probably computed from the missing value. At most 10.0 % of the labels may be wrong.",
    )
    texts = [block.sentence for block in label_issues.section(found, record_of()) if isinstance(block, Text)]
    assert texts == [
        "Where source == 'west' (90 rows) a model of all other rows contradicts 0 in favour of 1 beyond what it does "
        "elsewhere, in 20.0 % (15.0 to 25.0 %) of the rows.",
        "Where source == 'east' (90 rows) a model of all other rows contradicts labels of all classes alike: wrong "
        "labels look so, and rows that are hard to predict as well.",
    ]


def test_an_audit_has_the_last_word(unsure, slices, rate, record_of):
    result = replace(unsure, slices=slices)
    assert said(audited(result, rate, wrong=12, low=0.2), record_of()) == (
        "bad",
        "12 of 40 checked labels were wrong: 30.0 % (20.0 to 60.0 %) of the flags are true errors, so 3.0 % (2.0 to "
        "5.0 %) of all labels are wrong.",
    )
    none = audited(result, rate, wrong=0, low=0.0)
    assert said(none, record_of())[0] == "good"
    assert said(none, record_of())[1].endswith("too few to relabel for.")
    tables = [block for block in label_issues.section(none, record_of()) if isinstance(block, Table)]
    assert [row[0] for row in tables[0].rows] == ["elsewhere", "arr_delay is missing"]


def test_the_figure_says_what_the_verdict_says(unsure, slices, rate, record_of):
    def tile(result):
        return next(block for block in label_issues.section(result, record_of()) if isinstance(block, Facts)).facts[1]

    assert tile(unsure) == Fact("may be wrong, at most", "10.0 %", "of all labels; none has to be")
    evident = replace(unsure, slices=slices, noise_rate=rate(0.08, 0.02, 0.1))
    assert tile(evident) == Fact("may be wrong, at most", "10.0 %", "of all labels; at least 2.0 %")
    checked = audited(evident, rate, wrong=12, low=0.2)
    assert tile(checked) == Fact("labels that are wrong", "3.0 %", "2.0 to 5.0 %")
    charts = [block for block in label_issues.section(unsure, record_of()) if isinstance(block, Chart)]
    assert [chart.title for chart in charts] == ["Labels that may be wrong by the scores alone, by given label"]


def test_many_rare_classes_stand_in_a_table(unsure, rate, record_of):
    rare = tuple(Stratum("class", f"c{at}", 30, rate(0.4, 0.3, 0.5), rate(0.1, 0.05, 0.2)) for at in range(3))

    def blocks(n):
        return label_issues.section(replace(unsure, strata=rare[:n]), record_of())

    assert sum(isinstance(block, Text) for block in blocks(2)) == 2
    assert not any(isinstance(block, Text) for block in blocks(3))
    table = next(block for block in blocks(3) if isinstance(block, Table))
    assert table.rows[0] == ("c0", 30, 0.4, "30.0 to 50.0 %", 0.1)


@pytest.mark.parametrize(
    ("n_wrong", "n_checked", "told"),
    [
        (0, 1, "0 of 1 checked label was wrong"),
        (1, 40, "1 of 40 checked labels was wrong"),
        (0, 40, "0 of 40 checked labels were wrong"),
    ],
)
def test_the_verb_goes_with_its_number(rate, n_wrong, n_checked, told):
    assert label_issues.checked(Audit((), n_checked, n_wrong, 0, rate(0.1, 0.0, 0.2), ())) == told


def test_where_flags_are_likely_none(unsure, rate, record_of):
    told = replace(
        unsure,
        strata=(Stratum("recent", "2013-12-01", 250, rate(0.2, 0.1, 0.3), rate(0.04, 0.03, 0.05)),),
        conflicts=(Conflict(("r1", "r2"), ("a", "b")),),
        n_conflicts=2,
    )
    texts = [block.sentence for block in label_issues.section(told, record_of()) if isinstance(block, Text)]
    assert texts == [
        "Rows since 1 Dec 2013 are in doubt in 20.0 % (10.0 to 30.0 %), against 4.0 % elsewhere: drift raises flags "
        "where labels are right.",
        "2 rows have a twin that agrees in every column and not in the label, such as r1 ('a') and r2 ('b'). One of the "
        "two is wrong, or something unseen tells them apart.",
    ]


def test_the_first_rows_to_check_are_shown(unsure, record_of):
    table = label_issues.section(unsure, record_of())[-1]
    assert table.rows == ((1, "r7", "0", "1", 0.9), (2, "r9", "1", "0", 0.8))
    assert table.keys == ("r7", "r9")


def test_not_made(record_of):
    said = label_issues.not_made("needs scores; predicted labels alone cannot rank given labels", record_of())
    assert said.reason.startswith("Labels were not ranked: the ranking needs scores")
    assert said.remedy == "Pass probabilities: scores=, or a model with predict_proba."
    assert label_issues.not_made("needs 50 rows or more; there are 3", record_of()).remedy == ""
