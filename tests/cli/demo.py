"""A broker of a demo account that fills market orders at once, and loses those tagged so.

Tests write this file to disk as a plugin, or embed the module.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from gatehook import AccountKey
from gatehook import AccountRef
from gatehook import AccountState
from gatehook import AccountType
from gatehook import Ambiguous
from gatehook import Broker
from gatehook import Evidence
from gatehook import Fill
from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import Mode
from gatehook import Order
from gatehook import OrderLookup
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import OrderType
from gatehook import Position
from gatehook import PositionMode
from gatehook import PositionReport
from gatehook import QuantityUnit
from gatehook import Side
from gatehook import hookimpl
from gatehook.kinds.provider import Page

MAIN = AccountKey("demo", "main")
XYZ = InstrumentId("XYZ", "DEMO")
PRICE = Decimal(100)


class Demo(Broker):
    def __init__(self, context):
        self.clock = context.clock
        self.mode = Mode(context.config.get("mode", "demo"))
        self.orders = {}
        self.fills = []
        self.net = Decimal(context.config.get("outside", "0"))

    async def list_accounts(self):
        return [AccountRef(account=MAIN, name="main", mode=self.mode, venue="DEMO")]

    async def get_account(self, account):
        return AccountState(
            account=account,
            mode=self.mode,
            account_type=AccountType.MARGIN,
            position_mode=PositionMode.NETTING,
            currency="USD",
            equity="100000",
            net_deposits="0",
            complete=True,
            ts_event=self.clock.now(),
        )

    async def list_instruments(self, *, query=None):
        return [
            Instrument(
                id=XYZ,
                native_symbol="XYZ",
                base="XYZ",
                quote="USD",
                price_increment="0.01",
                size_increment="1",
                settle_currency="USD",
            )
        ]

    async def submit_order(self, request):
        if "lost" in request.tags:
            raise Ambiguous("the line went dead")
        venue_id = f"V{len(self.orders) + 1}"
        now = self.clock.now()
        if request.type is not OrderType.MARKET:
            order = Order.of(request, OrderStatus.ACCEPTED, venue_order_id=venue_id, ts_accepted=now, ts_last=now)
        else:
            order = Order(
                request=request,
                status=OrderStatus.FILLED,
                venue_order_id=venue_id,
                filled=request.quantity,
                leaves=0,
                cost=request.quantity * PRICE,
                ts_accepted=now,
                ts_last=now,
            )
            self._fill(order, now)
        self.orders[venue_id] = order
        return order

    def _fill(self, order, now):
        request = order.request
        self.net += request.quantity if request.side is Side.BUY else -request.quantity
        self.fills.append(
            Fill(
                trade_id=f"T{len(self.fills) + 1}",
                account=MAIN,
                instrument_id=XYZ,
                venue_order_id=order.venue_order_id,
                client_order_id=request.client_order_id,
                side=request.side,
                quantity=request.quantity,
                quantity_unit=QuantityUnit.BASE,
                price=PRICE,
                ts_event=now,
            )
        )

    def _find(self, ref):
        for order in self.orders.values():
            if ref.venue_order_id == order.venue_order_id or ref.client_order_id == order.request.client_order_id:
                return order
        return None

    async def cancel_order(self, ref, *, command_id):
        order = self._find(ref)
        ended = attrs.evolve(order, status=OrderStatus.CANCELED, leaves=Decimal(0), canceled=order.leaves)
        self.orders[order.venue_order_id] = ended
        return ended

    async def amend_order(self, ref, change, *, command_id):
        order = self._find(ref)
        wanted = {name: value for name, value in attrs.asdict(change).items() if value is not None}
        request = attrs.evolve(order.request, **wanted)
        self.orders[order.venue_order_id] = attrs.evolve(order, request=request, leaves=request.quantity)
        return self.orders[order.venue_order_id]

    async def close_position(self, ref, *, quantity=None, command_id):
        request = OrderRequest(
            client_order_id=command_id,
            account=MAIN,
            instrument_id=XYZ,
            side=Side.SELL if self.net > 0 else Side.BUY,
            type=OrderType.MARKET,
            quantity=abs(self.net) if quantity is None else quantity,
            quantity_unit=QuantityUnit.BASE,
            reduce_only=True,
            position_id="XYZ",
        )
        return await self.submit_order(request)

    async def get_order(self, ref):
        order = self._find(ref)
        evidence = Evidence.INDETERMINATE if order is None else Evidence.FOUND
        return OrderLookup(evidence=evidence, order=order, complete=True, as_of=self.clock.now())

    async def list_orders(self, account, *, open_only=True, since=None, cursor=None):
        found = [one for one in self.orders.values() if not (open_only and one.status.is_final)]
        return Page(items=tuple(found), complete=True)

    async def list_fills(self, account, *, since=None, cursor=None):
        return Page(items=tuple(self.fills), complete=True)

    async def list_positions(self, account):
        held = ()
        if self.net:
            held = (
                Position(
                    account=MAIN,
                    position_id="XYZ",
                    instrument_id=XYZ,
                    side=Side.BUY if self.net > 0 else Side.SELL,
                    quantity=abs(self.net),
                    quantity_unit=QuantityUnit.BASE,
                    cost=abs(self.net) * PRICE,
                    ts_opened=1,
                    ts_last=1,
                ),
            )
        return PositionReport(account=account, positions=held, complete=True, as_of=self.clock.now())


@hookimpl
def provide_broker(context):
    return Demo(context)
