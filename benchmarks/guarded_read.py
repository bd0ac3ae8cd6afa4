"""A read through a guarded handle: above the bare call of the same method."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Final

import anyio

from benchmarks.hosting import running_host
from benchmarks.measuring import Budget
from benchmarks.measuring import Row
from benchmarks.measuring import side_by_side_async
from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import MarketData
from gatehook import Tick
from gatehook import TickKind
from gatehook import hookimpl

EURUSD: Final = InstrumentId("EURUSD", "STILL")
_QUOTE: Final = Tick(instrument_id=EURUSD, kind=TickKind.QUOTE, bid="1.0999", ask="1.1001", ts_event=0)
_MANIFEST: Final = {"id": "still", "name": "Still", "version": "1", "kinds": ["connector.marketData"]}


class Still(MarketData):
    """One quote that never moves."""

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        """Return nothing."""
        return ()

    async def quote(self, instrument_id: InstrumentId) -> Tick:
        """Return the quote."""
        return _QUOTE


def run(quick: bool) -> Iterator[Row]:
    """Measure on both event loops."""
    for backend in ("asyncio", "trio"):
        yield anyio.run(_measure, backend, quick, backend=backend)


async def _measure(backend: str, quick: bool) -> Row:
    calls, provider = 100 if quick else 20_000, Still()

    @hookimpl
    def provide_market_data() -> Still:
        return provider

    async with running_host([(_MANIFEST, SimpleNamespace(provide_market_data=provide_market_data))]) as host:
        handle = host.market_data("still")

        async def guarded() -> None:
            for _ in range(calls):
                await handle.quote(EURUSD)

        async def bare() -> None:
            for _ in range(calls):
                await provider.quote(EURUSD)

        took = await side_by_side_async({"guarded": guarded, "bare": bare}, 2 if quick else 9)
    return Row(
        work=f"a read through a guarded handle, {backend}",
        figure=took["guarded"] / calls * 1e6,
        unit="µs",
        against="the bare call",
        other=took["bare"] / calls * 1e6,
        budget=Budget(25, "µs above"),
        above=True,
    )
