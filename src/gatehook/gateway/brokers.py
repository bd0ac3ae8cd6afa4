"""The broker entries as one: which account is meant, what all of them report, what the journal says."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterable
from typing import TypeVar

import anyio

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import gateway as codes
from gatehook.host import PluginHost
from gatehook.kinds.accounts import AccountRef
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.kind import Kind
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderOrigin
from gatehook.orders import BrokerHandle

T = TypeVar("T")


class Brokers:
    """Every active broker entry of a host, on behalf of one caller."""

    def __init__(self, host: PluginHost, *, caller: str) -> None:
        self._host = host
        self._caller = caller

    def entries(self) -> list[str]:
        """Return the ids of the active broker entries."""
        return active_entries(self._host, Kind.BROKER)

    def handle(self, entry_id: str) -> BrokerHandle:
        """Return an entry's handle.

        Raises:
            GatehookError: when no active broker entry has this id.
        """
        known = self.entries()
        if entry_id not in known:
            raise GatehookError(codes.NO_ENTRY(what=f"the broker {entry_id}", hint=did_you_mean(entry_id, known)))
        return self._host.broker(entry_id, caller=self._caller)

    async def account(self, text: str | None) -> AccountKey:
        """Return the account that ``ENTRY/ACCOUNT`` names, or the only one there is.

        Raises:
            GatehookError: when it is not clear which is meant.
        """
        refs, problems = await self.accounts()
        keys = [ref.account for ref in refs]
        if text is None and len(keys) == 1:
            return keys[0]
        named = [key for key in keys if str(key) == text]
        if named:
            return named[0]
        entry_id, _, account_id = (text or "").partition("/")
        if account_id and entry_id in self.entries():
            return AccountKey(entry_id, account_id)  # the desk says what is wrong with it
        if problems:
            raise GatehookError(codes.NO_ENTRY(what="the account", hint=f" ({'; '.join(problems)})"))
        raise GatehookError(codes.CHOOSE_ACCOUNT(accounts=", ".join(map(str, keys)) or "none"))

    async def unit_of(self, account: AccountKey, instrument: InstrumentId) -> QuantityUnit:
        """Return the unit in which an instrument's quantities are counted.

        Raises:
            GatehookError: when the broker does not trade it.
        """
        listed = await self.handle(account.entry_id).instruments()
        for one in listed:
            if one.id == instrument:
                return one.quantity_unit
        hint = did_you_mean(str(instrument), [str(one.id) for one in listed])
        raise GatehookError(codes.UNKNOWN_INSTRUMENT(instrument=instrument, hint=hint))

    async def accounts(self) -> tuple[list[AccountRef], list[str]]:
        """Return all accounts, and what went wrong with brokers that did not answer."""
        return await self._from_each(lambda handle: handle.accounts())

    async def account_states(self) -> tuple[list[AccountState], list[str]]:
        """Return the money of all accounts, and what went wrong."""
        return await self._of_each_account(lambda handle, key: handle.account(key))

    async def positions(self) -> tuple[list[PositionReport], list[str]]:
        """Return the positions of all accounts, and what went wrong."""
        return await self._of_each_account(lambda handle, key: handle.positions(key))

    async def _of_each_account(
        self, ask: Callable[[BrokerHandle, AccountKey], Awaitable[T]]
    ) -> tuple[list[T], list[str]]:
        async def of_one(handle: BrokerHandle) -> list[T]:
            return [await ask(handle, ref.account) for ref in await handle.accounts()]

        return await self._from_each(of_one)

    async def _from_each(self, ask: Callable[[BrokerHandle], Awaitable[Iterable[T]]]) -> tuple[list[T], list[str]]:
        found: dict[str, list[T]] = {}
        problems: list[str] = []

        async def one(entry_id: str) -> None:
            try:
                found[entry_id] = list(await ask(self.handle(entry_id)))
            except (ProviderError, GatehookError) as error:
                problems.append(f"{entry_id}: {error}")

        entries = self.entries()
        async with anyio.create_task_group() as tasks:
            for entry_id in entries:
                tasks.start_soon(one, entry_id)
        return [item for entry_id in entries for item in found.get(entry_id, [])], sorted(problems)

    async def order(self, client_order_id: str) -> Order | None:
        """Return an order from the journal."""
        known = await self._host.desk.journal.order(client_order_id)
        return None if known is None else known.order

    async def orders(self, *, open_only: bool, limit: int) -> list[Order]:
        """Return orders from the journal, newest first."""
        return (await self._host.desk.journal.orders(open_only=open_only, limit=limit))[::-1]

    async def fills(self, *, client_order_id: str | None = None, limit: int = 1000) -> list[Fill]:
        """Return fills from the journal, newest first."""
        kept: deque[Fill] = deque(maxlen=limit)
        after = 0
        while page := await self._host.desk.journal.fills(after=after):
            kept.extend(fill for _, fill in page if client_order_id in (None, fill.client_order_id))
            after = page[-1][0]
        return list(kept)[::-1]

    async def own_fills(self, account: AccountKey, instrument: InstrumentId) -> list[Fill]:
        """Return the fills of an account in an instrument that the gateway's own orders made, oldest first."""
        own: dict[str, bool] = {}
        kept: list[Fill] = []
        after = 0
        while page := await self._host.desk.journal.fills(accounts=[account], after=after):
            after = page[-1][0]
            for _, fill in page:
                if fill.instrument_id == instrument and await self._is_own(fill.client_order_id, own):
                    kept.append(fill)
        return kept

    async def _is_own(self, client_order_id: str | None, own: dict[str, bool]) -> bool:
        """Say whether an order is of the gateway; ``own`` keeps what was asked before."""
        if client_order_id is None:
            return False
        if client_order_id not in own:
            order = await self.order(client_order_id)
            own[client_order_id] = order is not None and order.origin is OrderOrigin.GATEWAY
        return own[client_order_id]


def active_entries(host: PluginHost, kind: Kind) -> list[str]:
    """Return the ids of a host's active entries of a kind, in the order of the plan."""
    return [one.entry_id for one in host.plan.activations if one.kind is kind and one.status == "active"]
