"""What happens by itself as the market moves and nights go by: fills, stops, trailing stops, swaps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from typing import Final

import attrs

from gatehook.testing.metaapi.book import Order
from gatehook.testing.metaapi.book import Position
from gatehook.testing.metaapi.engine import Engine
from gatehook.testing.metaapi.settings import SymbolSettings
from gatehook.testing.metaapi.times import opening

_NOT_RELATIVE: Final = "ABSOLUTE_PRICE"


def pass_time(engine: Engine, before: int) -> None:
    """Let the market of the engine's moment act on its account; ``before`` is the moment that acted last."""
    book, market = engine.book, engine.market
    for order in [one for one in book.orders.values() if market.is_open(one.symbol, engine.now)]:
        price = _reached(engine, order)
        if price is not None:
            engine.fill_resting(order, price)
    for position in [one for one in book.positions.values() if market.is_open(one.symbol, engine.now)]:
        _protect(engine, position)
    _charge_nights(engine, before)


def _reached(engine: Engine, order: Order) -> Decimal | None:
    """Return the price at which a resting order fills now; a limit order gets the market's where that is better."""
    price = engine.worth.close_price(order.symbol, -order.sign)
    if order.open_price is None:
        return price if order.due is None or engine.now >= order.due else None
    beyond = (price - order.open_price) * order.sign
    return price if (beyond <= 0 if order.type.endswith("LIMIT") else beyond >= 0) else None


def _protect(engine: Engine, position: Position) -> None:
    price = engine.worth.close_price(position.symbol, position.sign)
    trail(position, price, engine.market.symbols[position.symbol])
    wish = position.wish
    if wish.stop_loss is not None and (price - wish.stop_loss) * position.sign <= 0:
        _close(engine, position, "SL", f"[sl {wish.stop_loss}]")
    elif wish.take_profit is not None and (price - wish.take_profit) * position.sign >= 0:
        _close(engine, position, "TP", f"[tp {wish.take_profit}]")


def _close(engine: Engine, position: Position, reason: str, comment: str) -> None:
    if engine.market.offers(position.symbol):
        engine.close(position.id, reason, comment)


def trail(position: Position, price: Decimal, symbol: SymbolSettings) -> None:
    """Move a position's stop loss as its trailing stop says; it is only ever tightened."""
    trailing = position.wish.trailing or {}
    for level in (_by_distance(trailing, position, price, symbol), _by_threshold(trailing, position, price, symbol)):
        stop_loss = position.wish.stop_loss
        if level is not None and (stop_loss is None or (level - stop_loss) * position.sign > 0):
            position.wish = attrs.evolve(position.wish, stop_loss=level)


def _by_distance(trailing: Any, position: Position, price: Decimal, symbol: SymbolSettings) -> Decimal | None:
    distance = trailing.get("distance")
    if not distance:
        return None
    return price - position.sign * _size(distance["distance"], distance.get("units"), symbol)


def _by_threshold(trailing: Any, position: Position, price: Decimal, symbol: SymbolSettings) -> Decimal | None:
    """Return the stop loss of the farthest threshold that the price has reached."""
    rule = trailing.get("threshold")
    if not rule:
        return None
    units, found = rule.get("units"), None
    base = position.open_price if rule.get("stopPriceBase") == "OPEN_PRICE" else price
    for one in rule["thresholds"]:
        at = _level(one["threshold"], units, position.open_price, position.sign, symbol)
        if (price - at) * position.sign >= 0:
            found = _level(one["stopLoss"], units, base, -position.sign, symbol)
    return found


def _level(value: Decimal, units: str | None, base: Decimal, sign: int, symbol: SymbolSettings) -> Decimal:
    return Decimal(value) if units == _NOT_RELATIVE else base + sign * _size(value, units, symbol)


def _size(value: Decimal, units: str | None, symbol: SymbolSettings) -> Decimal:
    unit = {"RELATIVE_POINTS": symbol.point, "RELATIVE_PIPS": symbol.pip}.get(units or "", Decimal(1))
    return Decimal(value) * unit


def _charge_nights(engine: Engine, before: int) -> None:
    """Charge the swap of every midnight at the broker since ``before``."""
    midnight = opening(engine.now, "1d")
    while midnight > before:
        for position in engine.book.positions.values():
            if position.time < midnight:
                symbol = engine.market.symbols[position.symbol]
                rate = symbol.swap_long if position.sign > 0 else symbol.swap_short
                position.swap += (rate * position.volume).quantize(Decimal("0.01"))
        midnight = opening(midnight - 1, "1d")
