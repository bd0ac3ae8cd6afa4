"""The checks of an order that need no venue: what the broker declares and what the instrument allows."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING
from decimal import ROUND_FLOOR
from decimal import Decimal
from typing import Final

from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.amounts import on_step
from gatehook.kinds.amounts import plain
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import UnitMismatch
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import TimeInForce

_ID: Final = re.compile(r"[A-Za-z0-9_-]+\Z")
_NEEDS_PRICE: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_NEEDS_TRIGGER: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


def check_shape(request: OrderRequest) -> None:
    """Check what every order must be, whoever takes it.

    Raises:
        InvalidOrder: naming the field and the rule.
    """
    if not _ID.match(request.client_order_id):
        raise InvalidOrder("client_order_id is one or more of A-Z a-z 0-9 _ -")
    if request.quantity <= 0:
        raise InvalidOrder(f"quantity is above zero, but {plain(request.quantity)}")
    for name in ("price", "trigger_price", "take_profit", "stop_loss"):
        value = getattr(request, name)
        if value is not None and value <= 0:
            raise InvalidOrder(f"{name} is above zero, but {plain(value)}")
    _check_field("price", request.price is not None, request.type in _NEEDS_PRICE, request.type)
    _check_field("trigger_price", request.trigger_price is not None, request.type in _NEEDS_TRIGGER, request.type)
    _check_trailing(request)
    if (request.expire_at is not None) is not (request.time_in_force is TimeInForce.GTD):
        raise InvalidOrder("expire_at goes with time_in_force gtd, and gtd needs it")
    if request.post_only and request.type not in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        raise InvalidOrder(f"post_only is for limit orders, not {request.type}")


def _check_field(name: str, given: bool, needed: bool, kind: OrderType) -> None:
    if given is not needed:
        raise InvalidOrder(f"a {kind} order {'needs' if needed else 'has no'} {name}")


def _check_trailing(request: OrderRequest) -> None:
    trailing = request.trailing
    if request.type is not OrderType.MARKET:  # one may carry it: a stop-loss that trails, at the position it opens
        _check_field("trailing", trailing is not None, request.type is OrderType.TRAILING_STOP, request.type)
    if trailing is not None and trailing.offset <= 0:
        raise InvalidOrder(f"trailing.offset is above zero, but {plain(trailing.offset)}")


def check_capabilities(request: OrderRequest, capabilities: BrokerCapabilities) -> None:
    """Check that the broker declares everything the order uses.

    Raises:
        UnsupportedCapability: naming what is not declared and what is.
        InvalidOrder: for a client order id longer than the venue takes.
    """
    _check_listed("order type", request.type, capabilities.order_types)
    if request.time_in_force is not None and request.time_in_force is not default_time_in_force(request.type):
        _check_listed("time in force", request.time_in_force, capabilities.times_in_force)
    for name, used, declared in (
        ("post_only", request.post_only, capabilities.post_only),
        ("reduce_only", request.reduce_only, capabilities.reduce_only),
        ("quantity_unit quote", request.quantity_unit is QuantityUnit.QUOTE, capabilities.quote_quantity),
        (
            "take_profit and stop_loss",
            request.take_profit is not None or request.stop_loss is not None,
            capabilities.order_protection,
        ),
        (
            "trailing of a market order",
            request.type is OrderType.MARKET and request.trailing is not None,
            capabilities.order_trailing,
        ),
    ):
        if used and not declared:
            raise UnsupportedCapability(f"this broker does not declare {name}")
    if len(request.client_order_id) > capabilities.client_order_id_length:
        raise InvalidOrder(
            f"client_order_id is longer than the venue's {capabilities.client_order_id_length} characters;"
            " it is never truncated"
        )


def _check_listed(what: str, value: object, declared: tuple[object, ...]) -> None:
    if value not in declared:
        listed = ", ".join(str(one) for one in declared) or "none"
        raise UnsupportedCapability(f"this broker does not declare {what} {value}; it declares {listed}")


def default_time_in_force(kind: OrderType) -> TimeInForce:
    """What an order without a time in force gets, written into the order: market IOC, all others GTC."""
    return TimeInForce.IOC if kind is OrderType.MARKET else TimeInForce.GTC


def check_instrument(request: OrderRequest, instrument: Instrument) -> None:
    """Check the order against the instrument's steps and bounds. Nothing is rounded.

    Raises:
        InvalidOrder: naming the bound and its value.
        UnitMismatch: when the quantity is in another unit than the instrument's (``quote`` is left to the broker).
    """
    if request.quantity_unit is not QuantityUnit.QUOTE:
        if request.quantity_unit is not instrument.quantity_unit:
            raise UnitMismatch(
                f"{instrument.id} is traded in {instrument.quantity_unit}, the quantity is in {request.quantity_unit}"
            )
        _check_bounds(request, instrument)
    for name in ("price", "trigger_price", "take_profit", "stop_loss"):
        value, step = getattr(request, name), instrument.price_increment
        if value is not None and not on_step(value, step):
            raise InvalidOrder(f"{name} {plain(value)} is off the price_increment {plain(step)} of {instrument.id}")


def _check_bounds(request: OrderRequest, instrument: Instrument) -> None:
    quantity, step = request.quantity, instrument.size_increment
    if not on_step(quantity, step):
        raise InvalidOrder(f"quantity {plain(quantity)} is off the size_increment {plain(step)} of {instrument.id}")
    if instrument.min_quantity is not None and quantity < instrument.min_quantity:
        raise InvalidOrder(f"quantity {plain(quantity)} is below min_quantity {plain(instrument.min_quantity)}")
    if instrument.max_quantity is not None and quantity > instrument.max_quantity:
        raise InvalidOrder(f"quantity {plain(quantity)} is above max_quantity {plain(instrument.max_quantity)}")
    price = request.price if request.price is not None else request.trigger_price
    if price is not None:
        check_notional(LEDGER.multiply(LEDGER.multiply(quantity, instrument.contract_size), price), instrument)


def check_notional(notional: Decimal, instrument: Instrument) -> None:
    """Check an order's worth in the quote currency.

    Raises:
        InvalidOrder: naming the bound and its value.
    """
    if instrument.min_notional is not None and notional < instrument.min_notional:
        raise InvalidOrder(f"notional {plain(notional)} is below min_notional {plain(instrument.min_notional)}")
    if instrument.max_notional is not None and notional > instrument.max_notional:
        raise InvalidOrder(f"notional {plain(notional)} is above max_notional {plain(instrument.max_notional)}")


def quantize_quantity(value: Decimal, step: Decimal) -> Decimal:
    """Round a quantity down to its step: explicitly, by the caller, never on the way to a venue."""
    return LEDGER.multiply(LEDGER.divide_int(value, step), step)


def quantize_price(value: Decimal, step: Decimal, side: Side, kind: OrderType) -> Decimal:
    """Round a price to its tick the way that never costs more than asked: a limit buy down and sell up, a stop's
    trigger buy up and sell down.
    """
    away = (side is Side.BUY) is (kind in (OrderType.STOP, OrderType.TRAILING_STOP))
    steps = (value / step).to_integral_value(ROUND_CEILING if away else ROUND_FLOOR)
    return LEDGER.multiply(steps, step)
