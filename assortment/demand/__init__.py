"""3. What shoppers would buy: fit -> ChoiceModel -> Demand.

``fit_demand`` estimates a multinomial logit with price, promotion and demographics × product attributes from till
sales, or one class of shoppers per segment from household baskets. ``ChoiceModel.predict`` forecasts every product in
every store; ``calibrate`` compares the forecast with what was sold.
"""

from assortment.demand.backtest import backtest
from assortment.demand.backtest_result import Backtest
from assortment.demand.calibration import calibrate
from assortment.demand.demand import Demand, Drivers
from assortment.demand.evidence import Evidence
from assortment.demand.fit import fit_demand
from assortment.demand.model import ChoiceModel
from assortment.demand.prior import Prior

__all__ = ["Backtest", "ChoiceModel", "Demand", "Drivers", "Evidence", "Prior", "backtest", "calibrate", "fit_demand"]
