"""Huff's model against other packages: the shares of huff, and the conditional logit of statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from geo_worlds import dense, town
from shoppers import flows_of

from assortment.geo import calibrate_huff, trade_areas
from assortment.geo.ground.ground import Ground
from assortment.inputs import Stores


@pytest.mark.parametrize(("alpha", "decay", "rivals"), [(1.0, 2.0, 0), (0.7, 1.3, 0), (2.5, 3.1, 4), (0.4, 0.5, 7)])
def test_shares_are_those_of_huff(alpha: float, decay: float, rivals: int) -> None:
    """The same attractiveness, distances and exponents give the shares of the package huff to 1e-9, rivals included."""
    huff = pytest.importorskip("huff.data_management")
    stores, world = town(12, 7, seed=3)
    ground = Ground.of(stores, world)
    pairs = pd.DataFrame(
        {
            "origin": np.repeat(ground.neighbourhood_ids, 12),
            "store": np.tile(ground.store_ids, 49),
            "size": np.tile(stores.frame["size_m2"].to_numpy(), 49),
            "metres": np.hypot(*(ground.centre_xy.T[:, :, None] - ground.store_xy.T[:, None, :])).ravel(),
        }
    )
    matrix = huff.load_interaction_matrix(pairs, "origin", "store", ["size"], "metres")
    matrix.define_weightings(
        {
            0: {"name": "size", "func": "power", "param": alpha},
            1: {"name": "metres", "func": "power", "param": -decay},
        }
    )
    frame = matrix.probabilities().get_interaction_matrix_df()
    theirs = frame.pivot(index="j", columns="i", values="p_ij").loc[list(ground.store_ids), list(world.ids)].to_numpy()
    own = Stores.from_frame(stores.frame.iloc[: 12 - rivals])
    ours = trade_areas(
        own,
        world,
        method="huff",
        attractiveness="size_m2",
        alpha=alpha,
        decay=decay,
        competitors=stores.frame.iloc[12 - rivals :] if rivals else None,
    )
    assert dense(ours) == pytest.approx(theirs[: 12 - rivals], rel=1e-9)


@pytest.mark.parametrize("by", [None, "format"])
def test_estimates_and_errors_are_those_of_statsmodels(by: str | None) -> None:
    """Its conditional logit, of one row per trip and store, is as likely there, flat there, and as curved there.

    Its own search ends near by, and no higher. The likelihood fit of huff is no reference: what it maximises is the sum
    of the logs of squared residuals.
    """
    models = pytest.importorskip("statsmodels.discrete.conditional_models")
    stores, world = town(5, 5, seed=6)
    stores = Stores.from_frame(stores.frame.assign(format=["small", "large", "small", "large", "small"]))
    flows = flows_of(stores, world, 20, seed=5, attractiveness="size_m2", alpha=0.8, decay=1.7)
    fit = calibrate_huff(stores, world, flows=flows, attractiveness="size_m2", by=by)
    ground = Ground.of(stores, world)
    trips = flows.loc[flows.index.repeat(flows["trips"].astype(int))]
    home = pd.Index(world.ids).get_indexer(pd.Index(trips["neighbourhood_id"]))
    chosen = pd.Index(stores.ids).get_indexer(pd.Index(trips["store_id"]))
    near = -np.log(np.hypot(*(ground.centre_xy[home].T[:, :, None] - ground.store_xy.T[:, None, :])))
    pull = np.broadcast_to(np.log(stores.frame["size_m2"].to_numpy()), near.shape)
    groups = [np.ones(5, dtype=bool)] if by is None else [stores.frame["format"] == name for name in ("large", "small")]
    columns = [(of_what * np.asarray(group)).ravel() for of_what in (pull, near) for group in groups]
    theirs = models.ConditionalLogit(
        (chosen[:, None] == np.arange(5)).ravel().astype(int),
        np.column_stack(columns),
        groups=np.repeat(np.arange(len(trips)), 5),
    )
    ours = fit.table["value"].to_numpy()
    assert theirs.loglike(ours) == pytest.approx(fit.log_likelihood, rel=1e-12)
    assert theirs.score(ours) == pytest.approx(np.zeros(len(ours)), abs=1e-6)
    errors = np.sqrt(np.diag(np.linalg.inv(-theirs.hessian(ours))))
    assert fit.table["standard_error"].to_numpy() == pytest.approx(errors, rel=1e-6)
    searched = theirs.fit(disp=False)
    assert searched.llf <= fit.log_likelihood + 1e-6
    assert ours == pytest.approx(searched.params, abs=1e-3)
