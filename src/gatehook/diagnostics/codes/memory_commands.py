"""What is asked of a memory by its commands."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

DOCUMENT_UNCLEAR: Final = Code(
    "memory.document-unclear",
    Severity.ERROR,
    "Not one document is called {document}: it is {found}.",
    "`gatehook memory search --json` shows ids and namespaces; name the namespace where several have the id.",
)
MOVE_TO_ITSELF: Final = Code(
    "memory.move-to-itself",
    Severity.ERROR,
    "{entry} cannot be moved to itself.",
    "Name two entries; `gatehook slots list` shows those that can fill the slot.",
)
