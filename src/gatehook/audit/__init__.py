"""The audit: an append-only log in a hash chain, and the proof that it is whole. Names are imported when first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatehook.exports import lazy_exports

if TYPE_CHECKING:
    from gatehook.audit.log import AuditLog as AuditLog
    from gatehook.audit.reading import read as read
    from gatehook.audit.records import Entry as Entry
    from gatehook.audit.records import Record as Record
    from gatehook.audit.verifying import Verification as Verification
    from gatehook.audit.verifying import verify as verify

__all__, __getattr__, __dir__ = lazy_exports(  # tested against the imports above
    __name__,
    {
        "log": "AuditLog",
        "reading": "read",
        "records": "Entry Record",
        "verifying": "Verification verify",
    },
)
