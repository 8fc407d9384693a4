"""The loop in words: what was decided about a step, the code that takes it, what it delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow_errata.sections import _words as words
from mlflow_errata.steps import stop

if TYPE_CHECKING:
    from mlflow_errata._choices import Choice, Outcome
    from mlflow_errata._track import Track
    from mlflow_errata.estimate import Estimate
    from mlflow_errata.record.schema import Record

HOW = {
    "before": "on the rows of this run, which the earlier model was asked about too",
    "same": "on the same evaluation data",
    "ids": "on the rows that both runs hold",
    "window": "on other rows of the same time",
}


IMPORT = "import mlflow_errata as errata\n\n"
LONGEST = 400
"""Characters of a reason that are shown."""


def reason(text: str) -> str:
    """A reason on one line, ending in a point."""
    line = " ".join(text.split())
    line = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
    return line if line.endswith((".", "…", "!", "?")) else f"{line}."


def kind(name: str) -> str:
    """A kind of step as a reader calls it."""
    return words.shown(name).replace("_", " ")


def gain(measured: Estimate) -> str:
    """A gain with its interval and its unit; more is better whatever the metric."""
    return f"{words.change(measured)} {words.metric(measured.unit)}"


def decided(choice: Choice) -> str:
    """Who decided what about a step, when and why."""
    said = "Accepted" if choice.verdict == "accept" else "Declined"
    why = f": {reason(choice.why)}" if choice.why else ""
    return f"{said} by {words.shown(choice.by)} on {choice.at[:10]} at {choice.at[11:16]} UTC{why}"


def by_hand(choice: Choice) -> str:
    """What a person has to do for an accepted step without a recipe; empty where there is one."""
    if choice.verdict == "accept" and choice.kind == stop.KIND:
        return "The model stays as it is: there is nothing to run."
    return "" if choice.verdict != "accept" or choice.recipe is not None else words.capital(reason(choice.by_hand))


def delivered(outcome: Outcome) -> str:
    """What a step promised and delivered, in a sentence or two."""
    taken = words.shown(outcome.title) if outcome.title else "the step"
    if outcome.delivered is None:
        return f"{taken}: what it delivered is not comparable: {reason(outcome.reason)}"
    said = f"{taken}: delivered {gain(outcome.delivered)} on {words.plural(outcome.delivered.n, 'row')}, "
    said += f"{HOW.get(outcome.how, outcome.how)}."
    if outcome.promised is None:
        return f"{said} Nothing was promised."
    return f"{said} Promised: {words.change(outcome.promised)}. {kept(outcome)}"


def kept(outcome: Outcome) -> str:
    """Whether the delivered gain lies within the promised interval, and by how much it missed."""
    missed = outcome.missed_by
    if missed is None:
        return "not known"
    if missed == 0:
        return "Within what was promised."
    unit = "" if outcome.delivered is None else f" {words.metric(outcome.delivered.unit)}"
    return f"Missed by {words.number(abs(missed))}{unit}: {'less' if missed < 0 else 'more'} than promised."


def expected(promised: Estimate | None, track: Track | None) -> str:
    """A promise as the track record of the store corrects it; empty where there is too little to say so."""
    found = None if promised is None or track is None else track.expected(promised)
    if found is None or track is None or track.factor is None:
        return ""
    return (
        f"{words.plural(len(track.pairs), 'earlier step')} of this kind delivered {words.number(track.factor.value)} "
        f"of what was promised: expect {gain(found)}."
    )


def on_record(code: str, run_id: str, *, checked: bool = False) -> str:
    """Code that speaks of `record`, which is read from its run first, with the labels `checked` since."""
    if "record" not in code:
        return code
    record = f"errata.load({run_id!r})"
    record = f"errata.audited({record}, errata.load_decisions({run_id!r}))" if checked else record
    return f"{IMPORT}record = {record}\n{code.removeprefix(IMPORT)}"


def code(choice: Choice, record: Record, run_id: str) -> str:
    """The code of the run that takes an accepted step, to be copied as it is; none where the model is kept.

    It needs `model`, `train` and `evaluation` as `diagnose` had them, and `newest`, labelled rows that came after,
    where the step fits on the evaluation rows; `value` where one was declared as a mapping or a function.
    """
    if choice.verdict != "accept" or choice.recipe is None or choice.kind == stop.KIND:
        return ""
    judged = "newest" if choice.on_evaluation else "evaluation"
    newer = ", newer=evaluation" if choice.on_evaluation else ""
    rows = "  # labelled rows that came after `evaluation`" if choice.on_evaluation else ""
    fitted_on = "pandas.concat([train, evaluation])" if choice.on_evaluation else "train"
    lines = [
        "import mlflow",
        *(["import pandas"] if choice.on_evaluation else []),
        "",
        "import mlflow_errata as errata",
        "",
        f"recipe = errata.load_recipe({run_id!r})",
        f"fitted = recipe.fit(model, train{newer})",
        "with mlflow.start_run():",
        f"    errata.follow({run_id!r})",
        "    record = errata.diagnose(",
        f"        {judged},{rows}",
        *(f"        {name}={value}," for name, value in _arguments(record, fitted_on)),
        "    )",
        "    errata.log(record)  # and what the step delivered, beside what it promised",
    ]
    return "\n".join(lines)


def _arguments(record: Record, fitted_on: str) -> list[tuple[str, str]]:
    roles: dict[str, Any] = dict(record.dataset.roles)
    named = [("label", repr(roles["label"])), ("model", "fitted"), ("before", "model"), ("train", fitted_on)]
    named += [(role, repr(roles[role])) for role in ("time", "id", "group", "weight") if role in roles]
    if record.summary.value_lost is not None:
        named.append(("value", repr(roles["value"]) if "value" in roles else "value"))
    if not record.summary.metric_inferred:
        named.append(("metric", repr(record.summary.metric)))
    return named
