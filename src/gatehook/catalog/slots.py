"""Which entry a slot is meant to be filled by. The table of kinds says which slots there are; nothing else does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from gatehook.kinds.kind import KINDS
from gatehook.kinds.kind import Kind

#: What empties a slot.
NONE: Final = "none"
#: slot -> the kind that fills it
SLOTS: Final[Mapping[str, Kind]] = {spec.slot: kind for kind, spec in KINDS.items() if spec.slot is not None}


@attrs.frozen(kw_only=True)
class SlotChoice:
    """The entries that may fill a slot.

    Attributes:
        entries: the first that can fills it at start; the others are fall-backs. Empty: the slot is emptied on purpose.
        explicit: whether the configuration says so; else it is the kind's default.
    """

    slot: str
    kind: Kind
    entries: tuple[str, ...]
    explicit: bool


@attrs.frozen(kw_only=True)
class Slot:
    """A slot as it was resolved; ``winner`` is ``None`` when it is empty or down."""

    choice: SlotChoice
    winner: str | None

    @property
    def down(self) -> bool:
        """Whether it was meant to be filled and is not."""
        return self.winner is None and bool(self.choice.entries)


def slot_choices(configured: Mapping[str, str | tuple[str, ...]]) -> tuple[SlotChoice, ...]:
    """Return the choice for every slot there is."""
    return tuple(
        SlotChoice(
            slot=slot,
            kind=kind,
            entries=_entries(configured.get(slot), kind),
            explicit=configured.get(slot) is not None,
        )
        for slot, kind in SLOTS.items()
    )


def _entries(said: str | tuple[str, ...] | None, kind: Kind) -> tuple[str, ...]:
    if said is None:
        default = KINDS[kind].default_entry
        return () if default is None else (default,)
    if isinstance(said, str):
        return () if said == NONE else (said,)
    return tuple(one for one in dict.fromkeys(said) if one != NONE)
