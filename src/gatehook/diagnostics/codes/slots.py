"""What can be wrong with a slot, and what an entry without one is told."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

UNKNOWN_SLOT: Final = Code(
    "slots.unknown-slot", Severity.ERROR, "There is no slot {slot}{hint}.", "The slots are {known}."
)
WRONG_KIND: Final = Code(
    "slots.wrong-kind",
    Severity.ERROR,
    "The slot {slot} names the entry {entry}, which provides no {kind}.",
    "Entries that would fit: {fitting}.",
)
DOWN: Final = Code(
    "slots.down",
    Severity.ERROR,
    "The slot {slot} is down: {why}.",
    "Mend it, or: gatehook slots use {slot} ENTRY. Entries that would fit: {fitting}.",
)
FALLBACK: Final = Code(
    "slots.fallback",
    Severity.WARNING,
    "The slot {slot} is filled by {entry}; {preferred} comes first in its order, but {why}.",
    "Mend {preferred}, or name {entry} alone.",
)
EMPTIED: Final = Code(
    "slots.emptied", Severity.INFO, 'The slot {slot} is emptied ("none").', "Name an entry to fill it."
)
LOST: Final = Code(
    "slots.lost",
    Severity.INFO,
    "The entry {entry} does not fill the slot {slot}; {winner} does.",
    "To switch: gatehook slots use {slot} {entry}",
)
STANDBY: Final = Code(
    "slots.standby",
    Severity.INFO,
    "The entry {entry} stands by for the slot {slot}; {winner} comes first.",
    "It starts when {winner} fails to start.",
)
