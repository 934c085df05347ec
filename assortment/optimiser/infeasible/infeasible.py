"""explain: why no assortment obeys all rules, in words, with rules, stores and the least relaxation that helps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from assortment.errors import Infeasible, Obstacle, Relaxation
from assortment.optimiser.infeasible.alone import conflicts_alone
from assortment.optimiser.infeasible.any_plan import any_plan
from assortment.optimiser.infeasible.conflict import Conflict, rules_in_order
from assortment.optimiser.infeasible.counting import contradictions, counting_shows, too_rare
from assortment.optimiser.infeasible.relaxation import BY_PLACE, relaxation, relaxed
from assortment.optimiser.infeasible.settle import is_large, least_way, settle
from assortment.optimiser.infeasible.sharing import sharing_conflict
from assortment.optimiser.infeasible.store_rows import SPREAD
from assortment.optimiser.infeasible.together import Asked, Together
from assortment.optimiser.infeasible.wording import HARD_TO_CHANGE, in_words, obstacle

if TYPE_CHECKING:
    from assortment.optimiser.problem.problem import Problem

_SHOWN = 12
_LAYERS = 3
# Ways out that are told where no conflict was found.
_TOLD = 2


def is_impossible(problem: Problem) -> bool:
    """Return whether it is plain that no assortment obeys all rules; ``False`` does not mean that one does.

    By counting, then by linear programmes: each store alone, then all of them together.
    """
    if counting_shows(problem) or conflicts_alone(problem, range(problem.S)):
        return True
    together = Together(problem)
    verdict = together.relaxation(Asked(together.parts(), tuple(range(problem.S))))
    return verdict.choice is None and bool(verdict.lines)


def explain(problem: Problem) -> Infeasible:
    """Return the error for a problem without any plan.

    Limits that contradict each other come first; without any, what counting shows, then what single stores cannot keep,
    then what the other stores cannot keep together.
    """
    together = Together(problem)
    contradiction = list(contradictions(problem))
    found = contradiction or _obstacles(problem, together)
    if not found:
        return _undecided(problem, together)
    enough: list[tuple[Relaxation, ...]] = []
    # What stores share is not part of the programmes that say what is enough.
    if not is_large(problem) and problem.rules.assortments_max is None:
        enough = _those_enough(problem, contradiction) or _enough(problem, together, found)
    rules = dict.fromkeys(rule for item in found for rule in item.rules)
    stores = dict.fromkeys(store for item in found for store in item.stores)
    return Infeasible(_message(found, enough), rules=rules, stores=stores, obstacles=found, enough=enough)


def not_found(rule: str = "", enough: Sequence[tuple[Relaxation, ...]] = ()) -> Infeasible:
    """Return the error that no plan was found, which proves nothing.

    Parameters
    ----------
    rule
        Without which there is a plan; empty where that is not known.
    enough
        Relaxations, with each of which there is one.
    """
    told = ["no assortment that obeys all rules was found, which does not prove that there is none."]
    told += (
        [f"Without rules.{rule} there is one: loosen it, or the rules that it is hard to keep with."] if rule else []
    )
    told += [_enough_in_words(enough)] if enough else []
    told += [] if rule or enough else ["Loosen a limit that is tight, or leave a rule out."]
    rules = dict.fromkeys([*([rule] if rule else []), *(way.rule for ways in enough for way in ways)])
    return Infeasible(" ".join(told), rules=rules, enough=enough)


def _undecided(problem: Problem, together: Together) -> Infeasible:
    if problem.rules.assortments_max is not None:
        apart = any_plan(problem.with_rules(assortments_max=None))[0]
        return not_found("" if apart is None else "assortments_max")
    rule, asked = "", rules_in_order(part.rule for part in together.parts())
    if SPREAD in together.parts() and any_plan(problem.with_rules(local_min_stores=None))[0] is not None:
        rule, asked = SPREAD.rule, [SPREAD.rule]
    return not_found(rule, [] if is_large(problem) else _singles(problem, together, asked, most=_TOLD))


def _obstacles(problem: Problem, together: Together) -> list[Obstacle]:
    rare = list(too_rare(problem))
    alone = conflicts_alone(problem, range(problem.S))
    found = [*rare, *(obstacle(problem, alike) for alike in _alike(alone))]
    if alone and is_large(problem):
        return found
    stuck = {s for conflict in alone for s in conflict.stores}
    # What is too rare has been told; and stores that are stuck alone say nothing about the others.
    parts = together.parts() - (frozenset({SPREAD}) if rare else frozenset())
    others = tuple(s for s in range(problem.S) if s not in stuck)
    conflict = settle(together, Asked(parts, others), whole=not found).conflict
    found += [] if conflict is None else [obstacle(problem, [conflict])]
    shared = sharing_conflict(problem) if not found else None
    return found if shared is None else [shared]


def _alike(conflicts: list[Conflict]) -> Iterable[list[Conflict]]:
    """Yield conflicts of the same rules together, those of the most stores first."""
    by_rules: dict[tuple[str, ...], list[Conflict]] = {}
    for conflict in conflicts:
        by_rules.setdefault(conflict.rules, []).append(conflict)
    yield from sorted(by_rules.values(), key=len, reverse=True)


def _those_enough(problem: Problem, found: list[Obstacle]) -> list[tuple[Relaxation, ...]]:
    """Return the ways out of a single conflict with which there is a plan."""
    ways = found[0].relaxations if len(found) == 1 else ()
    return [(way,) for way in ways if any_plan(relaxed(problem, [way]))[0] is not None]


def _enough(problem: Problem, together: Together, found: list[Obstacle]) -> list[tuple[Relaxation, ...]]:
    """Return single relaxations with each of which there is a plan; without any, one way out of each conflict if so."""
    singles = _singles(problem, together, dict.fromkeys(rule for item in found for rule in item.rules))
    if singles:
        return singles
    taken: tuple[Relaxation, ...] = ()
    for _ in range(_LAYERS):
        ways = [item.relaxations for item in found if item.relaxations]
        if len(ways) < len(found):
            return []
        taken += tuple(item[0] for item in ways)
        eased = relaxed(problem, taken)
        again = Together(eased)
        if settle(again, Asked(again.parts(), tuple(range(problem.S)))).plan is not None:
            return [taken]
        found = _obstacles(eased, again)
        if not found:
            return []
    return []


def _singles(
    problem: Problem, together: Together, rules: Iterable[str], *, most: int | None = None
) -> list[tuple[Relaxation, ...]]:
    """Return relaxations of one rule each, ``most`` of them at most, with each of which there is a plan."""
    parts, stores = together.parts(), tuple(range(problem.S))
    singles: list[tuple[Relaxation, ...]] = []
    for rule in sorted(rules, key=lambda name: name in HARD_TO_CHANGE):
        if len(singles) == most:
            break
        asked = Asked(parts, stores, rule)
        # Which places to open or to set free is a long question where products must stand often enough.
        dear = SPREAD in parts and rule in BY_PLACE and asked not in together.ways
        way = None if dear and (singles or most) else least_way(together, asked)
        if way is not None and way.checked:
            singles.append((relaxation(problem, way),))
    return singles


def _enough_in_words(enough: Sequence[tuple[Relaxation, ...]]) -> str:
    words = ", or ".join("; ".join(in_words(way) for way in ways) for ways in enough)
    if len(enough) == 1:
        return f"{'This alone is' if len(enough[0]) == 1 else 'These together are'} enough for a plan: {words}."
    return f"Any one of these is enough for a plan: {words}."


def _message(found: list[Obstacle], enough: list[tuple[Relaxation, ...]]) -> str:
    lines = [f"  - {item.sentence}" for item in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"  … and {len(found) - _SHOWN} more")
    if not enough:
        lines.append("Other conflicts may show once these are mended.")
    elif len(found) == 1 and {ways[0].steps for ways in enough} >= {item.steps for item in found[0].relaxations}:
        lines.append("Each of these ways alone is enough for a plan." if len(enough) > 1 else "Then there is a plan.")
    else:
        lines.append(_enough_in_words(enough))
    return "\n".join(["no assortment obeys all rules:", *lines])
