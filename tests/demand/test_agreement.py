"""The plain logit against other packages: xlogit's maximum likelihood, and pyblp's shares and elasticities."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import choice_data
import numpy as np
import pandas as pd
import pytest

from assortment.demand import ChoiceModel, fit_demand
from assortment.errors import DemandError
from assortment.geo import StoreProfiles
from assortment.inputs import Products, Sales, Stores

LOG_PRICE = "log price"
PEOPLE = 100_000.0


def products_of(alternatives: Sequence[str], price: float = 1.0) -> Products:
    return Products.from_frame(
        pd.DataFrame(
            {"product_id": list(alternatives), "category": "c", "price": price, "unit_cost": 0.0, "width_cm": 1.0}
        )
    )


def profiles_of(frame: pd.DataFrame, own: Sequence[str]) -> StoreProfiles:
    """Who chooses, with what is known of them, and two whom nobody has seen: the least and the most of each column."""
    table = frame.groupby("who")[list(own)].first() if own else pd.DataFrame({"size": 1.0}, index=frame["who"].unique())
    table.index = pd.Index([str(who) for who in table.index], name="store_id")
    ends = pd.DataFrame([table.min(), table.max()], index=pd.Index(["least", "most"], name="store_id"))
    return StoreProfiles.from_frame(pd.concat([table, ends]))


def plain_fit(
    frame: pd.DataFrame, covariates: Sequence[str], own: Sequence[str] = (), *, shelves: pd.DataFrame | None = None
) -> ChoiceModel:
    """Maximum likelihood, no prior: who chooses is a store, a choice is a week, an alternative is a product."""
    rows = frame[frame["there"]] if "there" in frame else frame
    rows = rows.rename(columns={"who": "store_id", "when": "week", "alternative": "product_id", "chosen": "units"})
    rows = rows[["store_id", "week", "product_id", "units", "price", *covariates]]
    try:
        return fit_demand(
            Sales.from_frame(rows, promotion=covariates),
            products_of(frame["alternative"].unique()),
            profiles_of(frame, own),
            offered=rows.assign(from_week=rows["week"], to_week=rows["week"])[
                ["store_id", "product_id", "from_week", "to_week"]
            ],
            attributes=[],
            demographics=own,
            shelves=shelves,
            prior=None,
        )
    except DemandError as error:
        if str(error).startswith("prior = None"):
            pytest.skip("fits without a prior are not there yet")
        raise


def design(frame: pd.DataFrame, covariates: Sequence[str], own: Sequence[str]) -> pd.DataFrame:
    """Columns of the logit: covariates, constants of all alternatives but the first, and what is known of the chooser
    by alternative."""
    names = frame["alternative"].unique()
    columns = {LOG_PRICE: np.log(frame["price"].where(frame["price"] > 0, 1.0))}
    columns |= {name: frame[name] for name in covariates}
    for name in names[1:]:
        columns[name] = (frame["alternative"] == name).astype(float)
        columns |= {f"{column} × {name}": scaled(frame[column]) * columns[name] for column in own}
    return pd.DataFrame(columns)


def xlogit_fit(frame: pd.DataFrame, covariates: Sequence[str], own: Sequence[str] = ()) -> pd.DataFrame:
    """Value, standard error and standard error clustered by chooser, by term, of xlogit's fit to the same rows."""
    xlogit = pytest.importorskip("xlogit")
    columns, size = design(frame, covariates, own), frame["alternative"].nunique()
    there = frame["there"].to_numpy(np.float64) if "there" in frame else np.ones(len(frame))
    model = xlogit.MultinomialLogit()
    model.fit(
        X=columns.to_numpy(),
        y=frame["chosen"].to_numpy(),
        varnames=list(columns),
        alts=frame["alternative"].to_numpy(),
        ids=np.repeat(np.arange(len(frame) // size), size),
        avail=there,
        tol_opts={"ftol": 1e-12},
        verbose=0,
    )
    # xlogit knows no clusters: the sandwich of the textbooks, from its estimates (Cameron and Miller 2015).
    worth = np.exp(columns.to_numpy() @ model.coeff_) * there
    chance = worth / np.repeat(worth.reshape(-1, size).sum(axis=1), size)
    scores = columns.mul(frame["chosen"] - chance, axis=0).groupby(frame["who"]).sum().to_numpy()
    choices = columns.to_numpy().reshape(-1, size, columns.shape[1])
    spread = choices - np.einsum("tn,tnk->tk", chance.reshape(-1, size), choices)[:, None]
    bread = np.linalg.inv(np.einsum("tn,tnk,tnl->kl", chance.reshape(-1, size), spread, spread))
    clustered = np.sqrt(np.diag(bread @ scores.T @ scores @ bread))
    return pd.DataFrame(
        {"value": model.coeff_, "standard_error": model.stderr, "clustered": clustered}, index=list(columns)
    )


def scaled(values: pd.Series) -> pd.Series:
    """0 for the least, 1 for the most: what the two whom nobody has seen have."""
    return (values - values.min()) / (values.max() - values.min())


def constants(model: ChoiceModel, alternatives: Sequence[str], profiles: StoreProfiles, store: str) -> np.ndarray:
    """Utilities at log price 0 without promotion, against the first alternative: what can be identified of them."""
    offers = pd.DataFrame({"week": 0, "store_id": store, "product_id": list(alternatives), "price": 1.0})
    utility = np.log(model.shares(offers, profiles).to_numpy())
    return np.asarray(utility - utility[0])


@pytest.mark.parametrize(
    ("data", "covariates", "own"),
    [
        (choice_data.fishing, ("catch",), ()),
        (choice_data.fishing, ("catch",), ("income",)),
        (choice_data.yogurt, ("feat",), ()),
        (choice_data.swissmetro, ("cost", "headway"), ()),
    ],
    ids=["fishing", "fishing by income", "yogurt", "swissmetro"],
)
def test_coefficients_and_standard_errors_are_those_of_xlogit(
    data: Callable[[], pd.DataFrame], covariates: Sequence[str], own: Sequence[str]
) -> None:
    """Without a prior: covariates, constants, what income does to each, and unclustered standard errors, to 1e-3.

    Constants (and the effects of income) are compared as differences from the first alternative's, as only these can be
    identified; their standard errors depend on which is left out, those of the covariates do not.
    """
    frame = data()
    expected = xlogit_fit(frame, covariates, own)
    model = plain_fit(frame, covariates, own)
    found = model.coefficients.set_index("term")
    shared = [LOG_PRICE, *covariates]
    assert found["value"][shared].to_numpy() == pytest.approx(expected["value"][shared].to_numpy(), rel=1e-3)
    errors = found["standard_error_unclustered"][shared].to_numpy()
    assert errors == pytest.approx(expected["standard_error"][shared].to_numpy(), rel=1e-3)
    names = list(frame["alternative"].unique())
    profiles = profiles_of(frame, own)
    least = constants(model, names, profiles, "least")
    assert least[1:] == pytest.approx(expected["value"][names[1:]].to_numpy(), rel=1e-3, abs=1e-4)
    most = constants(model, names, profiles, "most")
    slopes = [sum(expected["value"][f"{column} × {name}"] for column in own) for name in names[1:]]
    assert (most - least)[1:] == pytest.approx(np.array(slopes, dtype=np.float64), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(
    ("data", "covariates"),
    [(choice_data.yogurt, ("feat",)), (choice_data.swissmetro, ("cost", "headway"))],
    ids=["yogurt", "swissmetro"],
)
def test_standard_errors_are_clustered_by_store(data: Callable[[], pd.DataFrame], covariates: Sequence[str]) -> None:
    """Those who choose again and again are one witness: the sandwich by chooser, but for a small-sample factor."""
    frame = data()
    expected = xlogit_fit(frame, covariates)
    found = plain_fit(frame, covariates).coefficients.set_index("term")["standard_error"]
    shared = [LOG_PRICE, *covariates]
    assert found[shared].to_numpy() == pytest.approx(expected["clustered"][shared].to_numpy(), rel=2e-2)


def cereal() -> pd.DataFrame:
    """Nevo's cereal, which comes with pyblp: 24 brands in 47 cities and two quarters, as choices of 100,000 people."""
    pyblp = pytest.importorskip("pyblp")
    frame = pd.read_csv(pyblp.data.NEVO_PRODUCTS_LOCATION)
    frame = frame.assign(units=frame["shares"] * PEOPLE)
    frame = frame.rename(
        columns={
            "city_ids": "who",
            "quarter": "when",
            "product_ids": "alternative",
            "prices": "price",
            "units": "chosen",
        }
    )
    return frame[["who", "when", "alternative", "chosen", "price"]].sort_values(["when", "who", "alternative"])


def simulated_by_pyblp(markets: pd.DataFrame, slope: float) -> tuple[np.ndarray, np.ndarray]:
    """Market shares (T, N) and elasticities (T, N, N) at the frame's prices and ``level``, without residuals."""
    import pyblp  # noqa: PLC0415

    pyblp.options.verbose = False
    data = {
        "market_ids": markets["who"],
        "firm_ids": markets["alternative"],
        "prices": markets["price"],
        "level": markets["level"],
    }
    simulation = pyblp.Simulation(
        pyblp.Formulation("0 + level + log(prices)"), data, beta=[1.0, slope], xi=np.zeros(len(markets))
    )
    # The prices are given: the search for equilibrium prices must return where it begins.
    result = simulation.replace_endogenous(
        costs=markets["price"], prices=markets["price"], iteration=pyblp.Iteration("return")
    )
    size = markets["alternative"].nunique()
    return (
        result.product_data.shares.reshape(-1, size),
        result.compute_elasticities().reshape(-1, size, size),
    )


def test_shares_and_elasticities_are_those_of_pyblp() -> None:
    """Nevo's cereal: the same coefficients give pyblp's market shares and price elasticities, outside good included.

    What can be compared is the model, not the estimator: pyblp inverts the shares and regresses, so that each market
    and product has a residual; a likelihood of purchases has none. Hence pyblp simulates the markets at the
    coefficients found here (utility in the logarithm of the price), and both must agree on what these imply.
    """
    rows = cereal()
    ids, names = [str(who) for who in rows["who"].unique()], list(rows["alternative"].unique())
    shelves = pd.DataFrame({"store_id": ids, "occasions_per_week": PEOPLE})
    model = plain_fit(rows, (), shelves=shelves)
    profiles, goods = profiles_of(rows, ()), products_of(names)
    stores = Stores.from_frame(pd.DataFrame({"store_id": ids, "longitude": 0.0, "latitude": 0.0}))
    everything = np.ones((len(ids), len(names)), dtype=np.bool_)

    def shares(price: np.ndarray) -> np.ndarray:
        at = rows.iloc[: everything.size].rename(columns={"who": "store_id", "alternative": "product_id"})
        at = at[["store_id", "product_id"]].assign(price=price.ravel())
        return model.predict(stores, goods, profiles, at=at).shares(everything)

    plain = model.predict(stores, goods, profiles)  # at a price of 1
    level = np.log(plain.attraction[0, 0] / plain.no_purchase[0, 0])
    slope = float(model.coefficients.set_index("term")["value"][LOG_PRICE])
    for _, market in rows.groupby("when"):
        price = market["price"].to_numpy().reshape(everything.shape)
        theirs, elasticities = simulated_by_pyblp(market.assign(level=np.tile(level, len(ids))), slope)
        assert shares(price) == pytest.approx(theirs, rel=1e-6)
        for n in (0, 7, 23):
            step = np.where(np.arange(len(names)) == n, 1e-5, 0.0)
            change = np.log(shares(price * np.exp(step))) - np.log(shares(price * np.exp(-step)))
            assert change / 2e-5 == pytest.approx(elasticities[:, :, n], rel=1e-5, abs=1e-8)
