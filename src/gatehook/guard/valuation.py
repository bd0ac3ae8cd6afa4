"""The worth of orders and amounts in the valuation currency: along the configured path, on fresh quotes, or refused."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

import anyio

from gatehook.config.trading import TradingSection
from gatehook.diagnostics import GatehookError
from gatehook.guard.facts import OrderFacts
from gatehook.guard.facts import Quote
from gatehook.guard.worth import UP
from gatehook.guard.worth import NotValued
from gatehook.guard.worth import base_units
from gatehook.guard.worth import notional
from gatehook.kinds.amounts import Money
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.prices import Tick
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import Ns

_QUOTE_SECONDS: Final = 5.0

#: Asks an entry for a quote or an instrument; ``None`` is whichever entry knows it.
QuoteSource = Callable[[str | None, InstrumentId], Awaitable[Tick]]
InstrumentSource = Callable[[str | None, InstrumentId], Awaitable[Instrument]]


class Valuer:
    """Values orders and amounts. ``now`` is market time, against which the age of a quote is taken."""

    def __init__(
        self, trading: TradingSection, quote: QuoteSource, instrument: InstrumentSource, now: Callable[[], Ns]
    ) -> None:
        self._trading = trading
        self._quote = quote
        self._instrument = instrument
        self._now = now

    async def facts_of(
        self, request: OrderRequest, instrument: Instrument, entry_id: str, *, replaces: str | None = None
    ) -> OrderFacts:
        """Resolve an order of an entry. What cannot be known is ``None``, and ``problem`` says why."""
        quote, base, value = None, None, None
        problems = []
        try:
            quote = await self.quote_of(entry_id, instrument.id)
        except NotValued as error:
            problems.append(str(error))
        try:
            base = base_units(request, instrument, quote)
        except NotValued as error:
            problems.append(str(error))
        try:
            value = await self.convert(notional(request, instrument, quote))
        except NotValued as error:
            problems.append(str(error))
        return OrderFacts(
            request=request,
            instrument=instrument,
            base=base,
            value=value,
            quote=quote,
            problem="; ".join(dict.fromkeys(problems)),
            replaces=replaces,
        )

    async def value(self, amount: Decimal, currency: str) -> Decimal:
        """Return what an amount (>= 0) is worth in the valuation currency; rounded up, so never too little.

        Raises:
            NotValued: there is no path, no quote, or none that is fresh.
        """
        return await self.convert(Money(amount, currency))

    async def convert(self, money: Money) -> Decimal:
        """Return what money is worth in the valuation currency.

        Raises:
            NotValued: there is no path, no quote, or none that is fresh.
        """
        target, currency, amount = self._trading.valuation_currency, money.currency, money.amount
        if currency == target:
            return amount
        path = self._trading.conversion.get(currency, ())
        if not path:
            raise NotValued(f"trading.conversion has no path from {currency} to {target}")
        for name in path:
            amount, currency = await self._step(amount, currency, name)
        if currency != target:
            raise NotValued(f"trading.conversion.{money.currency} leads to {currency}, not to {target}")
        return amount

    async def _step(self, amount: Decimal, currency: str, name: str) -> tuple[Decimal, str]:
        instrument = await self._described(InstrumentId.parse(name))
        if currency not in (instrument.base, instrument.quote):
            raise NotValued(f"{name} does not convert {currency}: it is {instrument.base} in {instrument.quote}")
        quote = await self.quote_of(None, instrument.id)
        if currency == instrument.base:
            return UP.multiply(amount, quote.ask), instrument.quote
        return UP.divide(amount, quote.bid), instrument.base

    async def _described(self, instrument_id: InstrumentId) -> Instrument:
        with _asking(f"instrument {instrument_id}"):
            return await self._instrument(None, instrument_id)

    async def quote_of(self, entry_id: str | None, instrument_id: InstrumentId) -> Quote:
        """Return the market of an instrument, not older than ``max_quote_age``.

        Raises:
            NotValued: there is none, it is too old, or later than now by as much; it has no two sides.
        """
        with _asking(f"quote of {instrument_id}"):
            tick = await self._quote(entry_id, instrument_id)
        if tick.bid is None or tick.ask is None or tick.bid <= 0 or tick.ask < tick.bid:
            raise NotValued(f"the quote of {instrument_id} has no bid and ask that could be relied on")
        age = (self._now() - tick.ts_event) / SECOND
        if abs(age) > self._trading.max_quote_age:
            side = "old" if age > 0 else "ahead of market time"
            raise NotValued(
                f"the quote of {instrument_id} is {abs(age):.1f} s {side}, more than max_quote_age of"
                f" {self._trading.max_quote_age:g} s"
            )
        return Quote(bid=tick.bid, ask=tick.ask, at=tick.ts_event)


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """Turn the failure of a source into words."""
    try:
        with anyio.fail_after(_QUOTE_SECONDS):
            yield
    except TimeoutError as error:
        raise NotValued(f"the {what} did not come within {_QUOTE_SECONDS:g} s") from error
    except (ProviderError, GatehookError) as error:
        raise NotValued(f"there is no {what}: {error}") from error
