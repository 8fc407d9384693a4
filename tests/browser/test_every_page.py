"""Every page in both themes in a real Chromium: what axe finds, what is asked of others, what fits, what shows first."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import urlencode

import mlflow
import numpy as np
import pandas as pd
import pytest

import mlflow_errata as errata
from errata_app import copying

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

sys.path.insert(0, str(Path(__file__).parent))
from hostile_names import NAMES, OUTSIDE  # noqa: E402 - a neighbour, and tests are no package

PAGES = ("", "slices", "labels", "classes", "over_time", "metric", "history", "compare")
THEMES = ("light", "dark")
READY = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning' && document.querySelector('h1')"


@pytest.fixture(scope="module")
def served(tmp_path_factory, serving):
    """The app on two usual runs and one whose names are all traps: its address and run ids."""
    folder = tmp_path_factory.mktemp("every")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    runs = {}
    for experiment, names in (("usual", ("one", "two")), (NAMES[0], NAMES[:2])):
        made = mlflow.create_experiment(experiment, (folder / f"artifacts{len(runs)}").as_uri())
        for at, name in enumerate(names):
            with mlflow.start_run(experiment_id=made, run_name=name) as run:
                errata.log(usual() if experiment == "usual" else hostile(at))
            runs.setdefault("usual" if experiment == "usual" else "hostile", (experiment, run.info.run_id))
    with serving(uri) as address:
        yield address, runs


def usual(n=900):
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"a": draw.normal(size=n), "region": draw.choice(["north", "east"], n)})
    frame["at"] = pd.date_range("2024-01-01", periods=n, freq="6h")
    noise = np.where(frame["region"] == "east", 2.5, 0.3)
    frame["y"] = (frame["a"] + draw.normal(size=n) * noise > 0.8).astype(int)
    frame["score"] = 1 / (1 + np.exp(-3 * (frame["a"] - 0.8)))
    return errata.diagnose(frame, label="y", scores="score", time="at", value={"fp": -1, "fn": -5}, budget=2)


def hostile(seed, n=1200):
    """Columns, categories and classes of every hostile name; errors gather where they are."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"at": pd.date_range("2024-01-01", periods=n, freq="6h")})
    for name in NAMES[:12]:
        frame[name] = draw.choice(list(NAMES), n)
    frame["x"] = draw.normal(size=n)
    labels = np.array(list(NAMES[-1:] + NAMES[:6]), dtype=object)[draw.integers(0, 7, n)]
    wrong = draw.random(n) < np.where(frame[NAMES[0]].isin(NAMES[:20]), 0.5, 0.1)
    frame["label"] = labels
    frame["said"] = np.where(wrong, NAMES[1], labels)
    return errata.diagnose(frame, label="label", prediction="said", time="at", budget=0)


@pytest.fixture(scope="module", params=THEMES)
def tab(request, browser, served):
    """A page that notes every request to another host and every console error."""
    yield from noting(browser, served[0], request.param)


@pytest.fixture(scope="module")
def light(browser, served):
    """The same for what is alike in both themes."""
    yield from noting(browser, served[0], "light")


def noting(browser, address, theme):
    found = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme=theme)
    found.trouble = []
    found.on("request", lambda asked: found.trouble.append(asked.url) if not local(asked.url, address) else None)
    found.on(
        "console", lambda said: found.trouble.append(said.text) if said.type == "error" and not probe(said) else None
    )
    found.on("pageerror", lambda error: found.trouble.append(str(error)))
    yield found
    found.close()


def local(url, address):
    return url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))


def probe(said):
    """Streamlit looks for its own server below a deep link first; the browser notes the 404."""
    return "/_stcore/" in said.location.get("url", "") and "404" in said.text


def opened(tab, served, page, which="usual"):
    address, runs = served
    experiment, run = runs[which]
    tab.goto(f"{address}/{page}?{urlencode({'experiment': experiment, 'run': run, 'by': 'anna'})}")
    tab.wait_for_function(READY, timeout=60_000)
    tab.wait_for_timeout(700)
    playwright.expect(tab.get_by_test_id("stException")).to_have_count(0)


def grave(tab):
    """Serious and critical findings of axe, as sentences."""
    found = axe.Axe().run(tab).response["violations"]
    return [
        f"{item['id']}: {item['nodes'][0]['html'][:200]}" for item in found if item["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_serious_and_nobody_else_is_asked(tab, served, page):
    tab.trouble.clear()
    opened(tab, served, page)
    assert grave(tab) == []
    assert tab.trouble == []


def test_axe_finds_nothing_serious_in_what_opens(tab, served):
    opened(tab, served, "")
    for name in ("Share", "Mark as taken", "Not this one"):
        tab.get_by_role("button", name=name).first.click()
        tab.wait_for_timeout(700)
        assert grave(tab) == [], name
        tab.keyboard.press("Escape")
        tab.wait_for_timeout(200)


@pytest.mark.parametrize("page", PAGES)
def test_hostile_names_are_text(tab, served, page):
    assert len(NAMES) >= 40
    tab.trouble.clear()
    opened(tab, served, page, "hostile")
    assert tab.trouble == []
    traps = tab.locator(f"[src*='//{OUTSIDE}'], [href*='//{OUTSIDE}'], [href*='//www.'], [href^='javascript']")
    assert traps.evaluate_all("found => found.map(item => item.parentElement.outerHTML.slice(0, 400))") == []
    assert grave(tab) == []


@pytest.mark.parametrize("page", PAGES)
def test_a_phone_scrolls_down_only(light, served, page):
    light.set_viewport_size({"width": 390, "height": 844})
    for which in ("usual", "hostile"):
        opened(light, served, page, which)
        main = light.get_by_test_id("stMain")
        wide = main.evaluate("element => [element.scrollWidth, element.clientWidth]")
        assert wide[0] <= wide[1] + 1, which
    light.set_viewport_size({"width": 1280, "height": 800})


def test_title_gain_and_cost_are_on_the_first_screen(light, served):
    opened(light, served, "")
    title = light.get_by_role("heading", level=1)
    lede = light.locator("p", has_text="Cost:").first
    chart = light.get_by_test_id("stVegaLiteChart").first
    for part in (title, lede, chart):
        box = part.bounding_box()
        assert box is not None
        assert box["y"] + min(box["height"], 60) <= 800
    assert re.search(r"gain|pays|nothing", lede.inner_text(), re.IGNORECASE)


def test_the_keyboard_reaches_and_shows_everything(light, served):
    """Tab goes through the header to the actions; what has the focus is marked."""
    opened(light, served, "")
    seen, unmarked = [], []
    for _ in range(34):
        light.keyboard.press("Tab")
        light.wait_for_timeout(120)
        name, focused = light.evaluate(FOCUSED)
        light.evaluate("() => { window.had = document.activeElement; window.had.blur(); }")
        light.wait_for_timeout(120)
        if focused == light.evaluate(LOOKS) and name not in {"CANVAS", "stMain"}:  # a table draws the ring of its cells
            unmarked.append(name)
        light.evaluate("() => window.had.focus()")
        seen.append(name)
    said = " | ".join(seen)
    for wanted in ("Slices", "Experiment", "Run", "Compare with", "Share", "Mark as taken", "Not this one"):
        assert wanted in said, (wanted, said)
    assert unmarked == []


LOOK = """
    const styles = (element) => {
        const found = [];
        for (let up = 0; up < 5 && element; up += 1, element = element.parentElement) {
            const style = getComputedStyle(element);
            found.push([style.outline, style.boxShadow, style.borderColor, style.backgroundColor, style.color]);
        }
        return JSON.stringify(found);
    };
"""
FOCUSED = f"""() => {{ {LOOK}
    const at = document.activeElement, inner = at.shadowRoot?.activeElement;
    if (at.closest("canvas")) return ["CANVAS", ""];
    return [at.dataset.testid === "stMain" ? "stMain" : at.getAttribute("aria-label") || (at.innerText || "").slice(0, 60) || at.id || at.tagName, styles(at) + (inner ? styles(inner) : "")];
}}"""
LOOKS = f"""() => {{ {LOOK} return styles(window.had) + (window.had.shadowRoot ? "" : ""); }}"""


def test_a_copy_button_shows_once_it_has_a_name(browser):
    """Its script comes after it: until then there is nothing to press, and nothing without a name."""
    tab = browser.new_page()
    tab.set_content(f"<style>{copying.CSS}</style>{copying.HTML}")
    playwright.expect(tab.locator("button")).to_be_hidden()
    tab.evaluate("document.querySelector('span').textContent = 'Copy'")
    playwright.expect(tab.get_by_role("button", name="Copy")).to_be_visible()
    tab.close()


def test_copy_link_opens_the_same_view(browser, served):
    address, runs = served
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    opened(tab, served, "slices")
    tab.get_by_role("button", name="Share").click()
    tab.get_by_role("button", name="Copy link").click()
    tab.wait_for_timeout(300)
    link = tab.evaluate("navigator.clipboard.readText()")
    context.close()
    assert link.startswith(f"{address}/slices?")
    assert runs["usual"][1] in link
    assert "anna" not in link


def test_downloads_of_a_view(light, served):
    opened(light, served, "slices")
    light.get_by_role("button", name="Share").click()
    for name, starts in (("Download (CSV)", b"Slice errors"), ("Download the report", b"<!DOCTYPE html>")):
        with light.expect_download(timeout=60_000) as got:
            light.get_by_role("button", name=name).click()
        assert Path(got.value.path()).read_bytes().startswith(starts)


def test_a_page_names_itself(light, served):
    opened(light, served, "over_time")
    assert light.title() == "Over time · errata"
