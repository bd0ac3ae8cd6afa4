"""Closes of positions: the server takes no id for them, so which order closed a position is found out by its deals.

What is to be closed is written down before it is sent. A close without an answer is the one order that took from the
position since then, which nobody else's name is on: not a stop-loss, not another close of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Final

import attrs

from gatehook import AccountKey
from gatehook.context import PluginState
from gatehook.kinds.times import DAY

from .words import Deal

_KEY: Final = "close:"
#: How long a close is remembered.
KEPT: Final = 30 * DAY


@attrs.frozen(kw_only=True)
class Close:
    """One close that was sent, or is about to be.

    Attributes:
        command_id: its client order id.
        before: the venue's orders that had taken from the position until then.
        named: whether orders with a name of their own may take from it as well: on a netting account.
        sent: when, in our time, nanoseconds UTC.
        order_id: the venue's order, once it is known.
    """

    command_id: str
    account_id: str
    position_id: str
    before: tuple[str, ...]
    named: bool
    sent: int
    order_id: str | None = None

    def to_json(self) -> Mapping[str, Any]:
        """Return it as it is kept."""
        return {**attrs.asdict(self), "before": list(self.before)}


class Closes:
    """The closes of an entry, durable."""

    def __init__(self, state: PluginState) -> None:
        self._state = state
        self._closes: dict[str, Close] = {}

    async def load(self, now: int) -> None:
        """Read what an earlier run wrote, and forget what is old."""
        for key in await self._state.keys(_KEY):
            kept = await self._state.get(key)
            close = Close(**{**kept, "before": tuple(kept["before"])})
            if close.sent < now - KEPT:
                await self._state.delete(key)
            else:
                self._closes[close.command_id] = close

    async def keep(self, close: Close) -> None:
        """Write a close down; on return it is durable."""
        await self._state.set(_KEY + close.command_id, close.to_json())
        self._closes[close.command_id] = close

    async def forget(self, close: Close) -> None:
        """Forget a close that was not sent."""
        self._closes.pop(close.command_id, None)
        await self._state.delete(_KEY + close.command_id)

    def get(self, account: AccountKey, command_id: str | None) -> Close | None:
        """Return the close with a client order id."""
        close = self._closes.get(command_id or "")
        return close if close is not None and close.account_id == account.account_id else None

    def id_of(self, account_id: str, order_id: str) -> str | None:
        """Return the client order id of the close that a venue's order is."""
        for close in self._closes.values():
            if (close.account_id, close.order_id) == (account_id, order_id):
                return close.command_id
        return None

    async def resolve(self, close: Close, deals: list[Deal]) -> Close:
        """Find the order of a close in the deals since it was sent, and remember it; more than one proves nothing."""
        orders = taking(deals, close.position_id, named=close.named) - set(close.before)
        unclaimed = [one for one in orders if self.id_of(close.account_id, one) is None]
        if len(unclaimed) != 1:
            return close
        found = attrs.evolve(close, order_id=unclaimed[0])
        await self.keep(found)
        return found


def taking(deals: list[Deal], position_id: str, *, named: bool) -> set[str]:
    """Return the orders that took from a position and may be a close: neither the venue's nor, where orders of a name
    of their own can take from it (``named``), with a client's name on them.
    """
    return {
        one.order_id
        for one in deals
        if one.position_id == position_id
        and one.closing
        and not one.by_venue
        and not (named and one.client_id is not None)
    }
