"""A gateway that trades until it is killed: a few lanes of commands at random, each answer written down at once."""

from __future__ import annotations

import os
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import attrs

from gatehook import PluginHost
from gatehook import PositionRef
from gatehook import Protection
from gatehook.catalog import Places
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import Order
from gatehook.kinds.orders import OrderChange
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side
from tests.hostile.rig import Variant

ACCOUNT = AccountKey("hostile", "main")
EURUSD = InstrumentId("EURUSD", "HOSTILE")
LANES = 4
MAX_OPEN = 6
#: In base units; an order is between a fifth of it and all of it.
MAX_POSITION = 20_000
#: By kind of account, the quantities of orders in its instrument's unit.
SIZES = {
    "cash": ("2000", "5000", "9000"),
    "netting": ("4000", "9000", "20000"),
    "hedging": ("0.04", "0.09", "0.20"),
}
UNITS = {"cash": "base", "netting": "base", "hedging": "lots"}
#: Prices of limit orders: far from the market, and through it.
PRICES = {Side.BUY: ("1.05000", "1.20000"), Side.SELL: ("1.20000", "1.05000")}
KINDS = {"submit": 50, "again": 10, "cancel": 15, "amend": 8, "close": 10, "cancel_all": 3, "protect": 4}


@attrs.frozen(kw_only=True)
class Life:
    """One life of a gateway, from its start to its kill."""

    folder: Path
    port: int
    variant: Variant
    limited: bool
    number: int
    seed: int

    def config(self) -> dict[str, Any]:
        limits = {"max_position": self.largest, "max_open_orders": MAX_OPEN}
        about = {"port": self.port, "token": "a-token", "allowedAccounts": ["main"]}
        return {
            "gateway": {"data_dir": str(self.folder / "data")},
            "plugins": {"slots": {"memory": "none"}, "entries": {"hostile": {"config": about}}},
            "limits": {str(ACCOUNT): limits} if self.limited else {},
        }

    @property
    def largest(self) -> str:
        """A cash account holds a million from the start."""
        return str(1_000_000 + MAX_POSITION if self.variant.account == "cash" else MAX_POSITION)

    def host(self) -> PluginHost:
        return PluginHost.from_config(self.config(), places=Places(dev=(self.folder / "plugin",)))


class Trader:
    """One lane. Its ids are its own, also over all lives."""

    def __init__(self, life: Life, lane: int, host: PluginHost, answers: int) -> None:
        self._life = life
        self._lane = lane
        self._random = random.Random(life.seed * 1_000 + lane)
        self._host = host
        self._handle = host.broker("hostile", caller="crash")
        self._answers = answers
        self._count = 0
        self._requests: list[OrderRequest] = []

    async def run(self) -> None:
        """Trade for ever."""
        kinds, weights = list(KINDS), list(KINDS.values())
        while True:
            [kind] = self._random.choices(kinds, weights)
            name = f"{self._life.number}-{self._lane}-{self._count}"
            self._count += 1
            try:
                outcome = await getattr(self, f"_{kind}")(name)
            except ProviderError as error:
                outcome = type(error).__name__
                await anyio.sleep(0.003 if isinstance(error, Denied) else 0.01)
            self._tell(kind, name, outcome)

    def _tell(self, kind: str, name: str, outcome: object) -> None:
        if isinstance(outcome, Order):
            name, outcome = outcome.request.client_order_id, outcome.status
        os.write(self._answers, f"{kind} {name} {outcome}\n".encode())

    async def _submit(self, name: str) -> Order:
        side = self._random.choice((Side.BUY, Side.SELL))
        kind = self._random.choice((OrderType.MARKET, OrderType.LIMIT, OrderType.LIMIT))
        request = OrderRequest(
            client_order_id=name,
            account=ACCOUNT,
            instrument_id=EURUSD,
            side=side,
            type=kind,
            quantity=self._random.choice(SIZES[self._life.variant.account]),
            quantity_unit=QuantityUnit(UNITS[self._life.variant.account]),
            price=self._random.choice(PRICES[side]) if kind is OrderType.LIMIT else None,
        )
        self._requests.append(request)
        return await self._handle.submit_order(request)

    async def _again(self, name: str) -> Order | str:
        if not self._requests:
            return "nothing"
        return await self._handle.submit_order(self._random.choice(self._requests))

    async def _any_order(self) -> Order | None:
        found = await self._handle.orders(open_only=True)
        return self._random.choice(found) if found else None

    async def _cancel(self, name: str) -> object:
        order = await self._any_order()
        return "nothing" if order is None else await self._handle.cancel_order(order.ref, command_id=name)

    async def _amend(self, name: str) -> object:
        order = await self._any_order()
        if order is None:
            return "nothing"
        size = Decimal(self._random.choice(SIZES[self._life.variant.account]))
        return await self._handle.amend_order(order.ref, OrderChange(quantity=size), command_id=name)

    async def _close(self, name: str) -> object:
        ref = await self._position()
        return "nothing" if ref is None else await self._handle.close_position(ref, command_id=name)

    async def _position(self) -> PositionRef | None:
        found = (await self._handle.positions(ACCOUNT)).positions
        if not found:
            return None
        one = self._random.choice(found)
        hedging = self._life.variant.account == "hedging"
        return PositionRef(account=ACCOUNT, instrument_id=EURUSD, position_id=one.position_id if hedging else None)

    async def _cancel_all(self, name: str) -> str:
        await self._handle.cancel_all(ACCOUNT, command_id=name)
        return "done"

    async def _protect(self, name: str) -> str:
        ref = await self._position()
        if ref is None:
            return "nothing"
        await self._handle.modify_position(ref, Protection(stop_loss="0.90000"), command_id=name)
        return "done"


async def trade(life: Life) -> None:
    """Run a gateway and trade on it until killed."""
    answers = os.open(life.folder / "answers", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    async with life.host() as host, anyio.create_task_group() as lanes:
        for lane in range(LANES):
            lanes.start_soon(Trader(life, lane, host, answers).run)
