"""Orders, fills, reports and facts in one line each, for the tests of what is counted."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from gatehook.config.trading import LimitsConfig
from gatehook.guard.days import Days
from gatehook.guard.exposure import Exposure
from gatehook.guard.facts import CommandFacts
from gatehook.guard.facts import CommandKind
from gatehook.guard.facts import OrderFacts
from gatehook.guard.facts import Quote
from gatehook.guard.limits import Limits
from gatehook.kinds.accounts import AccountState
from gatehook.kinds.accounts import AccountType
from gatehook.kinds.accounts import Balance
from gatehook.kinds.accounts import Mode
from gatehook.kinds.accounts import Position
from gatehook.kinds.accounts import PositionMode
from gatehook.kinds.accounts import PositionReport
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import Fill
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderStatus
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side

MAIN = AccountKey("venue", "main")
OTHER = AccountKey("venue", "other")
EURUSD = InstrumentId("EURUSD", "VENUE")
MARKET = Quote(bid=Decimal("1.10"), ask=Decimal("1.11"), at=0)

INSTRUMENT = Instrument(
    id=EURUSD,
    native_symbol="EURUSD",
    base="EUR",
    quote="USD",
    price_increment="0.01",
    size_increment="1",
    settle_currency="USD",
)


def instrument(**fields: Any) -> Instrument:
    return attrs.evolve(INSTRUMENT, **fields)


def request(key: str = "a", quantity: str | int = 10, side: str = "buy", **fields: Any) -> OrderRequest:
    """A limit at 1.10; with ``price=None`` a market order."""
    given = {
        "account": MAIN,
        "instrument_id": EURUSD,
        "quantity_unit": QuantityUnit.BASE,
        "price": "1.10",
        **fields,
    }
    kind = OrderType.MARKET if given["price"] is None and given.get("trigger_price") is None else OrderType.LIMIT
    return OrderRequest(client_order_id=key, side=Side(side), quantity=quantity, **{"type": kind, **given})


def order(
    key: str = "a", quantity: str | int = 10, status: str = "accepted", *, filled: int = 0, **fields: Any
) -> Order:
    """An order of ours; ``at`` is its ``ts_last``; a final one has no leaves."""
    at, venue_id = fields.pop("at", 0), fields.pop("venue_order_id", f"v-{key}")
    own = {name: fields.pop(name) for name in ("origin", "owner") if name in fields}
    asked = request(key, quantity, **fields)
    rest = asked.quantity - filled
    final = OrderStatus(status).is_final
    return Order(
        request=asked,
        status=OrderStatus(status),
        venue_order_id=venue_id,
        filled=filled,
        leaves=0 if final else rest,
        canceled=rest if final else 0,
        ts_last=at,
        **own,
    )


def fill(trade: str, key: str = "a", quantity: int = 1, side: str = "buy", *, at: int = 0, **fields: Any) -> Fill:
    given = {
        "account": MAIN,
        "instrument_id": EURUSD,
        "venue_order_id": f"v-{key}",
        "client_order_id": key,
        "quantity_unit": QuantityUnit.BASE,
        "price": "1.10",
        **fields,
    }
    return Fill(trade_id=trade, side=Side(side), quantity=quantity, ts_event=at, **given)


def position(quantity: int, position_id: str = "p", **fields: Any) -> Position:
    """Below zero is short."""
    given = {"account": MAIN, "instrument_id": EURUSD, "quantity_unit": QuantityUnit.BASE, "cost": 1, **fields}
    side = Side.BUY if quantity > 0 else Side.SELL
    return Position(position_id=position_id, side=side, quantity=abs(quantity), ts_opened=0, ts_last=0, **given)


def report(*positions: Position, at: int = 0, complete: bool = True, account: AccountKey = MAIN) -> PositionReport:
    return PositionReport(account=account, positions=positions, complete=complete, as_of=at)


def state(equity: str | None = "1000", deposits: str | None = "0", **fields: Any) -> AccountState:
    balances = [
        Balance(asset=asset, total=total, free=total, locked=0) for asset, total in fields.pop("has", {}).items()
    ]
    given = {
        "account": MAIN,
        "mode": Mode.PAPER,
        "account_type": AccountType.MARGIN,
        "position_mode": PositionMode.NETTING,
        "currency": "USD",
        "complete": True,
        "ts_event": 0,
        **fields,
    }
    return AccountState(equity=equity, net_deposits=deposits, balances=balances, **given)


def order_facts(asked: OrderRequest, **fields: Any) -> OrderFacts:
    """Facts as the valuer resolves them: base units and worth at the order's price."""
    worth = asked.quantity * (asked.price or MARKET.ask)
    given = {"instrument": INSTRUMENT, "base": asked.quantity, "value": worth, "quote": MARKET, **fields}
    return OrderFacts(request=asked, **given)


def facts(*orders: OrderFacts | OrderRequest, command_id: str = "", **fields: Any) -> CommandFacts:
    resolved = tuple(one if isinstance(one, OrderFacts) else order_facts(one) for one in orders)
    given = {"kind": CommandKind.SUBMIT, "digest": "d", "caller": "test", "mode": Mode.PAPER, **fields}
    first = resolved[0].request if resolved else None
    name = command_id or (first.client_order_id if first else "command")
    account = first.account if first else MAIN
    return CommandFacts(command_id=name, account=account, orders=resolved, **given)


class Stage:
    """Limits on a board of their own, with clocks that a test moves."""

    def __init__(self, folder: Path, *configs: LimitsConfig, known: Sequence[AccountKey] = (MAIN,)) -> None:
        self.seconds = 1000.0
        self.market = 0
        self.reported: list[Any] = []
        self.exposure = Exposure()
        self.days = Days(
            folder / "days.json",
            day_start="00:00",
            value=self.value,
            now=lambda: self.market,
            report=self.reported.append,
        )
        settings = {one.scope: one for one in configs}
        self.limits = Limits(settings, self.exposure, self.days, lambda: self.seconds)
        for account in known:
            self.exposure.apply_positions(report(account=account))

    async def value(self, amount: Decimal, currency: str) -> Decimal:
        return amount
