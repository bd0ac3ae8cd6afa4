"""Candles from ticks: aligned, whole, never invented."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehook.kinds.errors import UnsupportedCapability
from gatehook.kinds.prices import CandleSide
from gatehook.kinds.prices import Timeframe
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import SECOND
from gatehook.market import CandleBuilder
from tests.market.prices import EURUSD
from tests.market.prices import quote
from tests.market.prices import trade


def build(*ticks, side=CandleSide.BID):
    builder = CandleBuilder(EURUSD, Timeframe.M1, side)
    return builder, [done for tick in ticks if (done := builder.add(tick)) is not None]


def ohlc(candle):
    return [int(value) for value in (candle.open, candle.high, candle.low, candle.close)]


def test_a_bar_is_made_of_bids_and_ends_with_the_next_bars_first_tick():
    _, done = build(*(quote(second * 20 * SECOND, bid) for second, bid in enumerate([5, 9, 2, 7])))
    assert [ohlc(one) for one in done] == [[5, 9, 2, 2]]
    assert (done[0].ts_open, done[0].ts_close, done[0].closed, done[0].volume) == (0, MINUTE, True, None)


def test_trades_have_a_volume():
    _, done = build(trade(0, 5, 2), trade(1, 6, 3), quote(2, 100), trade(MINUTE, 1), side=CandleSide.TRADE)
    assert ohlc(done[0]) == [5, 6, 5, 6]
    assert done[0].volume == Decimal(5)


def test_a_bar_without_ticks_is_not_invented():
    _, done = build(quote(0, 1), quote(5 * MINUTE, 2), quote(6 * MINUTE, 3))
    assert [one.ts_open for one in done] == [0, 5 * MINUTE]


def test_a_bar_that_was_not_seen_from_its_beginning_is_not_published():
    _, done = build(quote(SECOND, 1), quote(MINUTE + SECOND, 2), quote(2 * MINUTE, 3))
    assert [one.ts_open for one in done] == [MINUTE]


def test_a_bar_that_lost_ticks_is_not_published():
    builder, _ = build(quote(0, 1))
    builder.clear()
    assert builder.add(quote(SECOND, 1)) is None
    assert builder.add(quote(MINUTE, 2)) is None
    assert builder.add(quote(2 * MINUTE, 2)).ts_open == MINUTE


def test_time_ends_a_bar_and_its_late_ticks_only_count():
    builder, _ = build(quote(0, 1))
    assert builder.next_end == MINUTE
    assert builder.ended(MINUTE - 1) is None
    assert ohlc(builder.ended(MINUTE)) == [1, 1, 1, 1]
    assert builder.add(quote(30 * SECOND, 9)) is None
    assert builder.late == 1
    assert builder.next_end is None


@pytest.mark.parametrize("timeframe", [Timeframe.D1, Timeframe.W1, Timeframe.MN1])
def test_bars_of_the_venues_calendar_are_not_built(timeframe):
    with pytest.raises(UnsupportedCapability, match="calendar"):
        CandleBuilder(EURUSD, timeframe)


def test_mid_prices_are_not_built():
    with pytest.raises(UnsupportedCapability):
        CandleBuilder(EURUSD, Timeframe.M1, CandleSide.MID)


@given(st.lists(st.tuples(st.integers(0, 20 * 60), st.integers(1, 50)), min_size=1, max_size=80))
def test_bars_are_what_a_table_of_their_minutes_says(ticks):
    ticks = [(0, 1), *sorted(ticks)]
    _, done = build(*(quote(second * SECOND, bid) for second, bid in ticks), quote(30 * MINUTE, 1))
    minutes = {}
    for second, bid in ticks:
        minutes.setdefault(second // 60, []).append(bid)
    assert [(one.ts_open // MINUTE, ohlc(one)) for one in done] == [
        (minute, [bids[0], max(bids), min(bids), bids[-1]]) for minute, bids in minutes.items()
    ]
