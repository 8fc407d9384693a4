"""The report: one HTML file that asks for nothing, runs nothing, stays small and shows hostile names as text."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata
from mlflow_errata._reviews import review_of
from mlflow_errata.blocks import Verdict
from mlflow_errata.diagnoses import CATALOGUE
from mlflow_errata.report import render
from mlflow_errata.sections import REGISTRY, verdicts
from mlflow_errata.sections import _words as words

LIMIT = 200_000
HOSTILE = (
    "<script>alert(1)</script>![x](http://evil.example/a.png)\"'><img src=http://evil.example/b.png onerror=alert(2)>"
)
CHROMIUM = shutil.which("chromium")


def frame(n, *, column="region", level="east", seed=0):
    draw = np.random.default_rng(seed)
    region = draw.choice(["north", "south", level], n)
    bad = (region == level) | (np.arange(n) > 0.8 * n)
    rows = pd.DataFrame({"at": pd.date_range("2024-01-01", periods=n, freq="min"), column: region})
    rows["age"] = draw.normal(40, 9, n) + 9 * bad
    rows["y"] = np.where(draw.random(n) < 0.3, level, "no")
    rows["p"] = np.where(draw.random(n) > np.where(bad, 0.5, 0.1), rows["y"], np.where(rows["y"] == "no", level, "no"))
    return rows


def report(rows, **roles):
    return render(errata.diagnose(rows, label="y", prediction="p", time="at", budget=0, **roles))


class Elements(HTMLParser):
    """What a browser would see: every tag with its attributes, the text, and tags left open."""

    VOID = frozenset({"meta", "br", "input", "circle", "path", "line", "rect"})

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.open = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def html():
    return report(frame(3000))


def test_it_holds_every_section_with_its_verdict(html):
    made = errata.diagnose(frame(3000), label="y", prediction="p", time="at", budget=0)
    text = "".join(Elements(html).text).replace("\N{NO-BREAK SPACE}", " ")
    for name in CATALOGUE:
        assert f'<section id="{name}">' in html
        assert f'id="show-{name}"' in html
        assert REGISTRY[name].TITLE in text
        said = verdicts(made)[name]
        told = said.sentence if isinstance(said, Verdict) else said.reason
        assert text.count(told) >= 2  # in the contents and in the section


def test_it_is_whole_html_with_a_name_for_every_chart(html):
    page = Elements(html)
    assert html.startswith("<!DOCTYPE html>")
    assert page.open == []
    drawings = [attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("aria-hidden") != "true"]
    assert len(drawings) >= 10
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in drawings)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("level", ["east", HOSTILE])
def test_it_runs_no_script_and_asks_for_nothing(level):
    page = report(frame(3000, column=level, level=level))
    for tag, attributes in Elements(page).tags:
        assert tag not in {
            "script",
            "img",
            "link",
            "iframe",
            "object",
            "embed",
            "base",
            "image",
            "use",
            "foreignobject",
        }
        for name in attributes:
            assert not name.startswith("on")
            assert name not in {"src", "srcset", "href", "xlink:href", "xmlns"}
    assert "url(" not in page
    assert "@import" not in page
    assert "<script" not in page


def test_hostile_names_are_shown_as_they_are():
    text = "".join(Elements(report(frame(3000, column=HOSTILE, level=HOSTILE))).text)
    assert "<script>alert(1)</script>![x](http://" in text


@pytest.mark.parametrize("n", [1_000, 100_000])
def test_its_size_does_not_grow_with_the_rows(n):
    assert len(report(frame(n)).encode()) < LIMIT


@pytest.mark.parametrize("n_classes", [15, 60])
def test_many_classes_columns_and_windows_stay_small(n_classes):
    draw = np.random.default_rng(0)
    n = 6000
    rows = pd.DataFrame({f"a_column_with_a_rather_long_name_{at}": draw.normal(size=n) for at in range(15)})
    rows["at"] = pd.date_range("2024-01-01", periods=n, freq="8min")
    shares = np.geomspace(1, 0.05, n_classes)
    classes = [f"class number {at}" for at in range(n_classes)]
    rows["y"] = draw.choice(classes, n, p=shares / shares.sum())
    bad = (rows.filter(like="a_column").to_numpy()[:, :8] > 1.5).any(axis=1)
    rows["p"] = rows["y"].where(draw.random(n) > np.where(bad, 0.6, 0.1), draw.choice(classes, n))
    assert len(report(rows).encode()) < LIMIT


def test_words_of_charts_take_the_colour_of_the_page(html):
    inside = " ".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL))
    assert 'fill="currentColor"' in inside
    for fixed in ("black", "white", "#000", "#fff", "#010101", "#767676"):
        assert f'="{fixed}"' not in inside.lower()


def test_numbers_in_the_charts_are_not_rounded_away(html):
    """Coordinates are shortened; what the axes say is not."""
    said = re.findall(r"<text[^>]*>([^<]*)</text>", html)
    assert any(re.fullmatch(r"0\.\d{2,}|\d+%", word) for word in said)
    assert all(len(digits) <= 1 for digits in re.findall(r'd="M\d+\.(\d+)', html))


def test_what_was_not_made_says_what_to_add():
    page = render(errata.diagnose(frame(500).drop(columns="at"), label="y", prediction="p", budget=0))
    assert "No time column was given, so recency is not checked." in page
    assert "Add time=" in page


def test_it_is_the_same_for_the_same_record():
    made = errata.diagnose(frame(1000), label="y", prediction="p", time="at", budget=0)
    assert render(made) == render(replace(made))


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_asks_for_nothing_and_cuts_nothing(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    path = tmp_path / "report.html"
    path.write_text(report(frame(3000, column=HOSTILE, level=HOSTILE)), encoding="utf-8")
    asked, said = [], []
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        for scheme, width, ground in (("light", 1280, "rgb(255, 255, 255)"), ("dark", 390, "rgb(14, 17, 23)")):
            page = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}).new_page()
            page.on("request", lambda request: asked.append(request.url))
            page.on("console", lambda message: said.append(message.text))
            page.on("dialog", lambda dialog: said.append(dialog.message))
            page.goto(path.as_uri())
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.locator("main > section:visible").count() == 1 + len(CATALOGUE)
            page.get_by_text("Recency drift").first.click()
            assert page.locator("main > section:visible").get_attribute("id") == "recency_drift"
            page.get_by_text(list(REGISTRY.values())[-1].TITLE, exact=True).first.click()
            page.keyboard.press("ArrowDown")  # to "Everything"
            assert page.locator("main > section:visible").count() == 1 + len(CATALOGUE)
        browser.close()
    assert set(asked) == {path.as_uri()}
    assert said == []


def test_slices_come_with_their_course_their_overlaps_and_what_was_said_of_them(record):
    worst = record.results["slice_errors"].slices[0]
    said = replace(review_of(worst.conditions, "accepted", by="Ann <b>", note="known & fine"), run_name="first")
    page = render(record, reviews={worst.id: said})
    assert "What was said of slices." in page
    assert "known &amp; fine" in page
    assert "Ann &lt;b&gt;" in page
    assert "What was said of slices." not in render(record)
    assert f"Slice 1 over time: {words.conditions(worst)}." in unescape(page)
    shared = any(item.overlaps for item in record.results["slice_errors"].slices)
    assert ("Slices by their place above" in page) is shared
