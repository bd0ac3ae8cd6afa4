"""Conversations in the memory: every turn behind the one before it, whoever publishes it."""

from __future__ import annotations

import anyio
import attrs
import pytest

from gatehook import Ambiguous
from gatehook import Channel
from gatehook import ChatMessage
from gatehook import hookimpl
from gatehook.gateway import inbox
from gatehook.kinds.chat import CHAT_MESSAGE
from gatehook.kinds.codec import to_json
from gatehook.kinds.filters import Eq
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.kinds.times import SECOND
from gatehook.memory.recalled import mark_recalled
from gatehook.memory.sqlite.backend import SqliteMemory
from gatehook.secrets import Secret
from tests.orders.conftest import eventually

pytestmark = pytest.mark.anyio

T0 = 1_700_000_000 * SECOND
ABOUT = {"id": "talk", "name": "Talk", "version": "1.0.0", "kinds": ["channel.ui"], "configSchema": {"type": "object"}}
ABOUT |= {"entry": {"type": "python.module", "module": "talk.py"}}


def said(message_id, text, *, at=0, conversation="desk", author="ann"):
    return ChatMessage(message_id=message_id, conversation=conversation, author=author, text=text, ts=T0 + at * SECOND)


class Talk(Channel):
    """A channel that says good morning when it starts, and then what the test lets it say."""

    def __init__(self, plugin, context):
        self.plugin, self.context = plugin, context

    async def __aenter__(self):
        for message in self.plugin.first:
            self.say(message)
        return self

    def say(self, message, **more):
        self.context.events.publish(CHAT_MESSAGE, message, **more)

    async def run(self, gateway):
        """Nothing is served."""

    async def send(self, message):
        raise NotImplementedError


class TalkPlugin:
    def __init__(self):
        self.first = []
        self.channel = None

    @hookimpl
    def provide_channel(self, context):
        self.channel = Talk(self, context)
        return self.channel


@pytest.fixture
def plugin():
    return TalkPlugin()


@pytest.fixture
def talking(gateway, plugin, tmp_path):
    """Run a gateway with the channel and two memories."""

    def running(slot="a"):
        entries = {name: {"plugin": "sqlite_fts", "config": {"path": str(tmp_path / name)}} for name in ("a", "b")}
        return gateway({"plugins": {"slots": {"memory": slot}, "entries": entries}}, plugins=[(ABOUT, plugin)])

    return running


async def there(running, text="", **more):
    await running.remember_everything()
    query = Query(text=text, namespaces=(NamespaceSelector(namespace=("chat",)),), limit=100, **more)
    return {hit.stored.doc.id: hit.stored for hit in (await running.host.memory().search(query)).hits}


async def chain(running):
    return {name: stored.doc.prev_id for name, stored in (await there(running)).items()}


def codes(running):
    return [one.code for one in running.host.diagnostics if one.code.startswith("chat.")]


async def test_a_turn_of_a_channel_is_a_document_of_its_conversation(talking, plugin):
    plugin.first = [said("0", "good morning")]
    async with talking() as running:
        plugin.channel.say(said("1", "stops below the swing low", at=1, author="bob"), symbol="EURUSD")
        found = await there(running)
        assert set(found) == {"0", "1"}
        doc = found["1"].doc
        assert (doc.namespace, doc.kind, doc.ts) == (("chat", "talk", "desk"), "chat", T0 + SECOND)
        assert dict(doc.meta) == {"author": "bob", "source": "talk", "symbol": "EURUSD"}
        assert doc.available_at <= running.host.clock.now()
        assert set(await there(running, filter=Eq("meta.author", "bob"))) == {"1"}


async def test_a_turn_follows_the_one_before_it_and_is_found_by_its_words(talking, plugin):
    async with talking() as running:
        for n, text in enumerate(("what about gold", "sell it", "all of it")):
            plugin.channel.say(said(str(n), text, at=n))
            plugin.channel.say(said(str(n), "elsewhere", at=n, conversation="other"))
        assert await chain(running) == {"0": None, "1": "0", "2": "1"}
        assert "1" in await there(running, "gold")


async def test_the_turn_before_is_known_after_a_restart_and_in_another_memory(talking, plugin):
    async with talking() as running:
        plugin.channel.say(said("0", "one"))
        await running.remember_everything()
        await running.host.use_slot("memory", "b")
        plugin.channel.say(said("1", "two", at=1))
        assert await chain(running) == {"1": None}
        await running.host.use_slot("memory", "a")
        plugin.channel.say(said("2", "three", at=2))
        assert await chain(running) == {"0": None, "2": "0"}
    async with talking() as running:
        plugin.channel.say(said("3", "four", at=3))
        assert await chain(running) == {"0": None, "2": "0", "3": "2"}


async def test_the_same_turn_again_changes_nothing_and_a_correction_keeps_its_place(talking, plugin):
    async with talking() as running:
        for message in (
            said("0", "buy"),
            said("1", "when", at=1),
            said("0", "buy"),
            said("0", "sell"),
            said("2", "so"),
        ):
            plugin.channel.say(message)
        assert await chain(running) == {"0": None, "1": "0", "2": "1"}
        found = await there(running)
        assert (found["0"].doc.text, found["0"].revision, found["1"].revision) == ("sell", 2, 1)


async def test_a_program_or_a_process_of_its_own_may_say_it_as_json(talking):
    async with talking() as running:
        running.host.bus.publish(CHAT_MESSAGE, to_json(said("0", "hello")), source="desk-app")
        assert (await there(running))["0"].doc.namespace == ("chat", "desk-app", "desk")


async def test_what_was_recalled_is_not_remembered_again_and_secrets_are_masked(talking, plugin):
    async with talking() as running:
        running.host.redactor.add(Secret("hunter2hunter2"))
        plugin.channel.say(said("0", "the swing low; the password is hunter2hunter2"))
        await running.remember_everything()
        query = Query(text="swing", namespaces=(NamespaceSelector.everything(),))
        (hit,) = (await running.host.memory().search(query)).hits
        assert "hunter2" not in hit.stored.doc.text
        plugin.channel.say(said("1", mark_recalled(hit), at=1))
        plugin.channel.say(said("2", f"you said:\n{mark_recalled(hit)}and I agree", at=2))
        found = await there(running)
        assert found["2"].doc.text == "you said:\nand I agree"
        assert await chain(running) == {"0": None, "2": "0"}


BAD = [
    ({"text": "JSON of something else"}, {}),
    (said("x" * 1001, "a name that is too long"), {}),
    (said("0", "a conversation that is no text", conversation="c\ud800"), {}),
    (said("0\ud800", "a name that is no text"), {}),
    (attrs.evolve(said("0", "a time beyond all"), ts=10**40), {}),
    (said("0", "an event's time that is none"), {"ts": "now"}),
    (said("0", "more than a memory takes" * 50_000), {}),
]


async def test_what_is_no_turn_is_said_and_holds_nobody_up(talking, plugin):
    async with talking() as running:
        for message, more in BAD:
            plugin.channel.say(message, **more)
        plugin.channel.say(said("1", "fine"))
        assert await chain(running) == {"1": None}
        assert set(codes(running)) == {"chat.bad-message"}


async def test_a_publisher_without_a_name_is_no_source(talking):
    async with talking() as running:
        running.host.bus.publish(CHAT_MESSAGE, said("0", "hello"), source="")
        assert await there(running) == {}
        assert codes(running) == ["chat.bad-message"]


@pytest.mark.parametrize(
    "fault", [{"message_id": ""}, {"message_id": 7}, {"conversation": ""}, {"author": ""}, {"text": None}, {"ts": 1.5}]
)
def test_a_turn_with_a_fault_cannot_be_made(fault):
    given = {"message_id": "1", "conversation": "c", "author": "a", "text": "", "ts": 1, **fault}
    with pytest.raises((TypeError, ValueError), match=next(iter(fault))):
        ChatMessage(**given)


async def test_turns_wait_while_the_memory_does_not_work_and_the_stop_waits_for_them(talking, plugin, memory_works):
    async with talking() as running:
        for n in range(3):
            plugin.channel.say(said(str(n), "patience", at=n))
        await eventually(lambda: codes(running) == ["chat.not-remembered"], 20.0)
        memory_works.set()
    async with talking() as running:
        assert await chain(running) == {"0": None, "1": "0", "2": "1"}


async def test_a_turn_whose_write_got_no_answer_is_still_the_one_before_the_next(talking, plugin, monkeypatch):
    wrote, lost = SqliteMemory.upsert, [False, True]

    async def upsert(memory, docs, **more):
        report = await wrote(memory, docs, **more)
        if lost and lost.pop(0):
            raise Ambiguous("no answer")
        return report

    monkeypatch.setattr(SqliteMemory, "upsert", upsert)
    async with talking() as running:
        for n in range(3):
            plugin.channel.say(said(str(n), "and then", at=n))
            await running.remember_everything()
        assert await chain(running) == {"0": None, "1": "0", "2": "1"}


async def test_more_than_can_wait_is_lost_and_said(talking, plugin, monkeypatch):
    monkeypatch.setattr(inbox, "LIMIT", 2)
    async with talking() as running:
        for n in range(4):
            plugin.channel.say(said(str(n), "hurry", at=n))
        assert set(await there(running)) == {"0", "1"}
        assert codes(running) == ["chat.lost"]


async def test_without_a_memory_nothing_is_kept(talking, plugin):
    async with talking(slot="none") as running:
        plugin.channel.say(said("0", "unheard"))
        await running.remember_everything()
        await running.host.use_slot("memory", "a")
        plugin.channel.say(said("1", "heard"))
        assert set(await there(running)) == {"1"}


async def test_while_the_slot_changes_hands_every_turn_comes_into_one_memory(talking, plugin):
    found = []
    async with talking() as running:
        number = 0
        for slot in ("b", "a", "b"):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(running.host.use_slot, "memory", slot)
                while running.host.slot("memory") != slot:
                    plugin.channel.say(said(str(number), "on and on", at=number))
                    number += 1
                    await anyio.sleep(0.001)
        await running.remember_everything()
        for slot in ("a", "b"):
            async with running.host.memory_beside(slot) as memory:
                found.append({one.doc.id async for one in memory.scan(NamespaceSelector(namespace=("chat",)))})
        assert codes(running) == []
    assert found[0] | found[1] == {str(one) for one in range(number)}
    assert not found[0] & found[1]
