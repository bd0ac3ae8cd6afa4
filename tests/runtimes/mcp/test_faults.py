"""What servers do to their clients, over stdio: no call outlives its deadline, and the session comes back."""

from __future__ import annotations

import os
import signal
import sys

import anyio
import pytest

from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import NotConnected
from gatehook.runtimes.mcp import McpState
from tests.runtimes.mcp.conftest import History
from tests.runtimes.mcp.conftest import plain
from tests.runtimes.mcp.conftest import running
from tests.runtimes.mcp.conftest import spec_of
from tests.runtimes.mcp.conftest import until

pytestmark = pytest.mark.anyio


async def failing(session, errors, tool, arguments, timeout=5.0):
    try:
        await session.call(tool, arguments, timeout=timeout)
    except Exception as error:
        errors.append(error)


async def test_killed_in_a_call_every_call_in_flight_is_ambiguous_and_the_session_returns():
    errors = []
    async with running(plain()) as session:
        pid = int((await session.call("pid", {})).texts[0])
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(failing, session, errors, "sleep", {"seconds": 30})
            await anyio.wait_all_tasks_blocked()
            os.kill(pid, signal.SIGKILL)
        await session.wait_connected(5)
        assert session.generation == 2
        assert (await session.call("echo", {"text": "again"})).texts == ("again",)
    assert {type(one) for one in errors} == {Ambiguous}
    assert len(errors) == 5
    assert "signal 9" in str(errors[0])


async def test_the_last_words_and_the_exit_code_are_in_the_reason_without_the_secret():
    history = History()
    spec = plain("--exit", backoff=5.0)
    async with running(
        spec, wait=False, history=history, redact=lambda text: text.replace("sk-123456789", "***")
    ) as one:
        await until(one, McpState.BACKOFF)
        with pytest.raises(NotConnected) as caught:
            await one.call("echo", {})
        assert "exit code 3" in str(caught.value)
        assert "the key is wrong: ***" in str(caught.value)
        with pytest.raises(NotConnected, match="exit code 3"):
            await one.wait_connected(0.01)


async def test_a_hung_server_is_found_by_pings_and_started_anew():
    errors = []
    async with running(plain(ping_every=0.1, ping_timeout=0.1)) as session:
        pid = int((await session.call("pid", {})).texts[0])
        os.kill(pid, signal.SIGSTOP)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(failing, session, errors, "echo", {"text": "x"}, 20.0)
        with anyio.fail_after(10):
            await session.wait_connected(10)
        assert session.generation == 2
    assert "2 pings" in str(errors[0])
    assert isinstance(errors[0], Ambiguous)


async def test_a_busy_session_is_not_pinged():
    async with running(plain(ping_every=0.05, ping_timeout=0.05)) as session:
        for _ in range(10):
            await session.call("sleep", {"seconds": 0.03})
        assert session.generation == 1


async def test_slow_to_initialise_is_waited_for():
    async with running(plain("--slow-start")) as session:
        assert session.status.state is McpState.READY


async def test_never_initialised_is_given_up_at_the_start_deadline():
    history = History()
    async with running(plain("--hang-on-start", start_timeout=0.3, backoff=5.0), wait=False, history=history) as one:
        await until(one, McpState.BACKOFF)
        assert "no answer within" in one.status.reason


async def test_a_result_over_the_cap_is_ambiguous_and_names_its_size():
    size = int(os.environ.get("GATEHOOK_HUGE_RESULT", "10000000"))
    async with running(plain()) as session:
        with pytest.raises(Ambiguous) as caught:
            await session.call("big", {"size": size}, timeout=60)
        assert int("".join(filter(str.isdigit, str(caught.value).partition("has ")[2].partition(" ")[0]))) >= size
        assert (await session.call("echo", {"text": "on"})).texts == ("on",)
        assert session.generation == 1


async def test_a_result_below_the_cap_arrives_whole():
    async with running(plain(max_result=12_000_000)) as session:
        assert len((await session.call("big", {"size": 10_000_000}, timeout=60)).texts[0]) == 10_000_000


async def test_a_flood_of_notifications_is_kept_nowhere():
    async with running(plain()) as session:
        assert (await session.call("flood", {"count": 20_000}, timeout=30)).texts == ("flooded",)


async def test_what_never_left_is_not_ambiguous():
    async with running(plain(max_unsent=200_000)) as session, anyio.create_task_group() as tasks:
        tasks.start_soon(failing, session, [], "sleep", {"seconds": 0.5})
        await anyio.wait_all_tasks_blocked()
        partly, unsent = [], []
        tasks.start_soon(failing, session, partly, "echo", {"text": "x" * 1_000_000}, 0.2)
        await anyio.wait_all_tasks_blocked()
        await failing(session, unsent, "echo", {"text": "y" * 1000}, 0.05)
        assert isinstance(unsent[0], NotConnected)
        with pytest.raises(NotConnected, match="does not read"):
            await session.call("echo", {"text": "z" * 300_000})
        await anyio.sleep(0.2)
        assert isinstance(partly[0], Ambiguous)
    # Half a message that was given up is written to its end: the next one is understood.


async def test_a_missing_program_fails_for_good_and_says_so():
    async with running(spec_of("no-such-program-here"), wait=False) as session:
        await until(session, McpState.FAILED)
        with pytest.raises(Denied, match="no-such-program-here"):
            await session.wait_connected(1)
        with pytest.raises(Denied):
            await session.call("echo", {})


async def test_a_program_that_says_nothing_of_the_protocol_is_a_bounded_failure():
    command = (sys.executable, "-S", "-c", "import sys; [print('x' * 100) for _ in range(1000)]; sys.stdin.read()")
    async with running(spec_of(*command, limits={"start_timeout": 0.5, "backoff": 5.0}), wait=False) as session:
        await until(session, McpState.BACKOFF)


async def test_reconnects_wait_longer_and_longer_below_their_bound():
    history = History()
    async with running(plain("--exit", backoff=0.01, backoff_cap=0.04), wait=False, history=history) as session:
        for _ in range(6):
            await until(session, McpState.BACKOFF)
            await until(session, McpState.CONNECTING)
    pauses = [one.retry_in for one in history.status if one.state is McpState.BACKOFF]
    assert all(pause <= 0.04 for pause in pauses)
    assert len(set(pauses)) > 1
