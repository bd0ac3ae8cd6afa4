"""Codes of the order journal and the desk."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

JOURNAL_NEWER: Final = Code(
    "journal.newer-version",
    Severity.ERROR,
    "the order journal {path} has schema version {found}, this Gatehook knows up to {known}; it was not touched",
    "Install the Gatehook that wrote it or a newer one, or name another data directory.",
)
JOURNAL_CORRUPT: Final = Code(
    "journal.corrupt",
    Severity.ERROR,
    "the order journal {path} is damaged: {problem}",
    "Do not trade before it is mended: restore it from a backup, or move it away and check every open order at the "
    "venue; `sqlite3 FILE .recover` shows what can be read.",
)
JOURNAL_UNAVAILABLE: Final = Code(
    "journal.unavailable",
    Severity.ERROR,
    "the order journal {path} cannot be opened for writing: {problem}",
    "Free disk space, and let the file and its directory be writable by the gateway's user.",
)
JOURNAL_TORN_TAIL: Final = Code(
    "journal.torn-tail",
    Severity.WARNING,
    "the order journal {path} ended in a torn write: {kept} whole pages were recovered, {lost} bytes were not",
    "Nothing that was acknowledged is in the torn part; orders that were being sent are looked up at the venue.",
)
OVERFILLED: Final = Code(
    "orders.overfilled",
    Severity.ERROR,
    "order {order} of {quantity} has filled {filled}: the venue reports more than was ordered",
    "Compare the order and its fills with the venue's own records before trading on account {account}.",
)
REPORT_IGNORED: Final = Code(
    "orders.report-ignored",
    Severity.WARNING,
    "entry {entry} reported something that the desk cannot use: {problem}",
    "Report it to the plugin's author; the order's state is asked for again.",
)
EVENTS_LOST: Final = Code(
    "orders.events-lost",
    Severity.WARNING,
    "the events of entry {entry} stopped: {problem}",
    "Nothing needs to be done: the stream is opened again, and what was missed is read from the venue.",
)
RECONCILIATION_FAILED: Final = Code(
    "orders.reconciliation-failed",
    Severity.ERROR,
    "the reconciliation of {what} failed: {problem}",
    "New risk on the account is refused until it succeeds; it is tried again by itself. If it goes on, look at the "
    "broker's health and at the venue.",
)
POSITION_ADJUSTED: Final = Code(
    "orders.position-adjusted",
    Severity.ERROR,
    "account {account} has {reported} {unit} of {instrument}{position}, {expected} follow from its fills: adopted from "
    "the venue",
    "Find out who traded there, or which fills are missing, then say so with `gatehook positions acknowledge`; new "
    "risk on the account is refused until then.",
)
FILL_ORPHANED: Final = Code(
    "orders.fill-orphaned",
    Severity.WARNING,
    "fill {fill} belongs to order {order} of account {account}, which neither the journal nor the venue knows",
    "The fill is kept and counts in the position; ask the venue whose order it was.",
)
ACCOUNT_TWICE: Final = Code(
    "orders.account-twice",
    Severity.ERROR,
    'The entries "{first}" and "{entry}" lead to one real account at {place}: {account} is refused.',
    'Remove one of the two entries, or leave the account out of allowedAccounts of "{entry}".',
)
