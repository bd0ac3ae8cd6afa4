"""Why a plugin may not take part, and why an entry provides nothing."""

from __future__ import annotations

import json

from gatehook.catalog import ConsentStore
from gatehook.catalog import Places
from gatehook.catalog import discover
from gatehook.testing.writing import write_plugin
from tests.bad_input.table import Table
from tests.bad_input.world import BYSTANDER
from tests.host.plugin_kit import MEMORY
from tests.host.plugin_kit import MEMORY_KIND
from tests.host.plugin_kit import QUOTES

TABLE = Table()

PLUGIN = "plugin path"
PRICES = {"type": "object", "properties": {"prices": {"type": "string", "x-gatehook-entry": "connector.marketData"}}}


def workspace(world, plugin_id="bad", **manifest):
    """Write a plugin where consent is asked for."""
    write_plugin(world.folder / "workspace" / plugin_id, plugin_id, QUOTES, **manifest)
    return {"workspace": world.folder / "workspace"}


def grant(world, places):
    for candidate in discover(Places(**places)):
        ConsentStore(world.data_dir / "consent.json").grant(candidate)


@TABLE.row("plugins.off", "plugins.enabled = false", PLUGIN)
async def off(world):
    return await world.planned(places=workspace(world), enabled=False)


@TABLE.row("plugins.safe-mode", "--no-plugins", "")
async def safe_mode(world):
    return await world.planned(places={}, no_plugins=True)


@TABLE.row("plugins.denied", "its id in deny", PLUGIN)
async def denied(world):
    return await world.hosted(world.bad(), deny=["bad"])


@TABLE.row("plugins.denied", "its id in deny and in allow", PLUGIN)
async def denied_and_allowed(world):
    return await world.hosted(world.bad(), deny=["bad"], allow=["bad", BYSTANDER])


@TABLE.row("plugins.not-allowed", "another id in allow", PLUGIN)
async def not_allowed(world):
    return await world.hosted(world.bad(), allow=[BYSTANDER])


@TABLE.row("plugins.blocklisted", "a version that is known to be bad", PLUGIN)
async def blocklisted(world):
    file = world.folder / "block.json"
    file.write_text(json.dumps([{"id": "bad", "firstGoodVersion": "2.0", "reason": "loses orders"}]))
    return await world.hosted(world.bad(), blocklist=str(file))


@TABLE.row("blocklist.unreadable", "a block list that is no JSON", "path")
async def blocklist(world):
    file = world.folder / "block.json"
    file.write_text("{")
    return await world.planned(places=workspace(world), blocklist=str(file))


@TABLE.row("requires.api", "another plugin API", PLUGIN)
async def api(world):
    return await world.hosted(world.bad(requires={"api": ">=7,<8"}))


@TABLE.row("requires.packages", "a package that is not installed", PLUGIN)
async def packages(world):
    return await world.hosted(world.bad(requires={"packages": ["gatehook-no-such-dist"]}))


@TABLE.row("runtime.unavailable", "a runtime of a later version", PLUGIN)
async def runtime(world):
    (world.folder / "plugins" / "bad").mkdir()
    (world.folder / "plugins" / "bad" / "index.mjs").touch()
    return await world.hosted(world.bad(entry={"type": "node.module", "module": "index.mjs"}))


@TABLE.row("plugins.shadowed", "an id that a built-in plugin has", PLUGIN)
async def shadowed(world):
    return await world.hosted(world.plugin("simulated", QUOTES), builtin=True)


@TABLE.row("plugins.duplicate-id", "two that look alike in one origin", PLUGIN)
async def duplicate(world):
    return await world.hosted(world.plugin("a-b", QUOTES), world.plugin("a_b", QUOTES))


@TABLE.row("plugins.unknown-override", "an override that fits nobody", "")
async def override(world):
    return await world.hosted(world.bad(), overrides={"bad": "user"})


@TABLE.row("consent.missing", "code that nobody agreed to", PLUGIN)
async def no_consent(world):
    return await world.hosted(places=workspace(world))


@TABLE.row("consent.changed", "a file that changed since", PLUGIN)
async def changed(world):
    places = workspace(world)
    grant(world, places)
    (places["workspace"] / "bad" / "plugin.py").write_text("changed = True\n")
    return await world.hosted(places=places)


@TABLE.row("consent.tree-refused", "planted bytecode", PLUGIN)
async def bytecode(world):
    places = workspace(world)
    grant(world, places)
    (places["workspace"] / "bad" / "planted.pyc").touch()
    return await world.hosted(places=places)


@TABLE.row("consent.dev-paper-only", "--dev outside paper mode", PLUGIN)
async def dev(world):
    return await world.planned(places={"dev": (world.bad(),)}, mode="demo")


@TABLE.row("plugins.dev", "--dev", PLUGIN)
async def dev_in_paper(world):
    return await world.hosted(world.bad())


@TABLE.row("consent.store-unreadable", "a record of consents that is cut off", "path")
async def store(world):
    places = workspace(world)
    grant(world, places)
    (world.data_dir / "consent.json").write_text('{"schemaVersion": 1,')
    return await world.hosted(places=places)


async def locked(world, change):
    from gatehook.catalog import make_plan
    from gatehook.catalog.lock import write_lock
    from gatehook.config import config_from

    world.monkeypatch.chdir(world.folder)
    places = workspace(world)
    grant(world, places)
    config = config_from({"gateway": {"data_dir": str(world.data_dir)}})
    write_lock(make_plan(config, places=Places(**places)), world.folder / "gatehook.lock")
    change(places["workspace"])
    return await world.planned(places=places, locked=True)


TABLE.add(
    "lock.missing",
    "a plugin that is not in the lock",
    PLUGIN,
    lambda world: locked(world, lambda place: write_plugin(place / "new", "new", QUOTES)),
)
TABLE.add(
    "lock.differs",
    "a file that changed after locking",
    PLUGIN,
    lambda world: locked(world, lambda place: (place / "bad" / "plugin.py").write_text("")),
)
TABLE.add(
    "lock.absent",
    "a locked plugin that is gone",
    "plugin",
    lambda world: locked(world, lambda place: (place / "bad" / "plugin.json").unlink()),
)


@TABLE.row("lock.unreadable", "no lock where one is insisted on", "path")
async def no_lock(world):
    world.monkeypatch.chdir(world.folder)
    return await world.planned(places=workspace(world), locked=True)


# --- entries

ENTRY = "entry plugin"


@TABLE.row("entry.disabled", "enabled = false", ENTRY)
async def disabled(world):
    return await world.hosted(world.bad(), entries={"bad": {"enabled": False}})


@TABLE.row("entry.unknown-plugin", "a plugin that there is not", ENTRY)
async def unknown_plugin(world):
    return await world.hosted(entries={"mine": {"plugin": "gone"}})


@TABLE.row("entry.plugin-not-admitted", "a plugin that is denied", ENTRY)
async def not_admitted(world):
    return await world.hosted(world.bad(), deny=["bad"], entries={"bad": {}})


@TABLE.row("entry.requires-plugin", "another plugin that is not there", ENTRY)
async def requires_plugin(world):
    return await world.hosted(world.bad(requires={"plugins": {"gone": ""}}))


@TABLE.row("entry.requires-entry", "an entry that is not there", ENTRY)
async def requires_entry(world):
    return await world.hosted(world.bad(configSchema=PRICES), entries={"bad": {"config": {"prices": "gone"}}})


@TABLE.row("entry.requires-cycle", "itself", ENTRY)
async def cycle(world):
    return await world.hosted(world.bad(configSchema=PRICES), entries={"bad": {"config": {"prices": "bad"}}})


@TABLE.row("entry.id-taken", "an entry of that id which uses another plugin", ENTRY)
async def id_taken(world):
    return await world.hosted(world.bad(), entries={"bad": {"plugin": BYSTANDER}})


# --- slots

SLOT = "entry"


def memory(world, plugin_id="notes", source=MEMORY):
    return world.plugin(plugin_id, source, kinds=[MEMORY_KIND])


@TABLE.row("slots.wrong-kind", "an entry that has no memory", SLOT)
async def wrong_kind(world):
    return await world.hosted(slots={"memory": BYSTANDER})


@TABLE.row("slots.down", "an entry that there is not", SLOT)
async def down(world):
    return await world.hosted(slots={"memory": "gone"})


@TABLE.row("slots.fallback", "a list whose first is not there", SLOT)
async def fallback(world):
    return await world.hosted(memory(world), slots={"memory": ["gone", "notes"]})


@TABLE.row("slots.emptied", "none", "")
async def emptied(world):
    return await world.hosted()


@TABLE.row("slots.lost", "a second memory", ENTRY)
async def lost(world):
    return await world.hosted(memory(world), memory(world, "other"), slots={"memory": "notes"})


@TABLE.row("slots.standby", "the second of a list", ENTRY)
async def standby(world):
    return await world.hosted(memory(world), memory(world, "other"), slots={"memory": ["notes", "other"]})


@TABLE.row("slots.unknown-slot", "a slot that there is not", "")
async def unknown_slot(world):
    import pytest

    from gatehook import GatehookError

    async with world.host() as host:
        with pytest.raises(GatehookError) as caught:
            await host.use_slot("memroy", "none")
    return caught.value.diagnostics
