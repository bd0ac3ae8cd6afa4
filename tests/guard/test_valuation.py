"""What an order is worth: at the worst price, along the configured path, on fresh quotes, or not at all."""

from __future__ import annotations

from decimal import Decimal

import anyio
import attrs
import pytest

from gatehook.config.trading import TradingSection
from gatehook.guard import valuation
from gatehook.guard.valuation import Valuer
from gatehook.guard.worth import NotValued
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import NotFound
from gatehook.kinds.instruments import InstrumentId
from gatehook.kinds.instruments import QuantityUnit
from gatehook.kinds.instruments import Settlement
from gatehook.kinds.orders import OrderType
from gatehook.kinds.orders import Trailing
from gatehook.kinds.orders import TrailingUnit
from gatehook.kinds.prices import Tick
from gatehook.kinds.prices import TickKind
from gatehook.kinds.times import SECOND
from tests.guard.board import INSTRUMENT
from tests.guard.board import instrument
from tests.guard.board import request

pytestmark = pytest.mark.anyio

NOW = 1000 * SECOND


class Market:
    """Quotes and instruments by symbol; an exception is raised."""

    def __init__(self, **conversion):
        self.now = NOW
        self.asked = []
        self.ticks = {}
        self.instruments = {}
        self.quote("EURUSD", "1.10", "1.11", "EUR", "USD")
        trading = TradingSection(valuation_currency="USD", conversion=conversion)
        self.valuer = Valuer(trading, self.tick_of, self.instrument_of, lambda: self.now)

    def quote(self, symbol, bid, ask, base, quote, *, at=NOW):
        name = InstrumentId(symbol, "VENUE")
        self.ticks[name] = Tick(instrument_id=name, kind=TickKind.QUOTE, bid=bid, ask=ask, ts_event=at)
        self.instruments[name] = instrument(id=name, base=base, quote=quote)

    async def tick_of(self, entry_id, instrument_id):
        self.asked.append((entry_id, str(instrument_id)))
        tick = self.ticks.get(instrument_id, NotFound("unknown"))
        if isinstance(tick, Exception):
            raise tick
        return tick

    async def instrument_of(self, entry_id, instrument_id):
        if instrument_id not in self.instruments:
            raise NotFound("unknown")
        return self.instruments[instrument_id]

    async def facts(self, asked, traded=INSTRUMENT):
        return await self.valuer.facts_of(asked, traded, "venue")


def stop(**fields):
    return attrs.evolve(request(price=None, **fields), type=OrderType.STOP)


def trailing(side, offset, unit, **fields):
    asked = request(side=side, price=None)
    return attrs.evolve(asked, type=OrderType.TRAILING_STOP, trailing=Trailing(offset=offset, unit=unit, **fields))


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        (request(price="1.05"), "10.5"),
        (request(price="1.20"), "12"),
        (request(side="sell", price="1.05"), "11"),
        (request(side="sell", price="1.20"), "12"),
        (request(price=None), "11.1"),
        (request(side="sell", price=None), "11"),
        (stop(trigger_price="1.30"), "13"),
        (stop(trigger_price="1.00"), "11.1"),
        (stop(trigger_price="1.00", side="sell"), "11"),
        (trailing("buy", "0.2", TrailingUnit.PRICE), "13.1"),
        (trailing("buy", "20", TrailingUnit.POINTS), "13.1"),
        (trailing("buy", "100", TrailingUnit.BPS), "11.211"),
        (trailing("buy", "0.2", TrailingUnit.PRICE, activation_price="2"), "22"),
        (trailing("sell", "0.2", TrailingUnit.PRICE), "11"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.side} {value.type}",
)
async def test_the_worst_price_counts(asked, value):
    facts = await Market().facts(asked)
    assert (facts.base, facts.value, facts.problem) == (10, Decimal(value), "")
    assert facts.quote.ask == Decimal("1.11")


async def test_lots_are_counted_with_their_size():
    traded = instrument(quantity_unit=QuantityUnit.LOTS, contract_size=1000)
    facts = await Market().facts(request(quantity=2, quantity_unit=QuantityUnit.LOTS), traded)
    assert (facts.base, facts.value) == (2000, 2200)


async def test_an_instrument_in_base_units_ignores_the_size_of_lots():
    facts = await Market().facts(request(), instrument(contract_size=1000))
    assert (facts.base, facts.value) == (10, 11)


async def test_an_inverse_contract_is_worth_its_size():
    traded = instrument(quantity_unit=QuantityUnit.CONTRACTS, contract_size=110, settlement=Settlement.INVERSE)
    facts = await Market().facts(request(quantity=2, price=None, quantity_unit=QuantityUnit.CONTRACTS), traded)
    assert (facts.base, facts.value) == (200, 220)


async def test_a_quanto_needs_its_tick_value():
    quanto = {"quantity_unit": QuantityUnit.CONTRACTS, "settlement": Settlement.QUANTO}
    asked = request(quantity=3, quantity_unit=QuantityUnit.CONTRACTS)
    facts = await Market().facts(asked, instrument(**quanto))
    assert facts.value is None
    assert "tick_value" in facts.problem
    facts = await Market().facts(asked, instrument(**quanto, tick_value="0.5"))
    assert facts.value == 165


async def test_a_quantity_in_the_quote_currency_is_its_own_worth():
    facts = await Market().facts(request(quantity=11, price=None, quantity_unit=QuantityUnit.QUOTE))
    assert (facts.base, facts.value) == (10, 11)


# --- the path to the valuation currency


async def test_without_a_path_there_is_no_worth():
    facts = await Market().facts(request(), instrument(quote="JPY"))
    assert facts.value is None
    assert facts.problem == "trading.conversion has no path from JPY to USD"
    assert facts.base == 10


async def test_a_step_from_the_base_multiplies_by_the_ask():
    market = Market(EUR=("EURUSD.VENUE",))
    assert await market.valuer.value(Decimal(100), "EUR") == 111
    assert market.asked == [(None, "EURUSD.VENUE")]


async def test_a_step_from_the_quote_divides_by_the_bid_and_rounds_up():
    market = Market(JPY=("USDJPY.VENUE",))
    market.quote("USDJPY", "150", "151", "USD", "JPY")
    value = await market.valuer.value(Decimal(100), "JPY")
    assert value * 150 >= 100
    assert value == Decimal("0.6666666666666666666666666666666667")


async def test_a_path_has_several_steps():
    market = Market(JPY=("EURJPY.VENUE", "EURUSD.VENUE"))
    market.quote("EURJPY", "160", "161", "EUR", "JPY")
    assert await market.valuer.value(Decimal(1600), "JPY") == Decimal("11.10")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("USDJPY.VENUE",), "does not convert CHF: it is USD in JPY"),
        (("CHFJPY.VENUE",), "leads to JPY, not to USD"),
        (("NONE.VENUE",), "there is no instrument NONE.VENUE"),
    ],
)
async def test_a_path_that_does_not_lead_there_is_said(path, words):
    market = Market(CHF=path)
    market.quote("USDJPY", "150", "151", "USD", "JPY")
    market.quote("CHFJPY", "170", "171", "CHF", "JPY")
    with pytest.raises(NotValued, match=words):
        await market.valuer.value(Decimal(1), "CHF")


# --- quotes that cannot be relied on


@pytest.mark.parametrize("seconds", [30, -30])
async def test_a_quote_may_be_as_old_as_max_quote_age(seconds):
    market = Market()
    market.now += seconds * SECOND
    assert (await market.facts(request(price=None))).problem == ""


@pytest.mark.parametrize(("seconds", "word"), [(31, "31.0 s old"), (-31, "31.0 s ahead of market time")])
async def test_a_quote_of_another_time_values_nothing(seconds, word):
    market = Market()
    market.now += seconds * SECOND
    facts = await market.facts(request(price=None))
    assert (facts.quote, facts.value) == (None, None)
    assert word in facts.problem


async def test_a_buy_with_a_limit_needs_no_quote():
    market = Market()
    market.ticks = {}
    facts = await market.facts(request(price="1.20"))
    assert (facts.base, facts.value, facts.quote) == (10, 12, None)


@pytest.mark.parametrize(("bid", "ask"), [(None, "1"), ("1", None), ("1.2", "1.1"), ("0", "1")])
async def test_a_quote_without_two_sides_values_nothing(bid, ask):
    market = Market()
    market.quote("EURUSD", bid, ask, "EUR", "USD")
    facts = await market.facts(request(price=None))
    assert facts.value is None
    assert "no bid and ask" in facts.problem


async def test_a_source_that_fails_is_named():
    market = Market()
    market.ticks = dict.fromkeys(market.ticks, NotConnected("down"))
    facts = await market.facts(request(price=None))
    assert facts.problem.startswith("there is no quote of EURUSD.VENUE: down")


async def test_a_source_that_hangs_is_left(monkeypatch):
    monkeypatch.setattr(valuation, "_QUOTE_SECONDS", 0.01)
    market = Market()
    market.valuer = Valuer(TradingSection(), lambda *_: anyio.sleep_forever(), market.instrument_of, lambda: NOW)
    assert "did not come within" in (await market.facts(request(price=None))).problem
