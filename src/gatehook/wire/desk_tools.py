"""A broker's handle, whose orders pass the desk, under the names of the wire: what ``gatehook/use`` reaches."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from functools import partial
from typing import Any
from typing import Final

from gatehook.kinds.broker import Evidence
from gatehook.kinds.broker import OrderLookup
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.kind import Kind
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.provider import Health
from gatehook.kinds.provider import Page
from gatehook.kinds.times import Ns
from gatehook.wire.tools import tools_of

#: method of the wire -> method of the handle
_READS: Final = {
    "list_accounts": "accounts",
    "get_account": "account",
    "list_instruments": "instruments",
    "list_positions": "positions",
    "estimate_margin": "estimate_margin",
}
_COMMANDS: Final = frozenset(tool.method for tool in tools_of(Kind.BROKER).values() if tool.trades)


class OverDesk:
    """The methods of the wire's broker over a ``BrokerHandle``. Events and fills are the desk's own, and not here."""

    def __init__(self, handle: Any, now: Callable[[], Ns]) -> None:
        self._handle = handle
        self._now = now

    @property
    def capabilities(self) -> BrokerCapabilities:
        """What the broker declares and really does."""
        found: BrokerCapabilities = self._handle.capabilities
        return found

    def health(self) -> Health:
        """Say how the desk sees the entry."""
        found: Health = self._handle.health()
        return found

    async def get_order(self, ref: OrderRef) -> OrderLookup:
        """Return an order as the journal has it; what it does not have is not proven absent at the venue."""
        known = await self._handle.order(ref.client_order_id) if ref.client_order_id is not None else None
        evidence = Evidence.INDETERMINATE if known is None else Evidence.FOUND
        return OrderLookup(evidence=evidence, order=known, complete=known is not None, as_of=self._now())

    async def list_orders(
        self, account: AccountKey, *, open_only: bool = True, since: Ns | None = None, cursor: str | None = None
    ) -> Page[Order]:
        """Return the journal's orders, at most a thousand."""
        if cursor is not None:
            raise UnsupportedCapability("the journal's orders come on one page")
        return Page(items=tuple(await self._handle.orders(account, open_only=open_only, since=since)))

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name in _READS:
            found: Callable[..., Awaitable[Any]] = getattr(self._handle, _READS[name])
            return found
        if name in _COMMANDS:
            return partial(self._command, name)
        raise UnsupportedCapability(f"{name} is not offered by a desk")

    async def _command(self, name: str, **given: Any) -> Any:
        command = getattr(self._handle, name)
        ref = given.pop("ref", None)
        return await (command(**given) if ref is None else command(ref, **given))
