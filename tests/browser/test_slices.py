"""The Slices page in a real Chromium: one selection drives everything, a status outlives a reload, names load nothing."""

from __future__ import annotations

import re

import mlflow
import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata

playwright = pytest.importorskip("playwright.sync_api")

HOSTILE = [
    "![x](http://outside.invalid/x.png)",
    "<img src=http://outside.invalid/y.png>",
    "[click](http://outside.invalid)",
    "\u202egnirts",
    "🚲 $x^2$ :red[a] `code` **bold** # title",
    "name " * 60,
    "a and b == 'c'",
    "',\"}{%22&lt;script&gt;",
]


@pytest.fixture(scope="module")
def served(store, serving):
    """The app on a store with a run of three slices, and one whose columns and values are hostile."""
    _, uri, made = store
    runs = {}
    for name, frame in {"hostile": hostile(), "three": three()}.items():
        with mlflow.start_run(experiment_id=made, run_name=name) as run:
            errata.log(errata.diagnose(frame, label="y", prediction="p", time="at", budget=0), strict=True)
        runs[name] = run.info.run_id
    with serving(uri) as address:
        yield address, runs


def three(n=6000):
    """Three levels of three columns that fail, the first one most."""
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({name: draw.choice(list("wxyz"), n) for name in ("one", "two", "three")})
    chance = 0.05 + sum(add * (rows[name] == "x") for name, add in (("one", 0.5), ("two", 0.3), ("three", 0.2)))
    return with_outcomes(rows, chance, draw)


def hostile(n=6000):
    draw = np.random.default_rng(1)
    rows = pd.DataFrame({name: draw.choice([name, "fine", "good", "well"], n) for name in HOSTILE})
    chance = 0.03 + sum(0.12 * (rows[name] == name) for name in HOSTILE)
    return with_outcomes(rows, chance, draw)


def with_outcomes(rows, chance, draw):
    y = draw.integers(0, 2, len(rows))
    at = pd.date_range("2024-01-01", periods=len(rows), freq="h")
    return rows.assign(at=at, y=y, p=np.where(draw.random(len(rows)) < chance, 1 - y, y))


@pytest.fixture(params=["light", "dark"])
def page(request, browser, served):
    """A page that notes every request to another host and every console error, and must end with none."""
    address, _ = served
    tab = browser.new_page(viewport={"width": 1280, "height": 1400}, color_scheme=request.param)
    trouble = []
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    tab.on("request", lambda asked: None if asked.url.startswith(own) else trouble.append(asked.url))
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    yield tab
    tab.close()
    assert trouble == []


def opened(page, served, run, more=""):
    address, runs = served
    page.goto(f"{address}/slices?experiment=demo&run={runs[run]}{more}")
    playwright.expect(page.get_by_test_id("stVegaLiteChart").locator("svg").first).to_be_visible(timeout=60_000)
    playwright.expect(page.get_by_role("button", name="Download these rows")).to_be_visible(timeout=20_000)
    page.wait_for_function("() => !document.querySelector('[data-stale=\"true\"]')")
    page.wait_for_timeout(800)


def picked(page):
    """The title of the picked slice."""
    return page.locator("h3").first


def slice_of(page):
    return re.search(r"slice=([0-9a-f]{10})", page.url).group(1)


def test_one_selection_drives_all_views(page, served):
    opened(page, served, "three")
    playwright.expect(picked(page)).to_have_text("one == 'x'")
    first = slice_of(page)
    dots = page.locator("[data-testid=stVegaLiteChart] svg .mark-symbol.role-mark path")
    box = dots.nth(1).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    playwright.expect(picked(page)).to_have_text("two == 'x'")
    assert slice_of(page) != first
    page.wait_for_timeout(700)
    table = page.get_by_test_id("stDataFrame").first.bounding_box()
    page.mouse.click(table["x"] + 16, table["y"] + 38 + 35 * 2 + 15)
    playwright.expect(picked(page)).to_have_text("one == 'w' and three == 'x'")
    page.wait_for_timeout(700)
    dots.nth(1).click(force=True)
    playwright.expect(picked(page)).to_have_text("two == 'x'")
    page.keyboard.press("p")
    playwright.expect(picked(page)).to_have_text("one == 'x'")
    assert slice_of(page) == first


def test_a_status_outlives_a_reload(page, served):
    opened(page, served, "three")
    page.keyboard.press("n")
    playwright.expect(picked(page)).to_have_text("two == 'x'")
    page.get_by_test_id("stRadio").last.get_by_text("accepted", exact=True).click()
    note = f"known *issue* {page.evaluate('matchMedia(`(prefers-color-scheme: dark)`).matches')}"
    page.get_by_label("Note").fill(note)
    page.get_by_role("button", name="Save").click()
    accepted = page.get_by_text(re.compile(r"^Accepted by "))
    playwright.expect(accepted).to_contain_text(note)
    page.reload()
    playwright.expect(picked(page)).to_have_text("two == 'x'", timeout=60_000)
    playwright.expect(accepted).to_contain_text(note)


def test_the_tabs_are_made_on_demand(page, served):
    opened(page, served, "three")
    for name, said in (
        ("What sets it apart", "other column"),
        ("Over time", "Error rate per month"),
        ("Overlap", "rows"),
        ("In other runs", "(this run)|Measure it"),
    ):
        page.get_by_role("tab", name=name).click()
        playwright.expect(page.get_by_role("tabpanel", name=name)).to_contain_text(re.compile(said))
    playwright.expect(page.get_by_test_id("stException")).to_have_count(0)


def test_hostile_names_are_text(page, served):
    opened(page, served, "hostile")
    for _ in range(4):
        page.keyboard.press("n")
        page.wait_for_timeout(400)
    page.get_by_role("tab", name="What sets it apart").click()
    page.wait_for_timeout(400)
    loading = page.locator("img[src*=outside], a[href*=outside]")
    assert [loading.nth(at).evaluate("found => found.parentElement.outerHTML") for at in range(loading.count())] == []
    playwright.expect(page.get_by_test_id("stException")).to_have_count(0)


def test_fits_a_phone(page, served):
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, served, "three")
    main = page.get_by_test_id("stMain")
    assert main.evaluate("element => element.scrollWidth <= element.clientWidth + 1")
