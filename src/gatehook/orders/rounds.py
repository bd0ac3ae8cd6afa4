"""When an entry's accounts are compared with their venue: at start, after each reconnect, and on a schedule."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING
from typing import Final

import anyio

from gatehook.kinds.errors import ProviderError
from gatehook.kinds.instruments import AccountKey
from gatehook.orders.access import CallKind
from gatehook.orders.entry import Entry
from gatehook.orders.snapshot import Snapshot

if TYPE_CHECKING:
    from gatehook.orders.reconciliation import Reconciliations

#: Seconds before accounts that are not reconciled are read again, doubled up to the second figure.
_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0


class Rounds:
    """The reconciliations of one generation of an entry; one at a time."""

    def __init__(self, reconciliations: Reconciliations, entry: Entry) -> None:
        self._reconciliations = reconciliations
        self._entry = entry
        self._turn = anyio.Lock()
        self._wake = anyio.Event()
        self._waiting: list[anyio.Event] = []

    async def run(self, *, at_once: bool) -> None:
        """Reconcile until cancelled, ``at_once`` or when first asked to. Nothing that a provider does ends this."""
        if not at_once:
            await self._wake.wait()
        pause = _PAUSE
        behind: Collection[AccountKey] | None = None
        while True:
            behind = await self.once(behind)
            if behind is not None and not behind:
                behind, pause, wait = None, _PAUSE, self._entry.access.reconcile_every
            else:
                pause, wait = min(pause * 2, _LONGEST_PAUSE), pause
            with anyio.move_on_after(wait):
                await self._wake.wait()
                behind, pause = None, _PAUSE

    async def snapshot_taken(self) -> None:
        """Ask for a reconciliation of all accounts, and wait until its working orders and fills were read, or could
        not be: what the venue reports afterwards is newer.
        """
        taken = anyio.Event()
        self._waiting.append(taken)
        self._wake.set()
        await taken.wait()

    def ask(self) -> None:
        """Ask for a reconciliation of all accounts, soon."""
        self._wake.set()

    async def once(self, accounts: Collection[AccountKey] | None = None) -> Collection[AccountKey] | None:
        """Reconcile accounts now, by default all. Return those that are behind; ``None``: they cannot be listed."""
        async with self._turn:
            waiting, self._waiting = self._waiting, []
            self._wake = anyio.Event()
            try:
                snapshots = await self._take(accounts)
            finally:
                for taken in waiting:
                    taken.set()
            if snapshots is None:
                return None
            behind = []
            for account, snapshot in snapshots.items():
                if snapshot is None or not await self._reconciliations.compare(self._entry, account, snapshot):
                    behind.append(account)
            return behind

    async def glance(self) -> None:
        """Read working orders and fills only: for a venue that does not report them by itself."""
        async with self._turn:
            await self._take(None)

    async def _take(self, accounts: Collection[AccountKey] | None) -> dict[AccountKey, Snapshot | None] | None:
        try:
            refs = await self._entry.accounts(CallKind.REDUCE)
        except ProviderError as error:
            self._reconciliations.unlisted(self._entry, error.message)
            return None
        found = self._reconciliations.listed(self._entry, [ref.account for ref in refs])
        return {
            account: await self._reconciliations.snapshot(self._entry, account)
            for account in found
            if accounts is None or account in accounts
        }
