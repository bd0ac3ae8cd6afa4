"""The venue itself: it keeps what it took over SIGKILL, and does to its callers what a mood says."""

from __future__ import annotations

import random
from decimal import Decimal
from threading import Thread

import pytest

from tests.hostile.control import VenueProcess
from tests.hostile.venue.moods import MOODS
from tests.hostile.wire import ask
from tests.hostile.wire import submit


@pytest.fixture
def venue(venue_process):
    venue_process.ask("reset")
    return venue_process


@pytest.fixture
def own(tmp_path):
    process = VenueProcess(tmp_path / "venue").start()
    yield process
    process.kill()


def test_it_knows_after_a_kill_what_it_acknowledged_and_nothing_twice(own):
    moments, acknowledged = random.Random(7), []
    for round_number in range(3):

        def trade(round_number=round_number):
            for number in range(10_000):
                try:
                    answer = submit(own, f"{round_number}-{number}")
                except OSError:
                    return
                if answer is None:
                    return
                acknowledged.append((f"{round_number}-{number}", answer["id"]))

        thread = Thread(target=trade)
        thread.start()
        thread.join(moments.uniform(0.05, 0.2))  # the moment of the kill is what varies
        own.kill()
        thread.join()
        own.start()
    orders = own.ask("ledger")["orders"]
    assert len(acknowledged) > 10
    assert {(one["client"], one["id"]) for one in orders} >= set(acknowledged)
    assert len(orders) <= len(acknowledged) + 3
    assert len({one["id"] for one in orders}) == len(orders)


def test_a_torn_line_never_happened(own, tmp_path):
    submit(own, "a")
    own.kill()
    with (tmp_path / "venue" / "venue.log").open("ab") as log:
        log.write(b'{"do": "submit", "acc')
    own.start()
    submit(own, "b")
    own.kill()
    assert [one["client"] for one in own.start().ask("ledger")["orders"]] == ["a", "b"]


def test_a_command_that_comes_twice_is_done_twice_and_seen(venue):
    submit(venue, "a")
    submit(venue, "a")
    ledger = venue.ask("ledger")
    assert [(one["client"], one["taken"]) for one in ledger["requests"]] == [("a", True)] * 2
    assert len(ledger["orders"]) == 2


@pytest.mark.parametrize(
    ("mood", "more", "taken", "error"),
    [
        ("drop_request", {}, False, None),
        ("drop_reply", {}, True, None),
        ("error_500", {}, True, "server-error"),
        ("conflict", {}, True, "conflict"),
        ("unmapped", {}, True, "E599"),
        ("refuse", {"refuse": "market-closed"}, False, "market-closed"),
        ("rate_limited", {"retry_after": 3}, False, "rate-limited"),
        ("rate_limited_after", {"retry_after": 3}, True, "rate-limited"),
    ],
)
def test_a_mood_says_what_it_does(venue, mood, more, taken, error):
    venue.ask("mood", mood=mood, count=1, **more)
    answer = submit(venue, "a")
    assert (answer is None) is (error is None)
    assert answer is None or answer["error"] == error
    assert answer is None or answer.get("retry_after") == more.get("retry_after")
    (request,) = venue.ask("ledger")["requests"]
    assert request["taken"] is taken
    assert submit(venue, "b")["state"] == "working"


def test_a_mood_is_for_the_commands_it_names(venue):
    venue.ask("mood", mood="drop_reply", on=["cancel"])
    assert submit(venue, "a")["id"] == "1"
    assert ask(venue, "cancel", account="main", client="a") is None
    assert venue.ask("ledger")["orders"][0]["state"] == "canceled"


def test_a_ban_refuses_everything_until_its_time(venue):
    venue.ask("state", banned=60)
    for answer in (submit(venue, "a"), ask(venue, "orders", account="main")):
        assert (answer["status"], answer["error"]) == (418, "banned")
        assert 55_000 < answer["until"] - answer["now"] <= 60_000
    venue.ask("state", banned=0)
    assert submit(venue, "b")["state"] == "working"


def test_an_order_is_seen_by_its_id_after_the_lag_only(venue):
    venue.ask("reset", proof="by_id+lag", lag=60)
    submit(venue, "a")
    assert ask(venue, "lookup", account="main", client="a")["order"] is None
    assert len(ask(venue, "orders", account="main")["rows"]) == 1


def test_a_request_behind_its_bound_never_arrives(venue):
    venue.ask("reset", proof="bounded_request")
    assert ask(venue, "cancel_all", account="main", until=1)["error"] == "expired-request"


def test_chaos_is_the_same_for_the_same_seed(venue):
    results = []
    for _ in range(2):
        venue.ask("reset")
        venue.ask("chaos", seed=3, rates={"unmapped": 0.3, "refuse": 0.3})
        results.append([submit(venue, str(number)).get("error") for number in range(30)])
    assert results[0] == results[1]
    assert {None, "E599", "insufficient-funds"} == set(results[0])


def test_money_is_kept_by_its_own_sums(venue):
    submit(venue, "a", type="market", price=None, tif="ioc", quantity="100000")
    venue.ask("quote", bid="1.20000", ask="1.20010")
    assert Decimal(ask(venue, "account", account="main")["equity"]) == 1009990
    venue.ask("stop_out", account="main")
    ledger = venue.ask("ledger")
    assert ledger["positions"] == []
    assert [one["origin"] for one in ledger["orders"]] == ["gateway", "venue"]


def test_a_mood_that_there_is_not_is_refused(venue):
    with pytest.raises(ValueError, match="sulking"):
        venue.ask("mood", mood="sulking")
    assert "drop_reply" in MOODS
