"""Commands as the desk resolves them, and clocks that a test moves."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from gatehook.guard.facts import CommandFacts
from gatehook.guard.facts import CommandKind
from gatehook.guard.facts import OrderFacts
from gatehook.guard.facts import Quote
from gatehook.guard.grants import Grants
from gatehook.kinds.accounts import Mode
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from gatehook.kinds.times import SECOND

MAIN = AccountKey("broker", "main")
EURUSD = InstrumentId("EURUSD", "BROKER")
KEY = b"k" * 32
NOON = 1_800_014_400 * SECOND  # 2027-01-15T12:00:00Z


class Clocks:
    """A wall clock that may jump, and a monotonic one that does not."""

    def __init__(self) -> None:
        self.at = NOON
        self.passed = 1000.0

    def wall(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds
        self.at += int(seconds * SECOND)


def instrument(id_: InstrumentId = EURUSD, **fields: Any) -> Instrument:
    about = {
        "native_symbol": id_.symbol,
        "base": "EUR",
        "quote": "USD",
        "price_increment": "0.0001",
        "size_increment": "0.01",
        "quantity_unit": QuantityUnit.LOTS,
        "contract_size": 100000,
        "settle_currency": "USD",
    }
    return Instrument(id=id_, **{**about, **fields})


def order(
    value: str | None = "100",
    *,
    side: Side = Side.BUY,
    type_: OrderType = OrderType.MARKET,
    id_: InstrumentId = EURUSD,
    about: Instrument | None = None,
    **fields: Any,
) -> OrderFacts:
    request = {
        "client_order_id": "a",
        "account": MAIN,
        "instrument_id": id_,
        "side": side,
        "type": type_,
        "quantity": "0.01",
        "quantity_unit": QuantityUnit.LOTS,
    }
    outer = {name: fields.pop(name) for name in ("quote", "problem", "replaces", "base") if name in fields}
    return OrderFacts(
        request=OrderRequest(**{**request, **fields}),
        instrument=about or instrument(id_),
        value=None if value is None else Decimal(value),
        **{"base": Decimal(1000), **outer},
    )


def command(*orders: OrderFacts, **fields: Any) -> CommandFacts:
    about = {
        "kind": CommandKind.SUBMIT,
        "command_id": "a",
        "digest": "d1ge57" * 8,
        "caller": "agent:one",
        "account": MAIN,
        "mode": Mode.LIVE,
    }
    return CommandFacts(orders=orders, **{**about, **fields})


def quote(bid: str = "1.1", ask: str = "1.1002", at: int = NOON) -> Quote:
    return Quote(bid=Decimal(bid), ask=Decimal(ask), at=at)


def opened(folder: Path, clocks: Clocks, **options: Any) -> Grants:
    return Grants.open(folder, **{"key": KEY, "wall": clocks.wall, "monotonic": clocks.monotonic, **options})
