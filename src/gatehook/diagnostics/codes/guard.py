"""Codes of the guard: halt, limits, permissions, grants, approvals."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

HALT_SCOPE: Final = Code(
    "halt.scope",
    Severity.ERROR,
    "{scope} is no scope of a halt; nothing was changed",
    "Write all, entry:ID, account:ENTRY/ACCOUNT or subscription:NAME.",
)
HALT_NOT_HALTED: Final = Code(
    "halt.not-halted",
    Severity.ERROR,
    "{scope} is not halted, so it cannot be resumed; halted is: {halted}",
    "Resume exactly the scope that was halted; all does not stand for the narrower ones.",
)
HALT_UNREADABLE: Final = Code(
    "halt.unreadable",
    Severity.ERROR,
    "what is halted cannot be read from {path}: {problem}; everything is halted, and {scope} was not resumed",
    "Restore the file, or run `gatehook resume all`: it puts the file aside and lifts every halt that it held.",
)
HALT_NOT_WRITTEN: Final = Code(
    "halt.not-written",
    Severity.ERROR,
    "{scope} was not resumed, {path} cannot be written: {problem}",
    "Let the file and its directory be writable by the gateway's user, then resume again.",
)
GRANTS_DAMAGED: Final = Code(
    "guard.grants-damaged",
    Severity.ERROR,
    "the grants in {path} are not used: {problem}; every command that they covered is asked for again",
    "Give the grants again; the file is kept as {kept}. Change grants with `gatehook permissions`, never by hand.",
)
GRANTS_NOT_WRITTEN: Final = Code(
    "guard.grants-not-written",
    Severity.ERROR,
    "the grants in {path} cannot be written ({problem}): {consequence}",
    "Free disk space, and let the file and its directory be writable by the gateway's user; then do it again.",
)
GRANT_INVALID: Final = Code(
    "guard.grant-invalid",
    Severity.ERROR,
    "no grant was given: {problem}",
    "Correct the scope and give it again; `gatehook permissions grant --help` lists what a grant has.",
)
GRANT_UNKNOWN: Final = Code(
    "guard.grant-unknown",
    Severity.ERROR,
    "there is no grant {grant}; nothing was revoked",
    "`gatehook permissions list` shows the grants that are left.",
)
APPROVAL_FLOOD: Final = Code(
    "guard.approval-flood",
    Severity.ERROR,
    "{caller} and others asked for more than {allowed} approvals in a minute; what is over that is denied unasked",
    "Look at who asks, and halt it where it is not meant: `gatehook halt`; trading.approvals_per_minute is the budget.",
)
APPROVAL_UNKNOWN: Final = Code(
    "guard.approval-unknown",
    Severity.ERROR,
    "there is no approval {approval}; nothing was sent",
    "`gatehook approvals list` shows what waits; what waited before a restart is rejected, and asked for again.",
)
APPROVAL_ANSWERED: Final = Code(
    "guard.approval-answered",
    Severity.ERROR,
    "the approval {approval} is {state} already; this answer changes nothing",
    "An approval is answered once; `gatehook orders list` shows what became of the command.",
)
APPROVAL_EXPIRED: Final = Code(
    "guard.approval-expired",
    Severity.ERROR,
    "the approval {approval} expired, and no answer means no; nothing was sent",
    "Let the command be given again, and answer within trading.approval_timeout.",
)
APPROVAL_OTHER_PARAMETERS: Final = Code(
    "guard.approval-other-parameters",
    Severity.ERROR,
    "the answer to {approval} is for other parameters than those it shows; nothing was sent, and it still waits",
    "Look at what it shows now with `gatehook approvals list`, and answer that.",
)
DAYS_DAMAGED: Final = Code(
    "limits.days-damaged",
    Severity.WARNING,
    "the equity at the start of the trading day cannot be read from {path}: {problem}; it was put aside as {copy}",
    "The loss of this day counts from now: halt trading for the day where max_daily_loss must hold for all of it.",
)
DAYS_NOT_WRITTEN: Final = Code(
    "limits.days-not-written",
    Severity.ERROR,
    "the equity of account {account} at the start of the trading day cannot be kept in {path}: {problem}",
    "Make room on the disk, and let the file be writable by the gateway's user; max_daily_loss refuses until then.",
)
