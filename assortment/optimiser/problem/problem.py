"""Problem: everything that decides what each store should carry, in arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from assortment.errors import ProblemError
from assortment.optimiser.arrays import Floats, Ints, Mask, read_only, shaped
from assortment.optimiser.problem.costs import Costs
from assortment.optimiser.programme.model import reference_model
from assortment.optimiser.programme.model_file import write_model
from assortment.optimiser.rules.columns import Columns, numbered
from assortment.optimiser.rules.excess import chain_excess, is_local, store_excess
from assortment.optimiser.rules.rules import Rules

if TYPE_CHECKING:
    import pulp

    from assortment.demand import Demand
    from assortment.inputs import Chain
    from assortment.optimiser.rules.rulespec import RuleSpec

_FAULTS_SHOWN = 25
_RATIO_MAX = 1e30
_SPACE_DIGITS = 6  # after the first of the largest shelf: a shelf of 4 m is measured to a micrometre

# Array, its axes (store, class, product), what its numbers must be, and that in words.
_ARRAYS: tuple[tuple[str, str, Callable[[Floats], Mask], str], ...] = (
    ("attraction", "skn", lambda a: a >= 0, "a finite number, 0 or more"),
    ("class_weight", "sk", lambda a: a >= 0, "occasions per week, 0 or more"),
    ("no_purchase", "sk", lambda a: a > 0, "a number above 0"),
    ("margin", "sn", np.isfinite, "money per unit"),
    ("price", "sn", lambda a: a >= 0, "money per unit, 0 or more"),
    ("space_cm", "sn", lambda a: a >= 0, "centimetres, 0 or more"),
    ("shelf_cm", "s", lambda a: a >= 0, "centimetres, 0 or more"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """What to decide: which of N products each of S stores carries, for K classes of shoppers.

    The value of an assortment is, per week, Σ over stores and classes of class_weight × Σ worth × attraction × carried
    ÷ (no_purchase + Σ attraction × carried), less costs and less what broken rules with a price cost (mixed multinomial
    logit). Arrays are copied and read-only;
    `replace` makes a variant.

    Parameters
    ----------
    attraction
        exp(utility) of each product for each class in each store, (S, K, N), ≥ 0.
    class_weight
        Choice occasions per week of each class in each store, (S, K), ≥ 0.
    no_purchase
        Attraction of buying nothing, (S, K) or one number, > 0.
    margin
        Margin per unit, (S, N) or (N,); may be negative.
    space_cm
        Shelf that one listing takes, facings × width, (S, N) or (N,), ≥ 0.
    shelf_cm
        Shelf of each store, (S,) or one number, ≥ 0.
    rules, costs
        See `Rules` and `Costs`.
    price
        Price per unit, (S, N) or (N,); needed for the objective "sales".
    objective
        "margin", "sales" or "units": what one unit sold is worth.
    store_ids, product_ids, class_names
        Names; numbered when left out.

    Raises
    ------
    ProblemError
        With every fault, each naming store, class and product.
    """

    attraction: Floats
    class_weight: Floats
    no_purchase: Floats
    margin: Floats
    space_cm: Floats
    shelf_cm: Floats
    rules: Rules = field(default_factory=Rules)
    costs: Costs = field(default_factory=Costs)
    price: Floats | None = None
    objective: Literal["margin", "sales", "units"] = "margin"
    store_ids: tuple[str, ...] = ()
    product_ids: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()

    allowed: Mask = field(init=False, repr=False)
    required: Mask = field(init=False, repr=False)
    core_group: Ints = field(init=False, repr=False)
    min_stores: Ints = field(init=False, repr=False)
    changes_max: Ints | None = field(init=False, repr=False)
    listing_cost: Floats = field(init=False, repr=False)
    product_cost: Floats = field(init=False, repr=False)
    local_product_cost: Floats = field(init=False, repr=False)
    delivery_cost: Floats = field(init=False, repr=False)
    supplier_of: Ints = field(init=False, repr=False)
    supplier_ids: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shape = np.shape(self.attraction)
        if len(shape) != 3 or 0 in shape:
            raise ProblemError(
                f"attraction: found shape {shape}; expected (stores, classes, products), at least one of each"
            )
        faults: list[str] = []
        self._set_names(faults)
        self._set_arrays(faults)
        if faults:
            raise ProblemError(_message(faults))
        self._set_rules()

    @property
    def S(self) -> int:  # noqa: N802 - the field's letter
        """Number of stores."""
        return int(self.attraction.shape[0])

    @property
    def K(self) -> int:  # noqa: N802
        """Number of shopper classes."""
        return int(self.attraction.shape[1])

    @property
    def N(self) -> int:  # noqa: N802
        """Number of products."""
        return int(self.attraction.shape[2])

    @property
    def C(self) -> int:  # noqa: N802
        """Number of core groups."""
        return int(self.core_group.max()) + 1

    @property
    def F(self) -> int:  # noqa: N802
        """Number of suppliers, 0 where no delivery costs anything."""
        return int(self.delivery_cost.shape[1])

    @cached_property
    def columns(self) -> Columns:
        """The numbering of the variables of the problem's linear rows."""
        return numbered(self)

    @cached_property
    def worth(self) -> Floats:
        """What one unit sold is worth in the objective, (S, N)."""
        if self.objective == "margin":
            return self.margin
        if self.objective == "units":
            return np.ones((self.S, self.N))
        assert self.price is not None
        return self.price

    def replace(self, **changes: Any) -> Problem:
        """Return a variant of the problem, checked anew."""
        return dataclasses.replace(self, **changes)

    def with_rules(self, **changes: Any) -> Problem:
        """Return a variant of the problem in which some fields of its rules are others."""
        return self.replace(rules=dataclasses.replace(self.rules, **changes))

    def units(self, carried: Mask) -> Floats:
        """Return expected units per week of each product in each store, (S, N), when stores carry ``carried``."""
        pull = self.attraction * self._mask(carried)[:, None, :]
        per_class = self.class_weight / (self.no_purchase + pull.sum(axis=2))
        units: Floats = np.einsum("sk,skn->sn", per_class, pull)
        return units

    def delivered(self, carried: Mask) -> Mask:
        """Return which supplier delivers to which store, (S, F), when stores carry ``carried``."""
        carried = self._mask(carried)
        by_supplier = [carried[:, self.supplier_of == f].any(axis=1) for f in range(self.F)]
        delivered: Mask = np.array(by_supplier, bool).reshape(self.F, self.S).T
        return delivered

    def store_values(self, carried: Mask, core: Mask | None = None) -> Floats:
        """Return the value of each store, (S,), without the costs of the chain.

        Taken off are the costs of its listings, of deliveries to it, and of the rules with a price that it breaks.

        Parameters
        ----------
        carried
            What each store carries, (S, N).
        core
            What is core in each store, (S, N); counts where ``local_per_store`` has a price. ``None``: nothing.
        """
        carried = self._mask(carried)
        values: Floats = (self.units(carried) * self.worth).sum(axis=1) - (self.listing_cost * carried).sum(axis=1)
        return values - self.charges(carried, core)

    def charges(self, carried: Mask, core: Mask | None = None) -> Floats:
        """Return what each store pays for deliveries and for breaking rules with a price, (S,); as `store_values`."""
        carried = self._mask(carried)
        paid = (self.delivery_cost * self.delivered(carried)).sum(axis=1) if self.F else np.zeros(self.S)
        return paid + store_excess(self, carried, _core(carried, core)) if self.rules.soft else paid

    def value(self, carried: Mask, core: Mask | None = None) -> float:
        """Return the value of the chain less all costs.

        Parameters
        ----------
        carried
            What each store carries, (S, N).
        core
            What is core in each store, (S, N); decides which products pay ``costs.local_product``. ``None``: nothing.
        """
        carried, core = self._mask(carried), _core(carried, core)
        return float(self.store_values(carried, core).sum() - self.chain_costs(carried, core))

    def chain_costs(self, carried: Mask, core: Mask) -> float:
        """Return what belongs to no single store: costs of distinct products, and of rules with a price broken."""
        listed = carried.any(axis=0)
        local = is_local(carried, core)
        costs = float(self.product_cost[listed].sum() + self.local_product_cost[local].sum())
        return costs + chain_excess(self, carried, core) if self.rules.soft else costs

    def to_pulp(self) -> pulp.LpProblem:
        """Return the complete linear programme of the problem, every row named after its rule.

        It is exact (each purchase probability is a product of a pick and the probability of buying nothing, linearised)
        and meant for reading, for small chains and for other solvers; `solve` does not use it for large chains.
        """
        return reference_model(self)

    def write(self, path: str | Path) -> Path:
        """Write the complete linear programme for other solvers: as LP or as MPS, by the ending of ``path``.

        Beside it goes ``<path>.names.csv``: which store, product, class or supplier each variable is of. Ids and names
        never enter the model itself, where they could be mangled. The LP file is a maximisation. The MPS file, in which
        readers take everything for a minimisation, states that of the value's negative.

        Parameters
        ----------
        path
            File to write, ending in ``.lp`` or ``.mps``.

        Raises
        ------
        ProblemError
            When it has another ending, or cannot be written.
        """
        return write_model(self, Path(path))

    @classmethod
    def from_demand(
        cls,
        demand: Demand,
        chain: Chain,
        *,
        category: str,
        rules: RuleSpec | Rules | None = None,
        costs: Costs | None = None,
        objective: Literal["margin", "sales", "units"] = "margin",
    ) -> Problem:
        """State the problem of one category from a demand forecast and the chain's tables.

        Supplier reach, locks, status, shelves, today's listing, prices and facings come from the chain.

        Raises
        ------
        ProblemError
            When the tables do not state a problem; names every fault.
        """
        # Imported here because that file builds a Problem, and so needs this one first.
        from assortment.optimiser.problem.chain_problem import chain_problem  # noqa: PLC0415

        return chain_problem(demand, chain, category=category, rules=rules, costs=costs, objective=objective)

    def _mask(self, carried: Mask) -> Mask:
        mask = np.asarray(carried, bool)
        if mask.shape != (self.S, self.N):
            raise ProblemError(f"carried: found shape {mask.shape}; expected {(self.S, self.N)}, stores × products")
        return mask

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _set_names(self, faults: list[str]) -> None:
        shape = np.shape(self.attraction)
        for name, size, letter in zip(("store_ids", "class_names", "product_ids"), shape, ("s", "k", "p"), strict=True):
            ids = tuple(str(item) for item in getattr(self, name)) or tuple(f"{letter}{i + 1}" for i in range(size))
            if len(ids) != size:
                faults.append(f"{name}: found {len(ids)} names; expected {size}, as attraction has")
                ids = tuple(f"{letter}{i + 1}" for i in range(size))
            twice = sorted({item for item in ids if ids.count(item) > 1}) if len(set(ids)) < size else []
            if twice:
                faults.append(
                    f"{name}: found {', '.join(repr(item) for item in twice)} more than once; expected each once"
                )
            self._set(name, ids)

    def _set_arrays(self, faults: list[str]) -> None:
        S, K, N = np.shape(self.attraction)
        if self.objective not in ("margin", "sales", "units"):
            faults.append(f"objective: found {self.objective!r}; expected 'margin', 'sales' or 'units'")
        if self.objective == "sales" and self.price is None:
            faults.append("price: the objective 'sales' needs it; found None")
        for name, axes, good, expected in _ARRAYS:
            if name == "price" and self.price is None:
                continue
            shape = tuple({"s": S, "k": K, "n": N}[axis] for axis in axes)
            array = shaped(name, getattr(self, name), shape, np.float64, faults)
            if array is None:
                continue
            for index in np.argwhere(~(np.isfinite(array) & good(array))):
                found = array[tuple(index)]
                faults.append(f"{name} of {self._place(axes, index)}: found {found}; expected {expected}")
            self._set(name, array)
        if not faults:
            self._round_space()
        if not faults and (self.attraction > _RATIO_MAX * self.no_purchase[:, :, None]).any():
            faults.append(f"attraction: found more than {_RATIO_MAX:g} times no_purchase; expected a smaller ratio")

    def _round_space(self) -> None:
        """Take space and shelves to so many digits, so that what fits does not hang on the width of a float."""
        largest = float(self.shelf_cm.max())
        if largest > 0:
            digits = _SPACE_DIGITS - int(np.floor(np.log10(largest)))
            for name in ("space_cm", "shelf_cm"):
                self._set(name, read_only(np.round(getattr(self, name), digits)))

    def _place(self, axes: str, index: Ints) -> str:
        names = {"s": ("store", self.store_ids), "k": ("class", self.class_names), "n": ("product", self.product_ids)}
        return ", ".join(f"{names[axis][0]} '{names[axis][1][i]}'" for axis, i in zip(axes, index, strict=True))

    def _set_rules(self) -> None:
        S, N = self.S, self.N
        if not isinstance(self.rules, Rules):
            raise ProblemError(
                f"rules: found a {type(self.rules).__name__}; a Problem takes Rules, in arrays. "
                "RuleSpec, in words, goes to Problem.from_demand"
            )
        rules = self.rules.sized(S, N)
        self._set("rules", rules)
        self._set("allowed", read_only(np.ones((S, N), bool)) if rules.allowed is None else rules.allowed)
        self._set("required", read_only(np.zeros((S, N), bool)) if rules.required is None else rules.required)
        groups = (
            np.zeros(S, np.int64) if rules.core_groups is None else np.unique(rules.core_groups, return_inverse=True)[1]
        )
        self._set("core_group", read_only(groups))
        least = np.ones(N, np.int64) if rules.local_min_stores is None else np.maximum(1, rules.local_min_stores)
        self._set("min_stores", read_only(least))
        self._set("changes_max", rules.changes_max)
        costs = self.costs.sized(S, N)
        self._set("listing_cost", costs.listing)
        self._set("product_cost", costs.product)
        self._set("local_product_cost", costs.local_product)
        self._set("delivery_cost", costs.delivery)
        self._set("supplier_of", costs.supplier_of)
        self._set("supplier_ids", costs.supplier_ids)


def _core(carried: Mask, core: Mask | None) -> Mask:
    return np.zeros(np.shape(carried), bool) if core is None else np.asarray(core, bool)


def _message(faults: list[str]) -> str:
    lines = [f"  - {fault}" for fault in faults[:_FAULTS_SHOWN]]
    if len(faults) > _FAULTS_SHOWN:
        lines.append(f"  … and {len(faults) - _FAULTS_SHOWN} more")
    return "\n".join(["the problem cannot be used:", *lines])
