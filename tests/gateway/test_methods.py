"""Requests to the gateway: what is filled in, what is refused and how."""

from __future__ import annotations

import struct
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
import pytest

from gatehook.cli.client import Client
from gatehook.cli.failures import RemoteFailure
from gatehook.gateway import control
from gatehook.gateway.recorder import Recorder
from gatehook.kinds.errors import NotConnected

pytestmark = pytest.mark.anyio

ORDER = {
    "side": "buy",
    "quantity": "1000",
    "instrument": "EURUSD.SIMULATED",
    "type": "market",
    "client_order_id": "one",
}


@asynccontextmanager
async def calling(gateway, config=None):
    async with gateway(config) as running:
        client = Client(running.host.config.gateway.data_dir)

        async def call(method, **params):
            with anyio.fail_after(30):
                return await anyio.to_thread.run_sync(lambda: client.call(method, params))

        call.running = running
        yield call


async def test_account_and_unit_are_filled_in_where_only_one_can_be_meant(gateway):
    async with calling(gateway) as call:
        request = (await call("orders.place", **ORDER))["order"]["request"]
    assert request["account"] == {"entry_id": "paper", "account_id": "main"}
    assert request["quantity_unit"] == "base"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"quantity": "many"}, "gateway.bad-request"),
        ({"quantity": 1000}, "gateway.bad-request"),
        ({"side": "hold"}, "gateway.bad-request"),
        ({"instrument": "EURUSD"}, "gateway.bad-request"),
        ({"tags": "trend"}, "gateway.bad-request"),
        ({"post_only": "yes"}, "gateway.bad-request"),
        ({"instrument": "EURUSB.SIMULATED"}, "gateway.unknown-instrument"),
        ({"account": "papr/main"}, "gateway.choose-account"),
        ({"account": "paper/other"}, "mode_not_allowed"),
        ({"quantity": "0.5"}, "invalid_order"),
        ({"type": "limit"}, "invalid_order"),
    ],
)
async def test_what_is_wrong_with_an_order_is_said_with_a_code(gateway, change, code):
    async with calling(gateway) as call:
        with pytest.raises(RemoteFailure) as refused:
            await call("orders.place", **{**ORDER, **change})
        assert refused.value.error["code"] == code, refused.value.error
        assert refused.value.error["remedy"]
        assert (await call("orders.list", all=True))["orders"] == []


async def test_an_unknown_instrument_is_named_with_the_nearest(gateway):
    async with calling(gateway) as call:
        with pytest.raises(RemoteFailure, match=r'did you mean "EURUSD\.SIMULATED"'):
            await call("market.quote", instrument="EURUSB.SIMULATED")


@pytest.mark.parametrize("method", ["orders.show", "orders.cancel"])
async def test_an_unknown_order_is_a_coded_error(gateway, method):
    async with calling(gateway) as call:
        with pytest.raises(RemoteFailure) as refused:
            await call(method, id="nobody", command_id="c")
    assert refused.value.error["code"] == "gateway.unknown-order"


async def test_a_second_cancel_is_refused_and_changes_nothing(gateway):
    async with calling(gateway) as call:
        await call("orders.place", **{**ORDER, "type": "limit", "price": "0.5"})
        assert (await call("orders.cancel", id="one", command_id="c1"))["order"]["status"] == "canceled"
        with pytest.raises(RemoteFailure) as refused:
            await call("orders.cancel", id="one", command_id="c2")
        assert refused.value.error["code"] == "order_not_cancellable"


async def test_regression_11_one_bad_entry_leaves_the_others_and_shows_in_health(gateway):
    broken = {"plugin": "simulated", "config": {"seed": "seven"}}
    bad = {"plugins": {"entries": {"simulated": {}, "simulated2": broken}}}
    async with calling(gateway, bad) as call:
        assert (await call("orders.place", **ORDER))["order"]["status"] == "filled"
        state = await call("status")
    assert {one["entry_id"]: one["state"] for one in state["entries"]}["paper"] == "active"
    assert "config.invalid-entry" in {one["code"] for one in state["diagnostics"]}
    assert state["health"]["status"] != "ok"


async def test_a_memory_that_does_not_work_is_said_and_orders_go_on(gateway):
    class Down:
        async def upsert(self, docs):
            raise NotConnected("the memory is away")

    async with calling(gateway) as call:
        await call("orders.place", **ORDER)
        host, found = call.running.host, []
        data_dir = host.config.gateway.data_dir / "elsewhere"
        recorder = Recorder(host.desk.journal, host.bus, lambda: ("down", Down()), data_dir, found.append)
        assert await recorder.catch_up() is False
    assert [one.code for one in found] == ["gateway.not-remembered"]
    assert "the memory is away" in found[0].message


@pytest.mark.parametrize(("uid", "welcome"), [(0, True), (54321, False)])
def test_only_the_owner_and_root_may_use_the_socket(uid, welcome):
    class Socket:
        def getsockopt(self, level, option, size):
            return struct.pack("3i", 1, uid, 1)

    class Connection:
        def extra(self, attribute):
            return Socket()

    assert (control.welcome_person(Connection()) is not None) is welcome


async def test_an_empty_slot_is_a_coded_error(gateway):
    async with calling(gateway, {"plugins": {"slots": {"memory": "none"}}}) as call:
        with pytest.raises(RemoteFailure) as refused:
            await call("memory.search", text="x")
    assert refused.value.error["code"] == "gateway.no-entry"


async def test_only_a_paper_broker_is_reset(gateway):
    async with calling(gateway) as call:
        with pytest.raises(RemoteFailure, match="no-entry"):
            await call("paper.reset", entry="simulated")
