"""Codes of the command line."""

from __future__ import annotations

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

BAD_USAGE = Code(
    "cli.bad-usage",
    Severity.ERROR,
    "{what}",
    "`{command} --help` says what is accepted.",
)
NO_GATEWAY = Code(
    "cli.no-gateway",
    Severity.ERROR,
    "No gateway is running on {data_dir}.",
    "Start it with `gatehook run`, or name another data directory with --data-dir.",
)
NO_ANSWER = Code(
    "cli.no-answer",
    Severity.ERROR,
    "The gateway on {data_dir} did not answer {method} properly: {why}.",
    "Look with `gatehook status` and `gatehook logs`; what was asked for may have been done.",
)
CONSENT_NEEDED = Code(
    "cli.consent-needed",
    Severity.ERROR,
    '"{what}?" is for a person to answer, and nobody can be asked here.',
    "Read what is shown, then repeat the command with --yes.",
)
UNKNOWN_PLUGIN = Code(
    "cli.unknown-plugin",
    Severity.ERROR,
    "No plugin has the id {plugin}{hint}.",
    "`gatehook plugins list` shows what was found.",
)
UNKNOWN_SLOT = Code(
    "cli.unknown-slot",
    Severity.ERROR,
    "There is no slot {slot}{hint}.",
    "`gatehook slots list` shows the slots.",
)
UNEXPECTED = Code(
    "cli.unexpected",
    Severity.ERROR,
    "The command failed with an unexpected {kind} at {where}.",
    "Repeat it with --debug to see where; this is a defect of Gatehook, please report it.",
)
NOT_FOR_SLOT = Code(
    "cli.not-for-slot",
    Severity.ERROR,
    "{entry} cannot fill the slot {slot}; these can: {able}.",
    "`gatehook plugins why {entry}` says what stands in its way.",
)
NOT_RUNNABLE = Code(
    "cli.not-runnable",
    Severity.ERROR,
    "{plugin} cannot be enabled; it is {status}: {sentence}",
    "Mend that first; `gatehook plugins why {plugin}` has the whole chain.",
)
BUILTIN_NEEDS_DENY = Code(
    "cli.builtin-needs-deny",
    Severity.ERROR,
    "{plugin} ships with Gatehook and runs without consent, so there is none to take back.",
    "Deny it (`gatehook config set plugins.deny '[\"{plugin}\"]'`), or disable its entry.",
)
CHANGED_MEANWHILE = Code(
    "cli.changed-meanwhile",
    Severity.ERROR,
    "The files of {plugin} changed while you were reading; no consent was recorded.",
    "Run `gatehook plugins enable {plugin}` again and look at what it shows.",
)
