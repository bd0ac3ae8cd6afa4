"""What the venue says by itself: its events are applied to the journal in order, and what was missed is read again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Final

import anyio

from gatehook.diagnostics.codes.orders import EVENTS_LOST
from gatehook.kinds.broker import BrokerEvent
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.streams import Gap
from gatehook.kinds.streams import Items
from gatehook.kinds.streams import Reconnected
from gatehook.kinds.streams import StreamControl
from gatehook.orders.applying import apply
from gatehook.orders.applying import named
from gatehook.orders.entry import Entry
from gatehook.orders.resolving import resolve_doubts
from gatehook.orders.rounds import Rounds

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk

#: Seconds before a stream that ended is opened again, doubled up to the second figure.
_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 60.0
#: Seconds between two looks at a venue that reports nothing by itself.
_POLL: Final = 5.0


async def watch(desk: Desk, entry: Entry) -> None:
    """Run an entry's loops until cancelled: its events, the look-up of what is not known, and its reconciliation."""
    failure: Exception | None = None
    rounds = desk.reconciliations.begin(entry)
    has_events = entry.access.capabilities.events
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(resolve_doubts, desk, entry)
        tasks.start_soon(lambda: rounds.run(at_once=not has_events))
        try:
            await (_follow(desk, entry, rounds) if has_events else _poll(rounds))
        except Exception as error:  # noqa: BLE001  raised again below, where no task group wraps it
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _poll(rounds: Rounds) -> None:
    while True:
        await anyio.sleep(_POLL)
        await rounds.glance()


async def _follow(desk: Desk, entry: Entry, rounds: Rounds) -> None:
    """Keep the stream of events open. It is opened before the snapshot is taken, and what it brings waits until then:
    nothing falls between the two.
    """
    pause = _PAUSE
    cursor = await desk.journal.cursor(entry.entry_id)
    while True:
        problem = "the stream ended"
        try:
            async with entry.access.events(cursor) as items:
                await rounds.snapshot_taken()
                pause = _PAUSE
                await _read(desk, entry, rounds, items)
        except CursorExpired as error:
            cursor, problem = None, named(error)
        except (ProviderError, TimeoutError) as error:
            cursor, problem = await desk.journal.cursor(entry.entry_id), named(error)
        _lost(desk, entry, problem)
        await anyio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _lost(desk: Desk, entry: Entry, problem: str) -> None:
    """Say that the events stopped, unless that is because the entry is being stopped."""
    if not entry.stopped:
        desk.report(EVENTS_LOST(entry=entry.entry_id, problem=problem))


async def _read(desk: Desk, entry: Entry, rounds: Rounds, items: Items[BrokerEvent]) -> None:
    """Apply what waits together: the more there is, the fewer commits it takes."""
    while batch := await items.batch():
        events: list[BrokerEvent] = []
        for item in batch:
            if isinstance(item, (Gap, Reconnected)):
                await apply(desk, entry, events)
                await rounds.snapshot_taken()
                events = []
            elif not isinstance(item, StreamControl):
                events.append(item)
        await apply(desk, entry, events, items.cursor)
