"""Starting again: back-off, generations, quarantine, deadlines."""

from __future__ import annotations

import random

import anyio
import pytest

from gatehook import InstrumentId
from gatehook import NotConnected
from gatehook.config import SupervisionSection
from gatehook.host.budget import Backoff
from gatehook.host.budget import FailureBudget
from gatehook.kinds.errors import AuthError
from tests.host.plugin_kit import QUOTES
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import lines
from tests.host.plugin_kit import recording
from tests.host.plugin_kit import state_of
from tests.host.plugin_kit import write_plugin
from tests.host.scripted import Scripted
from tests.host.scripted import manifest
from tests.host.scripted import until
from tests.host.scripted import until_started

pytestmark = pytest.mark.anyio
EURUSD = InstrumentId.parse("EURUSD.SCRIPTED")


async def failing(provider):
    raise RuntimeError("no luck")


async def hanging(provider):
    await anyio.sleep_forever()


def fails_first(times: int, error: Exception):
    async def enter(provider):
        if len(provider.plugin.entered) <= times:
            raise error

    return enter


async def test_a_failed_start_is_tried_again_and_each_generation_has_a_provider_of_its_own(tmp_path):
    plugin = Scripted(enter=fails_first(2, RuntimeError("not yet")))
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        assert await until(host, "scripted", "active") == "active"
        assert len({id(one) for one in plugin.entered}) == 3
        assert codes(host).count("host.start-failed") == 1
        assert host._runner.entries["scripted"].generation == 3


async def test_fault_13_crash_loop_backs_off_and_ends_in_quarantine_without_a_flood(tmp_path):
    log = tmp_path / "log"
    source = QUOTES.replace(
        "class Quotes(MarketData):",
        "class Quotes(MarketData):\n    async def __aenter__(self):\n        record('enter')\n"
        "        self.context.task_group.start_soon(self.crash)\n        return self\n\n"
        "    async def crash(self):\n        raise RuntimeError('crash')\n",
    )
    async with host_of(tmp_path, write_plugin(tmp_path, "quotes", recording(log, source))) as host:
        await until(host, "quotes", "quarantined")
        assert len(lines(log)) == 5
        assert codes(host).count("host.crashed") == 1
        assert codes(host).count("host.quarantined") == 1
        assert host.health().status == "down"
        with pytest.raises(NotConnected, match="quarantined"):
            await host.market_data("quotes").quote(EURUSD)


async def test_a_restart_leads_out_of_quarantine(tmp_path):
    plugin = Scripted(enter=failing)
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        await until(host, "scripted", "quarantined")
        plugin.enter = hanging
        plugin.enter = fails_first(0, RuntimeError())
        assert (await host.restart("scripted")).state == "active"


@pytest.mark.parametrize("error", [NotConnected("no route"), TimeoutError(), ConnectionResetError()])
async def test_being_disconnected_never_quarantines(tmp_path, error):
    plugin = Scripted(enter=fails_first(9, error))
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        await until(host, "scripted", "active")
        assert len(plugin.entered) == 10


async def test_refused_credentials_are_not_tried_for_ever(tmp_path):
    plugin = Scripted(enter=fails_first(99, AuthError("refused")))
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        await until(host, "scripted", "quarantined")
        assert len(plugin.entered) == 5


async def test_a_crash_of_the_entrys_task_starts_a_new_generation(tmp_path):
    crash = anyio.Event()

    async def enter(provider):
        if len(provider.plugin.entered) == 1:
            provider.context.task_group.start_soon(crashing)

    async def crashing():
        await crash.wait()
        raise RuntimeError("crash")

    plugin = Scripted(enter=enter)
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        crash.set()
        await until_started(host, plugin, 2)
        assert [one.plugin for one in plugin.left] == [plugin]
        assert "host.crashed" in codes(host)


async def test_regression_14_start_that_never_returns_ends_at_its_deadline(tmp_path):
    plugin = Scripted(enter=hanging)
    with anyio.fail_after(30):
        async with host_of(tmp_path, plugins=[(manifest(), plugin)], supervision={"start_timeout": 0.05}) as host:
            assert state_of(host, "scripted") in ("backoff", "starting")
            assert "host.start-failed" in codes(host)


async def test_regression_14_stop_that_hangs_ends_at_its_deadline(tmp_path):
    plugin = Scripted(leave=hanging)
    with anyio.fail_after(30):
        async with host_of(tmp_path, plugins=[(manifest(), plugin)], supervision={"stop_timeout": 0.1}) as host:
            pass
    assert "host.stop-failed" in codes(host)


async def test_regression_14_stop_that_ignores_cancellation_ends_all_the_same(tmp_path):
    async def stubborn(provider):
        for _ in range(3):
            try:
                await anyio.sleep_forever()
            except BaseException:
                continue

    plugin = Scripted(leave=stubborn)
    with anyio.fail_after(30):
        async with host_of(tmp_path, plugins=[(manifest(), plugin)], supervision={"stop_timeout": 0.1}) as host:
            pass
    assert state_of(host, "scripted") == "stopped"


async def test_regression_14_stop_that_raises_is_reported_and_the_others_stop(tmp_path):
    plugin, other = Scripted(leave=failing), Scripted()
    async with host_of(tmp_path, plugins=[(manifest(), plugin), (manifest("other"), other)]) as host:
        pass
    assert "host.stop-failed" in codes(host)
    assert len(other.left) == 1


async def test_a_provider_that_was_used_before_is_refused(tmp_path):
    kept = []

    def provide(plugin, context):
        from tests.host.scripted import Provider

        if not kept:
            kept.append(Provider(plugin, context))
        return kept[0]

    async with host_of(tmp_path, plugins=[(manifest(), Scripted(provide=provide))]) as host:
        status = await host.restart("scripted")
        assert status.state in ("backoff", "quarantined")
        assert "host.wrong-provider" in codes(host)


async def test_fault_25_double_stop_stop_during_start_and_restart_during_stop(tmp_path):
    scope = anyio.CancelScope()

    async def cut_off(provider):
        scope.cancel()
        await anyio.sleep_forever()

    plugin = Scripted(enter=cut_off)
    host = host_of(tmp_path, plugins=[(manifest(), plugin)])
    with scope:  # the start hangs: leaving cancels it, and stops what had begun
        async with host:
            pass
    supervisor_states = {str(one.state) for one in host.statuses()}
    assert supervisor_states == {"stopped"}
    await host._runner.stop_all()
    await host.restart("scripted")
    assert len(plugin.entered) == 1


async def test_entries_that_use_no_other_start_side_by_side(tmp_path):
    met = [anyio.Event(), anyio.Event()]

    def meeting(mine, other):
        async def enter(provider):
            met[mine].set()
            await met[other].wait()

        return Scripted(enter=enter)

    plugins = [(manifest("one"), meeting(0, 1)), (manifest("two"), meeting(1, 0))]
    async with host_of(tmp_path, plugins=plugins) as host:
        assert (state_of(host, "one"), state_of(host, "two")) == ("active", "active")


async def test_a_hook_that_fails_once_is_called_again(tmp_path):
    from tests.host.scripted import Provider

    calls = []

    def provide(plugin, context):
        calls.append(context)
        if len(calls) == 1:
            raise RuntimeError("first")
        return Provider(plugin, context)

    async with host_of(tmp_path, plugins=[(manifest(), Scripted(provide=provide))]) as host:
        await until(host, "scripted", "active")
    assert calls[0] is not calls[1]


async def test_restarts_at_once_are_one_flight(tmp_path):
    plugin = Scripted()
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(host.restart, "scripted")
        assert state_of(host, "scripted") == "active"
        assert 2 <= len(plugin.entered) <= 3
        assert len(plugin.left) == len(plugin.entered) - 1


def test_the_wait_before_a_start_doubles_up_to_the_cap_with_full_jitter():
    backoff = Backoff(SupervisionSection(), random.Random(1))
    bounds = []
    for _ in range(10):
        bounds.append(backoff.bound)
        assert 0 <= backoff.next() <= bounds[-1]
    assert bounds[:3] == [0.5, 1.0, 2.0]
    assert bounds[-1] == 60.0
    backoff.reset()
    assert backoff.bound == 0.5


def test_failures_are_counted_within_the_window_only():
    now = [0.0]
    budget = FailureBudget(SupervisionSection(), lambda: now[0])
    for moment in (0, 100, 200, 290):
        now[0] = moment
        budget.count()
    assert not budget.spent
    now[0] = 301.0
    budget.count()
    assert not budget.spent
    now[0] = 302.0
    budget.count()
    assert budget.spent
    budget.clear()
    assert budget.failures == 0
