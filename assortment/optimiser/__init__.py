"""What each store carries: Problem, rules, bounds, PuLP model, search and proof -> Plan, audit."""

from assortment.optimiser.audit import audit
from assortment.optimiser.chain_problem import require_possible
from assortment.optimiser.checks import Violation
from assortment.optimiser.costs import Costs
from assortment.optimiser.plan import Plan, Verification
from assortment.optimiser.problem import Problem
from assortment.optimiser.rule import RULES, Rule
from assortment.optimiser.rules import Group, Rules
from assortment.optimiser.rulespec import Cover, RuleSpec
from assortment.optimiser.solve import solve
from assortment.optimiser.status import Status

__all__ = [
    "RULES",
    "Costs",
    "Cover",
    "Group",
    "Plan",
    "Problem",
    "Rule",
    "RuleSpec",
    "Rules",
    "Status",
    "Verification",
    "Violation",
    "audit",
    "require_possible",
    "solve",
]
