"""What each store carries: Problem, rules, bounds, PuLP model, search and proof -> Plan, audit."""

from assortment.optimiser.infeasible.relaxation import relaxed
from assortment.optimiser.plan.plan import Plan, Verification
from assortment.optimiser.plan.status import Status
from assortment.optimiser.problem.chain_problem import require_possible
from assortment.optimiser.problem.costs import Costs
from assortment.optimiser.problem.problem import Problem
from assortment.optimiser.rules.audit import audit, priced
from assortment.optimiser.rules.rule import RULES, Rule
from assortment.optimiser.rules.rules import Group, Rules
from assortment.optimiser.rules.rulespec import Cover, RuleSpec
from assortment.optimiser.rules.violation import Excess, Violation
from assortment.optimiser.solve import solve
from assortment.optimiser.worth.plan_worth import PlanWorth, plan_worth
from assortment.optimiser.worth.room import room_worth, shelf_worth
from assortment.optimiser.worth.rule_prices import RulePrices, rule_prices

__all__ = [
    "RULES",
    "Costs",
    "Cover",
    "Excess",
    "Group",
    "Plan",
    "PlanWorth",
    "Problem",
    "Rule",
    "RulePrices",
    "RuleSpec",
    "Rules",
    "Status",
    "Verification",
    "Violation",
    "audit",
    "plan_worth",
    "priced",
    "relaxed",
    "require_possible",
    "room_worth",
    "rule_prices",
    "shelf_worth",
    "solve",
]
