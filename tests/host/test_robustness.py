"""Code that does what it must not: it ignores its cancellation, leaks one, crashes in a task, hangs at import."""

from __future__ import annotations

import asyncio
import sys
import threading

import anyio
import pytest

from gatehook import InstrumentId
from gatehook import ProviderError
from gatehook.host.abandon import PATIENCE
from gatehook.host.abandon import Abandonable
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
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
ASYNCIO_ONLY = pytest.mark.parametrize("anyio_backend", ["asyncio"])


async def ignoring_cancellation(provider=None):
    while True:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            continue


async def test_what_ignores_its_cancellation_for_ever_is_left_behind():
    with anyio.move_on_after(0.05) as scope:
        await Abandonable(ignoring_cancellation())
    assert scope.cancelled_caught
    assert PATIENCE > 1


async def test_what_ends_gives_its_result_and_its_exception():
    async def answer():
        await anyio.lowlevel.checkpoint()
        return 7

    async def fail():
        await anyio.lowlevel.checkpoint()
        raise ValueError("x")

    assert await Abandonable(answer()) == 7
    with pytest.raises(ValueError, match="x"):
        await Abandonable(fail())


async def test_regression_14_a_stop_that_ignores_cancellation_for_ever_ends_at_its_deadline(tmp_path):
    plugin = Scripted(leave=ignoring_cancellation)
    with anyio.fail_after(30):
        async with host_of(tmp_path, plugins=[(manifest(), plugin)], supervision={"stop_timeout": 0.1}) as host:
            pass
    assert "host.stop-failed" in codes(host)


@ASYNCIO_ONLY  # nobody but trio can make its Cancelled
async def test_a_cancellation_that_nobody_asked_for_is_the_plugins_failure(tmp_path):
    async def answer(provider):
        raise asyncio.CancelledError

    plugin = Scripted(answer=answer)
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        with pytest.raises(ProviderError, match="raised CancelledError"):
            await host.market_data("scripted").quote(EURUSD)
        assert state_of(host, "scripted") == "active"


@ASYNCIO_ONLY
async def test_a_cancellation_by_asyncios_own_means_goes_through(tmp_path):
    plugin = Scripted(answer=lambda provider: anyio.sleep_forever())
    async with host_of(tmp_path, plugins=[(manifest(), plugin)], supervision={"call_timeout": 30}) as host:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(host.market_data("scripted").quote(EURUSD), 0.05)
        assert "host.call-failed" not in codes(host)


@pytest.mark.parametrize("error", [GeneratorExit(), BaseException("b"), RuntimeError("r"), SystemExit(3)])
async def test_a_task_of_the_entry_that_raises_anything_crashes_the_entry_only(tmp_path, error):
    async def crash():
        raise error

    async def enter(provider):
        if len(provider.plugin.entered) == 1:
            provider.context.task_group.start_soon(crash)

    plugin = Scripted(enter=enter)
    async with host_of(tmp_path, plugins=[(manifest(), plugin), (manifest("other"), Scripted())]) as host:
        await until_started(host, plugin, 2)
        assert len(plugin.entered) == 2
        assert state_of(host, "other") == "active"


async def test_fault_08_a_module_that_ends_the_program_fails_its_plugin_only(tmp_path):
    bad = write_plugin(tmp_path, "bad", "import sys\nsys.exit(1)\n")
    async with host_of(tmp_path, bad, write_plugin(tmp_path, "quotes")) as host:
        assert (state_of(host, "bad"), state_of(host, "quotes")) == ("failed", "active")
        assert "runtime.import-failed" in codes(host)


async def test_a_hung_import_fails_its_plugin_and_health_asks_for_a_restart(tmp_path):
    gate = threading.Event()
    sys.modules["gatehook_test_gate"] = gate
    try:
        hung = write_plugin(tmp_path, "hung", "import sys\nsys.modules['gatehook_test_gate'].wait()\n")
        good = write_plugin(tmp_path, "quotes")
        async with host_of(tmp_path, hung, good, supervision={"start_timeout": 0.5}) as host:
            assert (state_of(host, "hung"), state_of(host, "quotes")) == ("failed", "active")
            assert "runtime.import-timeout" in codes(host)
            assert any("restart of the gateway is needed" in reason for reason in host.health().reasons)
    finally:
        gate.set()
        del sys.modules["gatehook_test_gate"]


async def test_a_plugin_whose_import_failed_is_imported_again_by_a_restart(tmp_path):
    log = tmp_path / "log"
    source = f"record('import')\nif len(Path({str(log)!r}).read_text().split()) < 2:\n    raise RuntimeError('once')\n"
    async with host_of(tmp_path, write_plugin(tmp_path, "quotes", recording(log, source + QUOTES))) as host:
        assert state_of(host, "quotes") == "failed"
        assert (await host.restart("quotes")).state == "active"
    assert lines(log) == ["import", "import"]


async def test_an_entry_that_synchronizes_is_degraded_until_it_is_ready(tmp_path):
    plugin = Scripted()
    busy = Health(status=HealthStatus.DEGRADED, reasons=("synchronizing",))
    plugin.health = lambda: busy
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        assert state_of(host, "scripted") == "degraded"
        await host.market_data("scripted").quote(EURUSD)
        plugin.health = Health
        await until(host, "scripted", "active")
        plugin.health = lambda: busy
        assert state_of(host, "scripted") == "degraded"


async def test_an_entry_that_is_not_ready_in_time_is_reported(tmp_path):
    plugin = Scripted()
    plugin.health = lambda: Health(status=HealthStatus.DEGRADED, reasons=("synchronizing",))
    async with host_of(tmp_path, plugins=[(manifest(), plugin)], supervision={"ready_timeout": 0.05}) as host:
        with host.bus.subscribe("gateway.diagnostic") as events:
            if "host.not-ready" not in codes(host):
                with anyio.fail_after(30):
                    await events.batch()
        assert "host.not-ready" in codes(host)
