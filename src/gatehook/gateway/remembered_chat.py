"""Turns of conversations in the memory: each behind the one before it, so that it is found by its neighbours' words."""

from __future__ import annotations

from collections import OrderedDict
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import attrs

from gatehook.diagnostics.codes import chat as codes
from gatehook.events import FeedEvent
from gatehook.gateway.batches import as_first_known
from gatehook.gateway.batches import batches
from gatehook.gateway.batches import there
from gatehook.gateway.inbox import LIMIT
from gatehook.gateway.inbox import Inbox
from gatehook.gateway.payloads import payload_as
from gatehook.host import MemoryHandle
from gatehook.host import PluginHost
from gatehook.kinds.chat import CHAT_MESSAGE
from gatehook.kinds.chat import ChatMessage
from gatehook.kinds.memory import MemoryDoc
from gatehook.kinds.memory import Namespace
from gatehook.kinds.memory import NamespaceSelector
from gatehook.kinds.memory import Query
from gatehook.memory.recalled import strip_recalled
from gatehook.memory.rules import fault_of

NAMESPACE: Final = "chat"
#: The last turns of so many conversations are known without asking the memory.
_KNOWN: Final = 1_000


class ChatRecorder:
    """Remembers what is published under ``chat.message``, whoever publishes it."""

    def __init__(self, host: PluginHost) -> None:
        """Take a host, entered or not: what its plugins say while they start is taken too."""
        self._host = host
        self._last: OrderedDict[tuple[str, Namespace], str | None] = OrderedDict()
        self._inbox = Inbox(
            host,
            takes=lambda event: event.topic == CHAT_MESSAGE,
            write=self._write,
            failed=lambda why: codes.NOT_REMEMBERED(why=why),
            lost=lambda: codes.LOST(limit=LIMIT),
        )

    async def run(self) -> None:
        """Remember what is said until cancelled."""
        await self._inbox.run()

    async def catch_up(self) -> bool:
        """Remember what was said until now; ``False`` when that does not work, which is reported."""
        return await self._inbox.catch_up()

    async def _write(self, entry_id: str, memory: MemoryHandle, events: Sequence[FeedEvent]) -> None:
        conversations: dict[Namespace, list[MemoryDoc]] = defaultdict(list)
        most = memory.capabilities.max_document_bytes
        for event in events:
            try:
                turn = self._turn(event)
                fault = fault_of(turn, most)
            except (ValueError, TypeError) as error:
                fault = str(error)
            if fault is not None:
                self._host.report(codes.BAD_MESSAGE(entry=event.source, why=fault))
            elif turn.text.strip():
                conversations[turn.namespace].append(turn)
        for namespace, turns in conversations.items():
            for batch in batches(turns, lambda turn: turn.id):
                await self._write_batch(entry_id, memory, namespace, batch)

    def _turn(self, event: FeedEvent) -> MemoryDoc:
        """Return what was said as a document; its text is empty where nothing of it was its author's own.

        Raises:
            ValueError, TypeError: it is no turn.
        """
        message = payload_as(ChatMessage, event.payload)
        meta = {"author": message.author, "source": event.source}
        return MemoryDoc(
            id=message.message_id,
            text=self._host.redactor.redact(strip_recalled(message.text)),
            namespace=(NAMESPACE, event.source, message.conversation),
            ts=message.ts,
            kind="chat",
            meta=meta if event.symbol is None else {**meta, "symbol": event.symbol},
            available_at=max(message.ts, event.ts),
        )

    async def _write_batch(
        self, entry_id: str, memory: MemoryHandle, namespace: Namespace, turns: dict[str, MemoryDoc]
    ) -> None:
        """Write turns of one conversation: a new one follows the one before it, a corrected one stays where it was."""
        known = await there(memory, namespace, turns)
        last = await self._last_of(entry_id, memory, namespace)
        placed = []
        for turn in turns.values():
            stored = known.get(turn.id)
            before = last if stored is None else stored.doc.prev_id
            placed.append(as_first_known(attrs.evolve(turn, prev_id=before), stored))
            last = turn.id if stored is None else last
        del self._last[entry_id, namespace]  # where this fails, the memory is asked what it has
        report = await memory.upsert(placed)
        self._keep(entry_id, namespace, last)
        for id_, why in report.rejected:
            self._host.report(codes.BAD_MESSAGE(entry=namespace[1], why=f"{id_!r:.100}: {why}"))

    async def _last_of(self, entry_id: str, memory: MemoryHandle, namespace: Namespace) -> str | None:
        if (entry_id, namespace) not in self._last:
            newest = Query(namespaces=(NamespaceSelector(namespace=namespace, exact=True),), limit=1)
            hits = (await memory.search(newest)).hits
            self._keep(entry_id, namespace, hits[0].stored.doc.id if hits else None)
        return self._last[entry_id, namespace]

    def _keep(self, entry_id: str, namespace: Namespace, last: str | None) -> None:
        self._last[entry_id, namespace] = last
        self._last.move_to_end((entry_id, namespace))
        if len(self._last) > _KNOWN:
            self._last.popitem(last=False)
