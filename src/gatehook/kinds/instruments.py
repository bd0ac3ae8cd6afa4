"""Instruments and accounts: what is traded, and where it is booked."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from gatehook.kinds.amounts import exact
from gatehook.kinds.conversion import exact_or_none
from gatehook.kinds.times import Ns


class QuantityUnit(StrEnum):
    """What one unit of an order's quantity is."""

    BASE = "base"
    LOTS = "lots"
    CONTRACTS = "contracts"
    QUOTE = "quote"


class Settlement(StrEnum):
    """How profit is settled."""

    LINEAR = "linear"
    INVERSE = "inverse"
    QUANTO = "quanto"


class InstrumentStatus(StrEnum):
    """Whether an instrument may be traded now; descriptive, so an unknown word is tolerated."""

    TRADING = "trading"
    HALTED = "halted"
    CANCEL_ONLY = "cancel_only"
    CLOSED = "closed"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _: object) -> InstrumentStatus:
        return cls.UNKNOWN


@attrs.frozen(order=True)
class InstrumentId:
    """A symbol at a venue. Its text form splits at the last dot: ``EURUSD.m.ICM`` is ``EURUSD.m`` at ``ICM``."""

    symbol: str
    venue: str = attrs.field()

    def __attrs_post_init__(self) -> None:
        if (
            not self.symbol
            or not self.venue
            or "." in self.venue
            or (self.symbol + self.venue).strip() != str(self.symbol + self.venue)
        ):
            raise ValueError(f"not an instrument: {self.symbol!r} at {self.venue!r}; write it like EURUSD.PAPER")

    @classmethod
    def parse(cls, text: str) -> InstrumentId:
        """Read ``SYMBOL.VENUE``.

        Raises:
            ValueError: when there is no dot, or nothing on one side of the last one.
        """
        symbol, _, venue = text.rpartition(".")
        return cls(symbol, venue)

    def __str__(self) -> str:
        return f"{self.symbol}.{self.venue}"


@attrs.frozen(order=True)
class AccountKey:
    """An account everywhere in the gateway: the entry that leads to it, and the venue's own id for it."""

    entry_id: str
    account_id: str

    def __str__(self) -> str:
        return f"{self.entry_id}/{self.account_id}"


@attrs.frozen(kw_only=True)
class Instrument:
    """What may be traded and in which steps.

    Quantities are in ``quantity_unit``; one lot or contract is ``contract_size`` of the base. Bounds that are
    ``None`` are not imposed by the venue.
    """

    id: InstrumentId
    native_symbol: str
    base: str
    quote: str
    price_increment: Decimal = attrs.field(converter=exact)
    size_increment: Decimal = attrs.field(converter=exact)
    quantity_unit: QuantityUnit = QuantityUnit.BASE
    contract_size: Decimal = attrs.field(default=Decimal(1), converter=exact)
    settlement: Settlement = Settlement.LINEAR
    settle_currency: str
    tick_value: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    min_quantity: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    max_quantity: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    min_notional: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    max_notional: Decimal | None = attrs.field(default=None, converter=exact_or_none)
    status: InstrumentStatus = InstrumentStatus.TRADING
    ts_event: Ns = 0
    raw: Any = attrs.field(default=None, eq=False, repr=False)
