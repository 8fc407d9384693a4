"""The app in a real Chromium: every page by clicking, links, a selected slice, no outside request, no console error."""

from __future__ import annotations

import mlflow
import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata

playwright = pytest.importorskip("playwright.sync_api")

PAGES = {
    "Next step": None,
    "Slices": "Where the errors are",
    "Over time": "Does it still hold on the newest rows?",
    "Labels": "Can the labels be trusted?",
    "Classes": "Are rare classes served?",
    "History": "Promised and delivered",
}
HOSTILE = "![x](http://outside.invalid/x.png)<img src=http://outside.invalid/y.png>"


@pytest.fixture(scope="module")
def served(store, serving, frame):
    """The app on a store with two runs, one of hostile names: its address, and run ids by name."""
    _, uri, made = store
    hostile = pd.DataFrame({HOSTILE: np.where(frame["region"] == "east", HOSTILE, "north"), "at": frame["at"]})
    hostile["label"] = frame["y"].map({0: "fine", 1: HOSTILE})
    hostile["said"] = (frame["score"] > 0.5).map({False: "fine", True: HOSTILE})
    runs = {}
    for name, record in {
        HOSTILE: errata.diagnose(hostile, label="label", prediction="said", time="at"),
        "one": errata.diagnose(frame, label="y", scores="score", time="at"),
    }.items():
        with mlflow.start_run(experiment_id=made, run_name=name) as run:
            errata.log(record)
        runs[name] = run.info.run_id
    with serving(uri) as address:
        yield address, runs


@pytest.fixture(params=["light", "dark"])
def page(request, browser, served):
    """A page that notes every request to another host and every console error, and must end with none."""
    address, _ = served
    tab = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme=request.param)
    trouble = []
    tab.on("request", lambda asked: trouble.append(asked.url) if not local(asked.url, address) else None)
    tab.on("console", lambda said: trouble.append(said.text) if said.type == "error" and not probe(said) else None)
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    yield tab
    tab.close()
    assert trouble == []


def local(url, address):
    return url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))


def probe(said):
    """Streamlit looks for its own server below a deep link first; the browser notes the 404."""
    return "/_stcore/" in said.location.get("url", "") and "404" in said.text


def settled(page, title):
    heading = page.get_by_role("heading", level=1)
    playwright.expect(heading).to_have_text(title) if title else playwright.expect(heading).to_be_visible(
        timeout=60_000
    )
    playwright.expect(page.get_by_test_id("stException")).to_have_count(0)


def test_every_page_by_clicking(page, served):
    address, _ = served
    page.goto(address)
    settled(page, None)
    first = page.get_by_role("heading", level=1).inner_text()
    assert first
    for name, title in list(PAGES.items())[1:]:
        page.get_by_role("link", name=name, exact=True).click()
        settled(page, title)
        page.wait_for_timeout(400)
    page.get_by_role("link", name="Next step", exact=True).click()
    settled(page, first)


def test_charts_are_drawn_and_named(page, served):
    address, runs = served
    page.goto(f"{address}/over_time?experiment=demo&run={runs['one']}")
    settled(page, PAGES["Over time"])
    charts = page.locator("[data-testid=stVegaLiteChart] svg")
    playwright.expect(charts.first).to_be_visible()
    page.wait_for_timeout(800)
    assert charts.count() >= 3
    points = page.locator("[data-testid=stVegaLiteChart] svg .mark-symbol path")
    places = {points.nth(at).get_attribute("transform") for at in range(min(points.count(), 12))}
    assert len({place.split(",")[0] for place in places if place}) >= 4, (
        "points stand beside each other, not on one spot"
    )


def test_a_link_restores_run_and_page(page, served):
    address, runs = served
    page.goto(f"{address}/slices?experiment=demo&run={runs[HOSTILE]}")
    settled(page, PAGES["Slices"])
    assert runs[HOSTILE] in page.url
    page.get_by_role("link", name="Classes", exact=True).click()
    settled(page, PAGES["Classes"])
    assert runs[HOSTILE] in page.url


def test_hostile_names_load_nothing(page, served):
    address, runs = served
    for path in ("", "slices", "labels", "over_time", "classes", "history"):
        page.goto(f"{address}/{path}?experiment=demo&run={runs[HOSTILE]}")
        settled(page, None)
        page.wait_for_timeout(500)
        assert page.locator("img[src*=outside]").count() == 0


def test_fits_a_phone(page, served):
    address, runs = served
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/?experiment=demo&run={runs['one']}")
    settled(page, None)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("element => element.scrollWidth <= element.clientWidth + 1")


def test_what_is_decided_of_a_selected_step_is_shown_at_once(page, served):
    address, runs = served
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    opener, label, said = (
        ("Mark as taken", "Accept", "● accepted") if dark else ("Not this one", "Decline", "○ declined")
    )
    page.goto(f"{address}/?experiment=demo&run={runs['one']}&step=1")
    settled(page, None)
    place = page.locator(".st-key-cardstep1")
    button = place.get_by_role("button", name=opener)
    button.evaluate("element => element.scrollIntoView({block: 'center'})")  # what it opens has room below it
    button.click()
    page.get_by_label("Decided by").last.fill("anna")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=label, exact=True).last.click()
    playwright.expect(place.get_by_text(said)).to_be_visible(timeout=10_000)
    playwright.expect(place.get_by_text("anna")).to_be_visible()
