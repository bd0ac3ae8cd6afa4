"""The venue's words in ours, and ours in the venue's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from typing import Final

from gatehook import AccountKey
from gatehook import AccountState
from gatehook import AccountType
from gatehook import Fill
from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import Mode
from gatehook import Order
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import OrderType
from gatehook import Position
from gatehook import PositionMode
from gatehook import Side
from gatehook import TimeInForce
from gatehook.kinds.accounts import Balance
from gatehook.kinds.amounts import plain
from gatehook.kinds.checks import default_time_in_force
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import OrderOrigin

from .wire import MS

STATUS: Final = {
    "working": OrderStatus.ACCEPTED,
    "partly": OrderStatus.PARTIALLY_FILLED,
    "done": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
}
KINDS: Final = {
    "cash": (AccountType.CASH, PositionMode.NONE),
    "netting": (AccountType.MARGIN, PositionMode.NETTING),
    "hedging": (AccountType.MARGIN, PositionMode.HEDGING),
}


def asked(request: OrderRequest) -> dict[str, Any]:
    """Write an order for the wire."""
    return {
        "client": request.client_order_id,
        "type": request.type,
        "side": request.side,
        "quantity": plain(request.quantity),
        "price": written(request.price),
        "trigger": written(request.trigger_price),
        "tif": request.time_in_force or default_time_in_force(request.type),
        "post_only": request.post_only,
        "reduce_only": request.reduce_only,
        "position": request.position_id,
    }


def written(amount: Decimal | None) -> str | None:
    """Write an amount that may be missing."""
    return None if amount is None else plain(amount)


def mode(word: str) -> Mode:
    """Read whose money an account is; a word that proves nothing is live."""
    return Mode(word) if word in ("paper", "demo") else Mode.LIVE


class Words:
    """Reads what the venue says about one entry's accounts and its one instrument."""

    def __init__(self, entry_id: str, venue: str, wire: dict[str, Any]) -> None:
        self._entry_id = entry_id
        self.instrument = Instrument(
            id=InstrumentId(wire["symbol"], venue),
            native_symbol=wire["symbol"],
            base=wire["base"],
            quote=wire["quote"],
            settle_currency=wire["quote"],
            price_increment=wire["tick"],
            size_increment=wire["step"],
            quantity_unit=QuantityUnit(wire["unit"]),
            contract_size=wire["contract"],
            min_quantity=wire["least"],
            max_quantity=wire["most"],
        )

    def account(self, name: str) -> AccountKey:
        """Name an account."""
        return AccountKey(self._entry_id, name)

    def order(self, wire: dict[str, Any]) -> Order:
        """Read an order; one that is not ours gets a name of the venue's making."""
        request = OrderRequest(
            client_order_id=wire["client"] or f"{self._entry_id}-{wire['id']}",
            account=self.account(wire["account"]),
            instrument_id=self.instrument.id,
            side=Side(wire["side"]),
            type=OrderType(wire["type"]),
            quantity=wire["quantity"],
            quantity_unit=self.instrument.quantity_unit,
            price=wire["price"],
            trigger_price=wire["trigger"],
            time_in_force=TimeInForce(wire["tif"]),
            post_only=wire["post_only"],
            reduce_only=wire["reduce_only"],
            position_id=wire["position"],
        )
        filled, canceled = Decimal(wire["filled"]), Decimal(wire["canceled"])
        return Order(
            request=request,
            status=STATUS[wire["state"]],
            venue_order_id=wire["id"],
            filled=filled,
            canceled=canceled,
            leaves=max(request.quantity - filled - canceled, Decimal(0)),
            cost=wire["cost"],
            origin=OrderOrigin(wire["origin"]),
            version=wire["revision"],
            ts_accepted=wire["accepted"] * MS,
            ts_last=wire["time"] * MS,
        )

    def fill(self, wire: dict[str, Any]) -> Fill:
        """Read a fill."""
        return Fill(
            trade_id=wire["id"],
            account=self.account(wire["account"]),
            instrument_id=self.instrument.id,
            venue_order_id=wire["order"],
            client_order_id=wire["client"],
            side=Side(wire["side"]),
            quantity=wire["quantity"],
            quantity_unit=self.instrument.quantity_unit,
            price=wire["price"],
            position_id=wire["position"],
            ts_event=wire["time"] * MS,
        )

    def position(self, account: AccountKey, wire: dict[str, Any]) -> Position:
        """Read a position."""
        return Position(
            account=account,
            position_id=wire["id"],
            instrument_id=self.instrument.id,
            side=Side(wire["side"]),
            quantity=wire["quantity"],
            quantity_unit=self.instrument.quantity_unit,
            cost=wire["cost"],
            stop_loss=wire["stop_loss"],
            take_profit=wire["take_profit"],
            ts_opened=wire["opened"] * MS,
            ts_last=wire["changed"] * MS,
        )

    def state(self, account: AccountKey, word: str, wire: dict[str, Any]) -> AccountState:
        """Read an account's money."""
        kind, keeping = KINDS[wire["kind"]]
        amounts = {self.instrument.quote: wire["money"], self.instrument.base: wire["base"]}
        balances = [
            Balance(asset=asset, total=amount, free=amount, locked=0)
            for asset, amount in amounts.items()
            if amount is not None
        ]
        return AccountState(
            account=account,
            mode=mode(word),
            account_type=kind,
            position_mode=keeping,
            currency=self.instrument.quote,
            balances=balances,
            equity=wire["equity"],
            net_deposits=wire["deposits"],
            complete=not wire["synchronizing"],
            ts_event=wire["now"] * MS,
        )
