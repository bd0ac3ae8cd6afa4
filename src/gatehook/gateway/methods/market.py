"""Quotes and instruments."""

from __future__ import annotations

from typing import Any

from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import gateway as codes
from gatehook.gateway.methods.method import Method
from gatehook.gateway.methods.method import Methods
from gatehook.gateway.params import Params
from gatehook.gateway.prices import Prices
from gatehook.kinds.codec import to_json
from gatehook.kinds.instruments import InstrumentId


class MarketMethods:
    """``market.quote`` and ``market.instruments``."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices

    def table(self) -> Methods:
        """Return the methods by name."""
        return {"market.quote": Method(self.quote), "market.instruments": Method(self.instruments)}

    async def quote(self, params: Params) -> Any:
        """Return the newest quote of an instrument, and whether it is simulated, replayed or live."""
        wanted = params.read("instrument", InstrumentId.parse)
        for source in self._prices.sources():
            known = await source.handle.list_instruments()
            if any(one.id == wanted for one in known):
                tick = await source.handle.quote(wanted)
                label = source.label_of(tick)
                return {"schemaVersion": 1, "quote": to_json(tick), "label": label, "entry": source.entry_id}
        hint = did_you_mean(str(wanted), [str(one.id) for one, _ in await self._prices.instruments(None)])
        raise GatehookError(codes.UNKNOWN_INSTRUMENT(instrument=wanted, hint=hint))

    async def instruments(self, params: Params) -> Any:
        """List instruments with the label of their prices."""
        listed = await self._prices.instruments(params.maybe("query"))
        return {"schemaVersion": 1, "instruments": [{**to_json(one), "label": label} for one, label in listed]}
