from __future__ import annotations

import json
from decimal import Decimal

import anyio
import pytest

from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import CallRefused
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.secrets import MASK
from tests.runtimes.mcp.conftest import plain
from tests.runtimes.mcp.conftest import running

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


async def test_a_tool_is_called_and_the_server_is_known():
    async with running(plain()) as session:
        result = await session.call("echo", {"text": "hi"})
        assert (result.texts, result.is_error, result.tool) == (("hi",), False, "echo")
        assert session.server == {"name": "plain", "version": "1", "protocol": "2025-11-25"}
        assert session.generation == 1
        assert len(session.tools) == 19  # of both pages


async def test_numbers_are_exact_both_ways():
    async with running(plain()) as session:
        result = (await session.call("price", {"value": Decimal("0.07"), "text": Decimal("1.10")})).json()
        assert result == {"bid": Decimal("1.10"), "got": {"value": Decimal("0.07"), "text": "1.10"}}
        assert str(result["bid"]) == "1.10"
        assert (await session.call("structured", {})).structured == {"bid": Decimal("1.1")}


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("ech0", {}, 'did you mean "echo"'),
        ("echo", {"texts": "hi"}, 'did you mean "text"'),
        ("echo", {"text": 1}, "/text: type 'string'"),
        ("order", {"symbol": "EURUSD", "volume": 1}, "required"),
        ("order", {"symbol": "EURUSD", "volume": 1, "side": "long"}, "/side: enum"),
        ("price", {"value": Decimal("0.12345678901234567890123")}, "JSON number"),
        ("price", {"value": Decimal("NaN")}, "/value"),
        ("price", {"text": Decimal("Infinity")}, "/text"),
        ("echo", {"text": MASK}, "mask"),
        ("echo", {"text": object()}, "object"),
    ],
)
async def test_what_the_schema_does_not_allow_is_not_sent(tool, arguments, says):
    async with running(plain()) as session:
        with pytest.raises(Denied) as caught:
            await session.call(tool, arguments)
        assert says in str(caught.value)
        assert str(caught.value).startswith("mt5: ")
        assert "nothing was sent" in str(caught.value)


async def test_an_undeclared_argument_leaves_where_the_adapter_says_so():
    async with running(plain()) as session:
        session.allow_undeclared("price", "clientId")
        assert (await session.call("price", {"clientId": "x1"})).json()["got"] == {"clientId": "x1"}
        with pytest.raises(Denied):
            await session.call("price", {"clientid": "x1"})
        with pytest.raises(Denied):
            await session.call("echo", {"clientId": "x1"})


async def test_a_tool_that_fails_is_a_result():
    async with running(plain()) as session:
        result = await session.call("fails", {})
        assert result.is_error
        assert result.json() == {"error": "no"}


async def test_a_protocol_error_is_refused_with_its_number_and_a_bounded_clean_text():
    async with running(plain()) as session:
        with pytest.raises(CallRefused) as caught:
            await session.call("refuses", {})
        assert caught.value.venue_code == "-32602"
        assert len(str(caught.value)) < 450
        assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(("tool", "says"), [("mangled", "NaN"), ("liar", "/bid: type")])
async def test_an_answer_that_is_none_is_told_at_once(tool, says):
    async with running(plain()) as session:
        with pytest.raises(ToolAnswerInvalid, match=says):
            await session.call(tool, {}, timeout=5)
        assert (await session.call("echo", {"text": "on"})).texts == ("on",)


async def test_garbage_between_the_messages_ends_nothing(caplog):
    async with running(plain()) as session:
        assert (await session.call("garbage", {})).texts == ("after garbage",)
        assert "no json" not in caplog.text
        assert "3 so far" not in caplog.text
        assert "2 so far" in caplog.text


async def test_a_deadline_is_kept_and_the_session_goes_on():
    async with running(plain("--slow")) as session:
        with pytest.raises(Ambiguous, match="may have been executed"):
            await session.call("sleep", {"seconds": 0.3}, timeout=0.05)
        assert (await session.call("echo", {"text": "on"})).texts == ("on",)


async def test_a_cancelled_call_leaves_the_session_as_it_was():
    async with running(plain()) as session:
        with anyio.move_on_after(0.05):
            await session.call("sleep", {"seconds": 0.2})
        assert (await session.call("echo", {"text": "on"})).texts == ("on",)


async def test_progress_is_told():
    told = []

    async def progress(progress, total, message):
        told.append((progress, total, message))

    async with running(plain()) as session:
        await session.call("progress", {}, progress=progress)
    assert told == [(0.0, 3.0, "on it"), (1.0, 3.0, "on it"), (2.0, 3.0, "on it")]


async def test_a_request_of_the_server_is_answered():
    async with running(plain()) as session:
        reply = json.loads((await session.call("ask", {})).texts[0])
        assert reply == {"jsonrpc": "2.0", "id": "mine", "result": {}}


async def test_more_calls_than_allowed_wait_their_turn_within_their_deadline():
    async with running(plain(max_in_flight=2)) as session, anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(session.call, "sleep", {"seconds": 0.2})
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(NotConnected, match="2 calls are ahead"):
            await session.call("echo", {"text": "x"}, timeout=0.05)
        assert (await session.call("echo", {"text": "x"})).texts == ("x",)


async def test_many_calls_at_once_each_get_their_own_answer():
    async with running(plain()) as session:
        found = {}

        async def one(number):
            found[number] = (await session.call("echo", {"text": str(number)})).texts[0]

        async with anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(one, number)
        assert found == {number: str(number) for number in range(200)}
