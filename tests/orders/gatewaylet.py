"""A process that submits orders to a venue that is a file, and says which were acknowledged. It gets killed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import anyio

from gatehook.clocks import SystemClock
from gatehook.events import EventBus
from gatehook.kinds.broker import Evidence
from gatehook.kinds.broker import OrderLookup
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderStatus
from gatehook.orders import BrokerHandle
from tests.orders.desks import desk_on
from tests.orders.venue import Access
from tests.orders.venue import Venue
from tests.orders.venue import VenueBroker
from tests.orders.venue import limit


class FileVenue(VenueBroker):
    """Each line of the file is an order that reached the venue, also when the gateway never heard of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(Venue())
        self.path = path

    async def submit_order(self, request):
        with self.path.open("a") as file:
            file.write(json.dumps(request.client_order_id) + "\n")
            file.flush()
            os.fsync(file.fileno())
        await anyio.lowlevel.checkpoint()
        return self.order(request.client_order_id)

    async def get_order(self, ref):
        if ref.client_order_id in self.path.read_text().split('"'):
            order = self.order(ref.client_order_id)
            return OrderLookup(evidence=Evidence.FOUND, order=order, complete=True, as_of=1)
        return OrderLookup(evidence=Evidence.ABSENT, complete=True, as_of=1)

    async def run_events(self, sink, after):
        await anyio.sleep_forever()

    def order(self, client_order_id):
        return Order.of(limit(client_order_id), OrderStatus.ACCEPTED, venue_order_id=f"V-{client_order_id}")


async def main(directory: Path, count: int) -> None:
    clock = SystemClock()
    async with desk_on(directory, EventBus(), clock, lambda diagnostic: None) as desk:
        access = Access(FileVenue(directory / "venue"))
        await desk.attach(access)
        handle = BrokerHandle(desk, "venue", "child")

        async def submit(lane: int) -> None:
            for number in range(count):
                order = await handle.submit_order(limit(f"{lane}-{number}"))
                os.write(1, f"{order.request.client_order_id} {order.status}\n".encode())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(desk.run_events, access)
            async with anyio.create_task_group() as lanes:
                for lane in range(3):
                    lanes.start_soon(submit, lane)
            while desk.unknown_orders():  # noqa: ASYNC110  the process ends when nothing is unknown
                await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), int(sys.argv[2]))
