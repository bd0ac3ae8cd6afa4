"""The block list: plugin versions known to be bad, each with a reason and a link."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gatehook.catalog.policy import BlockedVersion
from gatehook.catalog.records import RecordUnusable
from gatehook.catalog.records import read_record
from gatehook.catalog.requirements import fault_of_range
from gatehook.diagnostics import GatehookError
from gatehook.diagnostics.codes import plugins as codes


def read_blocklist(path: Path) -> tuple[BlockedVersion, ...]:
    """Read a list of objects with ``id``, ``reason``, and optionally ``firstGoodVersion`` and ``link``.

    Raises:
        GatehookError: there is none, or it cannot be used.
    """
    try:
        value = read_record(path)
    except FileNotFoundError:
        raise GatehookError(codes.BLOCKLIST_UNREADABLE(path=path, reason="there is no such file")) from None
    except RecordUnusable as unusable:
        raise GatehookError(codes.BLOCKLIST_UNREADABLE(path=path, reason=unusable)) from None
    if not isinstance(value, list):
        raise GatehookError(codes.BLOCKLIST_UNREADABLE(path=path, reason="it is no list"))
    return tuple(_read(one, index, path) for index, one in enumerate(value))


def _read(raw: Any, index: int, path: Path) -> BlockedVersion:
    fault = _fault(raw)
    if fault:
        raise GatehookError(codes.BLOCKLIST_UNREADABLE(path=path, reason=f"item {index} {fault}"))
    return BlockedVersion(
        id=raw["id"], first_good=raw.get("firstGoodVersion"), reason=raw["reason"], link=raw.get("link", "")
    )


def _fault(raw: Any) -> str | None:
    if not isinstance(raw, dict) or not {"id", "reason"} <= raw.keys() <= {"id", "reason", "firstGoodVersion", "link"}:
        return "has not exactly id, reason, and optionally firstGoodVersion and link"
    if not all(isinstance(one, str) for key, one in raw.items() if key != "firstGoodVersion"):
        return "holds something that is no string"
    first = raw.get("firstGoodVersion")
    if first is not None and (not isinstance(first, str) or fault_of_range(f"<{first}")):
        return "has a firstGoodVersion that is no version"
    return None
