"""Does with a broker what the symbol says, and answers with what came of it as a note of an instrument."""

from __future__ import annotations

from gatehook import MarketData
from gatehook import hookimpl
from gatehook.kinds.commands import PositionRef
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.instruments import Instrument
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Side


@hookimpl
def provide_market_data(context):
    return Trader(context)


class Trader(MarketData):
    def __init__(self, context):
        self._context = context

    async def list_instruments(self, *, query=None):
        try:
            said = [str(one) async for one in getattr(self, f"_{query}")()]
        except ProviderError as error:
            said = [type(error).__name__, error.message]
        return [_named(one) for one in said]

    async def quote(self, instrument_id):
        raise NotImplementedError

    async def _trade(self):
        broker = self._context.use("paper")
        account = (await broker.accounts())[0].account
        (instrument,) = await broker.instruments("EURUSD")
        yield f"{account} {instrument.id} {broker.capabilities.cancel_all}"
        filled = await broker.submit_order(self._request(account, instrument, "one"))
        yield f"{filled.status} {filled.request.account}"
        yield (await broker.order(filled.ref)).status
        resting = await broker.submit_order(
            self._request(account, instrument, "two", type=OrderType.LIMIT, price="1.00000")
        )
        yield f"{resting.status} {(await broker.cancel_order(resting.ref)).status}"
        yield len((await broker.positions(account)).positions)
        await broker.close_position(PositionRef(account=account, instrument_id=instrument.id), command_id="close")
        yield len((await broker.positions(account)).positions)
        yield [one.request.client_order_id for one in await broker.orders(account)]

    async def _refused(self):
        broker = self._context.use("paper")
        account = (await broker.accounts())[0].account
        (instrument,) = await broker.instruments("EURUSD")
        await broker.submit_order(self._request(account, instrument, "three"))
        yield "it was let through"

    def _request(self, account, instrument, name, **changes):
        fields = {
            "client_order_id": name,
            "account": account,
            "instrument_id": instrument.id,
            "side": Side.BUY,
            "type": OrderType.MARKET,
            "quantity": instrument.min_quantity,
            "quantity_unit": QuantityUnit.BASE,
        }
        return OrderRequest(**fields | changes)


def _named(text):
    return Instrument(
        id=InstrumentId("A", "B"),
        native_symbol=text,
        base="A",
        quote="B",
        price_increment="1",
        size_increment="1",
        settle_currency="B",
    )
