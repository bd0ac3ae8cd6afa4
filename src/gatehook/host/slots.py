"""Slots while the host runs: who fills each, the order of fall-back at start, and switching to another entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Final

import anyio

from gatehook.catalog.slots import NONE
from gatehook.catalog.slots import SLOTS
from gatehook.catalog.slots import Slot
from gatehook.context import RunState
from gatehook.diagnostics import Diagnostic
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics import did_you_mean
from gatehook.diagnostics.codes import host as codes
from gatehook.diagnostics.codes import slots as slot_codes
from gatehook.host.entry import Entry
from gatehook.host.port import Port
from gatehook.host.runner import Runner
from gatehook.kinds.errors import RateLimited
from gatehook.kinds.kind import Kind

_FAILED: Final = frozenset({RunState.BACKOFF, RunState.QUARANTINED, RunState.FAILED})


class EmptySlot:
    """Stands behind the handles of a slot that nothing fills."""

    def __init__(self, slot: str) -> None:
        self.entry_id = f"the slot {slot}"
        self.plugin_id = ""

    def why_down(self) -> str:
        """Say that it is empty."""
        return "empty"

    def redact(self, text: str) -> str:
        """There is nothing to hide."""
        return text

    def rate_limited(self, error: RateLimited) -> None:
        """Nothing is called."""

    def provider_raised(self, what: str, error: BaseException) -> None:
        """There is no provider, so nothing can be raised."""


class Slots:
    """Who fills each slot. One switch at a time."""

    def __init__(self, resolved: Sequence[Slot], runner: Runner, report: Callable[[Diagnostic], object]) -> None:
        self._resolved = {one.choice.slot: one for one in resolved}
        self._runner = runner
        self._report = report
        self._holders: dict[str, Entry | None] = {}
        self._empty = {slot: Port(EmptySlot(slot), kind, timeout=1.0, now=lambda: 0.0) for slot, kind in SLOTS.items()}
        self._beside: Counter[str] = Counter()
        self._settled = False
        self._lock = anyio.Lock()

    def fill(self) -> None:
        """Take the plan's winners."""
        for slot, resolved in self._resolved.items():
            self._holders[slot] = (
                None if resolved.winner is None else self._runner.entry(resolved.winner, resolved.choice.kind)
            )

    def holder(self, slot: str) -> Entry | None:
        """Return the entry that fills a slot."""
        return self._holders.get(slot)

    def port(self, slot: str) -> Port:
        """Return the port of a slot's holder, or one that says that the slot is empty."""
        holder = self._holders.get(slot)
        return self._empty[slot] if holder is None else holder.ports[SLOTS[slot]]

    def changed(self, entry_id: str) -> None:
        """An entry's run state changed: a slot whose holder fails is down, and nothing takes its place by itself."""
        for slot, holder in self._holders.items():
            if self._settled and holder is not None and holder.entry_id == entry_id and holder.state in _FAILED:
                self._report_down(slot, holder)

    async def settle(self) -> None:
        """After the first start: go down the order of fall-back, and say loudly what is down."""
        self._settled = True
        for slot, resolved in self._resolved.items():
            holder = self._holders[slot]
            if holder is not None and not holder.serving:
                await self._fall_back(resolved, holder)

    async def _fall_back(self, resolved: Slot, first: Entry) -> None:
        slot, kind = resolved.choice.slot, resolved.choice.kind
        order = resolved.choice.entries
        for entry_id in order[order.index(first.entry_id) + 1 :] if first.entry_id in order else ():
            entry = self._runner.entry(entry_id, kind)
            if entry is None:
                continue
            await self._runner.begin(entry, kind)
            if entry.serving:
                why = f"it is {first.why_down()}"
                self._report(slot_codes.FALLBACK(slot=slot, entry=entry_id, preferred=first.entry_id, why=why))
                await self._runner.end(first, kind)
                self._holders[slot] = entry
                return
            await self._runner.end(entry, kind)
        self._report_down(slot, first)

    def _report_down(self, slot: str, holder: Entry) -> None:
        why = f"{holder.entry_id} is {holder.why_down()}"
        fitting = ", ".join(one for one in self._runner.fitting(SLOTS[slot]) if one != holder.entry_id) or "none"
        self._report(slot_codes.DOWN(entry=holder.entry_id, slot=slot, why=why, fitting=fitting))

    async def use(self, slot: str, entry_id: str) -> None:
        """Switch to another entry, or to ``"none"``: the new one starts, then the old one stops.

        Raises:
            GatehookError: for an unknown slot or entry, or one that is not ready in time; nothing changed then.
        """
        if slot not in SLOTS:
            known = ", ".join(SLOTS)
            raise GatehookError(slot_codes.UNKNOWN_SLOT(slot=slot, hint=did_you_mean(slot, SLOTS), known=known))
        async with self._lock:
            new = None if entry_id == NONE else self._wanted(slot, entry_id)
            old = self._holders.get(slot)
            if new is old:
                return
            if new is not None:
                await self._ready(slot, new)
            self._holders[slot] = new
            if old is not None:
                await self._retire(old, SLOTS[slot])

    @asynccontextmanager
    async def beside(self, slot: str, entry_id: str) -> AsyncIterator[Entry]:
        """Keep an entry that could fill a slot running while the block does, whoever fills the slot.

        Raises:
            GatehookError: for an unknown entry, or one that is not ready in time.
        """
        entry = self._wanted(slot, entry_id)
        async with self._lock:
            if entry is not self._holders.get(slot):
                await self._ready(slot, entry)
            self._beside[entry_id] += 1
        try:
            yield entry
        finally:
            with anyio.CancelScope(shield=True):
                async with self._lock:
                    self._beside[entry_id] -= 1
                    if entry is not self._holders.get(slot):
                        await self._retire(entry, SLOTS[slot])

    def _wanted(self, slot: str, entry_id: str) -> Entry:
        entry = self._runner.entry(entry_id, SLOTS[slot])
        if entry is None:
            fitting = self._runner.fitting(SLOTS[slot])
            error = f"is no entry that could fill it{did_you_mean(entry_id, fitting)}"
            raise GatehookError(codes.SLOT_SWITCH_FAILED(slot=slot, entry=entry_id, error=error))
        return entry

    async def _ready(self, slot: str, new: Entry) -> None:
        kind = SLOTS[slot]
        if kind in new.kinds and new.serving:
            return
        await self._runner.begin(new, kind)
        if not new.serving:
            error = f"did not start: {new.why_down()}"
            await self._runner.end(new, kind)
            diagnostic = codes.SLOT_SWITCH_FAILED(slot=slot, entry=new.entry_id, plugin=new.plugin_id, error=error)
            self._report(diagnostic)
            raise GatehookError(diagnostic)

    async def _retire(self, old: Entry, kind: Kind) -> None:
        port = old.ports[kind]
        with anyio.move_on_after(port.timeout):
            await port.drained()
        if not self._beside[old.entry_id]:
            await self._runner.end(old, kind)
