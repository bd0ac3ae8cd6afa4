"""Who fills each slot, and who could, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from gatehook.catalog.plan import Plan


def slot_rows(plan: Plan, holders: Mapping[str, str | None] | None = None) -> list[Mapping[str, Any]]:
    """Return each slot with the entry that fills it (``holders`` knows better than the plan) and those that could."""
    rows: list[Mapping[str, Any]] = []
    for slot in plan.slots:
        holder = slot.winner if holders is None else holders.get(slot.choice.slot)
        able = [
            one.entry_id
            for one in plan.activations
            if one.kind is slot.choice.kind and one.status in ("active", "inactive")
        ]
        rows.append(
            {
                "slot": slot.choice.slot,
                "kind": str(slot.choice.kind),
                "entry": holder,
                "others": [one for one in able if one != holder],
            }
        )
    return rows
