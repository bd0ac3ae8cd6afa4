"""What is wrong with a halt and with the start of a trading day: scopes, damaged files, full disks."""

from __future__ import annotations

import errno

from gatehook.diagnostics import GatehookError
from gatehook.guard import days
from gatehook.guard import halt
from tests.bad_input.table import Table
from tests.guard.board import Stage
from tests.guard.board import state

TABLE = Table()


def halt_of(world):
    world.ran_on = False
    return halt.Halt(world.folder / "halted" / halt.FILE_NAME)


def refused(attempt):
    try:
        attempt()
    except GatehookError as error:
        return error.diagnostics
    return ()


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@TABLE.row("halt.scope", "a word that is none", "")
async def scope(world):
    return refused(lambda: halt_of(world).halt("everything", reason="r", by="cli"))


@TABLE.row("halt.not-halted", "a resume of what is not halted", "")
async def not_halted(world):
    return refused(lambda: halt_of(world).resume("all", by="cli"))


@TABLE.row("halt.unreadable", "a narrow resume while the file is damaged", "")
async def unreadable(world):
    latch = halt_of(world)
    latch.halt("entry:venue", reason="r", by="cli")
    (world.folder / "halted" / halt.FILE_NAME).write_text("{")
    return refused(lambda: latch.resume("entry:venue", by="cli"))


@TABLE.row("halt.not-written", "a resume on a full disk", "")
async def not_written(world):
    latch = halt_of(world)
    latch.halt("all", reason="r", by="cli")
    with world.monkeypatch.context() as patch:
        patch.setattr(halt, "write_record", no_space)
        return refused(lambda: latch.resume("all", by="cli"))


@TABLE.row("limits.days-damaged", "half a file", "")
async def days_damaged(world):
    world.ran_on = False
    (world.folder / days.FILE_NAME).write_text('{"version": 1, "starts": [')
    return Stage(world.folder).reported


@TABLE.row("limits.days-not-written", "a full disk", "")
async def days_not_written(world):
    world.ran_on = False
    stage = Stage(world.folder)
    with world.monkeypatch.context() as patch:
        patch.setattr(days, "write_record", no_space)
        await stage.days.note(state())
    return stage.reported
