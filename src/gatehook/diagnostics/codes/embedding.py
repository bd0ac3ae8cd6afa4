"""Embedders, and the vectors of a memory."""

from __future__ import annotations

from typing import Final

from gatehook.diagnostics.records import Code
from gatehook.diagnostics.records import Severity

LABELS_INVALID: Final = Code(
    "memory.labels-invalid",
    Severity.ERROR,
    "{where} cannot be used to tune by: {reason}.",
    'Write one JSON object a line, with a text and the ids that are right for it: {{"text": "…", "relevant": ["id"]}}.',
)
