"""What is in an account's history: orders that ended, and deals, page by page in the order of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from typing import TypeVar

import attrs

from gatehook import AccountKey
from gatehook import Order
from gatehook.kinds.errors import CursorExpired
from gatehook.kinds.errors import ToolAnswerInvalid
from gatehook.kinds.times import DAY
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import to_rfc3339

from .links import Links
from .reading import Node
from .session import Session
from .words import Deal
from .words import Words

T = TypeVar("T")

#: The server leaves out what is beyond this many rows, and does not say so.
FULL: Final = 1000
_MS: Final = 1_000_000
#: Before this there was no MetaTrader.
_BEGINNING: Final = 946_684_800 * SECOND


@attrs.frozen
class Part:
    """A part of the history: the rows, whether all of them are there, and the cursor to the next part."""

    rows: list[Node]
    complete: bool
    cursor: str | None


class History:
    """Reads the history of accounts."""

    def __init__(self, session: Session, links: Links, words: Words, now: Callable[[], int]) -> None:
        self._session = session
        self._links = links
        self._words = words
        self._now = now

    async def is_complete(self, account_id: str) -> bool:
        """Say whether the terminal has all that its trade server has: it says so only with its history."""
        now = self._now()
        _, synchronizing = await self._span("get_deals", "deals", account_id, now, now)
        return not synchronizing

    async def orders(self, account: AccountKey, since: int | None, cursor: str | None) -> tuple[list[Order], Part]:
        """Return a part of the orders that ended at ``since`` or later."""
        part = await self._part("get_history_orders", "historyOrders", account, since, cursor)
        return [self._words.order(account, row, ended=True) for row in part.rows], part

    async def deals(self, account: AccountKey, since: int | None, cursor: str | None) -> tuple[list[Deal], Part]:
        """Return a part of the deals of ``since`` or later that are trades."""
        part = await self._part("get_deals", "deals", account, since, cursor)
        return self._deals(account, part.rows), part

    async def deals_between(self, account: AccountKey, start: int, end: int) -> list[Deal]:
        """Return the deals of a short span, ends included, as far as the server shows them."""
        rows, _ = await self._span("get_deals", "deals", account.account_id, start, end)
        return self._deals(account, rows)

    async def orders_between(self, account: AccountKey, start: int, end: int) -> list[Order]:
        """Return the orders that ended in a short span, ends included, as far as the server shows them."""
        rows, _ = await self._span("get_history_orders", "historyOrders", account.account_id, start, end)
        return [self._words.order(account, row, ended=True) for row in rows]

    async def ended_order(self, account: AccountKey, order_id: str) -> Order | None:
        """Return the ended order with a ticket; ``None`` where the server does not show it."""
        answer = await self._session.ask("get_history_orders_by_ticket", account.account_id, ticket=order_id)
        rows, _ = listed(answer["orders"], "historyOrders")
        for row in rows:
            if row["id"].identity() == order_id:
                return self._words.order(account, row, ended=True)
        return None

    def _deals(self, account: AccountKey, rows: list[Node]) -> list[Deal]:
        currency = self._links.known(account.account_id).currency
        found = [self._words.deal(account, currency, row) for row in rows]
        return [one for one in found if one is not None]

    async def _part(self, tool: str, name: str, account: AccountKey, since: int | None, cursor: str | None) -> Part:
        """Read one span of time. Where the server may have left rows out, a shorter one is read instead."""
        stop = self._now() + DAY  # the trade server's clock may be ahead of ours
        start, span = (_floor(since), stop) if cursor is None else _place(cursor)
        while True:
            end = min(start + span, stop)
            rows, synchronizing = await self._span(tool, name, account.account_id, start, end)
            if len(rows) < FULL:
                break
            if span <= _MS:
                raise ToolAnswerInvalid(f"{tool} has {FULL} rows or more of one millisecond: some are left out")
            span = max(min(span, end - start) // 2 // _MS * _MS, _MS)
        timed = sorted(((_when(row), row) for row in rows), key=lambda one: one[0])
        inside = [row for when, row in timed if start <= when < end or end == stop]
        after = None if end >= stop else f"{end}:{span * 2}"
        return Part(inside, not synchronizing, after)

    async def _span(self, tool: str, name: str, account_id: str, start: int, end: int) -> tuple[list[Node], bool]:
        answer = await self._session.ask(tool, account_id, startTime=_text(start), endTime=_text(-(-end // _MS) * _MS))
        return listed(answer, name)


def listed(answer: Node, name: str) -> tuple[list[Node], bool]:
    """Read rows, and whether the terminal is still synchronizing: then some may be missing."""
    synchronizing = answer.get("synchronizing")
    return list(answer[name].items()), synchronizing is not None and synchronizing.flag()


def _when(row: Node) -> int:
    return (row.get("doneTime") or row["time"]).time()


def _floor(since: int | None) -> int:
    return _BEGINNING if since is None else max(since // _MS * _MS, _BEGINNING)


def _text(at: int) -> str:
    return to_rfc3339(at // _MS * _MS)


def _place(cursor: str) -> tuple[int, int]:
    start, _, span = cursor.partition(":")
    if not (start.isdecimal() and span.isdecimal()):
        raise CursorExpired(f"not a place in the history: {cursor!r}")
    return int(start), max(int(span), _MS)
