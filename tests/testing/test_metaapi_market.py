"""Prices of the stand-in: walks, candles, ticks, and the broker's zone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gatehook.clocks import ReplayClock
from gatehook.kinds.times import DAY
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import MINUTE
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import from_rfc3339
from gatehook.testing.metaapi import World
from gatehook.testing.metaapi.market import Market
from gatehook.testing.metaapi.settings import SYMBOLS
from gatehook.testing.metaapi.times import broker_text
from gatehook.testing.metaapi.times import closing
from gatehook.testing.metaapi.times import from_text
from gatehook.testing.metaapi.times import opening
from gatehook.testing.metaapi.times import utc_text

NOW = from_rfc3339("2026-06-10T12:34:56Z")
FRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1mn")


def market(seed=1, *, drifting=True):
    return Market(SYMBOLS, seed=seed, started=NOW, drifting=drifting)


def test_the_same_seed_walks_the_same_way():
    moments = range(NOW - DAY, NOW, HOUR)
    walks = [[market(seed).at("EURUSD", one) for one in moments] for seed in (1, 1, 2)]
    assert walks[0] == walks[1] != walks[2]


def test_a_walk_stays_near_its_price_and_moves():
    bids = [market().at("XAUUSD", NOW - day * DAY).bid for day in range(365)]
    assert all(2300 < bid < 2500 for bid in bids)
    assert len(set(bids)) > 300


@pytest.mark.parametrize("frame", FRAMES)
def test_candles_tile_and_hold_their_prices(frame):
    candles = market().candles("EURUSD", frame, NOW, 200, NOW)
    opens = [from_text(one["time"]) for one in candles]
    assert len(candles) >= 180
    assert [closing(one, frame) for one in opens[:-1]] == opens[1:]
    assert opens[-1] <= NOW < closing(opens[-1], frame)
    for one in candles:
        assert one["low"] <= min(one["open"], one["close"])
        assert one["high"] >= max(one["open"], one["close"])


@pytest.mark.parametrize("frame", FRAMES)
def test_pages_meet(frame):
    whole = market().candles("EURUSD", frame, NOW, 30, NOW)
    first = market().candles("EURUSD", frame, NOW, 10, NOW)
    rest = market().candles("EURUSD", frame, from_text(first[0]["time"]) - 1, 20, NOW)
    assert [*rest, *first] == whole


def test_the_open_candle_has_only_what_has_happened():
    still = market(drifting=False)
    still.set("EURUSD", Decimal("1.20000"), Decimal("1.20020"), NOW + 10 * SECOND)
    [before] = still.candles("EURUSD", "1m", NOW, 1, NOW)
    assert before["high"] < Decimal("1.15")
    [after] = still.candles("EURUSD", "1m", NOW, 1, NOW + 2 * SECOND)
    assert after["high"] < Decimal("1.15")
    [closed] = still.candles("EURUSD", "1m", NOW + 10 * SECOND, 1, NOW + MINUTE)
    assert (closed["high"], closed["close"]) == (Decimal("1.20000"), Decimal("1.20000"))


def test_days_begin_at_the_brokers_midnight_in_summer_and_winter():
    assert utc_text(opening(NOW, "1d")) == "2026-06-09T21:00:00.000Z"
    winter = from_rfc3339("2026-01-14T12:00:00Z")
    assert utc_text(opening(winter, "1d")) == "2026-01-13T22:00:00.000Z"
    assert broker_text(opening(winter, "4h")) == "2026-01-14 12:00:00.000"
    assert broker_text(opening(winter, "1w")) == "2026-01-11 00:00:00.000"
    assert broker_text(closing(opening(winter, "1mn"), "1mn")) == "2026-02-01 00:00:00.000"


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_day_with_another_length_is_one_candle(day):
    opened = opening(from_rfc3339(f"{day}T10:00:00Z"), "1d")
    assert broker_text(opened) == f"{day} 00:00:00.000"
    assert (closing(opened, "1d") - opened) // HOUR == (23 if day == "2026-03-29" else 25)


def test_weekends_can_be_closed():
    closed = market()
    closed.weekends_closed = True
    assert not closed.is_open("EURUSD", from_rfc3339("2026-06-13T12:00:00Z"))
    assert closed.is_open("EURUSD", NOW)
    days = closed.candles("EURUSD", "1d", NOW, 10, NOW)
    assert {from_text(one["time"]) // DAY % 7 for one in days} == {3, 4, 5, 6, 0}


def test_ticks_go_on_from_the_walk_to_what_was_set():
    still = market(drifting=False)
    still.set("EURUSD", Decimal("1.2"), Decimal("1.2002"), NOW + SECOND)
    ticks = still.ticks("EURUSD", NOW - 20 * SECOND, NOW + MINUTE, 0, 1000)
    times = [from_text(one["time"]) for one in ticks]
    assert times == sorted(times)
    assert [one["bid"] for one in ticks[-2:]] == [Decimal("1.10000"), Decimal("1.2")]
    for offset in range(len(ticks)):
        assert still.ticks("EURUSD", NOW - 20 * SECOND, NOW + MINUTE, offset, 1000) == ticks[offset:]


@pytest.mark.parametrize("text", ["2026-06-10T12:34:56Z", "2026-06-10T14:34:56+02:00", "2026-06-10T12:34:56"])
def test_times_are_read_with_and_without_an_offset(text):
    assert from_text(text) == NOW


def test_a_drifting_world_fills_what_its_walk_reaches():
    clock = ReplayClock(NOW)
    world = World(clock=clock, drifting=True)
    before = world.market.at("EURUSD", NOW).bid
    clock.advance(NOW + DAY)
    assert world.market.at("EURUSD", world.act()).bid != before
