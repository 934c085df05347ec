"""solve: against every assortment tried, published answers, and itself under changes that must not matter."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from chain_instances import chain_problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optimiser_worlds import best_value, obeys, small_problem
from scipy.optimize import linprog

from assortment.errors import Infeasible, ProblemError
from assortment.optimiser import Costs, Group, Plan, Problem, Rules, Status, audit, solve

SLOW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def held_against_all(problem: Problem, gap: float) -> Plan | None:
    """Solve, and hold the plan against every assortment; ``None`` when there is no plan, which must be so."""
    best = best_value(problem)
    if best is None:
        with pytest.raises(Infeasible):
            solve(problem, gap=gap)
        return None
    plan = solve(problem, gap=gap)
    scale = max(1e-9, abs(best), 1e-9 * float((problem.class_weight.sum(axis=1) * np.abs(problem.worth).max(1)).sum()))
    assert obeys(problem, plan.carried, plan.core)
    assert plan.value <= best + 1e-9 * scale
    assert plan.bound >= best - 1e-9 * scale
    assert plan.verify().ok
    if plan.status == Status.OPTIMAL:
        assert plan.gap <= gap
        assert plan.value >= best - gap * scale - 1e-9 * scale
    return plan


@pytest.mark.parametrize("part", range(4))
def test_brute_force(part: int) -> None:
    """On small problems with all rules the plan is the best there is, and the bound never below it."""

    @SLOW
    @given(st.integers(0, 100_000))
    def check(seed: int) -> None:
        held_against_all(small_problem(4 * seed + part), 1e-4)

    check()


@pytest.mark.parametrize("part", range(2))
def test_brute_force_with_odd_numbers(part: int) -> None:
    """With attractions from 1e-9 to 1e9, margins of 0 and below, and identical products, nothing false is claimed."""

    @SLOW
    @given(st.integers(0, 100_000))
    def check(seed: int) -> None:
        held_against_all(small_problem(2 * seed + part, numbers="torture"), 1e-4)

    check()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100_000))
def test_brute_force_by_branching(seed: int) -> None:
    """The same where stores are bounded as large ones are, by relaxation and branching."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assortment.optimiser.store.log.FEW_PRODUCTS", 0)
        held_against_all(small_problem(seed), 1e-4)


def test_a_presolve_that_loses_the_optimum_proves_nothing() -> None:
    """A chain of one store whose optimum HiGHS's presolve has been seen to lose, with tight tolerances."""
    held_against_all(small_problem(30_171), 1e-4)


@pytest.mark.parametrize("numbers", ["plain", "torture"])
def test_small_problems_are_closed(numbers: str) -> None:
    """Tiny chains are all proven optimal, whatever the size of their numbers."""
    plans = [held_against_all(small_problem(seed, numbers=numbers), 1e-4) for seed in range(1000, 1015)]
    assert {plan.status for plan in plans if plan is not None} == {Status.OPTIMAL}


def test_core_groups_against_the_reference() -> None:
    """With a core per format the bound holds for the reference model's plan, and the plan is as good."""
    rng = np.random.default_rng(5)
    base = small_problem(7)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        problem = Problem(
            attraction=rng.lognormal(0, 1, (4, 1, 5)),
            class_weight=rng.uniform(1, 9, (4, 1)),
            no_purchase=1.0,
            margin=rng.uniform(1, 3, 5),
            space_cm=np.ones(5),
            shelf_cm=3.0,
            rules=Rules(core_min=1, core_max=2, core_groups=np.array([7, 9, 7, 9]), local_min_stores=2),
            costs=Costs(product=1.0, local_product=0.5),
        )
        plan = solve(problem, gap=1e-4)
        assert obeys(problem, plan.carried, plan.core)
        model = problem.to_pulp()
        model.solve(_highs())
        best = model.solverModel.getInfo().objective_function_value
        assert plan.bound >= -best - 1e-6
        assert plan.value == pytest.approx(-best, rel=1e-4)
    assert base.C == 1


def _highs() -> Any:
    import pulp  # noqa: PLC0415

    return pulp.HiGHS(msg=False, threads=1, gapRel=1e-9)


LINDO = np.array(
    [
        [4, 2, 3, 2, 6, 1],
        [0, 0, 3, 5, 1, 2],
        [1, 3, 6, 0, 0, 1],
        [0, 1, 3, 0, 4, 0],
        [0, 1, 1, 4, 3, 3],
        [4, 0, 1, 0, 1, 1],
        [2, 4, 2, 1, 2, 1],
    ]
)


@pytest.mark.parametrize(("most", "answer", "value"), [(3, [1, 3, 4], 1304.85), (None, [1, 2, 4, 5], 1310.632)])
def test_lindo_multinomi(most: int | None, answer: list[int], value: float) -> None:
    """LINDO's MultiNomi sample: seven segments, six products with a cost of listing each."""
    problem = Problem(
        attraction=LINDO[None].astype(float),
        class_weight=np.array([[19, 13, 24, 39, 11, 12, 14]]),
        no_purchase=1.0,
        margin=np.array([16, 16, 13, 18, 14, 19]),
        space_cm=np.zeros(6),
        shelf_cm=0.0,
        rules=Rules(groups=[Group("all", np.ones(6, bool), most=most)]),
        costs=Costs(listing=np.array([100, 120, 80, 115, 110, 165])),
    )
    plan = solve(problem, gap=1e-5)
    assert (np.flatnonzero(plan.carried[0]) + 1).tolist() == answer
    assert plan.value == pytest.approx(value, abs=6e-3)
    assert plan.status == "optimal"


@pytest.mark.parametrize("seed", range(3))
def test_cardinality_is_a_linear_programme(seed: int) -> None:
    """One class and at most c products: the linear programme of Davis, Gallego and Topaloglu gives the optimum."""
    rng = np.random.default_rng(seed)
    n, most = 14, 4
    pull, margin = rng.lognormal(0, 1, n), rng.uniform(1, 4, n)
    # Variables: the sales of each product and of nothing. Σ w = 1, w_j ≤ v_j w_0, Σ w_j / v_j ≤ c w_0.
    limits = np.vstack([np.c_[np.eye(n), -pull], np.r_[1 / pull, -most]])
    exact = -linprog(np.r_[-margin, 0], A_ub=limits, b_ub=np.zeros(n + 1), A_eq=np.ones((1, n + 1)), b_eq=[1]).fun
    problem = Problem(
        attraction=pull[None, None],
        class_weight=np.array([[100.0]]),
        no_purchase=1.0,
        margin=margin,
        space_cm=np.ones(n),
        shelf_cm=float(most),
    )
    plan = solve(problem, gap=1e-6)
    assert plan.value == pytest.approx(100 * exact, rel=1e-7)
    assert plan.bound >= 100 * exact * (1 - 1e-12)


def test_without_rules_the_dearest_are_best() -> None:
    """One class, no rule, no cost: a set of the products with the highest margins is optimal."""
    rng = np.random.default_rng(3)
    pull, margin = rng.lognormal(0, 1, 20), np.sort(rng.uniform(1, 4, 20))[::-1]
    problem = Problem(
        attraction=pull[None, None],
        class_weight=np.array([[10.0]]),
        no_purchase=1.0,
        margin=margin,
        space_cm=np.zeros(20),
        shelf_cm=0.0,
    )
    plan = solve(problem, gap=1e-9)
    carried = plan.carried[0]
    assert (carried == (np.arange(20) < carried.sum())).all()
    best = max(10 * float(pull[:n] @ margin[:n] / (1 + pull[:n].sum())) for n in range(21))
    assert plan.value == pytest.approx(best, rel=1e-12)
    assert plan.bound >= best * (1 - 1e-12)


@pytest.fixture(scope="module")
def instance() -> Problem:
    """A chain of 6 stores, 24 products and 2 classes with every kind of rule."""
    return chain_problem(6, 24, 2, seed=1, core=4)


@pytest.fixture(scope="module")
def plan(instance: Problem) -> Plan:
    """Its plan."""
    return solve(instance, gap=5e-3)


def test_chain_instance() -> None:
    """A chain of 20 stores, 40 products and 3 classes gets a plan that obeys all rules, within 0.5 % of the bound."""
    problem = chain_problem(20, 40, 3, seed=1, core=5)
    plan = solve(problem, gap=2e-3)
    assert audit(problem, plan.carried, plan.core) == []
    assert obeys(problem, plan.carried, plan.core)
    assert plan.gap <= 5e-3
    assert plan.verify().ok
    assert plan.reproducible


class Pickling(Executor):
    """Works here but sends every task and answer through pickle, as another process would need."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        function, given, named = pickle.loads(pickle.dumps((fn, args, kwargs)))
        future: Future[Any] = Future()
        future.set_result(pickle.loads(pickle.dumps(function(*given, **named))))
        return future


@pytest.mark.parametrize("how", ["two workers", "executor", "pickled"])
def test_workers_change_nothing(instance: Problem, plan: Plan, how: str) -> None:
    """The plan and the bound are the same whoever works."""
    if how == "two workers":
        other = solve(instance, gap=5e-3, workers=2)
    elif how == "executor":
        with ThreadPoolExecutor(2) as executor:
            other = solve(instance, gap=5e-3, executor=executor)
            assert executor.submit(int).result() == 0
    else:
        other = solve(instance, gap=5e-3, executor=Pickling())
    assert (other.carried == plan.carried).all()
    assert (other.core == plan.core).all()
    assert other.value == plan.value
    assert other.bound == plan.bound


def test_scale_changes_nothing(instance: Problem, plan: Plan) -> None:
    """Money in cents, shelves in millimetres and attractions in other units give the same chain within the gaps."""
    scaled = instance.replace(
        attraction=instance.attraction * 8,
        no_purchase=instance.no_purchase * 8,
        margin=instance.margin * 100,
        space_cm=instance.space_cm * 10,
        shelf_cm=instance.shelf_cm * 10,
        costs=Costs(instance.listing_cost * 100, instance.product_cost * 100, instance.local_product_cost * 100),
    )
    other = solve(scaled, gap=5e-3)
    assert other.value <= 100 * plan.bound
    assert plan.value <= other.bound / 100


def test_order_changes_nothing(instance: Problem, plan: Plan) -> None:
    """Stores and products in another order give the same value within the gaps."""
    rng = np.random.default_rng(0)
    s, j = rng.permutation(instance.S), rng.permutation(instance.N)
    rules = instance.rules
    turned = instance.replace(
        attraction=instance.attraction[s][:, :, j],
        class_weight=instance.class_weight[s],
        no_purchase=instance.no_purchase[s],
        margin=instance.margin[s][:, j],
        space_cm=instance.space_cm[s][:, j],
        shelf_cm=instance.shelf_cm[s],
        costs=Costs(instance.listing_cost[s][:, j], instance.product_cost[j], instance.local_product_cost[j]),
        rules=Rules(
            **{
                **rules.__dict__,
                "groups": [Group(g.name, g.members[j], g.least, g.most) for g in rules.groups],
                "allowed": rules.allowed[s][:, j],
                "today": rules.today[s][:, j],
                "changes_max": rules.changes_max[s],
                "local_min_stores": rules.local_min_stores[j],
            }
        ),
    )
    other = solve(turned, gap=5e-3)
    assert other.value <= plan.bound + 1e-9 * plan.bound
    assert plan.value <= other.bound + 1e-9 * plan.bound


def test_more_freedom_is_never_worse(instance: Problem, plan: Plan) -> None:
    """More shelf, or one rule less, never lowers the value by more than the gaps."""
    for looser in (
        instance.replace(shelf_cm=instance.shelf_cm * 1.1),
        instance.replace(rules=Rules(**{**instance.rules.__dict__, "changes_max": None})),
        instance.replace(rules=Rules(**{**instance.rules.__dict__, "core_min": 2, "core_max": None})),
    ):
        assert solve(looser, gap=5e-3).bound >= plan.value


def test_without_proof(instance: Problem) -> None:
    """Without a proof the bound is infinite and the status says that the gap is open."""
    plan = solve(instance, prove=False)
    assert plan.bound == np.inf
    assert plan.gap == np.inf
    assert plan.status == "gap_open"
    assert plan.verify().ok


def test_no_time(instance: Problem) -> None:
    """When the clock stops the run at once there is still a plan that obeys the rules, and an honest bound."""
    plan = solve(instance, time_limit_s=0)
    assert plan.status == "time_limit"
    assert not plan.reproducible
    assert audit(instance, plan.carried, plan.core) == []
    assert plan.value <= plan.bound < np.inf


@pytest.mark.parametrize("stage", [0, 2, 3])
def test_interrupted(instance: Problem, stage: int) -> None:
    """Ctrl-C gives the best plan so far with its bound, once there is one; before that it passes through."""

    def progress(done: int, total: int) -> None:
        assert total >= done
        if done == stage:
            raise KeyboardInterrupt

    if stage == 0:
        with pytest.raises(KeyboardInterrupt):
            solve(instance, progress=progress)
        return
    plan = solve(instance, progress=progress)
    assert plan.status == "interrupted"
    assert audit(instance, plan.carried, plan.core) == []
    assert plan.value <= plan.bound < np.inf


@pytest.mark.parametrize("settings_", [{"gap": -1.0}, {"workers": 0}, {"time_limit_s": -1.0}, {"gap": np.nan}])
def test_settings(instance: Problem, settings_: dict[str, Any]) -> None:
    """A setting that makes no sense is refused."""
    with pytest.raises(ProblemError, match="expected a gap of 0 or more"):
        solve(instance, **settings_)


def test_forbidden_is_never_picked(instance: Problem, plan: Plan) -> None:
    """A product that may not stand in a store does not stand there, a required one does."""
    s, j = np.argwhere(plan.carried & ~plan.core)[0]
    allowed, required = instance.allowed.copy(), instance.required.copy()
    allowed[s, j] = False
    s2, j2 = np.argwhere(~plan.carried & instance.allowed & (instance.space_cm <= 2))[-1]
    required[s2, j2] = True
    other = solve(
        instance.replace(rules=Rules(**{**instance.rules.__dict__, "allowed": allowed, "required": required})),
        prove=False,
    )
    assert not other.carried[s, j]
    assert other.carried[s2, j2]


def test_one_of_everything() -> None:
    """One store, one product, no shoppers: the least problem has a plan."""
    problem = Problem(
        attraction=np.ones((1, 1, 1)),
        class_weight=np.zeros((1, 1)),
        no_purchase=1.0,
        margin=np.ones(1),
        space_cm=np.ones(1),
        shelf_cm=1.0,
        rules=Rules(core_min=1),
    )
    plan = solve(problem)
    assert plan.carried.all()
    assert (plan.value, plan.gap, plan.status) == (0.0, 0.0, "optimal")


def test_a_search_that_fails_does_not_deny_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no search of a store finds anything, plans are found all the same, by what the stores can live with."""
    monkeypatch.setattr("assortment.optimiser.chain.start._search_from", lambda task: None)
    monkeypatch.setattr("assortment.optimiser.chain.start._search_again", lambda task: None)
    for seed in range(12):
        problem = small_problem(seed)
        best = best_value(problem)
        if best is None:
            with pytest.raises(Infeasible):
                solve(problem)
        else:
            plan = solve(problem)
            assert obeys(problem, plan.carried, plan.core)
            assert plan.bound >= best - 1e-9 * max(1.0, abs(best))
