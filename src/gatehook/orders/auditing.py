"""The audit's part in the journal's commits: an intent is in the audit before it is in the journal."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from gatehook.audit import AuditLog
from gatehook.audit import Record
from gatehook.audit.intents import void_of
from gatehook.audit.kinds import COMMAND_INTENT
from gatehook.audit.kinds import INTENT_VOID
from gatehook.audit.kinds import ORDER_INTENT
from gatehook.kinds.errors import StorageUnavailable
from gatehook.orders.records import Command
from gatehook.orders.records import Known

GATEWAY: Final = "gateway"


def order_intent(known: Known, permit: str) -> Record:
    """The record of an order that is about to be sent; ``permit`` says what allows it."""
    request = known.order.request
    return Record(
        ORDER_INTENT,
        known.order.owner,
        {
            "row": known.seq,
            "client_order_id": request.client_order_id,
            "account": str(request.account),
            "digest": known.digest,
            "permit": permit,
        },
    )


def command_intent(command: Command, permit: str) -> Record:
    """The record of a command that is about to be sent."""
    return Record(
        COMMAND_INTENT,
        command.caller,
        {
            "command_id": command.command_id,
            "command": command.kind,
            "account": str(command.account),
            "digest": command.digest,
            "permit": permit,
        },
    )


class AuditedCommits:
    """Writes the records of one commit after the other. Used in the writer's thread only.

    A journal that is only read has no audit; the desk, which alone sends, gives it one.
    """

    def __init__(self) -> None:
        self._audit: AuditLog | None = None
        self._written: tuple[Record, ...] = ()

    def use(self, audit: AuditLog) -> None:
        """Write to this audit from now on."""
        self._audit = audit

    def write(self, records: Iterable[Record], *, durable: bool) -> None:
        """Write the records of a commit that is about to be made.

        Raises:
            StorageUnavailable: nothing was written, and the commit must not be made.
        """
        self._written = ()
        listed = tuple(records)
        if not listed or self._audit is None:
            return
        self._audit.append(listed, durable=durable)
        self._written = listed

    def void(self) -> None:
        """Say that what was written last has no commit."""
        written, self._written = self._written, ()
        if written and self._audit is not None:
            # Where not even this can be written, the next start compares audit and journal, and says it then.
            with suppress(StorageUnavailable):
                self._audit.append(
                    [
                        void_of(one, actor=GATEWAY, reason="the journal could not be written")
                        for one in written
                        if one.kind != INTENT_VOID
                    ]
                )
