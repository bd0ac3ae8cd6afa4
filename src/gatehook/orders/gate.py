"""The gate: what every command passes before its intent. Halt, reconciliation, limits, permission, and a person where
one is to be asked; after the person's answer everything is asked again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import TypeVar

import anyio

from gatehook.audit import kinds
from gatehook.config.trading import Permit
from gatehook.guard.approvals import Approval
from gatehook.guard.facts import CommandFacts
from gatehook.guard.permissions import Verdict
from gatehook.guard.shown import shown_facts
from gatehook.kinds.errors import ApprovalDenied
from gatehook.kinds.errors import AuthError
from gatehook.kinds.errors import Denied
from gatehook.kinds.errors import Halted
from gatehook.kinds.errors import NotConnected
from gatehook.kinds.errors import NotFound
from gatehook.kinds.errors import PermissionDenied
from gatehook.kinds.errors import ProviderError
from gatehook.kinds.errors import StorageUnavailable
from gatehook.kinds.instruments import AccountKey
from gatehook.kinds.orders import OrderRequest
from gatehook.kinds.orders import Reason
from gatehook.orders.plan import Plan
from gatehook.orders.sending import Proof
from gatehook.orders.sending import Reply
from gatehook.orders.sending import reason_of

if TYPE_CHECKING:
    from gatehook.orders.desk import Desk

T = TypeVar("T")

#: What allows a command that only reduces risk.
REDUCING: Final = "reducing"
#: Errors that say that nothing was sent.
_NOTHING_SENT: Final = (Denied, NotConnected, AuthError, NotFound)
#: Seconds that a command waits for a first reconciliation that is under way.
_FIRST_RECONCILIATION: Final = 5.0


class Gate:
    """Judges commands, and keeps those that wait for a person."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._guard = desk.guard
        self._waiting: dict[str, tuple[Plan[Any], CommandFacts]] = {}
        self._asked = anyio.Event()

    async def run(self, plan: Plan[T]) -> T:
        """Let a command through, refuse it, or ask a person.

        Raises:
            Denied: what stands against it; nothing was sent.
        """
        facts = await plan.resolve(False)
        try:
            return await (self._reduce(plan, facts) if facts.reducing else self._judge(plan, facts))
        except ProviderError as error:
            if isinstance(error, Denied) and error.retry_after is None:
                await self._note_denial(facts, error)
            raise

    async def _reduce(self, plan: Plan[T], facts: CommandFacts) -> T:
        """What reduces risk waits for nobody; a caller whom a rule forbids to trade may not do it either."""
        verdict = self._guard.permissions.judge(facts)
        if verdict.permit is Permit.DENY:
            self._guard.limits.release(facts.command_id)
            raise _forbidden(facts, verdict)
        return await plan.send(REDUCING)

    async def _judge(self, plan: Plan[T], facts: CommandFacts) -> T:
        await self._check_open(facts)
        guard = self._guard
        verdict = guard.permissions.judge(facts)
        if verdict.permit is not Permit.ALLOW or verdict.grant is not None:
            known = await plan.known()
            if known is not None:
                return known
        if verdict.permit is not Permit.ALLOW or guard.limits.needs(facts.account).any:
            facts = await plan.resolve(True)
            verdict = guard.permissions.judge(facts)
        await self._note_equity(facts)
        guard.limits.reserve(facts)
        try:
            if verdict.permit is Permit.DENY:
                raise _forbidden(facts, verdict)
            if verdict.permit is Permit.ASK:
                return await self._ask(plan, facts)
            self.check_halt(facts.account, facts.caller)
            if verdict.grant is not None:
                await guard.grants.consume(verdict.grant.grant_id, facts)
            return await plan.send(verdict.by)
        except _NOTHING_SENT:
            guard.limits.release(facts.command_id)
            raise

    # --- what must hold, before and after a person's answer

    async def _check_open(self, facts: CommandFacts) -> None:
        self.check_halt(facts.account, facts.caller)
        await self._desk.reconciliations.wait_for_first(facts.account, _FIRST_RECONCILIATION)
        self._desk.reconciliations.check(facts.account)

    def check_halt(self, account: AccountKey, caller: str) -> None:
        """Refuse what adds risk while trading is halted.

        Raises:
            Halted: naming the scope and the reason.
        """
        record = self._guard.halt.stops(account, caller)
        if record is not None:
            raise Halted(f"trading is halted ({record.scope}: {record.reason}); `gatehook resume` ends it")

    def latched(self, account: AccountKey, caller: str, permit: str) -> Reply | None:
        """Return the reply of a command that must not leave any more: trading was halted since its intent."""
        if permit == REDUCING:
            return None
        try:
            self.check_halt(account, caller)
        except Halted as error:
            return Reply(proof=Proof.NOTHING_SENT, error=error, reason=reason_of(error))
        return None

    async def _note_equity(self, facts: CommandFacts) -> None:
        if self._guard.limits.needs(facts.account).equity:
            await self._desk.note_equity(facts.account)

    # --- asking a person

    async def _ask(self, plan: Plan[T], facts: CommandFacts) -> T:
        shown = shown_facts(
            facts,
            self._guard.limits.use(facts.account),
            now=self._desk.clock.now(),
            currency=self._desk.trading.valuation_currency,
        )
        approval = self._guard.approvals.request(facts, shown)
        self._waiting[approval.approval_id] = (plan, facts)
        try:
            await self._desk.audit.record(
                kinds.APPROVAL_REQUESTED,
                actor=facts.caller,
                **_about(approval),
                command=str(facts.kind),
                shown=[list(pair) for pair in shown],
            )
            return await plan.wait(approval)
        except Denied as error:
            if error.code != "approval_pending":
                self._waiting.pop(approval.approval_id, None)
                self._guard.approvals.withdraw(approval.approval_id)
            raise
        finally:
            plan.held.set()
            self._asked.set()

    async def approve(self, approval_id: str, person: str, digest: str | None) -> Any:
        """Send what a person approves, if everything still allows it, and return the outcome.

        Raises:
            ApprovalError: the approval cannot be answered so; nothing changed.
            Denied: what stands against it by now; nothing was sent.
        """
        approval = self._guard.approvals.answer(approval_id, approved=True, person=person, digest=digest)
        plan, shown = self._waiting.pop(approval_id)

        async def work() -> Any:
            await plan.held.wait()
            try:
                await self._note_answer(approval)
                facts = await plan.resolve(True)
                if _orders(facts) != _orders(shown):
                    raise ApprovalDenied("what would be sent is not what was approved; nothing was sent")
                await self._check_open(facts)
                await self._note_equity(facts)
                self._guard.limits.check(facts)
            except ProviderError as error:
                await self._drop(plan, approval, reason_of(error))
                raise
            try:
                return await plan.send(f"approval:{approval_id}")
            except _NOTHING_SENT as error:
                await self._drop(plan, approval, reason_of(error))
                raise

        return await self._desk.flights.run(f"approval:{approval_id}", approval.digest, work)

    async def reject(self, approval_id: str, person: str) -> Approval:
        """Take a person's no; nothing is sent.

        Raises:
            ApprovalError: the approval cannot be answered any more; nothing changed.
        """
        approval = self._guard.approvals.answer(approval_id, approved=False, person=person)
        await self._end(approval, f"{person} rejected it")
        return approval

    async def run_expiry(self) -> None:
        """End the approvals that nobody answers in time, until cancelled."""
        while True:
            deadline = self._guard.approvals.next_deadline()
            self._asked = anyio.Event()
            wait = None if deadline is None else max(0.0, deadline - self._desk.clock.monotonic())
            with anyio.move_on_after(wait):
                await self._asked.wait()
            for approval in self._guard.approvals.expire():
                await self._end(approval, "nobody answered in time, and no answer means no")

    async def withdraw_all(self) -> None:
        """End every approval that waits: the desk closes."""
        for approval in self._guard.approvals.withdraw_all():
            await self._end(approval, "the gateway stopped")

    async def _end(self, approval: Approval, why: str) -> None:
        waiting = self._waiting.pop(approval.approval_id, None)
        with suppress(StorageUnavailable):  # nothing is sent; a restart denies what is still open
            await self._note_answer(approval)
        if waiting is not None:
            plan, _ = waiting
            await plan.held.wait()
            await self._drop(plan, approval, Reason(code=ApprovalDenied.code, message=why))

    async def _drop(self, plan: Plan[Any], approval: Approval, reason: Reason) -> None:
        self._guard.limits.release(approval.command_id)
        with suppress(StorageUnavailable):  # nothing was sent; a restart denies what is still open
            await plan.drop(reason)

    # --- what the audit holds

    async def _note_answer(self, approval: Approval) -> None:
        answer = str(approval.state)
        await self._desk.audit.record(
            kinds.APPROVAL_ANSWERED, actor=approval.person or "gateway", **_about(approval), answer=answer
        )

    async def _note_denial(self, facts: CommandFacts, error: Denied) -> None:
        with suppress(StorageUnavailable):  # it is denied all the same
            await self._desk.audit.record(
                kinds.ORDER_DENIED,
                actor=facts.caller,
                durable=False,
                command_id=facts.command_id,
                command=str(facts.kind),
                account=str(facts.account),
                digest=facts.digest,
                code=error.code,
                reason=error.message,
            )


def _forbidden(facts: CommandFacts, verdict: Verdict) -> PermissionDenied:
    return PermissionDenied(f"{facts.caller} may not {facts.kind} on {facts.account}: {verdict.reason}")


def _orders(facts: CommandFacts) -> tuple[OrderRequest, ...]:
    return tuple(order.request for order in facts.orders)


def _about(approval: Approval) -> dict[str, Any]:
    return {
        "approval": approval.approval_id,
        "command_id": approval.command_id,
        "digest": approval.digest,
        "account": str(approval.account),
    }
