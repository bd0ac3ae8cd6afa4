"""Approvals: commands that wait for a person, who answers once, in time, for exactly what was shown."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import attrs

from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import guard as codes
from gatehook.guard.facts import CommandFacts
from gatehook.guard.facts import CommandKind
from gatehook.guard.shown import cleaned
from gatehook.kinds.accounts import Mode
from gatehook.kinds.errors import ApprovalDenied
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.times import SECOND
from gatehook.kinds.times import Ns

#: Seconds in which ``per_minute`` counts.
WINDOW: Final = 60.0
#: How many that no longer wait are remembered, so that a second answer is told what the first one was.
REMEMBERED: Final = 1000
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class ApprovalState(StrEnum):
    """Where an approval is; all but ``pending`` are for good."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@attrs.frozen(kw_only=True)
class Approval:
    """A command that waits, or waited, for a person.

    Attributes:
        digest: of the exact content that is sent when it is approved.
        shown: what the person is shown, label and text.
        requested_at, expires_at: the machine's time; what ends it is the monotonic clock.
        person: who answered; empty where nobody did.
    """

    approval_id: str
    command_id: str
    kind: CommandKind
    digest: str
    caller: str
    account: AccountKey
    mode: Mode
    shown: tuple[tuple[str, str], ...]
    requested_at: Ns
    expires_at: Ns
    state: ApprovalState = ApprovalState.PENDING
    person: str = ""


class ApprovalError(GatehookError):
    """An answer that counts for nothing: unknown, late, a second one, or one for other parameters."""


class Approvals:
    """What waits, in memory only: a restart rejects it. To be used on the event loop's thread."""

    def __init__(
        self,
        *,
        timeout: float,
        per_minute: int,
        monotonic: Callable[[], float],
        wall: Callable[[], Ns],
        report: Callable[[Diagnostic], None],
    ) -> None:
        self._timeout = timeout
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._wall = wall
        self._report = report
        self._pending: dict[str, tuple[Approval, float]] = {}
        self._answered: dict[str, Approval] = {}
        self._of_command: dict[str, str] = {}
        self._requested: deque[float] = deque()
        self._alarmed: float | None = None
        self._listeners: list[Callable[[Approval], None]] = []

    def listen(self, listener: Callable[[Approval], None]) -> Callable[[], None]:
        """Let ``listener`` have every approval when it starts to wait and when it no longer does; it must not raise.

        Returns:
            What ends that.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def request(self, facts: CommandFacts, shown: tuple[tuple[str, str], ...]) -> Approval:
        """Let a command wait for a person. One that waits already is returned as it is.

        Raises:
            ApprovalDenied: when there were too many in the last minute; an alarm is reported once a minute.
        """
        waiting = self.of_command(facts.command_id)
        if waiting is not None and waiting.approval_id in self._pending and waiting.digest == facts.digest:
            return waiting
        now, wall = self._monotonic(), self._wall()
        self._insist_on_budget(now, facts.caller)
        approval = Approval(
            approval_id=self._new_id(),
            command_id=facts.command_id,
            kind=facts.kind,
            digest=facts.digest,
            caller=facts.caller,
            account=facts.account,
            mode=facts.mode,
            shown=shown,
            requested_at=wall,
            expires_at=wall + int(self._timeout * SECOND),
        )
        self._pending[approval.approval_id] = (approval, now + self._timeout)
        self._of_command[approval.command_id] = approval.approval_id
        self._tell(approval)
        return approval

    def answer(self, approval_id: str, *, approved: bool, person: str, digest: str | None = None) -> Approval:
        """Take a person's answer: the only one there will be.

        Args:
            approval_id: which.
            approved: yes or no.
            person: who says so.
            digest: what the person saw, where the channel can tell.

        Raises:
            ApprovalError: ``guard.approval-unknown``, ``guard.approval-answered``, ``guard.approval-expired``,
                ``guard.approval-other-parameters``; nothing changed.
        """
        approval, deadline = self._waiting(approval_id)
        if self._monotonic() >= deadline:
            raise ApprovalError(codes.APPROVAL_EXPIRED(approval=approval_id))
        if digest is not None and not secrets.compare_digest(digest.encode(), approval.digest.encode()):
            raise ApprovalError(codes.APPROVAL_OTHER_PARAMETERS(approval=approval_id))
        state = ApprovalState.APPROVED if approved else ApprovalState.REJECTED
        return self._settle(approval, state, cleaned(person))

    def pending(self) -> tuple[Approval, ...]:
        """Return what waits and may still be answered, oldest first."""
        now = self._monotonic()
        return tuple(approval for approval, deadline in self._pending.values() if now < deadline)

    def find(self, approval_id: str) -> Approval | None:
        """Return an approval that waits, or one of the last that did."""
        waiting = self._pending.get(approval_id)
        return waiting[0] if waiting is not None else self._answered.get(approval_id)

    def of_command(self, command_id: str) -> Approval | None:
        """Return the last approval of a command."""
        approval_id = self._of_command.get(command_id)
        return None if approval_id is None else self.find(approval_id)

    def next_deadline(self) -> float | None:
        """Return when, on the monotonic clock, the next one expires."""
        return min((deadline for _, deadline in self._pending.values()), default=None)

    def expire(self) -> tuple[Approval, ...]:
        """End what nobody answered in time, and return it."""
        now = self._monotonic()
        over = [approval for approval, deadline in self._pending.values() if now >= deadline]
        return tuple(self._settle(approval, ApprovalState.EXPIRED) for approval in over)

    def withdraw(self, approval_id: str) -> Approval | None:
        """End one that nobody has to answer any more; ``None`` when it does not wait."""
        waiting = self._pending.get(approval_id)
        return None if waiting is None else self._settle(waiting[0], ApprovalState.WITHDRAWN)

    def withdraw_all(self) -> tuple[Approval, ...]:
        """End everything that waits, and return it: the gateway stops."""
        waiting = [approval for approval, _ in self._pending.values()]
        return tuple(self._settle(approval, ApprovalState.WITHDRAWN) for approval in waiting)

    def _waiting(self, approval_id: str) -> tuple[Approval, float]:
        waiting = self._pending.get(approval_id)
        if waiting is not None:
            return waiting
        ended = self._answered.get(approval_id)
        if ended is None:
            raise ApprovalError(codes.APPROVAL_UNKNOWN(approval=repr(cleaned(approval_id))))
        if ended.state is ApprovalState.EXPIRED:
            raise ApprovalError(codes.APPROVAL_EXPIRED(approval=approval_id))
        raise ApprovalError(codes.APPROVAL_ANSWERED(approval=approval_id, state=ended.state))

    def _settle(self, approval: Approval, state: ApprovalState, person: str = "") -> Approval:
        ended = attrs.evolve(approval, state=state, person=person)
        del self._pending[approval.approval_id]
        self._answered[approval.approval_id] = ended
        if len(self._answered) > REMEMBERED:
            self._forget(self._answered.pop(next(iter(self._answered))))
        self._tell(ended)
        return ended

    def _forget(self, oldest: Approval) -> None:
        if self._of_command.get(oldest.command_id) == oldest.approval_id:
            del self._of_command[oldest.command_id]

    def _insist_on_budget(self, now: float, caller: str) -> None:
        while self._requested and self._requested[0] <= now - WINDOW:
            self._requested.popleft()
        if len(self._requested) < self._per_minute:
            self._requested.append(now)
            return
        if self._alarmed is None or now - self._alarmed >= WINDOW:
            self._alarmed = now
            self._report(codes.APPROVAL_FLOOD(caller=cleaned(caller), allowed=self._per_minute))
        raise ApprovalDenied(
            f"more than {self._per_minute} approvals were asked for in a minute; this one is denied without asking"
        )

    def _new_id(self) -> str:
        while self.find(found := "A" + "".join(secrets.choice(_LETTERS) for _ in range(8))) is not None:
            pass
        return found

    def _tell(self, approval: Approval) -> None:
        for listener in tuple(self._listeners):
            listener(approval)
