"""The errors a user can cause, each with a message that names the thing, the fault and the next step.

::

    AssortmentError                     exit code 1
    ├── InputError                      2   a table, a file or a frame that cannot be used; lists every fault
    ├── ScenarioError                   3   a scenario file or a setting that cannot be used
    ├── GeographyError                  4   stores, polygons or coordinates that do not fit together
    ├── DemandError                     5   preferences that cannot be estimated from what was given
    ├── ProblemError                    6   arrays or rules that do not state a problem
    ├── Infeasible                      7   no assortment obeys all rules; names the rules and the stores
    └── ReportError                     8   a report that cannot be written

``AssortmentWarning`` is for what a user should know although the work goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_FAULTS_SHOWN = 25
_NAMES_SHOWN = 10


def listed(names: Iterable[object], *, separator: str = ", ", what: str = "") -> str:
    """Return names for a message: all of them, or the first ten and how many more there are.

    Parameters
    ----------
    names
        What to name.
    separator
        Between two names.
    what
        What those are that are not named, such as ``pairs``.
    """
    texts = [str(name) for name in names]
    rest = len(texts) - _NAMES_SHOWN
    more = f" and {rest} more" + (f" {what}" if what else "") if rest > 0 else ""
    return separator.join(texts[:_NAMES_SHOWN]) + more


class AssortmentError(Exception):
    """Base of all errors that a user can cause and mend; ``exit_code`` is what the command line returns."""

    exit_code = 1


@dataclass(frozen=True)
class Fault:
    """One fault of an input.

    Parameters
    ----------
    file
        File or frame that holds it, as the user knows it.
    row
        Row as the user counts it in that file (header is row 1), or ``None`` for a fault of the whole table.
    column
        Column, or ``None`` for a fault of the whole row or table.
    found
        What stands there.
    expected
        What should stand there, or what to do.
    """

    file: str
    row: int | None
    column: str | None
    found: str
    expected: str

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column '{self.column}'"
        return f"{place}: found {self.found}; expected {self.expected}"


class InputError(AssortmentError):
    """A table, a file or a frame that cannot be used; ``faults`` holds all of them, not just the first."""

    exit_code = 2

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        shown = [f"  - {fault}" for fault in self.faults[:_FAULTS_SHOWN]]
        if len(self.faults) > _FAULTS_SHOWN:
            shown.append(f"  … and {len(self.faults) - _FAULTS_SHOWN} more")
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__("\n".join([f"{count} in the input:", *shown]))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Fault, ...]]]:
        # The default would hand the message back to __init__ when a worker process raises.
        return type(self), (self.faults,)


class ScenarioError(AssortmentError):
    """A scenario file or a setting that cannot be used."""

    exit_code = 3


class GeographyError(AssortmentError):
    """Stores, polygons or coordinates that do not fit together."""

    exit_code = 4


class DemandError(AssortmentError):
    """Preferences that cannot be estimated from what was given."""

    exit_code = 5


class ProblemError(AssortmentError):
    """Arrays or rules that do not state a problem."""

    exit_code = 6


@dataclass(frozen=True)
class Step:
    """One setting that a relaxation changes.

    Parameters
    ----------
    setting
        Such as ``core_min``, ``changes_max``, ``shelf_cm``, ``groups least``; ``allowed`` and ``required`` are 0 or 1.
    now, to
        What it is and what it must become.
    store, product, group
        Of which store, product or group; ``None`` where the setting is of all.
    """

    setting: str
    now: float
    to: float
    store: str | None = None
    product: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Relaxation:
    """By how much one rule must give for a conflict to vanish while all others hold.

    Parameters
    ----------
    rule
        Its name, as in ``RULES``.
    amount
        By how much, in the rule's own unit (centimetres, products, changes, stores); where stores differ, the most.
    stores
        Ids of the stores where it must give; empty where a setting of the whole chain changes.
    steps
        Every setting that changes.
    least
        Whether less was ruled out; otherwise less may help too.
    checked
        Whether this much was seen to help; otherwise more may be needed.
    """

    rule: str
    amount: float
    stores: tuple[str, ...]
    steps: tuple[Step, ...]
    least: bool = True
    checked: bool = True


@dataclass(frozen=True)
class Obstacle:
    """One reason why there is no plan.

    Parameters
    ----------
    rules
        Names of the rules in conflict: an irreducible infeasible subset of them.
    stores
        Ids of the stores in conflict; empty where no store is needed for it.
    sentence
        The conflict in words, with the next step.
    relaxations
        Ways out; each alone makes this conflict vanish.
    irreducible
        Whether it was seen that without any one of the rules, and without any one of the stores, the rest can be kept;
        otherwise fewer may be in conflict already.
    """

    rules: tuple[str, ...]
    stores: tuple[str, ...]
    sentence: str
    relaxations: tuple[Relaxation, ...] = ()
    irreducible: bool = True


class Infeasible(AssortmentError):  # noqa: N818 - the design names it so, as the field does
    """No assortment obeys all rules.

    Parameters
    ----------
    message
        What is in conflict, in words, and the next step.
    rules
        Names of the rules in conflict, as in ``RULES``.
    stores
        Ids of the stores in conflict; empty where the conflict is of the chain as a whole.
    obstacles
        Each conflict with its rules, stores and ways out.
    enough
        Ways out of all conflicts at once: with all relaxations of any one of these a plan was found.
    """

    exit_code = 7

    def __init__(
        self,
        message: str,
        *,
        rules: Iterable[str] = (),
        stores: Iterable[str] = (),
        obstacles: Iterable[Obstacle] = (),
        enough: Iterable[tuple[Relaxation, ...]] = (),
    ) -> None:
        self.rules, self.stores = tuple(rules), tuple(stores)
        self.obstacles, self.enough = tuple(obstacles), tuple(enough)
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default way between processes.
        return _infeasible, (str(self), self.rules, self.stores, self.obstacles, self.enough)


def _infeasible(
    message: str,
    rules: tuple[str, ...],
    stores: tuple[str, ...],
    obstacles: tuple[Obstacle, ...],
    enough: tuple[tuple[Relaxation, ...], ...],
) -> Infeasible:
    return Infeasible(message, rules=rules, stores=stores, obstacles=obstacles, enough=enough)


class ReportError(AssortmentError):
    """A report that cannot be written."""

    exit_code = 8


class AssortmentWarning(UserWarning):
    """Something a user should know although the work goes on."""
