"""Infeasible: the message names the rules, the stores, the numbers and the next step."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from chain_instances import chain_problem

from assortment.errors import Infeasible, Step
from assortment.optimiser import Group, Problem, Rules, solve
from assortment.optimiser.infeasible import spread
from assortment.optimiser.infeasible.any_plan import any_plan
from assortment.optimiser.infeasible.infeasible import explain
from assortment.optimiser.infeasible.relaxation import relaxed
from assortment.optimiser.infeasible.sharing import sharing_conflict


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
        "store 'south': with a core of at least 5 products, at least 50 cm are needed, the shelf has 38; "
        "lower rules.core_min from 5 to 3, or give 12 cm more shelf"
    ) in str(error)
    assert "Each of these ways alone is enough for a plan." in str(error)


def test_what_to_do_is_there_for_programs() -> None:
    """Each way out says which settings change, by how much and where; with any of them there is a plan."""
    problem = chain(Rules(core_min=5), shelf=[100.0, 38.0, 100.0])
    (obstacle,) = message(problem).obstacles
    core, shelf = obstacle.relaxations
    assert (core.rule, core.amount, core.stores) == ("core", 2.0, ())
    assert core.steps == (Step("core_min", 5.0, 3.0),)
    assert (shelf.rule, shelf.amount, shelf.stores) == ("shelf", 12.0, ("south",))
    assert shelf.steps == (Step("shelf_cm", 38.0, 50.0, "south"),)
    for way in obstacle.relaxations:
        assert solve(relaxed(problem, [way])).carried.any()


def test_error_survives_a_process() -> None:
    """Rules, stores, conflicts and ways out come through pickle, as from another process."""
    error = message(chain(Rules(core_min=5), shelf=[100.0, 38.0, 100.0]))
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert (again.rules, again.stores, again.obstacles, again.enough) == (
        error.rules,
        error.stores,
        error.obstacles,
        error.enough,
    )


def test_required_but_not_allowed() -> None:
    """A product that must and may not stand in a store is named with the store."""
    required, allowed = np.zeros((3, 6), bool), np.ones((3, 6), bool)
    required[0, 2], allowed[0, 2] = True, False
    error = message(chain(Rules(required=required, allowed=allowed)))
    assert set(error.rules) == {"required", "allowed"}
    assert error.stores == ("north",)
    assert "store 'north': 'p3' is required but not allowed there (status, locks, supplier reach)" in str(error)
    assert "no longer require 'p3' there, or allow 'p3' there" in str(error)


def test_stores_with_the_same_fault_are_one_line() -> None:
    """What is wrong in several stores is told once, with the numbers of the worst, and each store's own way out."""
    error = message(chain(Rules(required=np.ones(6, bool)), shelf=[45.5, 100.0, 52.0]))
    assert set(error.rules) == {"required", "shelf"}
    assert error.stores == ("north", "east")
    assert "2 stores ('north' and 'east'), worst in 'north'" in str(error)
    assert "at least 60 cm are needed, the shelf has 45.5" in str(error)
    assert "give more shelf: 14.5 cm in 'north' and 8 cm in 'east'" in str(error)
    assert len(error.obstacles) == 1


def test_group_out_of_reach() -> None:
    """A group of which too few may stand in a store says how many can."""
    members, allowed = np.arange(6) < 2, np.ones((3, 6), bool)
    allowed[2, 0] = False
    error = message(chain(Rules(groups=[Group("type: oat", members, least=2)], allowed=allowed)))
    assert set(error.rules) == {"groups", "allowed"}
    assert error.stores == ("east",)
    assert "at most 1 of 'type: oat' can stand there, at least 2 are asked for by rules.groups" in str(error)
    assert "lower the least in rules.groups of 'type: oat' from 2 to 1, or allow 'p1' there" in str(error)


def test_too_few_can_be_core() -> None:
    """The stores that together leave too few products to be core are named; one that allows all is not."""
    error = message(chain(Rules(core_min=4, allowed=np.array([[1, 1, 1, 1, 0, 0], [1] * 6, [0, 1, 1, 1, 1, 1]], bool))))
    assert set(error.rules) == {"core", "allowed"}
    assert error.stores == ("north", "east")
    assert "(status, locks, supplier reach), at most 3 products can be core, rules.core_min is 4" in str(error)
    assert "lower rules.core_min from 4 to 3" in str(error)


@pytest.mark.parametrize(
    ("rules", "names", "words"),
    [
        (
            Rules(core_min=3, core_max=2),
            ("core",),
            "rules.core_min 3 is more than rules.core_max 2; raise",
        ),
        (Rules(core_min=3, products_max=2), ("core", "products_max"), "raise rules.products_max from 2 to 3"),
        (
            Rules(local_per_store=(3, 2)),
            ("local_per_store",),
            "at least 3 and at most 2 cannot both hold",
        ),
        (Rules(groups=[Group("g", np.ones(6, bool), 3, 2)]), ("groups",), "'g': at least 3 and at most 2 cannot"),
    ],
)
def test_limits_that_contradict(rules: Rules, names: tuple[str, ...], words: str) -> None:
    """Two limits that contradict each other are told in one sentence, and either may give."""
    error = message(chain(rules))
    assert error.rules == names
    assert words in str(error)
    assert len(error.enough) == 2


def test_several_faults_at_once() -> None:
    """All conflicts that can be seen are reported together, not just the first."""
    required, allowed = np.zeros((3, 6), bool), np.ones((3, 6), bool)
    required[0, 2], allowed[0, 2] = True, False
    error = message(chain(Rules(core_min=5, required=required, allowed=allowed), shelf=[100.0, 38.0, 100.0]))
    assert {"required", "allowed", "core", "shelf"} <= set(error.rules)
    assert {"north", "south"} <= set(error.stores)
    assert len(error.obstacles) == 2


def test_changes_against_shelf() -> None:
    """A store that cannot come down to its shelf within its changes is told what today takes and what is missing."""
    today = np.ones((3, 6), bool)
    error = message(chain(Rules(today=today, changes_max=2), shelf=[100.0, 100.0, 30.0]))
    assert set(error.rules) == {"shelf", "changes_max"}
    assert error.stores == ("east",)
    assert (
        "store 'east': today's listing needs 60 cm; with at most 2 changes of today's 6 products, at least 40 cm are "
        "needed, the shelf has 30; raise rules.changes_max from 2 to 3, or give 10 cm more shelf"
    ) in str(error)


def test_conflict_of_the_chain() -> None:
    """Rules that only the chain as a whole breaks are told of the stores together, with what they need."""
    # Each store must hold others, the chain may list three: any one store is content.
    required = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0]], bool)
    error = message(chain(Rules(required=required, core_min=1, core_max=1, local_products_max=2)))
    assert set(error.rules) == {"core", "required", "local_products_max"}
    assert "the chain: " in str(error)
    assert "raise rules.local_products_max from 2 to 3" in str(error)


def test_stores_without_a_part_in_it_are_not_blamed() -> None:
    """Of stores that cannot agree on a core, only a smallest set is named."""
    today = np.zeros((4, 6), bool)
    today[0, :2], today[1:, 4:] = True, True
    today[3] = True
    error = message(chain(Rules(core_min=3, today=today, changes_max=1), shelf=1000.0, S=4))
    assert error.rules == ("core", "changes_max")
    assert error.stores in (("north", "south"), ("north", "east"))
    assert "lower rules.core_min from 3 to 2, or raise rules.changes_max from 1 to 2" in str(error)


def test_minimum_stores_out_of_reach() -> None:
    """A product that must stand in one store and may stand in no other cannot stand in two; the product is named."""
    allowed, required = np.ones((3, 6), bool), np.zeros((3, 6), bool)
    allowed[1:, 5], required[0, 5] = False, True
    error = message(chain(Rules(allowed=allowed, required=required, local_min_stores=2)))
    assert set(error.rules) == {"local_min_stores", "required", "allowed"}
    assert "'p6' must stand in 'north' and may stand in 1 store only" in str(error)
    assert "lower rules.local_min_stores from 2 to 1" in str(error)


def test_layers_are_told_together() -> None:
    """When no single rule can give enough, a set of changes that is enough together is told."""
    required, allowed = np.zeros((3, 6), bool), np.ones((3, 6), bool)
    required[0, 2], allowed[0, 2] = True, False
    problem = chain(Rules(core_min=5, required=required, allowed=allowed), shelf=[100.0, 38.0, 100.0])
    error = message(problem)
    (ways,) = error.enough
    assert [way.rule for way in ways] == ["required", "core"]
    assert "These together are enough for a plan: " in str(error)
    assert solve(relaxed(problem, ways)).carried.any()


def test_a_rule_with_a_price_is_not_in_the_way() -> None:
    """What may be broken for a price is never named as a conflict."""
    rules = Rules(core_min=5, required=np.ones(6, bool), soft={"shelf": 1.0}, products_max=4)
    error = message(chain(rules, shelf=38.0))
    assert "shelf" not in error.rules
    assert "products_max" in error.rules


def test_what_is_not_decided_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the search ends without a plan or a proof, the message claims nothing and names what is hard to keep."""
    problem = chain_problem(30, 40, 1, seed=2, changes=0).with_rules(local_min_stores=29)
    # As in a chain of many places.
    monkeypatch.setattr(spread, "_CHAIN_MOST", 0)
    monkeypatch.setattr(spread, "_WHOLE_MOST", 0)
    error = explain(problem)
    assert str(error).startswith("no assortment that obeys all rules was found, which does not prove that there is no")
    assert "Without rules.local_min_stores there is one" in str(error)
    assert error.rules == ("local_min_stores",)
    assert error.obstacles == ()
    (ways,) = error.enough
    assert not ways[0].least
    assert any_plan(relaxed(problem, ways))[0] is not None


def test_shares_of_local_products() -> None:
    """A store whose shelf has no room for more than the core cannot have half of its products local."""
    error = message(chain(Rules(core_min=3, local_share=(0.5, None)), shelf=[100.0, 38.0, 100.0]))
    assert set(error.rules) == {"core", "shelf", "local_share"}
    assert "a core of at least 3 products" in str(error)
    assert "at least 50 % local products in each store" in str(error)
    assert "lower the least in rules.local_share from 0.5 to 0" in str(error)


def test_sharing_is_not_blamed_where_every_store_may_have_its_own() -> None:
    """With as many assortments as stores that rule forbids nothing, whatever else is wrong."""
    assert sharing_conflict(chain(Rules(core_min=5, assortments_max=3), shelf=38.0)) is None
