"""What the desk needs of a running broker entry; the host provides it."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Protocol
from typing import TypeVar

from gatehook.kinds.broker import Broker
from gatehook.kinds.broker import BrokerEvent
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.streams import Items

T = TypeVar("T")


class CallKind(StrEnum):
    """What a call is for; each kind has its own breaker. ``reduce`` always gets through: what reduces risk, and the
    questions whose answers are evidence (reconciliation).
    """

    READ = "read"
    SUBMIT = "submit"
    REDUCE = "reduce"


class BrokerAccess(Protocol):
    """One generation of one broker entry: its provider, and the guard around every call to it."""

    @property
    def entry_id(self) -> str:
        """The entry's id."""

    @property
    def provider(self) -> Broker:
        """The provider; only the desk calls it."""

    @property
    def capabilities(self) -> BrokerCapabilities:
        """What it declares and really does."""

    @property
    def allowed_accounts(self) -> frozenset[str] | None:
        """The account ids it may use; ``None``: all may be read, and only proven paper accounts traded."""

    @property
    def reconcile_every(self) -> float:
        """How often its accounts are compared with the venue, in seconds."""

    @property
    def timeout(self) -> float:
        """The deadline of one call, in seconds."""

    def events(self, after: str | None) -> AbstractAsyncContextManager[Items[BrokerEvent]]:
        """Open the provider's events from a cursor on; opening waits for the budget, what comes does not.

        Raises:
            Throttled: on entering, when the budget has no room in time.
        """

    async def call(
        self, kind: CallKind, what: str, function: Callable[[], Awaitable[T]], timeout: float | None = None
    ) -> T:
        """Await ``function()`` under the entry's deadline and breaker, once its budget of requests has room.

        Raises:
            Throttled: when the budget has no room in time; ``function`` was not called.
            NotConnected: when the entry is down or its breaker is open; ``function`` was not called.
            TimeoutError: when the deadline passed; whether anything was sent is not known.
            Exception: whatever ``function`` raised, as it was.
        """
