"""Trading days: each account's equity at the day's start, kept on disk, and what was lost since."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

import anyio
import attrs
from anyio import CapacityLimiter
from anyio import to_thread

from gatehook.catalog.records import RecordUnusable
from gatehook.catalog.records import read_record
from gatehook.catalog.records import write_record
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics.codes import guard as codes
from gatehook.guard.worth import NotValued
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.amounts import LEDGER
from gatehook.kinds.codec import from_json
from gatehook.kinds.codec import to_json
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.times import DAY
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import Ns
from gatehook.kinds.times import to_rfc3339

FILE_NAME: Final = "days.json"
_VERSION: Final = 1


@attrs.frozen(kw_only=True)
class Start:
    """An account's money when it was first seen in a trading day.

    Attributes:
        day: when the day started, market time.
        result: equity less net deposits, in ``currency``: what trading has made of the account so far.
        at: when it was seen, market time.
    """

    account: AccountKey
    day: Ns
    currency: str
    result: Decimal
    at: Ns


@attrs.frozen(kw_only=True)
class _File:
    """What the file holds."""

    version: int
    starts: tuple[Start, ...]


@attrs.frozen
class _Loss:
    """What an account has lost in a day, in the valuation currency; ``None`` and a problem where it is not known."""

    day: Ns
    amount: Decimal | None
    problem: str = ""


class Days:
    """The equity at the start of each account's trading day, on market time.

    The start is what is first seen of an account in the day: a gateway that starts in the middle of a day counts from
    there. It is on disk before it is used.
    """

    def __init__(
        self,
        path: Path,
        *,
        day_start: str,
        value: Callable[[Decimal, str], Awaitable[Decimal]],
        now: Callable[[], Ns],
        report: Callable[[Diagnostic], None],
    ) -> None:
        """``day_start`` is the time of day in UTC like ``00:00``; ``value`` converts an amount of a currency, and
        raises ``NotValued``. A damaged file is put aside and reported: today then counts from what is seen next.
        """
        hours, minutes = day_start.split(":")
        self._offset = (int(hours) * 60 + int(minutes)) * MINUTE
        self._path = path
        self._value = value
        self._now = now
        self._report = report
        self._losses: dict[AccountKey, _Loss] = {}
        self._limiter = CapacityLimiter(1)
        self._turn = anyio.Lock()
        self._starts = {one.account: one for one in self._read()}

    @property
    def day(self) -> Ns:
        """When the trading day started that market time is in."""
        return (self._now() - self._offset) // DAY * DAY + self._offset

    def accounts(self, entry_id: str) -> tuple[AccountKey, ...]:
        """The accounts of an entry that were seen since the gateway started."""
        return tuple(sorted(account for account in self._losses if account.entry_id == entry_id))

    def start(self, account: AccountKey) -> Start | None:
        """What was first seen of an account in this day; ``None`` where nothing was."""
        start = self._starts.get(account)
        return start if start is not None and start.day == self.day else None

    def loss(self, account: AccountKey) -> Decimal | None:
        """What an account has lost in this day in the valuation currency, as it was last seen; below zero is a gain.
        ``None`` where it is not known: ``problem`` says why.
        """
        loss = self._losses.get(account)
        return loss.amount if loss is not None and loss.day == self.day else None

    def problem(self, account: AccountKey) -> str:
        """Why the loss of an account is not known; empty where it is."""
        loss = self._losses.get(account)
        if loss is None or loss.day != self.day:
            return f"the money of account {account} was not seen in this day"
        return loss.problem

    async def note(self, state: AccountState) -> None:
        """See an account's money. An incomplete state says nothing."""
        if not state.complete:
            return
        async with self._turn:
            day = self.day
            try:
                self._losses[state.account] = _Loss(day, await self._loss_of(state, day))
            except NotValued as error:
                self._losses[state.account] = _Loss(day, None, str(error))

    async def _loss_of(self, state: AccountState, day: Ns) -> Decimal:
        if state.equity is None:
            raise NotValued(f"the venue does not report the equity of account {state.account}")
        if state.net_deposits is None:
            raise NotValued(f"the venue does not report the deposits of account {state.account}")
        result = LEDGER.subtract(state.equity, state.net_deposits)
        start = self.start(state.account)
        if start is None:
            start = Start(account=state.account, day=day, currency=state.currency, result=result, at=self._now())
            await self._keep(start)
        if start.currency != state.currency:
            raise NotValued(f"the currency of account {state.account} was {start.currency} when the day started")
        lost = LEDGER.subtract(start.result, result)
        # A gain is never counted as larger than it is; converting rounds up, which is right for a loss only. It makes
        # no difference to the limit of one account, and a gain of one does not hide what another lost.
        return await self._value(lost, state.currency) if lost > 0 else Decimal(0)

    async def _keep(self, start: Start) -> None:
        starts = {**self._starts, start.account: start}
        data = to_json(_File(version=_VERSION, starts=tuple(starts.values())))
        try:
            await to_thread.run_sync(write_record, self._path, data, limiter=self._limiter)
        except OSError as error:
            problem = error.strerror or str(error)
            self._report(codes.DAYS_NOT_WRITTEN(path=self._path, account=start.account, problem=problem))
            raise NotValued(f"the equity at the day's start cannot be kept: {problem}") from error
        self._starts = starts

    def _read(self) -> tuple[Start, ...]:
        try:
            file = from_json(_File, read_record(self._path))
            if file.version == _VERSION:
                return file.starts
            problem = f"it has version {file.version}"
        except FileNotFoundError:
            return ()
        except RecordUnusable as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, it is put aside and said
            problem = f"it holds no starts of days ({type(error).__name__})"
        self._put_aside(problem)
        return ()

    def _put_aside(self, problem: str) -> None:
        copy = self._path.with_name(f"{self._path.name}.damaged-{to_rfc3339(self._now()).replace(':', '')}")
        try:
            self._path.replace(copy)
        except OSError as error:
            problem = f"{problem}; it cannot be put aside either ({error.strerror or error})"
        self._report(codes.DAYS_DAMAGED(path=self._path, copy=copy, problem=problem))
