"""A command on its way through the gate: what it is, and how it goes on from there."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from typing import Generic
from typing import TypeVar

import anyio
import attrs

from gatehook.guard.approvals import Approval
from gatehook.guard.facts import CommandFacts
from gatehook.kinds.orders import Reason

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Plan(Generic[T]):
    """What the gate needs of a command.

    Attributes:
        resolve: checks the command and returns its facts; with quotes and worth where the argument is true.
        known: returns what came of the same command earlier, or ``None``.
        send: writes the intent, sends, and returns the outcome; its argument says what allows it.
        wait: makes the command durable while a person is asked, and returns or raises what its caller gets.
        drop: takes back what ``wait`` did, since nobody approved.
        held: set when ``wait`` is done: only then ``send`` and ``drop`` may follow it.
    """

    resolve: Callable[[bool], Awaitable[CommandFacts]]
    known: Callable[[], Awaitable[T | None]]
    send: Callable[[str], Awaitable[T]]
    wait: Callable[[Approval], Awaitable[T]]
    drop: Callable[[Reason], Awaitable[None]]
    held: anyio.Event = attrs.field(factory=anyio.Event)


def waiting_reason(approval: Approval) -> Reason:
    """The reason of an order that waits for a person."""
    return Reason(code="approval_pending", message=f"it waits for the approval {approval.approval_id}")
