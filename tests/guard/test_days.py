"""The trading day: its start, what is kept of it, and what is lost since."""

from __future__ import annotations

import errno
from decimal import Decimal

import pytest

from gatehook.guard import days as keeping
from gatehook.guard.days import Days
from gatehook.guard.worth import NotValued
from gatehook.kinds.times import DAY
from gatehook.kinds.times import HOUR
from tests.guard.board import MAIN
from tests.guard.board import OTHER
from tests.guard.board import state

pytestmark = pytest.mark.anyio


class Desk:
    """Days on a file, at a time that a test sets."""

    def __init__(self, folder, day_start="00:00"):
        self.path = folder / "days.json"
        self.now = 10 * DAY + HOUR
        self.rate = Decimal(1)
        self.reported = []
        self.day_start = day_start
        self.days = self.again()

    def again(self):
        self.days = Days(
            self.path, day_start=self.day_start, value=self.value, now=lambda: self.now, report=self.reported.append
        )
        return self.days

    async def value(self, amount, currency):
        if currency == "XXX":
            raise NotValued("trading.conversion has no path from XXX to USD")
        return amount * self.rate

    async def note(self, *values, **fields):
        await self.days.note(state(*values, **fields))
        return self.days.loss(fields.get("account", MAIN))


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


async def test_a_loss_counts_from_what_was_first_seen_in_the_day(desk):
    assert desk.days.loss(MAIN) is None
    assert "not seen" in desk.days.problem(MAIN)
    assert await desk.note("1000") == 0
    assert await desk.note("900") == 100
    assert await desk.note("950") == 50
    assert await desk.note("1100") == 0
    assert desk.days.problem(MAIN) == ""


async def test_deposits_are_no_profit_and_withdrawals_no_loss(desk):
    await desk.note("1000", "1000")
    assert await desk.note("1500", "1600") == 100
    assert await desk.note("400", "500") == 100


async def test_the_next_day_counts_anew(desk):
    await desk.note("1000")
    await desk.note("900")
    desk.now += DAY
    assert desk.days.loss(MAIN) is None
    assert await desk.note("900") == 0
    assert await desk.note("890") == 10


@pytest.mark.parametrize(
    ("day_start", "hour", "same"), [("00:00", 23, True), ("22:00", 21, True), ("22:00", 22, False)]
)
async def test_the_day_starts_when_it_is_set_to(tmp_path, day_start, hour, same):
    desk = Desk(tmp_path, day_start)
    await desk.note("1000")
    desk.now = 10 * DAY + hour * HOUR
    assert await desk.note("900") == (100 if same else 0)


async def test_a_restart_goes_on_with_the_same_start(desk):
    await desk.note("1000", "7")
    await desk.note("500", "7", account=OTHER)
    desk.again()
    assert desk.days.loss(MAIN) is None
    assert await desk.note("900", "7") == 100
    assert await desk.note("499", "7", account=OTHER) == 1
    assert desk.days.accounts("venue") == (MAIN, OTHER)
    assert desk.reported == []


async def test_the_loss_is_in_the_valuation_currency(desk):
    desk.rate = Decimal("1.5")
    await desk.note("1000", currency="EUR")
    assert await desk.note("900", currency="EUR") == 150


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"deposits": None}, "does not report the deposits of account venue/main"),
        ({"equity": None}, "does not report the equity"),
        ({"currency": "EUR"}, "was USD when the day started"),
    ],
)
async def test_what_is_not_known_is_no_loss_and_no_gain(desk, now, words):
    await desk.note("1000")
    assert await desk.note(**{"equity": "900", **now}) is None
    assert words in desk.days.problem(MAIN)
    assert await desk.note("900") == 100


async def test_a_loss_that_cannot_be_converted_is_not_known(desk):
    await desk.note("1000", currency="XXX")
    assert await desk.note("900", currency="XXX") is None
    assert "no path from XXX" in desk.days.problem(MAIN)


async def test_an_incomplete_state_says_nothing(desk):
    await desk.note("5", complete=False)
    await desk.note("1000")
    assert await desk.note("5", complete=False) == 0


@pytest.mark.parametrize("content", [b"", b'{"version": 1', b'{"version": 2, "starts": []}', b'{"version": 1}'])
async def test_a_damaged_file_is_put_aside_and_said(desk, content):
    desk.path.write_bytes(content)
    desk.again()
    (said,) = desk.reported
    assert said.code == "limits.days-damaged"
    (copy,) = desk.path.parent.glob("days.json.damaged-*")
    assert copy.read_bytes() == content
    assert str(copy) in said.message
    await desk.note("1000")
    assert await desk.note("900") == 100


async def test_what_is_not_on_disk_is_not_counted_from(desk, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(keeping, "write_record", full)
        assert await desk.note("1000") is None
    assert [one.code for one in desk.reported] == ["limits.days-not-written"]
    assert "cannot be kept" in desk.days.problem(MAIN)
    assert await desk.note("900") == 0
