"""One budget of requests for everything that shares a credential: who goes first, how fast, and not before when.

A call takes a token; what reduces risk goes before orders, and orders before reads. A venue that refuses for too many
requests closes the budget for all who share it, until the time that it stated.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Final

import anyio
import attrs

from gatehook.host.pace import Pace
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.errors import Throttled
from gatehook.orders.access import CallKind

#: Seconds that the budget is closed where the venue states no time; doubled with each refusal that follows.
FIRST_CLOSURE: Final = 1.0
LONGEST_CLOSURE: Final = 60.0

#: Who goes first.
_ORDER: Final = (CallKind.REDUCE, CallKind.SUBMIT, CallKind.READ)
#: Whom a call that comes now waits for, by its own kind.
_AHEAD: Final = {kind: _ORDER[: place + 1] for place, kind in enumerate(_ORDER)}


@attrs.define(eq=False)
class _Waiter:
    kind: CallKind
    user: object
    woken: anyio.Event = attrs.field(factory=anyio.Event)
    expelled: bool = False


class RateBudget:
    """One budget. Those who use it ask ``gated`` first: while it is ``False`` every call may go.

    Attributes:
        gated: whether ``acquire`` has anything to decide: there is a pace, or the venue refused.
        refusals: how many refusals in a row closed it.
    """

    __slots__ = ("_level", "_now", "_pace", "_paces", "_queues", "_stamp", "_until", "gated", "refusals")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._paces: dict[str, Pace] = {}
        self._pace: Pace | None = None
        self._level = math.inf
        self._stamp = now()
        self._until = -math.inf
        self._queues: dict[CallKind, deque[_Waiter]] = {kind: deque() for kind in _ORDER}
        self.gated = False
        self.refusals = 0

    # --- the pace

    def allow(self, user: str, pace: Pace | None) -> None:
        """Set what one user declares; of all who declare something the slowest pace holds."""
        self._paces.pop(user, None)
        if pace is not None:
            self._paces[user] = pace
        found = min(self._paces.values(), key=lambda one: (one.per_minute, one.capacity), default=None)
        if found != self._pace:
            self._refill()
            self._pace = found
            self._wake()
        self._settle()

    def _refill(self) -> None:
        now, pace = self._now(), self._pace
        if pace is not None:
            self._level = min(pace.capacity, self._level + (now - self._stamp) * pace.per_second)
        self._stamp = now

    # --- the venue's word

    @property
    def rest(self) -> float:
        """Seconds until calls may go again; 0 while it is open."""
        return max(0.0, self._until - self._now())

    def refused(self, error: RateLimited) -> bool:
        """Close after a refusal of the venue; say whether it was open. Later times win, earlier ones change nothing."""
        opened = not self.rest
        if opened:
            self.refusals += 1
        stated = error.retry_after
        if not stated:
            stated = min(LONGEST_CLOSURE, FIRST_CLOSURE * 2.0 ** min(self.refusals - 1, 30))
        self._until = max(self._until, self._now() + stated)
        self.gated = True
        return opened

    def passed(self) -> None:
        """Take note of an answer: the run of refusals is over, unless it was given before the last one."""
        if not self.rest:
            self.refusals = 0
            self._settle()

    def _settle(self) -> None:
        self.gated = self._pace is not None or bool(self.refusals)

    def check_open(self) -> None:
        """Refuse while it is closed; takes no token.

        Raises:
            Throttled: saying until when.
        """
        if rest := self.rest:
            raise self._throttled(rest)

    # --- taking part

    async def acquire(self, kind: CallKind, timeout: float, user: object) -> None:
        """Wait for one token, at most ``timeout`` seconds; a cancelled wait takes none.

        Raises:
            Throttled: when none can be had in time, at once where that is known; ``retry_after`` says when.
            NotConnected: when ``expel`` was called for ``user`` meanwhile.
        """
        expected = self._expected(kind)
        if expected > timeout:
            raise self._throttled(expected)
        if expected > 0:
            await self._wait(_Waiter(kind, user), timeout)
        if self._pace is not None:
            self._level -= 1

    def expel(self, user: object) -> None:
        """Let all who wait for one user fail: nothing can be sent for it any more."""
        for queue in self._queues.values():
            for waiter in queue:
                if waiter.user is user:
                    waiter.expelled = True
                    waiter.woken.set()

    async def _wait(self, waiter: _Waiter, timeout: float) -> None:
        queue = self._queues[waiter.kind]
        queue.append(waiter)
        try:
            with anyio.move_on_after(timeout) as scope:
                await self._turn(waiter)
        finally:
            queue.remove(waiter)
            self._wake()
        if scope.cancelled_caught:
            raise self._throttled(self._expected(waiter.kind))

    async def _turn(self, waiter: _Waiter) -> None:
        while not waiter.expelled:
            is_next = waiter is self._next()
            delay = self._delay(waiter.kind, ahead=0) if is_next else math.inf
            if delay <= 0:
                return
            with anyio.move_on_after(delay):
                await waiter.woken.wait()
            if not waiter.expelled:
                waiter.woken = anyio.Event()
        raise NotConnected("the entry stops; nothing was sent")

    def _next(self) -> _Waiter | None:
        return next((queue[0] for queue in self._queues.values() if queue), None)

    def _wake(self) -> None:
        waiter = self._next()
        if waiter is not None:
            waiter.woken.set()

    def _expected(self, kind: CallKind) -> float:
        """Seconds that a call that comes now would wait, if none that goes before it comes later."""
        return self._delay(kind, sum([len(self._queues[one]) for one in _AHEAD[kind]]))

    def _delay(self, kind: CallKind, ahead: int) -> float:
        rest = self.rest
        if self._pace is None:
            return rest
        self._refill()
        needed = 1 + ahead + (self._pace.reserve if kind is CallKind.READ else 0)
        return max(rest, (needed - self._level) / self._pace.per_second, 0.0)

    def _throttled(self, wait: float) -> Throttled:
        why = "the venue refused for too many requests" if self.rest else "the budget of requests is used up"
        return Throttled(f"{why}; nothing was sent; the next call can go in {wait:.1f} s", retry_after=wait)
