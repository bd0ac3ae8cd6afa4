"""``gatehook audit list|verify|export``: read from the files, with or without a gateway."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections import deque
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import TextIO

import click

from gatehook.cli.failures import Exit
from gatehook.cli.options import Where
from gatehook.cli.options import located
from gatehook.cli.options import reading
from gatehook.cli.output import SCHEMA_VERSION
from gatehook.cli.output import note
from gatehook.cli.output import write_document
from gatehook.cli.output import write_table
from gatehook.cli.output import write_text

if TYPE_CHECKING:
    from gatehook.audit import Entry
    from gatehook.config import Config
    from gatehook.orders.proving import Findings

_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
#: Seconds after which what is on its way into the journal has arrived, or never will.
_SETTLED: Final = 1.0


@click.command("list")
@located
@reading
@click.option("--kind", default="*", metavar="PATTERN", help="Only records of these kinds; * matches anything.")
@click.option("--since", metavar="TIME", help="Only from then on: RFC 3339, or 30s, 15m, 2h, 3d ago.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="The newest so many.")
def list_records(where: Where, *, as_json: bool, kind: str, since: str | None, limit: int) -> None:
    """List the records of trading, consent and configuration."""
    from fnmatch import fnmatchcase

    from gatehook.audit import read

    start = None if since is None else _time(since)
    is_end = kind == "*" and start is None
    entries = read(where.load().gateway.data_dir, since=start, last=limit if is_end else None)
    found = deque((one for one in entries if fnmatchcase(one.kind, kind)), maxlen=limit)
    if as_json:
        write_document({"records": [_record(one) for one in found]})
        return
    rows = ((one.seq, _said(one.ts), one.kind, one.actor, json.dumps(one.subject, ensure_ascii=False)) for one in found)
    write_table(("seq", "time", "kind", "actor", "subject"), rows, empty="There are no such records.")


def _time(text: str) -> int:
    from gatehook.kinds.times import SECOND
    from gatehook.kinds.times import from_rfc3339

    if ago := _AGO.fullmatch(text):
        return time.time_ns() - int(ago[1]) * _UNITS[ago[2]] * SECOND
    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no time: {error}", param_hint="--since") from None


def _said(ts: int) -> str:
    from gatehook.kinds.times import to_rfc3339

    return to_rfc3339(ts)


def _record(entry: Entry) -> Mapping[str, Any]:
    return {
        "seq": entry.seq,
        "ts": _said(entry.ts),
        "kind": entry.kind,
        "actor": entry.actor,
        "subject": entry.subject,
        "prev": entry.prev,
        "mac": entry.mac,
    }


@click.command("verify")
@located
@reading
def verify_records(where: Where, *, as_json: bool) -> None:
    """Prove that the audit is whole and has every command."""
    import attrs

    from gatehook.audit import verify

    config = where.load()
    found = verify(config.gateway.data_dir, key_file=config.audit.key_file, anchors=config.audit.anchors)
    proof = _proof(config)
    bad = bool(found.problems or (proof is not None and proof.findings))
    if as_json:
        data = {**attrs.asdict(found), "proof": None if proof is None else attrs.asdict(proof)}
        write_document({"ok": not bad, **data})
    else:
        write_text(f"{found.records} records, {_range(found.first, found.last)}")
        for one in found.problems:
            write_text(f"{one.what}: {one.text}")
        _print_proof(proof)
        write_text("the audit is NOT whole" if bad else "the audit is whole")
    if bad:
        raise SystemExit(Exit.FAILURE)


def _range(first: int | None, last: int | None) -> str:
    return "none" if first is None else f"{first} to {last}"


def _proof(config: Config) -> Findings | None:
    """Compare the audit with the journal, if there is one; what a running gateway is about to commit gets its time."""
    from gatehook.audit import read
    from gatehook.orders.proving import prove

    journal = config.gateway.data_dir / "journal.sqlite"
    if not journal.exists():
        return None
    found = prove(journal, read(config.gateway.data_dir))
    if found.findings:
        time.sleep(_SETTLED)
        found = prove(journal, read(config.gateway.data_dir))
    return found


def _print_proof(proof: Findings | None) -> None:
    if proof is None:
        note("there is no order journal here to compare with")
        return
    write_text(f"{proof.orders} orders, {proof.commands} other commands and {proof.approvals} approvals compared")
    for one in proof.findings:
        write_text(f"{one.what}: {one.text}")


@click.command()
@click.argument("file", metavar="FILE|-")
@located
@click.option("--ndjson", is_flag=True, help="The lines as they are in the log, instead of one JSON document.")
def export(where: Where, *, file: str, ndjson: bool) -> None:
    """Write all records to a file, or to the standard output."""
    from gatehook.audit import read
    from gatehook.audit.files import LOG_FILE
    from gatehook.audit.reading import lines

    data_dir = where.load().gateway.data_dir
    if ndjson:
        texts: Iterable[str] = (line.decode("utf-8", "replace") for line in lines(data_dir / LOG_FILE))
    else:
        texts = _document(read(data_dir))
    if file == "-":
        sys.stdout.writelines(texts)
        sys.stdout.flush()
        return
    with _new_file(Path(file)) as target:
        target.writelines(texts)
    note(f"written to {file}")


def _document(entries: Iterable[Entry]) -> Iterator[str]:
    """Write the document piece by piece: a log may be larger than the memory."""
    yield f'{{"schemaVersion": {SCHEMA_VERSION}, "records": ['
    between = "\n"
    for entry in entries:
        yield between + json.dumps(_record(entry), ensure_ascii=False)
        between = ",\n"
    yield "\n]}\n"


def _new_file(path: Path) -> TextIO:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise click.BadParameter(f"{path} cannot be made: {error.strerror}", param_hint="FILE") from None
    return os.fdopen(descriptor, "w", encoding="utf-8")
