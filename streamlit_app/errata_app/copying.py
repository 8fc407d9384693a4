"""A button that copies a text: Streamlit has none of its own."""

from __future__ import annotations

from typing import Literal

import streamlit as st

HTML = '<button type="button"><span aria-live="polite"></span></button>'
CSS = """
button {
  font: inherit; font-size: 0.875rem; min-height: 2.5rem; padding: 0.25rem 0.75rem;
  cursor: pointer; white-space: nowrap; color: var(--st-text-color); background: transparent;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
button:has(span:empty) { visibility: hidden; } /* its script has not run yet: no name, nothing to press */
button.primary { color: #ffffff; background: var(--st-primary-color); border-color: var(--st-primary-color); }
button:hover { border-color: var(--st-primary-color); }
button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 2px; }
"""
JS = """
async function copied(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch (refused) { /* not over plain http */ }
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
export default function ({ parentElement, data }) {
  const button = parentElement.querySelector("button");
  const label = button.querySelector("span");
  label.textContent = data.label;
  button.className = data.kind;
  button.onclick = async () => {
    const here = new URL(data.link ? window.location.href : "about:blank");
    here.searchParams.delete("by");
    label.textContent = (await copied(data.link ? here.href : data.text)) ? "Copied" : "Select the text and copy it";
    setTimeout(() => { label.textContent = data.label; }, 2000);
  };
}
"""


def copy(label: str, text: str, *, key: str, kind: Literal["primary", "secondary"] = "secondary") -> None:
    """A button that copies a text."""
    _button(label, key=key, kind=kind, text=text, link=False)


def copy_link(label: str, *, key: str) -> None:
    """A button that copies the address of this view, without the name of the person who looks at it."""
    _button(label, key=key, kind="secondary", text="", link=True)


def _button(label: str, *, key: str, **data: str | bool) -> None:
    button = st.components.v2.component("errata_copy", html=HTML, css=CSS, js=JS)
    button(key=key, data={"label": label, **data}, width="content")
