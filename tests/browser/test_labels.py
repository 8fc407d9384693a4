"""Labels by keyboard in a real Chromium: thirty in a row, the page reloaded in the middle, nothing lost, none astray."""

from __future__ import annotations

import time

import mlflow
import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata

playwright = pytest.importorskip("playwright.sync_api")

N, LABELS = 900, 30
KEYS = {"k": "keep", "a": "accept", "e": "exclude", "u": "unsure"}


@pytest.fixture(scope="module")
def served(store, serving):
    """The app on a run with labels in doubt of three classes: its address and the run id."""
    _, uri, made = store
    draw = np.random.default_rng(0)
    scores = draw.dirichlet([0.2] * 3, N)
    truth = (scores.cumsum(axis=1) > draw.random(N)[:, None]).argmax(axis=1)
    y = np.where(draw.random(N) < 0.15, (truth + 1) % 3, truth)
    frame = pd.DataFrame({"row": [f"r{i}" for i in range(N)], "x": draw.normal(size=N), "y": np.array(list("abc"))[y]})
    frame = frame.assign(**{f"p{at}": scores[:, at] for at in range(3)})
    record = errata.diagnose(frame, label="y", scores=["p0", "p1", "p2"], id="row", budget=0)
    with mlflow.start_run(experiment_id=made) as run:
        errata.log(record)
    with serving(uri) as address:
        yield address, run.info.run_id, uri


def opened(browser, served, by):
    address, run, _ = served
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/labels?experiment=labels&run={run}&by={by}")
    ready(page)
    return page


IDLE = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"


def ready(page):
    playwright.expect(row(page)).to_be_visible(timeout=60_000)
    playwright.expect(page.get_by_role("button", name="Keep")).to_be_visible()


def row(page):
    return page.get_by_role("heading", level=5)


def decided(run, uri, by):
    """What one person decided, newest last."""
    found = errata.load_decisions(run, every=True, tracking_uri=uri)
    return found[found["by"] == by]


def decide(page, key):
    """Look for a moment, press a key; the row that showed, once another one shows."""
    page.wait_for_timeout(250)
    before = row(page).inner_text()
    page.keyboard.press(key)
    playwright.expect(row(page)).not_to_have_text(before)
    return before.removeprefix("Row ")


def test_thirty_labels_by_keyboard_and_a_reload_in_the_middle(browser, served):
    _, run, uri = served
    page, said = opened(browser, served, "anna"), {}
    for turn in range(LABELS):
        if turn == LABELS // 2:
            before = row(page).inner_text()
            page.reload()
            ready(page)
            playwright.expect(row(page)).to_have_text(before)
        key = "kaeu"[turn % 4] if turn % 5 else "123"[turn % 3]
        said[decide(page, key)] = KEYS.get(key, "abc"["123".find(key)])
    page.close()
    assert len(said) == LABELS
    found = errata.load_decisions(run, every=True, tracking_uri=uri)
    assert len(found) == LABELS
    assert set(found["by"]) == {"anna"}
    astray = [
        item.id
        for item in found.itertuples()
        if said[item.id] not in {item.decision, item.corrected if item.decision in {"keep", "accept"} else None}
    ]
    assert astray == []


def test_a_key_held_down_decides_only_about_rows_that_were_shown(browser, served):
    """Keys faster than the page: some are dropped, none decides about a row before it shows, none twice."""
    _, run, uri = served
    known = set(errata.load_decisions(run, tracking_uri=uri)["id"])
    page = opened(browser, served, "ben")
    for _ in range(12):
        page.keyboard.press("u")
        page.wait_for_timeout(30)
    page.wait_for_timeout(1500)
    page.wait_for_function(IDLE)
    last = row(page).inner_text().removeprefix("Row ")
    page.close()
    mine = decided(run, uri, "ben")
    assert 1 <= mine["id"].nunique() <= 12
    assert not set(mine["id"]) & known
    assert last not in set(mine["id"])


def test_a_name_that_is_typed_decides_nothing(browser, served):
    """Keys in the name's field are letters."""
    _, run, uri = served
    before = len(errata.load_decisions(run, every=True, tracking_uri=uri))
    page = opened(browser, served, "")
    page.get_by_label("Checked by").fill("")
    page.get_by_label("Checked by").press_sequentially("kae", delay=50)
    page.keyboard.press("Enter")
    page.wait_for_timeout(800)
    assert len(errata.load_decisions(run, every=True, tracking_uri=uri)) == before
    playwright.expect(page.get_by_role("button", name="Keep")).to_be_enabled()
    page.close()


def test_the_table_stores_an_edit_at_once(browser, served):
    _, run, uri = served
    page = opened(browser, served, "cleo")
    page.get_by_text("Table", exact=True).click()
    table = page.get_by_test_id("stDataFrame").first
    playwright.expect(table).to_be_visible()
    page.wait_for_timeout(1000)
    box = table.bounding_box()
    page.mouse.dblclick(box["x"] + 40, box["y"] + 52)
    page.wait_for_timeout(400)
    page.keyboard.type("exclude")
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    deadline = time.monotonic() + 30
    while len(mine := decided(run, uri, "cleo")) == 0 and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    page.close()
    first = errata.load(run, tracking_uri=uri).results["label_issues"].worklist.id[0]
    assert mine[["id", "decision"]].to_numpy().tolist() == [[first, "exclude"]]
