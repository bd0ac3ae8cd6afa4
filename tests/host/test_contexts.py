"""What a plugin is handed."""

from __future__ import annotations

import logging

import attrs
import pytest

from gatehook import GatehookError
from gatehook import InstrumentId
from gatehook import Secret
from gatehook.secrets import MASK
from tests.host.plugin_kit import QUOTES
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import state_of
from tests.host.plugin_kit import write_plugin
from tests.host.scripted import Scripted
from tests.host.scripted import manifest
from tests.host.scripted import until

pytestmark = pytest.mark.anyio
CANARY = "canary-secret-value-42"
SCHEMA = {
    "type": "object",
    "properties": {
        "token": {"type": "string", "writeOnly": True},
        "depth": {"type": "integer", "default": 3},
        "source": {"type": "string", "x-gatehook-entry": "connector.marketData"},
    },
}


@attrs.frozen(kw_only=True)
class Settings:
    token: Secret
    depth: int
    ratio: float = 1.0


class Given(Scripted):
    """Keeps its contexts."""

    @property
    def context(self):
        return self.entered[-1].context


async def test_the_configuration_is_immutable_validated_and_has_its_defaults(tmp_path):
    plugin = Given()
    entries = {"scripted": {"config": {"token": CANARY}}}
    async with host_of(tmp_path, plugins=[(manifest(configSchema=SCHEMA), plugin)], entries=entries):
        context = plugin.context
        assert context.config["depth"] == 3
        assert context.config["token"].reveal() == CANARY
        with pytest.raises(TypeError):
            context.config["depth"] = 4
        assert context.config_as(Settings) == Settings(token=Secret(CANARY), depth=3)
        with pytest.raises(Exception, match="While structuring"):
            context.config_as(attrs.make_class("Other", {"depth": attrs.field(type=str)}))
        assert (context.plugin_id, context.entry_id, context.venue) == ("scripted", "scripted", "SCRIPTED")
        assert context.manifest.version == "1.0.0"
        assert context.clock.monotonic() > 0


async def test_regression_19_a_canary_secret_is_in_no_output(tmp_path, caplog, capsys):
    caplog.set_level(logging.DEBUG)

    async def enter(provider):
        token = provider.context.config["token"].reveal()
        provider.context.logger.info("token %s", token)
        provider.context.logger.warning("broken " + token + " %s %s", 1)  # noqa: G003  as a careless plugin would
        if len(provider.plugin.entered) < 3:
            raise RuntimeError(f"login with {token} failed")

    async def answer(provider):
        raise ValueError(f"no quote for {provider.context.config['token'].reveal()}")

    plugin = Given(enter=enter, answer=answer)
    entries = {"scripted": {"config": {"token": CANARY}}}
    async with host_of(tmp_path, plugins=[(manifest(configSchema=SCHEMA), plugin)], entries=entries) as host:
        with host.bus.subscribe("*") as events:
            await until(host, "scripted", "active")
            with pytest.raises(Exception, match="raised") as caught:
                await host.market_data("scripted").quote(InstrumentId.parse("A.B"))
            told = str(await events.batch())
        shown = [told, str(host.diagnostics), str(host.health()), str(host.statuses()), repr(plugin.context.config)]
        shown += [str(host.plan.to_json()), caplog.text, str(caplog.records), *capsys.readouterr(), str(caught.value)]
        shown += [str(one.to_json()) for one in host.diagnostics]
    assert MASK in caplog.text
    for text in shown:
        assert CANARY not in text


async def test_the_filter_leaves_the_loggers_when_the_host_closes(tmp_path):
    plugin = Given()
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]):
        logger = plugin.context.logger
        assert logger.name == "gatehook.plugin.scripted"
        assert len(logger.filters) == 1
    assert logger.filters == []
    assert logging.getLogger("gatehook.host").filters == []


async def test_regression_20_a_plugin_reaches_its_own_configuration_only(tmp_path):
    first, second = Given(), Given()
    entries = {"first": {"config": {"token": CANARY}}, "second": {"config": {"depth": 1}}}
    plugins = [(manifest("first", configSchema=SCHEMA), first), (manifest("second", configSchema=SCHEMA), second)]
    async with host_of(tmp_path, plugins=plugins, entries=entries):
        assert "token" not in second.context.config
        with pytest.raises(GatehookError, match=r"host\.use-undeclared"):
            second.context.use("first")
        assert first.context.data_dir != second.context.data_dir
        await first.context.state.set("a", 1)
        assert await second.context.state.get("a") is None


async def test_an_entry_that_uses_another_starts_after_it_and_stops_before_it(tmp_path):
    order = []

    async def enter(provider):
        order.append(f"{provider.context.entry_id} enters")

    async def leave(provider):
        order.append(f"{provider.context.entry_id} leaves")

    async def answer(provider):
        return await provider.context.use("source").quote(InstrumentId.parse("A.B"))

    user, source = Given(enter=enter, leave=leave, answer=answer), Given(enter=enter, leave=leave)
    entries = {"user": {"config": {"source": "source"}}, "source": {}}
    plugins = [(manifest("user", configSchema=SCHEMA), user), (manifest("source"), source)]
    async with host_of(tmp_path, plugins=plugins, entries=entries) as host:
        assert (await host.market_data("user").quote(InstrumentId.parse("A.B"))).ts_event == 1
        assert user.context.use("source").caller == "user"
    assert order == ["source enters", "user enters", "user leaves", "source leaves"]


async def test_an_entry_waits_for_what_it_uses_and_starts_when_that_is_up(tmp_path):
    async def enter(provider):
        raise RuntimeError("down")

    user, source = Given(), Given(enter=enter)
    entries = {"user": {"config": {"source": "source"}}, "source": {}}
    plugins = [(manifest("user", configSchema=SCHEMA), user), (manifest("source"), source)]
    async with host_of(tmp_path, plugins=plugins, entries=entries) as host:
        assert state_of(host, "user") == "starting"
        await until(host, "source", "quarantined")
        source.enter = Scripted().enter
        await host.restart("source")
        await until(host, "user", "active")


async def test_entries_that_use_each_other_are_diagnosed_and_not_started(tmp_path):
    entries = {"one": {"config": {"source": "two"}}, "two": {"config": {"source": "one"}}}
    plugins = [(manifest(one, configSchema=SCHEMA), Given()) for one in ("one", "two")]
    async with host_of(tmp_path, plugins=plugins, entries=entries) as host:
        assert host.statuses() == ()
        assert any("→" in one.message for one in host.diagnostics)


async def test_shared_is_made_once_a_generation(tmp_path):
    made = []
    plugin = Given()
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        for _ in range(2):
            assert plugin.context.shared("x", lambda: made.append(1) or len(made)) == 1
        await host.restart("scripted")
        plugin.context.shared("x", lambda: made.append(1))
    assert made == [1, 1]


async def test_events_are_published_under_the_entrys_own_name(tmp_path):
    plugin = Given()
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]) as host:
        with host.bus.subscribe("news.headline") as events:
            plugin.context.events.publish("news.headline", {"a": 1}, event_id="x")
            plugin.context.events.publish("news.headline", {"a": 1}, event_id="x")
            [event] = await events.batch()
        assert (event.source, event.payload) == ("scripted", {"a": 1})


async def test_http_is_the_entrys_own_and_refuses_masks(tmp_path):
    plugin = Given()
    async with host_of(tmp_path, plugins=[(manifest(), plugin)]):
        client = plugin.context.http
        assert plugin.context.http is client
        with pytest.raises(ValueError, match="URL holds the mask"):
            await client.get(f"http://127.0.0.1:9/?token={MASK}")
        with pytest.raises(ValueError, match="header authorization"):
            await client.get("http://127.0.0.1:9/", headers={"authorization": f"Bearer {Secret('x')}"})
    assert client.is_closed


async def test_tasks_of_an_entry_end_with_it(tmp_path):
    ended = []

    async def forever():
        import anyio

        try:
            await anyio.sleep_forever()
        finally:
            ended.append(1)

    async def enter(provider):
        provider.context.task_group.start_soon(forever)

    async with host_of(tmp_path, plugins=[(manifest(), Given(enter=enter))]) as host:
        await host.restart("scripted")
        assert ended == [1]
    assert ended == [1, 1]


async def test_a_directory_plugin_logs_under_its_entry(tmp_path, caplog):
    source = QUOTES.replace("self.context = context", "self.context = context\n        context.logger.warning('hello')")
    async with host_of(tmp_path, write_plugin(tmp_path, "quotes", source)) as host:
        assert "host.call-failed" not in codes(host)
    assert ("gatehook.plugin.quotes", logging.WARNING, "hello") in caplog.record_tuples
