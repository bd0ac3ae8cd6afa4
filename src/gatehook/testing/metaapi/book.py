"""What an account holds: positions, orders and deals, and how a terminal writes them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from gatehook.testing.metaapi.settings import AccountSettings
from gatehook.testing.metaapi.times import broker_text
from gatehook.testing.metaapi.times import utc_text


class TradeRefused(Exception):
    """The trade server said no; ``code`` is ``TRADE_RETCODE_…``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@attrs.frozen
class Wish:
    """What comes with an opening order: protection, and the words that stay with whatever comes of it."""

    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    comment: str | None = None
    client_id: str | None = None
    trailing: Mapping[str, Any] | None = None


@attrs.frozen
class Receipt:
    """The trade server's answer to a request that it took."""

    code: str
    order_id: str | None = None
    position_id: str | None = None


@attrs.define(kw_only=True)
class Position:
    """An open position; ``sign`` is 1 when it is long and -1 when it is short."""

    id: str
    symbol: str
    sign: int
    volume: Decimal
    open_price: Decimal
    time: int
    updated: int
    wish: Wish
    swap: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    realized: Decimal = Decimal(0)

    def to_json(self, price: Decimal, profit: Decimal) -> Mapping[str, Any]:
        """Return it as the terminal writes it, at the price it could be closed at now."""
        return {
            "id": self.id,
            "platform": "mt5",
            "type": "POSITION_TYPE_BUY" if self.sign > 0 else "POSITION_TYPE_SELL",
            "symbol": self.symbol,
            "magic": 0,
            "time": utc_text(self.time),
            "brokerTime": broker_text(self.time),
            "updateTime": utc_text(self.updated),
            "openPrice": self.open_price,
            "currentPrice": price,
            "volume": self.volume,
            "swap": self.swap,
            "profit": profit,
            "unrealizedProfit": profit,
            "realizedProfit": self.realized,
            "commission": self.commission,
            "reason": "POSITION_REASON_EXPERT",
            **_wished(self.wish),
        }


@attrs.define(kw_only=True)
class Order:
    """An order, resting or ended; ``type`` is ``ORDER_TYPE_…`` and ``state`` ``ORDER_STATE_…``.

    One at the market has no ``open_price``; where it has to wait, it is filled when it is ``due``.
    """

    id: str
    type: str
    symbol: str
    volume: Decimal
    left: Decimal
    open_price: Decimal | None
    state: str
    time: int
    wish: Wish
    due: int | None = None
    done: int | None = None
    position_id: str | None = None
    reason: str = "ORDER_REASON_EXPERT"
    closes: bool = False

    @property
    def sign(self) -> int:
        """1 for an order that buys, -1 for one that sells."""
        return 1 if self.type.startswith("ORDER_TYPE_BUY") else -1

    def to_json(self, price: Decimal) -> Mapping[str, Any]:
        """Return it as the terminal writes it; ``price`` is the market's for its side."""
        done = {} if self.done is None else {"doneTime": utc_text(self.done), "doneBrokerTime": broker_text(self.done)}
        return {
            "id": self.id,
            "platform": "mt5",
            "type": self.type,
            "state": self.state,
            "symbol": self.symbol,
            "magic": 0,
            "time": utc_text(self.time),
            "brokerTime": broker_text(self.time),
            **done,
            **_given(openPrice=self.open_price, positionId=self.position_id),
            "currentPrice": price,
            "volume": self.volume,
            "currentVolume": self.left,
            "reason": self.reason,
            "fillingMode": "ORDER_FILLING_IOC" if self.open_price is None else "ORDER_FILLING_RETURN",
            "expirationType": "ORDER_TIME_GTC",
            **_wished(self.wish),
        }


@attrs.frozen(kw_only=True)
class Deal:
    """Something that changed the account's money; ``entry`` is ``DEAL_ENTRY_…``."""

    id: str
    type: str
    time: int
    profit: Decimal
    entry: str | None = None
    symbol: str | None = None
    order_id: str | None = None
    position_id: str | None = None
    volume: Decimal | None = None
    price: Decimal | None = None
    commission: Decimal = Decimal(0)
    swap: Decimal = Decimal(0)
    comment: str | None = None
    client_id: str | None = None
    reason: str | None = None

    def to_json(self) -> Mapping[str, Any]:
        """Return it as the terminal writes it."""
        return {
            "id": self.id,
            "platform": "mt5",
            "type": self.type,
            "magic": 0,
            "time": utc_text(self.time),
            "brokerTime": broker_text(self.time),
            "commission": self.commission,
            "swap": self.swap,
            "profit": self.profit,
            **_given(
                entryType=self.entry,
                symbol=self.symbol,
                orderId=self.order_id,
                positionId=self.position_id,
                volume=self.volume,
                price=self.price,
                comment=self.comment,
                clientId=self.client_id,
                reason=self.reason,
            ),
        }


@attrs.define
class Book:
    """Everything of one account; ``state`` and ``connection`` are MetaApi's words."""

    settings: AccountSettings
    balance: Decimal
    state: str = "DEPLOYED"
    connection: str = "CONNECTED"
    synchronizing: bool = False
    positions: dict[str, Position] = attrs.field(factory=dict)
    orders: dict[str, Order] = attrs.field(factory=dict)
    history: list[Order] = attrs.field(factory=list)
    deals: list[Deal] = attrs.field(factory=list)


def _wished(wish: Wish) -> Mapping[str, Any]:
    return _given(stopLoss=wish.stop_loss, takeProfit=wish.take_profit, comment=wish.comment, clientId=wish.client_id)


def _given(**fields: Any) -> Mapping[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
