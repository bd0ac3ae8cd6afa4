"""What is wrong with the audit's files: a command that would change something refuses, and changes nothing."""

from __future__ import annotations

import time

import pytest

from gatehook import GatehookError
from gatehook.audit import AuditLog
from gatehook.audit import Record
from gatehook.kinds.errors import StorageUnavailable
from tests.bad_input.table import Table

TABLE = Table()

CHANGE = ("config", "set", "logging.level", "debug")


def opened(world, **options):
    world.data_dir.mkdir(mode=0o700, exist_ok=True)
    return AuditLog.open(world.data_dir, wall=time.time_ns, redact=str, **options)


def written(world):
    """Return the files of a log of three records: the log, its key, its anchors."""
    log = opened(world)
    log.append([Record("test.note", "tester", {}), Record("test.note", "tester", {})])
    log.close()
    return [world.data_dir / name for name in ("audit.jsonl", "audit.key", "audit.anchors")]


def refused(world):
    with pytest.raises(GatehookError) as caught:
        opened(world)
    return caught.value.diagnostics


def found(world):
    log = opened(world)
    log.close()
    return log.diagnostics


def changing_nothing(world, name, harm):
    line = world.command_line()
    line.data_dir.mkdir(mode=0o700)
    harm(line.data_dir / name)
    said = world.command(*CHANGE)
    assert list(line.home.rglob("gatehook.toml")) == []
    return said


@TABLE.row("audit.unavailable", "a directory in its place", "path")
async def directory(world):
    return changing_nothing(world, "audit.jsonl", lambda path: path.mkdir())


@TABLE.row("audit.unavailable", "a file made read-only while it is written", "path")
async def read_only(world):
    log = opened(world)
    (world.data_dir / "audit.jsonl").chmod(0o400)
    with pytest.raises(StorageUnavailable, match="read-only"):
        log.append([Record("test.note", "tester", {})])
    (world.data_dir / "audit.jsonl").chmod(0o600)
    (world.data_dir / "audit.anchors").chmod(0o400)
    log.append([Record("test.note", "tester", {})])
    log.close()
    return log.diagnostics


@TABLE.row("audit.damaged", "a record edited", "path")
async def edited(world):
    log, _, _ = written(world)
    log.write_bytes(log.read_bytes().replace(b"tester", b"nobody"))
    return refused(world)


@TABLE.row("audit.damaged", "its end cut off", "path")
async def cut(world):
    log, _, _ = written(world)
    log.write_bytes(log.read_bytes().splitlines(keepends=True)[0])
    return refused(world)


@TABLE.row("audit.key-unusable", "a key that is gone", "path")
async def no_key(world):
    _, key, _ = written(world)
    key.unlink()
    return refused(world)


@TABLE.row("audit.key-unusable", "a key too short", "path")
async def short_key(world):
    return changing_nothing(world, "audit.key", lambda path: path.write_bytes(b"short"))


@TABLE.row("audit.key-exposed", "a key that everybody can read", "path")
async def exposed(world):
    _, key, _ = written(world)
    key.chmod(0o644)
    return found(world)


@TABLE.row("audit.torn-tail", "a record cut in its middle", "path")
async def torn(world):
    log, _, _ = written(world)
    with log.open("ab") as file:
        file.write(b'{"actor":"tes')
    return found(world)


@TABLE.row("audit.anchors-missing", "anchors that are gone", "path")
async def no_anchors(world):
    _, _, anchors = written(world)
    anchors.unlink()
    return found(world)


@TABLE.row("audit.unreadable", "a directory in its place, to list", "path")
async def unreadable(world):
    line = world.command_line()
    (line.data_dir / "audit.jsonl").mkdir(parents=True)
    return world.command("audit", "list")
