"""Made-up shoppers of an experiment: to try a report before there is one, and what chance does."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.analysis.attribution import Moments, Outcome, Rate

Numbers = NDArray[np.float64]

# As in a shop: few look a lot, tastes differ, one click of five goes into a basket, and of these
# one of three is bought.
_MEAN_SHOWN, _TASTE_SPREAD, _CARTED, _ORDERED = 20.0, 10.0, 0.2, 1 / 3
_LOG_PRICE, _LOG_PRICE_SPREAD = 2.0, 1.0


@dataclass(frozen=True, slots=True)
class MadeUpShoppers:
    """What each of n shoppers was shown and did; all (n,)."""

    shown: Numbers
    clicked: Numbers
    carted: Numbers
    orders: Numbers
    revenue: Numbers

    def __len__(self) -> int:
        return len(self.shown)

    def first(self, count: int) -> "MadeUpShoppers":
        """Those who came first."""
        columns = (self.shown, self.clicked, self.carted, self.orders, self.revenue)
        return MadeUpShoppers(*(column[:count] for column in columns))


def made_up_shoppers(count: int, click_rate: float, seed: int) -> MadeUpShoppers:
    """Shoppers who click a share of what they are shown, each with a share of their own."""
    random = np.random.default_rng(seed)
    shown = 1 + random.geometric(1 / _MEAN_SHOWN, count)
    taste = random.beta(click_rate * _TASTE_SPREAD, (1 - click_rate) * _TASTE_SPREAD, count)
    clicked = random.binomial(shown, taste)
    carted = random.binomial(clicked, _CARTED)
    orders = random.binomial(carted, _ORDERED)
    price = random.lognormal(_LOG_PRICE, _LOG_PRICE_SPREAD, count)
    columns = (shown, clicked, carted, orders, orders * price)
    return MadeUpShoppers(*(column.astype(np.float64) for column in columns))


def outcome_of(shoppers: MadeUpShoppers, placement: str, experiment: str, variant: str) -> Outcome:
    """What came of them, as a job counts it from events."""
    one = np.ones(len(shoppers))
    rates = {
        "click_rate": Moments.of(shoppers.clicked, shoppers.shown),
        "cart_rate": Moments.of(shoppers.carted, shoppers.shown),
        "conversion": Moments.of(np.minimum(shoppers.orders, 1.0), one),
        "revenue_per_user": Moments.of(shoppers.revenue, one),
    }
    return Outcome(
        placement,
        experiment,
        variant,
        users=len(shoppers),
        shown=int(shoppers.shown.sum()),
        clicked=int(shoppers.clicked.sum()),
        carted=int(shoppers.carted.sum()),
        orders=int(shoppers.orders.sum()),
        revenue=round(float(shoppers.revenue.sum()), 2),
        rates={name: Rate.of(moments, len(shoppers)) for name, moments in rates.items()},
    )
