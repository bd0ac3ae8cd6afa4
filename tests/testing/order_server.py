"""A venue on the loopback interface: one instrument, netting, and every fault that a rig's venue may bring about."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from contextlib import suppress
from decimal import Decimal

import anyio
from anyio.abc import SocketAttribute
from anyio.streams.buffered import BufferedByteReceiveStream

from gatehook.testing import Fault
from tests.testing.price_server import GONE

OPEN = ("working", "partly")
SKEW = 60_000  # milliseconds that its clock is ahead under a fault, and more than it tolerates


class OrderServer:
    """Answers one request a connection, and streams what happens to orders on others. It has a book, and moods."""

    faults = frozenset(Fault)
    port: int = 0

    def __init__(self, bid, ask):
        self.orders = {}
        self.fills = []
        self._market = (bid, ask, None)
        self._fault = None
        self._trading_requests = 0
        self._news = []
        self._more = anyio.Event()

    # --- what a rig asks of a venue

    async def quote(self, bid, ask, size=None):
        self._market = (bid, ask, size)
        for order in self.orders.values():
            self._match(order)

    async def requests(self):
        return self._trading_requests

    @asynccontextmanager
    async def fault(self, fault):
        self._fault = fault
        if fault is Fault.REFUSE_CONNECTION:
            await self._close()
        yield
        if fault is Fault.REFUSE_CONNECTION:
            await self._open()
        self._fault = None

    # --- the wire

    @asynccontextmanager
    async def running(self):
        async with anyio.create_task_group() as self._tasks:
            await self._open()
            yield self
            self._tasks.cancel_scope.cancel()

    async def _open(self):
        listening = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=self.port)
        self.port = listening.extra(SocketAttribute.local_port)
        self._door, self._shut = anyio.CancelScope(), anyio.Event()
        self._tasks.start_soon(self._accept, listening)

    async def _close(self):
        self._door.cancel()
        await self._shut.wait()

    async def _accept(self, listening):
        shut = self._shut
        with self._door:
            async with listening:
                await listening.serve(self._serve, self._tasks)
        shut.set()

    async def _serve(self, wire):
        async with wire:
            with suppress(*GONE):
                request = json.loads(await BufferedByteReceiveStream(wire).receive_until(b"\n", 65536))
                if request["do"] == "follow":
                    await self._tell(wire, request["after"])
                answer = getattr(self, f"_{request['do']}")(request)
                if self._fault is not Fault.DROP_REPLY:
                    await wire.send(json.dumps(answer | {"news": len(self._news)}).encode() + b"\n")

    async def _tell(self, wire, after):
        while True:
            for number, news in enumerate(self._news[after:], after + 1):
                await wire.send(json.dumps({"number": number, **news}).encode() + b"\n")
            after = len(self._news)
            await self._more.wait()

    # --- what it does

    def _hello(self, request):
        return {"now": self._now()}

    def _submit(self, request):
        self._trading_requests += 1
        if self._fault is Fault.UNMAPPED_CODE:
            return {"error": "E599", "text": "half done, perhaps"}
        if abs(request["time"] - self._now()) > SKEW // 2:
            return {"error": "clock-skew", "now": self._now()}
        order = {"id": str(len(self.orders) + 1), "state": "working", "filled": "0", "canceled": "0", "cost": "0"}
        order |= {"order": request["order"], "time": self._now()}
        self.orders[request["order"]["client"]] = order
        self._say("order", order)
        self._match(order)
        if order["order"]["tif"] in ("ioc", "fok") and order["state"] in OPEN:
            self._end(order)
        return order

    def _cancel(self, request):
        self._trading_requests += 1
        order = self.orders.get(request["client"])
        if order is None:
            return {"error": "unknown-order", "text": "no such order"}
        if self._fault is Fault.FILL_BEFORE_CANCEL:
            self._fill(order, Decimal(order["order"]["quantity"]), order["order"]["price"])
        if order["state"] not in OPEN:
            return {"error": "too-late", "text": f"the order is {order['state']}"}
        self._end(order)
        return order

    def _report(self, request):
        return {
            "orders": list(self.orders.values()),
            "fills": self.fills,
            "synchronizing": self._fault is Fault.INCOMPLETE,
            "now": self._now(),
        }

    def _end(self, order):
        left = Decimal(order["order"]["quantity"]) - Decimal(order["filled"])
        order |= {"state": "canceled", "canceled": str(left), "time": self._now()}
        self._say("order", order)

    def _match(self, order):
        if order["state"] not in OPEN:
            return
        bid, ask, size = self._market
        buys = order["order"]["side"] == "buy"
        price, limit = ask if buys else bid, order["order"]["price"]
        if limit is not None and (price > Decimal(limit) if buys else price < Decimal(limit)):
            return
        left = Decimal(order["order"]["quantity"]) - Decimal(order["filled"])
        quantity = left if size is None else min(left, size)
        if order["order"]["tif"] != "fok" or quantity == left:
            self._fill(order, quantity, str(price))

    def _fill(self, order, quantity, price):
        filled = Decimal(order["filled"]) + quantity
        whole = filled == Decimal(order["order"]["quantity"])
        cost = Decimal(order["cost"]) + quantity * Decimal(price)
        order |= {"filled": str(filled), "cost": str(cost), "time": self._now(), "state": "done" if whole else "partly"}
        fill = {"id": str(len(self.fills) + 1), "order": order["id"], "client": order["order"]["client"]}
        self.fills.append(
            fill | {"side": order["order"]["side"], "quantity": str(quantity), "price": price, "time": order["time"]}
        )
        self._say("fill", self.fills[-1])
        self._say("order", order)

    def _say(self, kind, news):
        self._news.append({kind: dict(news)})
        self._more.set()
        self._more = anyio.Event()

    def _now(self):
        return time.time_ns() // 1_000_000 + (SKEW if self._fault is Fault.CLOCK_SKEW else 0)
