"""The table of kinds."""

from __future__ import annotations

from gatehook.kinds.kind import KINDS
from generating.tables import code
from generating.tables import prose
from generating.tables import table


def section() -> str:
    """Return the kinds: hook, base class, slot, stability."""
    rows = [
        (
            code(kind),
            code(spec.hook),
            code(spec.provider.partition(":")[2]),
            prose(spec.summary),
            f"{code(spec.slot)}, default {code(spec.default_entry)}" if spec.slot else "none",
            "stable" if spec.stable else "provisional",
        )
        for kind, spec in KINDS.items()
    ]
    return table(("kind", "hook", "base class", "what it does", "slot", "contract"), rows)
