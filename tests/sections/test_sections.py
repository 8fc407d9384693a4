"""Every diagnosis has its section; a record in a few lines; charts that are valid and plain to see."""

from __future__ import annotations

import subprocess
import sys

import altair as alt
import numpy as np
import pandas as pd
import pytest
import vl_convert

import mlflow_errata as errata
from mlflow_errata.blocks import Block, Chart, NotMade, Verdict
from mlflow_errata.diagnoses import CATALOGUE
from mlflow_errata.sections import REGISTRY, sections, summary, verdicts

TASKS = ("binary", "multiclass", "regression")


def frame(task, n=3000):
    draw = np.random.default_rng(1)
    region = draw.choice(["north", "south", "east"], n)
    bad = (region == "east") | (np.arange(n) > 0.8 * n)
    rows = pd.DataFrame({"at": pd.date_range("2024-01-01", periods=n, freq="3h"), "region": region})
    rows["age"] = pd.Series(draw.normal(40, 9, n) + 9 * bad).where(draw.random(n) > 0.1)
    if task == "regression":
        rows["y"] = draw.normal(size=n)
        rows["p"] = rows["y"] + draw.normal(size=n) * np.where(bad, 3.0, 0.5)
        return rows
    classes = {"binary": ["no", "yes"], "multiclass": list("abcdefgh")}[task]
    shares = np.geomspace(1, 0.05, len(classes))
    rows["y"] = draw.choice(classes, n, p=shares / shares.sum())
    rows["p"] = rows["y"].where(draw.random(n) > np.where(bad, 0.6, 0.1), classes[0])
    return rows


@pytest.fixture(scope="module", params=TASKS)
def record(request):
    rows = frame(request.param)
    rows["quality"], rows["paid"], rows["kept"] = 1 / (1 + rows.index), 2.0 + rows.index % 7, 1.0 + rows.index % 5
    told = {"outcomes": ["paid", "kept"], "scores": ["quality", "stay"], "current": "quality", "rule": "age_known"}
    told["combined"] = "both"
    rows = rows.assign(
        stay=rows["kept"] + rows.index % 3, age_known=rows["age"].fillna(0), both=rows["kept"] + rows["paid"]
    )
    return errata.diagnose(
        rows,
        label="y",
        prediction="p",
        time="at",
        task=request.param,
        objectives=told,
        slice_by=["region", "age"],
        budget=0,
    )


def charts(record):
    return [block for part in sections(record) for block in part.blocks if isinstance(block, Chart)]


def nodes(spec):
    if isinstance(spec, dict):
        yield spec
        for child in spec.values():
            yield from nodes(child)
    elif isinstance(spec, list):
        for child in spec:
            yield from nodes(child)


def test_every_line_of_the_catalogue_has_a_section_with_its_own_title():
    assert list(REGISTRY) == list(CATALOGUE)
    assert len({module.TITLE for module in REGISTRY.values()}) == len(CATALOGUE)


def test_every_diagnosis_appears_once_made_or_not(record):
    parts = sections(record)
    assert [part.name for part in parts] == list(CATALOGUE)
    for name, title, blocks in parts:
        assert title == REGISTRY[name].TITLE
        assert all(isinstance(block, Block) for block in blocks)
        assert isinstance(blocks[0], Verdict if name in record.results else NotMade)
        assert blocks[0] == verdicts(record)[name]


def test_a_verdict_is_bad_exactly_where_the_diagnosis_found_something(record):
    for name, result in record.results.items():
        assert (verdicts(record)[name].status == "bad") == result.found


def test_null_data_give_no_bad_verdict():
    draw = np.random.default_rng(0)
    null = pd.DataFrame({"at": np.arange(2000), "score": draw.random(2000), "x": draw.random(2000)})
    null["y"] = (draw.random(2000) < null["score"]).astype(int)
    quiet = errata.diagnose(null, label="y", scores="score", time="at", budget=0)
    assert "bad" not in {said.status for said in verdicts(quiet).values() if isinstance(said, Verdict)}
    assert "Keep this model" in str(quiet)


def test_a_record_prints_as_a_few_plain_lines(record):
    lines = summary(record).splitlines()
    assert str(record) == summary(record)
    assert len(lines) <= len(CATALOGUE) + 8
    assert lines[0].endswith("on 3,000 rows")
    for module in REGISTRY.values():
        assert sum(line.startswith(module.TITLE) for line in lines) == 1
    assert "Next steps:" in lines
    assert all(character.isprintable() for line in lines for character in line)


def test_what_was_not_made_says_what_to_add():
    undated = errata.diagnose(frame("regression").drop(columns="at"), label="y", prediction="p", budget=0)
    assert 'Recency drift [not made]: No time column was given, so recency is not checked. Add time="..."' in str(
        undated
    )
    assert "Class imbalance [not made]: Classes were not compared: the label is a number." in str(undated)


def test_charts_are_valid_vega_lite_and_can_be_drawn(record):
    drawn = charts(record)
    assert len(drawn) >= 3
    for chart in drawn:
        alt.Chart.from_dict({**chart.spec, "$schema": alt.SCHEMA_URL})
        assert vl_convert.vegalite_to_svg(chart.spec, allowed_base_urls=[]).startswith("<svg")
        assert chart.alt.endswith(".")
        assert chart.title


def test_charts_are_wide_as_their_place_small_and_name_every_row(record):
    for chart in charts(record):
        assert chart.spec["width"] == "container"
        assert len(str(chart.spec)) < 20_000
        for node in nodes(chart.spec):
            assert str(node.get("color", "")).lower() not in {"black", "white", "#000", "#fff", "#000000", "#ffffff"}
            if node.get("type") == "nominal" and node.get("field") in {"name", "label"}:
                assert node["axis"]["labelOverlap"] is False
                assert node["axis"]["labelLimit"] >= 220
                assert chart.spec["height"]["step"] >= 22


def test_colour_never_stands_alone(record):
    for chart in charts(record):
        for node in nodes(chart.spec):
            mark = node.get("mark", {})
            if (
                isinstance(mark, dict)
                and mark.get("type") == "point"
                and isinstance(node["encoding"].get("color"), dict)
            ):
                colour, shape = node["encoding"]["color"], node["encoding"]["shape"]
                assert colour["scale"]["domain"] == shape["scale"]["domain"]
                assert len(set(shape["scale"]["range"])) == len(shape["scale"]["domain"])


def test_words_load_no_engine():
    """A page that only words a record waits for no plotting library, no model library and no tracking client."""
    heavy = "{'altair', 'vl_convert', 'sklearn', 'imblearn', 'mlflow', 'streamlit', 'matplotlib'}"
    code = f"import sys, mlflow_errata.sections; print(sorted({heavy} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
