"""Every error of what is stored (records, recipes, decisions) and of the tracking store, and its sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlflow_errata.errors import ErrataError, first_few, sentence

if TYPE_CHECKING:
    from collections.abc import Collection


class DecisionsNotStored(ErrataError):
    """Decisions that did not reach the tracking store."""

    def __init__(self, run_id: str, cause: object) -> None:
        super().__init__(
            f"decisions could not be stored with run {run_id}: {sentence(cause)} "
            "Try again, or export them to a file before the page is closed."
        )


# -- records ----------------------------------------------------------------------------------------------------------


class RecordError(ErrataError):
    """A record that cannot be written or read."""


class RecordMissing(RecordError):
    """No record where one was expected."""

    def __init__(self, where: object) -> None:
        super().__init__(
            f"{where} holds no errata record (record.json). Write one with record.save(path) or errata.log."
        )


class RecordBroken(RecordError):
    """A file that is not a whole record."""

    def __init__(self, where: object, cause: object) -> None:
        super().__init__(f"{where} is not a readable errata record: {sentence(cause)} Log the run's diagnoses again.")


class RecordTooNew(RecordError):
    """A record from a newer errata."""

    def __init__(self, where: object, schema: int, supported: int) -> None:
        super().__init__(
            f"{where} has schema {schema}; this errata reads schemas up to {supported}. "
            "Upgrade it: pip install --upgrade mlflow-errata."
        )


class NotANumber(RecordError):
    """A NaN or an infinity on its way into a record."""

    def __init__(self, where: str, value: float) -> None:
        super().__init__(
            f"{where} is {value}; a record holds finite numbers only, and None where there is no estimate."
        )


class RecipeBroken(RecordError):
    """A text that is not a whole recipe."""

    def __init__(self, cause: object) -> None:
        super().__init__(
            f"this is not a readable recipe: {sentence(cause)} Make it again with errata.Recipe.of(record)."
        )


class RecipeTooNew(RecordError):
    """A recipe from a newer errata."""

    def __init__(self, schema: int, supported: int) -> None:
        super().__init__(
            f"the recipe has schema {schema}; this errata reads schemas up to {supported}. "
            "Upgrade it: pip install --upgrade mlflow-errata."
        )


class RecipeMissing(RecordError):
    """A run whose record has no plan."""

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"run {run_id} holds no recipe: no step that was tried pays, or none was tried. "
            "Diagnose with model=, train= and a budget, or choose steps: errata.Recipe.of(record, step)."
        )


class RecipeRefused(RecordError):
    """A step that no recipe can take."""

    def __init__(self, kind: str, why: str, remedy: str = "Leave it out of the recipe or complete it first.") -> None:
        super().__init__(f"the step {kind!r} {why}. {remedy}")


class RecipeRanksNothing(RecordError):
    """A recipe without a ranking score."""

    def __init__(self, kinds: Collection[str]) -> None:
        super().__init__(
            f"the recipe mixes no scores (its steps: {first_few(list(kinds)) or 'none'}); recipe.score needs the step "
            "'decouple'. Rank by the model of recipe.fit."
        )


# -- the loop ---------------------------------------------------------------------------------------------------------


class NotMeasured(ErrataError):
    """A slice that cannot be measured on what a run keeps; the message is the reason."""


class NotComparable(ErrataError):
    """Two runs that cannot be judged on common rows; the message is the reason."""


class StepMissing(ErrataError):
    """A step that a run does not propose."""

    def __init__(self, run_id: str, kind: str, present: Collection[str]) -> None:
        super().__init__(f"run {run_id} proposes no step {kind!r}. It proposes: {first_few(list(present))}.")


class PersonMissing(ErrataError):
    """A decision about a step that nobody has made."""

    def __init__(self) -> None:
        super().__init__("by='' names nobody. Say who decides: by='anna'.")


class NoteTooLong(ErrataError):
    """A note that a tag cannot hold."""

    def __init__(self, n: int, most: int) -> None:
        super().__init__(f"the note has {n:,} characters, and a tag holds {most:,} of it. Shorten it, or link to it.")


class StepNotAccepted(ErrataError):
    """A run, or an experiment, in which no step was accepted."""

    def __init__(self, where: str) -> None:
        super().__init__(f"no step of {where} was accepted. Accept one: errata.accept(run_id, kind, by=...).")


class StepByHand(ErrataError):
    """A step that was accepted and that no recipe takes."""

    def __init__(self, run_id: str, kind: str, why: str) -> None:
        super().__init__(f"the step {kind!r} accepted in run {run_id} has no recipe: {why}")


class ReadOnly(ErrataError):
    """Decisions where none may be made."""

    def __init__(self) -> None:
        super().__init__("ERRATA_READ_ONLY is set: nothing is decided here. Unset it, or decide elsewhere.")


class RulesBroken(ErrataError):
    """Rules of a gate that cannot be read."""

    def __init__(self, where: object, why: object) -> None:
        super().__init__(f"the rules {where} cannot be used: {sentence(why)}")


# -- tracking ---------------------------------------------------------------------------------------------------------


class TrackingError(ErrataError):
    """MLflow could not be written to or read from."""


class DemoRefused(TrackingError):
    """A demo that cannot be made."""

    def __init__(self, folder: object, why: str) -> None:
        super().__init__(f"the demo cannot be made in {folder}: {why}.")


class FileUnreadable(ErrataError):
    """A file that is no table, or a model that cannot be loaded."""

    def __init__(self, where: object, what: str, cause: object) -> None:
        super().__init__(f"{where} cannot be read as {what}: {sentence(cause)}")


class FileRefused(ErrataError):
    """A file or folder that the system does not let be read or written."""

    def __init__(self, cause: OSError) -> None:
        where = "" if cause.filename is None else f"{cause.filename}: "
        super().__init__(f"{where}{sentence(cause.strerror or cause)} Name a file in a folder that can be written.")


class NotServed(TrackingError):
    """MLflow and the app cannot be served on one port."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"MLflow and errata cannot be served on one port: {reason}")


class NoRun(TrackingError):
    """Nowhere to log to."""

    def __init__(self) -> None:
        super().__init__(
            "there is no active MLflow run to log into. "
            "Call errata.log inside `with mlflow.start_run():` or pass run_id=."
        )


class RunNotNamed(TrackingError):
    """Neither a run nor an experiment whose run is meant."""

    def __init__(self) -> None:
        super().__init__("no run is named. Pass run_id=, or experiment= for the run whose step was accepted last.")


class NoDiagnoses(TrackingError):
    """A run without a record."""

    def __init__(self, run_id: str, dataset: str | None, present: Collection[str]) -> None:
        wanted = "" if dataset is None else f" for dataset={dataset!r}"
        hint = f"Datasets: {first_few(sorted(present))}." if present else "Log some with errata.log(record)."
        super().__init__(f"run {run_id} has no errata record{wanted}. {hint}")


class ExperimentMissing(TrackingError):
    """An experiment that the tracking store does not have."""

    def __init__(self, name: object) -> None:
        super().__init__(f"there is no experiment {name!r}. Create it with mlflow.set_experiment({name!r}).")


class ExperimentDeleted(ExperimentMissing):
    """An experiment that was deleted, and can be restored."""

    def __init__(self, name: object, experiment_id: str) -> None:
        TrackingError.__init__(
            self,
            f"the experiment {name!r} is deleted. "
            f"Restore it: mlflow experiments restore --experiment-id {experiment_id}",
        )


class ReasonMissing(TrackingError):
    """Something to be ignored without a reason."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code} cannot be ignored without a reason: say in a sentence why, for those who come after.")


class AliasMissing(TrackingError):
    """A model alias that leads to no run."""

    def __init__(self, name: str, cause: object) -> None:
        super().__init__(f"{name!r} leads to no run: {sentence(cause)} Write a run id, or models:/name@alias.")


class StoreUnreachable(TrackingError):
    """A tracking store that does not answer."""

    def __init__(self, uri: object, cause: object) -> None:
        super().__init__(
            f"the tracking store {without_password(uri)} cannot be read: {sentence(cause)} "
            "Check the address with --tracking-uri."
        )


class NotInStore(TrackingError):
    """A run or an experiment that the tracking store does not have."""

    def __init__(self, uri: object, cause: object) -> None:
        super().__init__(
            f"the tracking store {without_password(uri)} does not have this: {sentence(cause)} "
            "Check the id, and with --tracking-uri whether this is the store that holds it."
        )


class StoreRefused(StoreUnreachable):
    """A tracking store that does not let this user in."""

    def __init__(self, uri: object, cause: object) -> None:
        TrackingError.__init__(
            self,
            f"the tracking store {without_password(uri)} refuses: {sentence(cause)} Where errata is started, set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, of one who may read it.",
        )


def without_password(uri: object) -> str:
    """The address of a store as it may be shown."""
    scheme, mark, rest = str(uri).partition("://")
    login, at, place = rest.rpartition("@")
    if not (mark and at) or "/" in login:
        return str(uri)
    return f"{scheme}{mark}{login.partition(':')[0]}:***@{place}"


class NotLogged(TrackingError):
    """A record that did not reach the tracking store; where it could be written to a folder, nothing is lost."""

    def __init__(self, run_id: str, spool: object | None, cause: object) -> None:
        kept = "" if spool is None else f" The record is kept; send it later with: errata push {spool}"
        super().__init__(f"errata could not log into run {run_id}: {sentence(cause)}{kept}")


class NotEvaluated(TrackingError):
    """Diagnoses that failed inside mlflow.models.evaluate."""

    def __init__(self, cause: BaseException) -> None:
        said = f"{type(cause).__name__}: {sentence(cause, 1000)}"
        super().__init__(f"errata made no diagnoses of this evaluation: {said}")


class SpoolBroken(TrackingError):
    """A folder that is no spooled record."""

    def __init__(self, folder: object, cause: object) -> None:
        super().__init__(
            f"{folder} is not a spooled record: {sentence(cause)} Name the folder that errata.log's warning named."
        )
