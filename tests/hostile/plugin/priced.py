"""The hooks of the same plugin where it gives the venue's quotes too."""

from __future__ import annotations

from collections.abc import Sequence

from gatehook import Broker
from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import MarketData
from gatehook import NotFound
from gatehook import PluginContext
from gatehook import Tick
from gatehook import TickKind
from gatehook import hookimpl

from .broker import HostileBroker
from .wire import MS
from .wire import Wire
from .words import Words


class HostilePrices(MarketData):
    """The venue's quotes, of the time at which it says that they are."""

    def __init__(self, context: PluginContext) -> None:
        self._context = context
        self._wire = Wire(context)

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        (wire,) = (await self._wire.ask("instruments"))["instruments"]
        instrument = Words(self._context.entry_id, self._context.venue, wire).instrument
        return [instrument] if (query or "") in instrument.id.symbol else []

    async def quote(self, instrument_id: InstrumentId) -> Tick:
        if instrument_id not in {one.id for one in await self.list_instruments()}:
            raise NotFound(f"{instrument_id} is not traded here")
        answer = await self._wire.ask("quote")
        return Tick(
            instrument_id=instrument_id,
            kind=TickKind.QUOTE,
            bid=answer["bid"],
            ask=answer["ask"],
            ts_event=answer["now"] * MS,
        )


@hookimpl
def provide_broker(context: PluginContext) -> Broker:
    """Build the broker of this entry."""
    return HostileBroker(context)


@hookimpl
def provide_market_data(context: PluginContext) -> MarketData:
    """Build the prices of this entry."""
    return HostilePrices(context)
