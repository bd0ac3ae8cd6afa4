"""What hooks return and raise, observers, wrappers."""

from __future__ import annotations

import pytest

from gatehook import MarketData
from gatehook import hookimpl
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
from tests.host.scripted import Scripted
from tests.host.scripted import manifest
from tests.host.scripted import until

pytestmark = pytest.mark.anyio


async def coroutine():
    return None


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda plugin, context: None, "None"),
        (lambda plugin, context: object(), "an instance of object"),
        (lambda plugin, context: MarketData, "ABCMeta"),
        (lambda plugin, context: coroutine(), "an awaitable (coroutine)"),
    ],
)
async def test_fault_10_a_hook_that_returns_the_wrong_thing_is_refused_and_named(tmp_path, result, words):
    async with host_of(
        tmp_path, plugins=[(manifest(), Scripted(provide=result)), (manifest("other"), Scripted())]
    ) as host:
        assert state_of(host, "other") == "active"
        [said] = [one for one in host.diagnostics if one.code == "host.wrong-provider"]
        assert (said.plugin, said.entry) == ("scripted", "scripted")
        assert "provide_market_data" in said.message
        assert words in said.message
        assert "gatehook.kinds.market_data.MarketData" in said.message
        await until(host, "scripted", "quarantined")


@pytest.mark.parametrize(
    "error", [RuntimeError("x"), SystemExit(3), GeneratorExit(), BaseException("b"), StopIteration()]
)
async def test_fault_10_a_hook_that_raises_is_isolated_and_counted(tmp_path, error):
    def provide(plugin, context):
        raise error

    async with host_of(
        tmp_path, plugins=[(manifest(), Scripted(provide=provide)), (manifest("other"), Scripted())]
    ) as host:
        assert state_of(host, "other") == "active"
        [said] = [one for one in host.diagnostics if one.code == "host.hook-failed"]
        assert said.path is not None
        assert said.path.name == "scripted.py"
        assert type(error).__name__ in said.message
        await until(host, "scripted", "quarantined")
    assert any("provide_market_data" in note for note in error.__notes__)


async def test_a_hook_has_no_task_group(tmp_path):
    def provide(plugin, context):
        return context.task_group

    async with host_of(tmp_path, plugins=[(manifest(), Scripted(provide=provide))]) as host:
        assert any("a hook has no task group" in one.message for one in host.diagnostics)


class Observer(Scripted):
    def __init__(self):
        super().__init__()
        self.seen = []

    @hookimpl
    def gateway_started(self):
        self.seen.append("started")
        raise SystemExit(1)

    @hookimpl
    def gateway_stopping(self):
        self.seen.append("stopping")

    @hookimpl
    def plugin_status_changed(self, status):
        self.seen.append(f"{status.entry_id} {status.state}")

    @hookimpl
    def event_published(self, event):
        self.seen.append(event.topic)


async def test_observers_are_called_each_guarded(tmp_path):
    first, second = Observer(), Observer()
    async with host_of(tmp_path, plugins=[(manifest("first"), first), (manifest("second"), second)]) as host:
        assert "host.hook-failed" in codes(host)
        host.bus.publish("account.fill", {}, source="test", account_id="a")
        host.bus.publish("market.price.tick", {}, source="test", symbol="s")
    for one in (first, second):
        assert one.seen.count("started") == 1
        assert "second active" in one.seen
        assert "account.fill" in one.seen
        assert "market.price.tick" not in one.seen
        assert "stopping" in one.seen
        assert "first stopped" in one.seen


async def test_an_observer_of_diagnostics_that_raises_does_not_go_round_in_circles(tmp_path):
    class Loud(Scripted):
        @hookimpl
        def diagnostic_reported(self, diagnostic):
            raise RuntimeError("I cannot read this")

    async with host_of(tmp_path, plugins=[(manifest(), Loud())], entries={"gone": {}}) as host:
        assert codes(host).count("host.hook-failed") <= 1


async def test_regression_10_register_that_raises_leaves_nothing_behind(tmp_path):
    log = tmp_path / "log"
    source = recording(
        log,
        QUOTES
        + """
class Observer:
    @hookimpl
    def gateway_started(self):
        record("observer")

@hookimpl
def gateway_stopping():
    record("module observer")

def register(api):
    api.add(Observer())
    raise RuntimeError("half way")
""",
    )
    bad, good = write_plugin(tmp_path, "quotes", source), write_plugin(tmp_path, "other")
    async with host_of(tmp_path, bad, good) as host:
        assert state_of(host, "quotes") == "failed"
        assert state_of(host, "other") == "active"
        [said] = [one for one in host.diagnostics if one.code == "runtime.register-failed"]
        assert said.line is not None
        assert "half way" in said.message
    assert lines(log) == []


WRAPPER = (
    QUOTES
    + """
@hookimpl(wrapper=True)
def provide_memory_backend(context):
    [backend] = yield
    backend.wrapped_by = "quotes"
    return [backend]
"""
)


async def test_a_wrapper_needs_its_permission(tmp_path):
    wrapping, memory = (
        write_plugin(tmp_path, "quotes", WRAPPER),
        write_plugin(tmp_path, "notes", MEMORY, kinds=(MEMORY_KIND,)),
    )
    async with host_of(tmp_path, wrapping, memory, slots={"memory": "notes"}) as host:
        assert "runtime.wrapper-refused" in codes(host)
        assert state_of(host, "quotes") == "failed"
        assert state_of(host, "notes") == "active"


async def test_a_granted_wrapper_wraps_the_providers_of_other_plugins(tmp_path):
    wrapping = write_plugin(tmp_path, "quotes", WRAPPER, kinds=(MARKET,), permissions={"wrap": [MEMORY_KIND]})
    memory = write_plugin(tmp_path, "notes", MEMORY, kinds=(MEMORY_KIND,))
    async with host_of(tmp_path, memory, wrapping, slots={"memory": "notes"}) as host:
        assert host._runner.entries["notes"].ports[MEMORY_KIND].provider.wrapped_by == "quotes"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("[backend] = yield\n    return backend.stats()", "host.wrong-provider"),
        ("yield\n    return None", "host.wrong-provider"),
        ("yield\n    raise ValueError('wrapper')", "host.hook-failed"),
    ],
)
async def test_a_wrapper_that_misbehaves_is_refused_like_a_hook(tmp_path, body, code):
    source = QUOTES + f"\n@hookimpl(wrapper=True)\ndef provide_memory_backend(context):\n    {body}\n"
    wrapping = write_plugin(tmp_path, "quotes", source, permissions={"wrap": [MEMORY_KIND]})
    memory = write_plugin(tmp_path, "notes", MEMORY, kinds=(MEMORY_KIND,))
    async with host_of(tmp_path, memory, wrapping, slots={"memory": "notes"}) as host:
        assert code in codes(host)
        assert state_of(host, "notes") != "active"
        assert state_of(host, "quotes") == "active"
