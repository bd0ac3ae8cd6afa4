"""Providers over the wire: outcomes keep what they prove, streams resume, no answer of a server is taken on trust."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import anyio
import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.clocks import SystemClock
from gatehook.context import McpResult
from gatehook.context import ToolDefinition
from gatehook.kinds import errors
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.kind import Kind
from gatehook.kinds.market_data import Channel
from gatehook.kinds.market_data import MarketData
from gatehook.kinds.market_data import Subscription
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import TickKind
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Overflow
from gatehook.kinds.streams import Reconnected
from gatehook.wire.broker import WireBroker
from gatehook.wire.errors import CODES
from gatehook.wire.errors import InvalidArguments
from gatehook.wire.errors import error_from
from gatehook.wire.errors import error_json
from gatehook.wire.market_data import WireMarketData
from gatehook.wire.memory import WireMemory
from gatehook.wire.tools import tool_table
from tests.wire.linked import connected

pytestmark = pytest.mark.anyio
EURUSD = InstrumentId("EURUSD", "TEST")
MAIN = AccountKey("entry", "main")
REQUEST = OrderRequest(
    client_order_id="a",
    account=MAIN,
    instrument_id=EURUSD,
    side=Side.BUY,
    type=OrderType.MARKET,
    quantity=1,
    quantity_unit="base",
)


def context(tasks=None):
    return SimpleNamespace(
        entry_id="entry", clock=SystemClock(), logger=logging.getLogger("test.wire"), task_group=tasks
    )


class Answers:
    """``McpTools`` that answers every tool with the same."""

    generation = 1
    server = {}  # noqa: RUF012  never written to

    def __init__(self, kind, answer):
        self.tools = {name: ToolDefinition(name=name) for name in tool_table([kind])}
        self._answer = answer
        self.called = []

    async def call(self, tool, arguments, *, timeout=None):
        self.called.append(tool)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    async def wait_connected(self, timeout):
        pass


def failed(body):
    return McpResult(structured=body, is_error=True)


@pytest.mark.parametrize("cls", [cls for cls in CODES.values() if cls is not ToolAnswerInvalid], ids=lambda c: c.code)
async def test_every_error_is_raised_again_as_itself(cls):
    raised = cls("why", venue_code="E1", venue_message="no")
    again = error_from(error_json(raised), tool="t")
    assert type(again) is cls
    assert (again.message, again.venue_code, again.venue_message) == ("why", "E1", "no")


async def test_retry_after_and_time_outs_cross():
    assert error_from(error_json(RateLimited("slow", retry_after=2.5)), tool="t").retry_after == 2.5
    assert isinstance(error_from(error_json(TimeoutError()), tool="t"), TimeoutError)


@pytest.mark.parametrize(
    "body",
    [
        {"code": "not_known_here", "category": "rejected", "message": "no"},
        {"code": "insufficient_funds", "category": "denied", "message": "which of the two?"},
        error_json(KeyError("secret")),
    ],
)
async def test_what_is_not_known_here_proves_nothing(body):
    error = error_from(body, tool="t")
    assert type(error) is ProviderError
    assert "secret" not in str(error)


@pytest.mark.parametrize("body", [None, [], "no", {}, {"code": 5}])
async def test_a_failure_without_a_code_is_an_invalid_answer(body):
    assert isinstance(error_from(body, tool="t"), ToolAnswerInvalid)


@pytest.mark.parametrize(
    ("raised", "trading", "reading"),
    [
        (Denied("x"), Denied, Denied),
        (NotConnected("x"), NotConnected, NotConnected),
        (Ambiguous("x"), Ambiguous, NotConnected),
    ],
)
async def test_only_a_command_that_left_is_in_doubt(raised, trading, reading):
    broker = WireBroker(Answers(Kind.BROKER, raised), context())
    with pytest.raises(trading):
        await broker.submit_order(REQUEST)
    with pytest.raises(reading):
        await broker.list_accounts()


async def test_a_tool_that_the_server_lacks_is_unsupported():
    tools = Answers(Kind.BROKER, None)
    del tools.tools["gatehook.broker.cancel_all"]
    with pytest.raises(UnsupportedCapability):
        await WireBroker(tools, context()).cancel_all(MAIN, command_id="c")
    assert tools.called == []


@pytest.mark.parametrize(
    ("structured", "pointer"),
    [
        ({"result": {"bid": "1"}}, "/structuredContent/result/instrument_id"),
        ({"result": [1]}, "/structuredContent/result"),
        ({"other": 1}, "/structuredContent/result"),
    ],
)
async def test_an_answer_that_is_wrong_is_named_by_its_pointer(structured, pointer):
    source = WireMarketData(Answers(Kind.MARKET_DATA, McpResult(structured=structured)), context())
    with pytest.raises(ToolAnswerInvalid) as refused:
        await source.quote(EURUSD)
    assert refused.value.pointer == pointer


async def test_a_client_without_structured_content_reads_the_text():
    text = '{"result":{"instrument_id":"EURUSD.TEST","kind":"quote","bid":"1.1","ts_event":"2024-01-01T00:00:00Z"}}'
    source = WireMarketData(Answers(Kind.MARKET_DATA, McpResult(texts=(text,))), context())
    assert str((await source.quote(EURUSD)).bid) == "1.1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
METHODS = [tool for tool in tool_table(Kind).values() if tool.part == ""]


@pytest.mark.parametrize("tool", [one for one in METHODS if one.kind is not None], ids=lambda tool: tool.name)
@given(answer=JSON, error=st.booleans())
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_server_answers_is_read_or_refused(tool, answer, error):
    from gatehook.wire.link import Link

    async def run():
        tools = Answers(tool.kind, McpResult(structured={"result": answer}, is_error=error))
        try:
            await Link(tools, tool.kind, "entry").ask(tool.method, {})
        except (ProviderError, TimeoutError):
            return

    anyio.run(run)


class Ticking(MarketData):
    """Ticks by number; a cursor is the number."""

    def __init__(self, count=10, *, batches=1):
        self._count = count
        self.sickness = Health()

    def health(self):
        return self.sickness

    async def list_instruments(self, *, query=None):
        return []

    async def quote(self, instrument_id):
        return tick(0)

    async def run_stream(self, subscriptions, sink, after):
        for number in range(int(after or 0), self._count):
            sink.put(tick(number), str(number + 1))
            if number % 3 == 0:
                await sink.drained()


def tick(number):
    return Tick(instrument_id=EURUSD, kind=TickKind.TRADE, trade_id=str(number), price=1, size=1, ts_event=number)


TRADES = [Subscription(instrument_id=EURUSD, channel=Channel.TRADES)]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


async def test_a_stream_is_the_same_over_the_wire():
    async with anyio.create_task_group() as tasks, connected({Kind.MARKET_DATA: Ticking(500)}) as session:
        source = WireMarketData(session, context(tasks))
        cursors, numbers = [], []
        async with source.stream(TRADES, overflow=Overflow.ERROR) as items:
            async for item in items:
                numbers.append(int(item.trade_id))
                cursors.append(items.cursor)
        assert numbers == list(range(500))
        assert cursors == [str(number + 1) for number in range(500)]


async def test_a_stream_resumes_from_its_cursor():
    async with (
        connected({Kind.MARKET_DATA: Ticking(10)}) as session,
        WireMarketData(session, context()).stream(TRADES, after="7") as items,
    ):
        assert [item.trade_id async for item in items] == ["7", "8", "9"]


async def test_a_stream_that_the_server_lost_goes_on_where_it_was():
    async with connected({Kind.MARKET_DATA: Ticking(10)}) as session:
        found = []
        async with WireMarketData(session, context()).stream(TRADES, overflow=Overflow.ERROR) as items:
            async for item in items:
                found.append(item)
                if len(found) == 1:
                    await session.call("gatehook.market_data.stream.close", {"stream": "s1"})
        numbers = [item.trade_id for item in found if isinstance(item, Tick)]
        assert numbers == [str(number) for number in range(10)]
        assert sum(isinstance(item, Reconnected) for item in found) == 1
        assert not any(isinstance(item, Gap) for item in found)


async def test_what_arrived_twice_is_told_once_and_what_did_not_is_told_again():
    async with connected({Kind.MARKET_DATA: Ticking(3)}) as session:
        opened = await session.call(
            "gatehook.market_data.stream.open",
            {"subscriptions": [{"instrument_id": "EURUSD.TEST", "channel": "trades"}], "overflow": "error"},
        )
        stream = opened.structured["result"]["stream"]

        async def next_(**more):
            answer = await session.call("gatehook.market_data.stream.next", {"stream": stream, "wait": 1, **more})
            return answer.structured if answer.is_error else answer.structured["result"]

        first = await next_(limit=1)
        assert (first["position"], first["items"][0]["value"]["trade_id"]) == (1, "0")
        again = await next_(after=0, limit=1)
        assert again["items"] == first["items"]
        rest = await next_(after=1)
        assert rest["items"][0]["value"]["trade_id"] == "1"
        assert (await next_(after=0))["code"] == "cursor_expired"
        assert (await next_(after=99))["code"] == "cursor_expired"


async def test_health_comes_with_the_stream():
    prices = Ticking(4)
    async with connected({Kind.MARKET_DATA: prices}) as session:
        source = WireMarketData(session, context())
        async with source.stream(TRADES) as items:
            await anext(items)
            prices.sickness = Health(status=HealthStatus.DEGRADED, reasons=("old",))
            async for _ in items:
                pass
        assert source.health() == prices.sickness


@pytest.mark.parametrize(
    ("tool", "arguments", "pointer"),
    [
        ("quote", {}, "/instrument_id"),
        ("quote", {"instrument_id": "EURUSD.A", "size": 1}, "/size"),
        ("quote", {"instrument_id": 5}, "/instrument_id"),
        ("history", {"instrument_id": "A.B", "timeframe": "2m", "start": "x", "end": "x"}, "/timeframe"),
        ("stream.open", {"subscriptions": [{"instrument_id": "A.B", "channel": "candles"}]}, "/subscriptions/0"),
    ],
)
async def test_arguments_against_the_wire_reach_no_provider(tool, arguments, pointer):
    async with connected({Kind.MARKET_DATA: Ticking()}) as session:
        answer = await session.call(f"gatehook.market_data.{tool}", arguments)
        assert answer.is_error
        assert (answer.structured["code"], answer.structured["pointer"]) == ("invalid_arguments", pointer)
        assert answer.structured["category"] == "denied"
        assert issubclass(InvalidArguments, errors.Denied)


async def test_a_memory_is_the_same_over_the_wire(tmp_path):
    from gatehook.memory.sqlite.backend import SqliteMemory

    docs = [
        MemoryDoc(id=str(number), text=f"note {number}", namespace=("a", "b"), ts=number + 1, meta={"n": number})
        for number in range(600)
    ]
    async with (
        SqliteMemory(tmp_path / "memory.sqlite", SystemClock()) as store,
        connected({Kind.MEMORY: store}) as session,
    ):
        memory = WireMemory(session, context())
        assert len((await memory.upsert(docs)).inserted) == 600
        assert await memory.get(("a", "b"), ["1", "x"]) == await store.get(("a", "b"), ["1", "x"])
        scanned = [one.doc.id async for one in memory.scan(NamespaceSelector.everything())]
        assert scanned == [one.doc.id async for one in store.scan(NamespaceSelector.everything())]
        assert len(scanned) == 600
