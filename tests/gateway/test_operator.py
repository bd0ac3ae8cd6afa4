"""What an operator does by the control socket: halts, sweeps, approvals, limits, and what is settled by hand."""

from __future__ import annotations

import json
from decimal import Decimal

import attrs
import pytest

from gatehook import Ambiguous
from gatehook import Order
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import hookimpl
from gatehook.cli.failures import RemoteFailure
from gatehook.gateway.brokers import Brokers
from gatehook.gateway.opening import opening_lines
from gatehook.gateway.prices import Prices
from tests.cli import demo

pytestmark = pytest.mark.anyio

ORDER = {"account": "demo/main", "side": "buy", "instrument": "XYZ.DEMO", "type": "market", "quantity": "3"}


def ids(orders):
    return [one["request"]["client_order_id"] for one in orders]


def audit(call, kind):
    path = call.host.config.gateway.data_dir / "audit.jsonl"
    return [one for one in map(json.loads, path.read_text().splitlines()) if one["kind"] == kind]


async def refused(call, code, method, **params):
    with pytest.raises(RemoteFailure) as caught:
        await call(method, **params)
    assert caught.value.error["code"] == code, caught.value.error
    return caught.value.error


# --- approvals


async def test_people_hear_of_what_waits_by_event_and_by_hook(trading):
    heard = []

    class Watcher:
        @hookimpl
        def provide_broker(self, context):
            return demo.Demo(context)

        @hookimpl
        def approval_requested(self, approval):
            heard.append(approval)

    async with trading(mode="demo", plugin=Watcher()) as call:
        with call.host.bus.subscribe("approval.*") as events:
            placed = await call("orders.place", client_order_id="a", **ORDER)
            (asked,) = await events.batch()
            assert asked.topic == "approval.requested"
            assert asked.payload["approval_id"] == placed["approval"] == heard[0].approval_id
            assert ("side", "buy") in heard[0].shown
            await call("approvals.reject", id=placed["approval"])
            (answered,) = await events.batch()
            assert (answered.topic, answered.payload["state"]) == ("approval.answered", "rejected")
            assert answered.payload["person"].startswith("cli:")
    assert len(heard) == 1


async def test_what_is_approved_is_what_was_shown(trading):
    async with trading(mode="demo") as call:
        placed = await call("orders.place", client_order_id="a", **ORDER)
        other = {"id": placed["approval"], "digest": "0" * 64}
        await refused(call, "guard.approval-other-parameters", "approvals.approve", **other)
        shown = (await call("approvals.show", id=placed["approval"]))["approval"]
        done = await call("approvals.approve", id=placed["approval"], digest=shown["digest"])
        assert [one["status"] for one in done["orders"]] == ["filled"]
        await refused(
            call, "guard.approval-answered", "approvals.approve", id=placed["approval"], digest=shown["digest"]
        )


async def test_a_grant_that_is_not_in_the_audit_does_not_hold(trading, monkeypatch):
    from gatehook.kinds.errors import StorageUnavailable

    async def full(*_, **__):
        raise StorageUnavailable("the disk is full")

    async with trading(mode="demo") as call:
        monkeypatch.setattr(call.host.desk.audit, "record", full)
        await refused(call, "storage_unavailable", "permissions.grant", caller="cli", expires="1h")
        assert (await call("permissions.list"))["grants"] == []
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("expires", "holds"), [("90s", True), ("2d", True), ("2001-01-01T00:00:00Z", False), ("", False), ("1w", False)]
)
async def test_a_grant_ends_after_a_span_or_at_a_time(trading, expires, holds):
    async with trading(mode="demo") as call:
        if holds:
            given = await call("permissions.grant", caller="cli", expires=expires, account="demo/main")
            assert (given["grant"]["entry"], given["grant"]["account"]) == ("demo", "main")
        else:
            with pytest.raises(RemoteFailure):
                await call("permissions.grant", caller="cli", expires=expires)


# --- limits


async def test_limits_are_shown_with_their_use(trading):
    limits = {"demo/main": {"max_open_orders": 2, "max_quantity": "10"}}
    async with trading(limits=limits) as call:
        await call("orders.place", client_order_id="a", **{**ORDER, "type": "limit", "price": "90"})
        shown = await call("limits.show", account="demo/main")
        rows = {row["limit"]: row for row in shown["accounts"][0]["limits"]}
        assert (rows["max_open_orders"]["use"], rows["max_open_orders"]["headroom"]) == ("1", "1")
        assert rows["max_quantity"]["bound"] == "10"
        await refused(call, "limit_exceeded", "orders.place", client_order_id="b", **{**ORDER, "quantity": "11"})


# --- by hand


async def test_an_unknown_order_is_resolved_on_a_persons_evidence(trading):
    async with trading() as call:
        placed = await call("orders.place", client_order_id="a", tags=["lost"], **ORDER)
        assert placed["order"]["status"] == "unknown"
        await refused(call, "gateway.bad-request", "orders.resolve", id="a", status="canceled")
        done = await call("orders.resolve", id="a", status="canceled", evidence="the venue's statement")
        assert (done["order"]["status"], done["order"]["leaves"]) == ("canceled", "0")
        (record,) = audit(call, "order.resolved")
        assert record["actor"].startswith("cli:")
        assert record["subject"]["evidence"] == "the venue's statement"
        await refused(call, "conflict", "orders.resolve", id="a", status="filled", evidence="again")


async def test_a_position_that_nobody_can_explain_stops_new_risk_until_it_is_acknowledged(trading):
    async with trading() as call:
        await call("orders.place", client_order_id="a", **ORDER)
        call.broker.net += 4
        for _ in range(3):
            await call.host.desk.reconciliations.now("demo")
        (row,) = [one for one in (await call("reconciliation.show"))["accounts"] if one["account"] == "demo/main"]
        (adjustment,) = row["adjustments"]
        assert (adjustment["expected"], adjustment["reported"]) == ("3", "7")
        assert row["blocked"]
        await refused(call, "unresolved_outstanding", "orders.place", client_order_id="b", **ORDER)
        done = await call("positions.acknowledge", account="demo/main", note="by hand at the terminal")
        assert len(done["adjustments"]) == 1
        assert (await call("orders.place", client_order_id="b", **ORDER))["order"]["status"] == "filled"


def outside(broker, venue_order_id):
    """Put an order into the venue that the gateway did not send."""
    request = OrderRequest(
        client_order_id="theirs",
        account=demo.MAIN,
        instrument_id=demo.XYZ,
        side="buy",
        type="limit",
        quantity=1,
        quantity_unit="base",
        price=80,
    )
    order = Order.of(request, OrderStatus.ACCEPTED, venue_order_id=venue_order_id, ts_accepted=1, ts_last=1)
    broker.orders[venue_order_id] = order


async def test_an_order_from_outside_is_left_alone_until_it_is_adopted(trading):
    async with trading() as call:
        outside(call.broker, "W1")
        await call.host.desk.reconciliations.now("demo")
        (row,) = [one for one in (await call("reconciliation.show"))["accounts"] if one["account"] == "demo/main"]
        assert row["external_orders"] == 1
        swept = await call("halt.sweep", scopes=["all"])
        assert (swept["canceled"], len(swept["left"])) == ([], 1)
        assert "--include-external" in swept["left"][0]
        adopted = await call("orders.adopt", entry="demo", venue_order_id="W1")
        assert adopted["order"]["owner"] == "cli"
        assert call.broker.orders["W1"].status is OrderStatus.ACCEPTED


# --- the sweep


async def test_a_position_from_outside_stays_open_unless_it_is_asked_for(trading):
    async with trading(outside="5") as call:
        await call("orders.place", client_order_id="a", **ORDER)
        swept = await call("halt.sweep", scopes=["account:demo/main"], flatten=True)
        assert call.broker.net == 5
        assert "5 are from outside" in swept["left"][0]
        assert swept["failed"] == []
        await call("halt.sweep", scopes=["all"], flatten=True, include_external=True)
        assert call.broker.net == 0
        assert len(audit(call, "trading.swept")) == 2


async def test_protection_stays_where_its_position_could_not_be_closed(trading, monkeypatch):
    async with trading() as call:
        await call("orders.place", client_order_id="a", **ORDER)
        stop = {**ORDER, "side": "sell", "type": "stop", "trigger_price": "90", "reduce_only": True}
        await call("orders.place", client_order_id="protection", **stop)

        async def stuck(ref, *, quantity=None, command_id):
            raise Ambiguous("the line went dead")

        monkeypatch.setattr(call.broker, "close_position", stuck)
        swept = await call("halt.sweep", scopes=["all"], flatten=True)
        assert "is unknown" in swept["failed"][0]
        assert "order protection" in swept["left"][0]
        assert "protection" in ids((await call("orders.list"))["orders"])


async def test_another_scope_touches_nothing(trading):
    async with trading() as call:
        await call("orders.place", client_order_id="a", **ORDER)
        await call("orders.place", client_order_id="b", **{**ORDER, "type": "limit", "price": "90"})
        for scope in ("entry:paper", "account:demo/other", "subscription:copy"):
            swept = await call("halt.sweep", scopes=[scope], flatten=True)
            assert [swept[name] for name in ("canceled", "closed", "left", "failed")] == [[], [], [], []]
        assert call.broker.net == 3


async def test_a_dry_run_of_everything_changes_nothing(trading):
    async with trading() as call:
        await call("orders.place", client_order_id="a", **ORDER)
        await call("orders.place", client_order_id="b", **{**ORDER, "type": "limit", "price": "90"})
        before = dict(call.broker.orders)
        swept = await call("halt.sweep", scopes=["all"], flatten=True, dry_run=True)
        assert (len(swept["canceled"]), len(swept["closed"])) == (1, 1)
        assert call.broker.orders == before
        assert audit(call, "trading.swept") == []


async def test_an_order_of_unknown_outcome_is_not_said_to_be_canceled(trading):
    async with trading() as call:
        await call("orders.place", client_order_id="a", tags=["lost"], **ORDER)
        swept = await call("halt.sweep", scopes=["all"])
        assert swept["canceled"] == []
        assert "its outcome is not known" in swept["failed"][0]


async def test_an_amend_is_judged_on_what_results(trading):
    async with trading(limits={"demo": {"max_quantity": "10"}}) as call:
        await call("orders.place", client_order_id="a", **{**ORDER, "type": "limit", "price": "90"})
        await refused(call, "limit_exceeded", "orders.amend", id="a", quantity="11", command_id="c1")
        await refused(call, "gateway.bad-request", "orders.amend", id="a", command_id="c2")
        changed = await call("orders.amend", id="a", quantity="10", command_id="c3")
        assert changed["order"]["request"]["quantity"] == "10"


async def test_closing_more_than_there_is_closes_nothing(trading):
    async with trading() as call:
        await call("orders.place", client_order_id="a", **ORDER)
        close = {"account": "demo/main", "instrument": "XYZ.DEMO"}
        await refused(call, "invalid_order", "positions.close", **close, quantity="4", command_id="c1")
        part = await call("positions.close", **close, quantity="1", command_id="c2")
        assert (part["order"]["status"], call.broker.net) == ("filled", Decimal(2))
        assert attrs.asdict(call.broker.fills[-1])["quantity"] == 1


async def test_what_waits_for_a_person_is_not_at_the_venue(trading):
    async with trading(mode="demo") as call:
        await call("orders.place", client_order_id="a", **ORDER)
        halted = await call("halt.set", scopes=["all"], reason="x")
        assert halted["orders"] == []
        swept = await call("halt.sweep", scopes=["all"])
        assert (swept["canceled"], swept["failed"]) == ([], [])
        assert "waits for a person" in swept["left"][0]


async def test_the_opening_says_what_stands_against_trading(trading):
    limits = {"demo": {"max_quantity": "10"}, "demo/main": {"symbols": ["XYZ.*", "Q.*"]}}
    rule = {"caller": "agent", "decision": "deny"}
    async with trading(limits=limits, permissions=[rule]) as call:
        await call("halt.set", scopes=["entry:demo"], reason="a look first")
        brokers = Brokers(call.host, caller="cli")
        lines = await opening_lines(call.host, brokers, Prices(call.host, caller="test"))
    assert any(line.startswith("halt: entry:demo HALTED by cli:") and "a look first" in line for line in lines)
    assert "reconciliation: demo/main complete, 0 open orders" in lines
    assert "limits: demo/main symbols XYZ.* Q.*, max_quantity 10 for all of demo" in lines, "\n".join(lines)
    assert "limits: paper/main no limits" in lines
    assert "approvals: 1 rule first, otherwise orders leave without asking" in lines
