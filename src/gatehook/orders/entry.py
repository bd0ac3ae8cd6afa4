"""A broker entry as the desk holds it, and the checks that stand before every command."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any
from typing import Final
from typing import TypeVar

import anyio

from gatehook.kinds.accounts import AccountRef
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import Mode
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.checks import check_capabilities
from gatehook.kinds.checks import check_instrument
from gatehook.kinds.errors import AccountNotAllowed
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import ModeNotAllowed
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import OrderRequest
from gatehook.orders.access import BrokerAccess
from gatehook.orders.access import CallKind
from gatehook.orders.real_accounts import RealAccounts
from gatehook.orders.units import in_instrument_unit

T = TypeVar("T")

#: The modes, the most real money last: a gateway trades its own and those before it.
_REALITY: Final = (Mode.PAPER, Mode.DEMO, Mode.LIVE)


class Entry:
    """One generation of a broker entry: what was asked of it once, and the sends under way."""

    def __init__(self, access: BrokerAccess, real_accounts: RealAccounts) -> None:
        self._real_accounts = real_accounts
        self.access = access
        self.entry_id = access.entry_id
        self._doubt = anyio.Event()
        self._accounts: dict[str, AccountRef] = {}
        self._instruments: dict[InstrumentId, Instrument] = {}
        self._sends: set[anyio.CancelScope] = set()
        self.stopped = False
        self._idle = anyio.Event()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Count a send; ``stop`` ends it."""
        with anyio.CancelScope() as scope:
            self._sends.add(scope)
            try:
                yield
            finally:
                self._sends.discard(scope)
                if not self._sends:
                    self._idle.set()

    async def stop(self, grace: float) -> None:
        """Let sends under way end by themselves for ``grace`` seconds, then cut them off."""
        self.stopped = True
        if self._sends:
            self._idle = anyio.Event()
            with anyio.move_on_after(grace, shield=True):
                await self._idle.wait()
        for scope in self._sends:
            scope.cancel()

    def raise_doubt(self) -> None:
        """Wake the task that looks up what is not known."""
        self._doubt.set()

    async def wait_for_doubt(self, timeout: float | None) -> bool:
        """Wait until ``raise_doubt`` is called, at most ``timeout`` seconds; say whether it was."""
        with anyio.move_on_after(timeout):
            await self._doubt.wait()
            self._doubt = anyio.Event()
            return True
        return False

    async def read(
        self, what: str, kind: type[T], function: Callable[[], Awaitable[object]], purpose: CallKind = CallKind.READ
    ) -> T:
        """Call a reading method of the provider under the guard; it answers something of a kind.

        Raises:
            NotConnected: when the entry is down, or did not answer in time.
            ProviderError: what the provider raised; anything else that it raised or answered, by name.
        """

        async def checked() -> T:
            answer = await function()
            if not isinstance(answer, kind):
                raise TypeError(f"it answered {type(answer).__name__}, not {kind.__name__}")
            return answer

        return await self._read(what, checked, purpose)

    async def read_all(
        self, what: str, kind: type[T], function: Callable[[], Awaitable[object]], purpose: CallKind = CallKind.READ
    ) -> Sequence[T]:
        """Call a reading method that answers a sequence, all of a kind. It raises what ``read`` raises."""

        async def checked() -> Sequence[T]:
            answer = await function()
            if isinstance(answer, Sequence) and not isinstance(answer, (str, bytes)):
                found: Sequence[T] = answer
                if all(isinstance(one, kind) for one in found):
                    return found
            raise TypeError(f"it answered {type(answer).__name__}, not a sequence of {kind.__name__}")

        return await self._read(what, checked, purpose)

    async def _read(self, what: str, function: Callable[[], Awaitable[T]], purpose: CallKind) -> T:
        try:
            return await self.access.call(purpose, what, function)
        except ProviderError:
            raise
        except TimeoutError as error:
            raise NotConnected(f"{what} of entry {self.entry_id} did not answer in time") from error
        except Exception as error:
            raise ProviderError(f"{what} of entry {self.entry_id} failed: {type(error).__name__}") from error

    def check_account(self, account: AccountKey) -> None:
        """Refuse accounts that are not this entry's, not in its allow-list, or another entry's too; nothing is asked.

        Raises:
            AccountNotAllowed: naming the account.
        """
        if account.entry_id != self.entry_id:
            raise AccountNotAllowed(f"account {account} is not one of entry {self.entry_id}")
        allowed = self.access.allowed_accounts
        if allowed is not None and account.account_id not in allowed:
            raise AccountNotAllowed(f"account {account} is not in allowedAccounts of entry {self.entry_id}")
        if other := self._other(account):
            raise AccountNotAllowed(f"account {account} is reached by entry {other} already; use that one")

    def sees(self, account: AccountKey) -> bool:
        """Say whether reports about an account may be recorded."""
        try:
            self.check_account(account)
        except AccountNotAllowed:
            return False
        return True

    def _other(self, account: AccountKey) -> str | None:
        ref = self._accounts.get(account.account_id)
        return None if ref is None else self._real_accounts.other(self.entry_id, ref)

    async def accounts(self, purpose: CallKind = CallKind.READ) -> Sequence[AccountRef]:
        """Ask for the accounts; only those that may be used are returned."""
        refs = await self.read_all("list_accounts", AccountRef, self.access.provider.list_accounts, purpose)
        self._accounts = {ref.account.account_id: ref for ref in refs if ref.account.entry_id == self.entry_id}
        return tuple(ref for ref in self._accounts.values() if self.sees(ref.account))

    def mode_of(self, account: AccountKey) -> Mode:
        """Return the mode that the broker proved for an account; one that it does not list is live."""
        ref = self._accounts.get(account.account_id)
        return ref.mode if ref is not None else Mode.LIVE

    async def check_mode(self, account: AccountKey, mode: Mode) -> None:
        """Refuse accounts whose money is more real than the gateway's mode, and those that nobody allowed.

        Raises:
            AccountNotAllowed: see ``check_account``; without ``allowedAccounts`` only paper accounts are traded.
            ModeNotAllowed: naming both modes; an account that the broker does not list is live.
        """
        self.check_account(account)
        if account.account_id not in self._accounts:
            await self.accounts()
            self.check_account(account)
        proven = self.mode_of(account)
        if _REALITY.index(proven) > _REALITY.index(mode):
            listed = "" if account.account_id in self._accounts else " (the broker does not list it)"
            raise ModeNotAllowed(f"account {account} is {proven}{listed}, and the gateway's mode is {mode}")
        if self.access.allowed_accounts is None and proven is not Mode.PAPER:
            raise AccountNotAllowed(
                f"account {account} is {proven}: name it in allowedAccounts of entry {self.entry_id} to trade it"
            )

    async def instrument(self, instrument_id: InstrumentId, purpose: CallKind = CallKind.READ) -> Instrument:
        """Return an instrument, asked for once.

        Raises:
            InvalidOrder: when the broker does not have it.
        """
        if instrument_id not in self._instruments:
            provider = self.access.provider
            found = await self.read_all(
                "list_instruments", Instrument, lambda: provider.list_instruments(query=instrument_id.symbol), purpose
            )
            self._instruments.update((one.id, one) for one in found)
        if instrument_id not in self._instruments:
            raise InvalidOrder(f"entry {self.entry_id} has no instrument {instrument_id}")
        return self._instruments[instrument_id]

    async def checked_order(self, request: OrderRequest, mode: Mode) -> tuple[OrderRequest, Instrument]:
        """Check mode, capabilities, account and precision; return the order in the instrument's own unit.

        Raises:
            Denied: naming what is wrong; nothing was sent.
        """
        await self.check_mode(request.account, mode)
        check_capabilities(request, self.access.capabilities)
        instrument = await self.instrument(request.instrument_id)
        request = in_instrument_unit(request, instrument)
        check_instrument(request, instrument)
        return request, instrument

    async def positions(self, account: AccountKey, purpose: CallKind = CallKind.READ) -> PositionReport:
        """Ask for an account's positions."""
        provider = self.access.provider
        return await self.read("list_positions", PositionReport, lambda: provider.list_positions(account), purpose)

    async def account_state(self, account: AccountKey) -> AccountState:
        """Ask for an account's money."""
        provider = self.access.provider
        return await self.read("get_account", AccountState, lambda: provider.get_account(account))

    def check_declared(self, capability: str) -> None:
        """Refuse a command that the broker does not declare.

        Raises:
            UnsupportedCapability: naming it.
        """
        declared: Any = getattr(self.access.capabilities, capability)
        if not declared:
            raise UnsupportedCapability(f"entry {self.entry_id} does not declare {capability}")
