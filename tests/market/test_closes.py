"""Each close once: what is a close, what a revision, what a repeat."""

import pytest

from gatehook.kinds.times import MINUTE
from gatehook.market.closes import Closes
from gatehook.market.closes import CloseTopic
from gatehook.market.closes import OpenBars
from tests.market.prices import candle


def judged(closes, *candles):
    return [closes.judge(one) for one in candles]


def test_closes_go_forward_and_a_repeat_is_no_news():
    verdicts = judged(Closes(), candle(1), candle(2), candle(2), candle(1), candle(3))
    assert verdicts == [CloseTopic.CLOSED, CloseTopic.CLOSED, None, None, CloseTopic.CLOSED]


def test_a_correction_is_a_revision_once():
    verdicts = judged(Closes(), candle(1), candle(2), candle(1, 5), candle(1, 5), candle(2, 6))
    assert verdicts == [CloseTopic.CLOSED, CloseTopic.CLOSED, CloseTopic.REVISED, None, CloseTopic.REVISED]


def test_a_bar_that_was_missing_is_a_revision_and_the_newest_stays_the_newest():
    verdicts = judged(Closes(), candle(1), candle(3), candle(2), candle(2), candle(3), candle(4))
    assert verdicts == [CloseTopic.CLOSED, CloseTopic.CLOSED, CloseTopic.REVISED, None, None, CloseTopic.CLOSED]


def test_what_is_older_than_memory_is_a_repeat():
    closes = Closes(remembered=2)
    assert judged(closes, *(candle(minute) for minute in range(5))) == [CloseTopic.CLOSED] * 5
    assert judged(closes, candle(0, 9), candle(2, 9), candle(3, 9)) == [None, None, CloseTopic.REVISED]


@pytest.mark.parametrize("later_is_closed", [True, False])
def test_the_next_bars_first_item_ends_the_bar_before(later_is_closed):
    bars = OpenBars()
    assert bars.see(candle(1, 2, closed=False)) is None
    assert bars.see(candle(1, 3, closed=False)) is None
    assert bars.see(candle(2, closed=later_is_closed)) == candle(1, 3, closed=False)


def test_a_bar_that_its_source_closed_does_not_end_again():
    bars = OpenBars()
    bars.see(candle(1, closed=False))
    assert bars.see(candle(1)) is None
    assert bars.see(candle(2, closed=False)) is None


def test_an_open_bar_ends_by_its_own_ts_close():
    bars = OpenBars()
    bars.see(candle(1, closed=False))
    assert bars.next_end == 2 * MINUTE
    assert bars.ended(2 * MINUTE - 1) == []
    assert bars.ended(2 * MINUTE) == [candle(1, closed=False)]
    assert bars.next_end is None


def test_a_late_state_of_an_older_bar_does_not_replace_the_newer_one():
    bars = OpenBars()
    bars.see(candle(2, closed=False))
    assert bars.see(candle(1, closed=False)) is None
    assert bars.ended(9 * MINUTE) == [candle(2, closed=False)]
