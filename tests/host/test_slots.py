"""Slots at start and while running."""

from __future__ import annotations

import anyio
import pytest

from gatehook import GatehookError
from gatehook import NotConnected
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from tests.host.plugin_kit import MEMORY
from tests.host.plugin_kit import MEMORY_KIND
from tests.host.plugin_kit import codes
from tests.host.plugin_kit import host_of
from tests.host.plugin_kit import lines
from tests.host.plugin_kit import recording
from tests.host.plugin_kit import state_of
from tests.host.plugin_kit import write_plugin
from tests.host.scripted import until

pytestmark = pytest.mark.anyio
EVERYTHING = Query(namespaces=(NamespaceSelector.everything(),))
SCHEMA = {"type": "object", "properties": {"name": {"type": "string", "default": "plain"}}}

LIFE = """
    async def __aenter__(self):
        record(f"{self.context.entry_id} enter {self.context.config.get('name')}")
        return self

    async def __aexit__(self, *error):
        record(f"{self.context.entry_id} exit")

    async def upsert("""
BROKEN = MEMORY.replace(
    "    async def upsert(",
    "    async def __aenter__(self):\n        raise RuntimeError('no')\n\n    async def upsert(",
)
SLOW = MEMORY.replace(
    "    async def search(self, query):",
    "    async def search(self, query):\n        import anyio\n        await anyio.sleep(0.1)",
)


def memory(tmp_path, plugin_id, source=MEMORY):
    source = "record('import " + plugin_id + "')\n" + source.replace("\n    async def upsert(", LIFE, 1)
    return write_plugin(
        tmp_path, plugin_id, recording(tmp_path / "log", source), kinds=(MEMORY_KIND,), configSchema=SCHEMA
    )


async def who(host):
    return (await host.memory().search(EVERYTHING)).degraded[0]


async def test_regression_05_a_slot_loser_is_never_imported(tmp_path):
    plugins = memory(tmp_path, "winner"), memory(tmp_path, "loser")
    async with host_of(tmp_path, *plugins, slots={"memory": "winner"}) as host:
        assert await who(host) == "winner"
        assert state_of(host, "loser") == "idle"
        assert host.health().status == "ok"
    assert lines(tmp_path / "log") == ["import winner", "winner enter plain", "winner exit"]


async def test_regression_06_a_disabled_slot_owner_is_not_imported(tmp_path):
    entries = {"winner": {"enabled": False}}
    async with host_of(tmp_path, memory(tmp_path, "winner"), slots={"memory": "winner"}, entries=entries) as host:
        assert host.slot("memory") is None
        assert "slots.down" in codes(host)
        with pytest.raises(NotConnected, match="empty"):
            await who(host)
    assert lines(tmp_path / "log") == []


async def test_regression_07_a_to_b_to_a_keeps_each_ones_configuration(tmp_path):
    entries = {"one": {"config": {"name": "first"}}, "two": {"config": {"name": "second"}}}
    plugins = memory(tmp_path, "one"), memory(tmp_path, "two")
    async with host_of(tmp_path, *plugins, slots={"memory": "one"}, entries=entries) as host:
        handle = host.memory()
        for entry in ("two", "one"):
            await host.use_slot("memory", entry)
            assert host.slot("memory") == entry
            assert (await handle.search(EVERYTHING)).degraded == (entry,)
        assert (state_of(host, "one"), state_of(host, "two")) == ("active", "stopped")
    assert lines(tmp_path / "log") == [
        "import one",
        "one enter first",
        "import two",
        "two enter second",
        "one exit",
        "one enter first",
        "two exit",
        "one exit",
    ]


async def test_a_new_one_that_does_not_start_changes_nothing(tmp_path):
    good, bad = memory(tmp_path, "good"), write_plugin(tmp_path, "bad", BROKEN, kinds=(MEMORY_KIND,))
    async with host_of(tmp_path, good, bad, slots={"memory": "good"}) as host:
        with pytest.raises(GatehookError, match=r"host\.slot-switch-failed"):
            await host.use_slot("memory", "bad")
        assert host.slot("memory") == "good"
        assert await who(host) == "good"
        assert state_of(host, "bad") == "stopped"


@pytest.mark.parametrize("entry", ["godo", "quotes"])
async def test_an_entry_that_cannot_fill_the_slot(tmp_path, entry):
    plugins = memory(tmp_path, "good"), write_plugin(tmp_path, "quotes")
    async with host_of(tmp_path, *plugins, slots={"memory": "good"}) as host:
        with pytest.raises(GatehookError, match="no entry that could fill it"):
            await host.use_slot("memory", entry)
        with pytest.raises(GatehookError, match=r"slots\.unknown-slot"):
            await host.use_slot("memroy", "good")


async def test_a_slot_can_be_emptied_and_filled_again(tmp_path):
    async with host_of(tmp_path, memory(tmp_path, "good"), slots={"memory": "good"}) as host:
        await host.use_slot("memory", "none")
        with pytest.raises(NotConnected, match="empty"):
            await who(host)
        await host.use_slot("memory", "good")
        assert await who(host) == "good"


async def test_a_winner_that_fails_leaves_the_slot_loudly_down(tmp_path):
    bad, spare = write_plugin(tmp_path, "bad", BROKEN, kinds=(MEMORY_KIND,)), memory(tmp_path, "spare")
    async with host_of(tmp_path, bad, spare, slots={"memory": "bad"}) as host:
        assert "slots.down" in codes(host)
        assert any("slot memory is down" in reason for reason in host.health().reasons)
        with pytest.raises(NotConnected):
            await who(host)
    assert lines(tmp_path / "log") == []


async def test_a_list_is_the_order_of_fall_back_at_start_only(tmp_path):
    bad, spare = write_plugin(tmp_path, "bad", BROKEN, kinds=(MEMORY_KIND,)), memory(tmp_path, "spare")
    async with host_of(tmp_path, bad, spare, slots={"memory": ["bad", "spare"]}) as host:
        assert host.slot("memory") == "spare"
        assert "slots.fallback" in codes(host)
        assert await who(host) == "spare"
        assert state_of(host, "bad") == "stopped"


async def test_calls_in_flight_on_the_old_one_finish(tmp_path):
    plugins = write_plugin(tmp_path, "slow", SLOW, kinds=(MEMORY_KIND,)), memory(tmp_path, "fast")
    found = []
    async with host_of(tmp_path, *plugins, slots={"memory": "slow"}) as host:

        async def search():
            found.append(await who(host))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(search)
            await anyio.lowlevel.checkpoint()
            await host.use_slot("memory", "fast")
        assert found == ["slow"]
        await until(host, "slow", "stopped")


async def test_a_holder_that_fails_while_running_takes_the_slot_down_and_nothing_takes_its_place(tmp_path):
    crashing = MEMORY.replace(
        "    async def upsert(",
        "    async def __aenter__(self):\n        if (self.context.data_dir / 'crash').exists():\n"
        "            raise RuntimeError('crash')\n        return self\n\n    async def upsert(",
    )
    plugins = write_plugin(tmp_path, "weak", crashing, kinds=(MEMORY_KIND,)), memory(tmp_path, "spare")
    async with host_of(tmp_path, *plugins, slots={"memory": ["weak", "spare"]}) as host:
        assert "slots.down" not in codes(host)
        (tmp_path / "data" / "entries" / "weak" / "crash").write_text("")
        await host.restart("weak")
        assert "slots.down" in codes(host)
        assert host.slot("memory") == "weak"
        await until(host, "weak", "quarantined")
        with pytest.raises(NotConnected, match="quarantined"):
            await who(host)
        assert state_of(host, "spare") == "idle"


async def test_a_loser_can_not_be_restarted_into_running(tmp_path):
    plugins = memory(tmp_path, "winner"), memory(tmp_path, "loser")
    async with host_of(tmp_path, *plugins, slots={"memory": "winner"}) as host:
        assert (await host.restart("loser")).state == "idle"


async def test_switches_at_once_follow_each_other(tmp_path):
    plugins = [memory(tmp_path, name) for name in ("one", "two", "three")]
    async with host_of(tmp_path, *plugins, slots={"memory": "one"}) as host:
        async with anyio.create_task_group() as tasks:
            for name in ("two", "three"):
                tasks.start_soon(host.use_slot, "memory", name)
        holder = host.slot("memory")
        assert await who(host) == holder
        assert [state_of(host, name) for name in ("one", "two", "three") if name != holder] == ["stopped", "stopped"]


async def test_a_memory_runs_beside_the_slots_holder_for_as_long_as_it_is_wanted(tmp_path):
    plugins = memory(tmp_path, "first"), memory(tmp_path, "second")
    async with host_of(tmp_path, *plugins, slots={"memory": "first"}) as host:
        async with host.memory_beside("second") as beside, host.memory_beside("first") as holder:
            assert [(await one.search(EVERYTHING)).degraded[0] for one in (beside, holder)] == ["second", "first"]
            assert await who(host) == "first"
        assert state_of(host, "second") == "stopped"
        assert await who(host) == "first"
    assert lines(tmp_path / "log").count("first enter plain") == 1


async def test_the_slot_changes_hands_while_both_are_wanted(tmp_path):
    plugins = memory(tmp_path, "first"), memory(tmp_path, "second")
    async with host_of(tmp_path, *plugins, slots={"memory": "first"}) as host:
        async with host.memory_beside("second"), host.memory_beside("first") as old:
            await host.use_slot("memory", "second")
            assert (await old.search(EVERYTHING)).degraded[0] == "first"
            assert await who(host) == "second"
        assert state_of(host, "first") == "stopped"
        assert await who(host) == "second"
    assert lines(tmp_path / "log").count("second enter plain") == 1


async def test_what_cannot_run_beside_changes_nothing(tmp_path):
    good, bad = memory(tmp_path, "first"), write_plugin(tmp_path, "second", BROKEN, kinds=(MEMORY_KIND,))
    async with host_of(tmp_path, good, bad, slots={"memory": "first"}) as host:
        for entry in ("second", "gone"):
            with pytest.raises(GatehookError, match=r"host\.slot-switch-failed"):
                async with host.memory_beside(entry):
                    pytest.fail("it does not run")
        assert await who(host) == "first"
