"""An approval is answered once, in time, for what it shows; everything else is an error and changes nothing."""

from __future__ import annotations

import re

import pytest

from gatehook.diagnostics import Diagnostic
from gatehook.guard.approvals import REMEMBERED
from gatehook.guard.approvals import Approval
from gatehook.guard.approvals import ApprovalError
from gatehook.guard.approvals import Approvals
from gatehook.guard.approvals import ApprovalState
from gatehook.kinds.codec import to_json
from gatehook.kinds.errors import ApprovalDenied
from gatehook.kinds.times import SECOND
from tests.guard.asked import NOON
from tests.guard.asked import Clocks
from tests.guard.asked import command
from tests.guard.asked import order

SHOWN = (("account", "main"),)


class Desk:
    """Approvals on clocks of their own, and what they said."""

    def __init__(self, per_minute: int = 5) -> None:
        self.clocks = Clocks()
        self.reported: list[Diagnostic] = []
        self.heard: list[Approval] = []
        self.approvals = Approvals(
            timeout=60.0,
            per_minute=per_minute,
            monotonic=self.clocks.monotonic,
            wall=self.clocks.wall,
            report=self.reported.append,
        )
        self.approvals.listen(self.heard.append)

    def ask(self, command_id: str = "a", **fields: str) -> Approval:
        return self.approvals.request(command(order(), command_id=command_id, **fields), SHOWN)

    def refused(self, approval_id: str, digest: str | None = None, approved: bool = True) -> str:
        before = (self.approvals.pending(), len(self.heard))
        with pytest.raises(ApprovalError) as caught:
            self.approvals.answer(approval_id, approved=approved, person="anna", digest=digest)
        assert (self.approvals.pending(), len(self.heard)) == before
        [found] = caught.value.diagnostics
        assert found.remedy
        return found.code


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_waits_says_what_it_is(desk: Desk) -> None:
    approval = desk.ask()
    assert re.fullmatch(r"A[A-Z2-7]{8}", approval.approval_id)
    assert approval.state is ApprovalState.PENDING
    assert (approval.requested_at, approval.expires_at) == (NOON, NOON + 60 * SECOND)
    assert (approval.digest, approval.caller, approval.shown) == (command().digest, "agent:one", SHOWN)
    assert desk.approvals.pending() == (approval,)
    assert desk.approvals.find(approval.approval_id) == desk.approvals.of_command("a") == approval
    assert desk.approvals.next_deadline() == desk.clocks.passed + 60
    assert to_json(approval)["state"] == "pending"


@pytest.mark.parametrize(("approved", "state"), [(True, ApprovalState.APPROVED), (False, ApprovalState.REJECTED)])
def test_an_answer_is_taken_once(desk: Desk, approved: bool, state: ApprovalState) -> None:
    approval = desk.ask()
    answered = desk.approvals.answer(approval.approval_id, approved=approved, person="anna", digest=approval.digest)
    assert (answered.state, answered.person) == (state, "anna")
    assert desk.approvals.pending() == ()
    assert desk.approvals.find(approval.approval_id) == desk.approvals.of_command("a") == answered
    assert desk.heard == [approval, answered]
    for again in (True, False):
        assert desk.refused(approval.approval_id, approved=again) == "guard.approval-answered"


def test_an_answer_without_a_digest_is_for_what_it_shows(desk: Desk) -> None:
    approval = desk.ask()
    assert desk.approvals.answer(approval.approval_id, approved=True, person="anna").state is ApprovalState.APPROVED


def test_an_answer_for_other_parameters_leaves_it_waiting(desk: Desk) -> None:
    approval = desk.ask()
    for digest in ("", "other", approval.digest[:-1], "é"):
        assert desk.refused(approval.approval_id, digest) == "guard.approval-other-parameters"
    assert desk.approvals.pending() == (approval,)


@pytest.mark.parametrize("name", ["", "A", "AAAAAAAAA", "a\x1b[31m" * 100])
def test_an_unknown_name_is_one(desk: Desk, name: str) -> None:
    desk.ask()
    assert desk.refused(name) == "guard.approval-unknown"


def test_no_answer_means_no(desk: Desk) -> None:
    approval = desk.ask()
    desk.clocks.sleep(59.9)
    assert desk.approvals.expire() == ()
    desk.clocks.sleep(0.1)
    assert desk.approvals.pending() == ()
    assert desk.refused(approval.approval_id) == "guard.approval-expired"
    [expired] = desk.approvals.expire()
    assert expired.state is ApprovalState.EXPIRED
    assert desk.approvals.expire() == ()
    assert desk.refused(approval.approval_id) == "guard.approval-expired"
    assert desk.approvals.next_deadline() is None


def test_a_wall_clock_that_is_set_back_gives_no_time(desk: Desk) -> None:
    approval = desk.ask()
    desk.clocks.sleep(60)
    desk.clocks.at -= 3600 * SECOND
    assert desk.refused(approval.approval_id) == "guard.approval-expired"


def test_what_waits_is_withdrawn_when_the_gateway_stops(desk: Desk) -> None:
    first, second = desk.ask("a"), desk.ask("b")
    assert desk.approvals.withdraw(first.approval_id) is not None
    assert desk.approvals.withdraw(first.approval_id) is None
    assert [one.state for one in desk.approvals.withdraw_all()] == [ApprovalState.WITHDRAWN]
    for one in (first, second):
        assert desk.refused(one.approval_id) == "guard.approval-answered"


def test_nothing_waits_after_a_restart(desk: Desk) -> None:
    approval = desk.ask()
    assert Desk().refused(approval.approval_id) == "guard.approval-unknown"


def test_a_command_that_waits_already_waits_once(desk: Desk) -> None:
    first = desk.ask()
    assert desk.ask() is first
    assert desk.ask(digest="another").approval_id != first.approval_id
    desk.approvals.withdraw_all()
    assert desk.ask().approval_id != first.approval_id


def test_a_flood_is_denied_and_alarmed_once_a_minute() -> None:
    desk = Desk(per_minute=2)
    desk.ask("a")
    desk.clocks.sleep(30)
    desk.ask("b")
    for number in range(20):
        with pytest.raises(ApprovalDenied):
            desk.ask(f"c{number}", caller="agent:\x1b[2J")
    assert [one.code for one in desk.reported] == ["guard.approval-flood"]
    assert "\x1b" not in desk.reported[0].message
    assert len(desk.approvals.pending()) == 2
    desk.clocks.sleep(30)
    desk.ask("d")
    with pytest.raises(ApprovalDenied):
        desk.ask("e")
    assert len(desk.reported) == 1
    desk.clocks.sleep(30)
    desk.ask("f")
    with pytest.raises(ApprovalDenied):
        desk.ask("g")
    assert len(desk.reported) == 2


def test_answering_gives_no_budget_back() -> None:
    desk = Desk(per_minute=1)
    desk.approvals.answer(desk.ask("a").approval_id, approved=False, person="anna")
    with pytest.raises(ApprovalDenied):
        desk.ask("b")


def test_only_the_last_ones_are_remembered() -> None:
    desk = Desk(per_minute=REMEMBERED + 2)
    asked = [desk.ask(f"a{number}") for number in range(REMEMBERED + 1)]
    for one in asked:
        desk.approvals.answer(one.approval_id, approved=True, person="anna")
    assert desk.refused(asked[0].approval_id) == "guard.approval-unknown"
    assert desk.approvals.of_command("a0") is None
    assert desk.refused(asked[1].approval_id) == "guard.approval-answered"


def test_who_no_longer_listens_hears_nothing(desk: Desk) -> None:
    heard: list[Approval] = []
    stop = desk.approvals.listen(heard.append)
    desk.ask("a")
    stop()
    desk.ask("b")
    assert [one.command_id for one in heard] == ["a"]
