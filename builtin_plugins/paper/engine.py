"""The matching engine: commands and prices with their times go in, events come out.

It does no I/O, asks no clock and draws no random number, so one flow has one result. ``state.changes`` holds what calls
changed, the events in their order; who calls stores them and empties it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN
from decimal import Decimal

import attrs

from gatehook.kinds.amounts import Money
from gatehook.kinds.commands import OrderList
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.prices import Candle
from gatehook.kinds.prices import Tick
from gatehook.kinds.times import Ns

from . import commands
from .acceptance import prepare
from .arithmetic import mul
from .arithmetic import to_step
from .book import Working
from .ledger import unit
from .life import accept
from .life import cancel
from .life import expire_due
from .lists import prepare_list
from .lists import tie
from .marks import Mark
from .matching import Walk
from .matching import walk_leg
from .matching import walk_path
from .path import candle_path
from .path import cut_path
from .path import point
from .state import State
from .swap import book_swap
from .swap import swap_times


class Engine:
    """The venue at work on its state."""

    def __init__(self, state: State) -> None:
        self.state = state

    def submit(self, request: OrderRequest, now: Ns) -> Order:
        """Take an order; where there is a standing quote it meets it at once, otherwise the next price.

        Raises:
            Denied, Rejected, NotFound: then nothing changed.
        """
        self.pass_time(now)
        working = prepare(self.state, request, now)
        commands.check_money(self.state, [working])
        self._take([working], now)
        self._meet([working], now)
        return working.order

    def submit_list(self, orders: OrderList, now: Ns) -> tuple[Order, ...]:
        """Take all orders of a list, or none.

        Raises:
            Denied, Rejected, NotFound: then nothing changed.
        """
        self.pass_time(now)
        workings = prepare_list(self.state, orders, now)
        commands.check_money(self.state, workings)
        self._take(workings, now)
        tie(orders, workings)
        self._meet(workings, now)
        return tuple(one.order for one in workings)

    def _take(self, workings: Sequence[Working], now: Ns) -> None:
        for working in workings:
            self.state.counters.order += 1
            working.seq = self.state.next_seq()
            working.order = attrs.evolve(working.order, venue_order_id=f"P{self.state.counters.order}")
            accept(self.state, working, now)

    def _meet(self, workings: Sequence[Working], now: Ns) -> None:
        """Let orders meet the standing quote; a candle's close is past and is met by nobody."""
        instrument_id = workings[0].order.request.instrument_id
        mark = self.state.marks[instrument_id]
        if mark.period:
            return
        quoted = mark.ts
        leg = point(now, mark.bid, mark.ask)
        only = frozenset(one.id for one in workings)
        walk_leg(Walk(self.state, instrument_id, leg, opening=True, only=only))
        mark.ts = quoted

    def working(self, ref: OrderRef) -> Working | None:
        """Return the working order that is named, ``None`` if none is.

        Raises:
            NotFound: for an account this venue does not have.
        """
        self.state.account(ref.account)
        found = None if ref.venue_order_id is None else self.state.book.get(ref.venue_order_id)
        if ref.client_order_id is not None:
            by_client = self.state.book.find(ref.account.account_id, ref.client_order_id)
            found = by_client if ref.venue_order_id is None or found is by_client else None
        return found if found is not None and found.order.request.account == ref.account else None

    def cancel(self, working: Working, now: Ns) -> Order:
        """Cancel what is left of a working order."""
        self.pass_time(now)
        cancel(self.state, working, now, "requested", "canceled as requested")
        return working.order

    def cancel_all(self, account_id: str, instrument_id: InstrumentId | None, now: Ns) -> tuple[Order, ...]:
        """Cancel all working orders of an account, or those of one instrument."""
        self.pass_time(now)
        wanted = [
            one
            for one in self.state.book
            if one.order.request.account.account_id == account_id
            and instrument_id in (None, one.order.request.instrument_id)
        ]
        return tuple(self.cancel(one, now) for one in wanted)

    def amend(self, working: Working, change: OrderChange, now: Ns) -> Order:
        """Change a working order.

        Raises:
            Denied, Rejected: then nothing changed.
        """
        commands.amend(self.state, working, change, now)
        self._meet([working], now)
        return working.order

    def close_position(self, ref: PositionRef, quantity: Decimal | None, command_id: str, now: Ns) -> Order:
        """Close a position at the market.

        Raises:
            Denied, Rejected, NotFound: then nothing changed.
        """
        return self.submit(commands.closing_order(self.state, ref, quantity, command_id), now)

    def protect(self, ref: PositionRef, protection: Protection, now: Ns) -> None:
        """Set a position's protection.

        Raises:
            Denied, Rejected, NotFound: then nothing changed.
        """
        self.pass_time(now)
        commands.protect(self.state, ref, protection, now)

    def estimate(self, request: OrderRequest, now: Ns) -> Money:
        """Return what an order would put aside, in the account's currency, rounded to its unit.

        Raises:
            Denied, Rejected, NotFound: as submitting it would.
        """
        working = prepare(self.state, request, now)
        currency = self.state.account_of(working).settings.currency
        amount = mul(working.reserve_rate, working.opening)
        return Money(amount.quantize(unit(currency), ROUND_HALF_EVEN), currency)

    def reset(self, now: Ns) -> None:
        """Cancel all orders, drop all positions, and give every account its first balance again. Ids stay used."""
        for account_id in self.state.accounts:
            self.cancel_all(account_id, None, now)
        for holding in self.state.holdings.values():
            self.state.touch_holding(holding)
        self.state.holdings.clear()
        self.state.accounts.clear()
        self.state.open_accounts()

    def on_quote(self, tick: Tick, now: Ns) -> None:
        """Meet a quote. One without both sides, crossed, or older than the last is no price."""
        bid, ask = tick.bid, tick.ask
        if bid is None or ask is None or bid > ask or self._is_old(tick.instrument_id, tick.ts_event, now):
            return
        step = self.state.instruments[tick.instrument_id].size_increment
        self.state.marks[tick.instrument_id] = Mark(
            tick.ts_event, bid, ask, buys=_floor(tick.ask_size, step), sells=_floor(tick.bid_size, step)
        )
        if self._concerns(tick.instrument_id):
            walk_path(self.state, tick.instrument_id, (point(tick.ts_event, bid, ask),))

    def on_candle(self, candle: Candle, now: Ns) -> None:
        """Meet the path of a closed candle. One that is not closed yet, or was met already, is no price."""
        if not candle.closed or self._is_old(candle.instrument_id, candle.ts_open, now):
            return
        path = candle_path(candle, self.state.settings.spread_of(candle.instrument_id))
        last = path[-1]
        size = self._volume(candle)
        mark = Mark(
            candle.ts_close,
            last.bid1,
            last.bid1 + last.spread,
            candle.ts_close - candle.ts_open,
            buys=size,
            sells=size,
            pooled=True,
        )
        self.state.marks[candle.instrument_id] = mark
        if self._concerns(candle.instrument_id):
            step = self.state.instruments[candle.instrument_id].price_increment
            walk_path(self.state, candle.instrument_id, cut_path(path, self._cuts(candle), step))
        mark.ts = candle.ts_close

    def _volume(self, candle: Candle) -> Decimal | None:
        part = self.state.settings.participation
        if part is None or candle.volume is None:
            return None
        return _floor(mul(part, candle.volume), self.state.instruments[candle.instrument_id].size_increment)

    def _cuts(self, candle: Candle) -> list[Ns]:
        """Return the times inside a candle at which something begins or ends."""
        instrument_id = candle.instrument_id
        times = swap_times(self.state, instrument_id, candle.ts_open, candle.ts_close)
        for working in self.state.book.of(instrument_id):
            times.append(working.since)
            if working.expires is not None:
                times.append(working.expires)
        times.extend(holding.protected_since for holding in self.state.held_in(instrument_id))
        return times

    def _concerns(self, instrument_id: InstrumentId) -> bool:
        return self.state.book.any(instrument_id) or any(True for _ in self.state.held_in(instrument_id))

    def _is_old(self, instrument_id: InstrumentId, ts: Ns, now: Ns) -> bool:
        """Say whether a price is older than the last; a last price from the future means that the market began anew."""
        mark = self.state.marks.get(instrument_id)
        if self.state.swapped.get(instrument_id, now) > now:
            self.state.swapped[instrument_id] = ts
        return instrument_id not in self.state.instruments or (mark is not None and ts < mark.ts <= now)

    def pass_time(self, now: Ns) -> None:
        """Let time pass without a price: orders expire, nights are paid for."""
        for working in self.state.book.expiring():
            expire_due(self.state, working.order.request.instrument_id, self._known(working, now))
        for instrument_id in self.state.settings.swaps:
            if instrument_id in self.state.marks:
                book_swap(self.state, instrument_id, self._known_time(instrument_id, now))

    def _known(self, working: Working, now: Ns) -> Ns:
        return self._known_time(working.order.request.instrument_id, now)

    def _known_time(self, instrument_id: InstrumentId, now: Ns) -> Ns:
        """Return up to when prices are known: a candle that is still to come may hold what happened before ``now``."""
        mark = self.state.marks.get(instrument_id)
        return mark.ts if mark is not None and mark.ts <= now < mark.ts + mark.period else now


def _floor(size: Decimal | None, step: Decimal) -> Decimal | None:
    return None if size is None else to_step(size, step, up=False)
