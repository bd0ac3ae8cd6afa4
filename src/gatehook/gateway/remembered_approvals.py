"""What a person was asked, and the answer, remembered: read from the audit, behind what was remembered before."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from typing import Final

import anyio
import anyio.to_thread

from gatehook.audit import kinds
from gatehook.audit.reading import read
from gatehook.audit.records import Entry
from gatehook.diagnostics.codes import gateway as codes
from gatehook.gateway.outage import Outage
from gatehook.gateway.positions import Positions
from gatehook.gateway.recorder import NAMESPACE
from gatehook.gateway.slot import FAILURES
from gatehook.gateway.slot import memory_of_slot
from gatehook.gateway.slot import why
from gatehook.host import PluginHost
from gatehook.kinds.memory import MemoryDoc

APPROVALS_FILE: Final = "remembered-approvals.json"
#: Seconds between two looks.
INTERVAL: Final = 5.0
_BATCH: Final = 200
#: So many records before the end are read first; all of them only where that is not enough.
_TAIL: Final = 500
_KINDS: Final = (kinds.APPROVAL_REQUESTED, kinds.APPROVAL_ANSWERED)


class ApprovalRecorder:
    """Keeps the memory up with the approvals in the audit."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self._data_dir: Path = host.config.gateway.data_dir
        self._positions = Positions(self._data_dir / APPROVALS_FILE, int)
        self._outage = Outage(host.report)

    async def run(self) -> None:
        """Remember what happens until cancelled."""
        while True:
            try:
                await self.catch_up()
                self._outage.over()
            except FAILURES as error:
                entry_id = self._host.slot("memory")
                self._outage.goes_on(codes.NOT_REMEMBERED(entry=entry_id, why=why(error)))
            await anyio.sleep(INTERVAL)

    async def catch_up(self) -> None:
        """Remember every approval that the audit has now.

        Raises:
            ProviderError: the memory does not work.
            GatehookError: the audit cannot be read.
        """
        filled = memory_of_slot(self._host, caller="gateway")
        if filled is None:
            return
        entry_id, memory = filled
        after = await self._positions.get(entry_id, 0)
        found, newest = await anyio.to_thread.run_sync(_approvals, self._data_dir, after)
        for start in range(0, len(found), _BATCH):
            await memory.upsert([document_of(one) for one in found[start : start + _BATCH]])
        if newest != after:
            await self._positions.set(entry_id, newest)


def _approvals(data_dir: Path, after: int) -> tuple[list[Entry], int]:
    """Return the records about approvals behind a position, and the newest position; one that is not there is none."""
    entries = list(read(data_dir, last=_TAIL))
    newest = entries[-1].seq if entries else 0
    if after > newest:
        after = 0
    if entries and entries[0].seq > after + 1:
        return _among(read(data_dir), after), newest
    return _among(entries, after), newest


def _among(entries: Iterable[Entry], after: int) -> list[Entry]:
    return [one for one in entries if one.seq > after and one.kind in _KINDS]


def document_of(entry: Entry) -> MemoryDoc:
    """Return a record as a document; the answer follows the question."""
    subject = entry.subject
    venue, _, account = str(subject.get("account", "")).partition("/")
    asked = f"approval/{subject.get('approval')}/asked"
    is_question = entry.kind == kinds.APPROVAL_REQUESTED
    return MemoryDoc(
        id=asked if is_question else f"approval/{subject.get('approval')}/answer",
        text=_question(entry, subject) if is_question else _answer(entry, subject),
        namespace=tuple(part for part in (NAMESPACE, venue, account) if part),
        ts=entry.ts,
        kind="approval",
        meta={"account": f"{venue}/{account}", "source": venue or "gateway"},
        prev_id=None if is_question else asked,
        available_at=entry.ts,
    )


def _question(entry: Entry, subject: Any) -> str:
    shown = "; ".join(": ".join(map(str, pair)) for pair in subject.get("shown", ()))
    return f"approval {subject.get('approval')} of {subject.get('command_id')} asked for by {entry.actor}: {shown}"


def _answer(entry: Entry, subject: Any) -> str:
    return (
        f"approval {subject.get('approval')} of {subject.get('command_id')}: {subject.get('answer')} by {entry.actor}"
    )
