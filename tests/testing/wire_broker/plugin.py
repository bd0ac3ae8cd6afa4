"""A broker at a venue that speaks lines of JSON over TCP: one connection a request, one for what happens."""

from __future__ import annotations

import json
from decimal import Decimal

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

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
from gatehook import NotConnected
from gatehook import NotFound
from gatehook import Order
from gatehook import OrderLookup
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import OrderType
from gatehook import Page
from gatehook import Position
from gatehook import PositionMode
from gatehook import PositionReport
from gatehook import Rejected
from gatehook import Side
from gatehook import TimeInForce
from gatehook import hookimpl
from gatehook.kinds.checks import check_capabilities
from gatehook.kinds.checks import check_instrument
from gatehook.kinds.checks import check_shape
from gatehook.kinds.errors import OrderNotCancellable

MS = 1_000_000  # the wire's times are milliseconds
LOST = (OSError, anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError)
#: The venue's codes that prove a refusal. Every other one proves nothing.
PROVEN = {"too-late": OrderNotCancellable, "unknown-order": OrderNotCancellable, "clock-skew": Rejected}
STATUS = {
    "working": OrderStatus.ACCEPTED,
    "partly": OrderStatus.PARTIALLY_FILLED,
    "done": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
}


class WireBroker(Broker):
    def __init__(self, context):
        self._context = context
        self._port = context.config["port"]
        self._token = context.config["token"]
        self._account = AccountKey(context.entry_id, "main")
        self._skew = 0
        self._news = 0
        self._instrument = Instrument(
            id=InstrumentId("EURUSD", context.venue),
            native_symbol="EURUSD",
            base="EUR",
            quote="USD",
            settle_currency="USD",
            price_increment="0.00001",
            size_increment="1000",
            min_quantity=2000,
            max_quantity=10_000_000,
        )

    async def __aenter__(self):
        await self._ask(do="hello")
        return self

    # --- the wire

    async def _connected(self):
        try:
            return await anyio.connect_tcp("127.0.0.1", self._port)
        except OSError as error:
            raise NotConnected(f"the venue does not answer: {error.strerror}") from error

    async def _exchange(self, wire, request):
        request |= {"time": self._context.clock.wall() // MS + self._skew, "token": self._token.reveal()}
        async with wire:
            await wire.send(json.dumps(request).encode() + b"\n")
            answer = json.loads(await BufferedByteReceiveStream(wire).receive_until(b"\n", 1 << 20))
        self._news = max(self._news, answer["news"])
        return answer

    async def _ask(self, **request):
        """Ask for something that changes nothing."""
        wire = await self._connected()
        try:
            return await self._exchange(wire, request)
        except LOST as error:
            raise NotConnected("the venue did not answer") from error

    async def _command(self, **request):
        """Send a command; a clock that is off is set once, for then nothing was done."""
        for again in (True, False):
            wire = await self._connected()
            async with self.sending():
                answer = await self._exchange(wire, request)
            if answer.get("error") == "clock-skew" and again:
                self._skew += answer["now"] - request["time"]
                continue
            break
        return self._checked(answer)

    def _checked(self, answer):
        code = answer.get("error")
        if code in PROVEN:
            raise PROVEN[code](answer.get("text", code), venue_code=code)
        if code is not None:
            raise Ambiguous(f"the venue answered {code}, which proves nothing", venue_code=code)
        return self._order(answer)

    async def run_events(self, sink, after):
        last = self._news if after is None else int(after)
        async with await self._connected() as wire:
            await wire.send(json.dumps({"do": "follow", "after": last}).encode() + b"\n")
            lines = BufferedByteReceiveStream(wire)
            while True:
                try:
                    news = json.loads(await lines.receive_until(b"\n", 65536))
                except LOST as error:
                    raise NotConnected("the venue closed the stream") from error
                item = self._order(news["order"]) if "order" in news else self._fill(news["fill"])
                sink.put(item, str(news["number"]))

    # --- trading

    async def submit_order(self, request):
        check_shape(request)
        check_capabilities(request, self._context.manifest.capabilities.broker)
        if request.instrument_id != self._instrument.id:
            raise NotFound(f"{request.instrument_id} is not traded here")
        check_instrument(request, self._instrument)
        tif = request.time_in_force or (TimeInForce.IOC if request.type is OrderType.MARKET else TimeInForce.GTC)
        order = {
            "client": request.client_order_id,
            "side": request.side,
            "quantity": f"{request.quantity:f}",
            "price": None if request.price is None else f"{request.price:f}",
            "tif": tif,
        }
        return await self._command(do="submit", order=order)

    async def cancel_order(self, ref, *, command_id):
        return await self._command(do="cancel", client=ref.client_order_id)

    # --- reading

    async def get_order(self, ref):
        report = await self._ask(do="report")
        found = [one for one in report["orders"] if ref.client_order_id in (None, one["order"]["client"])]
        order = next((one for one in found if ref.venue_order_id in (None, one["id"])), None)
        whole = not report["synchronizing"]
        evidence = Evidence.FOUND if order else Evidence.ABSENT if whole else Evidence.INDETERMINATE
        now = report["now"] * MS
        return OrderLookup(evidence=evidence, order=order and self._order(order), complete=whole, as_of=now)

    async def list_accounts(self):
        return [AccountRef(account=self._account, name="main", mode=Mode.PAPER, venue="wire")]

    async def get_account(self, account):
        report = await self._ask(do="report")
        return AccountState(
            account=account,
            mode=Mode.PAPER,
            account_type=AccountType.MARGIN,
            position_mode=PositionMode.NETTING,
            currency="USD",
            complete=not report["synchronizing"],
            ts_event=report["now"] * MS,
        )

    async def list_instruments(self, *, query=None):
        return [self._instrument] if query is None or query in "EURUSD" else []

    async def list_orders(self, account, *, open_only=True, since=None, cursor=None):
        report = await self._ask(do="report")
        orders = [self._order(one) for one in report["orders"]]
        return Page(
            items=[one for one in orders if not (open_only and one.status.is_final)],
            complete=not report["synchronizing"],
        )

    async def list_fills(self, account, *, since=None, cursor=None):
        report = await self._ask(do="report")
        return Page(items=[self._fill(one) for one in report["fills"] if one["time"] * MS >= (since or 0)])

    async def list_positions(self, account):
        report = await self._ask(do="report")
        signed = [self._signed(one) for one in report["fills"]]
        quantity = sum((one for one, _ in signed), Decimal(0))
        positions = []
        if quantity:
            last = report["fills"][-1]
            positions.append(
                Position(
                    account=account,
                    position_id="EURUSD",
                    instrument_id=self._instrument.id,
                    side=Side.BUY if quantity > 0 else Side.SELL,
                    quantity=abs(quantity),
                    quantity_unit=self._instrument.quantity_unit,
                    cost=abs(quantity) * Decimal(last["price"]),
                    ts_opened=last["time"] * MS,
                    ts_last=last["time"] * MS,
                )
            )
        return PositionReport(
            account=account, positions=positions, complete=not report["synchronizing"], as_of=report["now"] * MS
        )

    # --- from the wire's words

    def _signed(self, fill):
        quantity, price = Decimal(fill["quantity"]), Decimal(fill["price"])
        return (quantity if fill["side"] == "buy" else -quantity), price

    def _order(self, wire):
        asked = wire["order"]
        request = OrderRequest(
            client_order_id=asked["client"],
            account=self._account,
            instrument_id=self._instrument.id,
            side=Side(asked["side"]),
            type=OrderType.MARKET if asked["price"] is None else OrderType.LIMIT,
            quantity=asked["quantity"],
            quantity_unit=self._instrument.quantity_unit,
            price=asked["price"],
            time_in_force=TimeInForce(asked["tif"]),
        )
        status = STATUS[wire["state"]]
        filled, canceled = Decimal(wire["filled"]), Decimal(wire["canceled"])
        return Order(
            request=request,
            status=status,
            venue_order_id=wire["id"],
            filled=filled,
            canceled=canceled,
            leaves=request.quantity - filled - canceled,
            cost=wire["cost"],
            ts_last=wire["time"] * MS,
        )

    def _fill(self, wire):
        return Fill(
            trade_id=wire["id"],
            account=self._account,
            instrument_id=self._instrument.id,
            venue_order_id=wire["order"],
            client_order_id=wire["client"],
            side=Side(wire["side"]),
            quantity=wire["quantity"],
            quantity_unit=self._instrument.quantity_unit,
            price=wire["price"],
            ts_event=wire["time"] * MS,
        )


@hookimpl
def provide_broker(context):
    return WireBroker(context)
