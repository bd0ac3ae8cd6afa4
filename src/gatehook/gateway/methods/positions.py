"""Positions: closing them, and setting what protects them, through the desk."""

from __future__ import annotations

from typing import Any
from typing import Final

from gatehook.gateway.brokers import Brokers
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.params import Params
from gatehook.kinds.amounts import exact
from gatehook.kinds.codec import to_json
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.commands import Protection
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit

_TRADING: Final = 30.0


class PositionMethods:
    """``positions.close`` and ``positions.protect``."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers

    def table(self) -> Methods:
        """Return the methods by name."""
        return {
            "positions.close": Method(self.close, timeout=_TRADING),
            "positions.protect": Method(self.protect, timeout=_TRADING),
        }

    async def close(self, params: Params) -> Any:
        """Close a position, or a part of it, at the market."""
        ref = await self._ref(params)
        order = await self._brokers.handle(ref.account.entry_id).close_position(
            ref, quantity=params.maybe_read("quantity", exact), command_id=params.text("command_id")
        )
        return {"schemaVersion": 1, "order": to_json(order)}

    async def protect(self, params: Params) -> Any:
        """Set a position's protection; what is not named is removed."""
        ref = await self._ref(params)
        protection = Protection(
            stop_loss=params.maybe_read("stop_loss", exact),
            take_profit=params.maybe_read("take_profit", exact),
            trailing=trailing_of(params),
        )
        report = await self._brokers.handle(ref.account.entry_id).modify_position(
            ref, protection, command_id=params.text("command_id")
        )
        mine = [one for one in report.positions if one.instrument_id == ref.instrument_id]
        return {"schemaVersion": 1, "positions": [to_json(one) for one in mine]}

    async def _ref(self, params: Params) -> PositionRef:
        return PositionRef(
            account=await self._brokers.account(params.text("account")),
            instrument_id=params.read("instrument", InstrumentId.parse),
            position_id=params.maybe("position"),
        )


def trailing_of(params: Params) -> Trailing | None:
    """Return the trailing stop that the parameters describe, if any."""
    if params.maybe("trailing") is None:
        return None
    return Trailing(offset=params.read("trailing", exact), unit=params.read("trailing_unit", TrailingUnit))
