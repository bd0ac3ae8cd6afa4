"""The gateway as a program embeds it."""

from __future__ import annotations

import anyio
import anyio.to_thread
import pytest

from gatehook.cli.client import Client
from gatehook.clocks import ReplayClock
from gatehook.diagnostics import GatehookError
from gatehook.gateway import Gateway
from gatehook.gateway.stopping import cancel_entries

pytestmark = pytest.mark.anyio

ROWS = 120
CSV = "time,open,high,low,close\n" + "".join(
    f"2024-01-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z,1.1000,1.2000,1.0990,1.{1000 + hour}\n"
    for hour in range(ROWS)
)


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "EURUSD.csv"
    path.write_text(CSV)
    return {
        "plugins": {
            "entries": {
                "replay": {"config": {"file": str(path)}},
                "paper": {"config": {"prices": "replay"}},
                "simulated": {"enabled": False},
            }
        }
    }


async def place(running, side="buy", **more):
    wanted = {"side": side, "instrument": "EURUSD.SIMULATED", "quantity": "1000", "type": "market"}
    client = Client(running.host.config.gateway.data_dir)
    order = {**wanted, "client_order_id": f"{side}-1", **more}
    return await anyio.to_thread.run_sync(lambda: client.call("orders.place", order))


async def test_a_closed_price_is_published_exactly_once_in_a_replay(gateway, recording):
    closes = []

    async def collect(events):
        while batch := await events.batch():
            closes.extend(event.payload.ts_open for event in batch)

    async with gateway(recording, clock=ReplayClock()) as running:
        async with anyio.create_task_group() as tasks:
            with running.host.bus.subscribe("market.candle.closed") as events:
                tasks.start_soon(collect, events)
                await running.start_prices()
                with anyio.fail_after(30):
                    await running.prices_ended.wait()
                    assert await running.host.bus.settled(5)
                tasks.cancel_scope.cancel()
        assert running.prices.replayed == (ROWS, ROWS)
    assert len(closes) == len(set(closes)) == ROWS
    assert closes == sorted(closes)


async def test_nothing_is_replayed_before_everything_is_up(gateway, recording):
    async with gateway(recording, clock=ReplayClock()) as running:
        await running.prices.opened(10)
        assert running.prices.replayed == (0, 0)
        assert not running.prices_ended.is_set()


async def test_what_the_block_raises_comes_out_as_it_was(gateway):
    with pytest.raises(LookupError, match="mine"):
        async with gateway():
            raise LookupError("mine")


async def test_a_gateway_is_cancelled_like_anything_else(gateway):
    with anyio.move_on_after(1.5) as scope:
        async with gateway() as running:
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert not (running.host.config.gateway.data_dir / "control.sock").exists()


async def test_live_that_nobody_confirmed_is_refused_to_programs_too(make_host, tmp_path):
    with pytest.raises(GatehookError, match="live-unconfirmed"):
        async with Gateway(make_host({"gateway": {"mode": "live"}})):
            pass
    assert not (tmp_path / "data" / "journal.sqlite").exists()


async def test_entries_are_canceled_on_stop_and_what_protects_stays(gateway):
    async with gateway() as running:
        await place(running)
        await place(running, type="limit", price="0.5", client_order_id="entry")
        await place(running, "sell", type="stop", trigger_price="0.5", reduce_only=True, client_order_id="protection")
        canceled = await cancel_entries(running.brokers)
        assert [order.request.client_order_id for order in canceled] == ["entry"]
        left = await running.open_orders()
    assert [order.request.client_order_id for order in left] == ["protection"]


async def test_an_account_is_named_where_it_is_not_clear(gateway):
    accounts = {"accounts": [{"id": "one", "currency": "USD"}, {"id": "two", "currency": "USD"}]}
    async with gateway({"plugins": {"entries": {"paper": {"config": accounts}}}}) as running:
        with pytest.raises(GatehookError) as refused:
            await running.brokers.account(None)
        assert "paper/one, paper/two" in refused.value.diagnostics[0].message
        assert str(await running.brokers.account("paper/two")) == "paper/two"


async def test_a_broker_that_is_down_is_a_problem_and_the_rest_is_shown(gateway):
    bad = {"plugins": {"entries": {"paper": {"config": {"prices": "nobody"}}}}}
    async with gateway(bad) as running:
        assert running.brokers.entries() == []
        assert "account: none" in await running.opening()
        assert [source.entry_id for source in running.prices.sources()] == ["simulated"]
