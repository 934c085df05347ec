"""3. What shoppers would buy: fit -> ChoiceModel -> Demand.

``fit_demand`` estimates a multinomial logit with price, promotion and demographics × product attributes from till
sales, or one class of shoppers per segment from household baskets. ``ChoiceModel.predict`` forecasts every product in
every store; ``calibrate`` compares the forecast with what was sold. The folders in the order of the flow: ``observed``
offers and purchases, their ``design`` as numbers, the ``likelihood``, its ``fitting``, the fitted ``model``, and the
``backtest`` of its forecasts.
"""

from assortment.demand.backtest.backtest import backtest
from assortment.demand.backtest.backtest_result import Backtest
from assortment.demand.backtest.calibration import calibrate
from assortment.demand.demand import Demand, Drivers
from assortment.demand.fit import fit_demand
from assortment.demand.fitting.evidence import CHAIN_EVERYWHERE, Evidence
from assortment.demand.model.choice_model import ChoiceModel
from assortment.demand.prior import Prior

__all__ = [
    "CHAIN_EVERYWHERE",
    "Backtest",
    "ChoiceModel",
    "Demand",
    "Drivers",
    "Evidence",
    "Prior",
    "backtest",
    "calibrate",
    "fit_demand",
]
