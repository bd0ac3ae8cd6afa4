"""The limits that one order keeps by itself: what it is of, how much, what it is worth, how far from the market."""

from __future__ import annotations

from decimal import Decimal
from fnmatch import fnmatchcase

from gatehook.config.trading import LimitsConfig
from gatehook.guard.facts import OrderFacts
from gatehook.guard.facts import Quote
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.amounts import plain
from gatehook.kinds.errors import LimitExceeded
from gatehook.kinds.errors import LimitUncomputable
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import Side


def check_order(config: LimitsConfig, order: OrderFacts) -> None:
    """Check one order by itself.

    Raises:
        LimitExceeded: naming the limit, its scope, what the order has and what the limit is.
        LimitUncomputable: naming what is not known.
    """
    symbol = str(order.instrument.id)
    if config.symbols and not any(fnmatchcase(symbol, pattern) for pattern in config.symbols):
        raise LimitExceeded(f"symbols of {config.scope} are {', '.join(config.symbols)}; {symbol} is none of them")
    _check_most("max_quantity", config, config.max_quantity, order.base, order, "in base units")
    _check_most("max_notional", config, config.max_notional, order.value, order, "in the valuation currency")
    if config.price_band is not None:
        _check_band(config, config.price_band, order)


def _check_most(
    limit: str, config: LimitsConfig, most: Decimal | None, amount: Decimal | None, order: OrderFacts, unit: str
) -> None:
    if most is None:
        return
    if amount is None:
        raise uncomputable(limit, config, order.problem or f"the order has no figure {unit}")
    if amount > most:
        raise LimitExceeded(
            f"{limit} of {config.scope} is {plain(most)} {unit}; the order has {plain(amount)},"
            f" {plain(LEDGER.subtract(amount, most))} too much"
        )


def _check_band(config: LimitsConfig, band: Decimal, order: OrderFacts) -> None:
    if order.quote is None:
        raise uncomputable("price_band", config, order.problem or "there is no quote")
    touch = touch_of(order.quote, order.request.side)
    width = LEDGER.multiply(band, touch)
    for name, price in prices_of(order.request):
        if abs(LEDGER.subtract(price, touch)) > width:
            raise LimitExceeded(
                f"price_band of {config.scope} is {plain(band)}: {name} {plain(price)} is further than {plain(width)}"
                f" from the market at {plain(touch)}"
            )


def touch_of(quote: Quote, side: Side) -> Decimal:
    """The price at which an order of a side would trade now."""
    return quote.ask if side is Side.BUY else quote.bid


def prices_of(request: OrderRequest) -> list[tuple[str, Decimal]]:
    """The prices at which an order can be put to work, by name."""
    activation = None if request.trailing is None else request.trailing.activation_price
    named = (("price", request.price), ("trigger_price", request.trigger_price), ("activation_price", activation))
    return [(name, price) for name, price in named if price is not None]


def uncomputable(limit: str, config: LimitsConfig, why: str) -> LimitUncomputable:
    """The refusal of what cannot be counted."""
    return LimitUncomputable(f"{limit} of {config.scope} is set, and cannot be computed: {why}")
