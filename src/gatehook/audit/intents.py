"""Intents in the log: which of them stand, and which were voided."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

import attrs

from gatehook.audit import kinds
from gatehook.audit.records import Entry
from gatehook.audit.records import Record

#: How a permit names the approval that gave it.
APPROVAL: Final = "approval:"
_INTENTS: Final = frozenset({kinds.ORDER_INTENT, kinds.COMMAND_INTENT})


def void_of(intent: Record | Entry, *, actor: str, reason: str) -> Record:
    """Return the record that an intent was not journaled after all, or that nothing was sent and its id is free."""
    name = "row" if intent.kind == kinds.ORDER_INTENT else "command_id"
    subject = {name: intent.subject[name], "digest": intent.subject["digest"], "reason": reason}
    if isinstance(intent, Entry):
        subject["record"] = intent.seq
    return Record(kinds.INTENT_VOID, actor, subject)


@attrs.frozen
class Intent:
    """What a record says of a row: an order's (by its number) or a command's (by its id), and the digest."""

    record: int
    row: int | str
    digest: str
    permit: str

    @property
    def approval(self) -> str | None:
        """The approval that permitted it, if one did."""
        return self.permit.removeprefix(APPROVAL) if self.permit.startswith(APPROVAL) else None


def intent_of(entry: Entry) -> Intent | None:
    """Return the intent that a record is; ``None`` for any other, or one whose subject is not as it should be."""
    subject = entry.subject
    row = subject.get("row") if entry.kind == kinds.ORDER_INTENT else subject.get("command_id")
    digest, permit = subject.get("digest"), subject.get("permit")
    right_row = isinstance(row, int if entry.kind == kinds.ORDER_INTENT else str)
    if entry.kind not in _INTENTS or not right_row or not isinstance(digest, str) or not isinstance(permit, str):
        return None
    assert isinstance(row, (int, str))
    return Intent(record=entry.seq, row=row, digest=digest, permit=sys.intern(permit))


class Standing:
    """The intents that stand: every one that was recorded, less those that were voided."""

    def __init__(self) -> None:
        self._intents: dict[tuple[int | str, str], list[Intent]] = {}

    def take(self, entry: Entry) -> Intent | None:
        """Take the next record; return the intent that it voids, if it does."""
        intent = intent_of(entry)
        if intent is not None:
            self._intents.setdefault((intent.row, intent.digest), []).append(intent)
        elif entry.kind == kinds.INTENT_VOID:
            return self._void(entry)
        return None

    def _void(self, entry: Entry) -> Intent | None:
        row = entry.subject.get("row", entry.subject.get("command_id"))
        standing = self._intents.get((row, str(entry.subject.get("digest"))), []) if row is not None else []
        meant = entry.subject.get("record")
        found = [one for one in standing if meant in (None, one.record)]
        if not found:
            return None
        standing.remove(found[-1])
        return found[-1]

    def of(self, row: int | str, digest: str) -> tuple[Intent, ...]:
        """Return the intents of a row, oldest first."""
        return tuple(self._intents.get((row, digest), ()))

    def all(self) -> Iterable[tuple[Intent, ...]]:
        """Return the intents of all rows, together where they are of one row, oldest first."""
        return (tuple(standing) for standing in self._intents.values() if standing)
