"""Candles from a server that gives them backwards: pages, gaps, the beginning of the data, and the broker's days."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from builtin_plugins.metaapi_mcp.candles import Candles
from builtin_plugins.metaapi_mcp.reading import Node
from gatehook import InstrumentId
from gatehook import Timeframe
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.kinds.times import DAY
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import from_rfc3339
from gatehook.kinds.times import to_rfc3339

pytestmark = pytest.mark.anyio

EURUSD = InstrumentId("EURUSD", "MT")
ZONE = ZoneInfo("Europe/Athens")
NOW = from_rfc3339("2026-04-20T12:00:00Z")


class Server:
    """A server with candles that opened at given times."""

    def __init__(self, opens, *, most=1000, symbol="EURUSD"):
        self.opens = sorted(opens)
        self.most = most
        self.symbol = symbol
        self.calls = 0

    async def ask(self, tool, account_id, *, symbol, timeframe, startTime, limit):  # noqa: N803  the server's own word
        self.calls += 1
        latest = from_rfc3339(startTime)
        found = [one for one in self.opens if one <= latest][-min(limit, self.most) :]
        candles = [self.candle(one) for one in found]
        return Node(tool, {"symbol": self.symbol, "timeframe": timeframe, "candles": candles})

    def candle(self, opened):
        local = datetime.fromtimestamp(opened / 1e9, UTC).astimezone(ZONE)
        return {
            "time": to_rfc3339(opened),
            "brokerTime": local.strftime("%Y-%m-%d %H:%M:%S.000"),
            "open": 2,
            "high": 3,
            "low": 1,
            "close": 2,
            "tickVolume": 5,
        }


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def read(server, start, end, most=1000, timeframe=Timeframe.M1):
    source, found = Candles(server, "a", EURUSD, timeframe), []
    place = start
    while place is not None:
        part, place = await source.part(place, end, NOW, most)
        found += part
    return found


def minutes(start, count):
    return [from_rfc3339(start) + n * MINUTE for n in range(count)]


@pytest.mark.parametrize("most", [3, 100, 1000])
@pytest.mark.parametrize("cap", [1000, 7])
async def test_pages_join_without_holes_or_doubles_also_over_gaps_and_a_server_that_gives_less(most, cap):
    opens = minutes("2026-04-17T20:00:00Z", 120) + minutes("2026-04-20T00:00:00Z", 200)
    server = Server(opens, most=cap)
    found = await read(server, opens[0] - DAY, opens[-1] + 1, most)
    assert [one.ts_open for one in found] == opens


async def test_the_beginning_of_the_data_is_found_without_asking_for_all_the_time_before_it():
    opens = minutes("2026-04-01T00:00:00Z", 5000)
    server = Server(opens)
    found = await read(server, 0, opens[10])
    assert [one.ts_open for one in found] == opens[:10]
    assert server.calls < 60


async def test_days_end_by_the_brokers_clock_also_when_it_is_put_forward():
    opens = [int(datetime(2026, 3, day, tzinfo=ZONE).timestamp()) * 10**9 for day in (26, 27, 28, 29, 30, 31)]
    found = await read(Server(opens), opens[0], opens[-1] + 1, timeframe=Timeframe.D1)
    assert [one.ts_close for one in found[:-1]] == opens[1:]
    assert [one.ts_close - one.ts_open for one in found] == [24 * HOUR] * 3 + [23 * HOUR] + [24 * HOUR] * 2


async def test_a_friday_ends_on_friday_and_a_month_with_its_last_day():
    friday, monday = (int(datetime(2026, 4, day, tzinfo=ZONE).timestamp()) * 10**9 for day in (17, 20))
    found = await read(Server([friday, monday]), friday, monday + 1, timeframe=Timeframe.D1)
    assert found[0].ts_close == friday + DAY
    month = int(datetime(2026, 2, 1, tzinfo=ZONE).timestamp()) * 10**9
    (february,) = await read(Server([month]), month, month + 1, timeframe=Timeframe.MN1)
    assert february.ts_close == int(datetime(2026, 3, 1, tzinfo=ZONE).timestamp()) * 10**9


async def test_a_candle_is_closed_when_no_more_can_come():
    opens = [NOW - 2 * MINUTE, NOW - MINUTE, NOW - MINUTE // 2 * 0]
    last = (await read(Server(opens[:2]), opens[0], NOW + 1))[-1]
    assert not last.closed, "its time has just ended, and it may yet change"
    assert [one.closed for one in await read(Server(opens), opens[0], NOW + 1)] == [True, True, False]


async def test_the_candles_of_another_symbol_are_refused():
    with pytest.raises(ToolAnswerInvalid, match="get_candles") as raised:
        await read(Server([NOW], symbol="GBPUSD"), NOW, NOW + 1)
    assert raised.value.pointer == "/symbol"
