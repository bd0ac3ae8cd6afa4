"""One instrument's orders meet one piece of path.

Along a leg the next thing to happen is the nearest; what happens at one price is ordered: triggers first, then trades
by price and then by time. After each the search starts anew from there, so that what it set in motion takes part.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import attrs

from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Side
from gatehook.kinds.times import Ns

from .arithmetic import ZERO
from .book import Working
from .execution import fire_protection
from .execution import trade
from .execution import triggered
from .holdings import Holding
from .life import expire_due
from .path import Leg
from .path import reached
from .state import State
from .stop_out import stop_out
from .swap import book_swap

_TRIGGER: Final = 0
_TRADE: Final = 1


@attrs.frozen
class Due:
    """The next thing to happen: how far along the leg, in which order at that price, at what price, to whom."""

    rank: tuple[Decimal, int, Decimal, int]
    price: Decimal
    side: Side
    who: Working | Holding
    stop: bool = False


@attrs.define
class Walk:
    """A walk along a path.

    Attributes:
        leg: what is left of the leg it is on; ``rest`` the legs after that.
        opening: whether this is the first point of a path: what it fills came before anything else in the bar.
        passed: those whose stop-loss is met later in the bar, so that they are not filled in it.
        only: the orders that take part, ``None`` for all; used when new orders meet a quote that the others know.
    """

    state: State
    instrument_id: InstrumentId
    leg: Leg
    rest: tuple[Leg, ...] = ()
    opening: bool = False
    passed: set[str] = attrs.field(factory=set)
    only: frozenset[str] | None = None

    def orders(self) -> Iterator[Working]:
        """Yield the orders that take part now."""
        for working in self.state.book.of(self.instrument_id):
            if working.id in self.passed or not working.visible(self.leg.ts0):
                continue
            if self.only is None or working.id in self.only or working.parent in self.only:
                yield working


def walk_path(state: State, instrument_id: InstrumentId, legs: tuple[Leg, ...]) -> None:
    """Let everything that works on an instrument meet a path."""
    passed: set[str] = set()
    for index, leg in enumerate(legs):
        expire_due(state, instrument_id, leg.ts0)
        book_swap(state, instrument_id, leg.ts0)
        _set_mark(state, instrument_id, leg.ts0, leg.bid0, leg.spread)
        walk = Walk(state, instrument_id, leg, legs[index + 1 :], index == 0, passed)
        _trail(state, instrument_id, leg.ts0)
        walk_leg(walk)
        _set_mark(state, instrument_id, leg.ts1, leg.bid1, leg.spread)
        _trail(state, instrument_id, leg.ts1)
        stop_out(state, instrument_id, leg.ts1)


def walk_leg(walk: Walk) -> None:
    """Do all that is due along one leg."""
    while (due := _next(walk)) is not None:
        if not walk.opening and _stop_follows(walk, due):
            walk.passed.add(_name(due.who))
            continue
        walk.leg = walk.leg.after(due.side, due.price)
        _set_mark(walk.state, walk.instrument_id, walk.leg.ts0, walk.leg.bid0, walk.leg.spread)
        _do(walk.state, due, walk.leg.ts0)
    for working in walk.orders():
        if working.active and not working.seen:
            working.seen = True
            walk.state.touch(working)


def _do(state: State, due: Due, ts: Ns) -> None:
    if isinstance(due.who, Holding):
        fire_protection(state, due.who, due.price, ts, stop=due.stop)
    elif due.who.active:
        trade(state, due.who, due.price, ts)
    else:
        triggered(state, due.who, due.price, ts)


def _name(who: Working | Holding) -> str:
    return who.id if isinstance(who, Working) else who.position_id


def _next(walk: Walk) -> Due | None:
    dues = [due for working in walk.orders() if (due := _due(walk, working)) is not None]
    for holding in walk.state.held_in(walk.instrument_id):
        if holding.protected and holding.closing is None and holding.protected_since <= walk.leg.ts0:
            dues.extend(_protection(walk, holding))
    return min(dues, key=lambda due: due.rank, default=None)


def _due(walk: Walk, working: Working) -> Due | None:
    side, leg = working.side, walk.leg
    if not working.active:
        price = _along(leg, side, working.trigger, rising=side is Side.BUY)
        rank = _TRIGGER
    else:
        price = _meeting(walk, working)
        rank = _TRADE
    if price is None or _too_late(working, leg, price):
        return None
    eager = ZERO if rank == _TRIGGER else _eagerness(working, price)
    return Due((abs(price - leg.start(side)), rank, eager, working.seq), price, side, working)


def _along(leg: Leg, side: Side, level: Decimal | None, *, rising: bool, strict: bool = False) -> Decimal | None:
    if level is None:
        return None
    return reached(leg.start(side), leg.end(side), level, rising=rising, strict=strict)


def _meeting(walk: Walk, working: Working) -> Decimal | None:
    """Return the price at which an active order trades next on this leg, ``None`` if it does not."""
    side, start = working.side, walk.leg.start(working.side)
    if working.immediate:
        return start
    if walk.state.marks[walk.instrument_id].left(side) == 0:
        return None
    if working.limit is None:
        return start
    rising = side is Side.SELL
    takes = not working.seen and not working.order.request.post_only
    if takes and reached(start, start, working.limit, rising=rising) is not None:
        return start
    return _along(walk.leg, side, working.limit, rising=rising, strict=_strict(walk))


def _strict(walk: Walk) -> bool:
    return walk.state.settings.limit_fill == "through"


def _too_late(working: Working, leg: Leg, price: Decimal) -> bool:
    """Say whether a price is met only at the leg's end, at which time the order has expired."""
    ends = working.expires is not None and working.expires <= leg.ts1
    return ends and price == leg.end(working.side) != leg.start(working.side)


def _eagerness(working: Working, price: Decimal) -> Decimal:
    """Rank what trades at one price: without a limit first, then the limit that is further beyond it."""
    return Decimal("-Infinity") if working.limit is None else -abs(working.limit - price)


def _protection(walk: Walk, holding: Holding) -> Iterator[Due]:
    side, leg = holding.side.opposite, walk.leg
    rising = side is Side.BUY
    if (price := _along(leg, side, holding.stop, rising=rising)) is not None:
        yield Due((abs(price - leg.start(side)), _TRIGGER, ZERO, 0), price, side, holding, stop=True)
    if holding.position_id in walk.passed or walk.state.marks[walk.instrument_id].left(side) == 0:
        return
    target = _along(leg, side, holding.take_profit, rising=not rising, strict=_strict(walk))
    if target is not None:
        yield Due((abs(target - leg.start(side)), _TRADE, ZERO, 0), target, side, holding)


def _stop_follows(walk: Walk, due: Due) -> bool:
    """Say whether the bar that fills a take-profit also meets its stop-loss: then the stop-loss it is."""
    legs = (walk.leg, *walk.rest)
    if isinstance(due.who, Holding):
        return not due.stop and due.who.stops_in(legs)
    if not due.who.active or due.who.is_stop:
        return False
    siblings = (walk.state.book.get(one) for one in due.who.siblings)
    return any(one is not None and _fires(one, legs) for one in siblings)


def _fires(working: Working, legs: tuple[Leg, ...]) -> bool:
    if working.active or working.held or not working.visible(legs[0].ts0):
        return False
    if working.trail is not None:
        return working.trail.fires_in(legs)
    return any(_along(leg, working.side, working.trigger, rising=working.side is Side.BUY) is not None for leg in legs)


def _set_mark(state: State, instrument_id: InstrumentId, ts: Ns, bid: Decimal, spread: Decimal) -> None:
    mark = state.marks[instrument_id]
    mark.ts, mark.bid, mark.ask = ts, bid, bid + spread


def _trail(state: State, instrument_id: InstrumentId, ts: Ns) -> None:
    """Move what follows the market; called at the points of the path, so before the next leg's triggers are tested."""
    mark = state.marks[instrument_id]
    for working in state.book.of(instrument_id):
        if working.trail is not None and not working.active and working.visible(ts):
            moved = working.trail.moved(mark.price(working.side))
            if moved is not working.trail:
                working.trail = moved
                state.touch(working)
    for holding in state.held_in(instrument_id):
        if holding.trail is not None and holding.protected_since <= ts:
            moved = holding.trail.moved(mark.price(holding.trail.side))
            if moved is not holding.trail:
                holding.trail = moved
                state.touch_holding(holding)
