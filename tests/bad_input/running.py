"""What hooks and providers do when they run, and what is wrong with the data directory and the plugins' state."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import anyio
import pytest

from gatehook import GatehookError
from gatehook import InstrumentId
from gatehook import MarketData
from gatehook import ProviderError
from gatehook.host import PluginHost
from gatehook.host.state import MOST_BYTES
from gatehook.kinds.capabilities import MarketDataCapabilities
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.kind import Kind
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import HealthStatus
from tests.bad_input.table import Table
from tests.bad_input.world import BYSTANDER
from tests.bad_input.world import TOKEN
from tests.host.plugin_kit import MEMORY
from tests.host.plugin_kit import MEMORY_KIND
from tests.host.plugin_kit import QUOTES
from tests.host.scripted import Provider
from tests.host.scripted import Scripted
from tests.host.scripted import manifest
from tests.host.scripted import until
from tests.orders.conftest import eventually

TABLE = Table()

ENTRY = "plugin entry"
LINE = "plugin entry path line"
EURUSD = InstrumentId.parse("EURUSD.BAD")


def fail(provider):
    """Raise with the plugin's own secret in the message, as careless code does."""
    raise RuntimeError(f"cannot log in with {provider.context.config['token'].reveal()}")


async def failing(provider):
    fail(provider)


async def hanging(provider):
    await anyio.sleep_forever()


async def running(world, plugin, *, then=None, capabilities=None, **options):
    """Run an embedded plugin ``bad`` that holds the secret."""
    about = manifest("bad", configSchema=TOKEN, capabilities=capabilities or {})
    entries = {"bad": {"config": {"token": world.secret}}}
    async with world.host(plugins=[(about, plugin)], entries=entries, **options) as host:
        if then is not None:
            await then(host)
    return host.diagnostics


def scripted(code, what, at, *, then=None, capabilities=None, supervision=None, **plugin):
    TABLE.add(
        code,
        what,
        at,
        lambda world: running(world, Scripted(**plugin), then=then, capabilities=capabilities, supervision=supervision),
    )


async def coroutine():
    return None


def leaking(plugin, context):
    raise RuntimeError(f"cannot log in with {context.config['token'].reveal()}")


scripted("host.hook-failed", "a hook that raises", LINE, provide=leaking)
scripted("host.wrong-provider", "a hook that returns a class", LINE, provide=lambda plugin, context: MarketData)
scripted("host.wrong-provider", "a hook that returns nothing", LINE, provide=lambda plugin, context: None)
scripted("host.wrong-provider", "a hook that returns an awaitable", LINE, provide=lambda plugin, context: coroutine())
scripted("host.start-failed", "a start that raises", ENTRY, enter=failing)
scripted("host.start-failed", "a start without end", ENTRY, enter=hanging, supervision={"start_timeout": 0.3})
scripted("host.stop-failed", "a stop that raises", ENTRY, leave=failing)
scripted("host.stop-failed", "a stop without end", ENTRY, leave=hanging, supervision={"stop_timeout": 0.1})
scripted(
    "host.quarantined",
    "five starts that raise",
    ENTRY,
    enter=failing,
    then=lambda host: until(host, "bad", "quarantined"),
)


async def crashing(provider):
    if len(provider.plugin.entered) == 1:
        provider.context.task_group.start_soon(failing, provider)


async def crashed(host):
    await eventually(lambda: "host.crashed" in [one.code for one in host.diagnostics])
    await until(host, "bad", "active")


scripted("host.crashed", "a task that raises", ENTRY, enter=crashing, then=crashed)


async def quote(host):
    with pytest.raises(ProviderError) as caught:
        await host.market_data("bad").quote(EURUSD)
    assert "canary" not in str(caught.value)


scripted("host.call-failed", "a call that raises", ENTRY, answer=failing, then=quote)


async def refused(provider):
    raise RateLimited(f"{provider.context.config['token'].reveal()} asked too often")


scripted("host.rate-limited", "a venue that was asked too often", ENTRY, answer=refused, then=quote)


def providing(capabilities):
    def provide(plugin, context):
        plugin.capabilities = capabilities
        return Provider(plugin, context)

    return provide


scripted(
    "host.capability-narrower",
    "no history, which it declares",
    ENTRY,
    provide=providing(MarketDataCapabilities()),
    capabilities={"supportsHistory": True},
)
scripted(
    "host.capability-wider",
    "history, which it does not declare",
    ENTRY,
    provide=providing(MarketDataCapabilities(history=True)),
)


@TABLE.row("host.not-ready", "it synchronizes for ever", ENTRY)
async def not_ready(world):
    plugin = Scripted()
    plugin.health = lambda: Health(status=HealthStatus.DEGRADED, reasons=("synchronizing",))

    async def then(host):
        await eventually(lambda: "host.not-ready" in [one.code for one in host.diagnostics])

    return await running(world, plugin, then=then, supervision={"ready_timeout": 0.05})


@TABLE.row("host.use-undeclared", "an entry that its configuration does not name", ENTRY)
async def undeclared(world):
    async def enter(provider):
        provider.context.use(BYSTANDER)

    return await running(world, Scripted(enter=enter))


@TABLE.row("host.venue-taken", "the venue of another entry", ENTRY)
async def venue(world):
    return await world.hosted(world.bad(), entries={"bad": {"venue": "BYSTANDER"}})


@TABLE.row("host.entry-unknown", "a handle of an entry that there is not", "entry")
async def entry_unknown(world):
    async with world.host() as host:
        with pytest.raises(GatehookError) as caught:
            host.handle("gone", Kind.MARKET_DATA)
    return caught.value.diagnostics


@TABLE.row("host.slot-switch-failed", "a memory that does not start", "entry")
async def switch(world):
    broken = MEMORY.replace(
        "    async def upsert(",
        "    async def __aenter__(self):\n        raise RuntimeError('no')\n\n    async def upsert(",
    )
    good, bad = world.plugin("good", MEMORY, kinds=[MEMORY_KIND]), world.plugin("bad", broken, kinds=[MEMORY_KIND])
    async with world.host(good, bad, slots={"memory": "good"}) as host:
        with pytest.raises(GatehookError) as caught:
            await host.use_slot("memory", "bad")
        assert host.slot("memory") == "good"
    return caught.value.diagnostics


@TABLE.row("slots.down", "a holder that does not start", "")
async def down(world):
    broken = MEMORY.replace(
        "    async def upsert(",
        "    async def __aenter__(self):\n        raise RuntimeError('no')\n\n    async def upsert(",
    )
    return await world.hosted(world.plugin("bad", broken, kinds=[MEMORY_KIND]), slots={"memory": "bad"})


@TABLE.row("host.not-running", "a host that is not entered", "")
async def not_running(world):
    with pytest.raises(GatehookError) as caught:
        PluginHost.from_config({"gateway": {"data_dir": str(world.data_dir)}}).statuses()
    return caught.value.diagnostics


# --- the data directory


@TABLE.row("host.data-dir-locked", "a second host on one data directory", "path")
async def second(world):
    async with world.host():
        with pytest.raises(GatehookError, match=f"the process {os.getpid()}") as caught:
            await world.hosted()
    return caught.value.diagnostics


@TABLE.row("host.data-dir-unusable", "a file in its place", "path")
async def unusable(world):
    world.data_dir.write_text("")
    return await world.refused()


# --- the plugins' state


def keeping(world, key, value):
    async def enter(provider):
        await provider.context.state.set(key, value(provider))

    return running(world, Scripted(enter=enter))


TABLE.add(
    "state.quota",
    "more than an entry may keep",
    "entry",
    lambda world: keeping(world, "a", lambda provider: "x" * (MOST_BYTES + 1)),
)
TABLE.add(
    "state.secret",
    "its own token",
    "entry",
    lambda world: keeping(world, "a", lambda provider: provider.context.config["token"].reveal()),
)
TABLE.add(
    "state.secret",
    "its own token as a key",
    "entry",
    lambda world: keeping(world, "a", lambda provider: {provider.context.config["token"].reveal(): 1}),
)


async def kept(world):
    """Return the file of the state, with something in it."""
    await keeping(world, "a", lambda provider: "x" * 10_000)
    return world.data_dir / "state.sqlite"


@TABLE.row("state.damaged", "a truncated file", "path")
async def truncated(world):
    path = await kept(world)
    path.write_bytes(path.read_bytes()[:3000])
    return await world.hosted()


@TABLE.row("state.newer", "a file of a newer version", "path")
async def newer(world):
    path = await kept(world)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    found = await world.hosted()
    assert path.read_bytes() == before
    return found


@TABLE.row("state.unusable", "a link in its place", "path")
async def link(world):
    world.data_dir.mkdir(mode=0o700)
    (world.data_dir / "state.sqlite").symlink_to("/dev/null")
    return await world.hosted()


@TABLE.row("state.write-failed", "a full disk", "entry")
async def full(world):
    connect = sqlite3.connect

    def small(database, *arguments, **options):
        connection = connect(database, *arguments, **options)
        if str(database).endswith("state.sqlite"):
            connection.execute("PRAGMA max_page_count = 12")
        return connection

    world.monkeypatch.setattr(sqlite3, "connect", small)
    return await keeping(world, "a", lambda provider: "x" * 500_000)


@TABLE.row("host.call-failed", "a list of instruments that is none, in a running gateway", ENTRY)
async def no_list(world):
    source = QUOTES.replace("        return []\n", "        return None\n")
    async with world.gateway(world.bad(source, capabilities={"supportsTicks": True})) as call:
        await eventually(lambda: "host.call-failed" in [one.code for one in call.host.diagnostics])
        order = {"side": "buy", "quantity": "1000", "instrument": "EURUSD.SIMULATED", "type": "market"}
        assert (await call("orders.place", client_order_id="a", **order))["order"]["status"] == "filled"
        return call.host.diagnostics
