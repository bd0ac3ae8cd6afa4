"""What is looked at while the gateway runs."""

from __future__ import annotations

import pytest

from gatehook.gateway.watch import LOW_WATER
from gatehook.gateway.watch import ClockCheck
from gatehook.gateway.watch import UnknownCheck
from gatehook.gateway.watch import Watch
from gatehook.kinds.times import HOUR
from gatehook.kinds.times import SECOND


class Clock:
    """Wall and monotonic time that are set by hand."""

    def __init__(self):
        self.walls = 1_000 * HOUR
        self.seconds = 0.0

    def wall(self):
        return self.walls

    def monotonic(self):
        return self.seconds

    def pass_seconds(self, seconds, jump=0.0):
        self.seconds += seconds
        self.walls += int((seconds + jump) * SECOND)


@pytest.mark.parametrize(
    ("jump", "said"),
    [(0.5, None), (-0.5, None), (3600, "3600 seconds forward"), (-3600, "3600 seconds back"), (8 * 3600, "forward")],
)
def test_fault_29_a_clock_that_jumps_is_said_once_and_which_way(jump, said):
    clock = Clock()
    check = ClockCheck(clock)
    clock.pass_seconds(5)
    assert list(check.findings()) == []
    clock.pass_seconds(5, jump)
    found = [one.message for one in check.findings()]
    assert (said is None) is (found == [])
    assert said is None or said in found[0]
    clock.pass_seconds(5)
    assert list(check.findings()) == []


class Request:
    def __init__(self, client_order_id):
        self.client_order_id = client_order_id
        self.account = type("Account", (), {"entry_id": "venue"})()


class Desk:
    def __init__(self):
        self.ids = []

    def unknown_orders(self):
        return tuple(type("Order", (), {"request": Request(one)})() for one in self.ids)


def test_fault_29_an_order_is_unknown_for_a_minute_of_real_time_whatever_the_wall_clock_says():
    clock, desk = Clock(), Desk()
    check = UnknownCheck(clock)
    desk.ids = ["lost"]
    assert list(check.findings(desk)) == []
    clock.pass_seconds(30, jump=86_400)
    assert list(check.findings(desk)) == []
    clock.pass_seconds(31, jump=-86_400)
    (finding,) = check.findings(desk)
    assert (finding.code, finding.entry) == ("gateway.still-unknown", "venue")
    desk.ids = []
    assert list(check.findings(desk)) == []


@pytest.mark.anyio
async def test_a_full_disk_and_a_lossy_log_are_said(make_host, tmp_path):
    class Log:
        lost = 3
        last_loss = "the queue is full"
        path = tmp_path / "gatehook.log"

    async with make_host() as host:
        codes = [one.code for one in Watch(host, Log()).findings(LOW_WATER - 1)]
        assert codes == ["gateway.disk-low", "gateway.log-lost"]
        assert list(Watch(host, None).findings(LOW_WATER)) == []
