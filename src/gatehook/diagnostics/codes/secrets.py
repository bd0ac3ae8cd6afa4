"""Codes of secrets in plugins' configurations."""

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

UNAVAILABLE = Code(
    "secrets.unavailable",
    Severity.ERROR,
    "The configuration of {entry} refers to a secret that is not there: {reason}.",
    "Set the variable, write the file, or store it with `keyring set gatehook NAME`; then restart the entry.",
)
TOO_SHORT = Code(
    "secrets.too-short",
    Severity.WARNING,
    "A secret of {entry} is shorter than {shortest} characters, too short to be removed from logs.",
    "Use a longer secret.",
)
IN_CLEAR = Code(
    "secrets.in-clear",
    Severity.ERROR,
    "{key} is a secret, and would be written to the file in clear text; nothing was written.",
    'Write a reference to where it is kept: {{ env = "NAME" }}, {{ file = "…" }} or {{ keyring = "…" }}.',
)
UNMARKED = Code(
    "secrets.unmarked",
    Severity.INFO,
    "The configSchema of {plugin} has a property that looks like a secret and is not marked as one.",
    'Its author should add "writeOnly": true; until then it is kept as a secret for its name.',
)
