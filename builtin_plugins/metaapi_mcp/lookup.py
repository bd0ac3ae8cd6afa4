"""Finding an order: by the venue's ticket, or by scanning for our id everything that could hold it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import anyio
import attrs

from gatehook import AccountKey
from gatehook import Evidence
from gatehook import Order
from gatehook import OrderLookup
from gatehook import OrderRef
from gatehook import OrderRequest
from gatehook import ProviderError
from gatehook.kinds.times import DAY
from gatehook.kinds.times import MINUTE

from .closes import Close
from .closes import Closes
from .history import History
from .reading import Node
from .session import Session
from .words import Words
from .words import traded

#: How far back an order is looked for of which only our id is known.
BACK: Final = 7 * DAY
#: How far the trade server's clock may be from ours.
SKEW: Final = 5 * MINUTE

#: Seconds between the looks for what an answered command did: the history comes a little after the answer.
LOOKS: Final = (0.0, 0.1, 0.3, 0.6)


class Lookup:
    """Finds the orders of an entry's accounts."""

    def __init__(
        self, session: Session, words: Words, history: History, closes: Closes, now: Callable[[], int]
    ) -> None:
        self._now = now
        self._session = session
        self._words = words
        self._history = history
        self._closes = closes

    async def order(self, ref: OrderRef, now: int) -> OrderLookup:
        """Look an order up. That it is nowhere is no proof: the server may yet send on what it was given."""
        close = self._closes.get(ref.account, ref.client_order_id)
        if close is not None:
            found = await self._close(ref, close, now)
        elif ref.venue_order_id is not None:
            found = await self.by_ticket(ref.account, ref.venue_order_id, now)
        else:
            found = await self._by_client_id(ref.account, ref.client_order_id or "", now)
        if found is None:
            return OrderLookup(evidence=Evidence.INDETERMINATE, complete=False, as_of=now)
        return OrderLookup(evidence=Evidence.FOUND, order=_named(found, ref), complete=True, as_of=now)

    async def seen(self, ref: OrderRef, enough: Callable[[Order], bool]) -> Order | None:
        """Look an order up until it shows what a command did to it, for a second; return what was seen last."""
        found: Order | None = None
        for pause in LOOKS:
            await anyio.sleep(pause)
            try:
                found = (await self.order(ref, self._now())).order or found
            except ProviderError:
                continue  # the command is done; what it did is seen later
            if found is not None and enough(found):
                break
        return found

    async def working(self, account: AccountKey) -> list[Order]:
        """Return the working orders."""
        answer = await self._session.ask("get_orders", account.account_id)
        return [self._words.order(account, row, ended=False) for row in answer.items()]

    async def by_ticket(self, account: AccountKey, order_id: str, now: int) -> Order | None:
        """Return the order with a ticket, with what it cost; working orders are read first, for they end."""
        for order in await self.working(account):
            if order.venue_order_id == order_id:
                return await self._priced(account, order, now)
        ended = await self._history.ended_order(account, order_id)
        return None if ended is None else await self._priced(account, ended, now)

    async def _by_client_id(self, account: AccountKey, client_id: str, now: int) -> Order | None:
        for order in await self.working(account):
            if order.request.client_order_id == client_id:
                return await self._priced(account, order, now)
        ended = await self._history.orders_between(account, now - BACK, now + DAY)
        for order in sorted(ended, key=lambda one: one.ts_accepted or 0):
            if order.request.client_order_id == client_id:  # the first: what closes a position may repeat its id
                return await self._priced(account, order, now)
        ticket = await self._ticket_of(account, client_id, now)
        return None if ticket is None else await self.by_ticket(account, ticket, now)

    async def _ticket_of(self, account: AccountKey, client_id: str, now: int) -> str | None:
        """Return the order that a deal or a position with our id came of: they may be seen before the order is."""
        for deal in await self._history.deals_between(account, now - BACK, now + DAY):
            if deal.client_id == client_id and not deal.closing:
                return deal.order_id
        answer = await self._session.ask("get_positions", account.account_id)
        for row in answer.items():
            if _client_id(row) == client_id:
                return row["id"].identity()  # a position has the ticket of the order that opened it
        return None

    async def _close(self, ref: OrderRef, close: Close, now: int) -> Order | None:
        if close.order_id is None:
            deals = await self._history.deals_between(ref.account, close.sent - SKEW, now + DAY)
            close = await self._closes.resolve(close, deals)
        return None if close.order_id is None else await self.by_ticket(ref.account, close.order_id, now)

    async def _priced(self, account: AccountKey, order: Order, now: int) -> Order:
        if not order.filled:
            return order
        start = order.ts_accepted or order.ts_last
        end = order.ts_last if order.status.is_final else now
        return traded(await self._history.deals_between(account, start - MINUTE, end + MINUTE), order)


def _client_id(row: Node) -> str | None:
    found = row.get("clientId")
    return None if found is None or found.value == "" else found.text()


def _named(order: Order, ref: OrderRef) -> Order:
    """Give an order that was found by its ticket the name under which it was asked for."""
    request: OrderRequest = order.request
    if ref.client_order_id is None or request.client_order_id == ref.client_order_id:
        return order
    return attrs.evolve(order, request=attrs.evolve(request, client_order_id=ref.client_order_id))
