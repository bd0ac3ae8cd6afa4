"""The connection: both ways, cancellation, deadlines, and whatever the other side sends or does not read."""

from __future__ import annotations

import json

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.wire.frames import Lines
from gatehook.wire.frames import TooLarge
from gatehook.wire.jsonrpc import ConnectionLost
from gatehook.wire.jsonrpc import Limits
from gatehook.wire.jsonrpc import NoAnswer
from gatehook.wire.jsonrpc import Peer
from gatehook.wire.messages import RpcError
from tests.wire.linked import by_hand
from tests.wire.linked import linked

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


async def echo(method, params):
    if method == "fail":
        raise RpcError(-32050, "refused", {"code": "denied"})
    if method == "break":
        raise KeyError("secret")
    return {"method": method, "params": params}


async def test_both_sides_ask_at_once():
    async with linked({"answer": echo}, {"answer": echo}) as (here, there):
        results = {}

        async def ask(peer, number):
            results[peer, number] = await peer.request("m", {"n": number}, timeout=5)

        async with anyio.create_task_group() as tasks:
            for number in range(300):
                tasks.start_soon(ask, here, number)
                tasks.start_soon(ask, there, number)
        assert all(result["params"] == {"n": number} for (_, number), result in results.items())
        assert len(results) == 600


async def test_errors_keep_code_and_data_and_hide_what_an_answer_failed_of():
    async with linked({}, {"answer": echo}) as (here, _):
        with pytest.raises(RpcError, match="refused") as refused:
            await here.request("fail", {}, timeout=5)
        assert refused.value.data == {"code": "denied"}
        with pytest.raises(RpcError, match="KeyError") as failed:
            await here.request("break", {}, timeout=5)
        assert "secret" not in str(failed.value)


async def test_a_caller_that_leaves_cancels_the_answer():
    cancelled = anyio.Event()

    async def answer(method, params):
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    async with linked({}, {"answer": answer}) as (here, there):
        with pytest.raises(NoAnswer) as late:
            await here.request("m", {}, timeout=0.05)
        assert late.value.left
        with anyio.fail_after(30):
            await cancelled.wait()
        assert there.counts.doubled == 0


async def test_what_has_not_left_is_taken_back():
    class Stuck:
        async def send(self, item):
            await anyio.sleep_forever()

    async with by_hand(Stuck()) as (peer, _):
        with pytest.raises(NoAnswer) as first:
            await peer.request("m", {}, timeout=0.05)
        assert first.value.left
        with pytest.raises(NoAnswer) as second:
            await peer.request("m", {}, timeout=0.05)
        assert not second.value.left


class Grudging:
    """Takes so many bytes at once, and the rest when it is let."""

    def __init__(self, at_once):
        self.at_once = at_once
        self.go = anyio.Event()
        self.written = b""

    def write_some(self, data):
        taken = data[: self.at_once]
        self.at_once -= len(taken)
        self.written += taken
        return len(taken)

    async def send(self, data):
        await self.go.wait()
        self.written += data


@pytest.mark.parametrize("at_once", [0, 10, 10_000])
async def test_what_left_in_part_has_left_and_nothing_is_mixed(at_once):
    writing = Grudging(at_once)
    async with by_hand(writing) as (peer, _):
        with pytest.raises(NoAnswer) as first:
            await peer.request("first", {}, timeout=0.05)
        assert first.value.left is True  # with nothing written at once, it is being sent
        for number in range(3):
            peer.notify("later", {"n": number})
        writing.go.set()
        await anyio.wait_all_tasks_blocked()
        methods = [json.loads(line)["method"] for line in writing.written.splitlines()]
        assert methods == ["first", "notifications/cancelled", "later", "later", "later"]


async def test_a_side_that_hung_up_loses_the_request_that_reached_for_it():
    class Broken:
        def write_some(self, data):
            raise anyio.BrokenResourceError

    async with by_hand(Broken()) as (peer, _):
        with pytest.raises(ConnectionLost, match="no longer reads"):
            await peer.request("m", {}, timeout=5)


async def test_many_deadlines_pass_each_at_its_own_time():
    async with by_hand() as (peer, _):
        passed = []

        async def ask(timeout):
            with pytest.raises(NoAnswer):
                await peer.request("m", {}, timeout=timeout)
            passed.append(timeout)

        async with anyio.create_task_group() as tasks:
            for timeout in (0.3, 0.01, 0.2, 0.1, 0.0):
                tasks.start_soon(ask, timeout)
        assert passed == [0.0, 0.01, 0.1, 0.2, 0.3]


async def test_a_flood_lets_others_have_their_turn():
    class Endless:
        async def receive(self, max_bytes=65536):
            return b'{"jsonrpc":"2.0","method":"n"}\n' * 10 + b"x" * 10

    class Nowhere:
        async def send(self, item):
            """Take it."""

    peer = Peer(Endless(), Nowhere(), limits=Limits(frame=1000))
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(peer.run)
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
            peer.close("enough")


async def test_the_end_of_the_connection_fails_what_is_open():
    async with by_hand() as (peer, other):

        async def ask():
            with pytest.raises(ConnectionLost) as lost:
                await peer.request("m", {}, timeout=5)
            assert lost.value.left

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await other.next()
            other._to_peer.close()
        with pytest.raises(ConnectionLost) as later:
            await peer.request("m", {}, timeout=5)
        assert not later.value.left


@pytest.mark.parametrize(
    ("junk", "count"),
    [
        (b"Welcome to my server!\n", "garbage"),
        (b"\xff\xfe{}\n", "garbage"),
        (b"[1, 2]\n", "garbage"),
        (b'{"jsonrpc":"2.0","id":NaN,"result":{}}\n', "garbage"),
        (b"[" * 100_000 + b"\n", "garbage"),
        (b'{"id":99,"result":1}\n', "unasked"),
        (b'{"id":true,"result":1}\n', "unasked"),
        (b'{"id":"1","result":1}\n', "unasked"),
        (b'{"id":null,"error":{"code":-32700,"message":"?"}}\n', "unasked"),
        (b'{"x":"' + b"y" * 3000 + b'"}\n', "too_large"),
    ],
)
async def test_junk_is_counted_and_the_connection_lives(junk, count):
    async with by_hand(limits=Limits(frame=2000)) as (peer, other):
        await other.send(junk)

        async def answer():
            request = await other.next()
            await other.send({"jsonrpc": "2.0", "id": request["id"], "result": "fine"})

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answer)
            assert await peer.request("m", {}, timeout=5) == "fine"
        expected = count if junk[:1] != b"[" or len(junk) < 2000 else "too_large"
        assert getattr(peer.counts, expected) == 1


async def test_an_answer_that_comes_twice_or_late_reaches_nobody():
    async with by_hand() as (peer, other):

        async def answer():
            request = await other.next()
            reply = {"jsonrpc": "2.0", "id": request["id"], "result": 1}
            await other.send(reply, reply)
            second = await other.next()
            await other.send({"jsonrpc": "2.0", "id": second["id"], "result": 2})

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answer)
            assert await peer.request("m", {}, timeout=5) == 1
            assert await peer.request("m", {}, timeout=5) == 2
        assert peer.counts.late == 1


@pytest.mark.parametrize("answer", ['"id":1,"result":"{0}"', '"result":"{0}","id":1'])
async def test_an_answer_over_the_cap_fails_its_request_at_once(answer):
    async with by_hand(limits=Limits(frame=1000)) as (peer, other):

        async def reply():
            await other.next()
            await other.send(("{" + answer.replace("{0}", "x" * 5000) + "}\n").encode())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reply)
            with pytest.raises(ConnectionLost, match="1000 bytes"):
                await peer.request("m", {}, timeout=5)


async def test_more_than_can_be_answered_is_refused_unbegun():
    begun = []

    async def answer(method, params):
        begun.append(params["n"])
        await anyio.sleep_forever()

    async with by_hand(answer=answer, limits=Limits(answering=2)) as (_, other):
        await other.send(*({"jsonrpc": "2.0", "id": n, "method": "m", "params": {"n": n}} for n in range(3)))
        refused = await other.next()
        assert refused["id"] == 2
        assert refused["error"]["code"] == -32000
        assert begun == [0, 1]


async def test_progress_reaches_its_request_alone():
    async with by_hand() as (peer, other):
        heard = []

        async def answer():
            request = await other.next()
            token = request["params"]["_meta"]["progressToken"]
            for params in (
                {"progressToken": token, "progress": 1, "total": 2, "message": "half"},
                {"progressToken": 77, "progress": 1},
                {"progressToken": token, "progress": "x"},
            ):
                await other.send({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})
            await other.send({"jsonrpc": "2.0", "id": request["id"], "result": 1})

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answer)
            await peer.request("m", {}, timeout=5, progress=lambda *what: heard.append(what))
        assert heard == [(1.0, 2.0, "half")]


@given(st.lists(st.binary(max_size=30), max_size=20), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_lines_do_not_depend_on_where_chunks_are_cut(lines, size):
    lines = [line.replace(b"\n", b"").replace(b"\r", b"") for line in lines]
    whole = b"".join(line + b"\n" for line in lines)
    cutter = Lines(20)
    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    found = [line for chunk in chunks for line in cutter.feed(chunk)]
    assert found == [TooLarge(None) if len(line) > 20 else line for line in lines if line]


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=8)
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(["id", "method", "params", "result", "error", "jsonrpc"]),
)
@settings(max_examples=60, deadline=None)
def test_no_message_ends_the_connection_or_answers_another_request(value, key):
    async def run():
        async with by_hand(answer=echo) as (peer, other):
            message = {"jsonrpc": "2.0", "id": 2, "method": "m", "params": {}, key: value}
            await other.send(message, {key: value}, {"id": 2, key: value})

            async def answer():
                while (request := await other.next()).get("method") != "mine":
                    pass
                await other.send({"jsonrpc": "2.0", "id": request["id"], "result": "mine"})

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(answer)
                assert await peer.request("mine", {}, timeout=5) == "mine"
            assert json.dumps(value) is not None

    anyio.run(run)
