"""Where the desk gets the price of what it is asked to trade."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from functools import partial

from gatehook.host.entry import Entry
from gatehook.host.handles import MarketDataHandle
from gatehook.host.port import Port
from gatehook.kinds.errors import NoQuote
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.kind import Kind
from gatehook.kinds.prices import Tick

_CALLER = "desk"


class Quotes:
    """Asks for quotes: the price source that a broker's configuration names, the entry itself where it has prices too,
    and the entries of the instrument's venue, in this order.
    """

    def __init__(self, entries: Callable[[], Mapping[str, Entry]]) -> None:
        """``entries`` gives the entries of the running host."""
        self._entries = entries

    async def quote(self, entry_id: str | None, instrument_id: InstrumentId) -> Tick:
        """Return the newest quote of an instrument that ``entry_id`` trades, or that anybody has.

        Raises:
            NoQuote: no source has one; the message says what each said.
        """
        problems = []
        for handle in self._sources(entry_id, instrument_id):
            try:
                return await handle.quote(instrument_id)
            except ProviderError as error:
                problems.append(f"{handle.entry_id}: {error.message}")
        raise NoQuote(f"no price source has a quote of {instrument_id} ({'; '.join(problems) or 'there is none'})")

    async def instrument(self, entry_id: str | None, instrument_id: InstrumentId) -> Instrument:
        """Return an instrument by which amounts are converted.

        Raises:
            NoQuote: no price source has it.
        """
        for handle in self._sources(entry_id, instrument_id):
            try:
                for one in await handle.list_instruments(query=instrument_id.symbol):
                    if one.id == instrument_id:
                        return one
            except ProviderError:
                continue  # the next source may have it; that none has it is said below
        raise NoQuote(f"no price source has the instrument {instrument_id}")

    def _sources(self, entry_id: str | None, instrument_id: InstrumentId) -> Iterator[MarketDataHandle]:
        for entry in self._candidates(entry_id, instrument_id):
            yield MarketDataHandle(partial(_port, entry), _CALLER)

    def _candidates(self, entry_id: str | None, instrument_id: InstrumentId) -> list[Entry]:
        entries = self._entries()
        broker = None if entry_id is None else entries.get(entry_id)
        named = [] if broker is None else [entries[one] for one in broker.spec.uses if one in entries]
        own = [] if broker is None else [broker]
        at_venue = [one for one in entries.values() if one.spec.venue == instrument_id.venue]
        found = {one.entry_id: one for one in (*named, *own, *at_venue) if Kind.MARKET_DATA in one.kinds}
        return list(found.values())


def _port(entry: Entry) -> Port:
    return entry.ports[Kind.MARKET_DATA]
