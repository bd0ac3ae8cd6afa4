"""Generated flows of orders and prices, and playing them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.commands import Contingency
from gatehook.kinds.commands import OrderList
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import MINUTE
from tests.paper.kit import REAL
from tests.paper.kit import T0
from tests.paper.kit import candle
from tests.paper.kit import order
from tests.paper.kit import quote

Action = tuple[Any, ...]


def price(points: int) -> str:
    return str(Decimal(11000 + points) / 10000)


levels = st.integers(-40, 40)
sides = st.sampled_from(list(Side))
orders = st.fixed_dictionaries(
    {
        "side": sides,
        "kind": st.sampled_from(list(OrderType)),
        "quantity": st.integers(1, 300),
        "limit": levels,
        "trigger": levels,
        "offset": st.integers(1, 20),
        "tif": st.sampled_from([None, *TimeInForce]),
        "minutes": st.integers(1, 120),
        "post_only": st.sampled_from([False, False, True]),
        "reduce_only": st.sampled_from([False, False, True]),
        "stop": st.none() | st.none() | st.integers(1, 30),
        "target": st.none() | st.none() | st.integers(1, 30),
    }
)
bars = st.tuples(st.just("bar"), levels, levels, levels, levels, st.integers(0, 900))
quotes = st.tuples(st.just("quote"), levels, st.integers(0, 5), st.integers(0, 200))
actions = st.one_of(
    st.tuples(st.just("submit"), orders, st.integers(0, 59)),
    st.tuples(st.just("oco"), sides, st.integers(1, 30), st.integers(1, 30), st.integers(1, 200)),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(st.just("amend"), st.integers(0, 20), st.integers(1, 300), levels),
)


def flows(prices: st.SearchStrategy[Action]) -> st.SearchStrategy[list[Action]]:
    return st.lists(st.one_of(actions, prices, prices), min_size=6, max_size=25)


def request(fields: dict[str, Any], name: str, now: int) -> Any:
    kind, sign = fields["kind"], 1 if fields["side"] is Side.BUY else -1
    limited = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    entry = fields["limit"] if limited else 0
    return order(
        fields["side"],
        kind,
        fields["quantity"],
        client_order_id=name,
        price=price(fields["limit"]) if limited else None,
        trigger_price=price(fields["trigger"]) if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
        trailing=Trailing(offset=fields["offset"], unit=TrailingUnit.POINTS)
        if kind is OrderType.TRAILING_STOP
        else None,
        time_in_force=fields["tif"],
        expire_at=now + fields["minutes"] * MINUTE if fields["tif"] is TimeInForce.GTD else None,
        post_only=fields["post_only"] and limited,
        reduce_only=fields["reduce_only"],
        stop_loss=None if fields["stop"] is None else price(entry - sign * fields["stop"]),
        take_profit=None if fields["target"] is None else price(entry + sign * fields["target"]),
    )


class Play:
    """A flow as it is played: the engine, its events, and what was asked."""

    def __init__(self, mode: PositionMode, **settings: Any) -> None:
        self.engine = REAL.opened(REAL.account(mode=mode, balance="500", leverage="1"), **settings)
        self.now = T0
        self.hour = 0
        self.events: list[Order | Fill] = []
        self.pairs: list[tuple[str, str]] = []
        self.names: list[str] = []

    def run(self, flow: list[Action], between: Callable[[Play], None] | None = None) -> Play:
        """Play all actions, calling ``between`` after each."""
        for number, action in enumerate(flow):
            with suppress(ProviderError):  # a refusal is a result; that it changes nothing shows in what follows
                getattr(self, action[0])(f"o{number}", *action[1:])
            if between is not None:
                between(self)
        self.take()
        return self

    def take(self) -> list[Order | Fill]:
        """Collect the events since the last time."""
        new = [one for one in self.engine.state.changes.events if isinstance(one, (Order, Fill))]
        self.events.extend(new)
        REAL.forget(self.engine)
        return new

    def submit(self, name: str, fields: dict[str, Any], minute: int) -> None:
        self.now = max(self.now, T0 + self.hour * HOUR + minute * MINUTE)
        self.names.append(name)
        self.engine.submit(request(fields, name, self.now), self.now)

    def oco(self, name: str, side: Side, up: int, down: int, quantity: int) -> None:
        over, under = price(up), price(-down)
        target = over if side is Side.SELL else under
        stop = under if side is Side.SELL else over
        first = order(side, OrderType.LIMIT, quantity, client_order_id=f"{name}a", price=target)
        second = order(side, OrderType.STOP, quantity, client_order_id=f"{name}b", trigger_price=stop)
        listed = OrderList(list_id=name, contingency=Contingency.OCO, orders=(first, second))
        self.engine.submit_list(listed, self.now)
        self.pairs.append((f"{name}a", f"{name}b"))

    def cancel(self, name: str, place: int) -> None:
        working = list(self.engine.state.book)
        if place < len(working):
            self.engine.cancel(working[place], self.now)

    def amend(self, name: str, place: int, quantity: int, limit: int) -> None:
        working = list(self.engine.state.book)
        if place < len(working):
            limited = working[place].limit is not None
            change = OrderChange(quantity=quantity, price=price(limit) if limited else None)
            self.engine.amend(working[place], change, self.now)

    def bar(self, name: str, *values: int) -> None:
        *four, volume = values
        low, *middle, high = sorted(four)
        text = f"{price(middle[0])} {price(high)} {price(low)} {price(middle[1])}"
        made = candle(text, T0 + self.hour * HOUR, volume=str(volume))
        self.hour += 1
        self.now = T0 + self.hour * HOUR
        self.engine.on_candle(made, self.now)

    def quote(self, name: str, bid: int, spread: int, size: int) -> None:
        self.now += MINUTE
        self.engine.on_quote(quote(price(bid), price(bid + spread), self.now, size=str(size)), self.now)
