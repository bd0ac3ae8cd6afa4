"""The tools of a plugin's MCP server that are not those agreed to: shown, and pinned once a person says yes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from gatehook.cli.options import Where
from gatehook.cli.options import confirmed
from gatehook.cli.output import note
from gatehook.cli.output import write_text

if TYPE_CHECKING:
    from gatehook.config import Config
    from gatehook.host.tool_pins import PinRecord

_WORDS = {
    "description": "its description",
    "input_schema": "its arguments",
    "output_schema": "its result",
    "annotations": "what it says of its risk",
}
_LONGEST = 400


def accept_tools(
    where: Where, plugin_id: str, entries: Sequence[str], *, as_json: bool, yes: bool, dry_run: bool
) -> Sequence[Mapping[str, Any]]:
    """Show what the servers of a plugin's entries offer now and did not before, and pin exactly that.

    Returns:
        Each entry with something open, its changes, and whether they are pinned now.

    Raises:
        GatehookError: when a record cannot be used or written, or the audit cannot be.
        click.Abort: when the answer is no.
    """
    config = where.load()
    found = []
    for record in _open(config, entries):
        changes = list(_changes(record))
        if not as_json:
            _show(record, changes)
        if not dry_run:
            confirmed(f"Let {record.entry_id} use these tools", yes=yes)
            _pin(config, plugin_id, record)
            note(f"the tools of {record.entry_id} are pinned as shown; `gatehook plugins restart {record.entry_id}`")
        facts = {"entry": record.entry_id, "server": record.target, "changes": changes, "pinned": not dry_run}
        found.append(facts)
    return found


def _open(config: Config, entries: Sequence[str]) -> Iterator[PinRecord]:
    from gatehook.host.tool_pins import ToolPins

    pins = ToolPins(config.gateway.data_dir)
    for entry in entries:
        record = pins.read(entry)
        if record is not None and record.offered is not None:
            yield record


def _pin(config: Config, plugin_id: str, record: PinRecord) -> None:
    """Pin exactly what was shown: what the server offers by then is looked at when it connects."""
    import attrs

    from gatehook.audit import kinds
    from gatehook.cli.recording import recording
    from gatehook.host.tool_pins import ToolPins

    assert record.offered is not None, "something is open"
    facts = {"plugin": plugin_id, "entry": record.entry_id, "server": record.target}
    with recording(config, kinds.PLUGIN_CONSENTED, **facts, tools=record.offered.fingerprint):
        pinned = attrs.evolve(record, pinned=record.offered, offered=None)
        ToolPins(config.gateway.data_dir).write(pinned)


def _changes(record: PinRecord) -> Iterator[Mapping[str, str]]:
    assert record.offered is not None, "something is open"
    before, after = record.pinned.tools, record.offered.tools
    for name in sorted({*before, *after}):
        if name not in before:
            yield {"tool": name, "what": "new", "before": "", "after": _text(after[name]["description"])}
        elif name not in after:
            yield {"tool": name, "what": "gone", "before": _text(before[name]["description"]), "after": ""}
        else:
            for part, words in _WORDS.items():
                old, new = _text(before[name][part]), _text(after[name][part])
                if old != new:
                    yield {"tool": name, "what": words, "before": old, "after": new}


def _text(part: Any) -> str:
    return part if isinstance(part, str) else json.dumps(part, sort_keys=True, ensure_ascii=False)


def _show(record: PinRecord, changes: Sequence[Mapping[str, str]]) -> None:
    write_text(f"{record.entry_id}: its server ({record.target}) offers other tools than those agreed to")
    for one in changes:
        write_text(f"  {one['tool']}: {one['what']}")
        for sign, text in (("-", one["before"]), ("+", one["after"])):
            if text:
                write_text(f"    {sign} {_cut(text)}")


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}… (--json shows all of it)"
