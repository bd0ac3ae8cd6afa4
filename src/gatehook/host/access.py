"""The guard between the desk and a broker: a deadline, and a breaker each for reading, submitting and reducing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from collections.abc import Awaitable
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio

from gatehook.host.breaker import Breaker
from gatehook.host.calls import is_ours
from gatehook.host.port import Port
from gatehook.kinds.broker import Broker
from gatehook.kinds.broker import BrokerEvent
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.streams import Items
from gatehook.orders.access import CallKind

T = TypeVar("T")


class GuardedBroker:
    """One generation of one broker entry, as the desk needs it (``gatehook.orders.access.BrokerAccess``)."""

    def __init__(
        self,
        port: Port,
        provider: Broker,
        allowed_accounts: frozenset[str] | None,
        now: Callable[[], float],
        *,
        reconcile_every: float,
    ) -> None:
        self.entry_id = port.owner.entry_id
        self.provider = provider
        self.capabilities: BrokerCapabilities = port.capabilities
        self.allowed_accounts = allowed_accounts
        self.reconcile_every = reconcile_every
        self._port = port
        self.timeout = port.timeout
        self._breakers = {kind: Breaker(now) for kind in CallKind}
        port.breakers = {f"{kind} calls": breaker for kind, breaker in self._breakers.items()}

    @asynccontextmanager
    async def events(self, after: str | None) -> AsyncIterator[Items[BrokerEvent]]:
        """Open the provider's events from a cursor on; opening waits for the credential's budget, what comes does not.

        Raises:
            Throttled: when the budget has no room in time; nothing was opened.
        """
        await self._port.admitted(CallKind.REDUCE)
        async with self.provider.events(after=after) as items:
            with self._port.followed(items):
                yield items

    async def call(
        self, kind: CallKind, what: str, function: Callable[[], Awaitable[T]], timeout: float | None = None
    ) -> T:
        """Await ``function()`` under the entry's deadline and breaker. What reduces risk passes an open breaker.

        It waits for the credential's budget first, at most as long as for ``function()`` itself.

        Raises:
            Throttled: when the budget has no room in time; ``function`` was not called.
            NotConnected: when the entry is down or its breaker is open; ``function`` was not called.
            TimeoutError: when the deadline passed; whether anything was sent is not known.
            Exception: whatever ``function`` raised, as it was; ``SystemExit`` and the like as a ``ProviderError``.
        """
        if self._port.provider is not self.provider:
            raise NotConnected(f"{self.entry_id} is {self._port.owner.why_down()}")
        breaker = self._breakers[kind]
        if kind is not CallKind.REDUCE and not breaker.admits():
            raise self._port.refusal(breaker)
        rates, limit = self._port.rates, self.timeout if timeout is None else timeout
        if rates.gated:
            await rates.acquire(kind, limit, self._port)
        self._port.enter()
        try:
            with anyio.fail_after(limit):
                result = await function()
        except BaseException as error:
            if not is_ours(error):
                self._port.judge(error, what, breaker)
                if not isinstance(error, Exception):
                    raise self._port.wrapped(error, what) from error
            raise
        finally:
            self._port.leave()
        breaker.succeeded()
        if rates.refusals:
            rates.passed()
        return result
