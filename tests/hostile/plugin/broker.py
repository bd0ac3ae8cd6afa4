"""The broker: it checks before it sends, sends once, and says of the outcome only what the venue proved."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from typing import Self

import anyio

from gatehook import AccountKey
from gatehook import AccountRef
from gatehook import AccountState
from gatehook import Broker
from gatehook import BrokerEvent
from gatehook import Evidence
from gatehook import Fill
from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import NotFound
from gatehook import Order
from gatehook import OrderChange
from gatehook import OrderList
from gatehook import OrderLookup
from gatehook import OrderRef
from gatehook import OrderRequest
from gatehook import Page
from gatehook import PluginContext
from gatehook import PositionRef
from gatehook import PositionReport
from gatehook import Protection
from gatehook import Sink
from gatehook.kinds.capabilities import AbsenceProof
from gatehook.kinds.checks import check_capabilities
from gatehook.kinds.checks import check_instrument
from gatehook.kinds.checks import check_shape
from gatehook.kinds.errors import InvalidOrder

from .wire import MS
from .wire import Wire
from .wire import refuse
from .words import Words
from .words import asked
from .words import mode
from .words import written


class HostileBroker(Broker):
    """A broker at a venue that nothing good can be said of."""

    def __init__(self, context: PluginContext) -> None:
        self._context = context
        self._declared = context.manifest.capabilities.broker
        self._wire = Wire(context)
        self._until: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        hello = await self._wire.ask("hello")
        self._lag, self._window = hello["lag"], int(hello["window"] * 1000)
        # What an earlier run of us sent may arrive up to here.
        self._bound = hello["now"] + self._window
        (instrument,) = (await self._wire.ask("instruments"))["instruments"]
        self._words = Words(self._context.entry_id, self._context.venue, instrument)
        self._modes = {one["id"]: one["mode"] for one in (await self._wire.ask("accounts"))["accounts"]}
        return self

    # --- trading

    async def submit_order(self, request: OrderRequest) -> Order:
        self._check(request)
        answer = await self._command("submit", request.account, client=request.client_order_id, order=asked(request))
        return self._words.order(answer)

    async def submit_order_list(self, orders: OrderList) -> Sequence[Order]:
        for request in orders.orders:
            self._check(request)
        account = orders.orders[0].account
        answer = await self._command("submit_list", account, orders=[asked(one) for one in orders.orders])
        return [self._words.order(one) for one in answer["orders"]]

    def _check(self, request: OrderRequest) -> None:
        check_shape(request)
        check_capabilities(request, self._declared)
        if request.instrument_id != self._words.instrument.id:
            raise NotFound(f"{request.instrument_id} is not traded here")
        check_instrument(request, self._words.instrument)

    async def cancel_order(self, ref: OrderRef, *, command_id: str) -> Order:
        return self._words.order(await self._command("cancel", ref.account, **_named(ref)))

    async def cancel_all(
        self, account: AccountKey, *, instrument_id: InstrumentId | None = None, command_id: str
    ) -> Sequence[Order]:
        answer = await self._command("cancel_all", account)
        return [self._words.order(one) for one in answer["orders"]]

    async def amend_order(self, ref: OrderRef, change: OrderChange, *, command_id: str) -> Order:
        fields = {"quantity": change.quantity, "price": change.price, "trigger": change.trigger_price}
        changed = {name: written(value) for name, value in fields.items()}
        return self._words.order(await self._command("amend", ref.account, change=changed, **_named(ref)))

    async def close_position(self, ref: PositionRef, *, quantity: Decimal | None = None, command_id: str) -> Order:
        report = await self.list_positions(ref.account)
        if ref.position_id is None and len(report.positions) > 1:
            raise InvalidOrder(f"account {ref.account} has {len(report.positions)} positions; name its position_id")
        position = ref.position_id or next((one.position_id for one in report.positions), None)
        if position is None:
            raise NotFound(f"account {ref.account} has no position in {ref.instrument_id}")
        fields = {"client": command_id, "position": position, "quantity": written(quantity)}
        return self._words.order(await self._command("close", ref.account, **fields))

    async def modify_position(self, ref: PositionRef, protection: Protection, *, command_id: str) -> PositionReport:
        fields = {"stop_loss": written(protection.stop_loss), "take_profit": written(protection.take_profit)}
        await self._command("protect", ref.account, position=ref.position_id, **fields)
        return await self.list_positions(ref.account)

    async def _command(self, do: str, account: AccountKey, **fields: Any) -> dict[str, Any]:
        """Send a command; a clock that is off is set once, for then nothing was done."""
        for again in (True, False):
            request = {"do": do, "account": account.account_id, **fields}
            if self._declared.absence_proof is AbsenceProof.BOUNDED_REQUEST:
                request["until"] = self._until[fields.get("client") or ""] = self._wire.now() + self._window
            stream = await self._wire.connect()
            async with self.sending():
                answer = await self._wire.exchange(stream, request)
                if answer.get("error") == "clock-skew" and again:
                    self._wire.skew += answer["now"] - request["time"]
                    continue
                refuse(answer)
                return answer
        raise AssertionError("the second answer is the last")

    # --- reading

    async def get_order(self, ref: OrderRef) -> OrderLookup:
        """Look an order up. That it is absent is said as the venue can prove it, and when it can."""
        proof = self._declared.absence_proof
        if proof is AbsenceProof.SCAN:
            return await self._scanned(ref)
        answer = await self._looked_up(ref)
        if answer["order"] is None and proof is not AbsenceProof.NONE and not answer["synchronizing"]:
            await anyio.sleep(self._lag if proof is AbsenceProof.BY_ID_LAG else self._time_left(ref, answer["now"]))
            answer = await self._looked_up(ref)
        complete = not answer["synchronizing"]
        proven = complete and proof is not AbsenceProof.NONE
        return self._lookup(answer["order"], complete=complete, proven=proven, now=answer["now"])

    def _time_left(self, ref: OrderRef, now: int) -> float:
        until: int = max(self._until.get(one, self._bound) for one in (ref.client_order_id or "", ""))
        return max(until - now + 1, 0) / 1000

    async def _looked_up(self, ref: OrderRef) -> dict[str, Any]:
        return await self._wire.ask("lookup", account=ref.account.account_id, **_named(ref))

    async def _scanned(self, ref: OrderRef) -> OrderLookup:
        rows, complete, now = await self._wire.rows("orders", account=ref.account.account_id)
        found = [one for one in rows if _is_named(one, ref)]
        return self._lookup(found[-1] if found else None, complete=complete, proven=complete, now=now)

    def _lookup(self, order: dict[str, Any] | None, *, complete: bool, proven: bool, now: int) -> OrderLookup:
        evidence = Evidence.FOUND if order else Evidence.ABSENT if proven else Evidence.INDETERMINATE
        found = None if order is None else self._words.order(order)
        return OrderLookup(evidence=evidence, order=found, complete=complete, as_of=now * MS)

    async def list_accounts(self) -> Sequence[AccountRef]:
        return [
            AccountRef(account=self._words.account(name), name=name, mode=mode(word), venue="hostile")
            for name, word in self._modes.items()
        ]

    async def get_account(self, account: AccountKey) -> AccountState:
        answer = await self._wire.ask("account", account=account.account_id)
        return self._words.state(account, self._modes[account.account_id], answer)

    async def list_instruments(self, *, query: str | None = None) -> Sequence[Instrument]:
        return [self._words.instrument] if (query or "") in self._words.instrument.id.symbol else []

    async def list_orders(
        self, account: AccountKey, *, open_only: bool = True, since: int | None = None, cursor: str | None = None
    ) -> Page[Order]:
        rows, complete, _ = await self._wire.rows(
            "orders", account=account.account_id, open=open_only, since=_ms(since)
        )
        return Page(items=[self._words.order(one) for one in rows], complete=complete)

    async def list_fills(
        self, account: AccountKey, *, since: int | None = None, cursor: str | None = None
    ) -> Page[Fill]:
        rows, complete, _ = await self._wire.rows("fills", account=account.account_id, since=_ms(since))
        return Page(items=[self._words.fill(one) for one in rows], complete=complete)

    async def list_positions(self, account: AccountKey) -> PositionReport:
        rows, complete, now = await self._wire.rows("positions", account=account.account_id)
        found = [self._words.position(account, one) for one in rows]
        return PositionReport(account=account, positions=found, complete=complete, as_of=now * MS)

    async def run_events(self, sink: Sink[BrokerEvent], after: str | None) -> None:
        start = self._wire.news if after is None else int(after)
        async for news in self._wire.follow(start):
            item = self._words.order(news["order"]) if "order" in news else self._words.fill(news["fill"])
            sink.put(item, str(news["number"]))


def _named(ref: OrderRef) -> dict[str, str | None]:
    return {"client": ref.client_order_id, "id": ref.venue_order_id}


def _is_named(wire: dict[str, Any], ref: OrderRef) -> bool:
    return ref.venue_order_id in (None, wire["id"]) and ref.client_order_id in (None, wire["client"])


def _ms(since: int | None) -> int | None:
    return None if since is None else since // MS
