"""The pages of the documentation on what can be found, one a code, as the package carries them."""

from __future__ import annotations

from pathlib import Path


def page_of(code: str) -> str:
    """The page of a code as Markdown, wherever it is: inside the installed package, or beside it in a checkout.

    Empty if there is none.
    """
    here = Path(__file__).resolve().parent
    for place in (here / "pages", here.parents[1] / "docs" / "errors"):
        if (place / f"{code}.md").is_file():
            return (place / f"{code}.md").read_text(encoding="utf-8")
    return ""
