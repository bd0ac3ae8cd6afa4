"""Moving a memory's documents to another: resumable at any moment, and compared at the end.

First a copy in the order of (namespace, id), whose position is kept in a file. Then rounds that compare every document
on both sides and mend what differs: what was written, changed or deleted meanwhile. A round that has nothing to mend
ends the move with its report.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

from gatehook.kinds.memory import Progress
from gatehook.kinds.times import Ns
from gatehook.memory.lines import portable
from gatehook.memory.moves import MoveState
from gatehook.memory.moves import MoveStateFile
from gatehook.memory.parity import ParityReport
from gatehook.memory.parity import Tally
from gatehook.memory.ranking import position
from gatehook.memory.rounds import Round
from gatehook.memory.rounds import batches
from gatehook.memory.writing import Movable
from gatehook.memory.writing import write

#: A source that is written to all the time is caught up with so often; each round takes less time than the one before.
_ROUNDS: Final = 5

Step = Progress | ParityReport


async def migrate(
    source: Movable, target: Movable, state: MoveStateFile, *, is_serving: Callable[[], bool]
) -> AsyncGenerator[Step, None]:
    """Move everything; yields progress, and the report at the end. Stopped anywhere, the same call goes on from there.

    What the target had before is kept, and counted as extra; a document that the source has too becomes as it is
    there. ``is_serving`` says whether others write to the target by now: then what is newer there stays, and nothing
    is deleted. Revisions before the current one stay behind.
    """
    found = await state.read()
    untouched = found is None and await _is_empty(target)
    total = (await source.stats()).documents
    if found is None or not found.copied_all:
        async with aclosing(_copy(source, target, found or MoveState(), state, is_serving)) as copying:
            async for copied in copying:
                yield Progress(done=copied, total=max(total, copied))
    for _ in range(_ROUNDS):
        tally = Tally()
        last = Round(source, target, tally, is_serving=is_serving, untouched=untouched)
        async with aclosing(last.run()) as compared:
            async for done in compared:
                yield Progress(done=done, total=max(total, done), what="documents compared")
        if not last.mended:
            break
    await state.remove()
    yield await tally.report(source, target, extra=last.extra, extra_examples=last.extra_examples)


async def follow(source: Movable, target: Movable, since: Ns) -> int:
    """Bring over what the source got until the target took its slot; return how many documents.

    ``since`` is when the last round of the move began. What is newer in the target stays.
    """
    late = Round(source, target, Tally(), is_serving=lambda: True, untouched=False, since=since)
    async with aclosing(late.compare()) as compared:
        async for _ in compared:
            pass
    return late.mended


async def _is_empty(memory: Movable) -> bool:
    async with aclosing(batches(memory, None)) as found:
        async for _ in found:
            return False
    return True


async def _copy(
    source: Movable, target: Movable, found: MoveState, state: MoveStateFile, is_serving: Callable[[], bool]
) -> AsyncGenerator[int, None]:
    copied = found.copied
    await state.write(found)
    async with aclosing(batches(source, found.position)) as read:
        async for batch in read:
            if not is_serving():  # else the rounds decide document by document
                await write(target, [portable(stored) for stored in batch])
            copied += len(batch)
            await state.write(MoveState(position=position(batch[-1].doc), copied=copied))
            yield copied
    await state.write(MoveState(copied=copied, copied_all=True))
