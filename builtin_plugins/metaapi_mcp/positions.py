"""The open positions: what they are, closing them, and their protection."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from decimal import Decimal

import anyio
import attrs

from gatehook import AccountKey
from gatehook import Ambiguous
from gatehook import Denied
from gatehook import NotConnected
from gatehook import NotFound
from gatehook import Order
from gatehook import OrderRequest
from gatehook import OrderStatus
from gatehook import OrderType
from gatehook import Position
from gatehook import PositionMode
from gatehook import PositionRef
from gatehook import PositionReport
from gatehook import ProviderError
from gatehook import UnsupportedCapability
from gatehook.kinds.commands import Protection
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.orders import OrderOrigin

from .closes import Close
from .closes import taking
from .lookup import LOOKS
from .lookup import SKEW
from .plugin import Plugin
from .session import TradeReply


class Positions:
    """The positions of an entry's accounts."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin
        self._session, self._links, self._words = plugin.session, plugin.links, plugin.words
        self._history, self._closes = plugin.history, plugin.closes

    async def report(self, account: AccountKey) -> PositionReport:
        """Return the open positions."""
        account_id = self._links.check(account)
        await self._links.ready(account_id)
        before = self._plugin.now()
        positions = await self._open(account)
        complete = await self._history.is_complete(account_id)
        return PositionReport(account=account, positions=tuple(positions), complete=complete, as_of=before)

    async def _open(self, account: AccountKey) -> list[Position]:
        answer = await self._session.ask("get_positions", account.account_id)
        return [self._words.position(account, row) for row in answer.items()]

    async def close(self, ref: PositionRef, quantity: Decimal | None, command_id: str) -> Order:
        """Close a whole position at the market."""
        account_id = self._links.check(ref.account)
        link = await self._links.ready(account_id)
        named = link.position_mode is PositionMode.NETTING
        position = await self._position(ref)
        if quantity is not None and quantity != position.quantity:
            raise UnsupportedCapability("this server closes whole positions only; nothing was sent")
        now = self._plugin.now()
        deals = await self._history.deals_between(ref.account, now - SKEW - SKEW, now + SKEW)
        close = Close(
            command_id=command_id,
            account_id=account_id,
            position_id=position.position_id,
            before=tuple(sorted(taking(deals, position.position_id, named=named))),
            named=named,
            sent=now,
        )
        await self._closes.keep(close)
        try:
            reply = await self._session.trade("close_position", account_id, positionId=position.position_id)
        except (Denied, NotConnected):
            await self._closes.forget(close)
            raise
        if reply.order_id is not None:
            await self._closes.keep(attrs.evolve(close, order_id=reply.order_id))
        return await self._closed(position, close, reply)

    async def _closed(self, position: Position, close: Close, reply: TradeReply) -> Order:
        request = OrderRequest(
            client_order_id=close.command_id,
            account=position.account,
            instrument_id=position.instrument_id,
            side=position.side.opposite,
            type=OrderType.MARKET,
            quantity=position.quantity,
            quantity_unit=position.quantity_unit,
            reduce_only=True,
            position_id=position.position_id,
        )
        found = await self._plugin.lookup.seen(request.ref, lambda seen: seen.status.is_final)
        if found is not None:
            return attrs.evolve(found, request=request, ts_submitted=close.sent, origin=OrderOrigin.GATEWAY)
        if reply.order_id is None:
            raise Ambiguous("the close was answered without an order's id, and its deal is not seen yet")
        times = {"ts_submitted": close.sent, "ts_accepted": close.sent, "ts_last": close.sent}
        return Order.of(request, OrderStatus.ACCEPTED, venue_order_id=reply.order_id, **times)

    async def _position(self, ref: PositionRef) -> Position:
        """Return the position that is meant.

        Raises:
            NotFound, InvalidOrder: when there is none, or more than one; nothing was sent.
        """
        found = [
            one
            for one in await self._open(ref.account)
            if one.instrument_id == ref.instrument_id and ref.position_id in (None, one.position_id)
        ]
        if not found:
            raise NotFound(f"account {ref.account} has no such position in {ref.instrument_id}; nothing was sent")
        if len(found) > 1:
            raise InvalidOrder(f"account {ref.account} has {len(found)} positions there; name its position_id")
        return found[0]

    async def protect(self, ref: PositionRef, protection: Protection) -> PositionReport:
        """Set a position's stop-loss and take-profit; a trailing one, and taking one away, the server cannot do."""
        account_id = self._links.check(ref.account)
        await self._links.ready(account_id)
        if protection.trailing is not None:
            raise UnsupportedCapability("this server lets no stop-loss of an open position trail; nothing was sent")
        position = await self._position(ref)
        for name in ("stop_loss", "take_profit"):
            wanted: Decimal | None = getattr(protection, name)
            if wanted is not None and wanted <= 0:
                raise InvalidOrder(f"{name} is above zero, but {wanted}; nothing was sent")
            if wanted is None and getattr(position, name) is not None:
                raise UnsupportedCapability(
                    f"this server cannot take the {name} of a position away (it drops a 0); nothing was sent"
                )
        await self._session.trade(
            "modify_position",
            account_id,
            positionId=position.position_id,
            stopLoss=protection.stop_loss,
            takeProfit=protection.take_profit,
        )
        for pause in LOOKS:
            await anyio.sleep(pause)
            report = await self._told(lambda: self.report(ref.account))
            for one in report.positions:
                mine = one.position_id == position.position_id
                if mine and (one.stop_loss, one.take_profit) == (protection.stop_loss, protection.take_profit):
                    return report
        raise Ambiguous("the protection was answered, and is not seen at the position")

    async def _told(self, ask: Callable[[], Awaitable[PositionReport]]) -> PositionReport:
        try:
            return await ask()
        except ProviderError as error:
            raise Ambiguous(f"the command was answered, and what it did cannot be seen: {error.message}") from error
