"""A whole loop on real data: train, diagnose, accept, train again with the recipe, verify, until "stop".

    python examples/loop.py [flights] [portal] [--tracking-uri sqlite:///mlflow.db]

flights   will a flight be disrupted? A miss costs three false alarms. The label has a bug at first (a missing delay
          counts as on time), time goes on, and the last month is kept aside.
portal    which species was caught in the desert? A forest that has seen the first years only; the last ones are kept
          aside.

Every iteration logs a run, takes the step that errata puts first and accepts it. The next run follows it: it trains
with the recipe, and errata measures what the step delivered beside what it promised. `errata ui` shows both loops on
the page History.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

import mlflow_errata as errata
from mlflow_errata.sections import loop as words
from mlflow_errata.tracking import outcomes

DATA = Path(__file__).parent / "data"


@dataclass
class Story:
    """What a loop works on.

    Parameters
    ----------
    name : experiment
    rows : all rows, oldest first
    label, truth : columns of the label as it is used, and as it should be
    time : column of dates
    features : columns that the model sees
    cuts : moments; rows before the first are trained on at first, each next piece evaluates in its turn, and the rows
        after the last are seen by no step
    model : the estimator to start with
    value : business value
    options : further arguments of `diagnose`
    """

    name: str
    rows: pd.DataFrame
    label: str
    truth: str
    time: str
    features: list[str]
    cuts: list[str]
    model: Any
    value: Any
    options: dict[str, Any] = field(default_factory=dict)

    def piece(self, at: int) -> pd.DataFrame:
        """The rows before the first cut (0), between two cuts (1 ...), or after the last (-1)."""
        bounds = [None, *(pd.Timestamp(cut) for cut in self.cuts), None]
        first, last = (bounds[-2], None) if at < 0 else (bounds[at], bounds[at + 1])
        times = self.rows[self.time]
        inside = np.ones(len(times), dtype=bool) if first is None else (times >= first).to_numpy()
        return self.rows[inside if last is None else inside & (times < last).to_numpy()]


def flights() -> Story:
    """40,000 flights of 2013, their label computed as `arr_delay > 15` at first."""
    rows = pd.read_parquet(DATA / "flights" / "flights.parquet").drop(columns="cancelled")
    rows["scheduled_at"] = pd.to_datetime(rows.pop("time_hour")).dt.tz_localize(None)
    rows["disrupted"] = (rows["arr_delay"] > 15).astype(int)
    rows["truth"] = (rows["disrupted"].astype(bool) | rows["arr_delay"].isna()).astype(int)
    schedule = ["sched_dep_time", "sched_arr_time", "carrier", "origin", "dest", "distance"]
    return Story(
        name="loop flights",
        rows=rows,
        label="disrupted",
        truth="truth",
        time="scheduled_at",
        features=[*schedule, "temp", "humid", "wind_speed", "precip", "pressure", "visib"],
        cuts=["2013-03-01", "2013-05-01", "2013-07-01", "2013-09-01", "2013-10-15", "2013-12-01"],
        model=HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0),
        value={"tp": 0, "fp": -1, "fn": -3, "tn": 0},
    )


def right_species(truth: np.ndarray, said: np.ndarray) -> np.ndarray:
    """A species told right is worth one."""
    return (np.asarray(truth) == np.asarray(said)).astype(float)


def portal() -> Story:
    """30,738 rodents caught near Portal, Arizona, from 1977 to 2002."""
    rows = pd.read_parquet(DATA / "portal" / "portal_rodents_labelled.parquet").drop(columns=["taxa", "genus"])
    rows["caught_on"] = pd.to_datetime(rows[["year", "month", "day"]])
    rows = rows.drop(columns=["year", "day"]).sort_values(["caught_on", "record_id"], ignore_index=True)
    rows["sex"] = rows["sex"].fillna("not known")
    words_of = ["plot_type", "sex"]
    encoded = make_column_transformer((OrdinalEncoder(), words_of), remainder="passthrough")
    forest = RandomForestClassifier(100, min_samples_leaf=5, random_state=0, n_jobs=1)
    return Story(
        name="loop portal",
        rows=rows,
        label="species_id",
        truth="species_id",
        time="caught_on",
        features=["plot_id", "plot_type", "month", "sex", "hindfoot_length", "weight"],
        cuts=["1982-01-01", "1985-01-01", "1988-01-01", "1991-01-01", "1994-01-01", "1997-01-01", "2000-01-01"],
        model=make_pipeline(encoded, forest),
        value=right_species,
        options={"id": "record_id"},
    )


def run(story: Story, budget: float) -> None:
    """Go round until errata says stop, or no newer rows are left."""
    print(f"\n{story.name}")
    mlflow.set_experiment(story.name)
    train, at = story.piece(0), 1
    first = model = story.model.fit(train[story.features], train[story.label])
    before, followed = None, None
    while True:
        evaluation = story.piece(at)
        with mlflow.start_run(run_name=f"{at} {evaluation[story.time].min():%b %Y}") as active:
            if followed is not None:
                errata.follow(followed)
            record = diagnosed(story, evaluation, train=train, model=model, before=before, budget=budget)
            errata.log(record)
        followed, before = active.info.run_id, model
        told(followed)
        step = record.next_steps[0]
        if step.kind == "relabel" and not labels_are_wrong(
            story, record, followed, evaluation, train=train, model=model
        ):
            errata.decline(followed, step.kind, by="examples/loop.py", why="none of the labels checked was wrong")
            step = next(item for item in record.next_steps if item.kind != "relabel")
        choice = errata.accept(followed, step.kind, by="examples/loop.py", why="the first of the steps")
        promise = "" if choice.promised is None else f"; promised {words.gain(choice.promised)}"
        print(f"   accepted: {choice.title}{promise}")
        if step.kind == "stop":
            break
        if step.kind == "relabel":
            story.rows[story.label] = story.rows[story.truth]  # the rule that made the label is put right
            train = train.assign(**{story.label: story.rows[story.truth]})
            model = clone(model).fit(train[story.features], train[story.label])
        else:
            model = errata.load_recipe(experiment=story.name).fit(model, train, newer=evaluation)
            train = pd.concat([train, evaluation]) if choice.on_evaluation else train
        if at == len(story.cuts) - 1:
            print("   no newer rows are left")
            break
        at += 1
    verdict(story, first, model)


def diagnosed(
    story: Story, evaluation: pd.DataFrame, *, train: pd.DataFrame, model: Any, **others: Any
) -> errata.Record:
    """The record of one iteration."""
    aside = [story.truth] if story.truth != story.label else []
    return errata.diagnose(
        evaluation.drop(columns=aside),
        label=story.label,
        model=model,
        time=story.time,
        value=story.value,
        train=train.drop(columns=aside),
        **story.options,
        **others,
    )


def labels_are_wrong(
    story: Story, record: errata.Record, run_id: str, evaluation: pd.DataFrame, *, train: pd.DataFrame, model: Any
) -> bool:
    """Check the labels that errata asks for (the truth is looked up), and store what that tells with the run."""
    drawn = errata.audit(record)
    right = evaluation[story.truth].loc[drawn["id"]].to_numpy()
    said = dict(zip(drawn["id"], np.where(right == drawn["given"], "keep", "accept"), strict=True))
    errata.save_decisions(run_id, said, by="examples/loop.py")
    wrong = sum(word == "accept" for word in said.values())
    print(f"   {len(said)} labels checked, {wrong} of them wrong")
    if wrong:
        rows = {"evaluation": evaluation, "train": train}
        seen = {name: frame.drop(columns=story.truth) for name, frame in rows.items()}
        errata.log(errata.audited(record, said, model=model, **seen), run_id=run_id)
    return wrong > 0


def told(run_id: str) -> None:
    """What the step that this run took has delivered."""
    experiment = mlflow.get_run(run_id).info.experiment_id
    item = outcomes.history(experiment)[-1]
    metric = f"{item.row.metric} {item.row.value:.3f}" if item.row.value is not None else ""
    print(f"run {item.row.name}: {item.row.n_rows:,} rows, {metric}")
    if item.outcome is not None:
        print(f"   {words.delivered(item.outcome)}")


def verdict(story: Story, first: Any, last: Any) -> None:
    """The first model and the last one by the declared value, on rows that no step has seen."""
    rows = story.piece(-1)
    worth = [value_of(story, rows, model) for model in (first, last)]
    print(
        f"{len(rows):,} rows since {story.cuts[-1]} that no step has seen: value per row {worth[0]:+.4f} with the "
        f"first model, {worth[1]:+.4f} with the last one"
    )


def value_of(story: Story, rows: pd.DataFrame, model: Any) -> float:
    """Value per row of a model's decisions under the true labels."""
    truth, said = rows[story.truth].to_numpy(), model.predict(rows[story.features])
    if callable(story.value):
        return float(story.value(truth, said).mean())
    cells = {(1, 1): "tp", (0, 1): "fp", (1, 0): "fn", (0, 0): "tn"}
    return float(np.mean([story.value[cells[pair]] for pair in zip(truth.tolist(), said.tolist(), strict=True)]))


STORIES = {"flights": flights, "portal": portal}


def main() -> None:
    """Both loops, or those named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stories", nargs="*", choices=[[], *STORIES], help="default: both")
    parser.add_argument("--tracking-uri", default="sqlite:///mlflow.db")
    parser.add_argument("--budget", type=float, default=20.0, help="seconds for the trials of each run")
    wanted = parser.parse_args()
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(wanted.tracking_uri)
    for name in wanted.stories or STORIES:
        run(STORIES[name](), wanted.budget)


if __name__ == "__main__":
    main()
