"""What the simulated market trades: steps and sizes like those of real venues."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from gatehook import Instrument
from gatehook import InstrumentId


@attrs.frozen(kw_only=True)
class Listing:
    """One instrument. Prices are whole numbers of ``increment``.

    Attributes:
        level: the price that the walk stays around, in increments.
        wildness: how far the price moves in a minute, in increments.
        spread: ask less bid, in increments.
        size: the smallest size that is quoted.
    """

    symbol: str
    base: str
    quote: str
    increment: Decimal
    level: int
    wildness: int
    spread: int
    size: Decimal
    size_increment: Decimal
    min_quantity: Decimal
    max_quantity: Decimal

    def instrument(self, venue: str) -> Instrument:
        """Return it as an instrument of ``venue``."""
        return Instrument(
            id=InstrumentId(self.symbol, venue),
            native_symbol=self.symbol,
            base=self.base,
            quote=self.quote,
            price_increment=self.increment,
            size_increment=self.size_increment,
            settle_currency=self.quote,
            min_quantity=self.min_quantity,
            max_quantity=self.max_quantity,
        )


def _currencies(symbol: str, increment: str, level: int, wildness: int, spread: int) -> Listing:
    return Listing(
        symbol=symbol,
        base=symbol[:3],
        quote=symbol[3:],
        increment=Decimal(increment),
        level=level,
        wildness=wildness,
        spread=spread,
        size=Decimal(100_000),
        size_increment=Decimal(1),
        min_quantity=Decimal(1),
        max_quantity=Decimal(50_000_000),
    )


def _by_the_piece(
    symbol: str, *, level: int, wildness: int, spread: int, size: str, step: str, largest: int
) -> Listing:
    return Listing(
        symbol=symbol,
        base=symbol[:3],
        quote=symbol[3:],
        increment=Decimal("0.01"),
        level=level,
        wildness=wildness,
        spread=spread,
        size=Decimal(size),
        size_increment=Decimal(step),
        min_quantity=Decimal(step),
        max_quantity=Decimal(largest),
    )


LISTINGS: Final = (
    _currencies("EURUSD", "0.00001", 108_500, 12, 8),
    _currencies("GBPUSD", "0.00001", 127_000, 15, 11),
    _currencies("USDJPY", "0.001", 151_500, 16, 9),
    _by_the_piece("XAUUSD", level=241_000, wildness=60, spread=25, size="10", step="0.01", largest=10_000),
    _by_the_piece("BTCUSD", level=6_500_000, wildness=3_000, spread=200, size="0.5", step="0.00001", largest=1_000),
    _by_the_piece("ETHUSD", level=340_000, wildness=200, spread=20, size="5", step="0.0001", largest=10_000),
)
