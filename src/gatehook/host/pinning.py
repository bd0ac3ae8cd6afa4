"""The tools of an entry's server against those that were agreed to: pinned at the first connection, then held."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import anyio.to_thread
import attrs

from gatehook.context import ToolDefinition
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import mcp_entries as codes
from gatehook.host.entry import EntrySpec
from gatehook.host.reports import Reports
from gatehook.host.tool_pins import PinRecord
from gatehook.host.tool_pins import ToolPins
from gatehook.runtimes.mcp.pins import ToolPin


class NeedsPerson(GatehookError):
    """An entry that does not run again by itself: somebody has to act, and then restart it."""


@attrs.define
class Pinning:
    """One generation's look at the record. A plugin that is being worked on (``--dev``) has none."""

    pins: ToolPins
    spec: EntrySpec
    target: str
    reports: Reports
    record: PinRecord | None = None

    @property
    def is_off(self) -> bool:
        """Whether nothing is pinned."""
        return not self.spec.pinned

    async def load(self) -> ToolPin | None:
        """Return the pin; ``None`` where the server is not known yet.

        Raises:
            NeedsPerson: the record cannot be used.
        """
        if self.is_off:
            return None
        try:
            found = await anyio.to_thread.run_sync(self.pins.read, self.spec.entry_id)
        except GatehookError as error:
            raise NeedsPerson(*error.diagnostics) from None
        self.record = found if found is not None and found.target == self.target else None
        return None if self.record is None else self.record.pinned

    async def first(self, pin: ToolPin) -> None:
        """Record the tools of the first connection.

        Raises:
            GatehookError: when that cannot be written.
        """
        if self.is_off:
            return
        self.record = PinRecord(entry_id=self.spec.entry_id, target=self.target, pinned=pin)
        await anyio.to_thread.run_sync(self.pins.write, self.record)
        self.reports.report(
            codes.TOOLS_PINNED(plugin=self.spec.plugin_id, entry=self.spec.entry_id, count=len(pin.tools))
        )

    async def changed(self, offered: ToolPin) -> NeedsPerson:
        """Record what the server offers now, and return why the entry ends."""
        assert self.record is not None, "what differs was pinned"
        difference = self.record.pinned.difference(_definitions(offered))
        record = attrs.evolve(self.record, offered=offered)
        if record != self.record:
            await anyio.to_thread.run_sync(partial(self.pins.write, record))
            self.record = record
        return NeedsPerson(
            codes.TOOLS_CHANGED(plugin=self.spec.plugin_id, entry=self.spec.entry_id, what=str(difference))
        )

    async def check(self, pin: ToolPin) -> None:
        """Hold the tools of a connection against the pin; the first one makes it.

        Raises:
            NeedsPerson: when they are others.
        """
        if self.is_off:
            return
        known = self.record.pinned if self.record is not None else await self.load()
        if known is None:
            await self.first(pin)
        elif known.fingerprint != pin.fingerprint:
            raise await self.changed(pin)


def _definitions(pin: ToolPin) -> Iterator[ToolDefinition]:
    return (ToolDefinition(name=name, **parts) for name, parts in pin.tools.items())
