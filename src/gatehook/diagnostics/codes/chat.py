"""Conversations that are not remembered as they should be."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

NOT_REMEMBERED: Final = Code(
    "chat.not-remembered",
    Severity.WARNING,
    "What is said is not being remembered: {why}.",
    "It waits, and is written once the memory works; `gatehook slots list` shows what fills it.",
)
LOST: Final = Code(
    "chat.lost",
    Severity.WARNING,
    "More than {limit} turns of conversations wait for the memory; those that come now are not remembered.",
    "Mend the memory, or let another one fill the slot: `gatehook slots use memory ENTRY`.",
)
BAD_MESSAGE: Final = Code(
    "chat.bad-message",
    Severity.WARNING,
    "A chat.message of {entry} is not remembered: {why}.",
    "All others are; the author of what publishes it has to mend it.",
)
