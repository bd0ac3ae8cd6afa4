"""Codes of the audit: its file, its key, its anchors."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

UNAVAILABLE: Final = Code(
    "audit.unavailable",
    Severity.ERROR,
    "the audit cannot be written to {path}: {problem}; nothing was done",
    "Free disk space, and let the file and its directory be writable by the gateway's user.",
)
UNREADABLE: Final = Code(
    "audit.unreadable",
    Severity.ERROR,
    "the audit {path} cannot be read: {problem}",
    "Let the user who asks read the file; its owner can.",
)
DAMAGED: Final = Code(
    "audit.damaged",
    Severity.ERROR,
    "the audit {path} is not as it was written: {problem}",
    "`gatehook audit verify` names every place. Restore the file from a backup; or move the log, its key and its "
    "anchors away together, keep them as evidence, and a new log begins.",
)
KEY_UNUSABLE: Final = Code(
    "audit.key-unusable",
    Severity.ERROR,
    "the key of the audit {path} cannot be used: {problem}",
    "Put the key back that the log was begun with, readable by the gateway's user only; without it nothing in the log "
    "can be proven. To begin a new log, move the log and its anchors away and keep them.",
)
KEY_EXPOSED: Final = Code(
    "audit.key-exposed",
    Severity.WARNING,
    "others than its owner may read the key of the audit {path} (mode {mode}): who has it can forge records",
    "Take the rights of group and others away: `chmod 600` the file.",
)
TORN_TAIL: Final = Code(
    "audit.torn-tail",
    Severity.WARNING,
    "the audit {path} ended in the middle of a record: {what}",
    "Nothing that was acknowledged is lost: the record was being written when its process ended.",
)
ANCHORS_MISSING: Final = Code(
    "audit.anchors-missing",
    Severity.WARNING,
    "the anchors {path} are missing, while the log has {records} records: whether its end was cut cannot be told",
    "If the file was moved, stop the gateway and put it back; otherwise find out who removed it.",
)
