"""A host over the venue of this package, driven from a plain thread: commands that may stay under way, and checks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

from anyio.from_thread import start_blocking_portal

from gatehook import PluginHost
from gatehook.catalog import Places
from gatehook.clocks import SystemClock
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.orders import TRANSITIONS
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderStatus
from tests.property.venue import EURUSD
from tests.property.venue import MAIN
from tests.property.venue import MANIFEST
from tests.property.venue import MAX_OPEN
from tests.property.venue import MAX_POSITION
from tests.property.venue import Plugin
from tests.property.venue import Twist
from tests.property.venue import Venue

#: Who may trade, and who is asked about.
FREE, ASKED = "free", "asked"
#: Seconds until what does not end counts as under way, and until what must happen has not.
_SOON, _EVENTUALLY = 0.3, 15.0


class LaterClock(SystemClock):
    """The machine's clock, moved on by the test."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Bench:
    """The one place where a test touches the event loop."""

    def __init__(self, directory: Path, backend: str) -> None:
        self._directory = directory
        self._open = ExitStack()
        self.portal = self._open.enter_context(start_blocking_portal(backend))
        self.venue = Venue()
        self.clock = LaterClock()
        self.under_way: list[Future[Any]] = []
        self.ended: Counter[str] = Counter()
        self._read = 0
        self._statuses: dict[str, OrderStatus] = {}
        self.start()

    def start(self) -> None:
        config = {
            "gateway": {"data_dir": str(self._directory)},
            "plugins": {"slots": {"memory": "none"}},
            "trading": {"approvals_per_minute": 1000},
            "limits": {"venue/main": {"max_position": str(MAX_POSITION), "max_open_orders": MAX_OPEN}},
            "permissions": [{"caller": ASKED, "class": "trade", "decision": "ask"}],
        }
        host = PluginHost.from_config(
            config, plugins=[(MANIFEST, Plugin(self.venue))], places=Places(), clock=self.clock
        )
        self._life = ExitStack()
        self.host = self._life.enter_context(self.portal.wrap_async_context_manager(host))
        self.desk: Any = self.host.desk

    def restart(self) -> None:
        self._life.close()
        self.start()

    def close(self) -> None:
        self._life.close()
        self._open.close()

    # --- commands

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Do something on the event loop and return its result."""
        return self.portal.call(function, *args)

    def handle(self, caller: str = FREE) -> Any:
        return self.host.broker("venue", caller=caller)

    def together(self, *commands: Callable[[], Awaitable[Any]]) -> list[Any]:
        """Start commands at once; return what they ended with, ``None`` for one that is held at the venue."""

        async def ended(command: Callable[[], Awaitable[Any]]) -> Any:
            try:
                return await command()
            except (ProviderError, TimeoutError) as error:
                return error

        if all(one.done() for one in self.under_way):
            self.call(self.venue.begin)
        started = [self.portal.start_task_soon(ended, one) for one in commands]
        held = len(self.venue.gates)
        end = time.monotonic() + _SOON
        while (
            sum(one.done() for one in started) + len(self.venue.gates) - held < len(started) and time.monotonic() < end
        ):
            time.sleep(0.001)
        self.under_way = [one for one in (*self.under_way, *started) if not one.done()]
        outcomes = [one.result() if one.done() else None for one in started]
        for one in outcomes:
            self.ended[type(one).__name__ if not isinstance(one, Order) else str(one.status)] += 1
        return outcomes

    # --- checks

    def check(self) -> None:
        """What holds at any time."""
        assert not self.venue.wrong, self.venue.wrong
        changes = self.call(self._changes)
        for order in changes:
            self._check_move(order)

    async def _changes(self) -> list[Order]:
        found = await self.desk.journal.changes(after=self._read, limit=10_000)
        if found:
            self._read = found[-1].seq
        return [one.payload for one in found if isinstance(one.payload, Order)]

    def _check_move(self, order: Order) -> None:
        name, now = order.request.client_order_id, order.status
        before = self._statuses.get(name, OrderStatus.INITIALIZED)
        if before is OrderStatus.DENIED:  # its id was free again
            before = OrderStatus.INITIALIZED
        assert now is before or now in TRANSITIONS[before], f"{name} went from {before} to {now}"
        self._statuses[name] = now
        quantity = order.request.quantity
        whole = order.filled + (order.canceled if now.is_final else order.leaves)
        assert whole == max(quantity, order.filled), f"{name}: {order}"

    def settle(self) -> None:
        """Calm everything, start again, and hold the journal and the desk's books to the venue's truth."""
        self.call(self._calm)
        for one in self.under_way:
            one.result(_EVENTUALLY)
        self.restart()
        end = time.monotonic() + _EVENTUALLY
        while differences := self.call(self._differences):
            assert time.monotonic() < end, differences
            time.sleep(0.01)
        self.check()

    async def _calm(self) -> None:
        self.venue.bends.clear()
        self.venue.release()
        self.venue.connected = True
        self.venue.deliver(Twist.STRAIGHT)

    async def _orders(self) -> dict[str, Order]:
        found = await self.desk.journal.orders(limit=-1)
        return {one.request.client_order_id: one for one in found if one.status is not OrderStatus.DENIED}

    async def _differences(self) -> list[str]:
        """In what the journal, or the book of what is at risk, is not as the venue is."""
        orders, truth = await self._orders(), self.venue.orders
        found = [f"{one.request.client_order_id} is unknown" for one in self.desk.unknown_orders()]
        for name, order in truth.items():
            known = orders.get(name)
            if known is None or (known.status, known.filled) != (order.status, order.filled):
                found.append(f"{name} is {known and known.status}, at the venue {order.status}")
        for name, order in orders.items():
            if name not in truth and order.status is not OrderStatus.REJECTED:
                found.append(f"{name} is {order.status} and never reached the venue")
        return found + self._different_risks()

    def _different_risks(self) -> list[str]:
        exposure, working = self.desk.guard.exposure, [one for one in self.venue.orders.values() if one.leaves]
        figures = {
            "position": (exposure.position(MAIN, EURUSD), self.venue.position),
            "open orders": (sorted(one.key for one in exposure.open_orders(MAIN)), sorted(map(_name, working))),
            "closing": (exposure.closing_quantity(MAIN, EURUSD), Decimal(0)),
        }
        return [f"{what}: {ours}, at the venue {truth}" for what, (ours, truth) in figures.items() if ours != truth]


def _name(order: Order) -> str:
    return order.request.client_order_id
