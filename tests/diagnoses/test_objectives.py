"""Objectives: mixes of logged scores against brute force and the bootstrap, on planted and on null tables."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import mlflow_errata as errata
from mlflow_errata import Objectives
from mlflow_errata.diagnoses._judged import Judge
from mlflow_errata.diagnoses._mixes import grid
from mlflow_errata.errors import NotApplicable
from mlflow_errata.errors.stored import RecipeRanksNothing, RecipeRefused
from mlflow_errata.stats.lists import Lists

TOLD = {"outcomes": ["liked", "minutes"], "scores": ["quality", "engagement"], "current": "quality"}


def table(n=3000, seed=0, *, planted=True, n_lists=200):
    """Two outcomes, each told by a score of its own; not planted, neither score tells anything."""
    draw = np.random.default_rng(seed)
    a, b = draw.normal(size=(2, n))
    liked = expit(a - 1) if planted else np.full(n, 0.3)
    minutes = np.exp((0.8 * b if planted else 0) + 0.6 * draw.normal(size=n))
    return pd.DataFrame(
        {
            "quality": expit(a),
            "engagement": np.exp(b),
            "liked": (draw.random(n) < liked).astype(float),
            "minutes": minutes,
            "list": [f"query {at}" for at in np.arange(n) % n_lists],
            "user": draw.integers(0, n // 4, n),
            "rule": np.round(a + b + draw.normal(size=n)),
            "one": a + 0.3 * b,
            "y": (draw.random(n) < expit(a)).astype(int),
        }
    )


def share(rows, score, outcome, top=0.1):
    """What the top tenth holds, by sorting."""
    first = rows.sort_values(score, ascending=False).head(round(top * len(rows)))
    return first[outcome].sum() / rows[outcome].sum()


# -- values -----------------------------------------------------------------------------------------------------------


def test_every_mix_is_what_sorting_says():
    rows = table()
    found = errata.sweep(rows, TOLD)
    assert len(found.mixes) == 101
    sd = rows[["quality", "engagement"]].std(ddof=0)
    for at in (0, 1, 37, 50, 100):
        mix = found.mixes[at]
        mixed = rows.assign(mix=(rows[["quality", "engagement"]] / sd) @ np.array(mix.shares))
        assert mix.outcomes[0].value == pytest.approx(share(mixed, "mix", "liked"), rel=1e-6)
        assert mix.outcomes[1].value == pytest.approx(share(mixed, "mix", "minutes"), rel=1e-6)
        assert mix.goal.value == pytest.approx((mix.outcomes[0].value + mix.outcomes[1].value) / 2, rel=1e-6)
        assert mix.gain.value == pytest.approx(mix.goal.value - found.current.goal.value, abs=1e-6)
    assert found.mixes[0].gain.value == 0
    assert found.best == int(np.argmax([mix.goal.value for mix in found.mixes]))


def test_equal_weights_of_a_product_rank_by_the_product():
    rows = table()
    found = errata.sweep(rows, {**TOLD, "combine": "product"})
    product = rows.assign(mix=rows["quality"] * rows["engagement"])
    equal = next(item for item in found.rankings if item.kind == "equal")
    assert equal.outcomes == found.mixes[50].outcomes
    assert equal.outcomes[1].value == pytest.approx(share(product, "mix", "minutes"), rel=1e-6)


def test_money_counts_by_its_worth():
    rows = table()
    found = errata.sweep(rows, {**TOLD, "outcomes": {"liked": 3.0, "minutes": -0.5}, "metric": "mean"})
    first = rows.nlargest(300, "quality")
    expected = 3 * first["liked"].mean() - 0.5 * first["minutes"].mean()
    assert found.current.goal.value == pytest.approx(expected, rel=1e-6)
    assert found.current.goal.unit == "worth per row in the top 10 %"
    assert found.mixes[found.best].shares[0] > 0.9


def test_precision_at_k_of_every_list():
    rows = table()
    found = errata.sweep(rows, {**TOLD, "metric": "mean", "top": 3, "group": "list"})
    first = rows.sort_values("quality", ascending=False).groupby("list").head(3)
    assert found.current.outcomes[0].value == pytest.approx(first["liked"].mean(), rel=1e-6)
    assert found.unit == "lists"


def test_the_front_is_what_no_other_mix_beats():
    found = errata.sweep(table(), TOLD)
    values = np.array([[each.value for each in mix.outcomes] for mix in found.mixes])
    beaten = [((values >= own).all(axis=1) & (values > own).any(axis=1)).any() for own in values]
    assert [mix.pareto for mix in found.mixes] == [not each for each in beaten]
    assert 2 < sum(mix.pareto for mix in found.mixes) < 101


@pytest.mark.parametrize("n_scores", [2, 3, 4])
def test_the_grid_holds_every_mix_once(n_scores):
    shares = grid(n_scores)
    assert len(np.unique(shares.round(9), axis=0)) == len(shares) >= 101
    assert shares.sum(axis=1) == pytest.approx(1)
    assert shares.min() == 0
    assert shares[0].tolist() == [1, *[0] * (n_scores - 1)]


def test_three_scores():
    found = errata.sweep(table(), {**TOLD, "scores": ["quality", "engagement", "one"]})
    assert len(found.mixes) == 105
    assert found.nearest([1, 1, 1]) == found.nearest([5, 5, 5])
    assert found.mixes[found.nearest([0, 2, 0])].shares == (0, 1, 0)


# -- intervals, against the bootstrap ---------------------------------------------------------------------------------


def judged(rows, top, unit, group=None, measure="share"):
    of = np.zeros(len(rows), dtype=int) if group is None else pd.factorize(rows[group])[0]
    gains = [rows[name].to_numpy() for name in ("liked", "minutes")]
    judge = Judge.made(Lists.made(of, top), gains, measure, None if unit is None else pd.factorize(rows[unit])[0])
    return [judge.seen(rows[name].to_numpy(dtype=float)) for name in ("quality", "rule")], judge


@pytest.mark.parametrize(
    ("unit", "group", "top", "measure"),
    [
        (None, None, 0.1, "share"),
        (None, None, 0.1, "mean"),
        ("user", None, 0.2, "share"),
        ("list", "list", 3, "share"),
        ("list", "list", 5, "ndcg"),
    ],
)
def test_paired_intervals_are_those_of_the_bootstrap(unit, group, top, measure):
    """Rows, users or whole lists drawn again; the rule has ties."""
    rows = table(2000)
    (old, new), judge = judged(rows, top, unit, group, measure)
    ends = judge.estimates(new, ["", ""], old)
    draw, drawn = np.random.default_rng(0), []
    members = [np.array([at]) for at in range(len(rows))]
    if unit is not None:
        members = [part.index.to_numpy() for _, part in rows.groupby(unit)]
    for _ in range(150):
        picked = [members[at] for at in draw.integers(0, len(members), len(members))]
        again = rows.iloc[np.concatenate(picked)].reset_index(drop=True)
        if group is not None:
            again[group] = np.repeat(np.arange(len(picked)), [len(part) for part in picked])
        seen, judge = judged(again, top, None if unit is None else group, group, measure)
        drawn.append([each.value for each in judge.estimates(seen[1], ["", ""], seen[0])])
    spread = np.std(drawn, axis=0)
    said = [(each.high - each.low) / 2 / 1.96 for each in ends]
    assert said == pytest.approx(spread, rel=0.25)


# -- verdicts ---------------------------------------------------------------------------------------------------------

SETTINGS = [{"top": 0.1}, {"top": 3, "group": "list"}, {"top": 5, "group": "list", "metric": "ndcg"}, {"unit": "user"}]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_planted_objectives_are_found(setting):
    assert sum(errata.sweep(table(2000, seed), {**TOLD, **setting}).chosen.gain.low > 0 for seed in range(3)) == 3


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_scores_that_tell_nothing_are_left_alone(setting):
    quiet = [errata.sweep(table(1000, seed, planted=False), {**TOLD, **setting}) for seed in range(10)]
    assert sum(found.chosen.gain.low > 0 for found in quiet) <= 1


def test_the_choice_is_not_flattered():
    """Where no mix is better than another, the best on all rows looks better, and the chosen one does not."""
    drawn = [errata.sweep(table(1000, seed, planted=False), TOLD) for seed in range(20)]
    best = np.mean([found.mixes[found.best].gain.value for found in drawn])
    chosen = np.array([found.chosen.gain.value for found in drawn])
    assert best > 0.005
    assert abs(chosen.mean()) < 3.5 * chosen.std() / np.sqrt(len(chosen))


# -- as a diagnosis, a step and a recipe ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def record():
    wanted = Objectives(**{**TOLD, "current": None}, rule="rule", combined="one", combine="product")
    return errata.diagnose(table(), label="y", scores="quality", objectives=wanted, budget=0)


def test_the_record_holds_the_sweep_and_the_step(record, tmp_path):
    result = record.results["objectives"]
    assert result.found
    assert [item.kind for item in result.sweep.rankings] == ["current", "chosen", "equal", "combined", "rule"]
    step = next(step for step in record.next_steps if step.kind == "decouple")
    assert step.gain == result.headline
    assert step.pays
    assert errata.Record.open(record.save(tmp_path)).results["objectives"] == result
    assert (tmp_path / "record.json").stat().st_size < 300_000


def test_outcomes_and_scores_are_no_features(record):
    assert record.dataset.features == ("list", "user", "rule")
    assert record.dataset.roles["objectives"] == ["liked", "minutes", "engagement", "one"]


def test_other_scores_are_the_same_data():
    rows = table(300)
    first, second = (
        errata.diagnose(frame, label="y", scores="quality", objectives=TOLD, budget=0)
        for frame in (rows, rows.assign(engagement=rows["engagement"] ** 2))
    )
    assert first.dataset.digest == second.dataset.digest


def test_the_recipe_ranks_as_the_best_mix(record):
    sweep, rows = record.results["objectives"].sweep, table()
    step = next(step for step in record.next_steps if step.kind == "decouple")
    recipe = errata.Recipe.from_json(errata.Recipe.of(record, step).to_json())
    assert json.loads(recipe.to_json())["steps"][0]["params"]["weights"] == sweep.weights(sweep.best)
    ranked = rows.assign(mix=recipe.score(rows))
    assert share(ranked, "mix", "minutes") == pytest.approx(sweep.mixes[sweep.best].outcomes[1].value, rel=1e-3)
    assert recipe.apply(rows)["y"].tolist() == rows["y"].tolist()
    with pytest.raises(RecipeRefused, match=r"several models.*recipe\.score"):
        recipe.fit(object(), rows)
    with pytest.raises(errata.ErrataError, match="engagement"):
        recipe.score(rows.drop(columns="engagement"))


def test_a_sum_of_scores_is_a_recipe_too():
    rows = table()
    record = errata.diagnose(rows, label="y", scores="quality", objectives=TOLD, budget=0)
    step = next(step for step in record.next_steps if step.kind == "decouple")
    weights = step.params["weights"]
    expected = weights["quality"] * rows["quality"] + weights["engagement"] * rows["engagement"]
    assert errata.Recipe.of(record, step).score(rows) == pytest.approx(expected)


def test_a_recipe_without_the_step_ranks_nothing(record):
    stop = errata.Recipe.of(record, *[step for step in record.next_steps if step.kind == "stop"])
    with pytest.raises(RecipeRanksNothing, match="needs the step 'decouple'"):
        errata.Recipe(**{**vars(stop), "steps": ()}).score(table())


def test_the_score_in_use_is_that_of_the_run():
    rows = table()
    told = {**TOLD, "current": None}
    by_run = errata.diagnose(rows, label="y", scores="quality", objectives=told, budget=0)
    numbers = errata.diagnose(rows, label="minutes", prediction="quality", objectives=told, task="regression", budget=0)
    assert by_run.results["objectives"].sweep.current == numbers.results["objectives"].sweep.current
    classes = rows.assign(y=np.arange(len(rows)) % 3, said=0)
    record = errata.diagnose(classes, label="y", prediction="said", task="multiclass", objectives=told, budget=0)
    assert "score in use" in record.not_applicable["objectives"]


def test_without_objectives_it_says_what_to_add():
    record = errata.diagnose(table(300), label="y", scores="quality", budget=0)
    assert record.not_applicable["objectives"] == "needs objectives (objectives=...)"
    assert "errata.Objectives(" in str(record)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"top": 10}, "needs 50 rows at the top"),
        ({"metric": "ndcg", "top": 0.5}, "needs 20 lists"),
        ({"unit": "half"}, "needs 20 rows or units"),
    ],
)
def test_too_few_rows_to_judge(changed, said):
    with pytest.raises(NotApplicable, match=said):
        errata.sweep(table(300).assign(half=np.arange(300) % 2), {**TOLD, **changed})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"outcomes": "liked"}, r"outcomes='liked' is no list of columns. Pass outcomes=\["),
        ({"outcomes": ["liked", "liked"]}, "names 'liked' twice"),
        ({"outcomes": {"liked": float("nan")}}, r"outcomes\['liked'\]=nan is not what one unit is worth"),
        ({"outcomes": {"liked": 0}}, "is worth nothing"),
        ({"outcomes": ["likes"]}, "Did you mean 'liked'"),
        ({"outcomes": ["minus"]}, "sums up to|has the mean"),
        ({"outcomes": {"minus": 1.0}}, 'Pass metric="mean"'),
        ({"outcomes": {"minus": 1.0}, "metric": "ndcg", "group": "list"}, "NDCG needs gains of 0 or more"),
        ({"scores": ["quality"]}, "names 1 column. Name 2 to 4"),
        ({"scores": ["quality", "flat"]}, "'flat' is the same in every row"),
        ({"scores": ["quality", "gaps"]}, "'gaps' is missing or infinite in 1 rows"),
        ({"scores": ["quality", "list"]}, "Make it numeric"),
        ({"scores": ["one", "quality"], "combine": "product"}, 'goes down to .* Pass combine="sum"'),
        ({"combine": "times"}, "combine='times' is not known"),
        ({"metric": "ndgc"}, "Did you mean 'ndcg'"),
        ({"top": 1.5}, "top=1.5 is not a whole number"),
        ({"top": 0}, "top=0 is not"),
        ({"group": "lists"}, "Did you mean 'list'"),
        ({"rule": 6}, "rule=6 is no name of a column"),
        ({"scorse": ["quality"]}, "Did you mean 'scores'"),
    ],
)
def test_bad_objectives_are_refused_in_one_sentence(changed, said):
    rows = table(300).assign(flat=1.0, minus=-1.0)
    rows["gaps"] = rows["engagement"].where(rows.index > 0)
    with pytest.raises(errata.ErrataError, match=said):
        errata.sweep(rows, {**TOLD, **changed})
    with pytest.raises(errata.ErrataError, match=said):
        errata.diagnose(rows, label="y", scores="quality", objectives={**TOLD, **changed}, budget=0)


def test_objectives_of_no_kind_are_refused():
    with pytest.raises(errata.ErrataError, match=r"Pass errata\.Objectives"):
        errata.sweep(table(300), ["liked"])
    with pytest.raises(errata.ErrataError, match=r"names no outcomes\. Add"):
        errata.sweep(table(300), {})


def test_printed_it_reads(record):
    text = str(errata.sweep(table(), {**TOLD, "rule": "rule"}))
    assert "The score in use, quality, brings" in text
    assert "The simple rule, rule, brings" in text
    assert "nothing was trained" in text
    assert asdict(record.results["objectives"].sweep)["best"] >= 0
