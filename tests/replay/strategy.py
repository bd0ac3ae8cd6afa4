"""A small strategy on replayed candles: at some closes it places one order, whatever became of the ones before."""

from __future__ import annotations

from decimal import Decimal

import anyio

from gatehook import AccountKey
from gatehook import Candle
from gatehook import OrderRequest
from gatehook import OrderType
from gatehook import QuantityUnit
from gatehook import Side
from gatehook import Trailing
from gatehook.kinds.orders import TrailingUnit
from gatehook.kinds.streams import Overflow

ACCOUNT = AccountKey("paper", "main")


def orders_at(number: int, candle: Candle) -> list[OrderRequest]:
    """Return what the strategy places when candle ``number`` (the first is 1) has closed."""
    common = {"account": ACCOUNT, "instrument_id": candle.instrument_id, "quantity": 1000}
    common |= {"quantity_unit": QuantityUnit.BASE}
    close, placed = candle.close, []
    if number % 50 == 0:
        prices = {"side": Side.BUY, "type": OrderType.LIMIT, "price": close - Decimal("0.00100")}
        placed.append(OrderRequest(client_order_id=f"limit-{number}", **common, **prices))
    if number % 70 == 0:
        prices = {"side": Side.SELL, "type": OrderType.STOP, "trigger_price": close - Decimal("0.00200")}
        placed.append(OrderRequest(client_order_id=f"stop-{number}", **common, **prices))
    if number % 90 == 0:
        prices = {"trigger_price": close + Decimal("0.00150"), "price": close + Decimal("0.00100")}
        kind = {"side": Side.BUY, "type": OrderType.STOP_LIMIT}
        placed.append(OrderRequest(client_order_id=f"stoplimit-{number}", **common, **kind, **prices))
    if number % 110 == 0:
        trailing = Trailing(offset="0.00300", unit=TrailingUnit.PRICE)
        kind = {"side": Side.SELL, "type": OrderType.TRAILING_STOP, "trailing": trailing}
        placed.append(OrderRequest(client_order_id=f"trailing-{number}", **common, **kind))
    return placed


async def trade(gateway, closes: list[Candle], *, task_status) -> None:
    """Follow the closes and trade, until cancelled."""
    broker = gateway.host.broker("paper", caller="strategy")
    with gateway.host.bus.subscribe("market.candle.closed", overflow=Overflow.ERROR, buffer=100) as events:
        task_status.started()
        async for event in events:
            closes.append(event.payload)
            with anyio.fail_after(30):
                for request in orders_at(len(closes), event.payload):
                    await broker.submit_order(request)
