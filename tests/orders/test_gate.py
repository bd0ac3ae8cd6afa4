"""What every command passes before its intent: halt, limits, permission, a person; and all of it again after him."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import anyio
import attrs
import pytest

from gatehook.audit import read
from gatehook.config.trading import LimitsConfig
from gatehook.config.trading import PermissionRule
from gatehook.config.trading import Permit
from gatehook.config.trading import TradingSection
from gatehook.guard.guard import Rules
from gatehook.kinds.accounts import Mode
from gatehook.kinds.capabilities import ListContingency
from gatehook.kinds.commands import OrderList
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import AccountNotAllowed
from gatehook.kinds.errors import ApprovalDenied
from gatehook.kinds.errors import ApprovalPending
from gatehook.kinds.errors import DuplicateClientOrderId
from gatehook.kinds.errors import Halted
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.errors import LimitExceeded
from gatehook.kinds.errors import PermissionDenied
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from tests.orders.conftest import eventually
from tests.orders.venue import EURUSD
from tests.orders.venue import LIVE
from tests.orders.venue import MAIN
from tests.orders.venue import limit

pytestmark = pytest.mark.anyio

ASK = Rules(permissions=(PermissionRule(decision=Permit.ASK),))
POSITION = PositionRef(account=MAIN, instrument_id=EURUSD)


async def asked(floor, request):
    """Submit an order that needs an approval, and return that."""
    order = await floor.handle.submit_order(request)
    assert order.status is OrderStatus.INITIALIZED
    assert order.reason.code == "approval_pending"
    [approval] = floor.desk.guard.approvals.pending()
    assert approval.approval_id in order.reason.message
    return approval


async def state(floor, client_order_id):
    order = await floor.handle.order(client_order_id)
    return None if order is None else order.status


def kinds_in(floor):
    return [entry.kind for entry in read(floor.folder)]


# --- a person is asked


async def test_an_approved_order_is_sent_once_as_it_was_shown(floor):
    async with floor(rules=ASK):
        approval = await asked(floor, limit("a", price="1.2345"))
        assert floor.sent() == 0
        assert any("1.2345" in text for _, text in approval.shown)
        order = await floor.desk.approve(approval.approval_id, person="anna", digest=approval.digest)
        assert order.status is OrderStatus.ACCEPTED
        assert floor.venue.orders["a"].request == order.request
        with pytest.raises(Exception, match="answered"):
            await floor.desk.approve(approval.approval_id, person="anna")
        assert floor.sent() == 1
        kinds = kinds_in(floor)
        assert [kinds.count(kind) for kind in ("approval.requested", "approval.answered", "order.intent")] == [1, 1, 1]


async def test_the_same_order_again_is_its_pending_approval(floor):
    async with floor(rules=ASK):
        first = await asked(floor, limit("a"))
        again = await floor.handle.submit_order(limit("a"))
        assert first.approval_id in again.reason.message
        assert len(floor.desk.guard.approvals.pending()) == 1
        with pytest.raises(DuplicateClientOrderId):
            await floor.handle.submit_order(limit("a", quantity="11"))


async def test_a_no_frees_the_id_and_the_reservation(floor):
    rules = attrs.evolve(ASK, limits={"venue": LimitsConfig(scope="venue", max_open_orders=1)})
    async with floor(rules=rules):
        approval = await asked(floor, limit("a"))
        await floor.desk.reject(approval.approval_id, person="anna")
        assert await state(floor, "a") is None
        again = await asked(floor, limit("a"))
        assert again.approval_id != approval.approval_id
    assert floor.sent() == 0


async def test_no_answer_means_no(floor):
    rules = attrs.evolve(ASK, trading=TradingSection(approval_timeout=0.05))
    async with floor(rules=rules):
        with floor.bus.subscribe("account.order.denied") as denied:
            approval = await asked(floor, limit("a"))
            with anyio.fail_after(30):
                [event] = await denied.batch()
        assert event.payload.reason.code == "approval_denied"
        with pytest.raises(Exception, match="expired"):
            await floor.desk.approve(approval.approval_id, person="anna")
    assert floor.sent() == 0


async def test_a_restart_rejects_what_was_open(floor):
    async with floor(rules=ASK):
        approval = await asked(floor, limit("a"))
    async with floor(rules=ASK):
        assert await state(floor, "a") is None
        assert floor.desk.guard.approvals.pending() == ()
        with pytest.raises(Exception, match=approval.approval_id):
            await floor.desk.approve(approval.approval_id, person="anna")
    assert floor.sent() == 0


async def test_fault_40_a_halt_between_approval_and_send_stops_it(floor):
    async with floor(rules=ASK):
        approval = await asked(floor, limit("a"))
        await floor.desk.halt("all", reason="test", by="anna")
        with pytest.raises(Halted):
            await floor.desk.approve(approval.approval_id, person="anna")
        assert await state(floor, "a") is None
    assert floor.sent() == 0


async def test_fault_40_a_halt_between_intent_and_send_stops_it(floor, monkeypatch):
    async with floor():
        claim = floor.journal.claim

        async def halting(*args):
            known = await claim(*args)
            await floor.desk.halt("account:venue/main", reason="test", by="anna")
            return known

        monkeypatch.setattr(floor.journal, "claim", halting)
        with pytest.raises(Halted):
            await floor.handle.submit_order(limit("a"))
        assert await state(floor, "a") is None
    assert floor.sent() == 0


async def test_limits_are_asked_again_after_the_answer(floor):
    rules = attrs.evolve(ASK, limits={"venue": LimitsConfig(scope="venue", price_band=Decimal("0.01"))})
    async with floor(rules=rules):
        floor.quote("1.1000", "1.1001")
        approval = await asked(floor, limit("a", price="1.1"))
        floor.quote("1.2000", "1.2001")
        with pytest.raises(LimitExceeded):
            await floor.desk.approve(approval.approval_id, person="anna")
        assert await state(floor, "a") is None
    assert floor.sent() == 0


async def test_an_amend_waits_for_its_approval_and_is_judged_on_what_results(floor):
    rules = Rules(
        permissions=(PermissionRule(decision=Permit.ASK),),
        limits={"venue": LimitsConfig(scope="venue", max_quantity=Decimal(20))},
    )
    async with floor(rules=rules):
        order = await floor.desk.approve((await asked(floor, limit("a"))).approval_id, person="anna")
        with pytest.raises(LimitExceeded):
            await floor.handle.amend_order(order.ref, OrderChange(quantity="21"), command_id="too-much")
        change = partial(floor.handle.amend_order, order.ref, OrderChange(price="1.2"), command_id="c")
        with pytest.raises(ApprovalPending) as pending:
            await change()
        with pytest.raises(ApprovalPending):
            await change()
        assert floor.sent("amend_order") == 0
        done = await floor.desk.approve(pending.value.approval_id, person="anna")
        assert str(done.request.price) == "1.2"
        assert (await change()).request == done.request
        assert floor.sent("amend_order") == 1


async def test_protection_and_lists_wait_too(floor):
    async with floor(rules=ASK):
        with pytest.raises(ApprovalPending) as pending:
            await floor.handle.modify_position(POSITION, Protection(stop_loss="1.0"), command_id="p")
        await floor.desk.approve(pending.value.approval_id, person="anna")
        assert floor.sent("modify_position") == 1

        pair = OrderList(list_id="l", contingency=ListContingency.OCO, orders=[limit("x"), limit("y", side=Side.SELL)])
        first = await floor.handle.submit_order_list(pair)
        assert {one.status for one in first} == {OrderStatus.INITIALIZED}
        [approval] = floor.desk.guard.approvals.pending()
        done = await floor.desk.approve(approval.approval_id, person="anna")
        assert {one.status for one in done} == {OrderStatus.ACCEPTED}
        again = await floor.handle.submit_order_list(pair)
        assert [one.request.client_order_id for one in again] == ["x", "y"]
        assert floor.sent("submit_order_list") == 1


async def test_a_flood_of_questions_is_denied(floor):
    rules = attrs.evolve(ASK, trading=TradingSection(approvals_per_minute=2))
    async with floor(rules=rules):
        for name in ("a", "b"):
            await floor.handle.submit_order(limit(name))
        with pytest.raises(ApprovalDenied):
            await floor.handle.submit_order(limit("c"))
        assert await state(floor, "c") is None
        assert any(one.code == "guard.approval-flood" for one in floor.diagnostics)


async def test_a_caller_without_permission_is_refused(floor):
    rules = Rules(permissions=(PermissionRule(caller="te*", decision=Permit.DENY),))
    async with floor(rules=rules):
        with pytest.raises(PermissionDenied):
            await floor.handle.submit_order(limit("a"))
        assert "order.denied" in kinds_in(floor)
    assert floor.sent() == 0


# --- halt, and what reduces


async def test_a_known_id_is_answered_while_halted_and_new_risk_is_not_taken(floor):
    async with floor():
        first = await floor.handle.submit_order(limit("a"))
        await floor.desk.halt("entry:venue", reason="test", by="anna")
        assert await floor.handle.submit_order(limit("a")) == first
        with pytest.raises(Halted):
            await floor.handle.submit_order(limit("b"))
        with pytest.raises(Halted):
            await floor.handle.amend_order(first.ref, OrderChange(price="1.2"))
        assert (await floor.handle.cancel_order(first.ref)).status is OrderStatus.CANCELED
        await floor.desk.resume("entry:venue", reason="over", by="anna")
        await floor.handle.submit_order(limit("b"))


async def test_a_halt_of_another_scope_lets_pass(floor):
    async with floor():
        await floor.desk.halt("account:venue/other", reason="test", by="anna")
        await floor.desk.halt("subscription:somebody", reason="test", by="anna")
        await floor.handle.submit_order(limit("a"))


async def test_closes_pass_a_halt_and_never_exceed_the_position(floor):
    floor.hold("10")
    async with floor():
        await floor.desk.halt("all", reason="test", by="anna")
        outcomes = []

        async def close(name):
            try:
                await floor.handle.close_position(POSITION, quantity=Decimal(6), command_id=name)
                outcomes.append("closed")
            except InvalidOrder:
                outcomes.append("refused")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(close, "one")
            tasks.start_soon(close, "two")
        assert sorted(outcomes) == ["closed", "refused"]
        assert floor.sent("close_position") == 1


async def test_a_protective_order_is_not_canceled_as_if_it_were_risk(floor):
    floor.hold("10")
    async with floor(reduce_only=True):
        stop = await floor.handle.submit_order(limit("stop", side=Side.SELL, reduce_only=True))
        entry = await floor.handle.submit_order(limit("entry"))
        await floor.desk.halt("all", reason="test", by="anna")
        with pytest.raises(Halted):
            await floor.handle.cancel_order(stop.ref)
        done = await floor.handle.cancel_all(MAIN)
        assert [one.request.client_order_id for one in done] == ["entry"]
        assert await state(floor, "stop") is OrderStatus.ACCEPTED
        assert await state(floor, "entry") is OrderStatus.CANCELED
        assert entry.request.client_order_id == "entry"


# --- modes


async def test_a_live_account_asks_and_needs_to_be_named(floor):
    async with floor(mode=Mode.LIVE):
        with pytest.raises(AccountNotAllowed):
            await floor.handle.submit_order(limit("a", account=LIVE))
    async with floor(mode=Mode.LIVE, allowed_accounts=frozenset({"live", "main"})):
        await asked(floor, limit("a", account=LIVE))
        assert (await floor.handle.submit_order(limit("b"))).status is OrderStatus.ACCEPTED
    assert floor.sent() == 1


async def test_an_overfill_halts_the_account(floor):
    async with floor(events=True):
        await floor.handle.submit_order(limit("a"))
        floor.venue.tell(floor.venue.fill("a", "12", "T1"))
        await eventually((floor.folder / "halt.json").exists)
        with pytest.raises(Halted):
            await floor.handle.submit_order(limit("b", type=OrderType.LIMIT))


async def test_an_id_that_another_command_takes_while_a_person_is_to_be_asked_is_nobodys_question(floor, monkeypatch):
    """A list and a single order run under keys of their own: only the claim sees that they mean one id."""
    async with floor(rules=ASK):
        claim = floor.journal.claim

        async def overtaken(order, digest, permit):
            pair = OrderList(list_id="l", contingency=ListContingency.OCO, orders=[limit("a"), limit("y")])
            monkeypatch.setattr(floor.journal, "claim", claim)
            await floor.handle.submit_order_list(pair)
            return await claim(order, digest, permit)

        monkeypatch.setattr(floor.journal, "claim", overtaken)
        with pytest.raises(DuplicateClientOrderId):
            await floor.handle.submit_order(limit("a"))
        [approval] = floor.desk.guard.approvals.pending()
        assert approval.command_id == "l"
        sent = await floor.desk.approve(approval.approval_id, person="anna")
        assert [one.status for one in sent] == [OrderStatus.ACCEPTED] * 2
