"""From a directory, or an object, to a handle that answers."""

from __future__ import annotations

import os
import sys

import anyio
import pytest

from gatehook import Diagnostic
from gatehook import GatehookError
from gatehook import InstrumentId
from gatehook import MarketData
from gatehook import PluginHost
from gatehook import Tick
from gatehook import TickKind
from gatehook import hookimpl
from gatehook.catalog.places import Places
from tests.host.plugin_kit import MARKET
from tests.host.plugin_kit import MEMORY
from tests.host.plugin_kit import MEMORY_KIND
from tests.host.plugin_kit import QUOTES
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import lines
from tests.host.plugin_kit import recording
from tests.host.plugin_kit import state_of
from tests.host.plugin_kit import write_plugin

pytestmark = pytest.mark.anyio
EURUSD = InstrumentId.parse("EURUSD.QUOTES")


class Embedded:
    @hookimpl
    def provide_market_data(self, context):
        return EmbeddedQuotes()


class EmbeddedQuotes(MarketData):
    async def list_instruments(self, *, query=None):
        return []

    async def quote(self, instrument_id):
        return Tick(instrument_id=instrument_id, kind=TickKind.QUOTE, bid="2", ask="3", ts_event=1)


MANIFEST = {"id": "mine", "name": "Mine", "version": "1.0.0", "kinds": [MARKET]}


async def test_a_directory_plugin_starts_and_answers(tmp_path):
    async with host_of(tmp_path, write_plugin(tmp_path, "quotes")) as host:
        assert state_of(host, "quotes") == "active"
        assert (await host.market_data("quotes").quote(EURUSD)).ts_event == 7
        assert host.health().status == "ok"
        assert host.diagnostics[0].code == "plugins.dev"


async def test_an_embedded_plugin_starts_and_answers(tmp_path):
    async with host_of(tmp_path, plugins=[(MANIFEST, Embedded())]) as host:
        assert str((await host.market_data("mine").quote(EURUSD)).bid) == "2"


async def test_two_entries_of_one_plugin_load_it_once_and_have_contexts_of_their_own(tmp_path):
    log = tmp_path / "log"
    source = recording(log, "record('import')\n" + QUOTES + "    \n")
    plugin = write_plugin(tmp_path, "quotes", source)
    entries = {"quotes": {}, "second": {"plugin": "quotes", "venue": "OTHER"}}
    async with host_of(tmp_path, plugin, entries=entries) as host:
        first = host._entry("quotes", None).ports[MARKET].provider
        second = host._entry("second", None).ports[MARKET].provider
        assert first is not second
        assert (first.context.venue, second.context.venue) == ("QUOTES", "OTHER")
        assert first.context.data_dir != second.context.data_dir
    assert lines(log) == ["import"]


async def test_regression_09_register_is_called_once_a_load_and_never_by_the_plan(tmp_path):
    log = tmp_path / "log"
    plugin = write_plugin(
        tmp_path, "quotes", recording(log, QUOTES + "\ndef register(api):\n    record(api.plugin_id)\n")
    )
    host = host_of(tmp_path, plugin, entries={"quotes": {}, "second": {"plugin": "quotes", "venue": "OTHER"}})
    assert host.plan.to_json()
    assert lines(log) == []
    async with host:
        await host.restart("quotes")
    assert lines(log) == ["quotes"]


async def test_regression_04_workspace_plugin_without_consent_is_never_imported(tmp_path):
    log = tmp_path / "log"
    write_plugin(tmp_path / "plugins", "quotes", recording(log, "record('import')\n" + QUOTES))
    async with host_of(tmp_path, places=Places(workspace=tmp_path / "plugins")) as host:
        assert host.plan.decision("quotes").status == "needs-consent"
        assert host.statuses() == ()
    assert lines(log) == []


async def test_regression_11_one_invalid_configuration_leaves_the_others_running(tmp_path):
    schema = {"type": "object", "properties": {"depth": {"type": "integer"}}}
    bad = write_plugin(tmp_path, "deep", configSchema=schema)
    good = write_plugin(tmp_path, "quotes")
    async with host_of(tmp_path, bad, good, entries={"deep": {"config": {"depth": "x"}}, "quotes": {}}) as host:
        assert (await host.market_data("quotes").quote(EURUSD)).ts_event == 7
        assert any(one.entry == "deep" and one.severity == "error" for one in host.diagnostics)
        with pytest.raises(GatehookError, match="entry-unknown"):
            host.market_data("deep")


async def test_a_secret_that_is_missing_at_start_fails_its_entry_only_and_nothing_of_it_is_imported(tmp_path):
    log = tmp_path / "log"
    schema = {"type": "object", "properties": {"token": {"type": "string"}}}
    bad = write_plugin(tmp_path, "locked", recording(log, "record('import')\n" + QUOTES), configSchema=schema)
    good = write_plugin(tmp_path, "quotes")
    entries = {"locked": {"config": {"token": {"env": "GATEHOOK_TEST_MISSING"}}}, "quotes": {}}
    async with host_of(tmp_path, bad, good, entries=entries) as host:
        assert state_of(host, "locked") == "failed"
        assert state_of(host, "quotes") == "active"
        assert host.health().status == "down"
    assert lines(log) == []


async def test_secrets_of_entries_that_do_not_run_are_not_resolved(tmp_path, monkeypatch):
    schema = {"type": "object", "properties": {"token": {"type": "string"}}}
    plugin = write_plugin(tmp_path, "quotes", configSchema=schema)
    monkeypatch.setenv("GATEHOOK_TEST_TOKEN", "canary-value-1")
    entries = {"quotes": {"enabled": False, "config": {"token": {"env": "GATEHOOK_TEST_TOKEN"}}}}
    async with host_of(tmp_path, plugin, entries=entries) as host:
        assert host.redactor.redact("canary-value-1") == "canary-value-1"


async def test_regression_12_an_invalid_schema_fails_its_own_plugin_only(tmp_path):
    bad = write_plugin(tmp_path, "broken", configSchema={"type": "objekt"})
    async with host_of(tmp_path, bad, write_plugin(tmp_path, "quotes")) as host:
        assert state_of(host, "quotes") == "active"
        assert "broken" not in [one.entry_id for one in host.statuses()]


async def test_two_entries_with_one_venue_are_refused(tmp_path):
    plugin = write_plugin(tmp_path, "quotes")
    entries = {"quotes": {"venue": "X"}, "second": {"plugin": "quotes", "venue": "X"}}
    async with host_of(tmp_path, plugin, entries=entries) as host:
        assert "host.venue-taken" in codes(host)
        assert sorted((state_of(host, "quotes"), state_of(host, "second"))) == ["active", "failed"]


async def test_a_host_that_does_not_run_says_so(tmp_path):
    host = host_of(tmp_path)
    with pytest.raises(GatehookError, match=r"host\.not-running"):
        host.statuses()
    with pytest.raises(GatehookError, match=r"host\.not-running"):
        _ = host.desk


async def test_unknown_entries_are_named_with_what_would_fit(tmp_path):
    async with host_of(tmp_path, write_plugin(tmp_path, "quotes")) as host:
        with pytest.raises(GatehookError, match='did you mean "quotes"') as caught:
            host.market_data("quote")
        assert caught.value.diagnostics[0].code == "host.entry-unknown"
        with pytest.raises(GatehookError):
            host.broker("quotes", caller="test")


async def test_the_exception_of_the_block_comes_out_as_it_is(tmp_path):
    with pytest.raises(ValueError, match="mine"):
        async with host_of(tmp_path, write_plugin(tmp_path, "quotes")):
            raise ValueError("mine")


async def test_modules_are_forgotten_when_the_host_is_closed(tmp_path):
    before = set(sys.modules)
    async with host_of(tmp_path, write_plugin(tmp_path, "quotes")):
        assert any(name.startswith("gatehook_plugins.config.quotes") for name in set(sys.modules) - before)
    assert not any("quotes" in name for name in set(sys.modules) - before)
    assert not any("quotes" in entry for entry in sys.path)


async def test_diagnostics_are_told_once_to_the_list_the_bus_and_the_observers(tmp_path):
    log = tmp_path / "log"
    observer = "\n@hookimpl\ndef diagnostic_reported(diagnostic):\n    record(diagnostic.code)\n"
    plugin = write_plugin(tmp_path, "quotes", recording(log, QUOTES + observer))
    async with host_of(tmp_path, plugin) as host:
        said = Diagnostic(code="x.y", severity="warning", message="m", remedy="r")
        with host.bus.subscribe("gateway.diagnostic") as events:
            host.report(said)
            host.report(said)
            [event] = await events.batch()
        assert event.payload["code"] == "x.y"
        assert codes(host).count("x.y") == 1
    assert lines(log).count("x.y") == 1


async def test_memory_and_market_data_of_one_entry_share_and_are_entered_once(tmp_path):
    log = tmp_path / "log"
    source = recording(
        log,
        QUOTES.replace("@hookimpl\ndef provide_market_data(context):\n    return Quotes(context)", "")
        + MEMORY.replace("class Memory(MemoryBackend)", "class Memory(Quotes, MemoryBackend)").replace(
            "@hookimpl\ndef provide_memory_backend(context):\n    return Memory(context)", ""
        )
        + """
@hookimpl
def provide_market_data(context):
    return context.shared("one", lambda: Memory(context))

@hookimpl
def provide_memory_backend(context):
    return context.shared("one", lambda: Memory(context))

async def __aenter__(self):
    record("enter")
    return self

async def __aexit__(self, *error):
    record("exit")

Memory.__aenter__, Memory.__aexit__ = __aenter__, __aexit__
""",
    )
    plugin = write_plugin(tmp_path, "both", source, kinds=(MARKET, MEMORY_KIND))
    async with host_of(tmp_path, plugin, slots={"memory": "both"}) as host:
        ports = host._entry("both", None).ports
        assert ports[MARKET].provider is ports[MEMORY_KIND].provider
    assert lines(log) == ["enter", "exit"]


def test_a_host_can_be_made_from_a_configuration_file(tmp_path):
    file = tmp_path / "gatehook.toml"
    file.write_text(f'[gateway]\ndata_dir = "{tmp_path / "data"}"\n')
    assert PluginHost.from_config(file, places=Places()).config.gateway.data_dir == tmp_path / "data"


async def test_a_host_runs_once(tmp_path):
    host = host_of(tmp_path)
    async with host:
        pass
    with pytest.raises(RuntimeError, match="once"):
        await host.__aenter__()


async def test_a_secrets_file_that_never_answers_fails_its_entry_only(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    schema = {"type": "object", "properties": {"token": {"type": "string"}}}
    slow = write_plugin(tmp_path, "slow", configSchema=schema)
    entries = {"slow": {"config": {"token": {"file": str(pipe)}}}, "quotes": {}}
    options = {"entries": entries, "supervision": {"start_timeout": 0.3}}
    try:
        async with host_of(tmp_path, slow, write_plugin(tmp_path, "quotes"), **options) as host:
            assert (state_of(host, "slow"), state_of(host, "quotes")) == ("failed", "active")
    finally:
        os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))


async def test_importing_the_host_or_listing_plugins_imports_nothing_heavy(tmp_path):
    write_plugin(tmp_path, "quotes")
    script = (
        "import sys; from pathlib import Path; import gatehook.host; from gatehook import PluginHost;"
        "from gatehook.catalog.places import Places;"
        "PluginHost.from_config({}, places=Places(dev=(Path(sys.argv[1]),)));"
        "print(sorted({'mcp', 'pydantic', 'starlette', 'httpx2', 'trio', 'keyring'} & set(sys.modules)))"
    )
    done = await anyio.run_process([sys.executable, "-c", script, str(tmp_path)])
    assert done.stdout.decode().strip() == "[]"
