"""Commands under way: one id is one command, however many tasks ask for it, and it outlives the task that asked."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from typing import Any
from typing import TypeVar
from typing import cast

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import Closed
from gatehook.kinds.errors import DuplicateClientOrderId

T = TypeVar("T")


class _Flight:
    """One command under way, and how many tasks wait for it."""

    def __init__(self, digest: str) -> None:
        self.digest = digest
        self.waiting = 1
        self.done = anyio.Event()
        self.begun = False
        self.abandoned = False
        self.value: Any = None
        self.error: BaseException | None = None


class Flights:
    """The commands under way of all entries, run in the desk's task group."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}
        self._tasks: TaskGroup | None = None

    def open(self, tasks: TaskGroup) -> None:
        """Run commands in this group from now on."""
        self._tasks = tasks

    def close(self) -> None:
        """Take no more commands."""
        self._tasks = None

    def has(self, key: str) -> bool:
        """Say whether something runs under a key."""
        return key in self._flights

    async def run(self, key: str, digest: str, work: Callable[[], Awaitable[T]]) -> T:
        """Run ``work``, or wait for what runs under the same key with the same digest; return or raise its outcome.

        A caller that is cancelled only stops waiting. Work that has not begun when its last caller left is not begun.

        Raises:
            DuplicateClientOrderId: when something of another digest runs under the key.
            Closed: when the desk is closed.
        """
        while (flight := self._flights.get(key)) is not None:
            if flight.digest != digest:
                raise DuplicateClientOrderId(f"{key} is being sent with other content")
            flight.waiting += 1
            await self._wait(key, flight)
            if not flight.abandoned:
                return cast("T", _outcome(flight))
        if self._tasks is None:
            raise Closed("the desk is closed; nothing was sent")
        await anyio.lowlevel.checkpoint_if_cancelled()
        flight = self._flights[key] = _Flight(digest)
        self._tasks.start_soon(self._fly, key, flight, work)
        await self._wait(key, flight)
        return cast("T", _outcome(flight))

    async def _fly(self, key: str, flight: _Flight, work: Callable[[], Awaitable[Any]]) -> None:
        if flight.abandoned:
            return
        flight.begun = True
        try:
            flight.value = await work()
        except Exception as error:  # noqa: BLE001  it belongs to those who wait
            flight.error = error
        except BaseException:
            flight.error = Ambiguous("the desk was closed while this was under way; the journal knows its state")
            raise
        finally:
            del self._flights[key]
            flight.done.set()

    async def _wait(self, key: str, flight: _Flight) -> None:
        try:
            await flight.done.wait()
        finally:
            flight.waiting -= 1
            if not (flight.waiting or flight.begun):
                flight.abandoned = True
                del self._flights[key]
                flight.done.set()


def _outcome(flight: _Flight) -> Any:
    if flight.error is not None:
        raise flight.error
    return flight.value
