"""The pinned tools of MCP servers: what an entry's server offered when it was agreed to, and what it offers by now.

One small file for each entry, readable and writable by its owner only. A record that cannot be used is no pin that
could be checked, so the entry does not run on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from typing import Final

import attrs

from gatehook.catalog.records import RecordUnusable
from gatehook.catalog.records import read_record
from gatehook.catalog.records import write_record
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import mcp_entries as codes
from gatehook.runtimes.mcp.pins import ToolPin

SCHEMA_VERSION: Final = 1
DIRECTORY: Final = "tool-pins"


@attrs.frozen(kw_only=True)
class PinRecord:
    """What is known of one entry's server.

    Attributes:
        target: the server: its address without query, or its command.
        pinned: what was agreed to.
        offered: what it offered when that was last seen to be something else; ``None`` where nothing is open.
    """

    entry_id: str
    target: str
    pinned: ToolPin
    offered: ToolPin | None = None


class ToolPins:
    """The records below a data directory. Everything here blocks."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir / DIRECTORY

    def read(self, entry_id: str) -> PinRecord | None:
        """Return an entry's record; ``None`` where there is none yet.

        Raises:
            GatehookError: when it cannot be used.
        """
        path = self._path(entry_id)
        try:
            return _record(entry_id, read_record(path, private=True))
        except FileNotFoundError:
            return None
        except (RecordUnusable, KeyError, TypeError, ValueError) as error:
            reason = error if isinstance(error, RecordUnusable) else "it is no record of pinned tools"
            raise GatehookError(codes.PINS_UNREADABLE(entry=entry_id, path=path, reason=reason)) from None

    def write(self, record: PinRecord) -> None:
        """Replace an entry's record, durably.

        Raises:
            GatehookError: when it cannot be written.
        """
        path = self._path(record.entry_id)
        value = {
            "schemaVersion": SCHEMA_VERSION,
            "target": record.target,
            "pinned": record.pinned.to_json(),
            "offered": None if record.offered is None else record.offered.to_json(),
        }
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_record(path, value)
        except OSError as error:
            reason = error.strerror or str(error)
            raise GatehookError(codes.PINS_UNREADABLE(entry=record.entry_id, path=path, reason=reason)) from None

    def _path(self, entry_id: str) -> Path:
        return self._directory / f"{entry_id}.json"


def _record(entry_id: str, value: Any) -> PinRecord:
    if value["schemaVersion"] != SCHEMA_VERSION:
        raise RecordUnusable("another version of Gatehook wrote it")
    offered = value["offered"]
    return PinRecord(
        entry_id=entry_id,
        target=str(value["target"]),
        pinned=ToolPin.from_json(value["pinned"]),
        offered=None if offered is None else ToolPin.from_json(offered),
    )
