"""What an order is of and what it is worth, at the worst price at which it can trade. Never too little."""

from __future__ import annotations

from decimal import ROUND_UP
from decimal import Context
from decimal import Decimal
from typing import Final

from gatehook.guard.facts import OrderFacts
from gatehook.guard.facts import Quote
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.amounts import Money
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.instruments import Settlement
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import TrailingUnit

#: For what has no finite decimal form and must not become too small.
UP: Final = Context(prec=34, rounding=ROUND_UP)

_BPS: Final = Decimal("0.0001")
_LIMITED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})


class NotValued(Exception):
    """Something has no worth that could be relied on; the text says why."""


def base_units(request: OrderRequest, instrument: Instrument, quote: Quote | None) -> Decimal:
    """How many base units an order is at the most.

    Raises:
        NotValued: it depends on a price, and there is none.
    """
    quantity = request.quantity
    if request.quantity_unit is QuantityUnit.QUOTE:
        return UP.divide(quantity, lowest_price(request, quote))
    size = unit_size(instrument)
    if instrument.settlement is Settlement.INVERSE:
        return UP.divide(UP.multiply(quantity, size), lowest_price(request, quote))
    return LEDGER.multiply(quantity, size)


def notional(request: OrderRequest, instrument: Instrument, quote: Quote | None) -> Money:
    """What an order is worth at the most, in the currency in which it is settled or quoted.

    Raises:
        NotValued: it depends on a price, and there is none; or a quanto has no ``tick_value``.
    """
    quantity = request.quantity
    if request.quantity_unit is QuantityUnit.QUOTE:
        return Money(quantity, instrument.quote)
    size = unit_size(instrument)
    if instrument.settlement is Settlement.INVERSE:
        return Money(LEDGER.multiply(quantity, size), instrument.quote)
    price = highest_price(request, instrument, quote)
    if instrument.settlement is Settlement.QUANTO:
        if instrument.tick_value is None:
            raise NotValued(f"{instrument.id} is a quanto and has no tick_value")
        ticks = UP.divide(price, instrument.price_increment)
        return Money(UP.multiply(UP.multiply(quantity, ticks), instrument.tick_value), instrument.settle_currency)
    return Money(LEDGER.multiply(LEDGER.multiply(quantity, size), price), instrument.quote)


def unit_size(instrument: Instrument) -> Decimal:
    """What one unit of an instrument's quantities is: ``contract_size``, or 1 where they are in base units.

    It is in base units; of an inverse contract, which is worth a fixed amount, in the quote currency.
    """
    return Decimal(1) if instrument.quantity_unit is QuantityUnit.BASE else instrument.contract_size


def base_each(order: OrderFacts) -> Decimal | None:
    """How many base units one unit of the order's quantity is at the most; ``None`` where it is not known."""
    request, instrument = order.request, order.instrument
    if request.quantity_unit is not QuantityUnit.QUOTE and instrument.settlement is not Settlement.INVERSE:
        return unit_size(instrument)
    return None if order.base is None else UP.divide(order.base, request.quantity)


def highest_price(request: OrderRequest, instrument: Instrument, quote: Quote | None) -> Decimal:
    """The highest price that an order's worth must be counted with.

    A buy with a limit: the limit. A sell with a limit: the limit or the bid, whichever is higher. A stop: its trigger
    or the market. A trailing stop: where it would trigger if the market never came nearer. Else the market.

    Raises:
        NotValued: when the market decides, and there is no quote.
    """
    if request.type in _LIMITED and request.price is not None and request.side is Side.BUY:
        return request.price
    market = _market(quote).ask if request.side is Side.BUY else _market(quote).bid
    candidates = [market, *(price for price in (request.price, request.trigger_price) if price is not None)]
    trailing = request.trailing
    if trailing is not None:
        start = market if trailing.activation_price is None else max(market, trailing.activation_price)
        step = {
            TrailingUnit.PRICE: Decimal(1),
            TrailingUnit.POINTS: instrument.price_increment,
            TrailingUnit.BPS: LEDGER.multiply(start, _BPS),
        }[trailing.unit]
        ahead = LEDGER.multiply(trailing.offset, step) if request.side is Side.BUY else Decimal(0)
        candidates.append(LEDGER.add(start, ahead))
    return max(candidates)


def lowest_price(request: OrderRequest, quote: Quote | None) -> Decimal:
    """The lowest price that an order's base units must be counted with, where they depend on it.

    A sell with a limit: the limit. Everything else: the bid, or a price of the order that is lower.

    Raises:
        NotValued: when the market decides, and there is no quote.
    """
    if request.type in _LIMITED and request.price is not None and request.side is Side.SELL:
        return request.price
    given = (request.price, request.trigger_price)
    return min([_market(quote).bid, *(price for price in given if price is not None)])


def _market(quote: Quote | None) -> Quote:
    if quote is None:
        raise NotValued("there is no quote")
    return quote
