"""The worlds of the demand tests."""

from __future__ import annotations

import pytest
from demand_worlds import EFFECT, World, simulate

from assortment.demand import ChoiceModel, fit_demand


@pytest.fixture(scope="session")
def world() -> World:
    """24 stores, 9 products of three kinds, 20 weeks, 400 buyers per week and store."""
    return simulate()


@pytest.fixture(scope="session")
def small() -> World:
    """6 stores, 5 products, 6 weeks."""
    return simulate(stores=6, weeks=6, products=5, buyers=200)


@pytest.fixture(scope="session")
def indifferent() -> World:
    """The same everywhere: demographics mean nothing."""
    return simulate(effect={})


@pytest.fixture(scope="session")
def fitted(world: World) -> ChoiceModel:
    """The model of ``world``."""
    return fit_demand(world.sales, world.products, world.profiles, offered=world.offered, demographics=list(EFFECT))
