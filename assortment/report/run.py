"""What a report reads of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from assortment.demand import ChoiceModel, Demand
    from assortment.geo import StoreProfiles, TradeAreas
    from assortment.inputs import Chain
    from assortment.optimiser import Plan, Problem


class Run(Protocol):
    """A finished run; ``assortment.run`` gives one, and a planner may bring an own object with the same attributes.

    ``calibration`` may be ``None`` or empty. Of ``manifest`` the pages show ``scenario``, ``date`` (ISO), ``inputs``
    (hashes), ``versions``, ``seed``, ``warnings`` and of ``settings`` ``solve.gap``, each where given. Where there is
    an attribute ``worth`` (a `PlanWorth`), they tell what rules cost and more room is worth too.
    """

    @property
    def title(self) -> str: ...
    @property
    def chain(self) -> Chain: ...
    @property
    def areas(self) -> TradeAreas: ...
    @property
    def profiles(self) -> StoreProfiles: ...
    @property
    def model(self) -> ChoiceModel: ...
    @property
    def demand(self) -> Demand: ...
    @property
    def problem(self) -> Problem: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def calibration(self) -> pd.DataFrame | None: ...
    @property
    def manifest(self) -> dict[str, Any]: ...
