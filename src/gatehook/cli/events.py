"""``gatehook events tail`` and ``gatehook logs``."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Final

import click

from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_line
from gatehook.cli.output import write_text

_POLL: Final = 0.3
_LEVELS: Final = ("debug", "info", "warning", "error", "critical")


@click.command()
@click.argument("patterns", nargs=-1)
@located
@click.option("--ndjson", is_flag=True, help="One JSON object a line.")
@click.option("--limit", type=click.IntRange(1), help="End after so many.")
def tail(where: Where, patterns: tuple[str, ...], *, ndjson: bool, limit: int | None) -> None:
    """Print events as they happen."""
    params = {"patterns": list(patterns or ("*",))}
    for number, event in enumerate(where.client().stream("events.tail", params), start=1):
        if ndjson:
            write_line(event)
        else:
            write_text(_event_text(event))
        if number == limit:
            return
    note("the gateway has stopped")


def _event_text(event: Mapping[str, Any]) -> str:
    if "gap" in event:
        return f"… {event['gap']} events were lost here"
    about = " ".join(str(event[name]) for name in ("symbol", "timeframe", "account_id") if event.get(name))
    return f"{event['ts']}  {event['topic']}  {event['source']}  {about}  {json.dumps(event['payload'])[:200]}"


@click.command()
@located
@reading
@click.option("--ndjson", is_flag=True, help="One JSON object a line.")
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines.")
@click.option("-n", "--lines", default=50, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--level", type=click.Choice(_LEVELS), default="debug", help="The least severe level.")
def logs(where: Where, *, as_json: bool, ndjson: bool, follow: bool, lines: int, level: str) -> None:
    """Print the newest lines of the log."""
    path = where.load().gateway.data_dir / "logs" / "gatehook.log"
    records = deque(_records(path, level, follow=False), maxlen=lines)
    if as_json:
        write_document({"path": str(path), "records": list(records)})
        return
    if not records:
        note(f"{path} has no lines")
    for record in records:
        _print_record(record, ndjson=ndjson)
    if follow:
        for record in _records(path, level, follow=True):
            _print_record(record, ndjson=ndjson)


def _print_record(record: Mapping[str, Any], *, ndjson: bool) -> None:
    if ndjson:
        write_line(record)
    else:
        known = ("timestamp", "level", "logger", "event")
        more = " ".join(f"{key}={value}" for key, value in record.items() if key not in known)
        write_text(" ".join(str(record.get(key, "")) for key in known) + (f" {more}" if more else ""))


def _records(path: Path, level: str, *, follow: bool) -> Iterator[Mapping[str, Any]]:
    least = _LEVELS.index(level)
    for line in _follow(path) if follow else _lines(path):
        try:
            record = json.loads(line)
        except ValueError:  # a line that a crash cut short
            continue
        if isinstance(record, dict) and record.get("level") in _LEVELS[least:]:
            yield record


def _lines(path: Path) -> Iterator[str]:
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from file


def _follow(path: Path) -> Iterator[str]:
    """Yield the lines that are written from now on; the file may be rotated away meanwhile."""
    file, position = _identity(path)
    while True:
        now, size = _identity(path)
        file, position = (file, position) if now == file and size >= position else (now, 0)
        if size > position:
            for line in _whole_lines(path, position):
                position += len(line)
                yield line.decode("utf-8", "replace")
        time.sleep(_POLL)


def _identity(path: Path) -> tuple[int, int]:
    """Return which file it is, and its size; zeros where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_ino, found.st_size


def _whole_lines(path: Path, position: int) -> Iterator[bytes]:
    """Yield the lines from a position on, but for one that is still being written."""
    with path.open("rb") as file:
        file.seek(position)
        for line in file:
            if line.endswith(b"\n"):
                yield line
