"""The symbols of an account as instruments: asked for once, and the same for every account of the entry."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import anyio
import attrs

from gatehook import Instrument
from gatehook import InstrumentId
from gatehook import NotFound
from gatehook.kinds.errors import InvalidOrder
from gatehook.kinds.instruments import InstrumentStatus
from gatehook.kinds.instruments import QuantityUnit

from .links import Links
from .reading import Node
from .reading import text_of
from .session import Session
from .settings import Settings

_STATUS: Final = {
    "SYMBOL_TRADE_MODE_FULL": InstrumentStatus.TRADING,
    "SYMBOL_TRADE_MODE_LONGONLY": InstrumentStatus.TRADING,
    "SYMBOL_TRADE_MODE_SHORTONLY": InstrumentStatus.TRADING,
    "SYMBOL_TRADE_MODE_CLOSEONLY": InstrumentStatus.CANCEL_ONLY,
    "SYMBOL_TRADE_MODE_DISABLED": InstrumentStatus.HALTED,
}


class Instruments:
    """What can be traded; specifications are cached for as long as the entry runs."""

    def __init__(self, session: Session, links: Links, settings: Settings, venue: str) -> None:
        self._session = session
        self._links = links
        self._settings = settings
        self._venue = venue
        self._symbols: dict[str, tuple[str, ...]] = {}
        self._specified: dict[tuple[str, str], Instrument] = {}
        self._turn = anyio.Lock()

    def id_of(self, symbol: str) -> InstrumentId:
        """Name an instrument."""
        return InstrumentId(symbol, self._venue)

    async def matching(self, query: str | None) -> Sequence[Instrument]:
        """Return the instruments of the prices' account whose symbol has ``query`` in it, in any case."""
        account = await self._links.prices_account()
        wanted = (query or "").upper()
        symbols = [one for one in await self._names(account) if wanted in one.upper()]
        return [await self._specification(account, symbol) for symbol in symbols]

    async def of(self, instrument_id: InstrumentId, account_id: str | None = None) -> Instrument:
        """Return an instrument; ``account_id`` is where it is to be traded.

        Raises:
            NotFound: when there is none.
            InvalidOrder: when that account has another contract under the same symbol.
        """
        prices = await self._links.prices_account()
        found = await self._one(instrument_id, prices)
        if account_id is not None and account_id != prices:
            there = await self._one(instrument_id, account_id)
            if attrs.evolve(there, raw=None) != attrs.evolve(found, raw=None):
                raise InvalidOrder(
                    f"account {account_id} has another contract as {instrument_id} than account {prices}, whose"
                    " instruments this entry has: give it an entry of its own; nothing was sent"
                )
        return found

    async def _one(self, instrument_id: InstrumentId, account_id: str) -> Instrument:
        symbol = instrument_id.symbol
        if instrument_id.venue != self._venue or symbol not in await self._names(account_id):
            raise NotFound(f"account {account_id} has no symbol for {instrument_id}; nothing was sent")
        return await self._specification(account_id, symbol)

    async def _names(self, account_id: str) -> tuple[str, ...]:
        known = self._symbols.get(account_id)
        if known is None:
            await self._links.ready(account_id)
            answer = await self._session.ask("get_symbols", account_id)
            named = self._settings.symbols
            known = tuple(one.text() for one in answer.items())
            if named is not None:
                known = tuple(one for one in named if one in known)
            self._symbols[account_id] = known
        return known

    async def _specification(self, account_id: str, symbol: str) -> Instrument:
        key = (account_id, symbol)
        async with self._turn:
            if key not in self._specified:
                await self._links.ready(account_id)
                answer = await self._session.ask("get_symbol_specification", account_id, symbol=symbol)
                if answer["symbol"].text() != symbol:
                    answer["symbol"].wrong("the symbol that was asked for")
                self._specified[key] = self._read(answer, symbol)
        return self._specified[key]

    def _read(self, answer: Node, symbol: str) -> Instrument:
        profit = answer.get("profitCurrency") or answer["marginCurrency"]
        quote = profit.text()
        mode = text_of(answer.get("tradeMode"))
        return Instrument(
            id=self.id_of(symbol),
            native_symbol=symbol,
            base=text_of(answer.get("baseCurrency")) or symbol,
            quote=quote,
            settle_currency=quote,
            price_increment=_increment(answer),
            size_increment=answer["volumeStep"].above_zero(),
            quantity_unit=QuantityUnit.LOTS,
            contract_size=answer["contractSize"].above_zero(),
            min_quantity=answer["minVolume"].above_zero(),
            max_quantity=answer["maxVolume"].above_zero(),
            status=InstrumentStatus.TRADING if mode is None else _STATUS.get(mode, InstrumentStatus.UNKNOWN),
            raw=answer.value,
        )


def _increment(answer: Node) -> Decimal:
    """Return the least step of a price: the tick size, or where the server says none, the last digit."""
    size = answer.get("tickSize")
    if size is not None and size.number() > 0:
        return size.number()
    digits = answer["digits"].number()
    if digits != int(digits) or not 0 <= digits <= 15:  # noqa: PLR2004  more digits than a double has
        answer["digits"].wrong("a number of digits")
    return Decimal(1).scaleb(-int(digits))
