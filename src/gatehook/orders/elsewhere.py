"""A broker entry for the desk of a gateway elsewhere: checked and guarded here, judged and journaled there."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any
from typing import Final

from gatehook.kinds.accounts import AccountRef
from gatehook.kinds.broker import Broker
from gatehook.kinds.broker import BrokerEvent
from gatehook.kinds.capabilities import BrokerCapabilities
from gatehook.kinds.commands import OrderList
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.provider import Health
from gatehook.kinds.streams import Items
from gatehook.orders.access import CallKind
from gatehook.orders.desk import Desk
from gatehook.orders.entry import Entry

#: Who the halt is asked about.
CALLER: Final = "wire"
_ADDING: Final = frozenset({"submit_order", "submit_order_list", "amend_order", "modify_position"})
_REDUCING: Final = frozenset({"cancel_order", "cancel_all", "close_position"})


class ForAnotherDesk:
    """The methods of ``Broker`` over an entry as it runs at the moment of a call, for a gateway that has a desk itself.

    Refused here, before the broker is asked: accounts that are not in ``allowedAccounts`` or more real than this
    configuration's mode, and what adds risk while trading is halted here. Nothing is journaled here.
    """

    def __init__(self, desk: Desk, entry_id: str) -> None:
        self._desk = desk
        self.entry_id = entry_id

    @property
    def capabilities(self) -> BrokerCapabilities:
        """What the broker declares and really does.

        Raises:
            NotConnected: while the entry is down.
        """
        return self._desk.entry(self.entry_id).access.capabilities

    def health(self) -> Health:
        """Say how the broker is, by its own word."""
        return self._desk.entry(self.entry_id).access.provider.health()

    async def list_accounts(self) -> Sequence[AccountRef]:
        """Return the accounts that may be used."""
        return await self._desk.entry(self.entry_id).accounts()

    def events(self, *, after: str | None = None) -> AbstractAsyncContextManager[Items[BrokerEvent]]:
        """Open the stream of events of all accounts."""
        return self._desk.entry(self.entry_id).access.events(after)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name.startswith("_") or not callable(getattr(Broker, name, None)):
            raise AttributeError(name)
        return partial(self._call, name)

    async def _call(self, method: str, **given: Any) -> Any:
        entry = self._desk.entry(self.entry_id)
        for account in _accounts(given):
            await self._check(entry, method, account, reduces=_reduces(method, given))
        function = partial(getattr(entry.access.provider, method), **given)
        try:
            return await entry.access.call(_purpose(method, given), method, function)
        except TimeoutError:
            kind = Ambiguous if method in _ADDING | _REDUCING else NotConnected
            raise kind(f"{method} of entry {self.entry_id} did not answer in time") from None

    async def _check(self, entry: Entry, method: str, account: AccountKey, *, reduces: bool) -> None:
        if method not in _ADDING | _REDUCING:
            entry.check_account(account)
            return
        await entry.check_mode(account, self._desk.mode)
        if not reduces:
            self._desk.gate.check_halt(account, CALLER)


def _accounts(given: dict[str, Any]) -> frozenset[AccountKey]:
    """Return the accounts that the arguments of a call name."""
    found: set[AccountKey] = set()
    for value in given.values():
        parts = value.orders if isinstance(value, OrderList) else (value,)
        for one in parts:
            account = one if isinstance(one, AccountKey) else getattr(one, "account", None)
            if isinstance(account, AccountKey):
                found.add(account)
    return frozenset(found)


def _reduces(method: str, given: dict[str, Any]) -> bool:
    request = given.get("request")
    return method in _REDUCING or (isinstance(request, OrderRequest) and request.reduce_only)


def _purpose(method: str, given: dict[str, Any]) -> CallKind:
    if method not in _ADDING | _REDUCING:
        return CallKind.READ
    return CallKind.REDUCE if _reduces(method, given) else CallKind.SUBMIT
