"""Infeasible: the message names the rules, the stores, the numbers and the next step."""

from __future__ import annotations

import numpy as np
import pytest

from assortment.errors import Infeasible
from assortment.optimiser import RULES, Group, Problem, Rules, solve
from assortment.optimiser.infeasible.conflict import _MENDS


def chain(rules: Rules, *, shelf: float | list[float] = 100.0, space: float = 10.0, S: int = 3) -> Problem:
    """Stores north, south, … with six alike products."""
    return Problem(
        attraction=np.ones((S, 1, 6)),
        class_weight=np.full((S, 1), 10.0),
        no_purchase=1.0,
        margin=np.arange(1.0, 7.0),
        space_cm=np.full(6, space),
        shelf_cm=np.array(shelf),
        rules=rules,
        store_ids=("north", "south", "east", "west")[:S],
    )


def message(problem: Problem) -> Infeasible:
    """What solve raises."""
    with pytest.raises(Infeasible) as caught:
        solve(problem)
    return caught.value


def test_core_does_not_fit() -> None:
    """The smallest store is named, with what the core needs, what the shelf has, and both ways out."""
    error = message(chain(Rules(core_min=5), shelf=[100.0, 38.0, 100.0]))
    assert error.rules == ("core", "shelf")
    assert error.stores == ("south",)
    assert (
        "store 'south': the core of at least 5 products needs at least 50 cm, the shelf has 38; "
        "lower core_min to 3, or give 12 cm more"
    ) in str(error)


def test_required_but_not_allowed() -> None:
    """A product that must and may not stand in a store is named with the store."""
    required, allowed = np.zeros((3, 6), bool), np.ones((3, 6), bool)
    required[0, 2], allowed[0, 2] = True, False
    error = message(chain(Rules(required=required, allowed=allowed)))
    assert error.rules == ("required", "allowed")
    assert error.stores == ("north",)
    assert "'p3' is required but not allowed there" in str(error)


def test_required_does_not_fit() -> None:
    """Required products that need more than the shelf are counted in centimetres."""
    error = message(chain(Rules(required=np.ones(6, bool)), shelf=45.5))
    assert error.rules == ("required", "shelf")
    assert error.stores == ("north", "south", "east")
    assert "the required products need 60 cm, the shelf has 45.5; require less, or give 14.5 cm more" in str(error)


def test_group_out_of_reach() -> None:
    """A group with fewer products than it asks for says how many there are."""
    members, allowed = np.arange(6) < 2, np.ones((3, 6), bool)
    allowed[2, 0] = False
    error = message(chain(Rules(groups=[Group("type: oat", members, least=2)], allowed=allowed)))
    assert error.rules == ("groups", "allowed")
    assert error.stores == ("east",)
    assert "at least 2 of 'type: oat' are asked for, 1 may stand there; lower the least to 1" in str(error)


def test_too_few_can_be_core() -> None:
    """When too few products may stand everywhere, the largest possible core is told."""
    error = message(chain(Rules(core_min=4, allowed=np.array([[1, 1, 1, 1, 0, 0], [1] * 6, [0, 1, 1, 1, 1, 1]], bool))))
    assert error.rules == ("core", "allowed")
    assert "only 3 products may stand in every store, the core asks for 4; lower core_min to 3" in str(error)


@pytest.mark.parametrize(
    ("rules", "names", "words"),
    [
        (Rules(core_min=3, core_max=2), ("core",), "core_min 3 is more than core_max 2"),
        (Rules(core_min=3, products_max=2), ("products_max", "core"), "raise products_max to 3"),
        (Rules(local_per_store=(3, 2)), ("local_per_store",), "cannot both hold"),
        (Rules(groups=[Group("g", np.ones(6, bool), 3, 2)]), ("groups",), "cannot both hold"),
    ],
)
def test_limits_that_contradict(rules: Rules, names: tuple[str, ...], words: str) -> None:
    """Two limits that contradict each other are told in one sentence."""
    error = message(chain(rules))
    assert error.rules == names
    assert words in str(error)


def test_every_rule_has_a_way_out() -> None:
    """For each rule the message can say what to do about it."""
    assert set(_MENDS) == {rule.name for rule in RULES}


def test_several_faults_at_once() -> None:
    """All conflicts that can be seen are reported together, not just the first."""
    required, allowed = np.zeros((3, 6), bool), np.ones((3, 6), bool)
    required[0, 2], allowed[0, 2] = True, False
    error = message(chain(Rules(core_min=5, required=required, allowed=allowed), shelf=[100.0, 38.0, 100.0]))
    assert {"required", "allowed", "core", "shelf"} <= set(error.rules)
    assert {"north", "south"} <= set(error.stores)


def test_changes_against_shelf() -> None:
    """A store that cannot come down to its shelf within its changes is found by a programme, with the relaxation."""
    today = np.ones((3, 6), bool)
    error = message(chain(Rules(today=today, changes_max=2), shelf=[100.0, 100.0, 30.0]))
    assert set(error.rules) == {"shelf", "changes_max"}
    assert error.stores == ("east",)
    assert "store 'east': shelf, changes_max cannot hold together" in str(error)
    assert "raise changes_max by 1" in str(error)
    assert "give 10 cm more shelf" in str(error)


def test_conflict_of_the_chain() -> None:
    """Rules that only the chain as a whole breaks are named without blaming a store that can do its part."""
    # Each store must hold another pair, the chain may list three: any one store is content.
    required = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0]], bool)
    error = message(chain(Rules(required=required, core_min=1, core_max=1, local_products_max=2)))
    assert set(error.rules) == {"core", "required", "local_products_max"}
    assert "the chain: " in str(error)
    assert "raise local_products_max by 1" in str(error)


def test_minimum_stores_out_of_reach() -> None:
    """A required product that may stand in one store only cannot stand in two."""
    allowed, required = np.ones((3, 6), bool), np.zeros((3, 6), bool)
    allowed[1:, 5], required[0, 5] = False, True
    error = message(chain(Rules(allowed=allowed, required=required, local_min_stores=2)))
    assert "local_min_stores" in error.rules
    assert "required" in error.rules
