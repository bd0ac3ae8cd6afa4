"""The provider statements for brokers: what holds for a raw ``Broker``, whoever asks it."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from typing import ClassVar

import anyio
import attrs
import pytest

from gatehook.kinds.accounts import Mode
from gatehook.kinds.amounts import plain
from gatehook.kinds.broker import Evidence
from gatehook.kinds.capabilities import AbsenceProof
from gatehook.kinds.checks import quantize_price
from gatehook.kinds.checks import quantize_quantity
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.errors import Ambiguous
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import OrderNotCancellable
from gatehook.kinds.errors import PostOnlyWouldTake
from gatehook.kinds.errors import Rejected
from gatehook.kinds.errors import UnitMismatch
from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRef
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.orders import TimeInForce
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit
from gatehook.testing.rig import BrokerRig
from gatehook.testing.rig import Fault
from gatehook.testing.statements import Suite

TRAILING = Trailing(offset=50, unit=TrailingUnit.POINTS)


@pytest.mark.anyio
class BrokerSuite(Suite):
    """Inherit it, and give a fixture ``rig`` that yields a ``BrokerRig``."""

    suite: ClassVar[str] = "broker"

    async def test_05_an_id_over_the_venues_limit_is_denied_and_never_truncated(self, rig: BrokerRig) -> None:
        longest = rig.declared.client_order_id_length
        await refused(rig, InvalidOrder, rig.order(client_order_id="x" * (longest + 1)), "client_order_id")
        order = await rig.broker.submit_order(rig.order(client_order_id="x" * longest))
        assert order.request.client_order_id == "x" * longest

    async def test_07_a_breach_of_an_instruments_bounds_names_the_bound_and_sends_nothing(self, rig: BrokerRig) -> None:
        instrument = rig.instrument
        half_step, half_tick = instrument.size_increment / 2, instrument.price_increment / 2
        await refused(rig, InvalidOrder, rig.order(quantity=rig.lot + half_step), "size_increment")
        price = rig.away(Side.BUY) + half_tick
        await refused(rig, InvalidOrder, rig.order(OrderType.LIMIT, price=price), "price_increment")
        if instrument.max_quantity is not None:
            above = instrument.max_quantity + instrument.size_increment
            await refused(rig, InvalidOrder, rig.order(quantity=above), "max_quantity")
        if instrument.min_quantity is not None and instrument.min_quantity > instrument.size_increment:
            below = instrument.min_quantity - instrument.size_increment
            await refused(rig, InvalidOrder, rig.order(quantity=below), "min_quantity")
        if instrument.min_notional is not None:
            cheap = instrument.price_increment
            await refused(rig, InvalidOrder, rig.order(OrderType.LIMIT, price=cheap), "min_notional")

    async def test_08_values_are_never_rounded_silently(self, rig: BrokerRig) -> None:
        step, tick = rig.instrument.size_increment, rig.instrument.price_increment
        uneven = rig.lot + step / 3
        with pytest.raises(InvalidOrder):
            await rig.broker.submit_order(rig.order(quantity=uneven))
        quantity = quantize_quantity(uneven, step)
        price = quantize_price(rig.away(Side.BUY) + tick / 3, tick, Side.BUY, OrderType.LIMIT)
        order = await rig.broker.submit_order(rig.order(OrderType.LIMIT, quantity=quantity, price=price))
        assert (order.request.quantity, order.request.price) == (quantity, price)

    async def test_09_decimals_reach_the_venue_to_the_last_digit(self, rig: BrokerRig) -> None:
        for value in (0.1, True, float("nan")):
            with pytest.raises(TypeError):
                rig.order(quantity=value)
        request = rig.order(OrderType.LIMIT)
        await rig.broker.submit_order(request)
        found = (await rig.found(request)).request
        assert found.price is not None
        assert request.price is not None
        assert plain(found.price.normalize()) == plain(request.price.normalize())
        assert plain(found.quantity.normalize()) == plain(request.quantity.normalize())

    async def test_10_what_is_declared_is_taken_and_nothing_else(self, rig: BrokerRig) -> None:
        for kind in OrderType:
            trailing = TRAILING if kind is OrderType.TRAILING_STOP else None
            order = await taken_if(rig, kind in rig.declared.order_types, rig.order(kind, trailing=trailing))
            assert kind is OrderType.MARKET or order is None or order.filled == 0, f"{kind}: filled at another price"
        for tif in TimeInForce:
            expiry = rig.host.clock.now() + 3600 * 10**9 if tif is TimeInForce.GTD else None
            request = rig.order(OrderType.LIMIT, time_in_force=tif, expire_at=expiry)
            await taken_if(rig, tif is TimeInForce.GTC or tif in rig.declared.times_in_force, request)
        await taken_if(rig, rig.declared.post_only, rig.order(OrderType.LIMIT, post_only=True))
        if not rig.declared.reduce_only:
            await refused(rig, UnsupportedCapability, rig.order(reduce_only=True), "reduce_only")
        protected = rig.order(OrderType.LIMIT, stop_loss=rig.away(Side.BUY, 300))
        await taken_if(rig, rig.declared.order_protection, protected)
        await taken_if(rig, rig.declared.order_trailing, rig.order(trailing=TRAILING))

    async def test_12_a_side_is_never_defaulted(self, rig: BrokerRig) -> None:
        fields = {name: getattr(rig.order(), name) for name in ("client_order_id", "account", "instrument_id", "type")}
        with pytest.raises(TypeError, match="side"):
            OrderRequest(**fields, quantity=rig.lot, quantity_unit=rig.instrument.quantity_unit)
        for unit in {"lots", "contracts", "base"} - {rig.instrument.quantity_unit}:
            await refused(rig, UnitMismatch, rig.order(quantity_unit=type(rig.instrument.quantity_unit)(unit)), unit)

    async def test_13_without_an_explicit_word_no_account_is_live(self, rig: BrokerRig) -> None:
        assert {one.mode for one in await rig.broker.list_accounts()} <= {Mode.PAPER, Mode.DEMO}

    async def test_14_a_failure_before_the_first_byte_proves_that_nothing_was_sent(self, rig: BrokerRig) -> None:
        rig.needs(Fault.REFUSE_CONNECTION, Fault.DROP_REPLY)
        request = rig.order()
        async with rig.venue.fault(Fault.REFUSE_CONNECTION):
            await refused(rig, NotConnected, request)
        async with rig.venue.fault(Fault.DROP_REPLY):
            await ambiguous(rig, rig.broker.submit_order(request))

    async def test_16_only_a_proven_refusal_is_rejected(self, rig: BrokerRig) -> None:
        rig.needs(Fault.UNMAPPED_CODE)
        async with rig.venue.fault(Fault.UNMAPPED_CODE):
            await ambiguous(rig, rig.broker.submit_order(rig.order()))

    async def test_18_an_orders_state_never_goes_backwards_in_its_events(self, rig: BrokerRig) -> None:
        rig.declares("supportsEvents", rig.declared.events)
        request = rig.order()
        async with rig.broker.events() as items:
            await rig.broker.submit_order(request)
            seen = await events_of(items, request)
        filled = [one.filled for one in seen if isinstance(one, Order)]
        assert filled == sorted(filled)
        assert filled[-1] == request.quantity
        assert sum(one.quantity for one in seen if isinstance(one, Fill)) == request.quantity

    async def test_19_ioc_fok_and_post_only_do_what_they_say(self, rig: BrokerRig) -> None:
        for tif in (TimeInForce.IOC, TimeInForce.FOK):
            if tif in rig.declared.times_in_force:
                order = await final(rig, rig.order(OrderType.LIMIT, time_in_force=tif))
                assert order.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED)
                assert order.filled == 0
        if TimeInForce.FOK in rig.declared.times_in_force:
            await rig.venue.quote(rig.bid, rig.ask, size=rig.lot)
            order = await final(rig, rig.order(OrderType.MARKET, quantity=2 * rig.lot, time_in_force=TimeInForce.FOK))
            assert order.filled == 0
        if rig.declared.post_only:
            crossing = rig.order(OrderType.LIMIT, price=rig.ask, post_only=True)
            assert (await rejected(rig, crossing)) == PostOnlyWouldTake.code

    async def test_20_reduce_only_never_opens_and_never_flips(self, rig: BrokerRig) -> None:
        rig.declares("supportsReduceOnly", rig.declared.reduce_only)
        await rejected(rig, rig.order(reduce_only=True))
        assert await rig.position() == 0
        await final(rig, rig.order(quantity=rig.lot))
        report = await rig.broker.list_positions(rig.account)
        reference = report.positions[0].position_id
        beyond = rig.order(side=Side.SELL, quantity=3 * rig.lot, reduce_only=True, position_id=reference)
        order = await final(rig, beyond)
        assert (order.filled, order.canceled) == (rig.lot, 2 * rig.lot)
        assert await rig.position() == 0

    async def test_21_a_partial_fill_is_exact(self, rig: BrokerRig) -> None:
        rig.declares("timesInForce ioc", TimeInForce.IOC in rig.declared.times_in_force)
        await rig.venue.quote(rig.bid, rig.ask, size=rig.lot)
        request = rig.order(OrderType.LIMIT, quantity=3 * rig.lot, price=rig.ask, time_in_force=TimeInForce.IOC)
        order = await final(rig, request)
        assert (order.filled, order.leaves, order.canceled) == (rig.lot, Decimal(0), 2 * rig.lot)

    async def test_22_quantities_add_up_at_every_moment(self, rig: BrokerRig) -> None:
        resting = rig.order(OrderType.LIMIT)
        for request in (rig.order(), resting):
            balanced(await rig.broker.submit_order(request))
        balanced(await rig.broker.cancel_order(resting.ref, command_id="c-22"))
        page = await rig.broker.list_orders(rig.account, open_only=False)
        fills = (await rig.broker.list_fills(rig.account)).items
        for order in page.items:
            balanced(order)
            assert order.filled >= sum(one.quantity for one in fills if one.venue_order_id == order.venue_order_id)

    async def test_23_a_second_cancel_changes_nothing(self, rig: BrokerRig) -> None:
        request = rig.order(OrderType.LIMIT)
        await rig.broker.submit_order(request)
        await rig.broker.cancel_order(request.ref, command_id="c-23a")
        canceled = await rig.settled(request)
        assert (canceled.status, canceled.canceled) == (OrderStatus.CANCELED, request.quantity)
        with pytest.raises(OrderNotCancellable):
            await rig.broker.cancel_order(request.ref, command_id="c-23b")
        assert await rig.found(request) == canceled

    async def test_24_a_filled_order_cannot_be_canceled(self, rig: BrokerRig) -> None:
        filled = await final(rig, rig.order())
        with pytest.raises(OrderNotCancellable):
            await rig.broker.cancel_order(filled.ref, command_id="c-24")
        assert (await rig.found(filled.request)).status is OrderStatus.FILLED
        assert await rig.position() == filled.filled

    async def test_25_cancel_of_an_unknown_order_proves_nothing(self, rig: BrokerRig) -> None:
        never_sent = OrderRef(account=rig.account, client_order_id="never-sent")
        with pytest.raises((NotFound, OrderNotCancellable)):
            await rig.broker.cancel_order(never_sent, command_id="c-25")
        lookup = await rig.broker.get_order(never_sent)
        proof = rig.declared.absence_proof is not AbsenceProof.NONE
        assert lookup.evidence is (Evidence.ABSENT if proof else Evidence.INDETERMINATE)
        assert lookup.order is None

    async def test_26_an_ambiguous_cancel_is_not_a_cancel(self, rig: BrokerRig) -> None:
        rig.needs(Fault.DROP_REPLY)
        request = rig.order(OrderType.LIMIT)
        await rig.broker.submit_order(request)
        async with rig.venue.fault(Fault.DROP_REPLY):
            await ambiguous(rig, rig.broker.cancel_order(request.ref, command_id="c-26"))

    async def test_27_cancel_all_answers_for_each_order(self, rig: BrokerRig) -> None:
        rig.declares("supportsCancelAll", rig.declared.cancel_all)
        requests = [rig.order(OrderType.LIMIT, price=rig.away(Side.BUY, 100 + step)) for step in range(3)]
        for request in requests:
            await rig.broker.submit_order(request)
        results = await rig.broker.cancel_all(rig.account, command_id="c-27")
        assert {one.request.client_order_id for one in results} == {one.client_order_id for one in requests}
        assert {one.status for one in results} == {OrderStatus.CANCELED}

    async def test_28_an_amended_order_keeps_its_id_and_its_fills(self, rig: BrokerRig) -> None:
        rig.declares("supportsAmend", rig.declared.amend)
        request = rig.order(OrderType.LIMIT, quantity=2 * rig.lot)
        await rig.broker.submit_order(request)
        price = rig.away(Side.BUY, 50)
        quantity = 2 * rig.lot if rig.declared.amend == "price" else 3 * rig.lot
        await rig.broker.amend_order(request.ref, OrderChange(price=price, quantity=quantity), command_id="a-28")
        await rig.venue.quote(price - rig.instrument.price_increment, price)
        order = await rig.settled(request)
        assert order.request.client_order_id == request.client_order_id
        assert order.filled == quantity
        fills = (await rig.broker.list_fills(rig.account)).items
        assert sum(one.quantity for one in fills if one.client_order_id == request.client_order_id) == quantity

    async def test_29_a_cancel_that_loses_the_race_leaves_the_fill(self, rig: BrokerRig) -> None:
        rig.needs(Fault.FILL_BEFORE_CANCEL)
        request = rig.order(OrderType.LIMIT)
        await rig.broker.submit_order(request)
        async with rig.venue.fault(Fault.FILL_BEFORE_CANCEL):
            with pytest.raises((OrderNotCancellable, Ambiguous)):
                await rig.broker.cancel_order(request.ref, command_id="c-29")
        assert (await rig.settled(request)).filled == request.quantity

    async def test_33_positions_are_kept_as_the_account_keeps_them(self, rig: BrokerRig) -> None:
        await final(rig, rig.order())
        await final(rig, rig.order(side=Side.SELL, quantity=3 * rig.lot))
        assert await rig.position() == -2 * rig.lot
        rig.declares("a hedging account", rig.hedging)
        await final(rig, rig.order(account=rig.hedging))
        await final(rig, rig.order(account=rig.hedging, side=Side.SELL, quantity=3 * rig.lot))
        assert rig.hedging is not None
        positions = (await rig.broker.list_positions(rig.hedging)).positions
        assert sorted(one.quantity for one in positions) == [rig.lot, 3 * rig.lot]
        if rig.declared.close_position:
            reference = PositionRef(account=rig.hedging, instrument_id=rig.instrument.id)
            with pytest.raises((Denied, Rejected)):
                await rig.broker.close_position(reference, command_id="p-33a")
            one = attrs.evolve(reference, position_id=positions[0].position_id)
            await rig.broker.close_position(one, command_id="p-33b")
            left = (await rig.broker.list_positions(rig.hedging)).positions
            assert [position.position_id for position in left] == [positions[1].position_id]

    async def test_34_an_incomplete_report_says_so(self, rig: BrokerRig) -> None:
        assert (await rig.broker.get_account(rig.account)).complete
        rig.needs(Fault.INCOMPLETE)
        async with rig.venue.fault(Fault.INCOMPLETE):
            assert not (await rig.broker.get_account(rig.account)).complete
            assert not (await rig.broker.list_positions(rig.account)).complete

    async def test_43_a_clock_skew_is_mended_once(self, rig: BrokerRig) -> None:
        rig.needs(Fault.CLOCK_SKEW)
        async with rig.venue.fault(Fault.CLOCK_SKEW):
            assert (await rig.broker.submit_order(rig.order())).status is not OrderStatus.REJECTED

    async def test_44_a_restart_loses_nothing_and_leaves_nothing(self, rig: BrokerRig) -> None:
        request = rig.order(OrderType.LIMIT)
        await rig.broker.submit_order(request)
        entry = rig.account.entry_id
        with anyio.fail_after(10):
            await rig.host.restart(entry)
        again = rig.host.desk.entry(entry).access.provider
        assert again is not rig.broker
        lookup = await again.get_order(request.ref)
        assert lookup.order is not None
        assert not lookup.order.status.is_final

    async def test_45_no_secret_shows(self, rig: BrokerRig, secret_canaries: Callable[[], list[str]]) -> None:
        shown = [repr(rig.broker), str(rig.broker.health()), str(await rig.broker.list_accounts())]
        for canary in secret_canaries():
            assert not any(canary in text for text in shown)


async def refused(rig: BrokerRig, error: type[Exception], request: OrderRequest, words: str | None = None) -> None:
    """Check that an order is refused on our side, in these words, without a request to the venue."""
    before = await rig.venue.requests()
    with pytest.raises(error, match=words):
        await rig.broker.submit_order(request)
    assert await rig.venue.requests() == before


async def taken_if(rig: BrokerRig, declared: bool, request: OrderRequest) -> Order | None:
    """Check that the venue takes an order that uses what is declared, and that any other is refused before it."""
    if not declared:
        await refused(rig, UnsupportedCapability, request)
        return None
    order = await rig.broker.submit_order(request)
    assert order.status is not OrderStatus.REJECTED, order.reason
    return order


async def rejected(rig: BrokerRig, request: OrderRequest) -> str:
    """Check that the venue refuses an order, by an error or by its status; return the code."""
    try:
        order = await rig.broker.submit_order(request)
    except Rejected as error:
        return error.code
    order = await rig.settled(order.request)
    assert order.status is OrderStatus.REJECTED
    assert order.reason is not None
    return order.reason.code


async def final(rig: BrokerRig, request: OrderRequest) -> Order:
    """Submit an order and return it at its end."""
    await rig.broker.submit_order(request)
    return await rig.settled(request)


async def ambiguous(rig: BrokerRig, command: Awaitable[Order]) -> None:
    """Check that the outcome of a command is unknown, by error or by status, and that it was sent only once."""
    before = await rig.venue.requests()
    try:
        status = (await command).status
    except Ambiguous:
        status = OrderStatus.UNKNOWN
    assert status in (OrderStatus.UNKNOWN, OrderStatus.PENDING_CANCEL)
    assert await rig.venue.requests() <= before + 1, "it was sent again"


def balanced(order: Order) -> None:
    """Check the invariants of an order's quantities."""
    quantity: Decimal = order.request.quantity
    if order.status.is_final:
        assert order.leaves == 0
        assert order.filled + order.canceled == quantity
    else:
        assert order.filled + order.leaves == quantity


async def events_of(items: Any, request: OrderRequest, seconds: float = 5) -> list[Order | Fill]:
    """Collect an order's events up to its end."""
    seen: list[Order | Fill] = []
    with anyio.fail_after(seconds):
        async for item in items:
            if isinstance(item, Order) and item.request.client_order_id == request.client_order_id:
                seen.append(item)
                if item.status.is_final:
                    return seen
            if isinstance(item, Fill) and item.client_order_id == request.client_order_id:
                seen.append(item)
    return seen
