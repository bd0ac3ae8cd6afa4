"""Whatever is halted, resumed, crashed or failed in any order: what is halted stays so until it is resumed."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from gatehook.diagnostics import GatehookError
from gatehook.guard.halt import Halt

SCOPES = st.sampled_from(["all", "entry:venue", "account:venue/main", "subscription:copy"])
ENDS = st.sampled_from(["well", "crash before the rename", "crash after the rename", "disk full"])
STEPS = st.lists(st.tuples(st.sampled_from(["halt", "resume", "restart"]), SCOPES, ENDS), max_size=12)


class Crashed(BaseException):
    """The process is gone."""


def failing(end):
    """Let the write of a record end so."""
    replace = Path.replace

    def ends(self, target):
        if end == "disk full":
            raise OSError(errno.ENOSPC, "No space left on device")
        if end == "crash after the rename":
            replace(self, target)
        raise Crashed

    return patch.object(Path, "replace", replace if end == "well" else ends)


class Told:
    """A gateway's halt on a file, and what whoever halted and resumed was told."""

    def __init__(self, path):
        self.path = path
        self.gateway = Halt(path)
        self.on_disk = set()
        self.in_memory = set()

    def halt(self, scope):
        self.in_memory.add(scope)
        if self.gateway.halt(scope, reason="r", by="t") is None:
            self.on_disk |= self.in_memory

    def resume(self, scope):
        try:
            self.gateway.resume(scope, by="t")
        except GatehookError:
            return
        except Crashed:
            self.on_disk.discard(scope)  # nobody was told whether it is lifted
            raise
        self.on_disk.discard(scope)
        self.in_memory.discard(scope)

    def restart(self, _=None):
        self.gateway = Halt(self.path)
        self.in_memory = set()


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_a_halted_scope_is_lifted_by_its_resume_alone(steps):
    with tempfile.TemporaryDirectory() as folder:
        told = Told(Path(folder) / "halt.json")
        for what, scope, end in steps:
            try:
                with failing(end):
                    getattr(told, what)(scope)
            except Crashed:
                told.restart()
            assert told.on_disk | told.in_memory <= {record.scope for record in told.gateway.records}
