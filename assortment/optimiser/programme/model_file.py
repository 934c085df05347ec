"""The reference model as a file for people and other solvers: LP or MPS, and beside it what each variable is of."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pulp

from assortment.errors import ProblemError
from assortment.optimiser.programme.model import reference_model
from assortment.optimiser.rules.columns import columns_of

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_ENDINGS = (".lp", ".mps")
_HEAD = ("variable", "meaning", "store_id", "product_id", "class_name", "supplier_id")
_LETTERS = {
    # First letter of a name: what it means, and what its numbers are of (s store, j product, k class, f supplier).
    "x": ("store carries product", "sj"),
    "y": ("product is core of the core group of this number", "-j"),
    "a": ("product is core of some group", "j"),
    "z": ("product is listed in the chain", "j"),
    "d": ("supplier delivers to store", "sf"),
    "g": ("store carries what the store of this number carries", "s-"),
    "u": ("probability that a shopper of the class buys nothing", "sk"),
    "q": ("the same if store carries product, else 0", "skj"),
}


def require_ending(path: Path) -> str:
    """Return the ending of a model file, in lower case.

    Raises
    ------
    ProblemError
        When it is none of a model.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise ProblemError(f"{path}: a model is written as {' or '.join(_ENDINGS)}; end the name of the file with one")
    return path.suffix.lower()


def write_model(problem: Problem, path: Path) -> Path:
    """Write the reference model of ``problem`` and its table of names; `Problem.write` with its words."""
    ending = require_ending(path)
    model = reference_model(problem)
    try:
        if ending == ".lp":
            model.writeLP(str(path))
        else:
            # PuLP tells the sense of a maximisation in a comment, which readers skip: state a minimisation instead.
            model.writeMPS(str(path), mpsSense=pulp.LpMinimize)
        _write_names(problem, [variable.name for variable in model.variables()], path.with_suffix(".names.csv"))
    except OSError as error:
        raise ProblemError(f"{path}: the model cannot be written: {error.strerror}") from None
    return path


def _write_names(problem: Problem, names: list[str], path: Path) -> None:
    slacks = {slack.name: slack for slack in columns_of(problem).slacks}
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_HEAD)
        for name in names:
            if name in slacks:
                slack = slacks[name]
                way = "over its high end" if slack.over else "under its low end"
                store = "" if slack.store < 0 else problem.store_ids[slack.store]
                product = "" if slack.product < 0 else problem.product_ids[slack.product]
                rows.writerow([name, f"by how much the row {slack.row} goes {way}", store, product, "", ""])
            else:
                rows.writerow([name, *_told(problem, name)])


def _told(problem: Problem, name: str) -> Iterator[str]:
    """Yield what a variable means and the ids of its store, product, class and supplier, empty where it has none."""
    letter, *numbers = name.split("_")
    meaning, of = _LETTERS[letter]
    at = dict(zip(of, map(int, numbers), strict=True))
    yield meaning
    for axis, ids in (
        ("s", problem.store_ids),
        ("j", problem.product_ids),
        ("k", problem.class_names),
        ("f", problem.supplier_ids),
    ):
        yield ids[at[axis]] if axis in at else ""
