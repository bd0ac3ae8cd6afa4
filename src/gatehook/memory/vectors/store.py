"""What keeps vectors: the same few calls, whatever the database, so that there is one worker that fills them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from typing import Protocol

import attrs

from gatehook.kinds.times import Ns

#: A space is filled for the first time: what it holds is not searched yet.
BUILDING: Final = "building"
#: A space is searched.
ACTIVE: Final = "active"
#: A text that was refused so often is not asked for again.
ATTEMPTS: Final = 5


@attrs.frozen
class Space:
    """One embedder's vectors. ``served`` is what its service called itself, ``""`` before it answered."""

    id: int
    dims: int
    served: str
    state: str

    @property
    def active(self) -> bool:
        """Whether it is searched."""
        return self.state == ACTIVE


@attrs.frozen
class Filling:
    """How full a space is. ``refused`` texts have failed ``ATTEMPTS`` times and wait no longer."""

    vectors: int = 0
    waiting: int = 0
    refused: int = 0


@attrs.frozen
class Job:
    """A text that waits. ``digest`` tells whether the document is still what was read."""

    rid: int
    digest: str
    text: str


class VectorStore(Protocol):
    """Spaces, vectors and the queue of one memory; a space is named by its number.

    Every call may raise ``Closed``, when the memory is, and ``StorageUnavailable``, when it may work later.
    """

    async def reread(self, space: Space) -> Space:
        """Return a space as it is now: another process may have changed it."""

    async def filling(self, space: int) -> Filling:
        """Count vectors and what waits."""

    async def take(self, space: int, now: Ns, most: int) -> list[Job]:
        """Return what waits and may be asked for now, the newest rows first; nobody else gets it for a while."""

    async def waits_until(self, space: int, now: Ns) -> Ns | None:
        """Return when the queue should be looked at again, ``None`` when nothing will be in it but what is written
        through this memory.
        """

    async def answer(self, space: int, done: Sequence[tuple[Job, bytes | None]]) -> None:
        """Write vectors (f16), and take their texts off the queue; ``None`` is a text that needs none.

        A document that changed since it was read keeps its place in the queue: its vector would be of another text.
        """

    async def refuse(self, space: int, jobs: Sequence[Job], not_before: Ns) -> None:
        """Count an attempt that failed because of these texts."""

    async def note_served(self, space: int, served: str) -> None:
        """Remember what the service called itself, where nothing is remembered yet."""

    async def complete(self, space: Space) -> Space:
        """Let a space be searched if nothing waits for a vector in it any more; return it as it is then."""

    async def tend(self, space: Space) -> bool:
        """Do a piece of what keeps a complete space fast and others out of the way; return whether there is more."""

    async def requeue(self, space: int) -> int:
        """Drop a space's vectors and queue every text again, refused ones too; return how many there are.

        The space is not searched until it is complete.
        """

    async def release(self, space: int) -> None:
        """Give back what was taken and not answered."""
