"""Clocks that jump, disks that are full, logs that are stuck: what was acknowledged stays, and orders go on."""

from __future__ import annotations

import logging
import os
import resource
import sqlite3
import threading
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from gatehook import GatehookError
from gatehook import InstrumentId
from gatehook import NotConnected
from gatehook.catalog import ConsentStore
from gatehook.cli.client import Client
from gatehook.clocks import SystemClock
from gatehook.config import load_config
from gatehook.config import plan_edit
from gatehook.gateway import Gateway
from gatehook.gateway.logs import LogPipe
from gatehook.gateway.watch import LOW_WATER
from gatehook.gateway.watch import Watch
from gatehook.kinds.times import DAY
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import to_rfc3339
from tests.host.plugin_kit import FAST
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import state_of
from tests.host.scripted import Scripted
from tests.host.scripted import manifest
from tests.host.scripted import until
from tests.host.test_brokers import ABOUT
from tests.host.test_brokers import Brokers
from tests.orders.conftest import eventually
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio

ORDER = {"side": "buy", "quantity": "1000", "instrument": "EURUSD.SIMULATED", "type": "market"}
EURUSD = InstrumentId.parse("EURUSD.SCRIPTED")


class Jumping(SystemClock):
    """The machine's wall clock, set to another time; monotonic time never jumps."""

    def __init__(self):
        self.offset = 0

    def wall(self):
        return super().wall() + self.offset

    now = wall


# --- a clock that jumps


@pytest.mark.parametrize("jump", [-400 * DAY, 400 * DAY])
async def test_fault_29_back_off_deadlines_and_quarantine_run_on_the_clock_that_never_jumps(plugin_host, jump):
    clock = Jumping()

    async def enter(provider):
        clock.offset += jump
        raise RuntimeError("no luck")

    good = Scripted()
    plugins = [(manifest("bad"), Scripted(enter=enter)), (manifest("good"), good)]
    async with plugin_host(plugins=plugins, clock=clock, config={"supervision": {**FAST, "call_timeout": 0.3}}) as host:
        with anyio.fail_after(20):
            await until(host, "bad", "quarantined")
        good.answer = lambda provider: anyio.sleep_forever()
        with anyio.fail_after(20), pytest.raises(NotConnected, match="no answer"):
            await host.market_data("good").quote(EURUSD)
        assert state_of(host, "good") == "active"


@pytest.mark.parametrize("jump", [-400 * DAY, 400 * DAY])
async def test_fault_29_the_journal_keeps_the_order_of_events_by_number_not_by_time(plugin_host, jump):
    clock = Jumping()
    async with plugin_host(plugins=[(ABOUT, Brokers())], clock=clock) as host:
        broker = host.broker("venue", caller="test")
        for name in ("first", "second", "third"):
            await broker.submit_order(limit(name))
            clock.offset += jump
        changes = await host.desk.journal.changes()
        assert [one.seq for one in changes] == sorted({one.seq for one in changes})
        named = list(dict.fromkeys(one.payload.request.client_order_id for one in changes))
        assert named == ["first", "second", "third"]
        assert (await broker.submit_order(limit("first"))).venue_order_id == "V1"


async def test_fault_29_an_order_with_a_time_expires_when_the_clock_passes_it(plugin_host):
    clock = Jumping()
    async with plugin_host(builtin=True, clock=clock) as host, calling(host) as call:
        good_till = {"type": "limit", "price": "0.5", "time_in_force": "gtd", "expire_at": rfc3339(clock.now() + DAY)}
        placed = await call("orders.place", client_order_id="a", **{**ORDER, **good_till})
        assert placed["order"]["status"] == "accepted"
        clock.offset += 2 * DAY

        async def expired():
            return (await call("orders.show", id="a"))["order"]["status"] == "expired"

        await eventually(expired, timeout=20)


def rfc3339(ns):
    return to_rfc3339(ns // SECOND * SECOND)


class calling:  # noqa: N801  reads as a verb
    """Run a gateway over a host that runs, and yield how to ask it."""

    def __init__(self, host, log=None):
        self.host = host
        self.gateway = Gateway(host, log=log)

    async def __aenter__(self):
        self.services = self.gateway._services()
        await self.services.__aenter__()
        client = Client(self.host.config.gateway.data_dir)

        async def call(method, **params):
            with anyio.fail_after(20):
                return await anyio.to_thread.run_sync(lambda: client.call(method, params))

        return call

    async def __aexit__(self, *error):
        await self.services.__aexit__(None, None, None)


# --- a log that is stuck or full


class Stuck(logging.Handler):
    """A disk that does not answer."""

    def __init__(self):
        super().__init__()
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def emit(self, record):
        self.entered.set()
        self.go_on.wait(60)


async def test_fault_28_a_stuck_log_holds_up_no_order_and_its_losses_are_counted(plugin_host, tmp_path):
    stuck = Stuck()
    async with plugin_host(builtin=True) as host:
        with LogPipe(tmp_path / "logs", host.redactor, terminal=False, capacity=20) as log:
            log.replace_sinks(stuck)
            logger = logging.getLogger("gatehook.plugin.talker")
            logger.warning("the first line")
            assert stuck.entered.wait(10)
            async with calling(host, log) as call:
                for number in range(50):
                    logger.warning("line %d", number)
                    if number % 10 == 0:
                        placed = await call("orders.place", client_order_id=f"a{number}", **ORDER)
                        assert placed["order"]["status"] == "filled"
                state = await call("status")
            assert state["log"] == {"lost": log.lost, "why": "the queue is full"}
            assert log.lost >= 30
            stuck.go_on.set()


async def test_fault_28_a_log_that_cannot_be_written_is_reported_and_orders_go_on(plugin_host, tmp_path):
    async with plugin_host(builtin=True) as host:
        place = tmp_path / "a-file"
        place.write_text("")
        with LogPipe(place / "logs", host.redactor, terminal=False) as log:
            async with calling(host, log) as call:
                logging.getLogger("gatehook.plugin.talker").warning("nowhere to go")
                assert (await call("orders.place", client_order_id="a", **ORDER))["order"]["status"] == "filled"
        assert log.lost
        assert "gateway.log-lost" in [one.code for one in Watch(host, log).findings(LOW_WATER)]


# --- a disk that is full, a cut between write and rename


async def keep(plugin_host, key, value):
    """Run a host in which a plugin keeps something; return what it was told, and what it had before."""
    found = {}

    async def enter(provider):
        state = provider.context.state
        found["before"] = await state.get("a")
        try:
            await state.set(key, value)
        except GatehookError as error:
            found["code"] = error.diagnostics[0].code
        found["after"] = await state.get("a")

    async with plugin_host(plugins=[(manifest(), Scripted(enter=enter)), (manifest("good"), Scripted())]) as host:
        assert (state_of(host, "scripted"), state_of(host, "good")) == ("active", "active")
        found["codes"] = codes(host)
    return found


async def test_fault_16_a_full_disk_refuses_the_plugins_state_and_keeps_the_old_one(plugin_host, monkeypatch):
    await keep(plugin_host, "a", "old")
    connect = sqlite3.connect

    def small(database, *arguments, **options):
        connection = connect(database, *arguments, **options)
        if str(database).endswith("state.sqlite"):
            connection.execute("PRAGMA max_page_count = 8")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", small)
        found = await keep(plugin_host, "a", "x" * 500_000)
    assert (found["before"], found["code"], found["after"]) == ("old", "state.write-failed", "old")
    assert "state.write-failed" in found["codes"]
    assert (await keep(plugin_host, "b", 1))["before"] == "old"


@pytest.mark.parametrize("size", [0, 10, 3000])
async def test_fault_17_a_truncated_state_is_put_aside_and_every_plugin_runs(plugin_host, size):
    await keep(plugin_host, "a", "x" * 10_000)
    path = plugin_host.data_dir / "state.sqlite"
    path.write_bytes(path.read_bytes()[:size])
    found = await keep(plugin_host, "a", "new")
    assert (found["before"], found["after"]) == (None, "new")
    assert "state.damaged" in found["codes"]
    assert [len(one.read_bytes()) for one in path.parent.glob("state.sqlite.damaged-*[0-9]")] == [size]


async def test_fault_17_a_state_from_the_future_is_left_alone_and_every_plugin_runs(plugin_host):
    await keep(plugin_host, "a", "old")
    path = plugin_host.data_dir / "state.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()

    async def enter(provider):
        with pytest.raises(GatehookError, match="version 99"):
            await provider.context.state.get("a")

    async with plugin_host(plugins=[(manifest(), Scripted(enter=enter))]) as host:
        assert state_of(host, "scripted") == "active"
        assert "state.newer" in codes(host)
    assert path.read_bytes() == before


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_fault_18_an_edit_of_the_configuration_that_fails_at_any_step_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "gatehook.toml"
    path.write_text('# by hand\n[gateway]\nmode = "paper" # and why\n')
    edit = plan_edit(path, "plugins.deny", ["paper"])
    with failing(monkeypatch, step), pytest.raises(GatehookError, match=r"config\.not-written"):
        edit.write()
    assert path.read_text() == '# by hand\n[gateway]\nmode = "paper" # and why\n'
    assert [one.name for one in tmp_path.iterdir()] == ["gatehook.toml"]
    assert load_config(path, environ={}).plugins.deny == ()
    plan_edit(path, "plugins.deny", ["paper"]).write()
    assert load_config(path, environ={}).plugins.deny == ("paper",)


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
async def test_fault_18_a_consent_that_cannot_be_written_leaves_those_that_were_given(
    plugin_host, plugin_dir, monkeypatch, step
):
    first, second = plugin_dir("first"), plugin_dir("second")
    host = plugin_host(paths=[first, second])
    store = ConsentStore(plugin_host.data_dir / "consent.json")
    candidates = {one.id: one for one in host.plan.candidates}
    store.grant(candidates["first"])
    before = store.path.read_bytes()
    with failing(monkeypatch, step), pytest.raises((GatehookError, OSError)):
        store.grant(candidates["second"])
    assert store.path.read_bytes() == before
    assert [one.name for one in store.path.parent.iterdir()] == ["consent.json"]


@contextmanager
def failing(monkeypatch, step):
    """Let the operating system refuse one step of writing a file and putting it in another's place."""

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    if step == "write":
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        return
    with monkeypatch.context() as patch:
        patch.setattr(os, step, full)
        if step == "replace":
            patch.setattr(Path, step, full)
        yield
