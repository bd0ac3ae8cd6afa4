"""The kit's fixtures: plugins written by a test, hosts that discover nothing, what observers saw, a full disk."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from gatehook import hookspecs
from gatehook.context import RunState
from gatehook.diagnostics.codes import plugins as codes
from gatehook.testing import ControlledPrices
from gatehook.testing.recorder import HookRecorder

pytestmark = pytest.mark.anyio

SOURCE = """
    from gatehook import MarketData, NotFound, hookimpl

    class Nothing(MarketData):
        async def list_instruments(self, *, query=None):
            return []

        async def quote(self, instrument_id):
            raise NotFound("there is nothing")

    @hookimpl
    def provide_market_data(context):
        return Nothing()
"""


def as_a_function():  # a comment behind the colon, and a signature over two lines, are no part of the body
    from gatehook import MarketData
    from gatehook import NotFound
    from gatehook import hookimpl

    class Nothing(MarketData):
        async def list_instruments(self, *, query=None):
            return []

        async def quote(self, instrument_id):
            raise NotFound("there is nothing")

    @hookimpl
    def provide_market_data(context):
        return Nothing()


@pytest.mark.parametrize("module", [SOURCE, as_a_function], ids=["text", "function"])
async def test_a_plugin_is_written_from_text_or_from_a_functions_body(plugin_dir, plugin_host, module):
    directory = plugin_dir("nothing", module, version="2.0.0")
    assert json.loads((directory / "plugin.json").read_text())["version"] == "2.0.0"
    async with plugin_host(paths=[directory]) as host:
        assert await host.market_data("nothing", caller="test").list_instruments() == []


async def test_a_plugins_function_may_have_a_docstring_and_a_long_signature(plugin_dir):
    def module(
        number=1,
    ):
        """The module's docstring."""
        name = "x"
        print(name)

    written = (plugin_dir("x", module) / "plugin.py").read_text()
    assert written.startswith('"""The module\'s docstring."""\nname = "x"')


async def test_a_host_discovers_nothing_by_itself(plugin_dir, plugin_host, tmp_path, monkeypatch):
    for place in (tmp_path / "here" / ".gatehook" / "plugins", tmp_path / "home" / ".config" / "gatehook" / "plugins"):
        place.mkdir(parents=True)
        plugin_dir("found", SOURCE).rename(place / "found")
    (tmp_path / "here" / "gatehook.toml").write_text("this is no TOML")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    monkeypatch.setenv("GATEHOOK_GATEWAY__MODE", "live")
    async with plugin_host() as host:
        assert host.plan.candidates == ()
        assert host.config.gateway.mode == "paper"
        assert host.config.gateway.data_dir == tmp_path / "data"
    assert {one.id for one in plugin_host(builtin=True).plan.candidates} == {
        "paper",
        "hybrid_embeddings",
        "metaapi-mcp",
        "postgres",
        "replay",
        "simulated",
        "sqlite_fts",
        "tantivy",
    }


async def test_a_second_host_of_a_test_is_a_restart(plugin_host):
    prices = ControlledPrices(bid="1.1", ask="1.2")
    async with plugin_host(plugins=[(ControlledPrices.MANIFEST, prices)]) as host:
        first = host.config.gateway.data_dir
    async with plugin_host() as host:
        assert host.config.gateway.data_dir == first
        assert (first / "journal.sqlite").exists()


def test_the_recorder_observes_every_observer_hook():
    hooks = {name for name, one in vars(hookspecs).items() if hasattr(one, "gatehook_spec")}
    observers = {name for name in hooks if not name.startswith("provide_")}
    assert observers
    assert observers <= set(vars(HookRecorder))


async def test_the_recorder_remembers_what_happened(plugin_dir, plugin_host, hook_recorder):
    async with plugin_host(
        paths=[plugin_dir("nothing", SOURCE)], plugins=[hook_recorder.plugin], config={"gateway": {"mode": "paper"}}
    ) as host:
        host.bus.publish("gateway.note", {"text": "hello"}, source="test")
        assert hook_recorder.named("gateway_started") == [None]
        assert hook_recorder.named("gateway_stopping") == []
        assert hook_recorder.states("nothing")[-1] is RunState.ACTIVE
        host.report(codes.OFF(plugin="nothing"))
        assert [one.code for one in hook_recorder.named("diagnostic_reported")] == ["plugins.off"]
        assert "gateway.note" in [one.topic for one in hook_recorder.named("event_published")]
    assert hook_recorder.named("gateway_stopping") == [None]


def test_a_full_disk_is_the_journals_only(disk, tmp_path):
    journal, other = (sqlite3.connect(tmp_path / name) for name in ("journal.sqlite", "other.sqlite"))
    with closing(journal), closing(other):
        for connection in (journal, other):
            connection.execute("CREATE TABLE texts (text)")
        disk.fill()
        other.executemany("INSERT INTO texts VALUES (?)", [("x" * 1000,)] * 100)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            journal.executemany("INSERT INTO texts VALUES (?)", [("x" * 1000,)] * 100)
