"""The rooms of the house as import rules, checked by parsing every file, lazy imports included."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN, APP = ROOT / "plugin" / "mlflow_errata", ROOT / "streamlit_app" / "errata_app"

HEAVY = {"mlflow", "streamlit", "sklearn", "imblearn", "altair", "vl_convert", "pydantic", "click", "pandas"}
ROOMS = {
    # room: (third parties it may import, rooms it may import)
    "errors": (set(), {"errors"}),
    "estimate": (set(), {"errors"}),
    "stats": ({"numpy", "scipy"}, {"stats"}),
    "metric": ({"numpy", "sklearn"}, {"errors", "estimate", "metric", "stats"}),
    "model": ({"numpy", "pandas"}, {"errors"}),
    "columns": ({"numpy", "pandas"}, {"errors"}),
    "roles": (set(), {"errors"}),
    "objectives": ({"numpy", "pandas"}, {"columns", "errors"}),
    "training": ({"numpy", "pandas"}, {"errors"}),
    "multilabel": ({"numpy", "pandas"}, {"columns", "errors", "metric", "model", "roles"}),
    "outcomes": ({"numpy", "pandas"}, {"columns", "errors", "metric", "model", "multilabel", "roles"}),
    "table": (
        {"numpy", "pandas"},
        {"columns", "errors", "metric", "model", "multilabel", "objectives", "outcomes", "roles", "training"},
    ),
    "predicates": ({"numpy", "pandas"}, {"columns", "errors"}),
    "slicing": ({"numpy", "scipy"}, {"slicing"}),
    "diagnoses": (
        {"numpy", "pandas", "sklearn", "threadpoolctl"},
        {
            *{"columns", "diagnoses", "errors", "estimate", "metric", "objectives", "predicates", "slicing"},
            *{"stats", "table"},
        },
    ),
    "steps": (
        {"numpy", "pandas", "sklearn", "imblearn"},
        {"diagnoses", "errors", "estimate", "predicates", "reframed", "steps", "table", "training"},
    ),
    "decision": ({"numpy", "scipy", "sklearn"}, set()),
    "fitting": ({"numpy", "sklearn"}, {"training"}),
    "reframed": ({"numpy", "pandas", "scipy", "sklearn"}, {"errors", "fitting", "reframed", "training"}),
    "recipe": (
        {"numpy", "pandas"},
        {"columns", "decision", "errors", "fitting", "record", "steps", "training"},
    ),
    "trials": (
        {"numpy", "pandas", "scipy", "threadpoolctl"},
        {
            *{"decision", "diagnoses", "errors", "estimate", "fitting", "metric", "model", "recipe"},
            *{"stats", "steps", "table", "training", "trials"},
        },
    ),
    "_evaluated": (
        {"numpy", "pandas"},
        {"columns", "metric", "model", "outcomes", "record", "table"},
    ),
    "_outcome": (
        {"numpy", "pandas"},
        {"_evaluated", "columns", "errors", "estimate", "metric", "record", "stats"},
    ),
    "_choices": (set(), {"errors", "estimate", "steps"}),
    "_reviews": (set(), {"diagnoses", "errors"}),
    "_slice_order": (set(), {"diagnoses"}),
    "_slice_measured": ({"pandas"}, {"_evaluated", "diagnoses", "errors", "metric", "predicates", "record"}),
    "_track": ({"numpy", "scipy"}, {"_choices", "estimate", "stats"}),
    "_run_comparison": (
        {"numpy"},
        {"_compare", "_outcome", "errors", "estimate", "record", "sections", "stats"},
    ),
    "_gate": (
        {"numpy"},
        {
            *{"_evaluated", "_outcome", "_run_comparison", "diagnoses", "errors", "estimate", "metric", "predicates"},
            *{"record", "sections", "stats"},
        },
    ),
    "blocks": (set(), set()),
    "record": (
        {"pandas", "pydantic", "pyarrow"},
        {"diagnoses", "errors", "estimate", "metric", "recipe", "record", "steps", "sections", "trials"},
    ),
    "sections": (
        {"altair"},
        {
            *{
                "_choices",
                "_compare",
                "_compare_metrics",
                "_gate",
                "_queue",
                "_reviews",
                "_run_comparison",
                "_slice_measured",
                "_track",
                "blocks",
                "diagnoses",
                "errors",
                "estimate",
                "metric",
                "record",
                "sections",
                "steps",
            },
            *{"tracking", "trials"},
        },
    ),
    "report": ({"vl_convert"}, {"_reviews", "blocks", "errors", "record", "sections"}),
    "tracking": (
        {"mlflow", "pandas"},
        {
            *{"", "_decisions", "_diagnose", "diagnoses", "errors", "estimate", "recipe", "record", "report"},
            *{
                "_audit",
                "_choices",
                "_compare_metrics",
                "_gate",
                "_outcome",
                "_queue",
                "_reviews",
                "_run_comparison",
                "predicates",
                "sections",
                "steps",
                "tracking",
            },
        },
    ),
    "_compare": (
        {"numpy", "pandas"},
        {"columns", "diagnoses", "errors", "estimate", "metric", "predicates", "sections", "slicing", "stats", "table"},
    ),
    "_compare_metrics": ({"numpy"}, {"diagnoses", "errors", "estimate", "metric", "record", "sections", "stats"}),
    "_sweep": (set(), {"columns", "diagnoses", "objectives", "sections"}),
    "_diagnose": (
        {"numpy", "pandas"},
        {
            *{"", "diagnoses", "errors", "estimate", "metric", "record", "stats", "steps", "table"},
            *{"_evaluated", "_unchecked_gain", "objectives", "tracking", "training", "trials"},
        },
    ),
    "_decisions": ({"pandas"}, {"diagnoses", "errors", "metric", "record"}),
    "_audit": (
        {"numpy", "pandas"},
        {
            "_decisions",
            "_relabel_gain",
            "diagnoses",
            "errors",
            "estimate",
            "metric",
            "record",
            "stats",
            "steps",
            "table",
        },
    ),
    "_queue": (
        {"numpy", "pandas"},
        {"_audit", "_decisions", "diagnoses", "errors", "metric", "record", "stats", "steps"},
    ),
    "_unchecked_gain": (
        {"numpy", "pandas"},
        {
            *{"_relabel_gain", "columns", "diagnoses", "errors", "estimate", "metric", "model", "outcomes", "stats"},
            *{"steps", "table", "trials"},
        },
    ),
    "_relabel_gain": (
        {"numpy", "pandas", "sklearn", "threadpoolctl"},
        {"diagnoses", "errors", "estimate", "metric", "model", "outcomes", "stats", "table"},
    ),
    "guard": (set(), set()),
    "_demo": (set(), {"errors"}),
    "_pages": (set(), set()),
    "_options": ({"click"}, set()),
    "_making": ({"click", "mlflow", "pandas"}, {"", "_options", "errors"}),
    "_doctor": ({"packaging"}, {"errors", "guard", "tracking"}),
    "server": ({"click", "mlflow", "starlette", "streamlit"}, {"errors", "guard"}),
    "cli": (
        {"click", "mlflow"},
        {
            "_making",
            "_options",
            "server",
            "_demo",
            "_doctor",
            "guard",
            "recipe",
            "",
            "_gate",
            "_run_comparison",
            "errors",
            "record",
            "report",
            "sections",
            "tracking",
        },
    ),
    "__init__": (
        set(),
        {
            "_audit",
            "_compare",
            "_compare_metrics",
            "_diagnose",
            "errors",
            "_sweep",
            "estimate",
            "objectives",
            "recipe",
            "record",
            "table",
            "tracking",
        },
    ),
}


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Full names of all modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = node.module in {"mlflow_errata", "errata_app"}
            names |= {f"{node.module}.{alias.name}" if inside else node.module for alias in node.names}
    return names


def room_of(path: Path) -> str:
    first = path.relative_to(PLUGIN).parts[0]
    return first.removesuffix(".py")


def own_room(name: str) -> str:
    """Room of an imported name; "" for a public name of the package itself."""
    part = name.removeprefix("mlflow_errata").removeprefix(".").split(".")[0]
    return part if part in ROOMS else ""


@pytest.mark.parametrize("path", files(PLUGIN), ids=lambda path: str(path.relative_to(PLUGIN)))
def test_every_file_imports_only_what_its_room_may(path):
    assert room_of(path) in ROOMS, "a new room needs a line in ROOMS"
    third, rooms = ROOMS[room_of(path)]
    for name in imported(path):
        top = name.split(".")[0]
        if top == "mlflow_errata":
            assert own_room(name) in rooms, f"{path.name} imports {name}"
        elif top not in sys.stdlib_module_names:
            assert top in third, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", files(APP), ids=lambda path: str(path.relative_to(APP)))
def test_the_app_draws_and_computes_nothing(path):
    for name in imported(path):
        top = name.split(".")[0]
        known = {"streamlit", "mlflow_errata", "errata_app", *({"starlette"} if path.name == "served.py" else ())}
        assert top in known or top in sys.stdlib_module_names, name
        if ".tracking" in name and path.name != "source.py":
            assert "TYPE_CHECKING" in path.read_text(encoding="utf-8"), f"{path.name} reaches the store past source.py"
    text = path.read_text(encoding="utf-8")
    for forbidden in ("unsafe_allow_html", "groupby", ".mean(", "pickle", "st.html", "_repr_html_"):
        assert forbidden not in text


def edges(path: Path) -> set[str]:
    """Modules of the package that a file imports when it is loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mlflow_errata"):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if is_module(full) else node.module)
    return found


def is_module(name: str) -> bool:
    place = PLUGIN.parent / Path(*name.split("."))
    return place.with_suffix(".py").is_file() or place.is_dir()


def test_no_import_cycles():
    graph = {}
    for path in files(PLUGIN):
        parts = path.relative_to(PLUGIN.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        graph[name] = edges(path) - {"mlflow_errata", name}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for after in sorted(graph.get(name, ())):
                visit(after, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_by("import mlflow_errata") & HEAVY


def test_the_command_line_loads_click_alone():
    assert loaded_by("import mlflow_errata.cli") & HEAVY == {"click"}


def test_reading_and_wording_a_record_loads_no_statistics():
    """What a page waits for before it can show a verdict."""
    code = "import mlflow_errata.record.read, mlflow_errata.sections, mlflow_errata._track, mlflow_errata._queue"
    script = f"import sys\n{code}\nprint(*{{'scipy.special', 'scipy.stats', 'sklearn', 'altair'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_mlflow_loads_for_everybody_is_light():
    """The evaluator, the dataset and the context provider are imported by every user's evaluations."""
    code = (
        "import mlflow, mlflow.models.evaluation, mlflow.data\n"
        "before = set(sys.modules)\n"
        "import mlflow_errata.tracking.evaluator, mlflow_errata.tracking.dataset, mlflow_errata.tracking.context\n"
        "print(*[name for name in set(sys.modules) - before if 'errata' not in name or 'diagnoses' in name])"
    )
    done = subprocess.run([sys.executable, "-c", f"import sys\n{code}"], capture_output=True, text=True, check=True)
    new = {name.split(".")[0] for name in done.stdout.split()}
    assert not new & {"sklearn", "imblearn", "streamlit", "mlflow_errata", "vl_convert"}
