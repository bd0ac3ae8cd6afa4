"""Whatever happens, in whatever order: an approval has at most one answer that counts, and none after its time."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import invariant
from hypothesis.stateful import multiple
from hypothesis.stateful import rule

from gatehook.diagnostics import Diagnostic
from gatehook.guard.approvals import Approval
from gatehook.guard.approvals import ApprovalError
from gatehook.guard.approvals import Approvals
from gatehook.guard.approvals import ApprovalState
from gatehook.kinds.errors import ApprovalDenied
from gatehook.kinds.times import HOUR
from tests.guard.asked import Clocks
from tests.guard.asked import command
from tests.guard.asked import order

TIMEOUT, BUDGET = 20.0, 3


class Answering(RuleBasedStateMachine):
    """Callers, persons, time, a wall clock that jumps and restarts."""

    approvals_seen = Bundle("approvals_seen")

    def __init__(self) -> None:
        super().__init__()
        self.clocks = Clocks()
        self.asked: dict[str, float] = {}
        self.requests: list[float] = []
        self.answered: set[str] = set()
        self.gone: set[str] = set()
        self.reported: list[Diagnostic] = []
        self.start()

    def start(self) -> None:
        self.approvals = Approvals(
            timeout=TIMEOUT,
            per_minute=BUDGET,
            monotonic=self.clocks.monotonic,
            wall=self.clocks.wall,
            report=self.reported.append,
        )
        self.requests.clear()

    @rule(target=approvals_seen, command_id=st.sampled_from("abcd"), digest=st.sampled_from(["d1", "d2"]))
    def ask(self, command_id: str, digest: str) -> Any:
        now = self.clocks.passed
        recent = [at for at in self.requests if at > now - 60]
        try:
            found = self.approvals.request(command(order(), command_id=command_id, digest=digest), ())
        except ApprovalDenied:
            assert len(recent) >= BUDGET
            return multiple()
        if found.approval_id not in self.asked:
            assert len(recent) < BUDGET
            self.requests.append(now)
            self.asked[found.approval_id] = now
        assert found.digest == digest
        return found

    @rule(approval=approvals_seen, approved=st.booleans(), digest=st.sampled_from([None, "d1", "d2"]))
    def answer(self, approval: Approval, approved: bool, digest: str | None) -> None:
        try:
            found = self.approvals.answer(approval.approval_id, approved=approved, person="anna", digest=digest)
        except ApprovalError:
            return
        assert approval.approval_id not in self.answered | self.gone
        assert self.clocks.passed < self.asked[approval.approval_id] + TIMEOUT
        assert digest in (None, approval.digest)
        assert found.state is (ApprovalState.APPROVED if approved else ApprovalState.REJECTED)
        self.answered.add(approval.approval_id)

    @rule(seconds=st.sampled_from([0.5, 19.5, 41.0]))
    def sleep(self, seconds: float) -> None:
        self.clocks.sleep(seconds)

    @rule(by=st.sampled_from([-HOUR, HOUR]))
    def jump(self, by: int) -> None:
        self.clocks.at += by

    @rule()
    def expire(self) -> None:
        for one in self.approvals.expire():
            assert one.approval_id not in self.answered | self.gone
            self.gone.add(one.approval_id)

    @rule()
    def restart(self) -> None:
        self.gone |= {one.approval_id for one in self.approvals.withdraw_all()}
        self.start()

    @invariant()
    def what_waits_was_never_answered(self) -> None:
        assert not {one.approval_id for one in self.approvals.pending()} & (self.answered | self.gone)
        assert len(self.approvals.pending()) <= BUDGET


Answering.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_answering = Answering.TestCase
