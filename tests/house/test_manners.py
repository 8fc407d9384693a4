"""Habits that every file keeps."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = [*sorted((ROOT / "plugin").rglob("*.py")), *sorted((ROOT / "streamlit_app").rglob("*.py"))]
LONGEST = 400
SYNONYMS = re.compile(r"\b(cohort|subgroup|segment|chunk|snapshot)s?\b", re.IGNORECASE)
NAMELESS = {"util", "utils", "helper", "helpers", "manager", "handler", "core", "common"}


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CODE, ids=ids)
def test_public_things_say_what_they_are(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or path.name == "__init__.py", "a module without a docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            nested = any(node in ast.walk(other) for other in unseen(tree) if other is not node)
            assert ast.get_docstring(node) or nested, f"{node.name} has no docstring"


def unseen(tree: ast.Module) -> list[ast.AST]:
    """What a user never sees into: functions, and private classes."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.ClassDef) and node.name.startswith("_"))
    ]


@pytest.mark.parametrize("path", CODE, ids=ids)
def test_files_are_short_and_use_one_word_per_thing(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST
    assert path.stem.strip("_") not in NAMELESS
    assert not SYNONYMS.search(text), SYNONYMS.search(text)


@pytest.mark.parametrize("path", CODE, ids=ids)
def test_no_print_no_assert_no_global_seed(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.Assert)
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called != "print"
            assert called not in {"np.random.seed", "random.seed", "pickle.load", "joblib.load"}


def test_nothing_names_a_registry_or_a_machine():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    words = ["py" + "pi.org", "python" + "hosted", "npm" + "js", "deb." + "debian", "/" + "work/", "/ro" + "ot/"]
    for name in listed:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".yml", ".css", ".svg", ""} and path.is_file():
            text = path.read_text(encoding="utf-8", errors="ignore")
            assert not [word for word in words if word in text], name
