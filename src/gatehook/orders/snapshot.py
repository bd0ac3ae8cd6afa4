"""What a venue says of an account when it is asked: money, working orders, fills, positions."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import TypeVar

import attrs

from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.broker import Evidence
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.errors import Throttled
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import Reason
from gatehook.kinds.provider import Page
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import Ns
from gatehook.orders.access import CallKind
from gatehook.orders.adjustments import Horizon
from gatehook.orders.applying import apply
from gatehook.orders.applying import is_usable
from gatehook.orders.applying import named
from gatehook.orders.entry import Entry
from gatehook.orders.reading import UNBOUNDED
from gatehook.orders.records import Conclusion
from gatehook.orders.resolving import look_up

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk

T = TypeVar("T")

#: How far before the newest known fill a venue is asked for fills, in nanoseconds: clocks differ, reports are late.
OVERLAP: Final = 60 * SECOND
_WORKING: Final = (OrderStatus.ACCEPTED, OrderStatus.TRIGGERED, OrderStatus.PARTIALLY_FILLED)


@attrs.frozen(kw_only=True)
class Snapshot:
    """What was read and applied: whether it is all there, the account's money, up to when its fills are known, and the
    wall time at which reading began.
    """

    complete: bool
    state: AccountState
    horizon: Horizon
    started: Ns


async def take(desk: Desk, entry: Entry, account: AccountKey) -> Snapshot:
    """Read an account's money, working orders and fills into the journal. Orders that the journal has working and that
    a complete listing lacks are asked for one by one; those without proof of their state become ``unknown``.

    Raises:
        ProviderError: when the venue cannot be asked or answers nonsense, or the journal cannot be written.
    """
    started = desk.clock.wall()
    state = await read_state(desk, entry, account)
    working = await _working(desk, account)
    listed = await _read_orders(desk, entry, account, working)
    horizon, read = await read_fills(desk, entry, account, await _horizon(desk, account, state))
    if listed is not None:
        for client_order_id in working.keys() - listed:
            await _probe(desk, entry, client_order_id)
    complete = state.complete and read and listed is not None
    return Snapshot(complete=complete, state=state, horizon=horizon, started=started)


async def read_state(desk: Desk, entry: Entry, account: AccountKey) -> AccountState:
    """Read an account's money into the journal; it raises what ``take`` raises."""
    provider = entry.access.provider
    state = await _ask(entry, "get_account", AccountState, lambda: provider.get_account(account))
    await _apply_report(desk, entry, account, state)
    return state


async def read_positions(desk: Desk, entry: Entry, account: AccountKey) -> PositionReport:
    """Read an account's positions into the journal; it raises what ``take`` raises."""
    provider = entry.access.provider
    report = await _ask(entry, "list_positions", PositionReport, lambda: provider.list_positions(account))
    await _apply_report(desk, entry, account, report)
    return report


async def _apply_report(desk: Desk, entry: Entry, account: AccountKey, report: AccountState | PositionReport) -> None:
    if report.account != account:
        raise ProviderError(f"entry {entry.entry_id} answered for account {report.account}, not for {account}")
    # First, and also where it says nothing new but its time: the journal passes on only what is news.
    if isinstance(report, PositionReport):
        desk.guard.exposure.apply_positions(report)
    else:
        desk.guard.exposure.apply_state(report)
    await desk.journal.apply(entry.entry_id, [report])


async def read_fills(desk: Desk, entry: Entry, account: AccountKey, horizon: Horizon) -> tuple[Horizon, bool]:
    """Read an account's fills into the journal, from where they may be missing. Return up to where they are known now,
    and whether the listing was complete; it raises what ``take`` raises.
    """
    provider, since = entry.access.provider, max(horizon.read_to - OVERLAP, horizon.floor)
    newest = await desk.journal.newest_fill(account) or 0

    async def take_page(page: Page[Any]) -> None:
        nonlocal newest
        await apply(desk, entry, page.items)
        newest = max([newest, *(fill.ts_event for fill in page.items if isinstance(fill, Fill))])

    complete = await _read_pages(
        entry, "list_fills", lambda cursor: provider.list_fills(account, since=since, cursor=cursor), take_page
    )
    if not complete:
        return horizon, False
    # A fill from the future, by a venue's wrong clock, must not hide those that come.
    return attrs.evolve(horizon, read_to=max(min(newest, desk.clock.now()), horizon.read_to)), True


async def _horizon(desk: Desk, account: AccountKey, state: AccountState) -> Horizon:
    """Return what is known of an account's fills; of one that is new, nothing before a moment ago."""
    known = await desk.journal.horizon(account)
    if known is not None:
        return known
    since = await desk.journal.fills_since(account)
    times = [state.ts_event, desk.clock.now()] + ([] if since is None else [since])
    floor = max(min(times) - OVERLAP, 0)
    return Horizon(floor=floor, read_to=floor)


async def _working(desk: Desk, account: AccountKey) -> Mapping[str, int]:
    """Return the versions of the orders that the journal has open, by client order id."""
    orders = await desk.journal.orders(accounts=[account], open_only=True, limit=UNBOUNDED)
    return {order.request.client_order_id: order.version for order in orders}


async def _read_orders(
    desk: Desk, entry: Entry, account: AccountKey, versions: Mapping[str, int]
) -> frozenset[str] | None:
    """Read the working orders into the journal, and return their ids; ``None``: the listing was not complete."""
    provider = entry.access.provider
    orders: list[Order] = []

    async def take_page(page: Page[Any]) -> None:
        orders.extend(one for one in page.items if isinstance(one, Order) and is_usable(desk, entry, one))

    complete = await _read_pages(
        entry, "list_orders", lambda cursor: provider.list_orders(account, open_only=True, cursor=cursor), take_page
    )
    found = await desk.journal.apply_listed(orders, versions)
    return found if complete else None


async def _probe(desk: Desk, entry: Entry, client_order_id: str) -> None:
    """Ask for a working order that a complete listing lacks. Without an answer its state is not known any more."""
    known = await desk.journal.order(client_order_id)
    if known is None or known.order.status not in _WORKING or desk.is_sending(client_order_id):
        return
    evidence = await look_up(desk, entry, known.order)
    after = await desk.journal.order(client_order_id)
    if evidence is not Evidence.FOUND and after is not None and after.order.version == known.order.version:
        reason = Reason(code="not_listed", message="a complete report of the venue's lacks the order")
        await desk.outcomes.record(after, Conclusion(status=OrderStatus.UNKNOWN, reason=reason, proven=True))


async def _read_pages(
    entry: Entry,
    what: str,
    ask: Callable[[str | None], Awaitable[object]],
    take_page: Callable[[Page[Any]], Awaitable[None]],
) -> bool:
    """Read a listing to its end, and say whether it was complete."""
    seen: set[str] = set()
    cursor, complete = None, True
    while True:
        page = await _ask(entry, what, Page, partial(ask, cursor))
        await take_page(page)
        complete, cursor = complete and page.complete, page.cursor
        if cursor is None:
            return complete
        if cursor in seen:
            raise ProviderError(f"{what} goes round in circles: its page {cursor} came twice")
        seen.add(cursor)


async def _ask(entry: Entry, what: str, kind: type[T], function: Callable[[], Awaitable[object]]) -> T:
    try:
        answer = await entry.access.call(CallKind.REDUCE, what, function)
    except (RateLimited, Throttled):
        raise
    except ProviderError as error:
        raise ProviderError(f"{what}: {error.message}") from error
    except Exception as error:
        raise ProviderError(f"{what}: {named(error)}") from error
    if not isinstance(answer, kind):
        raise ProviderError(f"{what} answered {type(answer).__name__}, not {kind.__name__}")
    return answer
