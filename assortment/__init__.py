"""What each store of a chain should carry: a core that is the same everywhere, plus products that fit the place.

The flow, each stage usable alone::

    read_chain -> trade_areas -> store_profiles -> fit_demand -> predict -> Problem.from_demand -> solve -> Run.save

``run`` does all of it for one scenario file.
"""

from assortment.demand import Backtest, ChoiceModel, Demand, Prior, backtest, calibrate, fit_demand
from assortment.errors import (
    AssortmentError,
    AssortmentWarning,
    DemandError,
    GeographyError,
    Infeasible,
    InputError,
    ProblemError,
    ReportError,
    ScenarioError,
)
from assortment.geo import (
    AreaSales,
    HuffFit,
    Overlap,
    StoreProfiles,
    TradeAreas,
    area_sales,
    calibrate_huff,
    chain_areas,
    income_bands,
    overlap,
    rings,
    store_profiles,
    trade_areas,
)
from assortment.inputs import Chain, Neighbourhoods, Products, Sales, Stores, read_chain
from assortment.optimiser import (
    RULES,
    Costs,
    Cover,
    Excess,
    Group,
    Plan,
    Problem,
    RulePrices,
    Rules,
    RuleSpec,
    audit,
    priced,
    room_worth,
    rule_prices,
    shelf_worth,
    solve,
)
from assortment.pipeline import Run, run
from assortment.report import figures as plot
from assortment.scenario import Scenario

__all__ = [
    "RULES",
    "AreaSales",
    "AssortmentError",
    "AssortmentWarning",
    "Backtest",
    "Chain",
    "ChoiceModel",
    "Costs",
    "Cover",
    "Demand",
    "DemandError",
    "Excess",
    "GeographyError",
    "Group",
    "HuffFit",
    "Infeasible",
    "InputError",
    "Neighbourhoods",
    "Overlap",
    "Plan",
    "Prior",
    "Problem",
    "ProblemError",
    "Products",
    "ReportError",
    "RulePrices",
    "RuleSpec",
    "Rules",
    "Run",
    "Sales",
    "Scenario",
    "ScenarioError",
    "StoreProfiles",
    "Stores",
    "TradeAreas",
    "area_sales",
    "audit",
    "backtest",
    "calibrate",
    "calibrate_huff",
    "chain_areas",
    "fit_demand",
    "income_bands",
    "overlap",
    "plot",
    "priced",
    "read_chain",
    "rings",
    "room_worth",
    "rule_prices",
    "run",
    "shelf_worth",
    "solve",
    "store_profiles",
    "trade_areas",
]
