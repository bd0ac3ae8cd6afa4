"""What is wrong with the journal and the memory's file, and what venues report that nobody can use."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

from gatehook import OrderStatus
from gatehook.clocks import SystemClock
from gatehook.gateway.watch import LOW_WATER
from gatehook.gateway.watch import Watch
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import StreamOverflow
from gatehook.kinds.times import SECOND
from gatehook.orders.database import SCHEMA_VERSION
from tests.bad_input.table import Table
from tests.host.scripted import manifest
from tests.host.test_brokers import CAPABILITIES
from tests.host.test_brokers import SCHEMA
from tests.host.test_brokers import Brokers
from tests.host.test_real_accounts import plugin_of
from tests.orders.conftest import eventually
from tests.orders.venue import limit

TABLE = Table()

ABOUT = {**manifest("venue"), "kinds": ["connector.broker"], "configSchema": SCHEMA}
BROKER = {**ABOUT, "capabilities": CAPABILITIES}
UNPROVING = {**ABOUT, "capabilities": {**CAPABILITIES, "absenceProof": "none"}}


def codes(host):
    return [one.code for one in host.diagnostics]


# --- the journal


async def journal(world):
    """Return the file of a journal with an order in it."""
    async with world.host(plugins=[(BROKER, Brokers())]) as host:
        await host.broker("venue", caller="test").submit_order(limit("a"))
    world.ran_on = False
    return world.data_dir / "journal.sqlite"


@TABLE.row("journal.newer-version", "a file of a newer version", "path")
async def newer(world):
    path = await journal(world)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    found = await world.refused()
    assert path.read_bytes() == before
    return found


@TABLE.row("journal.corrupt", "a truncated file", "path")
async def truncated(world):
    path = await journal(world)
    path.write_bytes(path.read_bytes()[:-4096])
    return await world.refused()


@TABLE.row("journal.unavailable", "a directory in its place", "path")
async def directory(world):
    (world.data_dir / "journal.sqlite").mkdir(parents=True)
    return await world.refused()


@TABLE.row("journal.unavailable", "a directory in the place of its log", "path")
async def log_directory(world):
    path = await journal(world)
    path.with_name("journal.sqlite-wal").mkdir()
    return await world.refused()


@TABLE.row("journal.unavailable", "a full disk", "path")
async def full_disk(world):
    connect = sqlite3.connect

    def small(database, *arguments, **options):
        connection = connect(database, *arguments, **options)
        if str(database).endswith("journal.sqlite"):
            connection.execute("PRAGMA max_page_count = 1")
        return connection

    with world.monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", small)
        return await world.refused()


@TABLE.row("journal.torn-tail", "a write-ahead log cut in the middle of a commit", "path")
async def torn(world):
    copy = world.folder / "copy"
    copy.mkdir(mode=0o700)
    async with world.host(plugins=[(BROKER, Brokers())]) as host:
        broker = host.broker("venue", caller="test")
        await broker.submit_order(limit("a"))
        whole = (world.data_dir / "journal.sqlite-wal").read_bytes()
        await broker.submit_order(limit("b"))
        shutil.copy(world.data_dir / "journal.sqlite", copy)
        log = (world.data_dir / "journal.sqlite-wal").read_bytes()
    (copy / "journal.sqlite-wal").write_bytes(log[: len(whole) + 3000])
    async with world.host(plugins=[(BROKER, Brokers())], data_dir=copy) as host:
        pass
    return host.diagnostics


# --- what a venue reports


async def trading(world, then, *, about=BROKER, **behaviour):
    plugin = Brokers(**behaviour)
    async with world.host(plugins=[(about, plugin)]) as host:
        await then(host, plugin.venue)
    return host.diagnostics


@TABLE.row("orders.overfilled", "more filled than was ordered", "entry")
async def overfilled(world):
    async def then(host, venue):
        await host.broker("venue", caller="test").submit_order(limit("a"))
        venue.tell(venue.fill("a", "10", "T1"), venue.fill("a", "3", "T2"))
        await eventually(lambda: "orders.overfilled" in codes(host))

    return await trading(world, then)


@TABLE.row("orders.report-ignored", "a report that is none", "entry")
async def nonsense(world):
    async def then(host, venue):
        venue.tell("nonsense")
        await eventually(lambda: "orders.report-ignored" in codes(host))

    return await trading(world, then)


@TABLE.row("orders.events-lost", "a stream that breaks", "entry")
async def broken_stream(world):
    async def overflow(sink, after):
        raise StreamOverflow("too slow")

    async def then(host, venue):
        await eventually(lambda: "orders.events-lost" in codes(host))

    return await trading(world, then, run_events=overflow)


@TABLE.row("host.broker-unsteady", "a broker with unknown orders that fails again and again", "plugin entry")
async def unsteady(world):
    async def lost(request):
        raise ZeroDivisionError("bug")

    async def then(host, venue):
        broker = host.broker("venue", caller="test")
        for number in range(6):
            try:
                await broker.submit_order(limit(f"a{number}"))
            except NotConnected:
                break

    return await trading(world, then, about=UNPROVING, on_submit=lost)


@TABLE.row("orders.account-twice", "two entries that lead to one real account", "entry")
async def twice(world):
    entries = {name: {"plugin": "venue"} for name in ("first", "second")}
    async with world.host(plugins=[(BROKER, plugin_of())], entries=entries) as host:
        await eventually(lambda: "orders.account-twice" in codes(host))
        return host.diagnostics


# --- what is looked at while it runs


class Jumping(SystemClock):
    """A clock whose wall and monotonic time a test moves."""

    def __init__(self):
        self.jump = 0.0
        self.passed = 0.0

    def wall(self):
        return super().wall() + int((self.jump + self.passed) * SECOND)

    now = wall

    def monotonic(self):
        return super().monotonic() + self.passed


@TABLE.row("gateway.clock-jumped", "a clock that jumps an hour", "")
async def jump(world):
    clock = Jumping()
    async with world.gateway(clock=clock) as call:
        watch = Watch(call.host, None)
        assert list(watch.findings(LOW_WATER)) == []
        clock.jump = 3600
        found = list(watch.findings(LOW_WATER))
        again = await call(
            "orders.place",
            side="buy",
            quantity="1000",
            instrument="EURUSD.SIMULATED",
            type="market",
            client_order_id="a",
        )
        assert again["order"]["status"] == "filled"
    return found


@TABLE.row("gateway.still-unknown", "an order whose outcome nobody knows for a minute", "entry")
async def still_unknown(world):
    async def lost(request):
        raise Ambiguous("no reply")

    clock = Jumping()
    plugin = Brokers(on_submit=lost)
    async with world.host(plugins=[(UNPROVING, plugin)], clock=clock) as host:
        order = await host.broker("venue", caller="test").submit_order(limit("a"))
        assert order.status is OrderStatus.UNKNOWN
        watch = Watch(host, None)
        assert list(watch.findings(LOW_WATER)) == []
        clock.passed = 61.0
        return list(watch.findings(LOW_WATER))


@TABLE.row("gateway.disk-low", "a disk that is nearly full", "path")
async def disk_low(world):
    async with world.host() as host:
        return list(Watch(host, None).findings(LOW_WATER - 1))


@TABLE.row("gateway.log-lost", "a log that cannot be written", "path")
async def log_lost(world):
    import logging

    from gatehook.gateway.logs import LogPipe

    place = world.folder / "a-file"
    place.write_text("")
    async with world.host() as host:
        log = LogPipe(place / "logs", host.redactor, terminal=False)
        with log:
            logging.getLogger("gatehook.test").warning("lost")
            await eventually(lambda: log.lost)
        return list(Watch(host, log).findings(LOW_WATER))


# --- the memory


async def memory_file(world):
    async with world.host(builtin=True, slots={"memory": "sqlite_fts"}):
        pass
    [path] = world.data_dir.glob("entries/sqlite_fts/*.sqlite")
    return path


@TABLE.row("memory.database-newer", "a file of a newer version", "path")
async def newer_memory(world):
    path = await memory_file(world)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    return await world.hosted(builtin=True, slots={"memory": "sqlite_fts"})


@TABLE.row("memory.database-damaged", "a truncated file", "path")
async def damaged_memory(world):
    path = await memory_file(world)
    path.write_bytes(path.read_bytes()[:5000])
    return await world.hosted(builtin=True, slots={"memory": "sqlite_fts"})
