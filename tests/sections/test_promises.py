"""Promised and delivered in words and pictures; every chart is read back through Altair's schema."""

from __future__ import annotations

from datetime import UTC, datetime

import altair as alt

from mlflow_errata._choices import Choice, Outcome
from mlflow_errata._track import tracks
from mlflow_errata.blocks import Chart, Table, Text
from mlflow_errata.estimate import Estimate
from mlflow_errata.sections import loop, promises
from mlflow_errata.tracking.outcomes import Iteration
from mlflow_errata.tracking.search import RunRow


def gain(value, half=0.01, unit="f1"):
    return Estimate(value, value - half, value + half, n=500, unit=unit, level=0.9)


def outcome(follows, promised, done, kind="resample", *, suggested=True):
    reason = "" if done else "the two runs share no rows"
    return Outcome(
        follows, kind, f"{kind} {done and done.value}", promised, done, "same" if done else "", reason, suggested
    )


def iteration(name, *, follows=None, found=None, choices=()):
    row = RunRow(
        run_id=name,
        name=f"run {name}",
        experiment_id="1",
        status="FINISHED",
        started=datetime(2024, 1, 1, tzinfo=UTC),
        dataset="test",
        digest="d",
        n_rows=500,
        task="binary",
        metric="f1",
        greater_is_better=True,
        value=0.5,
        low=0.4,
        high=0.6,
        verdicts={},
        next_step="stop",
        failed=None,
        errata="0.1.0",
    )
    return Iteration(row, follows, tuple(choices), found)


def course():
    said = Choice("accept", "resample", "t", "ann", "", "2024-01-01T10:00:00+00:00", gain(0.1), "p", "", False, True)
    return [
        iteration("a", choices=[said]),
        iteration("b", follows="a", found=outcome("a", gain(0.1), gain(0.105))),
        iteration(
            "c", follows="b", found=outcome("b", gain(0.1, unit="accuracy"), gain(0.02, unit="accuracy"), "relabel")
        ),
        iteration("d", follows="c", found=outcome("c", gain(0.1), gain(0.05), "retrain_recent")),
        iteration("e", follows="c", found=outcome("c", gain(0.2), None, "change_model")),
        iteration("f", follows="c", found=outcome("c", gain(0.1), gain(0.09), "change_model", suggested=False)),
    ]


def charts(blocks):
    found = [block for block in blocks if isinstance(block, Chart)]
    for block in found:
        alt.Chart.from_dict(block.spec)
    return found


def test_what_was_delivered_is_written_above_what_was_promised():
    """Run b is written above its interval, which ends above the tick; run d above its tick."""
    spec = charts(promises.section(course()))[0].spec
    said = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "text")
    height = {row["run"]: round(row["value"], 3) for row in said["data"]["values"]}
    assert height == {"run a": 0.0, "run b": 0.115, "run d": 0.205, "run f": 0.205}


def test_the_course_adds_up_over_other_units():
    """d follows c, whose own step was measured in another unit: its gain stands on that of b."""
    blocks = promises.section(course())
    f1, accuracy = charts(blocks)
    points = {row["run"]: row["value"] for row in f1.spec["data"]["values"]}
    assert list(points) == ["run a", "run b", "run d", "run f"]
    assert abs(points["run d"] - (0.105 + 0.05)) < 1e-12
    assert "promised +0.100" in f1.alt
    assert len(accuracy.spec["data"]["values"]) == 2


def test_the_ledger_says_by_how_much_a_promise_was_missed():
    blocks = promises.section(course())
    assert isinstance(blocks[0], Text)
    assert blocks[0].sentence.startswith("6 diagnosed runs, 1 accepted step, 5 attempts to take one. 2 of 4 ")
    (table,) = [block for block in blocks if isinstance(block, Table)]
    missed = [column.title for column in table.columns].index("missed by")
    assert [row[missed] for row in table.rows] == [
        "● within",
        "▲ 0.0700 less",
        "▲ 0.0400 less",
        "not known",
        "● within",
    ]
    assert "share no rows" in table.rows[3][-1]


def test_the_regret_of_the_suggested_branch_is_told():
    said = [block.sentence for block in promises.section(course()) if isinstance(block, Text)]
    assert said[-1].startswith("After run c 2 steps were taken; change_model 0.09 delivered most")
    assert said[-1].endswith("the regret of the suggested step is 0.0400 F1." if "F1" in said[-1] else "0.0400 f1.")


def test_nothing_taken_says_what_to_do():
    (only,) = promises.section([iteration("a")])
    assert "errata.follow(run_id)" in only.sentence
    (only,) = promises.track_record([])
    assert "no track record" in only.sentence


def test_the_track_record_with_its_calibration():
    many = [outcome("a", gain(p), gain(0.6 * p)) for p in (0.05, 0.1, 0.1, 0.15, 0.2)]
    table, chart = promises.track_record(many)
    assert table.rows[0][:4] == ("resample", 5, 5, 0)
    assert table.rows[0][4].startswith("0.6")
    charts([chart])
    assert "promised +0.200" in chart.alt
    track = tracks(many)["resample"]
    assert loop.expected(gain(0.1), track).startswith("5 earlier steps of this kind delivered 0.6")
    assert loop.expected(gain(0.1), tracks(many[:4])["resample"]) == ""
    assert loop.expected(None, track) == ""


def test_outcomes_in_words():
    kept, missed = outcome("a", gain(0.1), gain(0.105)), outcome("a", gain(0.1), gain(0.05))
    assert loop.delivered(kept).endswith(
        "on the same evaluation data. Promised: +0.100 (+0.090 to +0.110). Within what was promised."
    )
    assert loop.delivered(missed).endswith("Missed by 0.0400 F1: less than promised.")
    assert "not comparable: the two runs share no rows." in loop.delivered(outcome("a", gain(0.1), None))
