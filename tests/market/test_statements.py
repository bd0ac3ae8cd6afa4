"""The provider statements of market data, for the built-in sources as the real loader runs them."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from gatehook.clocks import ReplayClock
from gatehook.clocks import SystemClock
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import from_rfc3339
from gatehook.testing.hosting import HostMaker
from gatehook.testing.market_data_suite import MarketDataSuite
from gatehook.testing.market_data_suite import PricesRig

BUILTIN = Path(__file__).parents[2] / "builtin_plugins"


class TestSimulated(MarketDataSuite):
    manifest = BUILTIN / "simulated" / "plugin.json"

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request):
        return request.param

    @pytest.fixture
    async def rig(self, tmp_path, anyio_backend):
        plugins = {"deny": ["paper", "replay"], "entries": {"simulated": {"config": {"interval": 0.05}}}}
        make = HostMaker(tmp_path / f"host-{uuid4().hex}")
        async with make(builtin=True, clock=SystemClock(), config={"plugins": plugins}) as host:
            source = host.market_data("simulated", caller="suite")
            now = host.clock.now()
            (instrument, *_) = await source.list_instruments()
            yield PricesRig(
                source=source,
                declared=source.capabilities,
                instrument=instrument,
                start=now - 2 * HOUR,
                end=now // MINUTE * MINUTE,
            )


class TestReplay(MarketDataSuite):
    manifest = BUILTIN / "replay" / "plugin.json"

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request):
        return request.param

    @pytest.fixture
    async def rig(self, tmp_path, anyio_backend):
        """Twenty hours of a file are past, and the rest is to come."""
        start = from_rfc3339("2024-01-01T00:00:00Z")
        file = tmp_path / "EURUSD.csv"
        rows = [f"{start // 10**9 + hour * 3600},1.1,1.2,1.0,1.15\n" for hour in range(400)]
        file.write_text("time,open,high,low,close\n" + "".join(rows))
        plugins = {
            "deny": ["paper", "simulated"],
            "entries": {"replay": {"config": {"file": str(file), "pace": 360_000}}},
        }
        make = HostMaker(tmp_path / f"host-{uuid4().hex}")
        clock = ReplayClock()
        async with make(builtin=True, clock=clock, config={"plugins": plugins}) as host:
            source = host.market_data("replay", caller="suite")
            (instrument,) = await source.list_instruments()
            hours = Subscription(instrument_id=instrument.id, channel=Channel.CANDLES, timeframe=Timeframe.H1)
            clock.start()
            async with source.stream([hours]) as items:
                for _ in range(20):
                    await anext(items)
            yield PricesRig(
                source=source, declared=source.capabilities, instrument=instrument, start=start, end=start + 20 * HOUR
            )
