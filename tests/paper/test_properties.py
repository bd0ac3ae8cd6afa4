"""What holds for every flow of orders and prices."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from builtin_plugins.paper.engine import Engine
from builtin_plugins.paper.record import batch
from builtin_plugins.paper.record import restore
from builtin_plugins.paper.store import Store
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.codec import to_json
from gatehook.kinds.orders import TRANSITIONS
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from tests.paper.flows import Action
from tests.paper.flows import Play
from tests.paper.flows import bars
from tests.paper.flows import flows
from tests.paper.flows import quotes

RULES: dict[str, Any] = {
    "commission_rate": Decimal("0.0003"),
    "participation": Decimal("0.5"),
    "spread": Decimal("0.0002"),
}
EITHER = st.one_of(flows(bars), flows(quotes))
MODES = st.sampled_from([PositionMode.NETTING, PositionMode.HEDGING])
FEW = settings(max_examples=80, deadline=None)


def orders_of(play: Play) -> dict[str, list[Order]]:
    found: dict[str, list[Order]] = {}
    for one in play.events:
        if isinstance(one, Order):
            found.setdefault(str(one.venue_order_id), []).append(one)
    return found


def signed(side: Side, amount: Decimal) -> Decimal:
    return amount if side is Side.BUY else -amount


def fills_of(play: Play) -> list[Fill]:
    return [one for one in play.events if isinstance(one, Fill)]


@FEW
@given(EITHER, MODES)
def test_quantities_add_up_and_states_move_by_the_table(flow: list[Action], mode: PositionMode) -> None:
    play = Play(mode, **RULES).run(flow)
    traded: dict[str, Decimal] = {}
    for fill in fills_of(play):
        traded[fill.venue_order_id] = traded.get(fill.venue_order_id, Decimal(0)) + fill.quantity
    for name, states in orders_of(play).items():
        for before, after in pairwise(states):
            assert after.version == before.version + 1
            assert after.ts_last >= before.ts_last
            assert after.status is before.status or after.status in TRANSITIONS[before.status]
        for one in states:
            assert one.filled + one.leaves + one.canceled == one.request.quantity
            assert (one.leaves == 0) is one.status.is_final
        assert states[-1].filled == traded.get(name, 0)


@FEW
@given(EITHER, MODES)
def test_value_is_conserved_less_fees(flow: list[Action], mode: PositionMode) -> None:
    play = Play(mode, **RULES).run(flow)
    account = play.engine.state.accounts["main"]
    cash = Decimal(500)
    for fill in fills_of(play):
        worth = fill.quantity * fill.price
        cash += (worth if fill.side is Side.SELL else -worth) - worth * RULES["commission_rate"]
    held = sum(
        (one.cost if one.side is Side.BUY else -one.cost for one in play.engine.state.holdings.values()), Decimal(0)
    )
    assert account.balance + account.residuals.get("USD", Decimal(0)) == cash + held
    assert account.balance == account.balance.quantize(Decimal("0.01"))


@FEW
@given(EITHER, MODES)
def test_no_fill_is_beyond_its_limit(flow: list[Action], mode: PositionMode) -> None:
    play = Play(mode, **RULES).run(flow)
    limits = {name: [one.request.price for one in states] for name, states in orders_of(play).items()}
    sides = {name: states[0].request.side for name, states in orders_of(play).items()}
    for fill in fills_of(play):
        known = [one for one in limits[fill.venue_order_id] if one is not None]
        if known and sides[fill.venue_order_id] is Side.BUY:
            assert fill.price <= max(known)
        elif known:
            assert fill.price >= min(known)


@FEW
@given(flows(bars))
def test_price_then_time(flow: list[Action]) -> None:
    """What is filled in a bar leaves no plain limit order behind that was at least as good and older."""

    def check(play: Play) -> None:
        before = {one.id for one in check_before}
        filled = {one.venue_order_id for one in play.take() if isinstance(one, Fill)}
        waiting = [one for one in play.engine.state.book if one.id in before and not one.siblings]
        for done in (one for one in check_before if one.id in filled and not one.siblings):
            for left in waiting:
                if left is not done and plain(left) and plain(done) and left.side is done.side and better(left, done):
                    raise AssertionError(f"{done.id} was filled before {left.id}")
        check_before[:] = list(play.engine.state.book)

    check_before: list[Any] = []
    Play(PositionMode.NETTING, **RULES).run([one for one in flow if one[0] != "amend"], check)


def plain(working: Any) -> bool:
    request = working.order.request
    return (
        request.type is OrderType.LIMIT and not request.reduce_only and not working.immediate and not request.post_only
    )


def better(one: Any, other: Any) -> bool:
    gain = (one.limit - other.limit) * (1 if one.side is Side.BUY else -1)
    return one.since <= other.since and (gain > 0 or (gain == 0 and one.seq < other.seq))


@FEW
@given(EITHER)
def test_reduce_only_never_opens_and_never_flips(flow: list[Action]) -> None:
    play = Play(PositionMode.NETTING, **RULES).run(flow)
    reducing = {name for name, states in orders_of(play).items() if states[0].request.reduce_only}
    position = Decimal(0)
    for fill in fills_of(play):
        after = position + (fill.quantity if fill.side is Side.BUY else -fill.quantity)
        if fill.venue_order_id in reducing:
            assert abs(after) < abs(position)
            assert after * position >= 0
        position = after
    held = sum(
        (one.quantity if one.side is Side.BUY else -one.quantity for one in play.engine.state.holdings.values()),
        Decimal(0),
    )
    assert position == held


@FEW
@given(EITHER, MODES)
def test_of_two_that_cancel_each_other_one_at_most_is_filled(flow: list[Action], mode: PositionMode) -> None:
    play = Play(mode, **RULES).run(flow)
    filled = {fill.client_order_id for fill in fills_of(play)}
    for pair in play.pairs:
        assert len(filled & set(pair)) <= 1


@FEW
@given(EITHER, MODES)
def test_what_is_reserved_is_what_working_orders_say(flow: list[Action], mode: PositionMode) -> None:
    play = Play(mode, **RULES).run(flow)
    working = [one.reserved for one in play.engine.state.book]
    reserved = play.engine.state.accounts["main"].reserved
    assert sum(reserved.values(), Decimal(0)) == sum(working, Decimal(0))
    assert all(amount > 0 for amount in reserved.values())


@FEW
@given(EITHER, MODES)
def test_the_same_flow_gives_the_same_events(flow: list[Action], mode: PositionMode) -> None:
    assert Play(mode, **RULES).run(flow).events == Play(mode, **RULES).run(flow).events


@settings(max_examples=50, deadline=None)
@given(EITHER, MODES, st.integers(0, 24))
def test_a_restart_anywhere_changes_nothing(flow: list[Action], mode: PositionMode, place: int) -> None:
    with TemporaryDirectory() as directory:
        check_restart(flow, mode, place, Store(Path(directory) / "paper.sqlite"))


def check_restart(flow: list[Action], mode: PositionMode, place: int, store: Store) -> None:
    steps = iter(range(len(flow)))

    def once(play: Play) -> None:
        if next(steps) == place:
            play.take()
            reload(play, store)

    straight, broken = Play(mode, **RULES).run(flow), Play(mode, **RULES).run(flow, once)
    store.close()
    assert [to_json(one) for one in broken.events] == [to_json(one) for one in straight.events]


def reload(play: Play, store: Store) -> None:
    """Store everything there is and begin again from what was stored."""
    state = play.engine.state
    state.changes.orders = {one.id for one in state.book}
    state.changes.holdings = set(state.holdings)
    state.changes.accounts = set(state.accounts)
    store.save_instruments(state.instruments.values())
    store.save(batch(state, {}, all_marks=True))
    play.engine = Engine(restore(state.settings, store.load()))
    assert play.engine.state.book is not state.book


def test_the_flows_reach_what_they_are_for() -> None:
    """Over a fixed number of examples every status and both kinds of refusal are met."""
    met: set[str] = set()

    @settings(max_examples=200, deadline=None, derandomize=True, database=None)
    @given(EITHER, MODES)
    def play(flow: list[Action], mode: PositionMode) -> None:
        for one in Play(mode, **RULES).run(flow).events:
            met.add(f"{one.status} {one.reason.code if one.reason else None}" if isinstance(one, Order) else "fill")

    play()
    wanted = {"fill", "filled None", "partially_filled None", "triggered None", "canceled requested", "canceled ioc"}
    assert wanted | {"canceled oco", "expired expired"} <= met
