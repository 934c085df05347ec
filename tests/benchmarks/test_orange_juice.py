"""Dominick's orange juice: the forecasts against chain average, own history, shrunken history and demographics alone.

Quick by default (one draw a task, three of D, which differ much); ``ASSORTMENT_BENCH=full`` takes five, and ten of D.
The table is printed and written to ``reports/benchmarks/orange_juice.md``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from orange_juice import NotThereError, OrangeJuice, orange_juice
from orange_juice_tasks import (
    Split,
    after_few_units,
    after_few_weeks,
    baselines,
    earlier,
    fitted,
    forecasts,
    intervals,
    introduced,
    later_weeks,
    unseen_stores,
)

FULL = os.environ.get("ASSORTMENT_BENCH") == "full"
DRAWS = {"A": 5, "B": 5, "D": 10} if FULL else {"A": 1, "B": 1, "D": 3}
OUT = Path(__file__).parents[2] / "reports" / "benchmarks" / "orange_juice.md"
GOALS = {  # of the method page, each as a part of the baseline that it names, measured there on one set of folds
    ("A unseen stores", "WAPE"): ("chain average", 0.088 / 0.165),
    ("A unseen stores", "KL"): ("chain average", 0.126 / 0.528),
    ("B 101 weeks", "WAPE"): ("own history", 0.168 / 0.185),
    ("B 101 weeks", "KL"): ("own history", 0.194 / 0.399),
    ("B 8 weeks", "WAPE"): ("own history", 0.205 / 0.332),
    ("B 8 weeks", "KL"): ("own history", 0.272 / 0.452),
    ("B 8 weeks, earlier", "WAPE"): ("own history", 0.205 / 0.332),
    ("B 8 weeks, earlier", "KL"): ("own history", 0.272 / 0.452),
    ("B 8 weeks, 1 %", "WAPE"): ("chain average", 0.212 / 0.391),
    ("B 8 weeks, 1 %", "KL"): ("chain average", 0.270 / 0.469),
    ("D introduced", "WAPE"): ("chain average", 0.175 / 0.269),
}
COVERED, WIDEST = (0.85, 0.95), 0.33
METHODS = ["chain average", "own history", "shrunken history", "demographics only", "model"]


@pytest.fixture(scope="module")
def juice() -> OrangeJuice:
    try:
        return orange_juice()
    except NotThereError as reason:
        pytest.skip(f"Dominick's orange juice is not there: {reason}")


@pytest.fixture(scope="module")
def unseen(juice: OrangeJuice) -> tuple[list[dict[str, object]], pd.DataFrame]:
    """Scores and intervals of task A, all folds of a draw pooled."""
    scores: list[dict[str, object]] = []
    bounds = []
    for draw in range(DRAWS["A"]):
        splits = unseen_stores(juice, draw)
        whole = Split(splits[0].task, draw, juice, splits[0].train, np.ones(len(juice.week), np.bool_), juice.units)
        shares = {name: np.zeros(juice.units.shape) for name in ("chain average", "demographics only", "model")}
        for split in splits:
            model = fitted(split)
            for name, forecast in (*baselines(split), *forecasts(split, model)):
                if name in shares:
                    shares[name][split.test] = forecast
            bounds.append(intervals(split, model, shares["model"][split.test]).assign(draw=draw))
        scores += [record(whole, name, forecast) for name, forecast in shares.items()]
    return scores, pd.concat(bounds)


def record(split: Split, name: str, shares: np.ndarray) -> dict[str, object]:
    return {"task": split.task, "draw": split.draw, "method": name, **split.score(shares)}


def of_stores_seen(juice: OrangeJuice) -> Iterator[dict[str, object]]:
    for task in (later_weeks, after_few_weeks, earlier, after_few_units, introduced):
        for draw in range(DRAWS["D" if task is introduced else "B"] - (FULL and task is earlier)):
            split = task(juice, draw)
            for name, shares in (*baselines(split), *forecasts(split, fitted(split))):
                yield record(split, name, shares)


def summarised(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per task and score: means over the draws (weighted by units), the goal on these draws, whether it is met.

    The goal is the method page's part of the baseline that it names, so the improvement over the baselines counts, not
    which folds were drawn. ``±`` are standard deviations over the draws, of the model's score and of model ÷ goal.
    Draws without the baseline (stores new since) do not count. ``to best`` is the model ÷ the better of own history and
    demographics only, and ``never worse`` whether it is that or better in the mean, or worse by chance: by less than
    1.645 standard errors between the draws.
    """
    rows = []
    for (task, measure), (against, part) in GOALS.items():
        ours = scores[scores["task"] == task]
        table = ours.pivot(index="draw", columns="method", values=measure).reindex(columns=METHODS)
        table = table[table[against].notna()]
        weight = ours.groupby("draw")["units"].first().loc[table.index]
        mean = table.mul(weight, axis=0).sum(min_count=1) / weight.sum()
        goal = part * mean[against]
        ratio = table["model"] / (part * table[against])
        rival = mean[["own history", "demographics only"]].idxmin()
        behind = table["model"] - table[rival]
        chance = 1.645 * behind.std() / np.sqrt(len(behind)) if len(behind) > 1 else 0.0
        rows.append(
            {
                "task": task,
                "score": measure,
                "draws": len(table),
                **mean.to_dict(),
                "±": table["model"].std(),
                "goal": goal,
                "model ÷ goal": mean["model"] / goal,
                "± ": ratio.std(),
                "found": "PASS" if mean["model"] <= goal else "short of goal",
                "to best": mean["model"] / mean[rival],
                "never worse": "PASS" if mean["model"] - mean[rival] <= chance else "worse",
            }
        )
    return pd.DataFrame(rows)


def interval_lines(bounds: pd.DataFrame) -> list[str]:
    """Coverage over the draws, and the mean width as a part of the share: whole and half, of all and by share."""
    hit = (bounds["actual"] >= bounds["low"]) & (bounds["actual"] <= bounds["high"])
    covered = hit.groupby(bounds["draw"]).mean()
    spread = "" if len(covered) == 1 else f" ± {covered.std():.1%}"
    right = COVERED[0] <= covered.mean() <= COVERED[1]
    lines = [
        f"90 % intervals of unseen stores cover {covered.mean():.1%}{spread} of the choice shares: "
        f"{'PASS' if right else 'short of goal'}"
    ]
    share = bounds["forecast"]
    width = (bounds["high"] - bounds["low"]) / share
    for name, values in (("(high − low) ÷ share", width), ("half of it", width / 2.0)):
        found = [values.mean(), np.average(values, weights=share)]
        verdicts = [f"{value:.1%}: {'PASS' if value < WIDEST else 'short of goal'}" for value in found]
        lines.append(f"mean relative width, {name}: of all cells {verdicts[0]}; weighted by share {verdicts[1]}")
    return lines


def test_forecasts_of_orange_juice(
    juice: OrangeJuice,
    unseen: tuple[list[dict[str, object]], pd.DataFrame],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Better than chain average on stores never seen and on brands introduced; own history scores 1 on the latter."""
    scores = pd.DataFrame([*unseen[0], *of_stores_seen(juice)])
    table = summarised(scores)
    text = "\n".join(
        [
            f"Dominick's orange juice; draws: {', '.join(f'{task} {count}' for task, count in DRAWS.items())} "
            "(see tests/benchmarks/orange_juice_tasks.py)",
            "",
            table.to_string(index=False, float_format=lambda value: f"{value:.3f}", na_rep="-"),
            "",
            *interval_lines(unseen[1]),
        ]
    )
    with capsys.disabled():
        print(f"\n{text}")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(f"```\n{text}\n```\n", encoding="utf-8")
    by = table.set_index(["task", "score"])
    assert by.loc[("D introduced", "WAPE"), "own history"] == pytest.approx(1.0, abs=1e-6)
    for task, measure in (("A unseen stores", "WAPE"), ("A unseen stores", "KL"), ("D introduced", "WAPE")):
        assert by.loc[(task, measure), "model"] < by.loc[(task, measure), "chain average"]
