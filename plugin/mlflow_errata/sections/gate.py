"""A gate in words, as JSON, and as the XML that build servers read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement, tostring

from mlflow_errata.sections import _words as words
from mlflow_errata.sections import loop

if TYPE_CHECKING:
    from mlflow_errata._gate import Bar, Gate

MARKS = {"pass": "pass", "fail": "FAIL", "cannot be judged": "cannot be judged"}
ENDS = {
    0: "Passed.",
    1: "Failed.",
    2: "Cannot be judged.",
}


def line(bar: Bar, gate: Gate) -> str:
    """A bar in one line."""
    return f"[{MARKS[gate.verdict(bar)]}] {words.shown(bar.name)}: {told(bar)}"


def told(bar: Bar) -> str:
    """What was measured beside the bar."""
    if bar.measured is None:
        return loop.reason(bar.reason)
    unit = bar.measured.unit
    limit = words.percent(bar.limit) if unit in words.SHARES else words.number(bar.limit)
    sure = "" if bar.kept is not None else "; the bar lies within the interval"
    return f"{words.estimate(bar.measured)}, {bar.bound} {limit}{sure}"


def summary(gate: Gate) -> str:
    """Every bar, and the end of it."""
    if not gate.bars:
        return "There is no bar: neither rules nor a named slice with one."
    against = "" if gate.against is None else f" against {gate.against}"
    return "\n".join([*(line(bar, gate) for bar in gate.bars), f"{ENDS[gate.exit_code]} {gate.run}{against}"])


def as_json(gate: Gate) -> str:
    """Strict JSON: the exit code, and each bar with what was measured."""
    bars: list[dict[str, Any]] = [
        {
            "name": bar.name,
            "verdict": gate.verdict(bar),
            "sure": bar.kept is not None,
            "bound": bar.bound,
            "limit": bar.limit,
            "value": None if bar.measured is None else bar.measured.value,
            "low": None if bar.measured is None else bar.measured.low,
            "high": None if bar.measured is None else bar.measured.high,
            "n": None if bar.measured is None else bar.measured.n,
            "unit": None if bar.measured is None else bar.measured.unit,
            "reason": bar.reason,
        }
        for bar in gate.bars
    ]
    found = {"run": gate.run, "against": gate.against, "exit_code": gate.exit_code, "bars": bars}
    return json.dumps(found, allow_nan=False, indent=1, ensure_ascii=False)


def as_junit(gate: Gate) -> str:
    """JUnit's XML: a test case for each bar; what cannot be judged is an error, not a failure."""
    said = [gate.verdict(bar) for bar in gate.bars]
    counts = {
        "tests": len(said),
        "failures": said.count("fail"),
        "errors": said.count("cannot be judged"),
    }
    suite = Element("testsuite", {"name": f"errata check {_clean(gate.run)}"})
    for name, n in counts.items():
        suite.set(name, str(n))
    for bar, verdict in zip(gate.bars, said, strict=True):
        case = SubElement(suite, "testcase", classname="errata.check", name=_clean(bar.name))
        if verdict == "fail":
            SubElement(case, "failure", message=_clean(told(bar)))
        elif verdict == "cannot be judged":
            SubElement(case, "error", message=_clean(told(bar)))
        else:
            SubElement(case, "system-out").text = _clean(told(bar))
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suite, encoding="unicode")


def _clean(text: str) -> str:
    """Text without the control characters that XML forbids."""
    return "".join(sign for sign in text if sign.isprintable())
