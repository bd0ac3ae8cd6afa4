"""Which processes belong to a child of ours, whatever they did to hide it, and how they are sent a signal.

Linux tells all of it in ``/proc``. Elsewhere only the child's own process group is known.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import attrs

#: Every child carries its own random mark in this variable, and whatever it starts inherits it.
MARK_VARIABLE: Final = "GATEHOOK_CHILD"
_PROC: Final = Path("/proc")
_DEAD: Final = frozenset("ZX")


@attrs.frozen
class ProcessInfo:
    """A process at one moment. ``start`` (clock ticks since boot) tells it from a later one with the same ``pid``."""

    pid: int
    parent: int
    group: int
    session: int
    start: int
    state: str


def look_at(pid: int) -> ProcessInfo | None:
    """Return what runs under a process id now; ``None`` for nothing, a zombie, or a system without ``/proc``."""
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    # The name stands in brackets and may hold brackets and blanks itself.
    fields = text.rpartition(")")[2].split()
    state = fields[0]
    if state in _DEAD:
        return None
    return ProcessInfo(pid, int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19]), state)


def is_alive(process: ProcessInfo) -> bool:
    """Say whether it still is the same process, and no zombie."""
    now = look_at(process.pid)
    return now is not None and now.start == process.start


def members(pid: int | None, mark: str) -> tuple[ProcessInfo, ...]:
    """Return the living processes of a child's tree: its session, its group, its descendants, and all with its mark.

    ``pid`` is ``None`` where the child itself is gone and its id may be somebody else's by now.
    """
    table = {one.pid: one for one in _everything()}
    found = {one.pid for one in table.values() if pid is not None and pid in (one.pid, one.session, one.group)}
    found |= {one.pid for one in table.values() if one.pid not in found and _has_mark(one.pid, mark)}
    children: dict[int, list[int]] = {}
    for one in table.values():
        children.setdefault(one.parent, []).append(one.pid)
    ahead = list(found)
    while ahead:
        below = [one for one in children.get(ahead.pop(), ()) if one not in found]
        found.update(below)
        ahead += below
    return tuple(table[one] for one in sorted(found - {os.getpid()}))


def _everything() -> Iterable[ProcessInfo]:
    try:
        names = [one.name for one in _PROC.iterdir()]
    except OSError:
        return ()
    found = (look_at(int(name)) for name in names if name.isdigit())
    return [one for one in found if one is not None]


def _has_mark(pid: int, mark: str) -> bool:
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:  # gone, or another user's: none of ours then
        return False
    return f"{MARK_VARIABLE}={mark}".encode() in environment.split(b"\0")


def send_signal(process: ProcessInfo, number: signal.Signals) -> None:
    """Send a signal to exactly this process: a later one under its id gets none."""
    try:
        handle = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        return
    try:
        if is_alive(process):
            signal.pidfd_send_signal(handle, number)
    except (ProcessLookupError, PermissionError):
        pass  # it ended meanwhile, or it became another user's, which nobody here can end
    finally:
        os.close(handle)


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group that this process made and has not yet reaped."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left in it
